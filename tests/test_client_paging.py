"""Lists arrive in order and whole, or not at all."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import Response

from sage50kit.errors import (
    ConnectWiseUnavailable,
    ConnectWiseUnreadable,
    NotAuthorized,
    UsageError,
)
from tests.client_site import INVOICES, Seen, Site, cut, serving, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sage50kit.connectwise.client import Client

PAYMENTS = "/finance/invoices/7/payments"


@pytest.fixture(scope="module")
def running() -> Iterator[Site]:
    with serving(Site()) as running:
        yield running


@pytest.fixture
def site(running: Site) -> Site:
    running.reset()
    running.lists[INVOICES] = _rows(95)
    return running


def _rows(many: int) -> list[dict[str, Any]]:
    return [{"id": number, "total": number / 4} for number in range(1, many + 1)]


def _ids(pages: Iterator[bytes]) -> list[int]:
    return [row["id"] for page in pages for row in json.loads(page)]


def _page_requests(site: Site) -> list[Seen]:
    return site.asked(INVOICES)


@pytest.mark.parametrize("many", [0, 1, 9, 10, 11, 20, 95])
@pytest.mark.parametrize("forward_only", [False, True])
def test_every_row_once_in_order(site: Site, many: int, *, forward_only: bool) -> None:
    """Whatever the last page looks like."""
    site.lists[INVOICES] = _rows(many)
    with site.client() as client:
        found = _ids(client.pages(INVOICES, page_size=10, forward_only=forward_only))
        rows = client.rows(INVOICES, page_size=10, forward_only=forward_only)
    assert found == list(range(1, many + 1))
    assert [row["id"] for row in rows] == found


def test_pages_are_handed_on_byte_for_byte(site: Site) -> None:
    """What the server wrote is what the decoder gets."""
    body = b'[ {"id":1,"total":1.10 ,"note":"\\u00e9 \xc3\xa9"}\t]'
    site.next_answers[INVOICES] = [Response(body)]
    site.lists[INVOICES] = _rows(1)
    with site.client() as client:
        assert list(client.pages(INVOICES)) == [body]


def test_several_pages_are_under_way_while_the_caller_works(site: Site) -> None:
    """Four pages meet at the server before the caller has taken the second; never more than four."""
    met = threading.Event()
    meeting = asyncio.Barrier(4)

    async def meet(seen: Seen) -> None:
        if seen.query.get("page") in {"2", "3", "4", "5"}:
            await meeting.wait()
            met.set()

    site.before = meet
    with site.client(requests_at_once=4, read_timeout=20) as client:
        pages = client.pages(INVOICES, page_size=10)
        next(pages)
        assert met.wait(20)
        assert _ids(pages) == list(range(11, 96))
    assert site.most_under_way == 4


def test_pages_that_arrive_out_of_order_are_handed_on_in_order(site: Site) -> None:
    """Page 2 answers only when page 5 has."""
    last_first = asyncio.Event()

    async def hold(seen: Seen) -> None:
        if seen.query.get("page") == "5":
            last_first.set()
        if seen.query.get("page") == "2":
            await last_first.wait()

    site.before = hold
    with site.client(requests_at_once=4, read_timeout=20) as client:
        assert _ids(client.pages(INVOICES, page_size=10)) == list(range(1, 96))


def test_what_waits_to_be_taken_is_bounded(site: Site) -> None:
    """A caller that stops taking stops the reading: memory does not grow with the list."""
    site.lists[INVOICES] = _rows(300)
    with site.client(requests_at_once=2) as client:
        pages = client.pages(INVOICES, page_size=1)
        for _ in range(10):
            next(pages)
        assert len(_page_requests(site)) <= 10 + 2 * 2
        pages.close()  # type: ignore[attr-defined]


def test_a_large_page_is_the_default(site: Site) -> None:
    """The server's 25 rows a page would lose time; nobody asks for them."""
    with site.client() as client:
        client.rows(INVOICES)
    (asked,) = _page_requests(site)
    assert asked.query["pageSize"] == "1000"


