"""The terminal: verbs, exit codes, one line of JSON, one sentence for every error."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from sage50kit.cli import main
from sage50kit.terminal import join_lists
from tests.stage import ROOT, finished, staged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stage import Stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A pair that these tests read and that nobody pushes to."""
    with staged(tmp_path_factory.mktemp("stage")) as made:
        yield made


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Stage]:
    """A pair of a test's own, to push to."""
    with staged(tmp_path) as made:
        yield made


def test_help_and_import_load_nothing_heavy():
    """Neither pandas nor httpx is needed to say what the verbs are."""
    code = (
        "import sys\nimport sage50kit\nfrom sage50kit.cli import main\nmain(['--help'])\n"
        "print(sorted({'pandas', 'httpx', 'pyarrow', 'starlette', 'sqlalchemy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-1] == "[]"


def test_every_verb_has_help(capsys: pytest.CaptureFixture[str]):
    """A verb without a sentence of help would be a riddle."""
    main(["--help"])
    shown = capsys.readouterr().out

    for verb in [
        "demo",
        "sandbox",
        "doctor",
        "fetch",
        "why",
        "plan",
        "push",
        "verify",
        "export-ledger",
        "run",
        "log",
    ]:
        assert f" {verb} " in shown
        assert main([verb, "--help"]) == 0


@pytest.mark.parametrize(
    ("words", "joined"),
    [
        ("fetch --kinds invoice expense --json", "fetch --kinds invoice --kinds expense --json"),
        ("fetch --kinds", "fetch --kinds"),
        ("run a.ipynb -p batch B-1 -p dry_run False", "run a.ipynb -p batch=B-1 -p dry_run=False"),
        ("run a.ipynb -p batch=B-1", "run a.ipynb -p batch=B-1"),
    ],
)
def test_lists_are_written_as_people_write_them(words, joined):
    """Several kinds follow one --kinds; a parameter is a name and a value."""
    assert join_lists(words.split()) == joined.split()


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ("pusha", 2, "No such command 'pusha'"),
        ("fetch", 2, "Missing option '--profile'"),
        ("fetch --profile nowhere.toml", 2, "there is no profile nowhere.toml"),
        ("push --batch B --profile nowhere.toml", 2, "Without a terminal it needs --yes"),
        ("run nowhere.ipynb", 2, "there is no notebook nowhere.ipynb"),
        ("run README.md", 2, "is not a notebook"),
        ("sandbox serve --data a.json --invoices 5", 2, "not both"),
    ],
)
def test_an_error_is_one_sentence(words, code, sentence, capsys: pytest.CaptureFixture[str]):
    """Wrong use ends with exit code 2 and one line on stderr."""
    assert main(words.split()) == code
    told = capsys.readouterr()

    assert sentence in told.err
    assert len(told.err.splitlines()) == 1
    assert told.out == ""


def test_a_wrong_date_is_a_sentence(stage: Stage):
    """What a person typed is in it, and how a date is written."""
    done = stage.run("fetch", "--profile", str(stage.profile), "--thru-date", "yesterday")

    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert "'yesterday' is not a date. Write it as 2026-10-31." in done.err


def test_an_error_for_machines_is_one_line_too():
    """With --json stdout holds one line, and stderr still says why."""
    done = finished("fetch", "--profile", "nowhere.toml", "--json")

    assert (done.code, len(done.out.splitlines())) == (2, 1)
    assert set(done.json) == {
        "status", "batch", "counts", "totals", "issues", "files", "error"
    }  # fmt: skip
    assert done.json["status"] == "failed"
    assert "nowhere.toml" in done.err


def test_wrong_keys_are_a_sentence_without_the_keys(stage: Stage):
    """ConnectWise refuses: exit code 2, the fix named, no key printed."""
    done = stage.run(
        "fetch", "--profile", str(stage.profile), SAGE50KIT_STAGE_PRIVATE_KEY="hush-hush"
    )

    assert done.code == 2
    assert len(done.err.splitlines()) == 1
    assert "hush-hush" not in done.err + done.out


