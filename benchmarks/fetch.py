"""How long fetching the unposted invoices takes, against the bare requests, and what memory it needs.

    python benchmarks/fetch.py [--invoices 50000] [--rounds 3]

A generated site is served by a process of its own. In turn, fresh processes ask it for the same pages:
*bare*, so many requests at a time and `json.loads` of each body as it comes (in one thread: parsing in all of
them would slow the reading down and flatter the kit), and *kit*, through `ConnectWise.unposted`
into the typed frame (its discovery, counts and checks included). A ratio below 1 means
that `json.loads` alone takes longer than the kit's own decoder and frame. Memory is the growth of the process's
peak working set while fetching, over the bytes of JSON. The peak comes from `getrusage` on Linux and
macOS and from `GetProcessMemoryInfo` on Windows.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from sage50kit.connectwise.access import Credentials
from sage50kit.connectwise.client import LARGEST_PAGE, Client
from sage50kit.connectwise.frames import PATHS
from sage50kit.connectwise.site import ConnectWise
from sage50kit.profile import ConnectWiseSettings

TIME_TARGET, TIME_LIMIT, MEMORY_LIMIT = 1.2, 1.5, 3.0


def peak_bytes() -> int:
    """The largest working set of this process so far."""
    if sys.platform == "win32":
        return _windows_peak()
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _windows_peak() -> int:
    import ctypes
    from ctypes import wintypes

    class Counters(ctypes.Structure):
        _fields_ = [("cb", wintypes.DWORD), ("faults", wintypes.DWORD)] + [
            (name, ctypes.c_size_t) for name in ("peak", "now", "a", "b", "c", "d", "e", "f")
        ]

    counters = Counters(cb=ctypes.sizeof(Counters))
    kernel = ctypes.WinDLL("kernel32")
    kernel.GetCurrentProcess.restype = wintypes.HANDLE
    measure = kernel.K32GetProcessMemoryInfo
    measure.argtypes = [wintypes.HANDLE, ctypes.POINTER(Counters), wintypes.DWORD]
    if not measure(kernel.GetCurrentProcess(), ctypes.byref(counters), counters.cb):
        raise ctypes.WinError()
    return int(counters.peak)


def serve(invoices: int) -> None:
    """Serve a generated site until standard input ends."""
    from sage50kit.sandbox.generator import generate
    from sage50kit.sandbox.serve import running
    from sage50kit.sandbox.state import Site

    with running(Site.load(generate(invoices, 1).dataset)) as server:
        words = {"site": server.site, "company": server.company, "client_id": server.client_id}
        keys = {"user": server.public_key, "secret": server.private_key}
        print(json.dumps({"settings": words, "keys": keys}), flush=True)
        sys.stdin.read()


def client_of(where: dict[str, Any]) -> Client:
    from pydantic import SecretStr

    keys = where["keys"]
    settings = ConnectWiseSettings(**where["settings"])
    return Client(settings, Credentials(keys["user"], SecretStr(keys["secret"])))


def kit(where: dict[str, Any]) -> dict[str, Any]:
    """Fetch into the typed frame."""
    import pandas as pd  # noqa: F401  # loading the libraries is not fetching
    import pyarrow as pa  # noqa: F401

    with client_of(where) as client:
        before, started = peak_bytes(), time.perf_counter()
        frame = ConnectWise(client).unposted(["invoice"])
        seconds = time.perf_counter() - started
    words = {"rows": len(frame), "total": str(frame["total"].sum())}
    return {"seconds": seconds, "grown": peak_bytes() - before, **words}


def bare(where: dict[str, Any]) -> dict[str, Any]:
    """The same pages, as many at a time, each parsed and forgotten."""
    keys, settings = where["keys"], ConnectWiseSettings(**where["settings"])
    at_once = settings.requests_at_once
    with client_of(where) as client:
        url, count = client.base_url + PATHS["invoice"], client.count(PATHS["invoice"])
    pages = range(1, -(-count // LARGEST_PAGE) + 1)
    with httpx.Client(
        auth=(f"{settings.company}+{keys['user']}", keys["secret"]),
        headers={"clientId": settings.client_id},
        limits=httpx.Limits(max_connections=at_once),
        timeout=120,
    ) as http:

        def read(page: int) -> bytes:
            return http.get(url, params={"pageSize": LARGEST_PAGE, "page": page}).content

        alone = time.perf_counter()
        with ThreadPoolExecutor(at_once) as pool:
            for _ in pool.map(read, pages):
                pass
        alone = time.perf_counter() - alone
        rows = size = 0
        started = time.perf_counter()
        with ThreadPoolExecutor(at_once) as pool:
            for content in pool.map(read, pages):
                rows += len(json.loads(content))
                size += len(content)
        seconds = time.perf_counter() - started
    return {"seconds": seconds, "alone": alone, "rows": rows, "bytes": size}


def fresh(role: str, where: dict[str, Any]) -> dict[str, Any]:
    """Run a role in a process of its own; the keys go over standard input."""
    command = [sys.executable, __file__, "--role", role]
    done = subprocess.run(
        command, input=json.dumps(where), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return dict(json.loads(done.stdout))


def compare(invoices: int, rounds: int) -> None:
    """Print the ratio of time and of memory."""
    command = [sys.executable, __file__, "--role", "serve", "--invoices", str(invoices)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            where = json.loads(server.stdout.readline())
            fresh("bare", where)  # the site works out its rows once
            turns = [(fresh("bare", where), fresh("kit", where)) for _ in range(rounds)]
        finally:
            server.stdin.close()
    report(turns)


def report(turns: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    plain, full = turns[0]
    assert plain["rows"] == full["rows"], "not the same rows"
    ratio = statistics.median(kit["seconds"] / bare["seconds"] for bare, kit in turns)
    memory = statistics.median(kit["grown"] / bare["bytes"] for bare, kit in turns)
    print(f"python {platform.python_version()} on {platform.machine()}, {sys.platform}")
    print(f"{full['rows']} invoices, {plain['bytes'] / 1e6:.1f} MB of JSON, total {full['total']}")
    for bare, kit in turns:
        print(
            f"  requests alone {bare['alone']:6.2f} s   bare {bare['seconds']:6.2f} s   kit {kit['seconds']:6.2f} s   "
            f"grown {kit['grown'] / 1e6:6.1f} MB"
        )
    print(f"time ratio   {ratio:5.2f}  (target {TIME_TARGET}, at most {TIME_LIMIT})")
    print(f"memory ratio {memory:5.2f}  (at most {MEMORY_LIMIT})")


def main() -> None:
    """Compare, or be one of the processes that are compared."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--role", choices=["serve", "bare", "kit"], help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.role is None:
        compare(chosen.invoices, chosen.rounds)
    elif chosen.role == "serve":
        serve(chosen.invoices)
    else:
        where = json.loads(sys.stdin.read())
        print(json.dumps(kit(where) if chosen.role == "kit" else bare(where)))


if __name__ == "__main__":
    main()
