"""The pages of the kit: the proof before a push, the report after it, the verification, the findings.

The protocols name what a page reads, so that the batch code and its reports do not import each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from sage50kit.model import DISPUTE, DISPUTED, SAGE_SCREENS
from sage50kit.money import total
from sage50kit.reports.columns import (
    BY_ACCOUNT,
    CREDITS_COUNT,
    DOCUMENTS,
    GL_ENTRIES,
    ISSUES,
    LEFT_OUT,
    NOT_IN_BATCH,
    SAGES_OWN,
    SAGES_VALUE,
    SIDES,
    TRANSACTIONS,
    TYPES,
)
from sage50kit.reports.page import Column, Page, Table, Tone, cell_text, heading, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from decimal import Decimal

    import pandas as pd

    from sage50kit.model import Plan
    from sage50kit.reports.page import Cell


class ProofLike(Protocol):
    """What the proof listing reads."""

    @property
    def plan(self) -> Plan: ...  # noqa: D102
    @property
    def documents(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def gl_entries(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def by_account(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def masters(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def issues(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def left_out(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def not_in_batch(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def cleared(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def totals(self) -> Mapping[str, Decimal | int | str]: ...  # noqa: D102


class PushReportLike(Protocol):
    """What the report of a push reads."""

    @property
    def status(self) -> str: ...  # noqa: D102
    @property
    def headline(self) -> str: ...  # noqa: D102
    @property
    def batch(self) -> str: ...  # noqa: D102
    @property
    def batch_id(self) -> int | None: ...  # noqa: D102
    @property
    def next_batch(self) -> str: ...  # noqa: D102
    @property
    def counts(self) -> Mapping[str, int]: ...  # noqa: D102
    @property
    def totals(self) -> Mapping[str, Decimal]: ...  # noqa: D102
    @property
    def documents(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def issues(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def left_out(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def cleared(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def screens(self) -> Mapping[Any, str]: ...  # noqa: D102
    @property
    def dry_run(self) -> bool: ...  # noqa: D102


class VerificationLike(Protocol):
    """What the comparison of both systems reads."""

    @property
    def batch(self) -> str: ...  # noqa: D102
    @property
    def ok(self) -> bool: ...  # noqa: D102
    @property
    def findings(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def documents(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def totals(self) -> Mapping[str, Decimal | int | str]: ...  # noqa: D102


def proof_page(proof: ProofLike, *, thru_date: date | None = None) -> Page:
    """The proof listing: everything that a push would write, and nothing written yet."""
    through = (("Through date", thru_date),) if thru_date else ()
    tables = (
        issues_table(proof.issues),
        _masters_table(proof.masters, proof.issues),
        _planned_table(proof.documents),
        _gl_table(proof.gl_entries),
        _account_table(proof.by_account),
        table(proof.cleared, "Batched without a posting", columns=LEFT_OUT, sums=["total"]),
        left_out_table(proof.left_out),
        _beside_table(proof.not_in_batch),
    )
    return Page(
        title=f"Proof listing of batch {proof.plan.batch}",
        headline=f"Nothing is written yet: {_sentence(proof.totals)}",
        tone=_worst_tone(proof.issues),
        facts=(
            ("Batch", proof.plan.batch),
            ("ConnectWise", proof.plan.site),
            ("Sage 50 company", proof.plan.company),
            *through,
            *_facts(proof.totals),
        ),
        tables=tables,
    )


def push_page(report: PushReportLike) -> Page:
    """The report of a push; its first line is one of the three endings."""
    tables = (
        issues_table(report.issues),
        _pushed_table(report),
        _screens(report.documents, report.screens),
        table(report.cleared, "Batched without a posting", columns=LEFT_OUT, sums=["total"]),
        left_out_table(report.left_out),
    )
    batch_id = (("ConnectWise batch record", str(report.batch_id)),) if report.batch_id else ()
    following = (("Next batch number", report.next_batch),) if report.next_batch else ()
    return Page(
        title=_what_was_done(report),
        headline=report.headline,
        tone=_status_tone(report.status),
        facts=(
            ("Batch", report.batch),
            *batch_id,
            *following,
            *((f"Documents {_words(name)}", count) for name, count in report.counts.items()),
            *((_amount_words(name), amount) for name, amount in report.totals.items()),
        ),
        tables=tables,
    )


def _what_was_done(report: PushReportLike) -> str:
    """What a report is about: a batch without documents was not pushed."""
    if report.dry_run:
        return f"Rehearsal of batch {report.batch}"
    if len(report.cleared) and not len(report.documents):
        return f"Batch {report.batch} without a posting"
    return f"Push of batch {report.batch}"


def verification_page(verification: VerificationLike) -> Page:
    """The comparison of ConnectWise, the push log and the books, document by document."""
    if verification.ok:
        headline = "ConnectWise, the push log and the books agree."
    else:
        headline = "ConnectWise, the push log and the books do not agree: see the findings."
    money = [
        name for name in ("connectwise", "log", "books") if name in verification.documents.columns
    ]
    return Page(
        title=f"Verification of batch {verification.batch}",
        headline=headline,
        tone="good" if verification.ok else "bad",
        facts=(("Batch", verification.batch), *_facts(verification.totals)),
        tables=(
            issues_table(verification.findings),
            table(
                verification.documents,
                "Document by document",
                sums=money,
                note=SAGES_VALUE if _valued_by_sage(verification.documents) else "",
            ),
        ),
    )


def log_page(events: int, problems: Sequence[str]) -> Page:
    """What the verification of the push log found."""
    whole = f"The push log is whole: {events} events, each following from the one before."
    broken = "The push log is damaged. Restore it from a backup before the next push."
    column = Column(name="problem", title="Problem")
    return Page(
        title="Push log",
        headline=broken if problems else whole,
        tone="bad" if problems else "good",
        tables=(
            Table(title="Problems", columns=(column,), rows=tuple((row,) for row in problems)),
        ),
    )


def _valued_by_sage(documents: pd.DataFrame) -> bool:
    """Whether a document agrees although the books have another amount: a decrease of stock."""
    if not {"equal", "books", "connectwise"} <= set(documents.columns):
        return False
    agreed = documents[documents["equal"].astype(bool) & documents["books"].notna()]
    return list(agreed["books"]) != list(agreed["connectwise"])


def blocked_page(batch: str, issues: pd.DataFrame) -> Page:
    """The findings that stopped a batch before anything was written."""
    blocking = int((issues["severity"] == "block").sum())
    return Page(
        title=f"Batch {batch} is blocked" if batch else "The selection is blocked",
        headline=f"Nothing was written: {blocking} of {len(issues)} findings block the batch.",
        tone="bad",
        facts=(("Batch", batch),) if batch else (),
        tables=(issues_table(issues),),
    )


def transactions_page(frame: pd.DataFrame, left_out: pd.DataFrame) -> Page:
    """The unposted transactions, and those left out with their reasons."""
    unwanted = {"reason", "left_out"}
    if "vendor_invoice" in frame and not frame["vendor_invoice"].astype(bool).any():
        unwanted.add("vendor_invoice")  # only receipts have one
    columns = {name: title for name, title in TRANSACTIONS.items() if name not in unwanted}
    return Page(
        title="Unposted transactions",
        headline=f"{len(frame)} unposted transactions; {len(left_out)} left out.",
        tables=(
            table(frame, "Unposted transactions", columns=columns, sums=["total"]),
            left_out_table(left_out),
        ),
    )


def issues_table(issues: pd.DataFrame) -> Table:
    """The findings, worst first as they come."""
    return table(issues, "Findings", columns=ISSUES, empty="No findings.")


def left_out_table(left_out: pd.DataFrame) -> Table:
    """What stays unposted, and why."""
    return table(
        left_out, "Left out", columns=LEFT_OUT, sums=["total"], empty="Nothing was left out."
    )


def _beside_table(rows: pd.DataFrame) -> Table:
    """What ConnectWise lists of the same kinds and is in no document here."""
    return table(
        rows,
        "Unposted, and not in this batch",
        columns=NOT_IN_BATCH,
        sums=["total"],
        empty="Nothing: all that was read of these kinds is above.",
    )


def _masters_table(masters: pd.DataFrame, issues: pd.DataFrame) -> Table:
    """Every field that will be written, record by record; a text that Sage's limits cut is marked."""
    cut = issues[issues["code"] == "text_cut"]
    whole = list(zip(cut["field"], cut["value"], strict=True))
    rows = list(
        zip(masters["kind"], masters["id"], masters["field"], masters["value"], strict=True)
    )
    return table(
        masters.assign(
            record=[f"{kind} {identity}" for kind, identity, _, _ in rows],
            cut=[_cut_from(name, value, whole) for _, _, name, value in rows],
        ),
        "To be created in Sage 50 first",
        columns={"record": "Record", "field": "Field", "value": "Value", "cut": "Cut from"},
        group="record",
        empty="Nothing needs to be created.",
    )


