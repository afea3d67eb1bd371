"""Notebooks stay thin, clean and runnable; an unattended run never guesses how it ended."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import papermill
import pytest

from sage50kit import outcome
from sage50kit.errors import UsageError
from sage50kit.runner import check_parameters, run_notebook
from tests.stage import ROOT, staged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stage import Stage


pytestmark = pytest.mark.slow

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
BATCH = ROOT / "notebooks" / "20_run_batch.ipynb"
MAX_CODE_CELLS, MAX_LINES = 7, 8
FORBIDDEN = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.While, ast.Try, ast.If
)  # fmt: skip
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(path: Path) -> list[nbformat.NotebookNode]:
    """The code cells of a notebook."""
    return [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]


@each
def test_opens_with_a_title(path):
    """The first cell says what the page does, and in bold what it writes."""
    first = nbformat.read(path, 4).cells[0]

    assert first.cell_type == "markdown"
    assert first.source.startswith("# ")
    assert "**" in first.source


@each
def test_is_thin(path):
    """At most seven cells of eight lines, without logic."""
    cells = code_cells(path)

    assert len(cells) <= MAX_CODE_CELLS
    for cell in cells:
        assert len(cell.source.splitlines()) <= MAX_LINES
        assert not [
            node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, FORBIDDEN)
        ]


@each
def test_has_no_output(path):
    """Nothing of a run is committed."""
    for cell in code_cells(path):
        assert cell.outputs == []
        assert cell.execution_count is None


@each
def test_parameters_come_first_and_explain_themselves(path):
    """Annotated literals with a comment each; safe by default."""
    first = code_cells(path)[0]
    assert first.metadata.tags == ["parameters"]
    values = {}
    for node in ast.parse(first.source).body:
        assert isinstance(node, ast.AnnAssign)
        values[node.target.id] = ast.literal_eval(node.value)
    parameters = papermill.inspect_notebook(path)

    assert set(parameters) == set(values)
    assert all(parameter["help"] for parameter in parameters.values())
    assert values["dry_run"] is True


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A pair of a test's own."""
    with staged(tmp_path) as made:
        yield made


def run(stage: Stage, **parameters: str) -> tuple[int, dict[str, object]]:
    """Run the batch notebook by the terminal; exit code and `status.json`."""
    words = [part for name, value in parameters.items() for part in ("-p", name, value)]
    done = stage.run("run", str(BATCH), *words, "-o", str(stage.folder / "runs"), "--json")
    written = [Path(path) for path in done.json["files"] if path.endswith("status.json")]
    status = json.loads(written[0].read_text(encoding="utf-8")) if written else {"stderr": done.err}
    return done.code, status


def test_the_defaults_write_nothing(tmp_path: Path):
    """Run All from a clone: the local site and company of the demo, and no batch in their log."""
    from tests.stage import finished

    words = ["run", str(BATCH), "-o", str(tmp_path / "runs"), "--json"]
    done = finished(
        *words, environment={"XDG_DATA_HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}
    )

    assert done.code == 0, done.err
    assert not [path for path in tmp_path.rglob("batches") if path.is_dir()]


def test_it_pushes_when_told_to(stage: Stage):
    """With dry_run False the batch is created, and the exit code is that of the push."""
    stage.correct()
    more = {"batch": "20261031JD-E", "kinds": "expense", "dry_run": "False"}
    code, status = run(stage, profile=str(stage.profile), **more)

    assert "20261031JD-E" in stage.batches(), status
    assert (code, status["batch"]) == (0, "20261031JD-E"), status


def test_a_refused_document_reaches_the_exit_code(stage: Stage):
    """The kernel ended well, the batch did not quite: 3, as from the terminal."""
    stage.correct()
    code, status = run(stage, profile=str(stage.profile), batch="20261031JD-I", dry_run="False")

    assert (code, status["status"]) == (3, "completed_with_errors"), status


def test_a_blocked_plan_reaches_the_exit_code(stage: Stage):
    """The exception in the cell is known by its class: 4."""
    code, status = run(stage, profile=str(stage.profile), leave_out_blocked="False")

    assert code == 4
    assert "20_run_batch.ipynb, cell" in str(status["error"])


def notebook(folder: Path, *sources: str) -> Path:
    """A small notebook with a parameter cell."""
    cells = [
        nbformat.v4.new_code_cell("limit: int = 1  # how many", metadata={"tags": ["parameters"]})
    ]
    cells += [nbformat.v4.new_code_cell(source) for source in sources]
    spec = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path = folder / "small.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=spec), path)
    return path


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        ("import os; os._exit(1)", 5, "the kernel of small.ipynb died"),
        ("raise SystemExit(3)", 3, "cell"),
        ("1 / 0", 1, "division by zero"),
        ("raise KeyboardInterrupt", 5, "KeyboardInterrupt"),
        ("from sage50kit.errors import InDoubt; raise InDoubt('who knows')", 5, "who knows"),
    ],
)
def test_the_notebooks_own_metadata_is_not_believed(tmp_path: Path, source, code, words):
    """A killed kernel, an exit and an exception each have their exit code and a sentence."""
    result = run_notebook(notebook(tmp_path, source), {}, folder=tmp_path / "runs")
    status = json.loads(result.files[1].read_text(encoding="utf-8"))

    assert (result.exit_code, status["exit_code"]) == (code, code)
    assert words in result.error


