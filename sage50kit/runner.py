"""A notebook unattended: parameters checked before, evidence kept, the outcome never guessed.

Papermill is used as a library. The executed notebook's own metadata says "completed" even when its kernel was
killed, so success is read from three other places: the exception papermill raises, the kernel's life, and the
outcome file that the kit appends to inside the kernel (`outcome.py`).
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from ast import literal_eval
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sage50kit import errors, outcome
from sage50kit.errors import MissingDependency, Sage50KitError, UsageError
from sage50kit.reports.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ENGINE = "sage50kit"
IN_DOUBT = 5
CRASH = 1


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """How a run ended, and what it left behind."""

    exit_code: int
    status: str
    batch: str = ""
    error: str = ""
    steps: list[dict[str, object]] = field(default_factory=list)
    files: tuple[Path, ...] = ()


def run_notebook(
    notebook: Path,
    parameters: Mapping[str, str],
    *,
    folder: Path | None = None,
    timeout_seconds: int | None = None,
) -> RunResult:
    """Run a copy of `notebook` from top to bottom.

    Args:
        notebook: is never written to.
        parameters: name -> value as typed on a terminal; converted to the type of the parameter.
        folder: where the executed copy and `status.json` go; by default `runs` in the working folder.
        timeout_seconds: how long one cell may take; None for ever.

    Raises:
        UsageError: no such notebook, an unknown parameter, or a value of the wrong type.
        MissingDependency: the extra `notebooks` is not installed.
    """
    _register_engine()
    values = check_parameters(notebook, parameters)
    started = datetime.now(UTC)
    name = f"{started:%Y%m%dT%H%M%S}-{notebook.stem}-{uuid.uuid4().hex[:6]}"
    kept = (folder or Path("runs")).absolute() / name
    kept.mkdir(parents=True)
    code, error = _execute(notebook, values, kept, timeout_seconds)
    steps = outcome.read(kept / "outcome.jsonl")
    code = code if error else outcome.gravest([int(str(step["exit_code"])) for step in steps])
    result = RunResult(
        exit_code=code,
        status=_status(code, steps),
        batch=str(steps[-1]["batch"]) if steps else "",
        error=error,
        steps=steps,
        files=(kept / notebook.name, kept / "status.json"),
    )
    _write_status(result, notebook, values, started)
    return result


def check_parameters(notebook: Path, parameters: Mapping[str, str]) -> dict[str, Any]:
    """The parameters as values of the types that the notebook's parameter cell names.

    Raises:
        UsageError: no such notebook, an unknown name, or a value of the wrong type.
    """
    import papermill

    if not notebook.is_file():
        raise UsageError(f"there is no notebook {notebook}.")
    if notebook.suffix != ".ipynb":
        raise UsageError(f"{notebook} is not a notebook: its name does not end in .ipynb.")
    try:
        known = papermill.inspect_notebook(notebook)
    except Exception as error:
        raise UsageError(f"{notebook} cannot be read as a notebook: {error}") from error
    if unknown := sorted(set(parameters) - set(known)):
        raise UsageError(
            f"{notebook.name} has no parameter {', '.join(unknown)}. It has: {', '.join(known)}."
        )
    return {
        name: _value(name, text, known[name]["inferred_type_name"])
        for name, text in parameters.items()
    }


def _value(name: str, text: str, annotation: str) -> Any:
    """`text` as the type of a parameter; lists as `invoice,expense` or `["invoice"]`."""
    kind = annotation.partition("[")[0].strip()
    if kind == "list" and not text.startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    if kind == "bool":
        truths = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if text.lower() in truths:
            return truths[text.lower()]
    elif kind in ("int", "list", "dict"):
        types: dict[str, type] = {"int": int, "list": list, "dict": dict}
        try:
            value = literal_eval(text)
        except (SyntaxError, ValueError):
            value = None
        if isinstance(value, types[kind]) and not isinstance(value, bool):
            return value
    else:
        return text
    raise UsageError(f"the parameter {name} must be of type {kind}, not {text!r}.")


def _execute(
    notebook: Path, values: dict[str, Any], kept: Path, timeout_seconds: int | None
) -> tuple[int, str]:
    """Exit code and error of a run; an error is a sentence, empty when every cell ran."""
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    try:
        papermill.execute_notebook(
            notebook,
            kept / notebook.name,
            parameters=values,
            engine_name=ENGINE,
            progress_bar=False,
            cwd=str(notebook.parent.absolute()),
            execution_timeout=timeout_seconds,
            store_widget_state=False,
            outcome_file=str(kept / "outcome.jsonl"),
            kernel_log=str(kept / "kernel.log"),
        )
    except papermill.PapermillExecutionError as error:
        what = error.evalue or error.ename
        return _code_of(error), f"{notebook.name}, cell {error.cell_index}: {what}"
    except CellTimeoutError:
        sentence = (
            f"a cell of {notebook.name} ran longer than {timeout_seconds} seconds and was stopped."
        )
        return IN_DOUBT, f"{sentence} If a push was under way, push the same batch again."
    except DeadKernelError:
        sentence = f"the kernel of {notebook.name} died."
        return IN_DOUBT, f"{sentence} If a push was under way, push the same batch again."
    return 0, ""


def _code_of(error: Any) -> int:
    """The exit code of an exception in a cell, known by its class name: the object stayed in the kernel."""
    if error.ename == "SystemExit" and str(error.evalue).isdigit():
        return int(error.evalue)
    if error.ename == "KeyboardInterrupt":  # a person stopped it, perhaps in the middle of a push
        return IN_DOUBT
    kind = getattr(errors, error.ename, None)
    if isinstance(kind, type) and issubclass(kind, Sage50KitError):
        return kind.exit_code
    return CRASH


def _status(code: int, steps: list[dict[str, object]]) -> str:
    told = [str(step["status"]) for step in steps if step["exit_code"] == code]
    words = {0: "completed", 3: "completed_with_errors", 4: "blocked", 5: "in_doubt", 6: "busy"}
    return told[-1] if told else words.get(code, "failed")


def _write_status(
    result: RunResult, notebook: Path, values: dict[str, Any], started: datetime
) -> None:
    content = asdict(result) | {
        "files": [str(path) for path in result.files],
        "notebook": str(notebook),
        "notebook_sha256": hashlib.sha256(notebook.read_bytes()).hexdigest(),
        "parameters": values,
        "started": started.isoformat(),
        "ended": datetime.now(UTC).isoformat(),
    }
    text = json.dumps(content, indent=2, ensure_ascii=False, default=str)
    write_whole(result.files[-1], text.encode())


def _register_engine() -> None:
    """Teach papermill to give each kernel an outcome file of its own.

    Raises:
        MissingDependency: the extra `notebooks` is not installed.
    """
    try:
        from papermill.clientwrap import PapermillNotebookClient
        from papermill.engines import NBClientEngine, papermill_engines
    except ImportError as error:
        raise MissingDependency(
            "papermill", needed_by="sage50kit run", extra="notebooks"
        ) from error

    class Engine(NBClientEngine):  # type: ignore[misc]  # papermill has no types
        """Papermill's own engine, with an environment for the kernel."""

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> Any:
            environment = {**os.environ, outcome.VARIABLE: options.pop("outcome_file")}
            said = Path(options.pop("kernel_log"))
            client = PapermillNotebookClient(
                nb_man,
                kernel_name=kernel_name,
                timeout=options.get("execution_timeout"),
                startup_timeout=options.get("start_timeout", 60),
                store_widget_state=options.get("store_widget_state", False),
                extra_arguments=["--log-level=50"],  # what went wrong is said once, by us
            )
            # What its libraries complain of when it is ended belongs to the run, not on the terminal.
            with said.open("wb") as stderr:
                return client.execute(env=environment, stderr=stderr)

    register: Callable[[str, type], None] = papermill_engines.register
    register(ENGINE, Engine)
