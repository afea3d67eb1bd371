"""A list, page by page: several pages at a time, in their order, all of them (connectwise reference, 2.2)."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from sage50kit.connectwise.answers import unreadable
from sage50kit.connectwise.bodies import page_as_sent, parsed, readable_page, row_ids
from sage50kit.connectwise.conditions import SAFE
from sage50kit.connectwise.sending import Call
from sage50kit.connectwise.turns import workers
from sage50kit.errors import ConnectWiseError, ConnectWiseUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sage50kit.connectwise.sending import Sender

    Progress = Callable[[int, int | None], None]

LARGEST_PAGE = 1000
FORWARD_ONLY = {"pagination-type": "forward-only"}
_NO_COUNT = frozenset({400, 404, 405, 501})  # what a list without /count answers
# Published spellings that differ between a list and its count (connectwise reference, 11.14).
_COUNTS = {"/finance/accounting/unpostedpayments": "/finance/accounting/unpostedPayments/count"}


@dataclass
class Page:
    """One page of a list.

    Args:
        content: JSON as sent, a list of records.
        last: number of the last page, where the server says so.
        has_next: whether the server names a next page.
        has_link: whether it sent a `Link` header at all.
    """

    content: bytes
    last: int | None
    has_next: bool
    has_link: bool

    @cached_property
    def ids(self) -> list[Any]:
        """Ids of the rows, None for a row without; reads the page, so only where they are needed."""
        return row_ids(self.content)

    @property
    def is_empty(self) -> bool:
        """Whether it has no rows."""
        return len(self.content) < 100 and not self.ids


@dataclass(slots=True)
class Tally:
    """What was read: enough to notice rows that moved between the pages."""

    pages: int = 0
    rows: int = 0
    ids: set[Any] = field(default_factory=set)
    repeated: bool = False

    def add(self, page: Page) -> None:
        """Count a page in."""
        self.pages += 1
        self.rows += len(page.ids)
        named = [each for each in page.ids if each is not None]
        before = len(self.ids)
        self.ids.update(named)
        self.repeated = self.repeated or len(self.ids) - before != len(named)


class Listing:
    """One list with its conditions, ready to be read.

    Args:
        sender: the way to the site.
        path: of the list.
        params: query parameters as published, `pageSize` among them.
        at_once: how many requests may be under way.
        thorough: whether every byte of a page is read to see that it is whole, and its ids with it;
            else its beginning and end have to do, as for a caller who decodes it anyway.
    """

    def __init__(
        self,
        sender: Sender,
        path: str,
        params: Mapping[str, Any],
        *,
        at_once: int,
        thorough: bool,
    ) -> None:
        self._sender = sender
        self._path = path
        self._params = dict(params)
        self._size = int(params["pageSize"])
        self._at_once = at_once
        self._thorough = thorough

    def count(self) -> int | None:
        """How many rows there are; None for a list that cannot say.

        Raises:
            ConnectWiseUnreadable: the answer is no count.
        """
        if self._path.rstrip("/").endswith(("/glEntries", "/payments")):
            return None
        try:
            return count(self._sender, self._path, str(self._params.get("conditions", "")))
        except ConnectWiseError as error:
            if error.status in _NO_COUNT:
                return None
            raise

    def page(self, number: int) -> Page:
        """One page by its number, from 1; one past the end is empty."""
        return self._read({**self._params, "page": number}, {})

    def numbered(self, tally: Tally | None, progress: Progress | None) -> Iterator[bytes]:
        """All pages in order, several under way; what waits to be taken is bounded.

        Pages asked for and not yet taken are at most twice the requests at a time, so that the line
        stays busy while the caller works and memory stays bounded.
        """
        pool = workers(self._at_once)
        try:
            ahead: deque[Future[Page]] = deque([pool.submit(self.page, 1)])
            rows = pool.submit(self.count).result()
            known = -(-rows // self._size) if rows else 1
            asked = taken = 1
            while ahead:
                while asked < known and len(ahead) < 2 * self._at_once:
                    asked += 1
                    ahead.append(pool.submit(self.page, asked))
                page = ahead.popleft().result()
                known = max(known, self._pages_known(page, taken, rows))
                if asked < known and not ahead:
                    asked += 1
                    ahead.append(pool.submit(self.page, asked))
                if taken == 1 or not page.is_empty:
                    if tally is not None:
                        tally.add(page)
                    yield page.content
                    _tell(progress, taken, None if rows is None and page.last is None else known)
                taken += 1
        finally:
            pool.shutdown(cancel_futures=True)  # no request outlives the reading

    def forward(self, tally: Tally | None, progress: Progress | None) -> Iterator[bytes]:
        """All pages by `pageId`, which acts as `id > pageId`: rows cannot move under it.

        A list that does not know it sends no `Link`, and is read by number.

        Raises:
            ConnectWiseUnreadable: the ids do not grow, so the reading would not end.
        """
        first = self._read(self._params, FORWARD_ONLY)
        if not first.has_link:
            yield from self.numbered(tally, progress)
            return
        pool = ThreadPoolExecutor(1, thread_name_prefix="connectwise")
        try:
            page, following, reached, taken = first, None, 0, 0
            while taken == 0 or not page.is_empty:
                if page.has_next and not page.is_empty:
                    reached = self._grown(page, reached)
                    query = {**self._params, "pageId": reached}
                    following = pool.submit(self._read, query, FORWARD_ONLY)
                taken += 1
                if tally is not None:
                    tally.add(page)
                yield page.content
                _tell(progress, taken, None)
                if following is None:
                    return
                page, following = following.result(), None
        finally:
            pool.shutdown(cancel_futures=True)  # no request outlives the reading

    def _pages_known(self, page: Page, number: int, rows: int | None) -> int:
        """How many pages there must be, after what page `number` says."""
        if page.has_link:
            return max(page.last or 0, number + 1 if page.has_next else 0)
        # Without Link a page may be smaller than asked for: only an empty one, or the count, is the end.
        if page.is_empty or (rows is not None and self._all_here(page, number, rows)):
            return 0
        return number + 1

    def _all_here(self, page: Page, number: int, rows: int) -> bool:
        """Whether full pages up to this one hold all the rows that were counted."""
        return (number - 1) * self._size + len(page.ids) >= rows

    def _read(self, params: Mapping[str, Any], headers: dict[str, str]) -> Page:
        """One page."""
        call = Call("GET", self._path, encoded_query(params), headers=headers, repeatable=True)
        return self._sender.read(call, self._page_of)

    def _page_of(self, answer: httpx.Response) -> Page:
        content = answer.content
        if self._thorough or not page_as_sent(content):
            content = readable_page(content, self._path)
        links = answer.links
        page = Page(content, _last_page(links), "next" in links, "link" in answer.headers)
        if self._thorough:
            page.ids  # noqa: B018  # read here, in the thread of the request
        return page

    def _grown(self, page: Page, reached: int) -> int:
        """The last id of a page, which must lie beyond the page before."""
        last = page.ids[-1]
        if not isinstance(last, int) or last <= reached:
            raise unreadable(
                self._path, f"row ids do not grow (after {reached} came {last}); read it by number"
            )
        return last


def count_path(path: str) -> str:
    """Where a list tells how many rows it has."""
    path = path.rstrip("/")
    return _COUNTS.get(path.lower(), f"{path}/count")


def count(sender: Sender, path: str, conditions: str) -> int:
    """How many rows a list has."""
    path = count_path(path)
    call = Call("GET", path, encoded_query({"conditions": conditions}), repeatable=True)
    return sender.read(call, lambda answer: counted(answer.content, path))


def counted(content: bytes, path: str) -> int:
    """The number a count path answers.

    Raises:
        ConnectWiseUnreadable: something else.
    """
    answer = parsed(content, path)
    count = answer.get("count") if isinstance(answer, dict) else None
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise unreadable(path, "no count in it")
    return count


def encoded_query(params: Mapping[str, Any]) -> str:
    """Query parameters as sent; empty ones are left out, `page` comes last."""
    given = {name: value for name, value in params.items() if value not in ("", None)}
    return "&".join(f"{name}={quote(str(value), safe=SAFE)}" for name, value in given.items())


def moving(path: str) -> ConnectWiseUnavailable:
    """The error of a list that changes while it is read."""
    return ConnectWiseUnavailable(
        f"{path} kept changing while it was read. Wait until nobody posts or un-posts, then fetch again.",
        url=path,
    )


def _last_page(links: dict[str | None, dict[str, str]]) -> int | None:
    url = links.get("last", {}).get("url", "")
    try:
        number = httpx.URL(url).params.get("page", "")
    except httpx.InvalidURL:
        return None
    return int(number) if number.isascii() and number.isdigit() else None


def _tell(progress: Progress | None, done: int, of: int | None) -> None:
    if progress is not None:
        progress(done, of)