def test_what_a_kernel_says_when_it_falls_stays_with_the_run(tmp_path: Path, capfd):
    """A crash below Python is told in one sentence; what the libraries wrote of it lies beside the notebook."""
    crash = "import faulthandler, sys; faulthandler.enable(sys.__stderr__); faulthandler._sigsegv()"
    result = run_notebook(notebook(tmp_path, crash), {}, folder=tmp_path / "runs")

    assert (result.exit_code, capfd.readouterr().err) == (5, "")
    (log,) = (tmp_path / "runs").rglob("kernel.log")
    assert "Segmentation fault" in log.read_text(encoding="utf-8")


def test_a_cell_that_never_ends_is_in_doubt(tmp_path: Path):
    """The time-out is 5, and says that the same batch may be pushed again."""
    endless = notebook(tmp_path, "import threading; threading.Event().wait()")
    result = run_notebook(endless, {}, folder=tmp_path / "runs", timeout_seconds=1)

    assert result.exit_code == 5
    assert "push the same batch again" in result.error


def test_what_the_kit_says_inside_is_carried_out(tmp_path: Path):
    """The gravest recorded step is the exit code of the run, though every cell ended well."""
    source = (
        "from sage50kit import outcome\n"
        "outcome.record('push', batch='B', status='completed_with_errors', exit_code=3)\n"
        "outcome.record('verify', batch='B', status='completed', exit_code=0)"
    )
    result = run_notebook(notebook(tmp_path, source), {}, folder=tmp_path / "runs")

    assert (result.exit_code, result.status, result.batch) == (3, "completed_with_errors", "B")


def test_the_source_is_never_written_to(tmp_path: Path):
    """The executed copy has the parameter; the notebook itself stays as it was."""
    source = notebook(tmp_path, "limit")
    before = source.read_bytes()
    result = run_notebook(source, {"limit": "7"}, folder=tmp_path / "runs")

    assert source.read_bytes() == before
    assert "limit = 7" in result.files[0].read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("given", "words"),
    [({"limits": "1"}, "no parameter limits. It has: limit"), ({"limit": "many"}, "of type int")],
)
def test_wrong_parameters_are_refused_before_the_run(tmp_path: Path, given, words):
    """Papermill would only warn."""
    with pytest.raises(UsageError, match=words):
        check_parameters(notebook(tmp_path), given)


def test_parameters_get_their_types():
    """Text from a terminal becomes what the parameter cell says."""
    given = {"kinds": "invoice,expense", "dry_run": "no", "batch": "20261031"}

    assert check_parameters(BATCH, given) == {
        "kinds": ["invoice", "expense"], "dry_run": False, "batch": "20261031"
    }  # fmt: skip
    assert check_parameters(BATCH, {"kinds": "['invoice']"}) == {"kinds": ["invoice"]}


def test_doubt_outranks_everything():
    """An open intent needs a person sooner than a refusal."""
    assert outcome.gravest([0, 3, 5, 4]) == 5
    assert outcome.gravest([3, 0]) == 3
    assert outcome.gravest([]) == 0
