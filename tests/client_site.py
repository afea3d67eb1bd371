"""A small site over real HTTP that misbehaves exactly as a test asks it to."""

from __future__ import annotations

import json
import socket
import threading
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sage50kit.connectwise.client import Client, Credentials
from sage50kit.profile import ConnectWiseSettings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

REST = "/v4_6_release/apis/3.0"
INVOICES = "/finance/accounting/unpostedinvoices"
METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]


class Seen(NamedTuple):
    """A request as it arrived."""

    method: str
    path: str  # below the REST base
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    raw_query: str


class Site:
    """Lists and records in memory; `next_answers` come before them, one for each request."""

    def __init__(self) -> None:
        self.url = ""
        self.reset()

    def reset(self) -> None:
        """As new, on the same port."""
        self.codebase = "v4_6_release/"
        self.company_info: dict[str, Any] = {}
        self.lists: dict[str, list[dict[str, Any]]] = {}
        self.next_answers: dict[str, list[ASGIApp]] = defaultdict(list)
        self.seen: list[Seen] = []
        self.countable = True
        self.links = True
        self.before: Callable[[Seen], Awaitable[None]] = _at_once
        self.under_way = self.most_under_way = 0
        self.after: Callable[[Seen], None] = lambda seen: None
        self._lock = threading.Lock()

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{rest:path}", self._answer, methods=METHODS)])

    def asked(self, path: str) -> list[Seen]:
        return [one for one in self.seen if one.path == path]

    async def _answer(self, request: Request) -> ASGIApp:
        base = f"/{self.codebase}apis/3.0"
        path = request.url.path.removeprefix(base)
        seen = Seen(
            request.method,
            path,
            dict(request.query_params),
            dict(request.headers),
            await request.body(),
            request.url.query,
        )
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self.before(seen)
        finally:
            self.under_way -= 1
        with self._lock:
            self.seen.append(seen)
            waiting = self.next_answers[path]
            if waiting:
                return waiting.pop(0)
            answer = self._usual(seen)
            self.after(seen)
            return answer

    def _usual(self, seen: Seen) -> Response:
        if seen.path.startswith("/login/companyinfo/"):
            return JSONResponse({"Codebase": self.codebase, "IsCloud": "True", **self.company_info})
        listed = self.lists.get(seen.path.removesuffix("/count"))
        if listed is None:
            return JSONResponse({"code": "NotFound", "message": "no such record"}, 404)
        if not seen.path.endswith("/count"):
            return self._page(seen, listed)
        return JSONResponse(
            {"count": len(listed)} if self.countable else {}, 200 if self.countable else 405
        )

    def _page(self, seen: Seen, listed: list[dict[str, Any]]) -> Response:
        size = int(seen.query.get("pageSize", "25"))
        if seen.headers.get("pagination-type") == "forward-only" and self.links:
            after = int(seen.query.get("pageId", "0"))
            rest = [row for row in listed if row["id"] > after]
            link = f'<{self.url}{REST}?pageId=1>; rel="next"' if len(rest) > size else ""
            return JSONResponse(rest[:size], headers={"Link": link})
        number, last = int(seen.query.get("page", "1")), max(1, -(-len(listed) // size))
        links = {"next": number + 1} if number < last else {}
        links["last"] = last
        link = ", ".join(
            f'<{self.url}{REST}{seen.path}?page={n}>; rel="{r}"' for r, n in links.items()
        )
        rows = listed[(number - 1) * size : number * size]
        return JSONResponse(rows, headers={"Link": link} if self.links else {})

    def client(self, pauses: list[float] | None = None, **words: Any) -> Client:
        settings = {"site": self.url, "company": "acme", "client_id": "guid-1"}
        named = {
            name: words.pop(name)
            for name in list(words)
            if name in ConnectWiseSettings.model_fields
        }
        return Client(
            ConnectWiseSettings.model_validate(settings | named),
            Credentials("public1", SecretStr("private-hush")),
            pause=(pauses if pauses is not None else []).append,
            **words,
        )


async def _at_once(seen: Seen) -> None:
    """No waiting."""


def told(status: int, body: object = None, **headers: str) -> Response:
    """An answer with a JSON body."""
    return Response(json.dumps(body), status, {n.replace("_", "-"): v for n, v in headers.items()})


async def silent(scope: Scope, receive: Receive, send: Send) -> None:
    """Never answers; ends when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def cut(body: bytes) -> ASGIApp:
    """Promises more bytes than it sends, then closes the connection."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        head = [(b"content-length", str(len(body) + 100).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": body})

    return app


@contextmanager
def serving(site: Site, **words: Any) -> Iterator[Site]:
    """The site on a free port of this machine, in a thread."""
    # The protocol is named, or asyncio leaves Nagle's algorithm on and every answer 40 ms late.
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        scheme = "https" if "ssl_certfile" in words else "http"
        site.url = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            site.app(), lifespan="off", log_level="critical", http="h11", ws="none", **words
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield site
        finally:
            server.should_exit = True
            thread.join(10)
