"""How the verbs speak: tables for people, one line of JSON for machines, bars on a terminal only."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sage50kit.errors import UsageError
from sage50kit.money import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from sage50kit.errors import Sage50KitError
    from sage50kit.reports.page import Page, Table

LISTS = frozenset(
    {"--kinds", "--keys", "--repost", "--chosen", "--unlink", "--documents"}
)  # options with several values
STATUS_OF = {0: "completed", 3: "completed_with_errors", 4: "blocked", 5: "in_doubt", 6: "busy"}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a verb has to say: the page and words for people, the rest for machines."""

    exit_code: int = 0
    status: str = ""
    batch: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    totals: Mapping[str, Any] = field(default_factory=dict)
    issues: Sequence[Mapping[str, str]] = ()
    files: Sequence[Path] = ()
    more: Mapping[str, Any] = field(default_factory=dict)
    page: Page | None = None
    words: str = ""
    error: str = ""
    failure: Mapping[str, Any] = field(default_factory=dict)  # of `details` of an error

    def line(self) -> str:
        """One line of JSON; amounts are exact text."""
        content = {
            "status": self.status or STATUS_OF.get(self.exit_code, "failed"),
            "batch": self.batch,
            "counts": dict(self.counts),
            "totals": dict(self.totals),
            "issues": list(self.issues),
            "files": [str(path) for path in self.files],
            **self.more,
        }
        if self.error:
            record = self.batch
            known = {"code": "", "sentence": self.error, "fix": "", "record": record}
            said = {name: value for name, value in self.failure.items() if value != ""}
            content["error"] = {**known, **said}
        return json.dumps(content, default=_plain)


def failed(error: Sage50KitError, **more: Any) -> Answer:
    """The answer of a verb that an error ended."""
    words = {"exit_code": error.exit_code, "error": str(error), "failure": error.details()}
    return Answer(**{**words, **more})


def issue_rows(issues: pd.DataFrame) -> list[dict[str, str]]:
    """The findings as plain data."""
    return [dict(zip(issues.columns, row, strict=True)) for row in issues.itertuples(index=False)]


