"""The verbs for what comes after a push: finish it, run it again, take it back, compare it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

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
from sage50kit.terminal import Answer, consent, issue_rows, plain_rows, somebody_consents

if TYPE_CHECKING:
    from sage50kit.batch.report import PushReport
    from sage50kit.batch.unpost import Undone

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
    """Finish what an interrupted push left; settle a document by a person's word."""
    with opened(profile) as kit:
        reports = kit.resume(document, posted=posted, not_posted=not_posted)
        files, lost = saved(kit, reports)
    if not reports:
        return Answer(words="Nothing is unfinished.")
    return Answer(
        exit_code=outcome.gravest([report.exit_code for report in reports]),
        batch=", ".join(report.batch for report in reports),
        counts=_summed(reports),
        issues=[row for report in reports for row in issue_rows(report.issues)],
        files=files,
        more={"headlines": [report.headline for report in reports]},
        words="\n".join(report.headline for report in reports),
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

    somebody_consents("rerun", yes=yes)
    with opened(profile) as kit:
        reviewed = kit.rerun(batch, repost=repost or ())
        done = reviewed
        if len(reviewed.plan.documents):
            consent("rerun", f"{reviewed.headline} Post them to {kit.company.name}?", yes=yes)
            done = kit.post_missing(reviewed)
        files, lost = saved(kit, [done.report] if done.report else [])
    return Answer(
        exit_code=done.exit_code,
        batch=batch,
        counts=done.counts,
        issues=issue_rows(done.report.issues if done.report else done.issues),
        files=files,
        more={"headline": done.headline, "documents": plain_rows(done.documents)},
        page=rerun_page(done),
        error=lost,
    )


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
    somebody_consents("unpost", yes=yes)
    with opened(profile) as kit:
        what = f"Delete batch {batch} in ConnectWise"
        if document:
            what = f"Un-batch {document} in ConnectWise, and with it all of its purchase order"
        also = " and void its documents in Sage 50" if void else ""
        consent("unpost", f"{what}{also}?", yes=yes)
        undone = kit.unpost(batch, document=document, void=void, on=on or None)
    return _told(undone)


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
