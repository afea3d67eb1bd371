"""What the verbs share: the application, their options, and how each gives its answer."""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sage50kit.terminal import Answer, progress, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd

    from sage50kit.kit import Kit

app = typer.Typer(
    help="Carry ConnectWise PSA transactions into Sage 50 US exactly once.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
sandbox = typer.Typer(help="A local ConnectWise site over real HTTP.")
app.add_typer(sandbox, name="sandbox")
log = typer.Typer(help="The push log of a company.")
app.add_typer(log, name="log")

ProfilePath = Annotated[
    str, typer.Option("--profile", help="The profile (TOML), or `demo`.", metavar="FILE")
]
Json = Annotated[bool, typer.Option("--json", help="One line of JSON, the last on stdout.")]
Location = Annotated[str, typer.Option(help="Id or name of a ConnectWise location.")]
ThruDate = Annotated[str, typer.Option(help="Last day included, as 2026-10-31.", metavar="DATE")]
Kinds = Annotated[
    list[str] | None,
    typer.Option(help="invoice expense receipt adjustment transfer", metavar="KIND..."),
]
Batch = Annotated[str, typer.Option(help="The batch number.", metavar="ID")]
Workdir = Annotated[Path | None, typer.Option(help="Where everything is written.", metavar="DIR")]
LeaveOut = Annotated[
    bool | None,
    typer.Option("--leave-out-blocked/--no-leave-out-blocked", help="Push the rest without them."),
]
Repost = Annotated[
    list[str] | None,
    typer.Option(help="Post these again although they stand in the books.", metavar="KEY..."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Consent without a question.")]
Parameters = Annotated[
    list[str] | None,
    typer.Option("-p", help="A parameter of the notebook.", metavar="NAME VALUE"),
]


def verb(function: Callable[..., Answer]) -> Callable[..., int]:
    """Give a verb its `--json`, print its answer and return its exit code."""

    @wraps(function)
    def run(*args: Any, as_json: bool = False, **kwargs: Any) -> int:
        answer = function(*args, **kwargs)
        say(answer, as_json=as_json)
        return answer.exit_code

    kind = inspect.Parameter.KEYWORD_ONLY
    option = inspect.Parameter("as_json", kind, default=False, annotation=Json)
    signature = inspect.signature(function, eval_str=True)
    parameters = [*signature.parameters.values(), option]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return run


@contextmanager
def opened(profile: str) -> Iterator[Kit]:
    """A Kit that shows its progress."""
    from sage50kit.kit import Kit

    with progress() as step, Kit(profile, progress=step) as kit:
        yield kit


def fetched(kit: Kit, location: str, thru_date: str, kinds: Sequence[str] | None) -> pd.DataFrame:
    """The unposted transactions that the options choose."""
    wanted: Any = [part for value in kinds or () for part in value.split(",") if part]
    place = int(location) if location.isdigit() else location or None
    return kit.fetch(location=place, thru_date=thru_date or None, kinds=wanted or None)