def plain_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as plain data, amounts and dates as they are."""
    from sage50kit.reports.page import table

    shown = table(frame, "")
    names = [column.name for column in shown.columns]
    return [dict(zip(names, row, strict=True)) for row in shown.rows]


def say(answer: Answer, *, as_json: bool) -> None:
    """Print an answer: the sentence of an error on stderr, all else on stdout."""
    if answer.error:
        complain(answer.error)
    if as_json:
        _write(answer.line())
        return
    if answer.page is not None:
        _draw(answer.page)
    if answer.words:
        _write(answer.words.rstrip("\n"))
    for path in answer.files:
        _write(f"wrote {path}")


def about_the_disk(error: OSError) -> tuple[str, int]:
    """Sentence and exit code of a file that could not be read or written."""
    path = error.filename2 or error.filename
    if path is None:
        reason = error.strerror or type(error).__name__
        return f"the disk or the system refuses: {reason}. Put this right, then run it again.", 1
    if isinstance(error, FileExistsError | NotADirectoryError):
        return f"{path} is a file where a folder is needed. Name another place.", 2
    if isinstance(error, IsADirectoryError):
        return f"{path} is a folder where a file is needed. Name another place.", 2
    code = 2 if isinstance(error, PermissionError | FileNotFoundError) else 1
    return f"{path} cannot be used: {error.strerror}. Put this right, or name another place.", code


def complain(sentence: str) -> None:
    """One sentence on stderr, whatever characters it holds."""
    from sage50kit.reports.page import clean

    print(f"sage50kit: {clean(sentence)}", file=sys.stderr)  # noqa: T201


def can_be_asked(*, yes: bool) -> bool:
    """Whether `--yes` was said, or somebody sits at a terminal."""
    return yes or bool(sys.stdin and sys.stdin.isatty())


def somebody_consents(verb: str, *, yes: bool) -> None:
    """Refuse at once where nobody can be asked, before anything is read.

    Raises:
        UsageError: neither `--yes` nor a terminal.
    """
    if not can_be_asked(yes=yes):
        raise UsageError(
            f"{verb} writes to Sage 50 or ConnectWise. Without a terminal it needs --yes. "
            "Nothing was written."
        )


def consent(
    verb: str,
    question: str,
    *,
    yes: bool,
    stopped: str = "Nothing was written.",
    page: Page | None = None,
) -> None:
    """Ask before something is written.

    Args:
        verb: what asks.
        question: what is asked.
        yes: `--yes` was said; nobody is asked.
        stopped: what a "no", or Ctrl-C instead of an answer, leaves.
        page: what the person should see first.

    Raises:
        UsageError: the person says no, or there is nobody to ask.
    """
    somebody_consents(verb, yes=yes)
    if yes:
        return
    if page is not None:
        _ask_about(page)
    if not _says_yes(question):
        raise UsageError(f"stopped on request. {stopped}")


def _ask_about(page: Page) -> None:
    """Show what a question is about, beside the question: stdout is for the answer."""
    from sage50kit.reports import text

    print(text.render(page), file=sys.stderr)  # noqa: T201


def _says_yes(question: str) -> bool:
    import typer

    try:
        return typer.confirm(question, err=True)
    except typer.Abort:  # Ctrl-C, or nothing more to read
        return False


def join_lists(words: Sequence[str]) -> list[str]:
    """Give each value its own option: `--kinds invoice expense` and `-p NAME VALUE` as people write them."""
    result, place = list[str](), 0
    while place < len(words):
        word = words[place]
        following = words[place + 1 :]
        if word in LISTS:
            values = [*_before_option(following)]
            result += [part for value in values for part in (word, value)] or [word]
            place += 1 + len(values)
        elif word == "-p" and _has_value(following):
            result += ["-p", f"{following[0]}={following[1]}"]
            place += 3
        else:
            result.append(word)
            place += 1
    return result


def _has_value(words: Sequence[str]) -> bool:
    return len(words) >= 2 and words[0].isidentifier() and not words[1].startswith("--")


def _before_option(words: Sequence[str]) -> list[str]:
    values = list[str]()
    for word in words:
        if word.startswith("-"):
            break
        values.append(word)
    return values


@contextmanager
def progress() -> Iterator[Callable[[str, int, int | None], None] | None]:
    """A bar for each step on a terminal; None elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, Any] = {}

        def step(name: str, done: int, of: int | None) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=of)
            bars.update(tasks[name], completed=done, total=of)

        yield step


def _draw(page: Page) -> None:
    """The page as rich tables on a terminal, as plain text elsewhere."""
    if not sys.stdout.isatty():
        from sage50kit.reports import text

        _write(text.render(page).rstrip("\n"))
        return
    from rich.console import Console
    from rich.text import Text

    from sage50kit.reports.page import cell_text

    console = Console()
    colour = {"good": "green", "warn": "yellow", "bad": "red"}.get(page.tone, "default")
    console.print(Text(page.headline, style=f"bold {colour}"))
    for name, value in page.facts:
        console.print(Text(f"{name}: {cell_text(value)}"))
    for table in page.tables:
        console.print(_rich_table(table) if table.rows else Text(f"{table.title}: {table.empty}"))


def _rich_table(table: Table) -> Any:
    from rich.table import Table as RichTable
    from rich.text import Text

    from sage50kit.reports.page import cell_text

    drawn = RichTable(title=Text(table.title), title_justify="left", show_footer=bool(table.sums))
    for column in table.columns:
        footer = cell_text(table.sums[column.name]) if column.name in table.sums else ""
        drawn.add_column(
            Text(column.title), footer=footer, justify="right" if column.figures else "left"
        )
    for row in table.rows:
        drawn.add_row(*(Text(cell_text(cell)) for cell in row))
    return drawn


def _write(text: str) -> None:
    """To stdout in UTF-8 where the terminal knows less: a customer's name must not end the run."""
    try:
        print(text, flush=True)  # noqa: T201
    except UnicodeEncodeError:
        sys.stdout.buffer.write(f"{text}\n".encode(sys.stdout.encoding or "ascii", "replace"))
        sys.stdout.flush()


def _plain(value: object) -> object:
    """What JSON does not know, as text; whole numbers of other libraries as numbers."""
    if isinstance(value, Decimal):
        return plain(value)
    item = getattr(value, "item", None)
    return item() if item is not None else str(value)
