"""Two pushes at once on one company: one pushes, the other exits 6; with the log in a file and on a server."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from sage50kit.errors import PlanBlocked, PushInProgress
from sage50kit.kit import Kit
from tests.postgres import PASSWORD
from tests.stage import ROOT, Stage, staged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A push like any other, in which somebody holds up the first document on its way to the company.
PUSHER = """
import sys
from sage50kit import Kit

class HeldUp:
    def __init__(self, company):
        self._company = company
    def __getattr__(self, name):
        return getattr(self._company, name)
    def post(self, document):
        print("posting", flush=True)
        sys.stdin.readline()
        return self._company.post(document)

with Kit(sys.argv[1]) as kit:
    kit.company = HeldUp(kit.company)
    report = kit.push(kit.plan(kit.fetch(kinds=["transfer"]), batch="A"), dry_run=False)
print(report.exit_code, flush=True)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """A pair whose log is in a file, or on a server."""
    with staged(tmp_path) as stage:
        stage.correct()
        stage.environment["SAGE50KIT_STAGE_LOG_PASSWORD"] = PASSWORD
        if request.param == "postgresql":
            url = request.getfixturevalue("postgres").keeper_url()
            content = stage.profile.read_text(encoding="utf-8")
            stage.profile.write_text(
                content.replace("[sage]", f'[sage]\nlog = "{url}"'), encoding="utf-8"
            )
        yield stage


@contextmanager
def pusher(stage: Stage) -> Iterator[subprocess.Popen[str]]:
    """A process that pushes and is held up in the middle."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **stage.environment}
    with subprocess.Popen(
        [sys.executable, "-c", PUSHER, str(stage.profile)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=variables,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "posting\n"
        try:
            yield process
        finally:
            process.kill()


def push(stage: Stage) -> tuple[int, str]:
    """A second push of the same company: exit code, and what it says."""
    words = ("--profile", str(stage.profile), "--batch", "B", "--kinds", "transfer", "--yes")
    done = stage.run("push", *words)
    return done.code, done.err


def standing(stage: Stage) -> int:
    """How many documents stand in the books."""
    with stage.company as company:
        return len(company.documents())


def test_one_pushes_and_the_other_exits_6(stage):
    """The other says who pushes; the first one ends as if nobody had come."""
    with pusher(stage) as first:
        code, said = push(stage)
        rest, _ = first.communicate("\n" * 10)

    assert code == 6
    assert f"(process {first.pid}) since" in said
    assert rest.splitlines()[-1] == "0"
    assert (stage.batches().count("A"), stage.batches().count("B")) == (1, 0)
    assert standing(stage) == 1


OF_THE_BATCH = {
    "rerun": ("--batch", "A"),
    "verify": ("--batch", "A"),
    "unpost": ("--batch", "A"),
    "clear": ("--batch", "C", "--keys", "transfer:91-transfer", "--reason", "by hand", "--yes"),
}


def answers(stage: Stage) -> dict[str, int]:
    """The exit code of each verb that is about the batch of the first push."""
    words = ("--profile", str(stage.profile))
    return {verb: stage.run(verb, *words, *more).code for verb, more in OF_THE_BATCH.items()}


def test_what_is_being_pushed_is_not_called_interrupted(stage, monkeypatch):
    """Exit code 6 and who pushes, as long as it is at work; 5 and resume when it was cut off."""
    for name, value in stage.environment.items():
        monkeypatch.setenv(name, value)
    with pusher(stage) as first, Kit(stage.profile) as kit:
        assert set(answers(stage).values()) == {6}
        with pytest.raises(PushInProgress, match=rf"\(process {first.pid}\) since"):
            kit.plan(kit.fetch(kinds=["transfer"]), batch="B")
        first.kill()
        first.wait()
        with pytest.raises(PlanBlocked, match="sage50kit resume"):
            kit.plan(kit.fetch(kinds=["transfer"]), batch="B")
        assert set(answers(stage).values()) == {5}


def test_a_push_that_was_killed_lets_the_next_one_in(stage):
    """What it left is finished, and nothing is posted twice."""
    with pusher(stage) as first:
        first.kill()
        first.wait()
        codes = {stage.run("resume", "--profile", str(stage.profile)).code for _ in range(2)}

    assert codes <= {0, 6}
    assert stage.run("resume", "--profile", str(stage.profile)).code == 0
    assert stage.batches().count("A") == 1
    assert standing(stage) == 1
