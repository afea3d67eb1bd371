"""The verbs of the flow: try it out, fetch, plan, push, verify, export, run."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path  # noqa: TC003  # typer reads the annotations
from typing import Annotated, Any, Literal

import typer

from sage50kit.cli.options import (
    Batch,
    Kinds,
    Location,
    Parameters,
    ProfilePath,
    ThruDate,
    Workdir,
    Yes,
    app,
    fetched,
    log,
    opened,
    sandbox,
    verb,
)
from sage50kit.errors import UsageError
from sage50kit.terminal import Answer, consent, issue_rows, plain_rows, progress

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
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="Trouble, as `500 POST /batches on 1`; may be repeated.", metavar="WORDS"
        ),
    ] = None,
    switch: Annotated[
        list[str] | None,
        typer.Option(
            help="Another answer, as `iso_dates` or `second_payment=overwrite`; may be repeated.",
            metavar="NAME",
        ),
    ] = None,
) -> int:
    """Serve a local ConnectWise site with a matching company and profile; prints one line of JSON."""
    from sage50kit.sandbox.serve import serve_forever

    if data is not None and invoices is not None:
        raise UsageError("give --data or --invoices, not both.")
    serve_forever(
        port=port,
        data=data,
        invoices=invoices,
        seed=seed,
        dirty=dirty,
        tls=tls,
        workdir=workdir,
        faults=fault or (),
        switches=switch or (),
    )
    return 0


@app.command()
@verb
def simulate(
    *,
    seeds: Annotated[int, typer.Option(help="How many worlds.")],
    seed: Annotated[int, typer.Option(help="The first of them.")] = 1,
) -> Answer:
    """Push in random worlds full of crashes, and judge what stands in the books afterwards."""
    from sage50kit.simulator.simulate import simulate as run_seeds

    with progress() as step:
        count = None if step is None else partial(step, "seeds")
        failures = run_seeds(seeds, first=seed, progress=count)
    summary = f"{seeds} seeds from {seed} on: {len(failures)} failed."
    return Answer(
        exit_code=1 if failures else 0,
        counts={"seeds": seeds, "failures": len(failures)},
        more={"failures": [str(failure) for failure in failures]},
        words="\n\n".join([*(str(failure) for failure in failures), summary]),
    )


@app.command()
@verb
def doctor(profile: ProfilePath) -> Answer:
    """Check every permission, setting and list that a push needs."""
    from sage50kit.reports.page import Page, table

    with opened(profile) as kit:
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

    with opened(profile) as kit:
        frame = fetched(kit, location, thru_date, kinds)
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
        # The terminal of Windows ends lines its own way; two ways at once would be blank lines.
        words=content.decode("utf-8-sig").replace("\r\n", "\n") if on_screen else "",
    )


@app.command()
@verb
def why(key: str, profile: ProfilePath) -> Answer:
    """Say why a transaction is, or is not, in the list."""
    with opened(profile) as kit:
        reason = kit.why(key)
    return Answer(words=reason, more={"key": key, "reason": reason})


@app.command()
@verb
def verify(
    *,
    profile: ProfilePath,
    batch: Batch = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Every batch: what changed after posting.")
    ] = False,
) -> Answer:
    """Read both systems and compare a batch, document by document."""
    from sage50kit.reports.files import save_verification
    from sage50kit.reports.listings import verification_page

    if bool(batch) == everything:
        raise UsageError("name a batch to verify, or say --all.")
    if everything:
        return _drift(profile)
    with opened(profile) as kit:
        verification = kit.verify(batch)
        files = save_verification(verification, kit.workdir)
    return Answer(
        exit_code=0 if verification.ok else 3,
        batch=batch,
        counts={
            "documents": int(verification.totals["documents"]),
            "without_posting": int(verification.totals.get("batched_without_posting", 0)),
            "findings": len(verification.findings),
        },
        totals=verification.totals,
        issues=issue_rows(verification.findings),
        files=files,
        page=verification_page(verification),
    )


def _drift(profile: str) -> Answer:
    from sage50kit.reports.corrections import drift_page

    with opened(profile) as kit:
        drift = kit.verify_all()
    return Answer(
        exit_code=drift.exit_code,
        counts={"documents": drift.documents, "changed": len(drift.findings)},
        issues=issue_rows(drift.findings),
        more={"headline": drift.headline},
        page=drift_page(drift),
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

    opened_company: Any = open_company(Profile.load(profile))
    with closing(opened_company) as company:
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
    with closing(open_company(loaded)) as company:
        events, problems = verify_log(loaded, company=company)
    return Answer(
        exit_code=3 if problems else 0,
        counts={"events": events, "problems": len(problems)},
        more={"problems": problems},
        page=log_page(events, problems),
    )


@log.command("accept")
@verb
def log_accept(profile: ProfilePath, *, yes: Yes = False) -> Answer:
    """Go on with a push log that was put back from an older backup, or with a new one where it was lost."""
    from sage50kit.connectors import open_company
    from sage50kit.profile import Profile
    from sage50kit.pushlog.opening import accept_log, why_refused

    loaded = Profile.load(profile)
    with closing(open_company(loaded)) as company:
        why = why_refused(loaded, company=company)
        if not why:
            return Answer(
                words="The push log is the one that the company knows: nothing to accept."
            )
        question = f"{why} There is no newer copy: go on with what is there?"
        consent("log accept", question, yes=yes)
        accept_log(loaded, company=company)
    return _unknown_batches(profile)


def _unknown_batches(profile: str) -> Answer:
    """What ConnectWise has and the log does not: the batches to look at now."""
    with opened(profile) as kit:
        known = {row["batch"].casefold() for row in kit.log.history()}
        unknown = [
            name for name in kit.connectwise.batch_identifiers("") if name.casefold() not in known
        ]
    words = "The push log is accepted, and what it lacks is written down in it."
    if unknown:
        words += (
            f" ConnectWise has batches that it does not know: {', '.join(unknown)}. Compare each that this "
            "kit made with the books: sage50kit rerun --batch ID"
        )
    return Answer(
        exit_code=3 if unknown else 0,
        counts={"unknown_batches": len(unknown)},
        more={"unknown_batches": unknown},
        words=words,
    )


@app.command("app")
def pages(
    *,
    profile: ProfilePath,
    port: Annotated[int, typer.Option(help="On this machine only.")] = 8866,
    theme: Annotated[Literal["light", "dark"], typer.Option(help="Of the pages.")] = "light",
    token: Annotated[str, typer.Option(help="Who knows it may look; made anew by default.")] = "",
) -> int:
    """Show the notebooks as pages without code, on this machine, behind a token."""
    from sage50kit.app import run_app

    run_app(profile, port=port, theme=theme, token=token)
    return 0
