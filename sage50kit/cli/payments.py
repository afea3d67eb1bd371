"""The verbs of payments."""

from __future__ import annotations

from typing import Annotated

import typer

from sage50kit.cli.options import ProfilePath, Yes, app, opened, verb
from sage50kit.terminal import Answer, consent, issue_rows, somebody_consents

_SYNC = "sync-payments"


@app.command(_SYNC)
@verb
def sync_payments(
    *,
    profile: ProfilePath,
    since: Annotated[
        str, typer.Option(help="last (run), week, fortnight, month or a date.", metavar="START")
    ] = "last",
    full: Annotated[bool, typer.Option("--full", help="Every invoice ever paid.")] = False,
    yes: Yes = False,
) -> Answer:
    """Carry what customers paid in Sage 50 to the invoices of ConnectWise."""
    from sage50kit.reports.files import save_page
    from sage50kit.reports.payments import payments_page

    somebody_consents(_SYNC, yes=yes)
    with opened(profile) as kit:
        planned = kit.plan_payments(kit.fetch_receipts(since=since, full=full))
        if planned.changes or planned.portal:
            question = f"{kit.apply_payments(planned).sentence} Write them?"
            consent(_SYNC, question, yes=yes)
        report = kit.apply_payments(planned, dry_run=False)
        page = payments_page(report)
        files = save_page(page, kit.workdir / "payments", kit.log.run)
    return Answer(
        exit_code=report.exit_code,
        status=report.status,
        counts=report.counts,
        totals=report.totals,
        issues=issue_rows(report.findings()),
        files=files,
        more={"headline": report.sentence},
        page=page,
    )
