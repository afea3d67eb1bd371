"""The local ConnectWise site on a port: in a thread for tests and the demo, or as a process of its own."""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import secrets
import signal
import socket
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sage50kit.errors import ConfigError, Sage50KitError
from sage50kit.sandbox import auth
from sage50kit.sandbox.app import make_app
from sage50kit.sandbox.faultwords import read_faults
from sage50kit.sandbox.pairing import (
    COMPANY_NAME,
    announcement,
    pair_of,
    write_company,
    write_profile,
)
from sage50kit.sandbox.refusal import Switches
from sage50kit.sandbox.tls import make_certificate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import uvicorn
    from starlette.types import ASGIApp, Scope

    from sage50kit.sandbox.faults import Faults
    from sage50kit.sandbox.state import Site

log = logging.getLogger(__name__)

COMPANY = "lakeside"
_PATIENCE_SECONDS = 10


@dataclass(frozen=True)
class Running:
    """A site that answers, and what one needs to call it."""

    url: str  # origin, no path
    gate: auth.Gate
    ca_file: Path | None = None
    faults: Faults | None = field(default=None, repr=False)

    @property
    def site(self) -> str:
        """What a profile names as its site: host and port, with `http://` where there is no TLS."""
        return self.url.removeprefix("https://")

    @property
    def company(self) -> str:
        """ConnectWise login company id."""
        return self.gate.company

    @property
    def client_id(self) -> str:
        """A vendor id that is let in."""
        return self.gate.client_ids[0]

    @property
    def public_key(self) -> str:
        """Public key of the member who may do everything."""
        return self.gate.accounts[0].public_key

    @property
    def private_key(self) -> str:
        """Private key of the member who may do everything."""
        return self.gate.accounts[0].private_key

    def account(self, member: str) -> auth.Account:
        """The API key of another member: `reader`, `norights`."""
        return next(account for account in self.gate.accounts if account.member == member)


@contextlib.contextmanager
def running(
    site: Site,
    *,
    tls: bool = False,
    faults: Faults | None = None,
    port: int = 0,
    gate: auth.Gate | None = None,
) -> Iterator[Running]:
    """Serve `site` on loopback from a thread until the block ends.

    Args:
        site: the records.
        tls: HTTPS with a certificate of its own; `ca_file` is the authority to trust.
        faults: trouble to cause.
        port: 0 takes a free one.
        gate: company, keys, clocks; by default the company `lakeside` and three members.

    Raises:
        MissingDependency: TLS without the extra `tls`.
    """
    gate = gate or default_gate()
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        _listening(port) as listener,
    ):
        certificate = make_certificate(Path(folder)) if tls else None
        server = _server(
            make_app(site, gate, company_name=COMPANY_NAME),
            certificate and certificate.server,
            faults,
        )
        thread = threading.Thread(
            target=server.run, args=([listener],), name="sandbox", daemon=True
        )
        thread.start()
        try:
            _wait_until_up(server, thread)
            yield Running(
                _url(listener, tls=tls), gate, certificate and certificate.ca_file, faults
            )
        finally:
            server.should_exit = True
            thread.join(_PATIENCE_SECONDS)


def default_gate(private_key: str = "") -> auth.Gate:
    """The door of the demo site; the private keys are new at each start unless given."""
    integrator = ("integrator", secrets.token_urlsafe(12))
    return auth.Gate(COMPANY, auth.demo_accounts(private_key), integrator=integrator)


def _listening(port: int) -> socket.socket:
    # Named as TCP, so that asyncio turns Nagle's waiting off: it would cost 40 ms an answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if sys.platform != "win32":  # there it would let two servers share the port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or "ports go up to 65535"
        raise ConfigError(
            f"the local site cannot listen on port {port}: {reason}. Choose another --port."
        ) from error
    listener.listen(128)
    return listener


def _url(listener: socket.socket, *, tls: bool) -> str:
    return f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}"


