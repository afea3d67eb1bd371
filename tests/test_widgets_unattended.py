"""The same pages without anybody at them: nothing is written by default, and the tables survive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from nbconvert import HTMLExporter

from sage50kit import Kit
from sage50kit.widgets.twin import amount
from tests.stage import ROOT, staged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stage import Stage

pytestmark = pytest.mark.slow
NOTEBOOKS = ROOT / "notebooks"


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A pair of a test's own, whose keys are in the environment."""
    with staged(tmp_path) as made:
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made


def run(stage: Stage, name: str, *words: str) -> Path:
    """Run a notebook over the pair; returns the executed copy."""
    more = ["-p", "profile", str(stage.profile), *words, "-o", str(stage.folder / "runs"), "--json"]
    done = stage.run("run", str(NOTEBOOKS / name), *more)
    assert done.code in (0, 3), done.err
    return next(Path(path) for path in done.json["files"] if path.endswith(".ipynb"))


def outputs(executed: Path) -> list[dict[str, str]]:
    """The data of every output of an executed notebook."""
    cells = nbformat.read(executed, as_version=4).cells
    found = [out for cell in cells if cell.cell_type == "code" for out in cell.outputs]
    return [dict(out["data"]) for out in found if "data" in out]


def test_every_notebook_with_its_defaults_writes_nothing(stage: Stage):
    """Counted at both ends: requests that the site took as writes, and what the company holds."""
    with stage.company as company:
        before = stage.batches(), stage.site.revision, len(company.documents()), company.log_id()
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        executed = run(stage, path.name)
        status = json.loads((executed.parent / "status.json").read_text(encoding="utf-8"))
        assert "push" not in {row["step"] for row in status["steps"]}, path.name
    with stage.company as company:
        after = stage.batches(), stage.site.revision, len(company.documents()), company.log_id()

    assert after == before
    requests = (stage.folder / "work" / "requests.jsonl").read_text(encoding="utf-8").splitlines()
    sent = {(row["method"], row["path"]) for row in map(json.loads, requests)}
    assert not [url for method, url in sent if method != "GET" and "export" not in url]


def test_static_twins_survive_papermill_and_nbconvert(stage: Stage):
    """Tables without a widget; the same figures in the executed notebook, in its HTML, and in the proof."""
    executed = run(stage, "20_run_batch.ipynb", "-p", "batch", "20261031JD-IEP")
    with Kit(stage.profile) as kit:
        plan = kit.plan(batch="20261031JD-IEP", leave_out_blocked=True)
        nets = [amount(value) for value in kit.proof(plan).by_account["net"]]
    shown = outputs(executed)
    page, _ = HTMLExporter(template_name="lab").from_filename(str(executed))

    assert not [kind for data in shown for kind in data if "widget" in kind]
    whole = "".join(data.get("text/html", "") for data in shown)
    assert "43 of 43 rows" in whole
    assert nets
    assert [net for net in nets if net not in whole or net not in page] == []


def test_a_choice_of_the_picker_runs_unattended(stage: Stage):
    """What the page gave as `choice` chooses the same two transactions, and pushes them when told."""
    choice = {"kinds": ["expense"], "keys": ["expense:5011", "expense:5012"]}
    words = ["-p", "choice", str(choice), "-p", "batch", "20261031JD-E", "-p", "dry_run", "False"]
    run(stage, "20_run_batch.ipynb", *words)

    with Kit(stage.profile) as kit:
        posted = {key for row in kit.log.documents("20261031JD-E") for key in row.document.transactions}  # fmt: skip
    assert posted == set(choice["keys"])


def test_a_choice_that_is_gone_stops_the_run(stage: Stage):
    """Somebody else batched it: the run ends with a sentence, and nothing is written."""
    words = ["-p", "choice", str({"keys": ["invoice:999999999"]}), "-p", "dry_run", "False"]
    more = ["-p", "profile", str(stage.profile), *words, "-o", str(stage.folder / "runs"), "--json"]
    before = stage.batches()
    done = stage.run("run", str(NOTEBOOKS / "20_run_batch.ipynb"), *more)

    assert done.code == 2
    assert "no longer unposted" in done.out + done.err
    assert stage.batches() == before
