"""The HTTP client of ConnectWise PSA: what is asked for, in the words of its REST API.

Only a GET, or a POST that the caller knows to change nothing, is ever repeated. Silence after a write is
raised with `.sent` set, and settled by looking (design 6). Source: connectwise reference, 1-4 and 11.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Self, TypeVar

from sage50kit.connectwise.access import Credentials
from sage50kit.connectwise.answers import accepted_unread
from sage50kit.connectwise.bodies import encoded, parsed
from sage50kit.connectwise.conditions import all_of, chunks, condition, quote
from sage50kit.connectwise.paging import (
    LARGEST_PAGE,
    Listing,
    Tally,
    count,
    encoded_query,
    moving,
)
from sage50kit.connectwise.sending import LONGEST_URL, Call, Sender
from sage50kit.errors import ConnectWiseUnreadable, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import httpx

    from sage50kit.connectwise.paging import Progress
    from sage50kit.profile import ConnectWiseSettings, Profile

__all__ = ["REREADS", "Client", "Credentials", "all_of", "condition", "moving", "quote"]

REREADS = 3
MOST_VALUES = 100  # of one `in` list
_NOT_TOGETHER = "order_by cannot be had together with forward_only."
T = TypeVar("T")


class Client:
    """One ConnectWise site, as one member; safe to use from several threads.

    It calls the site directly: proxies and `.netrc` of the environment are ignored on purpose, because whoever sets
    them would see or replace the keys.

    Args:
        settings: where the site is.
        credentials: as whom to sign in.
        request_log: JSON lines of method, path, query, status and seconds; never a secret or a body.
        pause: waits so many seconds between attempts; tests pass their own.
        read_timeout: seconds to wait for an answer.
        transport: another way to the site than the network; the simulator has one.
    """

    def __init__(
        self,
        settings: ConnectWiseSettings,
        credentials: Credentials,
        *,
        request_log: Path | None = None,
        pause: Callable[[float], None] = time.sleep,
        read_timeout: float = 120,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.settings = settings
        self._sender = Sender(
            settings,
            credentials,
            request_log=request_log,
            pause=pause,
            read_timeout=read_timeout,
            transport=transport,
        )
        self.name = self._sender.name

    @classmethod
    def from_profile(cls, profile: Profile, *, request_log: Path | None = None) -> Client:
        """The client of a profile; its keys come from the environment or the keyring."""
        return cls(profile.connectwise, Credentials.of(profile), request_log=request_log)

    def __enter__(self) -> Self:
        """Use as a context manager; `close` at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._sender.close()

    def __repr__(self) -> str:
        """Which site this is; never a key."""
        return f"<Client {self.name}>"

    @property
    def base_url(self) -> str:
        """Where the REST API is, found on first use (connectwise reference, 1.1)."""
        return self._sender.base_url

    # --- reading ---

    def get(self, path: str, **params: Any) -> Any:
        """The JSON of one record or list page; numbers with a point are exact decimals."""
        call = Call("GET", path, encoded_query(params), repeatable=True)
        return self._sender.read(call, lambda answer: parsed(answer.content, path))

    def count(self, path: str, *, conditions: str = "") -> int:
        """How many rows a list has."""
        return count(self._sender, path, conditions)

    def pages(
        self,
        path: str,
        *,
        conditions: str = "",
        order_by: str = "",
        fields: str = "",
        page_size: int = LARGEST_PAGE,
        forward_only: bool = False,
        progress: Progress | None = None,
    ) -> Iterator[bytes]:
        """The raw JSON of every page, in order; several are read at a time.

        Rows that move from one page to another meanwhile are noticed by `whole` and `rows`.

        Args:
            path: of the list.
            conditions: see `condition` and `all_of`.
            order_by: such as `id asc`; not with `forward_only`.
            fields: the fields wanted; all of them without.
            page_size: rows a page, at most 1,000.
            forward_only: read by `pageId`, one page after the other; rows cannot move under it.
            progress: called with (pages read, pages in all or None).

        Raises:
            UsageError: arguments that do not fit each other.
        """
        listing = self._listing(
            path,
            thorough=False,
            conditions=conditions,
            orderBy=order_by,
            fields=fields,
            pageSize=page_size,
        )
        if forward_only and order_by:
            raise UsageError(_NOT_TOGETHER)
        read = listing.forward if forward_only else listing.numbered
        return read(None, progress)

    def whole(
        self,
        path: str,
        consume: Callable[[Iterator[bytes]], T],
        *,
        conditions: str = "",
        order_by: str = "",
        fields: str = "",
        page_size: int = LARGEST_PAGE,
        forward_only: bool = False,
        progress: Progress | None = None,
    ) -> T:
        """What `consume` makes of all pages, read again from the start when rows moved under it.

        A row counted before is read once and counted after, or the reading does not count. What this
        cannot see is one row that leaves and another one that comes during one reading.

        Args:
            path: of the list.
            consume: takes the pages to their end; is called again for every new reading.
            conditions: and the rest, as for `pages`.
            order_by: as for `pages`.
            fields: as for `pages`.
            page_size: as for `pages`.
            forward_only: as for `pages`.
            progress: as for `pages`.

        Raises:
            ConnectWiseUnavailable: the list kept changing.
        """
        listing = self._listing(
            path, conditions=conditions, orderBy=order_by, fields=fields, pageSize=page_size
        )
        if forward_only and order_by:
            raise UsageError(_NOT_TOGETHER)
        for _ in range(REREADS):
            tally = Tally()
            if forward_only:
                before = after = None
                result = consume(listing.forward(tally, progress))
            else:
                before = listing.count()
                result = consume(listing.numbered(tally, progress))
                after = None if before is None else listing.count()
            if not tally.repeated and (before is None or before == tally.rows == after):
                return result
        raise moving(path)

    def rows(self, path: str, **words: Any) -> list[dict[str, Any]]:
        """Every row of a list, parsed; read again when rows moved under the reading.

        Args:
            path: of the list.
            words: as for `pages`.

        Raises:
            ConnectWiseUnavailable: the list kept changing.
        """
        if not words.get("forward_only"):
            found = self._only_page(path, **words)
            if found is not None:
                return found
        return self.whole(
            path,
            lambda pages: [row for page in pages for row in parsed(page, path)],
            **words,
        )

    def rows_in(
        self, path: str, field: str, values: Sequence[int | str], **words: Any
    ) -> list[dict[str, Any]]:
        """The rows whose `field` is one of `values`; arguments as for `parts_in`."""
        return [row for part in self.parts_in(path, field, values, **words) for row in part]

    def parts_in(
        self,
        path: str,
        field: str,
        values: Sequence[int | str],
        *,
        one_each: bool = False,
        **words: Any,
    ) -> Iterator[list[dict[str, Any]]]:
        """The same part by part, so that one is looked at while the next ones are on their way.

        Args:
            path: of the list.
            field: published name.
            values: in any number; each is asked for once, in addresses of bearable length.
            one_each: a value has one row at most, so as many rows as values are all there are, and
                nobody has to count.
            words: as for `pages`.
        """
        given = str(words.pop("conditions", ""))
        literals = [quote(value) for value in dict.fromkeys(values)]
        room = self._room(path, field, given, words)
        parts = list(chunks(literals, characters=room, at_most=MOST_VALUES))

        def read(part: Sequence[str]) -> list[dict[str, Any]]:
            conditions = all_of(given, f"{field} in ({','.join(part)})")
            if one_each:
                found = self._only_page(path, conditions=conditions, enough=len(part), **words)
                if found is not None:
                    return found
            return self.rows(path, conditions=conditions, **words)

        if len(parts) == 1:
            yield read(parts[0])
            return
        with ThreadPoolExecutor(self.settings.requests_at_once) as pool:
            yield from pool.map(read, parts)

    # --- writing ---

    def post(
        self,
        path: str,
        body: object,
        *,
        repeatable: bool = False,
        obeys: bool = False,
        read_timeout: float = 300,
    ) -> Any:
        """Send a POST; it is repeated only where the caller says that it changes nothing.

        Args:
            path: of the list.
            body: of JSON.
            repeatable: it changes nothing.
            obeys: wait and send it again after a 429, which says that it was not read.
            read_timeout: seconds to wait for an answer.

        Raises:
            ConnectWiseUnavailable: no answer; `.sent` tells whether the request may have been read.
        """
        return self._write(
            "POST", path, body, repeatable=repeatable, obeys=obeys, read_timeout=read_timeout
        )

    def patch(self, path: str, operations: list[dict[str, Any]], *, obeys: bool = False) -> Any:
        """Change fields: `[{"op": "replace", "path": "amount", "value": 5}]`; `obeys` as for `post`."""
        return self._write("PATCH", path, operations, obeys=obeys)

    def put(self, path: str, body: object) -> Any:
        """Replace a record whole; never repeated."""
        return self._write("PUT", path, body)

    def delete(self, path: str, *, obeys: bool = False) -> None:
        """Delete a record; `obeys` as for `post`."""
        self._sender.send(Call("DELETE", path, obeys=obeys))

    # --- the parts ---

    def _write(
        self,
        method: str,
        path: str,
        body: object,
        *,
        repeatable: bool = False,
        obeys: bool = False,
        read_timeout: float | None = None,
    ) -> Any:
        call = Call(
            method,
            path,
            body=encoded(body),
            repeatable=repeatable,
            obeys=obeys,
            read_timeout=read_timeout,
        )
        if repeatable:
            return self._sender.read(call, lambda answer: parsed(answer.content, path))
        answer = self._sender.send(call)
        try:
            return parsed(answer.content, path)
        except ConnectWiseUnreadable as error:
            error.status = answer.status_code
            raise accepted_unread(error, path) from error

    def _listing(self, path: str, *, thorough: bool = True, **params: Any) -> Listing:
        if not 1 <= params["pageSize"] <= LARGEST_PAGE:
            raise UsageError(f"page_size is 1 to {LARGEST_PAGE}, not {params['pageSize']}.")
        at_once = self.settings.requests_at_once
        return Listing(self._sender, path, params, at_once=at_once, thorough=thorough)

    def _only_page(
        self,
        path: str,
        *,
        conditions: str = "",
        order_by: str = "",
        fields: str = "",
        page_size: int = LARGEST_PAGE,
        forward_only: bool = False,  # noqa: ARG002  # the caller's words, taken as they are
        progress: Progress | None = None,
        enough: int = LARGEST_PAGE,
    ) -> list[dict[str, Any]] | None:
        """The rows of a list that is no longer than a page, in one request; None if it is longer.

        A page without Link is counted after, unless it holds `enough` rows: more there cannot be.
        """
        listing = self._listing(
            path, conditions=conditions, orderBy=order_by, fields=fields, pageSize=page_size
        )
        page = listing.page(1)
        named = [each for each in page.ids if each is not None]
        if page.has_next or len(page.ids) >= page_size or len(set(named)) != len(named):
            return None
        sure = page.has_link or len(page.ids) >= enough
        if not sure and listing.count() not in (None, len(page.ids)):
            return None  # a server without Link may send less than a page and not say so
        if progress is not None:
            progress(1, 1)
        rows: list[dict[str, Any]] = parsed(page.content, path)
        return rows

    def _room(self, path: str, field: str, given: str, words: dict[str, Any]) -> int:
        """Characters left for the literals of an `in` list in one address, counted as encoded."""
        params = {
            "conditions": all_of(given, f"{field} in ()"),
            "orderBy": words.get("order_by", ""),
            "fields": words.get("fields", ""),
            "pageSize": LARGEST_PAGE,
            "page": 10**6,
        }
        address = f"{self.base_url}{path}?{encoded_query(params)}"
        return LONGEST_URL - len(address) - 1