def test_page_is_the_last_parameter(site: Site) -> None:
    """And conditions are encoded, blanks as %20."""
    with site.client() as client:
        client.rows(INVOICES, conditions='name = "A&B [[]x] 100%"', order_by="id asc", fields="id")
    (asked,) = _page_requests(site)
    assert asked.raw_query.endswith("&page=1")
    assert "name%20%3D%20%22A%26B%20%5B%5B%5Dx%5D%20100%25%22" in asked.raw_query
    assert asked.query["conditions"] == 'name = "A&B [[]x] 100%"'


def test_a_short_list_is_one_request(site: Site) -> None:
    """A look-up does not count first."""
    with site.client() as client:
        client.rows(INVOICES)
    assert [seen.path for seen in site.seen if INVOICES in seen.path] == [INVOICES]


@pytest.mark.parametrize("countable", [True, False])
@pytest.mark.parametrize("many", [0, 5, 10, 35])
def test_without_link_nothing_is_lost(site: Site, many: int, *, countable: bool) -> None:
    """Without `Link` the count tells the end, and without a count an empty page."""
    site.links, site.countable = False, countable
    site.lists[INVOICES] = _rows(many)
    with site.client() as client:
        assert [row["id"] for row in client.rows(INVOICES, page_size=10)] == list(
            range(1, many + 1)
        )
        assert _ids(client.pages(INVOICES, page_size=10)) == list(range(1, many + 1))


def test_without_a_count_link_tells_the_end(site: Site) -> None:
    """Payments of an invoice have no /count, and it is not asked for."""
    site.lists[PAYMENTS] = _rows(35)
    with site.client() as client:
        assert len(client.rows(PAYMENTS, page_size=10)) == 35
    assert site.asked(f"{PAYMENTS}/count") == []


def test_forward_only_without_link_falls_back(site: Site) -> None:
    """An endpoint that does not know forward-only sends no Link and is read by number."""
    site.links = False
    with site.client() as client:
        assert _ids(client.pages(INVOICES, page_size=10, forward_only=True)) == list(range(1, 96))
    assert _page_requests(site)[0].headers["pagination-type"] == "forward-only"


def test_forward_only_follows_the_last_id(site: Site) -> None:
    """`pageId` is the last id of the page before, and no page number is sent."""
    with site.client() as client:
        list(client.pages(INVOICES, page_size=40, forward_only=True))
    asked = [seen.query for seen in _page_requests(site)]
    assert [query.get("pageId") for query in asked] == [None, "40", "80"]
    assert not any("page" in query for query in asked)


def test_forward_only_does_not_run_in_a_circle(site: Site) -> None:
    """Ids that do not grow would be read for ever."""
    again = told(200, _rows(2), link='<x?pageId=2>; rel="next"')
    site.next_answers[INVOICES] = [again] * 9
    with site.client() as client, pytest.raises(ConnectWiseUnreadable, match="do not grow"):
        list(client.pages(INVOICES, page_size=2, forward_only=True))


def test_arguments_that_do_not_fit_are_refused(site: Site) -> None:
    """An order does not go with forward-only, and pages are 1 to 1,000 rows."""
    with site.client() as client:
        with pytest.raises(UsageError):
            client.pages(INVOICES, order_by="id", forward_only=True)
        with pytest.raises(UsageError):
            client.pages(INVOICES, page_size=1001)
        with pytest.raises(UsageError):
            client.rows(INVOICES, page_size=0)
    assert site.seen == []


# --- rows that move ---


def _once_at_page(site: Site, number: str, change: Any) -> None:
    """Change the list when page `number` has been answered, the first time only."""
    done: list[int] = []

    def after(seen: Seen) -> None:
        if seen.path == INVOICES and seen.query.get("page") == number and len(done) < 1:
            done.append(1)
            change(site.lists[INVOICES])

    site.after = after


@pytest.mark.parametrize("page", ["2", "5", "9"])
@pytest.mark.parametrize(
    "change",
    [lambda rows: rows.pop(0), lambda rows: rows.insert(0, {"id": 1000})],
    ids=["batched", "closed"],
)
def test_rows_that_move_are_noticed_and_read_again(site: Site, page: str, change: Any) -> None:
    """A row that leaves or comes shifts all others; the second reading is whole."""
    _once_at_page(site, page, change)
    with site.client(requests_at_once=1) as client:
        rows = client.rows(INVOICES, page_size=10)
    assert [row["id"] for row in rows] == [row["id"] for row in site.lists[INVOICES]]


