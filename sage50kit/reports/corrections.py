"""What was done about a batch after it was pushed: run again, un-posted, and what changed since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sage50kit.reports.listings import issues_table
from sage50kit.reports.page import Page, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from sage50kit.batch.drift import Drift
    from sage50kit.batch.rerun import Rerun
    from sage50kit.batch.undone import Undone


def rerun_page(rerun: Rerun) -> Page:
    """A batch beside the books, document by document, and what was posted again."""
    return Page(
        title=f"Batch {rerun.batch} run again",
        headline=rerun.headline,
        tone="warn" if rerun.exit_code else "good",
        facts=tuple((state.capitalize(), count) for state, count in rerun.counts.items()),
        tables=(
            table(rerun.documents, "Document by document", sums=["connectwise", "books"]),
            issues_table(rerun.issues),
        ),
    )


def resume_page(headlines: Sequence[str], issues: pd.DataFrame) -> Page:
    """What was finished, batch by batch, and what a person has to do about it."""
    nothing = "All that was sent is finished."
    return Page(
        title="What an interruption left",
        headline=" ".join(headlines) or nothing,
        tone="warn" if len(issues) else "good",
        tables=(issues_table(issues),) if len(issues) else (),
    )


def undone_page(undone: Undone) -> Page:
    """What left its batch in ConnectWise, and what must be undone in Sage 50."""
    return Page(
        title=f"Un-posting, batch {undone.batch}",
        headline=undone.headline,
        tone="warn" if undone.exit_code else "good",
        tables=(
            table(undone.documents, "Documents in Sage 50", sums=["total"]),
            issues_table(undone.issues),
        ),
    )


def drift_page(drift: Drift) -> Page:
    """What is not as it was posted, in either system: one row for each document."""
    return Page(
        title="Changed after posting",
        headline=drift.headline,
        tone="warn" if len(drift.findings) else "good",
        facts=(("Documents compared", drift.documents), ("Changed", len(drift.findings))),
        tables=(table(drift.findings, "Changed documents"),),
    )
