"""The verbs for what comes after a push: finish it, run it again, take it back, compare it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sage50kit import outcome
from sage50kit.cli.options import (
    Batch,
    Kinds,
    Location,
    ProfilePath,
    Repost,
    ThruDate,
    Yes,
    app,
    fetched,
    opened,
    verb,
)
from sage50kit.cli.reporting import saved
from sage50kit.errors import UsageError
from sage50kit.terminal import (
    Answer,
    can_be_asked,
    consent,
    issue_rows,
    plain_rows,
    somebody_consents,
)

if TYPE_CHECKING:
    from sage50kit.batch.report import PushReport
    from sage50kit.batch.rerun import Rerun
    from sage50kit.batch.undone import Undone

Key = Annotated[str, typer.Option(help="Key of a transaction or document.", metavar="KEY")]
Day = Annotated[str, typer.Option("--on", help="Date of the cancellation.", metavar="DATE")]


@app.command()
@verb
def resume(
    *,
    profile: ProfilePath,
    document: Key = "",
    posted: Annotated[
        str | None, typer.Option(help="Its number or place in Sage 50.", metavar="REF")
    ] = None,
    not_posted: Annotated[bool, typer.Option("--not-posted", help="It is not there.")] = False,
) -> Answer:
    """Finish what an interrupted push or un-posting left; settle a document by a person's word."""
    import pandas as pd

    from sage50kit.issues import issues_frame
    from sage50kit.reports.corrections import resume_page

    with opened(profile) as kit:
        reports = kit.resume(document, posted=posted, not_posted=not_posted)
        files, lost = saved(kit, reports)
        unsent = issues_frame(kit.unsent())
    issues = pd.concat([*(report.issues for report in reports), unsent])
    headlines = [report.headline for report in reports]
    return Answer(
        exit_code=outcome.gravest([*(row.exit_code for row in reports), 3 if len(unsent) else 0]),
        batch=", ".join(report.batch for report in reports),
        counts=_summed(reports),
        issues=issue_rows(issues),
        files=files,
        more={"headlines": headlines},
        page=resume_page(headlines, issues),
        error=lost,
    )


def _summed(reports: list[PushReport]) -> dict[str, int]:
    names = {name for report in reports for name in report.counts}
    return {name: sum(row.counts.get(name, 0) for row in reports) for name in sorted(names)}


@app.command()
@verb
def rerun(*, profile: ProfilePath, batch: Batch, repost: Repost = None, yes: Yes = False) -> Answer:
    """Compare a batch with the books, then post what is missing."""
    from sage50kit.reports.corrections import rerun_page

    with opened(profile) as kit:
        done = kit.rerun(batch, repost=repost or ())
        if done.writes:
            if not can_be_asked(yes=yes):
                return _undecided("rerun", _compared(done), "post what is missing")
            question = f"{done.headline} Do this in {kit.company.name}?"
            consent("rerun", question, yes=yes, page=rerun_page(done))
            done = kit.post_missing(done)
        files, lost = saved(kit, [done.report] if done.report else [])
    return replace(_compared(done), files=files, error=lost)


def _compared(done: Rerun) -> Answer:
    from sage50kit.reports.corrections import rerun_page

    return Answer(
        exit_code=done.exit_code,
        batch=done.batch,
        counts={**done.counts, "posted": len(done.posted)},
        issues=issue_rows(done.report.issues if done.report else done.issues),
        more={"headline": done.headline, "documents": plain_rows(done.documents)},
        page=rerun_page(done),
    )


def _undecided(verb: str, answer: Answer, what: str) -> Answer:
    """What a verb shows where nobody can be asked: all of it, and that nothing was written."""
    sentence = f"nothing was written. Look at the list; to {what}, run {verb} again with --yes."
    failure = {"code": "undecided", "fix": f"run {verb} again with --yes"}
    return replace(answer, exit_code=2, status="failed", error=sentence, failure=failure)


@app.command()
@verb
def unpost(
    *,
    profile: ProfilePath,
    batch: Batch = "",
    document: Key = "",
    void: Annotated[bool, typer.Option("--void", help="Cancel the documents, too.")] = False,
    on: Day = "",
    yes: Yes = False,
) -> Answer:
    """Delete a batch in ConnectWise, and say what must be undone in Sage 50."""
    from sage50kit.reports.corrections import undone_page

    with opened(profile) as kit:
        how: dict[str, Any] = {"document": document, "void": void, "on": on or None}
        if not yes:
            shown = kit.unpost(batch, dry_run=True, **how)
            if not can_be_asked(yes=yes):
                return _undecided("unpost", _told(shown), "un-post")
            consent("unpost", _question(batch, document, void), yes=yes, page=undone_page(shown))
        undone = kit.unpost(batch, **how)
    return _told(undone)


def _question(batch: str, document: str, void: bool) -> str:  # noqa: FBT001  # an option, passed on
    what = f"Delete batch {batch} in ConnectWise"
    if document:
        what = f"Un-batch {document} in ConnectWise"
    if document.startswith("receipt:"):
        what += ", and with it all of its purchase order"
    return f"{what}{' and void its documents in Sage 50' if void else ''}?"


@app.command()
@verb
def void(*, profile: ProfilePath, document: Key, on: Day = "", yes: Yes = False) -> Answer:
    """Cancel a posted document in Sage 50, where the connector can."""
    somebody_consents("void", yes=yes)
    with opened(profile) as kit:
        consent("void", f"Void {document} in {kit.company.name}?", yes=yes)
        undone = kit.void(document, on=on or None)
    return _told(undone)


def _told(undone: Undone) -> Answer:
    from sage50kit.reports.corrections import undone_page

    return Answer(
        exit_code=undone.exit_code,
        status=undone.status,
        batch=undone.batch,
        counts={"documents": len(undone.documents)},
        issues=issue_rows(undone.issues),
        more={"headline": undone.headline, "documents": plain_rows(undone.documents)},
        page=undone_page(undone),
    )


@app.command()
@verb
def clear(
    *,
    profile: ProfilePath,
    batch: Batch,
    reason: Annotated[str, typer.Option(help="Why nothing is posted.", metavar="TEXT")],
    keys: Annotated[
        list[str] | None, typer.Option(help="Which transactions.", metavar="KEY...")
    ] = None,
    location: Location = "",
    thru_date: ThruDate = "",
    kinds: Kinds = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also what stands in Sage 50 already.")
    ] = False,
    yes: Yes = False,
) -> Answer:
    """Batch transactions in ConnectWise without posting them."""
    from sage50kit.reports.listings import push_page

    somebody_consents("clear", yes=yes)
    if not (keys or location or thru_date or kinds):
        raise UsageError("say which transactions: --keys, or --kinds, --thru-date, --location.")
    with opened(profile) as kit:
        chosen = keys or fetched(kit, location, thru_date, kinds)
        consent("clear", f"Batch {len(chosen)} transactions without posting them?", yes=yes)
        report = kit.clear(chosen, batch=batch, reason=reason, anyway=anyway, dry_run=False)
        files, lost = saved(kit, [report])
    return Answer(
        exit_code=report.exit_code,
        status=report.status,
        batch=batch,
        counts={**report.counts, "cleared": len(report.cleared)},
        issues=issue_rows(report.issues),
        files=files,
        page=push_page(report),
        error=lost,
    )