def test_a_row_that_changes_its_place_is_noticed(site: Site) -> None:
    """The same number of rows, but one of them read twice."""
    _once_at_page(site, "3", lambda rows: rows.append(rows.pop(0)))
    with site.client(requests_at_once=1) as client:
        rows = client.rows(INVOICES, page_size=10)
    assert len({row["id"] for row in rows}) == 95


def test_a_consumer_starts_over_when_rows_moved(site: Site) -> None:
    """`whole` gives every reading to the consumer from its first page; the last result counts."""
    _once_at_page(site, "2", lambda rows: rows.pop(0))
    results: list[int] = []

    def consume(pages: Iterator[bytes]) -> int:
        results.append(len(_ids(pages)))
        return results[-1]

    with site.client(requests_at_once=1) as client:
        assert client.whole(INVOICES, consume, page_size=10) == 94
    assert len(results) == 2


def test_a_list_that_keeps_moving_is_given_up(site: Site) -> None:
    """After three readings a person is told what to wait for."""

    def after(seen: Seen) -> None:
        if seen.path == INVOICES and seen.query.get("page") == "5":
            site.lists[INVOICES].pop(0)

    site.after = after
    client = site.client(requests_at_once=1)
    with client, pytest.raises(ConnectWiseUnavailable, match="kept changing"):
        client.rows(INVOICES, page_size=10)


# --- pages in trouble ---


@pytest.mark.parametrize(
    "trouble",
    [cut(b'[{"id": 1}, {"id"'), Response(b'[{"id": 1}, {"id"'), told(503), told(429)],
    ids=["cut", "half", "busy", "limit"],
)
def test_a_page_in_trouble_is_asked_for_again(site: Site, trouble: Response) -> None:
    """Cut off on its way, or half of it with a clean end: the page is read whole or not at all."""
    site.next_answers[INVOICES] = [trouble]
    with site.client() as client:
        assert _ids(client.pages(INVOICES, page_size=10)) == list(range(1, 96))


@pytest.mark.parametrize("body", [b"<html>", b'[{"id": 1}', b'{"message": "x"}', b"[1, 2]", b"7"])
def test_a_page_that_stays_garbage_is_unreadable(site: Site, body: bytes) -> None:
    """After three attempts: one sentence that names the path."""
    site.next_answers[INVOICES] = [Response(body) for _ in range(3)]
    with site.client() as client, pytest.raises(ConnectWiseUnreadable, match="unpostedinvoices"):
        client.rows(INVOICES)


def test_line_breaks_inside_a_page_become_blanks(site: Site) -> None:
    """The decoder downstream gets strict JSON, with the blank ConnectWise itself puts there."""
    site.lists[INVOICES] = _rows(1)
    site.next_answers[INVOICES] = [Response(b'\xef\xbb\xbf[{"id": 1, "note": "a\r\nb"}]')]
    with site.client() as client:
        (page,) = client.pages(INVOICES)
    assert json.loads(page) == [{"id": 1, "note": "a  b"}]


@pytest.mark.parametrize(("body", "rows"), [(b"", []), (b"null", []), (b'{"id": 4}', [{"id": 4}])])
def test_a_list_that_is_none_is_survived(site: Site, body: bytes, rows: list[Any]) -> None:
    """An empty body is no rows, a single record a list of one, where the count agrees."""
    site.lists[INVOICES] = rows
    site.next_answers[INVOICES] = [Response(body)]
    with site.client() as client:
        assert client.rows(INVOICES) == rows


def test_an_empty_body_for_a_list_with_rows_loses_nothing(site: Site) -> None:
    """The count disagrees, so the list is read again."""
    site.next_answers[INVOICES] = [Response(b"")]
    with site.client() as client:
        assert len(client.rows(INVOICES)) == 95