def _server(
    app: ASGIApp,
    certificate: Path | None,
    faults: Faults | None = None,
    announce: Callable[[], None] | None = None,
) -> uvicorn.Server:
    import uvicorn
    from uvicorn.protocols.http.h11_impl import H11Protocol

    transports: dict[Any, Any] = {}

    class Protocol(H11Protocol):
        """Remembers its connection, so that a fault can close it."""

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            transports[self.client] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            transports.pop(self.client, None)
            super().connection_lost(exc)

    def hang_up(scope: Scope) -> None:
        transport = transports.get(scope["client"])
        if transport is not None:
            transport.close()

    class Announcing(uvicorn.Server):
        """Says when it answers."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started and announce:
                announce()

    config = uvicorn.Config(
        faults.around(app, hang_up) if faults else app,
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
        ssl_certfile=certificate,
    )
    return Announcing(config)


def _wait_until_up(server: uvicorn.Server, thread: threading.Thread) -> None:
    """Return when the server answers; it is up within milliseconds."""
    for _ in range(_PATIENCE_SECONDS * 1000):
        if server.started:
            return
        thread.join(0.001)
        if not thread.is_alive():
            break
    raise Sage50KitError("the local site did not start; its log on stderr says why.")


# --- as a process of its own ---------------------------------------------------------------------


def serve_forever(
    *,
    port: int = 0,
    data: Path | None = None,
    invoices: int | None = None,
    seed: int = 1,
    dirty: bool = False,
    tls: bool = False,
    workdir: Path | None = None,
    faults: Sequence[str] = (),
    switches: Sequence[str] = (),
) -> None:
    """Serve a site until Ctrl-C or SIGTERM; prints one line of JSON when it answers.

    A matching embedded company, a ready profile, `planted.json` and `members.json` (keys of the other members and
    the integrator) are written into `workdir`. A company that is there already is kept, if it belongs to the same data.

    Args:
        port: 0 takes a free one.
        data: a data set, with its company lists in the folder `company` beside it; None is the fixtures.
        invoices: generate this many unposted invoices instead.
        seed: of the generator.
        dirty: plant blocking findings.
        tls: HTTPS with a certificate of its own.
        workdir: None makes a new folder among the temporary ones.
        faults: trouble to cause, in words (`faultwords`).
        switches: answers other than the usual ones (`Switches.read`).

    Raises:
        UsageError: a fault or a switch is not understood.
        ConfigError: the data set is wrong, or the folder holds a company of other data.
        MissingDependency: TLS without the extra `tls`.
    """
    gate = default_gate()
    trouble = read_faults(faults, gate) if faults else None
    chosen = Switches.read(switches)
    folder = Path(tempfile.mkdtemp(prefix="sage50kit-")) if workdir is None else workdir.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    origin = {"data": str(data or ""), "invoices": invoices, "seed": seed, "dirty": dirty}
    pair = pair_of(data, invoices, seed, dirty=dirty, switches=chosen)
    company_file = write_company(folder, pair, origin)
    with _listening(port) as listener:
        certificate = make_certificate(folder) if tls else None
        running = Running(_url(listener, tls=tls), gate, certificate and certificate.ca_file)
        profile = write_profile(folder, running, pair.books)
        line = json.dumps(announcement(running, profile, company_file))
        app = make_app(pair.site, gate, company_name=COMPANY_NAME)
        gc.collect()
        gc.freeze()  # a large data set stays; looking through it again and again would slow every answer
        server = _server(
            app,
            certificate and certificate.server,
            trouble,
            announce=lambda: print(line, flush=True),  # noqa: T201
        )
        with _quiet_signals():
            server.run(sockets=[listener])


@contextlib.contextmanager
def _quiet_signals() -> Iterator[None]:
    """Let the server end on a signal without the process failing by it.

    uvicorn stops at the first signal and raises it again when it is done; by then there is nothing left to stop.
    """
    names = [name for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), _ignored) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _ignored(number: int, frame: object) -> None:
    """The server has already ended on this signal."""
