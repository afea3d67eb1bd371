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
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from sage50kit.cli import main
from sage50kit.connectors.embedded import EmbeddedCompany
from sage50kit.errors import Sage50KitError
from sage50kit.sandbox import faults
from sage50kit.sandbox.faults import Faults, Rule
from sage50kit.sandbox.faultwords import read_faults
from tests.stage import ROOT, finished, staged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.stage import Stage

FETCH = "fetch --profile PROFILE"
PLAN = "plan --profile PROFILE --batch W1 --kinds invoice --leave-out-blocked"
PUSH = "push --profile PROFILE --batch W1 --kinds invoice --leave-out-blocked --yes"
RUN = "run NOTEBOOK -o FOLDER/runs -p profile PROFILE"
COMPANY = 'company = "lakeside"'
ACTING = f'{COMPANY}\nauth = "impersonation"\nmember = "api"'


@dataclass(frozen=True)
class Bad:
    """One wrong input.

    `says` are parts of the sentence; `profile` is a pattern and its replacement in the profile, `member` signs in, `trouble` is on the
    line, `prepare` spoils the folder.
    """

    words: str
    code: int
    says: tuple[str, ...]
    profile: tuple[str, str] = ("", "")
    environment: dict[str, str] = field(default_factory=dict)
    member: str = ""
    trouble: str = ""
    prepare: Callable[[Path], Any] | None = None


def company_is(content: bytes | None) -> Callable[[Path], None]:
    """The company file is gone, a folder, or holds something else."""

    def prepare(folder: Path) -> None:
        file = folder / "lakeside.company"
        file.unlink()
        if content is None:
            file.mkdir()
        elif content:
            file.write_bytes(content)

    return prepare


def other_database(folder: Path) -> None:
    (folder / "lakeside.company").unlink()
    with closing(sqlite3.connect(folder / "lakeside.company")) as db:
        db.execute("create table t (x)")