def test_an_error_on_one_page_ends_the_reading(site: Site) -> None:
    """What went wrong on a page in the middle reaches the caller, and no page after it does."""
    taken: list[bytes] = []

    def after(seen: Seen) -> None:
        if seen.path == INVOICES and seen.query.get("page") == "2":
            site.next_answers[INVOICES] = [told(403)] * 99

    site.after = after
    with site.client(requests_at_once=1) as client, pytest.raises(NotAuthorized):
        taken.extend(client.pages(INVOICES, page_size=10))
    assert [json.loads(page)[0]["id"] for page in taken] == [1, 11]


def test_progress_counts_pages(site: Site) -> None:
    """Pages read, and how many there are."""
    told_so_far: list[tuple[int, int | None]] = []
    with site.client() as client:
        list(client.pages(INVOICES, page_size=40, progress=lambda *step: told_so_far.append(step)))
    assert told_so_far == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("body", [b"{}", b'{"count": "9"}', b"[]", b'{"count": true}', b""])
def test_a_count_that_is_none_is_unreadable(site: Site, body: bytes) -> None:
    """A number is expected, nothing else is taken for one."""
    site.next_answers[f"{INVOICES}/count"] = [Response(body)] * 3
    with site.client() as client, pytest.raises(ConnectWiseUnreadable, match="count"):
        client.count(INVOICES)


def test_count_takes_conditions(site: Site) -> None:
    """The same conditions as the list."""
    with site.client() as client:
        assert client.count(INVOICES, conditions="id > 4") == 95
    assert site.seen[-1].query == {"conditions": "id > 4"}


# --- long lists of values ---


def _few(client: Client, values: list[Any], **words: Any) -> list[dict[str, Any]]:
    return client.rows_in(INVOICES, "number", values, **words)


@pytest.mark.parametrize(
    "values",
    [list(range(10**9, 10**9 + 1000)), [f"Ünïcödé & Söhne [{n}]" for n in range(120)]],
    ids=["ids", "names"],
)
def test_long_lists_are_cut_so_that_addresses_stay_short(site: Site, values: list[Any]) -> None:
    """Every value is asked for once, at most a hundred at a time, below 2,000 characters."""
    site.lists[INVOICES] = []
    with site.client() as client:
        _few(client, [*values, *values], conditions='status = "Closed"', fields="id,number")
    asked = _page_requests(site)
    assert all(
        len(f"{site.url}/v4_6_release/apis/3.0{INVOICES}?{s.raw_query}") < 2000 for s in asked
    )
    inside = [s.query["conditions"].partition(" in (")[2].rstrip(")") for s in asked]
    literals = [literal for part in inside for literal in part.split(",")]
    assert len(literals) == len(set(literals)) == len(values)
    assert max(part.count(",") for part in inside) < 100
    assert all(
        s.query["conditions"].startswith('(status = "Closed") and (number in') for s in asked
    )


def test_no_values_ask_nothing(site: Site) -> None:
    """`in ()` is not a condition."""
    with site.client() as client:
        assert _few(client, []) == []
    assert _page_requests(site) == []


def test_chunks_come_back_in_order(site: Site) -> None:
    """The first hundred values answer only when the last have."""
    last_first = asyncio.Event()

    async def hold(seen: Seen) -> None:
        conditions = seen.query.get("conditions", "")
        if "(0," in conditions:
            await last_first.wait()
        if "(200," in conditions:
            last_first.set()
        if "in (" in conditions:
            number = int(conditions.partition("(")[2].split(",")[0])
            site.next_answers[INVOICES].append(told(200, [{"id": number}], link=""))

    site.before = hold
    with site.client(read_timeout=20) as client:
        assert [row["id"] for row in _few(client, list(range(300)))] == [0, 100, 200]


def test_conditions_too_long_are_not_sent(site: Site) -> None:
    """A host that cuts addresses would answer another question."""
    with site.client() as client:
        with pytest.raises(UsageError, match="too long"):
            client.rows(INVOICES, conditions=" or ".join(f"id = {n}" for n in range(500)))
        with pytest.raises(UsageError, match="too long"):
            _few(client, ["x" * 3000])
    assert _page_requests(site) == []