def test_fetch_lists_every_kind(stage: Stage):
    """The table names the transactions and their total; JSON holds the same ones."""
    profile = ["--profile", str(stage.profile)]
    plain = stage.run("fetch", *profile).out
    content = stage.run("fetch", *profile, "--json").json

    assert {row["kind"] for row in content["transactions"]} == {
        "invoice", "expense", "receipt", "adjustment", "transfer"
    }  # fmt: skip
    assert content["counts"]["transactions"] == len(content["transactions"])
    assert all(row["key"] in plain for row in content["transactions"])
    assert all(row["reason"] for row in content["left_out"])


def test_fetch_writes_csv(stage: Stage, tmp_path: Path):
    """The chosen kinds only, amounts exact, one line each, in a file."""
    path = tmp_path / "list.csv"
    words = ["fetch", "--profile", str(stage.profile), "--format", "csv", "-o", str(path)]
    done = stage.run(*words, "--kinds", "adjustment", "transfer", "--json")
    lines = path.read_text(encoding="utf-8-sig").splitlines()

    assert done.json["files"] == [str(path)]
    assert len(lines) == 1 + done.json["counts"]["transactions"]
    assert {line.split(":")[0] for line in lines[1:]} == {"adjustment", "transfer"}


def test_fetch_shows_csv_in_the_lines_of_the_terminal(
    stage: Stage, capsys: pytest.CaptureFixture[str], monkeypatch
):
    """On the screen a line ends once; the carriage returns of the file would be blank lines on Windows."""
    for name, value in stage.environment.items():
        monkeypatch.setenv(name, value)
    main(["fetch", "--profile", str(stage.profile), "--format", "csv"])
    shown = capsys.readouterr().out

    assert shown.startswith("key,kind,")
    assert "\r" not in shown


def test_why_gives_a_reason(stage: Stage):
    """A transaction that is left out, and one that nobody knows, both have a sentence."""
    content = stage.run("fetch", "--profile", str(stage.profile), "--json").json
    left_out = content["left_out"][0]
    done = stage.run("why", left_out["key"], "--profile", str(stage.profile))

    assert left_out["reason"] in done.out
    assert (
        "not among ConnectWise's unposted"
        in stage.run("why", "invoice:1", "--profile", str(stage.profile)).out
    )


def test_a_blocked_plan_writes_the_list_of_errors(stage: Stage):
    """Exit code 4, the findings in JSON and in two files, and nothing pushed."""
    done = stage.run("plan", "--profile", str(stage.profile), "--batch", "B-1", "--json")

    assert done.code == 4
    assert done.json["status"] == "blocked"
    assert "4950" in {
        issue["value"] for issue in done.json["issues"] if issue["severity"] == "block"
    }
    assert len(done.json["files"]) == 2
    assert "B-1" not in stage.batches()


def test_the_rest_can_be_planned_without_what_is_blocked(stage: Stage):
    """The proof listing balances, names what it left out, and needs a person: exit code 3."""
    words = ["plan", "--profile", str(stage.profile), "--batch", "B-2", "--leave-out-blocked"]
    done = stage.run(*words, "--json")

    assert done.code == 3
    assert done.json["totals"]["debits"] == done.json["totals"]["credits"]
    assert done.json["totals"]["difference"] == "0.00"
    assert {path.rpartition(".")[2] for path in done.json["files"]} == {"txt", "html", "xlsx"}


def test_a_plan_with_nothing_but_notes_is_completed(stage: Stage):
    """A note needs nobody: the status is the one that a push of it ends with."""
    words = ["plan", "--profile", str(stage.profile), "--batch", "B-3", "--kinds", "expense"]
    done = stage.run(*words, "--json")

    assert {issue["severity"] for issue in done.json["issues"]} == {"note"}
    assert (done.code, done.json["status"]) == (0, "completed")


def test_doctor_lists_checks(stage: Stage):
    """Every check has a result; the account that is missing in Sage is among the warnings."""
    done = stage.run("doctor", "--profile", str(stage.profile), "--json")

    assert done.json["counts"]["checks"] == len(done.json["checks"])
    assert any("4950" in row["detail"] for row in done.json["checks"])


def test_a_push_without_consent_writes_nothing(fresh: Stage):
    """No terminal and no --yes: exit code 2 and no batch."""
    done = fresh.run("push", "--profile", str(fresh.profile), "--batch", "20261031JD-I")

    assert done.code == 2
    assert "20261031JD-I" not in fresh.batches()