KEY = "SAGE50KIT_STAGE_PRIVATE_KEY"
CASES = {
    "wrong keys": Bad(
        FETCH, 2, ("refused the keys", "private key"), environment={KEY: "wrong-hush"}
    ),
    "a member without rights": Bad(
        FETCH, 2, ("System > My Company (Inquire = All)",), member="norights"
    ),
    "an unknown client id": Bad(
        FETCH, 2, ("does not know the clientId", "client_id"), profile=('client_id = "', 'client_id = "x')
    ),
    "an unknown company id": Bad(
        FETCH, 2, ("knows no company id 'nowhere'",), profile=(COMPANY, 'company = "nowhere"')
    ),
    "a dead server": Bad(
        FETCH, 1, ("cannot be reached", "Check the site"), profile=(r"127.0.0.1:\d+", "127.0.0.1:9")
    ),
    "a site with a path": Bad(
        FETCH, 2, ("is not a host name. Write it as",), profile=("http://127.0.0.1:.*\"", 'https://cw.example.com/path"')
    ),
    "plain HTTP to elsewhere": Bad(
        FETCH, 2, ("plain HTTP", "Leave http:// out"), profile=("127.0.0.1", "example.com")
    ),
    "a typing error in the profile": Bad(
        FETCH, 2, ("push.initals is not a setting (did you mean initials?)",), profile=("initials", "initals")
    ),
    "a section with a typing error": Bad(
        FETCH, 2, ("conectwise is not a setting",), profile=("connectwise", "conectwise")
    ),
    "a profile that is no TOML": Bad(
        FETCH, 2, ("cannot be read", "Correct the file"), profile=(r"\[push\]", "[push")
    ),
    "a profile that is binary": Bad(
        FETCH, 2, ("cannot be read", "Correct the file"),
        prepare=lambda folder: (folder / "stage.toml").write_bytes(b"\xff\xfe\x00"),
    ),
    "a profile that is a folder": Bad("fetch --profile FOLDER", 2, ("cannot be read",)),
    "no profile": Bad("fetch --profile FOLDER/none.toml", 2, ("there is no profile", "--profile")),
    "an unknown connector": Bad(
        FETCH, 2, ("sage.connector", "embedded"), profile=("company_file", 'connector = "quickbooks"\ncompany_file')
    ),
    "a connector that is not here": Bad(
        PLAN, 2, ("connector",), profile=("company_file", 'connector = "sdk"\ncompany_file')
    ),
    "no company file named": Bad(
        PLAN, 2, ("company_file",), profile=('company_file = "lakeside.company"', "")
    ),
    "a missing secret": Bad(
        FETCH, 2, (f"Set {KEY}", "keyring set sage50kit stage/private_key"), environment={KEY: ""}
    ),
    "a secret in a missing file": Bad(
        FETCH, 2, ("names FOLDER", "cannot be read"), environment={KEY: "", f"{KEY}_FILE": "FOLDER/none"}
    ),
    "impersonation with a wrong password": Bad(
        FETCH, 2, ("gave no token for member 'api'", "integrator login and its password"),
        profile=(COMPANY, ACTING), environment={"SAGE50KIT_STAGE_INTEGRATOR_PASSWORD": "wrong-hush"},
    ),
    "impersonation of nobody": Bad(
        FETCH, 2, ("gave no token for member 'nobody'", "member under [connectwise]"),
        profile=(COMPANY, ACTING.replace('"api"', '"nobody"')),
    ),
    "impersonation without a member": Bad(
        FETCH, 2, ("member is missing",), profile=(COMPANY, f'{COMPANY}\nauth = "impersonation"')
    ),
    "a token that ends and is not renewed": Bad(
        FETCH, 2, ("refused the keys",), profile=(COMPANY, ACTING), trouble="401 GET /unposted on every"
    ),
    "garbage for JSON": Bad(
        FETCH, 1, ("cannot be read", "proxy"), trouble="garbage GET /unpostedinvoices on every"
    ),
    "a web page instead of the site": Bad(
        FETCH, 1, ("no Codebase in it", "Check the site"), trouble="garbage /login on every"
    ),
    "no more requests allowed": Bad(
        FETCH, 1, ("allows no more requests", "Try again later"), trouble="429:3600 /unposted on every"
    ),
    "an export that is refused": Bad(
        PLAN, 2, ("Finance > Accounting Interface",), trouble="403 POST /export on every"
    ),
    "a day that is none": Bad(
        f"{FETCH} --thru-date 31.10.2026", 2, ("'31.10.2026' is not a date. Write it as 2026-10-31",)
    ),
    "a day that does not exist": Bad(f"{FETCH} --thru-date 2026-02-30", 2, ("is not a date",)),
    "an unknown location": Bad(f"{FETCH} --location Narnia", 2, ("'Narnia'", "Tampa (2)")),
    "an unknown kind": Bad(f"{FETCH} --kinds invoces", 2, ("unknown kind: invoces", "invoice, expense")),
    "an unknown batch": Bad(
        "verify --profile PROFILE --batch NOPE", 2, ("knows no batch NOPE",)
    ),
    "a batch number that is too long": Bad(
        PUSH.replace("W1", "X" * 51), 4, ("51 characters", "1 to 50")
    ),
    "a batch number of blanks": Bad(PLAN.replace("W1", "BLANK"), 4, ("1 to 50",)),
    "a batch number that is taken": Bad(
        PUSH.replace("W1", "20260930JD-I"), 4, ("taken in ConnectWise", "Take another one")
    ),
    "no consent": Bad(PUSH.replace(" --yes", ""), 2, ("needs --yes", "Nothing was written")),
    "a file in place of the workdir": Bad(
        PUSH, 2, ("is a file where a folder is needed",), prepare=lambda folder: (folder / "work").write_text("x")
    ),
    "a folder in place of the output": Bad(
        "export-ledger --profile PROFILE -o FOLDER", 2, ("Name another place",)
    ),
    "a file in the way of the output": Bad(
        f"{FETCH} -o FOLDER/stage.toml/x.csv", 2, ("is a file where a folder is needed",)
    ),
    "a company file that is missing": Bad(
        PLAN, 2, ("there is no company file", "company_file"), prepare=company_is(b"")
    ),
    "a folder in place of the company": Bad(
        PLAN, 2, ("there is no company file",), prepare=company_is(None)
    ),
    "a company file of something else": Bad(
        PLAN, 2, ("is not a company file",), prepare=company_is(b"Dear diary, " * 99)
    ),
    "a company file of another program": Bad(
        PLAN, 2, ("is not a company file",), prepare=other_database
    ),
    "an unknown parameter": Bad(f"{RUN} -p profil x", 2, ("no parameter profil", "dry_run")),
    "a parameter of the wrong type": Bad(f"{RUN} -p dry_run maybe", 2, ("dry_run must be of type bool",)),
    "a parameter without value": Bad(f"{RUN} -p dry_run", 2, ("-p NAME VALUE",)),
    "a notebook that is none": Bad(
        "run FOLDER/torn.ipynb", 2, ("cannot be read as a notebook",),
        prepare=lambda folder: (folder / "torn.ipynb").write_text('{"cells": ['),
    ),
    "a file in place of the demo's folder": Bad(
        "demo --workdir PROFILE", 2, ("is a file where a folder is needed",)
    ),
    "somebody's folder for the demo": Bad("demo --workdir FOLDER", 2, ("Name another folder",)),
    "a file in place of the sandbox's folder": Bad(
        "sandbox serve --workdir PROFILE", 2, ("is a file where a folder is needed",)
    ),
    "a port that is none": Bad("sandbox serve --port 70000 --workdir FOLDER/new", 2, ("Choose another --port",)),
    "a port in use": Bad("sandbox serve --port PORT --workdir FOLDER/new", 2, ("Choose another --port",)),
    "a data set that is missing": Bad(
        "sandbox serve --data FOLDER/none.json --workdir FOLDER/new", 2, ("data set", "none.json")
    ),
    "fewer than no invoices": Bad(
        "sandbox serve --invoices -3 --workdir FOLDER/new", 2, ("-3 is no number of invoices",)
    ),
    "an unknown verb": Bad("psuh --profile PROFILE", 2, ("psuh", "--help")),
    "an unknown option": Bad(f"{FETCH} --locaton x", 2, ("--locaton", "--help")),
}  # fmt: skip
LONG = {  # they wait for somebody's patience to end
    "a page that stops half-way": Bad(
        FETCH, 1, ("did not answer", "try again"), trouble="cut GET /unpostedinvoices on every"
    ),
    "a site in trouble": Bad(FETCH, 1, ("answered 502", "Try again later"), trouble="html on every"),
    "an answer that never comes to an export": Bad(
        PLAN, 1, ("did not answer",), trouble="drop POST /export on every"
    ),
    "a day that is none in a notebook": Bad(f"{RUN} -p thru_date 31.10.2026", 2, ("is not a date",)),
    "wrong keys in a notebook": Bad(RUN, 2, ("refused the keys",), environment={KEY: "wrong-hush"}),
    "a wrong profile in a notebook": Bad(RUN, 2, ("did you mean initials?",), profile=("initials", "initals")),
}  # fmt: skip

