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


@app.command()
@verb
def acknowledge(
    *,
    profile: ProfilePath,
    documents: Annotated[
        list[str], typer.Option(help="Places in Sage 50, or keys.", metavar="PLACE...")
    ],
    reason: Annotated[
        str, typer.Option(help="Why nobody has to do anything.", metavar="TEXT")
    ] = "",
    as_of: Annotated[str, typer.Option(help="End of this day; today.", metavar="DATE")] = "",
    take_back: Annotated[
        bool, typer.Option("--take-back", help="What was acknowledged is so no more.")
    ] = False,
) -> Answer:
    """Keep a person's word that differences are as they should be; reconcile shows them apart."""
    with opened(profile) as kit:
        if take_back:
            count = kit.take_back(documents)
        else:
            count = kit.acknowledge(documents, reason=reason, as_of=as_of)
    done = "taken back" if take_back else "acknowledged"
    return Answer(counts={done: count}, words=f"{count} {done}. Nothing else was written.")