def _cut_from(name: str, value: str, whole: Sequence[tuple[str, str]]) -> str:
    """The whole text that `value` is the beginning of, if it was cut."""
    longer = (text for field, text in whole if field == name and text != value)
    return next((text for text in longer if text.startswith(value.strip())), "")


def _planned_table(documents: pd.DataFrame) -> Table:
    """The documents, each with the amount that people know it by."""
    types = set(documents["type"]) if len(documents) else set()
    noted = "note" in documents and documents["note"].str.contains(DISPUTED).any()
    notes = [
        CREDITS_COUNT if "credit_memo" in types else "",
        f"{DISPUTED[:1].upper()}{DISPUTED[1:]}: {DISPUTE}" if noted else "",
    ]
    return table(
        _typed(documents),
        "Documents in posting order",
        columns=DOCUMENTS,
        sums=["total"],
        note=" ".join(note for note in notes if note),
    )


def _pushed_table(report: PushReportLike) -> Table:
    """The documents with their state; where some are not posted, how much of the total is."""
    posted = report.totals.get("posted")
    documents = report.documents
    part = posted is not None and posted != total(documents["total"]) and not report.dry_run
    note = f"Posted: {cell_text(posted)} of the total." if part else ""
    return table(_typed(documents), "Documents", columns=DOCUMENTS, sums=["total"], note=note)