OF_THEIR_OWN = (  # of each family one that runs in a process, too
    "wrong keys",
    "a member without rights",
    "a dead server",
    "a typing error in the profile",
    "a missing secret",
    "impersonation with a wrong password",
    "a day that is none",
    "an unknown batch",
    "a batch number that is taken",
    "no consent",
    "a file in place of the workdir",
    "a company file of something else",
    "a parameter of the wrong type",
    "a file in place of the demo's folder",
    "a port in use",
    "an unknown verb",
)
IN_PROCESSES = {name: CASES[name] for name in OF_THEIR_OWN} | LONG


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
    posted = len(own.company.documents())

    assert push_here(own, monkeypatch) == 3  # one customer is on hold
    assert len(own.company.documents()) == posted
    assert own.batches().count("W1") == 1


def interrupting(line: faults.Line) -> Any:
    """Ctrl-C while a request is under way."""
    signal.raise_signal(signal.SIGINT)
    return line.app(line.scope, line.receive, line.send)


def test_ctrl_c_under_a_push_is_in_doubt(own, monkeypatch, capsys):
    """Something may have been sent: 5, and pushing again does nothing twice."""
    own.server.faults.rules.append(Rule(interrupting, path="/batches", method="POST"))
    assert push_here(own, monkeypatch) == 5
    assert "run: sage50kit resume" in capsys.readouterr().err
    posted = len(own.company.documents())

    assert push_here(own, monkeypatch) == 3
    assert len(own.company.documents()) == posted
    assert own.batches().count("W1") == 1


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
