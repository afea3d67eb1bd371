"""The verbs of go-live: a company and a site that both have a past."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sage50kit.cli.options import ProfilePath, Yes, app, opened, verb
from sage50kit.errors import UsageError
from sage50kit.terminal import Answer, consent, plain_rows, somebody_consents

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sage50kit.kit import Kit
    from sage50kit.payments.golive import HistoryMatch
    from sage50kit.reports.page import Page

_MATCH, _ADOPT = "match-history", "adopt-payments"
DryRun = Annotated[bool, typer.Option("--dry-run", help="Record nothing.")]


@app.command(_MATCH)
@verb
def match_history(
    *,
    profile: ProfilePath,
    chosen: Annotated[
        list[str] | None,
        typer.Option(help="Your word on doubtful ones.", metavar="KEY=PLACE..."),
    ] = None,
    unlink: Annotated[
        list[str] | None, typer.Option(help="Links that were a mistake.", metavar="KEY...")
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> Answer:
    """Match old invoices with what stands in Sage 50 already, and record the links; nothing is posted."""
    from sage50kit.reports.golive import history_page

    if not dry_run:
        somebody_consents(_MATCH, yes=yes)
    words: dict[str, Any] = {"chosen": _pairs(chosen or ()), "unlink": unlink or ()}
    with opened(profile) as kit:
        found = kit.match_history(**words)
        if not dry_run:
            question = f"{history_page(found, is_preview=True).headline} Record the matched ones?"
            consent(_MATCH, question, yes=yes)
            found = kit.match_history(**words, dry_run=False)
        page = history_page(found, is_preview=dry_run)
        files = _saved(kit, page, _MATCH)
    return _answer(found, page, files)


def _answer(found: HistoryMatch, page: Page, files: Sequence[Path]) -> Answer:
    counts = {"matched": len(found.links), "doubtful": len(found.doubts)}
    counts |= {"not_in_sage": len(found.unmatched), "recorded": found.recorded}
    return Answer(
        exit_code=3 if found.doubts else 0,
        counts=counts,
        files=files,
        more={"headline": page.headline, "doubtful": plain_rows(found.doubtful)},
        page=page,
    )


@app.command(_ADOPT)
@verb
def adopt_payments(
    *,
    profile: ProfilePath,
    keys: Annotated[
        list[str] | None, typer.Option(help="Of which invoices; all.", metavar="KEY...")
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> Answer:
    """Let payments that another product wrote to ConnectWise follow Sage 50 from now on."""
    from sage50kit.reports.golive import adoption_page

    if not dry_run:
        somebody_consents(_ADOPT, yes=yes)
    with opened(profile) as kit:
        done = kit.adopt_payments(keys=keys or ())
        if not dry_run and done.taken:
            consent(_ADOPT, f"Let {len(done.taken)} payments follow Sage 50?", yes=yes)
            done = kit.adopt_payments(keys=keys or (), dry_run=False)
        page = adoption_page(done)
        files = _saved(kit, page, _ADOPT)
    left = len(done.rows) - len(done.taken)
    return Answer(
        exit_code=3 if left else 0,
        counts={"taken_over": len(done.taken), "left": left},
        files=files,
        more={"headline": page.headline, "payments": plain_rows(done.frame)},
        page=page,
    )


def _saved(kit: Kit, page: Page, name: str) -> list[Path]:
    from sage50kit.reports.files import save_page

    return save_page(page, kit.workdir / "go-live", name)


def _pairs(chosen: Sequence[str]) -> dict[str, str]:
    """`KEY=PLACE` as people write it.

    Raises:
        UsageError: something else.
    """
    pairs = dict(pair.partition("=")[::2] for pair in chosen)
    if wrong := [key for key, place in pairs.items() if not key or not place]:
        raise UsageError(f"{', '.join(wrong)}: write --chosen invoice:48112=SJ-17.")
    return pairs
