"""The pages of receivables: the reconciliation of both systems and the ledger, and the ageing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sage50kit.money import text
from sage50kit.reports.files import save_page
from sage50kit.reports.html import document, part
from sage50kit.reports.page import Page, Tone, table
from sage50kit.reports.picture import bars

if TYPE_CHECKING:
    from pathlib import Path

    from sage50kit.payments.ageing import Ageing
    from sage50kit.payments.reconcile import Reconciliation
    from sage50kit.reports.page import Cell, Table

DIFFERENCES = {
    "class": "Class",
    "number": "Invoice",
    "customer_id": "Customer",
    "date": "Date",
    "amount": "Difference",
    "words": "Why, and what to do",
    "place": "In Sage 50",
    "settled_by": "Receipts and credits",
    "key": "Key (ConnectWise id)",
}
ACKNOWLEDGED = {
    "class": "Class",
    "number": "Invoice",
    "customer_id": "Customer",
    "date": "Date",
    "amount": "Difference",
    "acknowledged": "Acknowledged",
    "place": "In Sage 50",
    "key": "Key (ConnectWise id)",
}
ITEMS = {
    "number": "Invoice",
    "customer_id": "ID",
    "customer": "Customer",
    "date": "Date",
    "due_date": "Due",
    "connectwise": "ConnectWise",
    "sage": "Sage 50",
    "ledger": "Receivable account",
    "class": "Class",
    "place": "In Sage 50",
    "key": "Key (ConnectWise id)",
}
BUCKETS = {
    "current": "Current",
    "1_30": "1-30 days",
    "31_60": "31-60 days",
    "61_90": "61-90 days",
    "over_90": "Over 90 days",
    "unapplied_credits": "Unapplied credits",
}
OPEN_ITEMS = {
    "customer_id": "ID",
    "customer": "Customer",
    "number": "Invoice",
    "date": "Date",
    "due_date": "Due",
    "days": "Days",
    "bucket": "Bucket",
    "amount": "Open",
    "place": "In Sage 50",
}
SUMMARY = {"class": "Class", "count": "How many", "amount": "Account less ConnectWise"}
MOST = 50  # rows of a table in a notebook cell
BY = {"due_date": "due date", "invoice_date": "invoice date"}
THREE = ("connectwise", "sage", "ledger")


def html(page: Page, *, fragment: bool = False) -> str:
    """A page as a file, or for a notebook cell."""
    return part(page) if fragment else document(page)


def reconciliation_page(found: Reconciliation, *, brief: bool = False) -> Page:
    """Summary, roll-forward, differences, then every open receivable with its three amounts.

    Args:
        found: the outcome.
        brief: for a notebook cell: the first differences only, and not what matched.
    """
    roll_forward = table(
        found.roll_forward,
        "Roll-forward",
        columns={"movement": "Movement", "sage": "Sage 50 documents", "ledger": "General ledger"},
        note=f"From {found.since} to {found.as_of}, account {', '.join(found.accounts)}.",
    )
    return Page(
        title=f"Receivables at the end of {found.as_of}",
        headline=_headline(found),
        tone=_tone(found),
        facts=(
            ("ConnectWise: open invoices", found.connectwise),
            ("Sage 50: open items", found.sage),
            ("Sage 50: receivable account", found.ledger),
            ("Account less ConnectWise", found.ledger - found.connectwise),
            ("Unexplained", found.unexplained),
            *(
                (("Note", f"{found.as_of} is still to come: more will be entered."),)
                if found.is_early
                else ()
            ),
        ),
        tables=(
            table(found.summary, "Classes", columns=SUMMARY, sums=["amount"]),
            roll_forward,
            _differences(found, brief=brief),
            *_acknowledged(found),
            *([] if brief else [table(found.items, "Open receivables", columns=ITEMS, sums=THREE)]),
            *_left_out(found),
        ),
    )


def _differences(found: Reconciliation, *, brief: bool) -> Table:
    rows = found.differences
    rows = rows[(rows["acknowledged"] == "").to_numpy()]
    cut = brief and len(rows) > MOST
    note = "Account less ConnectWise: positive where Sage 50 shows more."
    note += f" The first {MOST} of {len(rows):,}; all are in the workbook." if cut else ""
    shown = rows.assign(words=(rows["why"] + " " + rows["fix"]).astype("object"))
    return table(
        shown.head(MOST) if cut else shown,
        "Differences",
        columns={name: title for name, title in DIFFERENCES.items() if (shown[name] != "").any()},
        sums=() if cut else ["amount"],
        group="class",
        note=note,
    )


def _acknowledged(found: Reconciliation) -> tuple[Table, ...]:
    """What a person has looked at and found as it should be, apart from the rest."""
    rows = found.differences
    rows = rows[(rows["acknowledged"] != "").to_numpy()]
    if not len(rows):
        return ()
    note = "Looked at before, with the same amount; they are part of the classes above."
    return (
        table(
            rows, "Acknowledged", columns=ACKNOWLEDGED, sums=["amount"], group="class", note=note
        ),
    )


def ageing_page(ageing: Ageing, *, brief: bool = False) -> Page:
    """Buckets as a picture and by customer, then every open item; not these when `brief`."""
    customers = table(
        ageing.by_customer,
        "By customer",
        columns={"customer_id": "ID", "customer": "Customer", **BUCKETS, "total": "Total"},
        sums=[*BUCKETS, "total"],
        across="total",
        empty="Nobody owes anything.",
    )
    return Page(
        title=f"Ageing of receivables at the end of {ageing.as_of}",
        headline=_ageing_headline(ageing),
        tone="bad" if ageing.difference else "good",
        facts=_ageing_facts(ageing),
        picture=bars(
            f"Open receivables by {BY[ageing.by]} in {ageing.currency}",
            [(BUCKETS[name], amount) for name, amount in ageing.totals.items()],
        ),
        tables=(customers,) if brief else (customers, _open_items(ageing)),
    )


def _open_items(ageing: Ageing) -> Table:
    items = ageing.open_items
    return table(
        items.assign(bucket=items["bucket"].map(BUCKETS).astype("object")),
        "Open items",
        columns=OPEN_ITEMS,
        sums=["amount"],
    )


def save_reconciliation(found: Reconciliation, workdir: Path) -> list[Path]:
    """The reconciliation of a day as text, HTML and workbook."""
    return save_page(reconciliation_page(found), _folder(workdir), f"reconciliation-{found.as_of}")


def save_ageing(ageing: Ageing, workdir: Path) -> list[Path]:
    """The ageing of a day as text, HTML and workbook."""
    name = f"ageing-{ageing.as_of}-by-{ageing.by.replace('_', '-')}"
    return save_page(ageing_page(ageing), _folder(workdir), name)


def save(found: Reconciliation, ageing: Ageing, workdir: Path) -> list[Path]:
    """Both as text, HTML and workbook."""
    return [*save_reconciliation(found, workdir), *save_ageing(ageing, workdir)]


def _folder(workdir: Path) -> Path:
    return workdir / "receivables"


def _headline(found: Reconciliation) -> str:
    causes = [cause for row in found.lines for cause in row.causes]
    people = sum(cause.needs_a_person for cause in causes)
    if not found.is_proven:
        return f"Not proven: {text(found.unexplained)} is unexplained at the end of {found.as_of}."
    if not causes:
        return f"ConnectWise, Sage 50 and the ledger agree: {text(found.ledger)}; 0.00 unexplained."
    known = sum(bool(cause.acknowledged) for cause in causes)
    also = f", {known} acknowledged" if known else ""
    return (
        f"{len(causes)} differences, {people} for a person{also}; all explained, 0.00 unexplained."
    )


def _tone(found: Reconciliation) -> Tone:
    if not found.is_proven:
        return "bad"
    return "warn" if found.exit_code else "good"


def _left_out(found: Reconciliation) -> tuple[Table, ...]:
    import pandas as pd

    if not found.left_out:
        return ()
    names = {"number": "Invoice", "reason": "Reason", "key": "Key (ConnectWise id)"}
    names["acknowledged"] = "Acknowledged"
    rows = [{name: getattr(row, name) for name in names} for row in found.left_out]
    return (table(pd.DataFrame(rows, dtype="str"), "Not compared", columns=names),)


def _ageing_headline(ageing: Ageing) -> str:
    owed = f"Customers owe {text(ageing.total)} {ageing.currency}"
    if ageing.difference:
        return f"{owed}; the receivable account differs by {text(ageing.difference)}."
    return f"{owed}, and the receivable account agrees to the cent."


def _ageing_facts(ageing: Ageing) -> tuple[tuple[str, Cell], ...]:
    return (
        ("Aged by", BY[ageing.by]),
        ("Receivable accounts", ", ".join(ageing.accounts)),
        ("Open items", ageing.total),
        ("Entries of other journals", ageing.other_entries),
        ("Balance of the accounts", ageing.ledger),
        ("Difference", ageing.difference),
    )
