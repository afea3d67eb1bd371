"""A site without a network: each request runs through its application in the thread that asks."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from starlette.types import ASGIApp, Message

    from sage50kit.sandbox.faults import Faults


class Wire(httpx.BaseTransport):
    """The line between a client and an application; one request at a time, as one event loop would.

    Args:
        app: the site.
        faults: trouble on the line, replaced for every world.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._app = app
        self._is_cut = False
        self._turn = threading.Lock()

    def suffer(self, faults: Faults) -> None:
        """From now on there is this trouble on the line."""
        self._app = faults.around(self._plain, self._hang_up)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request through the application.

        Raises:
            httpx.RemoteProtocolError: the line was cut before the answer was whole.
        """
        with self._turn:
            self._is_cut = False
            sent: list[Message] = []
            _run(self._exchange(request, sent))
            if self._is_cut or not sent:
                raise httpx.RemoteProtocolError("the line was cut", request=request)
            start, *parts = sent
            content = b"".join(part.get("body", b"") for part in parts)
            return httpx.Response(start["status"], headers=start["headers"], content=content)

    async def _exchange(self, request: httpx.Request, sent: list[Message]) -> None:
        # Whoever asks for more than the request learns that the client has gone, or would ask forever.
        waiting: list[Message] = [
            {"type": "http.disconnect"},
            {"type": "http.request", "body": request.read(), "more_body": False},
        ]

        async def receive() -> Message:
            return waiting.pop() if len(waiting) > 1 else waiting[0]

        async def send(message: Message) -> None:
            if not self._is_cut:
                sent.append(message)

        await self._app(_scope(request), receive, send)

    def _hang_up(self, scope: Any) -> None:
        del scope  # there is one line
        self._is_cut = True


def _scope(request: httpx.Request) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path,
        "query_string": request.url.query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 1),
        "server": (request.url.host, request.url.port or 80),
        "state": {},
    }


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that never has to wait for anything."""
    try:
        work.send(None)
    except StopIteration:
        return
    work.close()
    raise RuntimeError("the site waits for something that only a real network has")