def _gl_table(entries: pd.DataFrame) -> Table:
    """The GL entries; what Sage makes itself stands in columns of its own, as in the accounts below."""
    ours, shown = entries["made_by"] == "kit", entries.copy()
    if not ours.all():
        for side in SIDES[:2]:
            shown[side] = entries[side].where(ours)
            shown[f"sage_{side}"] = entries[side].where(~ours)
    return table(
        shown,
        "GL entries by document",
        columns=GL_ENTRIES,
        sums=SIDES,
        blank_zeros=SIDES,
        group="document",
        note="" if ours.all() else SAGES_OWN,
    )


def _account_table(by_account: pd.DataFrame) -> Table:
    title, columns = "GL entries by account", dict(BY_ACCOUNT)
    if not any(total(by_account[side]) for side in SIDES[2:] if side in by_account):
        columns = {name: words for name, words in columns.items() if name not in SIDES[2:]}
    return table(by_account, title, columns=columns, sums=[*SIDES, "net"], blank_zeros=SIDES)


def _screens(documents: pd.DataFrame, screens: Mapping[Any, str]) -> Table:
    """Where a person looks the documents up in Sage 50, for each kind that was posted."""
    import pandas as pd

    kinds = dict.fromkeys(documents["type"]) if len(documents) else {}
    known: dict[str, str] = {**dict(SAGE_SCREENS.items()), **screens}
    rows = [[TYPES.get(kind, kind), known[kind]] for kind in kinds if kind in known]
    return table(
        pd.DataFrame(rows, columns=["Documents", "Screen in Sage 50"]), "Where to look in Sage 50"
    )


def _typed(documents: pd.DataFrame) -> pd.DataFrame:
    """The same documents with their type in words."""
    if "type" not in documents.columns:
        return documents
    return documents.assign(type=[TYPES.get(kind, kind) for kind in documents["type"]])


def _facts(
    totals: Mapping[str, Decimal] | Mapping[str, int] | Mapping[str, Decimal | int | str],
) -> tuple[tuple[str, Cell], ...]:
    return tuple((heading(name), value) for name, value in totals.items())


def _amount_words(name: str) -> str:
    """How the report calls a total of what was done: `posted` is an amount, a change is a change."""
    if name.endswith("_change"):
        return f"Change of {name.removesuffix('_change')}"
    return f"Amount {_words(name)}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _sentence(totals: Mapping[str, Decimal | int | str]) -> str:
    counted = (
        f"{cell_text(totals['documents'])} documents" if "documents" in totals else "no documents"
    )
    names = [name for name in ("debits", "credits", "difference") if name in totals]
    return ", ".join([counted, *(f"{name} {cell_text(totals[name])}" for name in names)]) + "."


def _worst_tone(issues: pd.DataFrame) -> Tone:
    found = set(issues["severity"])
    if "block" in found:
        return "bad"
    return "warn" if found & {"refuse", "warn"} else "good"


def _status_tone(status: str) -> Tone:
    tones: dict[str, Tone] = {"completed": "good", "completed_with_warnings": "warn"}
    return tones.get(status, "bad")
