"""One request: signed, sent, logged, and repeated where that is safe (connectwise reference, 3 and 4).

Only what changes nothing is repeated. A write is sent once, and silence about it is raised with `.sent`.
"""

from __future__ import annotations

import json
import random
import ssl
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from sage50kit.connectwise.access import Access, Credentials
from sage50kit.connectwise.answers import failure, silence
from sage50kit.connectwise.bodies import parsed
from sage50kit.connectwise.discovery import discover, origin
from sage50kit.errors import (
    ConfigError,
    ConnectWiseUnavailable,
    ConnectWiseUnreadable,
    UsageError,
)
from sage50kit.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sage50kit.profile import ConnectWiseSettings

ATTEMPTS = 5
KNOCKS = 3  # attempts where nobody listens
READINGS = 3  # so often an answer is asked for before it counts as unreadable
LONGEST_WAIT_SECONDS = 300.0  # a server that asks for more is left alone
LONGEST_URL = 2000  # some hosts refuse longer ones; every address is shorter
_REDIRECTS = 3
T = TypeVar("T")
_PASSING = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Call:
    """What to send.

    Args:
        method: of HTTP.
        path: below the base URL.
        query: encoded, without the question mark.
        body: of JSON, or None.
        headers: besides the usual ones.
        repeatable: whether the caller knows that it changes nothing.
        obeys: whether a write waits and is sent again after a 429, which says that it was not read.
        read_timeout: seconds to wait for the answer; None for the client's.
    """

    method: str
    path: str
    query: str = ""
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    repeatable: bool = False
    obeys: bool = False
    read_timeout: float | None = None


