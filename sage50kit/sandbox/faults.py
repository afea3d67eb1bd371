"""Trouble on the line, on purpose: what a client must survive, at the request where it is wanted.

faults = Faults([Rule(too_many(retry_after=1), path="/batches", method="POST", on=(1,))])
with running(site, faults=faults) as server: ...
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import quote

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from sage50kit.sandbox.auth import Gate


class Line(NamedTuple):
    """One request on its way: the application behind, and the wire in front."""

    app: ASGIApp
    scope: Scope
    receive: Receive
    send: Send
    hang_up: Callable[[], Awaitable[None]]  # closes the connection; what was sent still goes out


Fault = Callable[[Line], Awaitable[None]]
_MINUTE = 60.0


class Seen(NamedTuple):
    """A request that arrived."""

    method: str
    path: str
    query: str


@dataclass
class Rule:
    """Which requests get a fault.

    Args:
        fault: what happens.
        path: part of the address, case aside; "" is every address.
        method: "" is every method.
        query: part of what stands behind the question mark, as sent.
        on: which of the matching requests, counted from 1; empty is every one.
    """

    fault: Fault
    path: str = ""
    method: str = ""
    query: str = ""
    on: tuple[int, ...] = (1,)
    count: int = field(default=0, init=False)

    def strikes(self, seen: Seen) -> bool:
        """Count a request that matches, and say whether it is one that gets the fault."""
        if not (
            self.path.lower() in seen.path.lower()
            and self.method.upper() in ("", seen.method)
            and self.query in seen.query
        ):
            return False
        self.count += 1
        return not self.on or self.count in self.on


@dataclass
class Faults:
    """The rules in force; `seen` lists all requests in the order they came."""

    rules: list[Rule] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)

    def around(self, app: ASGIApp, hang_up: Callable[[Scope], None]) -> ASGIApp:
        """`app` with these faults in front of it."""

        async def faulty(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            seen = Seen(scope["method"], scope["path"], scope["query_string"].decode("latin-1"))
            self.seen.append(seen)
            striking = [rule for rule in self.rules if rule.strikes(seen)]

            async def gone() -> None:
                hang_up(scope)
                await _left(receive)

            line = Line(app, scope, receive, send, gone)
            await (striking[0].fault(line) if striking else app(scope, receive, send))

        return faulty


def too_many(retry_after: int | None = 30) -> Fault:
    """429 in the shape of its own, with `Retry-After` in seconds unless None."""
    seconds = 30 if retry_after is None else retry_after
    body = f'{{"error":"ConnectWiseAPI","message":"Too many requests. Please try again in {seconds} seconds."}}'
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return answer(429, body, headers=headers)


def failing(status: int = 503, message: str = "", *, after_effect: bool = False) -> Fault:
    """An error with the usual body; it says nothing of whether the work was done."""
    text = message or "An error has occurred."
    body = f'{{"code":"ConnectWiseApi","message":"{text}","errors":null}}'
    return answer(status, body, after_effect=after_effect)


def page(status: int = 502, *, after_effect: bool = False) -> Fault:
    """An HTML page, as proxies answer."""
    body = f"<html><head><title>{status}</title></head><body><h1>{status} Server Error</h1></body></html>"
    return answer(status, body, content_type="text/html", after_effect=after_effect)


def garbage(status: int = 200, *, after_effect: bool = False) -> Fault:
    """A success whose body is no JSON."""
    return answer(status, '[{"id": 1, "invoiceNumber": "1000', after_effect=after_effect)


def empty(status: int = 200, *, after_effect: bool = False) -> Fault:
    """A success without a body."""
    return answer(status, "", after_effect=after_effect)


def answer(
    status: int,
    body: str,
    *,
    content_type: str = "application/json",
    headers: dict[str, str] | None = None,
    after_effect: bool = False,
) -> Fault:
    """Any answer, instead of the site's.

    Args:
        status: of HTTP.
        body: as sent.
        content_type: of the body.
        headers: more of them.
        after_effect: whether the site does its work first; else it does not see the request.
    """

    async def fault(line: Line) -> None:
        if after_effect:
            await _worked(line)
        sent = {
            "content-type": content_type,
            "content-length": str(len(body.encode())),
            **(headers or {}),
        }
        raw = [(name.lower().encode(), value.encode()) for name, value in sent.items()]
        await line.send({"type": "http.response.start", "status": status, "headers": raw})
        await line.send({"type": "http.response.body", "body": body.encode()})

    return fault


def dropped(*, after_effect: bool = False) -> Fault:
    """The connection closes without an answer, before the site saw the request or after it did its work."""

    async def fault(line: Line) -> None:
        if after_effect:
            await _worked(line)
        await line.hang_up()

    return fault


def cut(share: float = 0.5) -> Fault:
    """The answer stops after this share of its body, and the connection closes; the work is done."""

    async def fault(line: Line) -> None:
        messages = await _worked(line)
        body = b"".join(message.get("body", b"") for message in messages)
        await line.send(messages[0])
        await line.send(
            {
                "type": "http.response.body",
                "body": body[: int(len(body) * share)],
                "more_body": True,
            }
        )
        await line.hang_up()

    return fault


def slow(seconds: float) -> Fault:
    """The answer comes late; the work is done first."""

    async def fault(line: Line) -> None:
        messages = await _worked(line)
        await asyncio.sleep(seconds)
        await _sent(messages, line)

    return fault


class Stall:
    """A fault that holds requests until `release`, or until the client has left.

    Args:
        after_effect: whether the work is done before the request is held; else after `release`, and never if
            the client left before.
    """

    def __init__(self, *, after_effect: bool = True) -> None:
        self.arrived = threading.Event()  # set when the first request is held
        self._after_effect = after_effect
        self._lock = threading.Lock()
        self._held: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._released = False

    def release(self) -> None:
        """Let go what is held and what comes; may be called from any thread."""
        with self._lock:
            self._released = True
            for loop, gate in self._held:
                loop.call_soon_threadsafe(gate.set)
            self._held.clear()

    async def __call__(self, line: Line) -> None:
        """Hold one request."""
        body = await _body(line)
        messages = await _worked(line, body) if self._after_effect else []
        if await self._let_go(line):
            await _sent(messages or await _worked(line, body), line)

    async def _let_go(self, line: Line) -> bool:
        """Wait; whether it was `release` and not the client who ended it."""
        gate = asyncio.Event()
        with self._lock:
            if self._released:
                return True
            self._held.append((asyncio.get_running_loop(), gate))
        self.arrived.set()
        waits = [asyncio.ensure_future(gate.wait()), asyncio.ensure_future(_left(line.receive))]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        return gate.is_set()


def twice(*, told: Literal["first", "second"] = "second") -> Fault:
    """The site gets the request two times, as from a proxy that sends again; the client hears of one.

    Args:
        told: which of the two answers; of the second one a proxy that lost the first knows nothing.
    """

    async def fault(line: Line) -> None:
        body = await _body(line)
        answers = {"first": await _worked(line, body), "second": await _worked(line, body)}
        await _sent(answers[told], line)

    return fault


def reordered(order_by: str = "id desc") -> Fault:
    """One page of a list in another order than the pages beside it: rows come double and others not at all."""
    parameter = f"orderBy={quote(order_by)}".encode()

    async def fault(line: Line) -> None:
        others = [
            part
            for part in line.scope["query_string"].split(b"&")
            if part and not part.lower().startswith(b"orderby=")
        ]
        scope = {**line.scope, "query_string": b"&".join([parameter, *others])}
        await line.app(scope, line.receive, line.send)

    return fault


def limited(per_minute: int, clock: Callable[[], float] = time.monotonic) -> Fault:
    """429 for what is more than so many requests in a minute; the others pass. Meant for every request.

    Args:
        per_minute: the real site allows about 1,000.
        clock: seconds; a test brings its own.
    """
    passed: deque[float] = deque()

    async def fault(line: Line) -> None:
        now = clock()
        while passed and passed[0] <= now - _MINUTE:
            passed.popleft()
        if len(passed) >= per_minute:
            await too_many(ceil(passed[0] + _MINUTE - now))(line)
            return
        passed.append(now)
        await line.app(line.scope, line.receive, line.send)

    return fault


def expired(gate: Gate) -> Fault:
    """All member tokens end before the site sees the request; who signs in again gets a new one."""

    async def fault(line: Line) -> None:
        gate.expire_tokens()
        await line.app(line.scope, line.receive, line.send)

    return fault


async def _body(line: Line) -> bytes:
    """The request, read to its end."""
    body, more = b"", True
    while more:
        message = await line.receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _left(receive: Receive) -> None:
    """Return when the connection has ended."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _worked(line: Line, body: bytes | None = None) -> list[Any]:
    """What the site answers; the client gets nothing of it yet.

    Args:
        line: the request.
        body: of the request, where it was read already.
    """
    messages: list[Any] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    receive = line.receive if body is None else _again(body, line.receive)
    await line.app(line.scope, receive, keep)
    return messages


def _again(body: bytes, receive: Receive) -> Receive:
    """A request that was read, to be read once more."""
    given = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def again() -> Message:
        return next(given, None) or await receive()

    return again


async def _sent(messages: list[Any], line: Line) -> None:
    for message in messages:
        await line.send(message)
