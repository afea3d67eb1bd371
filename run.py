"""Set up a virtual environment, then run the demo or all tests: `python3 run.py demo`, `python3 run.py test`.

Standard library only, the same on Windows, macOS and Linux (`py run.py demo`). The packages are those of
`requirements.lock`, checked by hash; nothing is installed outside `.venv`, except system packages that the
tests need, and those only on Debian as root.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
WINDOWS = os.name == "nt"
PYTHON = VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")
STAMP = VENV / ".sage50kit"
LOCK = ROOT / "requirements.lock"
# What the tests need of the system: a package of Debian, and the programs that show it is there.
SYSTEM = {
    "chromium": ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge"),
    "hledger": ("hledger",),
}
# The build back end is among the locked packages, so that nothing unpinned is fetched to build.
NO_ISOLATION = ["--no-build-isolation"]
# `--quick` leaves these out, as it does every test marked slow: they start processes or kernels of their own.
SLOW = (
    "tests/test_browser.py",
    "tests/test_browser_rows.py",
    "tests/test_cli.py",
    "tests/test_crash.py",
    "tests/test_notebooks.py",
    "tests/test_payment_simulation.py",
    "tests/test_simulator.py",
    "tests/test_two_pushes.py",
    "tests/test_widgets_unattended.py",
)
# Many simulated worlds take every processor, so they run alone: a small number with `--quick`.
WORLDS = "tests/test_simulated_worlds.py"
# What decides whether a document is posted twice: every branch of it is run by these tests, or they fail.
PROTOCOL = (
    *("batch.push", "batch.settling", "batch.posting", "batch.batching"),
    *("batch.resume", "batch.rerun", "batch.unpost", "batch.pending", "pushlog"),
)
PROTOCOL_TESTS = (
    "claim",
    "cli_corrections",
    "golive",
    "old_log",
    "push",
    "pushlog*",
    "put_back",
    "rerun*",
    "resume",
    "two_pushes",
    "unpost",
)


def main() -> int:
    """Do what the command line says; returns the exit code."""
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["demo", "test"])
    parser.add_argument("--quick", action="store_true", help="the tests that take seconds")
    options, rest = parser.parse_known_args()
    if rest and options.what == "test":
        parser.error(f"unknown for test: {' '.join(rest)}")
    set_up()
    if options.what == "demo":
        return call([PYTHON, "-m", "sage50kit", "demo", *rest])
    return test(quick=options.quick)


# --- setting up -------------------------------------------------------------------------------


def set_up() -> None:
    """Make `.venv` as the lock says, unless it is already so."""
    if sys.version_info < (3, 11):  # noqa: UP036  # this file is read before anything is installed
        stop(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")
    wanted = stamp()
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text(encoding="utf-8") == wanted:
        return
    say(f"setting up {VENV.name} (once)")
    make_venv()
    install()
    STAMP.write_text(wanted, encoding="utf-8")


def stamp() -> str:
    """What the environment was made of: lock, project and Python."""
    content = LOCK.read_bytes() + (ROOT / "pyproject.toml").read_bytes()
    return f"{hashlib.sha256(content).hexdigest()} {sys.version.split()[0]} {ROOT}"


def make_venv() -> None:
    """A fresh environment; on Debian the module `venv` may have to be installed first."""
    shutil.rmtree(VENV, ignore_errors=True)
    command = [sys.executable, "-m", "venv", str(VENV)]
    if subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode == 0:
        return
    version = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if not (apt_install([version]) or apt_install(["python3-venv"])) or call(command):
        stop(f"the virtual environment could not be made. Install {version} and run this again.")


def install() -> None:
    """The locked packages by uv where it can be had, else by pip; then this project itself."""
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    uv = find_uv(pip)
    if uv:
        target = ["--python", PYTHON]
        # Compiled once here, or every start of a notebook compiles pandas again.
        done = call(
            [*uv, "pip", "sync", "--quiet", "--require-hashes", "--compile-bytecode", *target, LOCK]
        )
        done = done or call(
            [*uv, "pip", "install", "--quiet", "--no-deps", *NO_ISOLATION, *target, "-e", ROOT]
        )
    else:
        done = call([*pip, "install", "--require-hashes", "-r", LOCK])
        done = done or call([*pip, "install", "--no-deps", *NO_ISOLATION, "-e", ROOT])
    if done:
        stop("the packages could not be installed; the lines above say why.")


def find_uv(pip: list[object]) -> list[object]:
    """The command of uv: the one on the path, else one installed into the environment."""
    if found := shutil.which("uv"):
        return [found]
    outside = ["--target", VENV / "uv"]  # a sync would remove it from among the packages
    if call([*pip, "install", *outside, "uv"], quiet=True) == 0:
        return [VENV / "uv" / "bin" / ("uv.exe" if WINDOWS else "uv")]
    return []


# --- testing ----------------------------------------------------------------------------------


def test(*, quick: bool) -> int:
    """Every check, one after the other; all run, and all failures are named at the end."""
    missing = prepare_system()
    notebooks = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "notebooks").glob("*.ipynb"))
    protocol = protocol_tests()
    tests = [f"--ignore={path}" for path in (WORLDS, *(SLOW if quick else protocol))]
    worlds = "not slow" if quick else "slow"
    tests += ["-m", "not slow"] if quick else []
    checks: dict[str, list[object]] = {
        "ruff check": ["ruff", "check", "."],
        "ruff format": ["ruff", "format", "--check", "."],
        "mypy": ["mypy"],
        "import-linter": ["importlinter.cli", "lint-imports"],
        "nbstripout": ["nbstripout", "--verify", *notebooks],
        "simulated worlds": ["pytest", "-n", "0", "-m", worlds, WORLDS],
        "pytest": ["pytest", *tests],
    }
    if not quick:
        covered = [f"--cov=sage50kit.{name}" for name in PROTOCOL]
        report = ["--cov-branch", "--cov-report=term-missing:skip-covered", "--cov-fail-under=100"]
        checks["push protocol"] = ["pytest", *protocol, *covered, *report]
        lax = ["-n", "0", "--nbval-lax", "--nbval-cell-timeout=120", *notebooks]
        checks["notebooks"] = ["pytest", *lax]
    failed = [name for name, command in checks.items() if not passes(name, command)]
    for name in missing:
        say(f"MISSING: {name}. The tests that need it did not run.")
    if missing and os.environ.get("CI", "").lower() == "true":
        failed += [f"{name} is missing" for name in missing]
    say("FAILED: " + ", ".join(failed) if failed else "all checks passed")
    return 1 if failed else 0


def protocol_tests() -> list[str]:
    """The files of tests of the push protocol and its log."""
    found = (path for name in PROTOCOL_TESTS for path in (ROOT / "tests").glob(f"test_{name}.py"))
    return sorted(str(path.relative_to(ROOT)) for path in found)


def passes(name: str, command: list[object]) -> bool:
    """Run one check in the environment and say how long it took."""
    say(name)
    started = time.monotonic()
    code = call(module(command))
    say(f"{name}: {'passed' if code == 0 else 'FAILED'} in {time.monotonic() - started:.1f} s")
    return code == 0


def module(command: list[object]) -> list[object]:
    """The command line of a tool of the environment."""
    if command[0] == "importlinter.cli":
        return [PYTHON.with_name("lint-imports.exe" if WINDOWS else "lint-imports")]
    return [PYTHON, "-m", *command]


def prepare_system() -> list[str]:
    """Install what is missing where we may; returns what could not be had."""
    wanted = [name for name, programs in SYSTEM.items() if not has(programs)]
    if wanted:
        apt_install(wanted)
    return [name for name in wanted if not has(SYSTEM[name])]


def has(programs: tuple[str, ...]) -> bool:
    """Whether one of the programs is on the path."""
    return any(shutil.which(program) for program in programs)


def apt_install(packages: list[str]) -> bool:
    """Install packages of Debian, as root only; says what it does."""
    apt = shutil.which("apt-get")
    if apt is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        return False
    say(f"installing system packages: {' '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    call([apt, "-qq", "update"], quiet=True, environment=environment)
    command = [apt, "-qq", "install", "-y", "--no-install-recommends", *packages]
    return call(command, quiet=True, environment=environment) == 0


# --- shared -----------------------------------------------------------------------------------


def call(
    command: list[object], *, quiet: bool = False, environment: dict[str, str] | None = None
) -> int:
    """Run a command from the root of the project; returns its exit code."""
    out = subprocess.DEVNULL if quiet else None
    words = [str(word) for word in command]
    return subprocess.run(
        words, check=False, cwd=ROOT, env=environment, stdout=out, stderr=out
    ).returncode


def say(words: str) -> None:
    """One line of progress on stderr: stdout belongs to what is run."""
    print(f"run.py: {words}", file=sys.stderr, flush=True)


def stop(words: str) -> None:
    """End with a sentence."""
    say(words)
    raise SystemExit(2)


if __name__ == "__main__":
    sys.exit(main())
