"""The HTTP client of ConnectWise PSA: sign-in, paging, limits, and errors that say what to do.

Only a GET, or a POST that the caller knows to change nothing, is ever repeated. Silence after a write is
raised with `.sent` set, and settled by looking (design 6). Source: connectwise reference, 1-4 and 11.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

import httpx

from sage50kit.connectwise.access import Access, Credentials
from sage50kit.connectwise.answers import failure, unreadable
from sage50kit.connectwise.conditions import all_of, chunks, condition, quote
from sage50kit.connectwise.discovery import discover, origin
from sage50kit.errors import ConnectWiseUnavailable, ConnectWiseUnreadable
from sage50kit.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sage50kit.profile import ConnectWiseSettings, Profile

    Progress = Callable[[int, int | None], None]

__all__ = ["Client", "all_of", "condition", "quote"]

ATTEMPTS = 5
LONGEST_WAIT_SECONDS = 60.0
LARGEST_PAGE = 1000
REREADS = 3


class Client:
    """One ConnectWise site, as one member; safe to use from several threads.

    Args:
        settings: where the site is.
        credentials: as whom to sign in.
        request_log: JSON lines of method, path, status and seconds; never a secret or a body.
        pause: waits so many seconds between attempts; tests pass their own.
        read_timeout: seconds to wait for an answer.
    """

    def __init__(
        self,
        settings: ConnectWiseSettings,
        credentials: Credentials,
        *,
        request_log: Path | None = None,
        pause: Callable[[float], None] = time.sleep,
        read_timeout: float = 120,
    ) -> None:
        import ssl

        self.settings = settings
        self.name = f"{settings.site}/{settings.company}"
        self._origin = origin(settings.site)
        verify: ssl.SSLContext | bool = True
        if settings.ca_file is not None:
            verify = ssl.create_default_context(cafile=str(settings.ca_file))
        at_once = settings.requests_at_once
        self._http = httpx.Client(
            verify=verify,
            timeout=httpx.Timeout(read_timeout, connect=15, pool=None),
            limits=httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once),
            headers={
                "Accept": f"application/vnd.connectwise.com+json; version={settings.version}",
                "clientId": settings.client_id,
                "User-Agent": f"sage50kit/{__version__}",
            },
            trust_env=False,  # a proxy variable must not see the keys; nor may .netrc replace them
        )
        self._access = Access(credentials, settings, self._raw_post)
        self._pause = pause
        self._request_log = request_log
        self._lock = threading.Lock()
        self._base = ""

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
        self._http.close()

    def __repr__(self) -> str:
        """Which site this is; never a key."""
        return f"<Client {self.name}>"

    @property
    def base_url(self) -> str:
        """Where the REST API is, found on first use (connectwise reference, 1.1)."""
        with self._lock:
            if not self._base:
                self._base = discover(self._get_discovery, self._origin, self.settings.company)
            return self._base

    # --- reading ---

    def get(self, path: str, **params: Any) -> Any:
        """The JSON of one record or list page; numbers with a point are exact decimals."""
        return _parsed(self._send("GET", path, params=params, repeatable=True))

    def count(self, path: str, *, conditions: str = "") -> int:
        """How many rows a list has."""
        answer = self.get(f"{path.rstrip('/')}/count", **_given(conditions=conditions))
        if not isinstance(answer, dict) or not isinstance(answer.get("count"), int):
            raise unreadable(f"{path}/count", "no count in the answer")
        return int(answer["count"])

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

        Args:
            path: of the list.
            conditions: see `condition` and `all_of`.
            order_by: such as `id asc`; not with `forward_only`.
            fields: the fields wanted; all of them without.
            page_size: rows a page, at most 1,000.
            forward_only: read by `pageId`, one page after the other; rows cannot move under it.
            progress: called with (pages read, pages in all or None).
        """
        params = _given(
            conditions=conditions,
            orderBy=order_by,
            fields=fields,
            pageSize=min(page_size, LARGEST_PAGE),
        )
        read = self._forward_pages if forward_only else self._numbered_pages
        return read(path, params, progress)

    def rows(self, path: str, **words: Any) -> list[dict[str, Any]]:
        """Every row of a list; read again when rows moved under the reading.

        Raises:
            ConnectWiseUnavailable: the list kept changing.
        """
        for _ in range(REREADS):
            found = [row for page in self.pages(path, **words) for row in _list(page, path)]
            ids = [row["id"] for row in found if isinstance(row, dict) and "id" in row]
            if len(set(ids)) == len(ids):
                return found
        raise moving(path)

    def rows_in(
        self, path: str, field: str, values: Sequence[int | str], **words: Any
    ) -> list[dict[str, Any]]:
        """The rows whose `field` is one of `values`, asked for in URLs of bearable length."""
        asked = words.pop("conditions", "")
        return [
            row
            for part in chunks(field, values)
            for row in self.rows(path, conditions=all_of(asked, part), **words)
        ]

    # --- writing ---

    def post(
        self, path: str, body: object, *, repeatable: bool = False, read_timeout: float = 300
    ) -> Any:
        """Send a POST; it is repeated only where the caller says that it changes nothing.

        Raises:
            ConnectWiseUnavailable: no answer; `.sent` tells whether the request may have been read.
        """
        answer = self._send(
            "POST", path, body=body, repeatable=repeatable, read_timeout=read_timeout
        )
        return _parsed(answer) if answer.content else None

    def patch(self, path: str, operations: list[dict[str, Any]]) -> Any:
        """Change fields: `[{"op": "replace", "path": "amount", "value": 5}]`; never repeated."""
        return _parsed(self._send("PATCH", path, body=operations))

    def put(self, path: str, body: object) -> Any:
        """Replace a record whole; never repeated."""
        return _parsed(self._send("PUT", path, body=body))

    def delete(self, path: str) -> None:
        """Delete a record; never repeated."""
        self._send("DELETE", path)

    # --- one request ---

    def _send(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, Any] | None = None,
        body: object = None,
        headers: dict[str, str] | None = None,
        repeatable: bool = False,
        read_timeout: float | None = None,
        page: bool = False,
    ) -> httpx.Response:
        """The answer of one request, after as many attempts as are safe."""
        renewed = moved = False
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS or not repeatable
            try:
                answer = self._once(method, path, params, body, headers, read_timeout)
            except httpx.TransportError as error:
                if last:
                    raise _silence(error, method, self.name, path) from error
                self._pause(_back_off(attempt))
                continue
            if answer.is_success and not (page and _is_cut(answer)):
                return answer
            if answer.status_code == 401 and not renewed and self._access.renew():
                renewed = True  # the request was not let in, so nothing was done
                continue
            if answer.status_code == 404 and not moved and repeatable and self._rediscover():
                moved = True  # the codebase of a cloud site moves with each release
                continue
            if last or not _may_pass(answer):
                raise failure(answer, method, path, self.name)
            self._pause(_wait(answer, attempt))
        raise unreadable(path, "the page was cut off")

    def _once(
        self,
        method: str,
        path: str,
        params: dict[str, Any] | None,
        body: object,
        headers: dict[str, str] | None,
        read_timeout: float | None,
    ) -> httpx.Response:
        started = time.perf_counter()
        url = f"{self.base_url}{path}"
        content = None if body is None else json.dumps(body, default=_plain).encode()
        sent = {**(headers or {}), "Authorization": self._access.header()}
        if content is not None:
            sent["Content-Type"] = "application/json"
        timeout = httpx.USE_CLIENT_DEFAULT if read_timeout is None else _timeout(read_timeout)
        for _ in range(4):
            answer = self._http.request(
                method, url, params=params, content=content, headers=sent, timeout=timeout
            )
            target = _redirect(answer, url, method)
            if target is None:
                break
            url, params = target, None
        self._log(method, path, answer.status_code, time.perf_counter() - started)
        return answer

    def _raw_post(self, path: str, body: object, headers: dict[str, str]) -> Any:
        """A POST with headers of its own, for tokens."""
        answer = self._http.post(f"{self.base_url}{path}", json=body, headers=headers)
        self._log("POST", path, answer.status_code, 0)
        if not answer.is_success:
            raise failure(answer, "POST", path, self.name)
        return _parsed(answer)

    def _get_discovery(self, url: str) -> httpx.Response:
        """Company info needs no sign-in; a dead server is told apart from a wrong name."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = self._http.get(url)
            except httpx.TransportError as error:
                if attempt == ATTEMPTS:
                    raise _silence(error, "GET", self.name, "") from error
            else:
                if answer.is_success or not _may_pass(answer) or attempt == ATTEMPTS:
                    return answer
            self._pause(_back_off(attempt))
        raise AssertionError("unreachable")

    def _rediscover(self) -> bool:
        """Ask again where the API is; whether it has moved."""
        old = self.base_url
        with self._lock:
            self._base = discover(self._get_discovery, self._origin, self.settings.company)
            return self._base != old

    def _log(self, method: str, path: str, status: int, seconds: float) -> None:
        if self._request_log is None:
            return
        line = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "method": method,
            "path": path,
            "status": status,
            "seconds": round(seconds, 3),
        }
        with self._lock, self._request_log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    # --- pages ---

    def _page(
        self, path: str, params: dict[str, Any], headers: dict[str, str] | None = None
    ) -> httpx.Response:
        return self._send("GET", path, params=params, headers=headers, repeatable=True, page=True)

    def _numbered_pages(
        self, path: str, params: dict[str, Any], progress: Progress | None
    ) -> Iterator[bytes]:
        first = self._page(path, {**params, "page": 1})
        last = _last_page(first)
        yield _clean(first.content)
        _tell(progress, 1, last)
        if last is None:
            if "next" in first.links or "link" not in first.headers:
                yield from self._until_empty(path, params, progress, first)
            return
        with ThreadPoolExecutor(self.settings.requests_at_once) as pool:
            ahead: deque[Future[httpx.Response]] = deque()
            numbers = iter(range(2, last + 1))
            try:
                for done in range(2, last + 1):
                    while len(ahead) < self.settings.requests_at_once and (n := next(numbers, 0)):
                        ahead.append(pool.submit(self._page, path, {**params, "page": n}))
                    yield _clean(ahead.popleft().result().content)
                    _tell(progress, done, last)
            finally:
                for future in ahead:
                    future.cancel()

    def _until_empty(
        self, path: str, params: dict[str, Any], progress: Progress | None, first: httpx.Response
    ) -> Iterator[bytes]:
        """One page after the other, for a list that does not say how many there are."""
        number, content = 1, first.content
        while _is_full(content, int(params["pageSize"])):
            number += 1
            content = self._page(path, {**params, "page": number}).content
            yield _clean(content)
            _tell(progress, number, None)

    def _forward_pages(
        self, path: str, params: dict[str, Any], progress: Progress | None
    ) -> Iterator[bytes]:
        """By `pageId`, which acts as `id > pageId`; a list without it is read by number."""
        headers = {"pagination-type": "forward-only"}
        params = {name: value for name, value in params.items() if name != "orderBy"}
        page_id, done = 0, 0
        while True:
            answer = self._page(path, {**params, "pageId": page_id} if page_id else params, headers)
            if done == 0 and "link" not in answer.headers:
                yield from self._numbered_pages(path, params, progress)
                return
            content = _clean(answer.content)
            rows = _list(content, path)
            if rows:
                yield content
                done += 1
                _tell(progress, done, None)
                page_id = int(rows[-1]["id"])
            if not rows or "next" not in answer.links:
                return


def moving(path: str) -> ConnectWiseUnavailable:
    """The error of a list that changes while it is read."""
    return ConnectWiseUnavailable(
        f"{path} kept changing while it was read. Wait until nobody posts or un-posts, then fetch again.",
        url=path,
    )


def _tell(progress: Progress | None, done: int, of: int | None) -> None:
    if progress is not None:
        progress(done, of)


def _given(**params: Any) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value not in ("", None)}


def _last_page(answer: httpx.Response) -> int | None:
    link = answer.links.get("last")
    number = httpx.URL(link["url"]).params.get("page") if link else None
    return int(number) if number and number.isdigit() else None


def _clean(content: bytes) -> bytes:
    """Without raw line breaks, which the server leaves inside texts (connectwise reference, 4)."""
    if b"\r" in content or b"\n" in content:
        return content.replace(b"\r", b" ").replace(b"\n", b" ")
    return content


def _is_cut(answer: httpx.Response) -> bool:
    """A list that does not end as one was cut off on its way."""
    content = answer.content.strip()
    return content.startswith(b"[") and not content.endswith(b"]")


def _is_full(content: bytes, size: int) -> bool:
    return len(_list(_clean(content), "")) >= size


def _list(page: bytes, path: str) -> list[Any]:
    rows = parse_json(page, path)
    if isinstance(rows, dict) or rows is None:
        rows = (
            [rows] if rows else []
        )  # one object where a list belongs (connectwise reference, 11.1)
    if not isinstance(rows, list):
        raise unreadable(path, "a list was expected")
    return rows


def _parsed(answer: httpx.Response) -> Any:
    return parse_json(answer.content, answer.request.url.path)


def parse_json(content: bytes, path: str) -> Any:
    """JSON with exact decimals; control characters inside texts are let through.

    Raises:
        ConnectWiseUnreadable: it is not JSON, such as a proxy's page.
    """
    if not content.strip():
        return None
    try:
        return json.loads(content, parse_float=Decimal, strict=False)
    except ValueError as error:
        start = content[:60].decode(errors="replace")
        raise unreadable(path, f"it begins with {start!r}") from error


def _plain(value: Any) -> Any:
    """Amounts leave as JSON numbers: the shortest text of a float of two decimals is exact."""
    if isinstance(value, Decimal) and value == Decimal(repr(float(value))):
        return float(value)
    raise TypeError(f"cannot send {value!r}")


def _redirect(answer: httpx.Response, url: str, method: str) -> str | None:
    """Where a GET goes on to; never to another host, which would get the keys."""
    if not answer.has_redirect_location:
        return None
    target = httpx.URL(url).join(answer.headers["location"])
    here = httpx.URL(url)
    if method != "GET" or (target.scheme, target.host, target.port) != (
        here.scheme,
        here.host,
        here.port,
    ):
        raise ConnectWiseUnreadable(
            f"ConnectWise sends {method} {here.path} on to {target.host}. Put the right site into the "
            "profile; keys are never sent to another host.",
            status=answer.status_code,
            url=str(here.path),
        )
    return str(target)


def _may_pass(answer: httpx.Response) -> bool:
    """Whether another attempt may get a better answer."""
    return answer.status_code in (429, 500, 502, 503, 504) or answer.is_success


def _wait(answer: httpx.Response, attempt: int) -> float:
    """Seconds until the next attempt: what the server says, else doubling."""
    said = answer.headers.get("retry-after", "")
    if said.isdigit():
        return min(float(said), LONGEST_WAIT_SECONDS)
    return 30.0 if answer.status_code == 429 else _back_off(attempt)


def _back_off(attempt: int) -> float:
    import random

    return min(float(0.5 * 2**attempt) * random.uniform(0.8, 1.2), LONGEST_WAIT_SECONDS)


def _timeout(read_seconds: float) -> httpx.Timeout:
    return httpx.Timeout(read_seconds, connect=15, pool=None)


def _silence(
    error: httpx.TransportError, method: str, name: str, path: str
) -> ConnectWiseUnavailable:
    """No answer; `.sent` tells whether the server may have read the request."""
    sent = not isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout))
    what = "did not answer" if sent else "cannot be reached"
    failed = ConnectWiseUnavailable(
        f"{name} {what} ({type(error).__name__}: {error}) on {method} {path or 'company info'}. "
        "Check the site in the profile and the network, then try again.",
        url=path,
    )
    failed.sent = sent
    return failed
