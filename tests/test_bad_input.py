"""What a person does wrong, and what goes wrong around them: one sentence with the fix, the exit code, nothing written.

Each case runs in this process, and some among the slow tests in a process of their own.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from sage50kit.cli import main
from sage50kit.connectors.embedded import EmbeddedCompany
from sage50kit.errors import Sage50KitError
from sage50kit.sandbox import faults
from sage50kit.sandbox.faults import Faults, Rule
from sage50kit.sandbox.faultwords import read_faults
from tests.bad_input import CASES, FETCH, IN_PROCESSES, PLAN, PUSH, Bad
from tests.stage import ROOT, finished, staged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.stage import Stage


@pytest.fixture(scope="module")
def line() -> Faults:
    """The trouble on the line, which each test makes its own."""
    return Faults()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, line: Faults) -> Iterator[Stage]:
    """A pair that no test of this file may change."""
    with staged(tmp_path_factory.mktemp("bad"), faults=line) as made:
        yield made


@pytest.fixture
def spoiled(stage: Stage, line: Faults, tmp_path: Path) -> Iterator[Callable[[Bad], Spoiled]]:
    """Makes a copy of the pair with a case in it."""

    def spoil(bad: Bad) -> Spoiled:
        folder = tmp_path / "pair"
        folder.mkdir()
        shutil.copy(stage.folder / "lakeside.company", folder)
        text = stage.profile.read_text(encoding="utf-8")
        text = re.sub(*bad.profile, text) if bad.profile[0] else text
        (folder / "stage.toml").write_text(text, encoding="utf-8")
        found = read_faults([bad.trouble], stage.server.gate) if bad.trouble else None
        line.rules[:] = found.rules if found else []
        if bad.prepare is not None:
            bad.prepare(folder)
        return Spoiled(stage, bad, folder)

    yield spoil
    line.rules.clear()


@dataclass(frozen=True)
class Spoiled:
    """A folder with a case in it, and the site it belongs to."""

    stage: Stage
    bad: Bad
    folder: Path

    @property
    def words(self) -> list[str]:
        return [self._put_in(word) for word in self.bad.words.split()]

    @property
    def environment(self) -> dict[str, str]:
        """Keys of the member, and of the integrator."""
        gate, name = self.stage.server.gate, "SAGE50KIT_STAGE_"
        account = self.stage.server.account(self.bad.member or "api")
        login, password = gate.integrator
        return {
            f"{name}PUBLIC_KEY": account.public_key,
            f"{name}PRIVATE_KEY": account.private_key,
            f"{name}INTEGRATOR_USER": login,
            f"{name}INTEGRATOR_PASSWORD": password,
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        } | {key: self._put_in(value) for key, value in self.bad.environment.items()}

    def _put_in(self, word: str) -> str:
        port = self.stage.server.url.rpartition(":")[2]
        notebook = ROOT / "notebooks" / "20_run_batch.ipynb"
        places = {
            "PROFILE": self.folder / "stage.toml",
            "FOLDER": self.folder,
            "NOTEBOOK": notebook,
        }
        for name, place in places.items():
            word = word.replace(name, str(place))
        return word.replace("PORT", port).replace("BLANK", "  ")

    def check(self, code: int, out: str, err: str) -> None:
        """The exit code, one sentence with its fix, no secret, and no trace in either system."""
        assert code == self.bad.code, err
        assert len(err.splitlines()) == 1, err
        assert err.startswith("sage50kit: ")
        for part in self.bad.says:
            assert self._put_in(part) in err
        everything = out + err + self._written()
        assert "Traceback" not in out + err
        for name, value in self.environment.items():
            if "PRIVATE" in name or "PASSWORD" in name:
                assert not value or "FILE" in name or value not in everything

    def state(self) -> tuple[int, int]:
        """What would show a write: changes of the site, and documents in the company if it can be opened."""
        documents = -1
        with suppress(Sage50KitError), EmbeddedCompany(self.folder / "lakeside.company") as company:
            documents = len(company.documents())
        return self.stage.site.revision, documents

    def _written(self) -> str:
        texts = [
            path
            for path in self.folder.rglob("*")
            if path.suffix in {".jsonl", ".json", ".ipynb", ".html"}
        ]
        return "".join(path.read_text(encoding="utf-8") for path in texts)


@pytest.mark.parametrize("bad", CASES.values(), ids=CASES)
def test_bad_input_is_one_sentence(bad, spoiled, capsys, monkeypatch):
    """What happened and what to do about it; a machine gets one line as well."""
    case = spoiled(bad)
    before = case.state()
    for name, value in case.environment.items():
        monkeypatch.setenv(name, value)
    code = main(case.words)
    case.check(code, *capsys.readouterr())
    if case.words[0] != "sandbox":
        code = main([*case.words, "--json"])
        told = capsys.readouterr()
        case.check(code, *told)
        (line,) = told.out.splitlines()
        told = json.loads(line)
        assert told["status"] in {"failed", "blocked"}
        assert told["batch"] in case.words or not told["batch"]
        assert bool(told["batch"]) == ("--batch" in case.words)
    assert case.state() == before


@pytest.mark.slow
@pytest.mark.parametrize("bad", IN_PROCESSES.values(), ids=IN_PROCESSES)
def test_bad_input_to_a_process(bad, spoiled):
    """The same as a person meets it: nothing on stderr but the sentence."""
    case = spoiled(bad)
    before = case.state()
    done = finished(*case.words, environment=case.environment)

    case.check(done.code, done.out, done.err)
    assert case.state() == before


@pytest.mark.slow
def test_a_locked_company_is_waited_for_and_then_said(spoiled):
    """Another program holds the file: nothing is posted, and the sentence says so."""
    says = ("lakeside.company cannot be used now", "nothing was written", "Close other programs")
    case = spoiled(Bad(PUSH, 1, says))
    before = case.state()
    with closing(sqlite3.connect(case.folder / "lakeside.company", isolation_level=None)) as held:
        held.execute("begin immediate")
        done = finished(*case.words, environment=case.environment)
        held.execute("rollback")

    case.check(done.code, done.out, done.err)
    assert case.state() == before


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stage]:
    """A pair that a test may push to, with a line of its own."""
    with staged(tmp_path, faults=Faults()) as made:
        yield made


def documents_of(own: Stage) -> int:
    with own.company as company:
        return len(company.documents())


def push_here(own: Stage, monkeypatch) -> int:
    for name, value in own.environment.items():
        monkeypatch.setenv(name, value)
    words = PUSH.replace("PROFILE", str(own.profile)).split()
    return main(words)


def test_a_member_that_may_not_create_batches_is_told_so_and_the_batch_is_finished_later(
    own, monkeypatch, capsys
):
    """The right can only be found missing by writing: the documents stand, nothing is posted twice."""
    own.server.faults.rules.append(Rule(faults.failing(403), path="/batches", method="POST"))
    assert push_here(own, monkeypatch) == 5
    told = capsys.readouterr().err
    assert "Finance > Accounting Interface (Add, Edit, Delete, Inquire = All)" in told
    assert len(told.splitlines()) == 1
    posted = documents_of(own)

    assert push_here(own, monkeypatch) == 3  # one customer is on hold
    assert documents_of(own) == posted
    assert own.batches().count("W1") == 1


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl-C as in a terminal: workers of a parallel test run ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupting(line: faults.Line) -> Any:
    """Ctrl-C while a request is under way."""
    signal.raise_signal(signal.SIGINT)
    return line.app(line.scope, line.receive, line.send)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_under_a_push_is_in_doubt(own, monkeypatch, capsys):
    """Something may have been sent: 5, and pushing again does nothing twice."""
    own.server.faults.rules.append(Rule(interrupting, path="/batches", method="POST"))
    assert push_here(own, monkeypatch) == 5
    assert "run: sage50kit resume" in capsys.readouterr().err
    posted = documents_of(own)

    assert push_here(own, monkeypatch) == 3
    assert documents_of(own) == posted
    assert own.batches().count("W1") == 1


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("words", [FETCH, PLAN, "doctor --profile PROFILE"])
def test_ctrl_c_under_a_reading_verb_is_no_doubt(stage, line, words, monkeypatch, capsys):
    """Nothing is sent by these: 1, and that nothing was written is said."""
    line.rules[:] = [Rule(interrupting, path="/finance/accounting", method="GET", on=(2,))]
    for name, value in stage.environment.items():
        monkeypatch.setenv(name, value)
    code = main(words.replace("PROFILE", str(stage.profile)).split())
    line.rules.clear()

    assert code == 1
    assert (
        capsys.readouterr().err
        == "sage50kit: stopped. Nothing was written to Sage 50 or ConnectWise.\n"
    )
