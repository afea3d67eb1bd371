"""Trouble on the line, on purpose: what a client must survive, at the request where it is wanted.

faults = Faults([Rule(too_many(retry_after=1), path="/batches", method="POST", on=(1,))])
with running(site, faults=faults) as server: ...
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Line(NamedTuple):
    """One request on its way: the application behind, and the wire in front."""

    app: ASGIApp
    scope: Scope
    receive: Receive
    send: Send
    hang_up: Callable[[], None]  # closes the connection; what was sent still goes out


Fault = Callable[[Line], Awaitable[None]]


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
        on: which of the matching requests, counted from 1; empty is every one.
    """

    fault: Fault
    path: str = ""
    method: str = ""
    on: tuple[int, ...] = (1,)
    count: int = field(default=0, init=False)

    def strikes(self, seen: Seen) -> bool:
        """Count a request that matches, and say whether it is one that gets the fault."""
        if self.path.lower() not in seen.path.lower() or self.method.upper() not in (
            "",
            seen.method,
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
            line = Line(app, scope, receive, send, lambda: hang_up(scope))
            await (striking[0].fault(line) if striking else app(scope, receive, send))

        return faulty


def too_many(retry_after: int | None = 30) -> Fault:
    """429 in the shape of its own, with `Retry-After` in seconds unless None."""
    seconds = 30 if retry_after is None else retry_after
    body = f'{{"error":"ConnectWiseAPI","message":"Too many requests. Please try again in {seconds} seconds."}}'
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return answer(429, body, headers=headers)


def failing(status: int = 503, message: str = "") -> Fault:
    """A 5xx with the usual error body."""
    text = message or "An error has occurred."
    return answer(status, f'{{"code":"ConnectWiseApi","message":"{text}","errors":null}}')


def page(status: int = 502) -> Fault:
    """An HTML page, as proxies answer."""
    body = f"<html><head><title>{status}</title></head><body><h1>{status} Server Error</h1></body></html>"
    return answer(status, body, content_type="text/html")


def garbage(status: int = 200) -> Fault:
    """A success whose body is no JSON."""
    return answer(status, '[{"id": 1, "invoiceNumber": "1000')


def empty(status: int = 200) -> Fault:
    """A success without a body."""
    return answer(status, "")


def answer(
    status: int,
    body: str,
    *,
    content_type: str = "application/json",
    headers: dict[str, str] | None = None,
) -> Fault:
    """Any answer, instead of the site's; the site does not see the request."""

    async def fault(line: Line) -> None:
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
            await line.app(line.scope, line.receive, _nowhere)
        line.hang_up()

    return fault


def cut(share: float = 0.5) -> Fault:
    """The answer stops after this share of its body, and the connection closes."""

    async def fault(line: Line) -> None:
        messages = await _recorded(line)
        body = b"".join(message.get("body", b"") for message in messages)
        await line.send(messages[0])
        await line.send(
            {
                "type": "http.response.body",
                "body": body[: int(len(body) * share)],
                "more_body": True,
            }
        )
        line.hang_up()

    return fault


def slow(seconds: float) -> Fault:
    """The answer comes late; the work is done first."""

    async def fault(line: Line) -> None:
        messages = await _recorded(line)
        await asyncio.sleep(seconds)
        for message in messages:
            await line.send(message)

    return fault


async def _recorded(line: Line) -> list[Any]:
    messages: list[Any] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    await line.app(line.scope, line.receive, keep)
    return messages


async def _nowhere(message: Message) -> None:
    """What the site answers is lost."""