class Sender:
    """The way to one site, as one member; safe to use from several threads.

    Args:
        settings: where the site is.
        credentials: as whom to sign in.
        request_log: JSON lines, one for each request; None for none.
        pause: waits so many seconds between attempts.
        read_timeout: seconds to wait for an answer.
        transport: another way to the site than the network.
    """

    def __init__(
        self,
        settings: ConnectWiseSettings,
        credentials: Credentials,
        *,
        request_log: Path | None,
        pause: Callable[[float], None],
        read_timeout: float,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.name = f"{settings.site}/{settings.company}"
        self.pause = pause
        self._company = settings.company
        self._origin = origin(settings.site)
        self._http = _connections(settings, read_timeout, transport)
        self._access = Access(credentials, settings, self._ask_for_token)
        self._request_log = request_log
        self._log_lock = threading.Lock()
        self._base_lock = threading.Lock()
        self._base = ""

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @property
    def base_url(self) -> str:
        """Where the REST API is, found on first use (connectwise reference, 1.1)."""
        with self._base_lock:
            if not self._base:
                self._base = discover(self._company_info, self._origin, self._company)
            return self._base

    def send(self, call: Call) -> httpx.Response:
        """The successful answer, after as many attempts as are safe.

        Raises:
            NotAuthorized, NotFound, ConnectWiseRejected: ConnectWise refused.
            ConnectWiseUnavailable: no answer, or none that helps; of a write, `.sent` tells whether
                it may have been carried out.
        """
        renewed = moved = False
        attempt = 1
        while True:
            base, key = self.base_url, self._access.header()
            answer = self._attempt(call, base, key)
            if isinstance(answer, httpx.Response):
                if answer.is_success:
                    return answer
                # A write is not sent again even here; the next one has a new token, a new base.
                if answer.status_code == 401 and not renewed:
                    renewed = self._access.forget(key)
                    if renewed and call.repeatable:
                        continue
                if answer.status_code == 404 and not moved:
                    moved = self._moved_from(base)
                    if moved and call.repeatable:
                        continue
            self._wait_or_raise(call, answer, attempt)
            attempt += 1

    def read(self, call: Call, make: Callable[[httpx.Response], T]) -> T:
        """What `make` reads out of the answer; one that came cut off or garbled is asked for again.

        Args:
            call: one that is repeatable.
            make: raises ConnectWiseUnreadable.

        Raises:
            ConnectWiseError: as `send`, or it stays unreadable.
        """
        for attempt in range(1, READINGS):
            answer = self.send(call)
            try:
                return make(answer)
            except ConnectWiseUnreadable:
                self.pause(0.5 * attempt)
        return make(self.send(call))

    def _attempt(self, call: Call, base: str, key: str) -> httpx.Response | httpx.RequestError:
        url = f"{base}{call.path}" + (f"?{call.query}" if call.query else "")
        if len(url) >= LONGEST_URL:
            raise UsageError(
                f"the conditions for {call.path} are too long; ask for less at a time."
            )
        headers = {**call.headers, "Authorization": key}
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        try:
            return self._exchange(call, url, headers)
        except httpx.RequestError as error:
            return error

    def _wait_or_raise(
        self, call: Call, answer: httpx.Response | httpx.RequestError, attempt: int
    ) -> None:
        """Pause before the next attempt, or raise what went wrong where none is safe or none helps."""
        if isinstance(answer, httpx.RequestError):
            failed = silence(answer, call.method, self.name, call.path)
            seconds = None if "ca_file" in str(failed) else _back_off(attempt)
        else:
            failed = failure(answer, call.method, call.path, self.name)
            seconds = _seconds_to_wait(answer, attempt)
        # Nobody listening rarely changes within seconds, and a person is waiting for the sentence.
        most = KNOCKS if isinstance(answer, httpx.ConnectError) else ATTEMPTS
        unread = isinstance(answer, httpx.Response) and answer.status_code == 429
        safe = call.repeatable or (call.obeys and unread)
        if not safe or seconds is None or attempt >= most:
            raise failed from (answer if isinstance(answer, httpx.RequestError) else None)
        self.pause(seconds)

    def _exchange(self, call: Call, url: str, headers: dict[str, str]) -> httpx.Response:
        """One request, and where a GET is redirected on its own host, the next."""
        timeout: Any = httpx.USE_CLIENT_DEFAULT
        if call.read_timeout is not None:
            timeout = _timeout(call.read_timeout)
        for _ in range(_REDIRECTS):
            with self._logged(call.method, url) as line:
                answer = self._http.request(
                    call.method, url, content=call.body, headers=headers, timeout=timeout
                )
                line.update(_facts(answer))
            if not answer.has_redirect_location:
                return answer
            url = _redirected(answer, url, call.method)
        raise ConnectWiseUnreadable(
            f"{self.name} redirects {call.path} in a circle. Check the site in the profile.",
            url=call.path,
        )

    def _company_info(self, url: str) -> httpx.Response:
        """What company info answers; it needs no keys, so none are sent."""
        call = Call("GET", httpx.URL(url).path, repeatable=True)
        for attempt in range(1, ATTEMPTS + 1):
            answer: httpx.Response | httpx.RequestError
            try:
                answer = self._exchange(call, url, {})
            except httpx.RequestError as error:
                answer = error
            if isinstance(answer, httpx.Response) and answer.status_code not in _PASSING:
                return answer
            self._wait_or_raise(call, answer, attempt)
        raise AssertionError  # the last attempt returned or raised

    def _ask_for_token(self, path: str, body: object, headers: dict[str, str]) -> Any:
        call = Call("POST", path)
        try:
            answer = self._http_post(call, body, headers)
        except httpx.RequestError as error:
            failed = silence(error, "POST", self.name, path)
            if isinstance(failed, ConnectWiseUnavailable):
                failed.sent = False  # a token that nobody got changes nothing
            raise failed from error
        if not answer.is_success:
            failed = failure(answer, "POST", path, self.name)
            if isinstance(failed, ConnectWiseUnavailable):
                failed.sent = False
            raise failed
        return parsed(answer.content, path)

    def _http_post(self, call: Call, body: object, headers: dict[str, str]) -> httpx.Response:
        content = json.dumps(body).encode()
        token_call = Call(call.method, call.path, body=content)
        headers = {**headers, "Content-Type": "application/json"}
        return self._exchange(token_call, f"{self.base_url}{call.path}", headers)

    def _moved_from(self, base: str) -> bool:
        """After a 404 below `base`: ask again where the API is; whether it is elsewhere now."""
        with self._base_lock:
            if self._base == base:  # else another thread has asked already
                self._base = discover(self._company_info, self._origin, self._company)
            return self._base != base

    @contextmanager
    def _logged(self, method: str, url: str) -> Iterator[dict[str, Any]]:
        """A line of the request log, written when the request ends, however it does."""
        line: dict[str, Any] = {}
        if self._request_log is None:
            yield line
            return
        at, started = datetime.now(UTC), time.perf_counter()
        try:
            yield line
        except httpx.RequestError as error:
            line["error"] = type(error).__name__
            raise
        finally:
            seconds = round(time.perf_counter() - started, 3)
            self._write_log(_line(at, method, httpx.URL(url)) | {"seconds": seconds} | line)

    def _write_log(self, line: dict[str, Any]) -> None:
        if self._request_log is None:
            return
        with self._log_lock:
            self._request_log.parent.mkdir(parents=True, exist_ok=True)
            with self._request_log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")


def _line(at: datetime, method: str, url: httpx.URL) -> dict[str, Any]:
    return {
        "at": at.isoformat(timespec="milliseconds"),
        "method": method,
        "path": url.path,
        "query": url.query.decode(),
    }


def _facts(answer: httpx.Response) -> dict[str, Any]:
    return {
        "status": answer.status_code,
        "bytes": len(answer.content),
        "request_id": answer.headers.get("x-cw-request-id", ""),
    }


def _connections(
    settings: ConnectWiseSettings, read_timeout: float, transport: httpx.BaseTransport | None
) -> httpx.Client:
    at_once = settings.requests_at_once
    return httpx.Client(
        transport=transport,
        verify=_trusted() if settings.ca_file is None else _authority(settings.ca_file),
        timeout=_timeout(read_timeout),
        limits=httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once),
        headers={
            "Accept": f"application/vnd.connectwise.com+json; version={settings.version}",
            "clientId": settings.client_id,
            "User-Agent": f"sage50kit/{__version__}",
        },
        trust_env=False,  # a proxy variable must not see the keys; nor may .netrc replace them
    )


