"""The verbs of the kit from a terminal.

Every verb returns an `Answer`; `main` prints it and gives its exit code (design 7): 0 clean, 1 crash, 2 wrong
usage or profile, 3 completed but something needs a person, 4 blocked, 5 in doubt, 6 another push holds the
company. An error is one sentence on stderr. Heavy packages are imported inside the verbs.
"""

from __future__ import annotations

import inspect
import os
import sys
import traceback
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from sage50kit.errors import PlanBlocked, Sage50KitError, UsageError
from sage50kit.terminal import (
    Answer,
    complain,
    consent,
    issue_rows,
    join_lists,
    plain_rows,
    progress,
    say,
    somebody_consents,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd

    from sage50kit.kit import Kit
    from sage50kit.model import Plan

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
Parameters = Annotated[
    list[str] | None,
    typer.Option("-p", help="A parameter of the notebook.", metavar="NAME VALUE"),
]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code."""
    words = join_lists(list(sys.argv[1:] if arguments is None else arguments)) or ["--help"]
    try:
        code = app(words, prog_name="sage50kit", standalone_mode=False)
    except Sage50KitError as error:
        return _failed(words, str(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _failed(words, "stopped. If a push was under way, push the same batch again.", 5)
    except BrokenPipeError:  # the reader of our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # noqa: BLE001  # a person must never read a traceback
        told = getattr(error, "format_message", None)
        if told is not None:
            return _failed(words, f"{told()} See: sage50kit --help", 2)
        return _failed(words, _fault(error), 1)
    return code if isinstance(code, int) else 0


def _fault(error: Exception) -> str:
    """A sentence for an error that nobody foresaw, with the place that helps to find it."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    what = f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno}: {error}"
    return f"this is a fault of sage50kit, please report it ({what})."


def _failed(words: Sequence[str], sentence: str, code: int) -> int:
    answer = Answer(exit_code=code, error=sentence)
    if "--json" in words:
        say(answer, as_json=True)
    else:
        complain(sentence)
    return code


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


# --- trying it out ----------------------------------------------------------------------------


@app.command()
@verb
def demo(
    *,
    workdir: Workdir = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave company and log in DIR.")] = False,
) -> Answer:
    """Run the whole cycle on fixtures: sandbox, company, plan, push, verify, reports."""
    from sage50kit.demo import run_demo

    with progress() as step:
        return run_demo(workdir, keep=keep, progress=step)


@sandbox.command("serve")
def serve(
    *,
    port: Annotated[int, typer.Option(help="0 picks a free one.")] = 0,
    data: Annotated[Path | None, typer.Option(help="A data set (JSON).", metavar="FILE")] = None,
    invoices: Annotated[int | None, typer.Option(help="Generate this many invoices.")] = None,
    seed: Annotated[int, typer.Option(help="Of the generator.")] = 1,
    dirty: Annotated[bool, typer.Option("--dirty", help="Plant blocking findings.")] = False,
    tls: Annotated[bool, typer.Option("--tls", help="HTTPS with a made certificate.")] = False,
    workdir: Workdir = None,
) -> int:
    """Serve a local ConnectWise site with a matching company and profile; prints one line of JSON."""
    from sage50kit.sandbox.serve import serve_forever

    if data is not None and invoices is not None:
        raise UsageError("give --data or --invoices, not both.")
    serve_forever(
        port=port, data=data, invoices=invoices, seed=seed, dirty=dirty, tls=tls, workdir=workdir
    )
    return 0


@app.command()
@verb
def doctor(profile: ProfilePath) -> Answer:
    """Check every permission, setting and list that a push needs."""
    from sage50kit.reports.page import Page, table

    with _kit(profile) as kit:
        rows = kit.doctor()
    failed = int((rows["result"] == "fail").sum())
    warned = int((rows["result"] == "warn").sum())
    headline = f"{len(rows)} checks: {failed} failed, {warned} with a warning."
    page = Page(
        title=f"Doctor of {profile}",
        headline=headline,
        tone="bad" if failed else "good",
        tables=(table(rows, "Checks"),),
    )
    return Answer(
        exit_code=3 if failed else 0,
        counts={"checks": len(rows), "failed": failed, "warnings": warned},
        more={"checks": issue_rows(rows)},
        page=page,
    )


# --- the flow ---------------------------------------------------------------------------------


@app.command()
@verb
def fetch(
    *,
    profile: ProfilePath,
    location: Location = "",
    thru_date: ThruDate = "",
    kinds: Kinds = None,
    style: Annotated[
        Literal["table", "csv"], typer.Option("--format", help="For stdout or the file.")
    ] = "table",
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE")] = None,
) -> Answer:
    """List the unposted transactions of ConnectWise."""
    from sage50kit.reports import csv, text
    from sage50kit.reports.files import write_whole
    from sage50kit.reports.listings import transactions_page

    with _kit(profile) as kit:
        frame = _fetched(kit, location, thru_date, kinds)
        left_out = kit.left_out
    page = transactions_page(frame, left_out)
    content = csv.render(frame) if style == "csv" else text.render(page).encode()
    files = [write_whole(output, content)] if output else []
    on_screen = style == "csv" and output is None
    return Answer(
        counts={"transactions": len(frame), "left_out": len(left_out)},
        totals={"transactions": frame["total"].sum(), "left_out": left_out["total"].sum()},
        files=files,
        more={"transactions": plain_rows(frame), "left_out": plain_rows(left_out)},
        page=None if output or on_screen else page,
        words=content.decode("utf-8-sig") if on_screen else "",
    )


@app.command()
@verb
def why(key: str, profile: ProfilePath) -> Answer:
    """Say why a transaction is, or is not, in the list."""
    with _kit(profile) as kit:
        reason = kit.why(key)
    return Answer(words=reason, more={"key": key, "reason": reason})


@app.command()
@verb
def plan(
    *,
    profile: ProfilePath,
    batch: Batch = "",
    location: Location = "",
    thru_date: ThruDate = "",
    kinds: Kinds = None,
    leave_out_blocked: LeaveOut = None,
) -> Answer:
    """Validate and preview; writes the proof listing, and nothing else."""
    from sage50kit.reports.files import save_blocked, save_proof
    from sage50kit.reports.listings import proof_page

    with _kit(profile) as kit:
        selected = _fetched(kit, location, thru_date, kinds)
        try:
            planned = kit.plan(selected, batch=batch or None, leave_out_blocked=leave_out_blocked)
        except PlanBlocked as error:
            return _blocked(error, batch, save_blocked, kit.workdir)
        proof = kit.proof(planned)
        severe = set(proof.issues["severity"]) & {"block", "refuse"}
        return Answer(
            exit_code=3 if severe or _left_out_blocked(planned) else 0,
            status="" if severe or not len(proof.issues) else "completed_with_warnings",
            batch=planned.batch,
            counts={"documents": len(planned.documents), "left_out": len(planned.left_out)},
            totals=proof.totals,
            issues=issue_rows(proof.issues),
            files=save_proof(proof, kit.workdir),
            page=proof_page(proof),
        )


@app.command()
@verb
def push(
    *,
    profile: ProfilePath,
    batch: Batch,
    location: Location = "",
    thru_date: ThruDate = "",
    kinds: Kinds = None,
    leave_out_blocked: LeaveOut = None,
    yes: Annotated[bool, typer.Option("--yes", help="Consent without a question.")] = False,
) -> Answer:
    """Post a batch to Sage 50, then create it in ConnectWise."""
    from sage50kit.reports.files import save_blocked, save_proof, save_push
    from sage50kit.reports.listings import proof_page, push_page

    somebody_consents(yes=yes)
    with _kit(profile) as kit:
        selected = _fetched(kit, location, thru_date, kinds)
        try:
            planned = kit.plan(selected, batch=batch, leave_out_blocked=leave_out_blocked)
        except PlanBlocked as error:
            return _blocked(error, batch, save_blocked, kit.workdir)
        proof = kit.proof(planned)
        files = save_proof(proof, kit.workdir)
        question = f"{proof_page(proof).headline} Push batch {planned.batch} to {kit.company.name}?"
        consent(question, yes=yes)
        report = kit.push(planned, dry_run=False)
        files += save_push(report, kit.log.events(report.batch), kit.workdir)
    return Answer(
        exit_code=report.exit_code,
        status=report.status,
        batch=report.batch,
        counts=report.counts,
        totals=report.totals,
        issues=issue_rows(report.issues),
        files=files,
        more={"next_batch": report.next_batch, "headline": report.headline},
        page=push_page(report),
    )


@app.command()
@verb
def verify(*, profile: ProfilePath, batch: Batch) -> Answer:
    """Read both systems and compare a batch, document by document."""
    from sage50kit.reports.files import save_verification
    from sage50kit.reports.listings import verification_page

    with _kit(profile) as kit:
        verification = kit.verify(batch)
        files = save_verification(verification, kit.workdir)
    return Answer(
        exit_code=0 if verification.ok else 3,
        batch=batch,
        counts={"documents": len(verification.documents), "findings": len(verification.findings)},
        totals=verification.totals,
        issues=issue_rows(verification.findings),
        files=files,
        page=verification_page(verification),
    )


@app.command()
@verb
def reconcile(
    *,
    profile: ProfilePath,
    as_of: Annotated[str, typer.Option(help="End of this day; today.", metavar="DATE")] = "",
) -> Answer:
    """Compare receivables: ConnectWise, Sage 50's open items, its general ledger; with the ageing."""
    from sage50kit.reports.receivables import reconciliation_page

    with _kit(profile) as kit:
        found = kit.reconcile(as_of=as_of)
        ageing = kit.ageing(as_of=found.as_of)
        files = kit.save_receivables(found, ageing, dry_run=False)
    return Answer(
        exit_code=found.exit_code,
        counts=found.counts,
        totals=found.totals,
        files=files,
        more={"differences": plain_rows(found.differences)},
        page=reconciliation_page(found),
    )


@app.command("export-ledger")
@verb
def export_ledger(
    *,
    profile: ProfilePath,
    style: Annotated[Literal["hledger", "beancount"], typer.Option("--format")] = "hledger",
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE")] = None,
) -> Answer:
    """Write the embedded company's journals for a second opinion."""
    from sage50kit.connectors import ledger, open_company
    from sage50kit.profile import Profile
    from sage50kit.reports.files import write_whole

    company: Any = open_company(Profile.load(profile))
    content = ledger.export_ledger(company, style)
    if output is None:
        return Answer(words=content, more={"ledger": content})
    return Answer(files=[write_whole(output, content.encode())])


@app.command()
@verb
def run(
    notebook: Annotated[Path, typer.Argument(metavar="NOTEBOOK")],
    parameters: Parameters = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR")] = None,
    timeout: Annotated[int | None, typer.Option(help="Seconds a cell may take.")] = None,
) -> Answer:
    """Run a notebook unattended, with the exit code of what it did."""
    from sage50kit.runner import run_notebook

    pairs = [part.partition("=") for part in parameters or []]
    if wrong := [name for name, equals, _ in pairs if not equals]:
        raise UsageError(f"the parameter {wrong[0]} has no value: -p NAME VALUE.")
    given = {name: value for name, _, value in pairs}
    result = run_notebook(notebook, given, folder=output, timeout_seconds=timeout)
    return Answer(
        exit_code=result.exit_code,
        status=result.status,
        batch=result.batch,
        files=result.files,
        words="" if result.error else f"{notebook.name}: {result.status}",
        error=result.error,
        more={"steps": result.steps},
    )


@log.command("verify")
@verb
def log_verify(profile: ProfilePath) -> Answer:
    """Recompute the chain of the push log and everything that follows from it."""
    from sage50kit.connectors import open_company
    from sage50kit.profile import Profile
    from sage50kit.pushlog.opening import verify_log
    from sage50kit.reports.listings import log_page

    loaded = Profile.load(profile)
    events, problems = verify_log(loaded, company=open_company(loaded))
    return Answer(
        exit_code=3 if problems else 0,
        counts={"events": events, "problems": len(problems)},
        more={"problems": problems},
        page=log_page(events, problems),
    )


# --- shared steps -----------------------------------------------------------------------------


@contextmanager
def _kit(profile: str) -> Iterator[Kit]:
    """A Kit that shows its progress."""
    from sage50kit.kit import Kit

    with progress() as step, Kit(profile, progress=step) as kit:
        yield kit


def _fetched(kit: Kit, location: str, thru_date: str, kinds: Sequence[str] | None) -> pd.DataFrame:
    wanted: Any = [part for value in kinds or () for part in value.split(",") if part]
    place = int(location) if location.isdigit() else location or None
    return kit.fetch(location=place, thru_date=thru_date or None, kinds=wanted or None)


def _blocked(error: PlanBlocked, batch: str, save: Any, workdir: Path) -> Answer:
    from sage50kit.issues import issues_frame
    from sage50kit.reports.listings import blocked_page

    issues = issues_frame(error.issues)
    return Answer(
        exit_code=error.exit_code,
        batch=batch,
        counts={"findings": len(issues), "blocking": int((issues["severity"] == "block").sum())},
        issues=issue_rows(issues),
        files=save(batch, issues, workdir),
        page=blocked_page(batch, issues),
        error=str(error),
    )


def _left_out_blocked(planned: Plan) -> bool:
    from sage50kit.model import BLOCKED

    return any(row.reason.startswith(BLOCKED) for row in planned.left_out)