def test_push_verify_and_push_again(fresh: Stage):
    """A push posts and batches; verifying agrees; pushing the same batch again repeats its report."""
    fresh.correct()
    words = ["--profile", str(fresh.profile), "--batch", "20261031JD-I"]
    push = ["push", *words, "--kinds", "invoice", "--yes", "--json"]
    first = fresh.run(*push)
    second = fresh.run(*push)
    verified = fresh.run("verify", *words, "--json")

    assert (first.code, first.json["status"]) == (3, "completed_with_errors")
    assert first.json["counts"]["refused"] == 1
    assert first.json["next_batch"] == "20261031JD-I-1"
    assert (second.code, second.json["counts"]) == (first.code, first.json["counts"])
    assert fresh.batches().count("20261031JD-I") == 1
    assert verified.code == 0
    assert {"errors.csv", "errors.html", "log.jsonl"} <= {
        path.replace("\\", "/").rpartition("/")[2] for path in first.json["files"]
    }


def test_the_full_log_holds_no_key(fresh: Stage):
    """Neither log nor request log nor reports hold the private key."""
    fresh.correct()
    words = [
        "push",
        "--profile",
        str(fresh.profile),
        "--batch",
        "20261031JD-E",
        "--kinds",
        "expense",
    ]
    fresh.run(*words, "--yes")
    secret = fresh.environment["SAGE50KIT_STAGE_PRIVATE_KEY"].encode()
    written = [path for path in fresh.folder.rglob("*") if path.is_file()]

    assert len(written) > 8
    assert not [path.name for path in written if secret in path.read_bytes()]


def test_export_ledger_goes_to_stdout_or_a_file(stage: Stage, tmp_path: Path):
    """The same journals in both places."""
    path = tmp_path / "out.journal"
    words = ["export-ledger", "--profile", str(stage.profile), "--format", "hledger"]
    shown = stage.run(*words).out
    stage.run(*words, "-o", str(path))

    assert shown.strip() == path.read_text(encoding="utf-8").strip()


def test_the_demo_ends_as_planned(tmp_path: Path):
    """Exactly the planned outcomes: exit code 0, the reports on disk, the company gone unless kept."""
    folder = tmp_path / "demo"
    done = finished("demo", "--workdir", str(folder), "--json")

    assert (done.code, done.json["status"]) == (0, "completed"), done.out + done.err
    assert all(json.loads(json.dumps(done.json["reports"])))
    assert {"demo.html", "lakeside.journal", "lakeside.beancount"} <= {
        path.name for path in folder.iterdir()
    }
    assert not list(folder.glob("*.company*"))
    assert done.json["counts"] == {"posted": 38}
    assert done.json["totals"]["20261031JD-I"] == "29943.61"
    assert "10470" not in (folder / "lakeside.journal").read_text(encoding="utf-8")  # of November
    assert not set("{}[]") & set((folder / "demo.txt").read_text(encoding="utf-8"))


def test_the_demo_leaves_other_folders_alone(tmp_path: Path):
    """A folder with something else in it is refused, and what is in it stays."""
    (tmp_path / "mine.txt").write_text("precious", encoding="utf-8")
    done = finished("demo", "--workdir", str(tmp_path))

    assert done.code == 2
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "precious"


def test_the_push_log_is_verified(fresh: Stage):
    """Whole: exit code 0. A changed event: 3, with one row for it."""
    fresh.correct()
    words = ("--profile", str(fresh.profile))
    fresh.run("push", *words, "--batch", "A", "--kinds", "transfer", "--yes")
    whole = fresh.run("log", "verify", *words, "--json")
    with closing(sqlite3.connect(fresh.folder / "lakeside.company.pushlog")) as db:
        db.execute("UPDATE events SET actor = 'somebody' WHERE seq = 2")
        db.commit()
    changed = fresh.run("log", "verify", *words, "--json")
    told = fresh.run("log", "verify", *words)

    assert (whole.code, whole.json["problems"]) == (0, [])
    assert changed.code == 3
    assert changed.json["problems"] == ["event 2 was changed or moved"]
    assert "event 2 was changed" in told.out