@cache
def _trusted() -> ssl.SSLContext:
    """The public authorities; reading them would cost more than all else of opening a kit."""
    return httpx.create_ssl_context(trust_env=False)


def _authority(file: Path) -> ssl.SSLContext:
    """The authority of a private site, and no other.

    Raises:
        ConfigError: its file is not there, or holds no certificate.
    """
    try:
        return ssl.create_default_context(cafile=str(file))
    except OSError as error:
        raise ConfigError(
            f"ca_file {file} cannot be used: {error}. Name the file with the certificate of the site's "
            "authority (PEM) under [connectwise] in the profile."
        ) from error


def _timeout(read_seconds: float) -> httpx.Timeout:
    return httpx.Timeout(read_seconds, connect=15, pool=None)


def _redirected(answer: httpx.Response, url: str, method: str) -> str:
    """Where a GET goes on to; never to another host, which would get the keys."""
    here = httpx.URL(url)
    target = here.join(answer.headers["location"])
    same = (target.scheme, target.host, target.port) == (here.scheme, here.host, here.port)
    if method != "GET" or not same:
        raise ConnectWiseUnreadable(
            f"ConnectWise sends {method} {here.path} on to {target.scheme}://{target.host}. Put the right "
            "site into the profile; keys are never sent to another host.",
            status=answer.status_code,
            url=here.path,
        )
    return str(target)


def _seconds_to_wait(answer: httpx.Response, attempt: int) -> float | None:
    """Seconds until the next attempt: what the server says, else doubling; None if none can help."""
    status = answer.status_code
    if status not in _PASSING and b"timeout" not in answer.content[:2000].lower():
        return None
    said = _retry_after(answer.headers.get("retry-after", "").strip())
    if said is not None:
        return said if said <= LONGEST_WAIT_SECONDS else None
    return 30.0 * 2 ** (attempt - 1) if status == 429 else _back_off(attempt)


def _retry_after(text: str) -> float | None:
    """Seconds of a Retry-After header, which is a number or a date."""
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _back_off(attempt: int) -> float:
    return float(0.5 * 2 ** (attempt - 1)) * random.uniform(0.8, 1.2)
