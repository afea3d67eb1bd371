"""The verb for what is owed: ConnectWise, Sage 50's open items and its general ledger side by side."""

from __future__ import annotations

from typing import Annotated

import typer

from sage50kit.cli.options import ProfilePath, app, opened, verb
from sage50kit.terminal import Answer, plain_rows


@app.command()
@verb
def reconcile(
    *,
    profile: ProfilePath,
    as_of: Annotated[str, typer.Option(help="End of this day; today.", metavar="DATE")] = "",
) -> Answer:
    """Compare receivables: ConnectWise, Sage 50's open items, its general ledger; with the ageing."""
    from sage50kit.reports.receivables import reconciliation_page

    with opened(profile) as kit:
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
