"""The proof listing of a plan: what will stand in the books, before anything is written.

Who makes an entry is marked: the kit posts revenue, receivables, payables, tax; Sage makes inventory and
cost of sales of stock items itself. Before posting, Sage's own entries are ConnectWise's cost, an expectation.
The seed also shows a Salaries/Wages against Cost of Sales pair at the sale of non-stock and service items;
it is disputed, so it is a note without amount and never an entry (design 9.9).
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, get_args

from sage50kit.issues import issues_frame
from sage50kit.model import (
    DISPUTED,
    CreditStatus,
    Customer,
    Document,
    GLEntry,
    Item,
    ItemClass,
    Master,
    Plan,
    Vendor,
    entry,
    fold,
)
from sage50kit.money import ZERO, money_series, text, total

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from sage50kit.model import Books, LeftOut, Transaction

# Values of our own making; every other text is somebody's name and stays as it is.
WORDED = frozenset({*get_args(ItemClass), *get_args(CreditStatus)})


def gl_entries(documents: Iterable[Document], books: Books) -> list[GLEntry]:
    """Every GL entry the documents will make, control account first, Sage's own ones marked."""
    return [row for document in documents for row in _entries_of(document, books)]


def _entries_of(document: Document, books: Books) -> Iterable[GLEntry]:
    maker: dict[str, Any] = {"made_by": "sage"} if document.is_decrease else {}
    if document.control_account_id:
        yield entry(
            document,
            document.control_account_id,
            document.control_amount,
            description=document.memo,
            **maker,
        )
    for line in document.distributions:
        yield entry(
            document,
            line.account_id,
            line.amount,
            description=line.description,
            item_id=line.item_id,
            **maker,
        )
        if line.item_class == "stock" and document.type in ("sales_invoice", "credit_memo"):
            yield from _cost_of_sales(document, line.item_id, line.cost, line.quantity, books)


def _cost_of_sales(
    document: Document, item_id: str, cost: Decimal, quantity: Decimal, books: Books
) -> Iterable[GLEntry]:
    """The pair Sage makes for a stock item: cost of sales against inventory, reversed on returns."""
    item = books.item.get(fold(item_id))
    if item is None or not quantity:
        return
    goes_out = (document.type == "sales_invoice") == (quantity > 0)
    amount = cost if goes_out else -cost
    words: dict[str, Any] = {"item_id": item_id, "made_by": "sage"}
    yield entry(document, item.cogs_account_id, amount, description="Cost of sales", **words)
    yield entry(document, item.inventory_account_id, -amount, description="Cost of sales", **words)


@dataclass(frozen=True, kw_only=True)
class Proof:
    """The proof listing: frames for people, totals for control.

    Built from a plan and the books alone, so every format of it shows the same figures.
    """

    plan: Plan
    books: Books
    beside: tuple[LeftOut, ...] = ()  # what was read of these kinds and is not in the plan

    @property
    def batch(self) -> str:
        """The batch number."""
        return self.plan.batch

    @cached_property
    def entries(self) -> list[GLEntry]:
        """The GL entries behind the frames."""
        return gl_entries(self.plan.documents, self._books_after)

    @cached_property
    def _books_after(self) -> Books:
        """The books with the masters that will be created."""
        from dataclasses import replace

        new = [row for row in self.plan.masters if isinstance(row, Item)]
        return replace(self.books, items=(*self.books.items, *new))

    @cached_property
    def documents(self) -> pd.DataFrame:
        """One row per document, in posting order."""
        rows = [
            {
                "order": order,
                "document": row.label,
                "type": row.type,
                "number": row.number,
                "party_id": row.party_id,
                "party": row.party_name,
                "date": row.posting_date,
                "due_date": row.due_date,
                "reference": row.reference,
                "lines": len(row.distributions),
                "total": row.total,
                "note": _note(row),
            }
            for order, row in enumerate(self.plan.documents, start=1)
        ]
        columns = (
            "order document type number party_id party date due_date reference lines total note"
        )
        return money_frame(rows, columns.split(), ("total",))

    @cached_property
    def gl_entries(self) -> pd.DataFrame:
        """One row per GL entry, debit and credit in two columns."""
        rows = [
            {
                "document": row.document,
                "number": row.number,
                "date": row.date,
                "account_id": row.account_id,
                "account": self._account_name(row.account_id),
                "debit": row.debit,
                "credit": row.credit,
                "description": row.description,
                "made_by": row.made_by,
            }
            for row in self.entries
        ]
        columns = "document number date account_id account debit credit description made_by"
        return money_frame(rows, columns.split(), ("debit", "credit"))

    @cached_property
    def by_account(self) -> pd.DataFrame:
        """One row per account: what the kit posts, the net, and what Sage makes beside it."""
        sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
        for row in self.entries:
            side = "" if row.made_by == "kit" else "sage_"
            sums[row.account_id][side + "debit"] += row.debit
            sums[row.account_id][side + "credit"] += row.credit
        rows = [
            {
                "account_id": account_id,
                "account": self._account_name(account_id),
                "debit": found["debit"],
                "credit": found["credit"],
                "net": found["debit"] - found["credit"],
                "sage_debit": found["sage_debit"],
                "sage_credit": found["sage_credit"],
            }
            for account_id, found in sorted(sums.items())
        ]
        columns = ["account_id", "account", "debit", "credit", "net", "sage_debit", "sage_credit"]
        return money_frame(rows, columns, columns[2:])

    @cached_property
    def masters(self) -> pd.DataFrame:
        """Customers, vendors and items to be created: one row per field that will be written."""
        rows = [row for master in self.plan.masters for row in _master_rows(master)]
        return _text_frame(rows, ("kind", "id", "field", "value"))

    @cached_property
    def issues(self) -> pd.DataFrame:
        """The findings, worst first."""
        return issues_frame(self.plan.issues)

    @cached_property
    def left_out(self) -> pd.DataFrame:
        """What stays unposted, and why."""
        return reasons_frame(self.plan.left_out)

    @cached_property
    def not_in_batch(self) -> pd.DataFrame:
        """What ConnectWise lists of these kinds beside the plan: one row for each reason."""
        groups: dict[tuple[str, str], list[LeftOut]] = defaultdict(list)
        for row in self.beside:
            groups[row.kind, row.reason].append(row)
        rows = [
            {
                "kind": kind,
                "transactions": len(found),
                "total": total(row.total for row in found),
                "reason": reason,
                "keys": _first_keys(found),
            }
            for (kind, reason), found in sorted(groups.items())
        ]
        return money_frame(rows, ["kind", "transactions", "total", "reason", "keys"], ("total",))

    @cached_property
    def cleared(self) -> pd.DataFrame:
        """What enters the batch without a document, and why."""
        return reasons_frame(unposted_members(self.plan))

    @cached_property
    def totals(self) -> dict[str, Decimal | int | str]:
        """Control totals; `hash_total` is a digest over every document and amount in order."""
        documents = self.plan.documents
        ours = [row for row in self.entries if row.made_by == "kit"]
        debited, credited = total(row.debit for row in ours), total(row.credit for row in ours)
        counts = Counter(row.type for row in documents)
        return {
            "documents": len(documents),
            "transactions": len(self.plan.transactions),
            **{f"documents_{name}": count for name, count in sorted(counts.items())},
            "new_masters": len(self.plan.masters),
            "left_out": len(self.plan.left_out),
            "debits": debited,
            "credits": credited,
            "difference": debited - credited,
            "receivables_change": _control(documents, ("sales_invoice", "credit_memo")),
            "payables_change": -_control(documents, ("purchase",)),
            "control_total": total(row.total for row in documents),
            "hash_total": _hash_total(documents),
        }

    def _account_name(self, account_id: str) -> str:
        account = self.books.account.get(fold(account_id))
        return account.description if account else ""

    def __repr__(self) -> str:
        """Short, for logs."""
        return f"<Proof {self.batch}: {len(self.plan.documents)} documents>"

    def _repr_html_(self) -> str:
        from sage50kit.reports.html import proof_html

        return proof_html(self, fragment=True)


def money_frame(
    rows: Sequence[dict[str, Any]], columns: Sequence[str], amounts: Iterable[str]
) -> pd.DataFrame:
    """A frame with these columns, even of no rows; the named ones hold exact money."""
    from sage50kit.frame import Frame

    frame = Frame(list(rows), columns=list(columns))
    for column in amounts:
        frame[column] = money_series([row[column] for row in rows])
    return frame


def unposted_members(plan: Plan) -> list[Transaction]:
    """The transactions that enter the batch without a posting: those of joined documents among them."""
    return [row for row in plan.transactions if row.disposition != "post"]


def reasons_frame(rows: Iterable[Any]) -> pd.DataFrame:
    """Records for which nothing is posted, each with its reason."""
    listed = [
        {
            "key": row.key,
            "kind": row.kind,
            "number": row.number,
            "total": row.total,
            "reason": row.reason,
        }
        for row in rows
    ]
    return money_frame(listed, ["key", "kind", "number", "total", "reason"], ("total",))


def _first_keys(rows: Sequence[LeftOut]) -> str:
    """The first keys; the rest is counted, so that a long list stays a line."""
    shown = ", ".join(row.key for row in rows[:5])
    return f"{shown} and {len(rows) - 5} more" if len(rows) > 5 else shown


def _text_frame(rows: Sequence[dict[str, str]], columns: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(list(rows), columns=list(columns), dtype="str")


def _control(documents: Iterable[Document], types: Sequence[str]) -> Decimal:
    return total(row.control_amount for row in documents if row.type in types)


def _hash_total(documents: Iterable[Document]) -> str:
    running = hashlib.sha256()
    for row in documents:
        running.update(f"{row.label} {row.fingerprint}\n".encode())
    return running.hexdigest()[:16]


def _note(document: Document) -> str:
    notes = []
    if document.waiting_on_bill:
        notes.append("waiting on bill")
    if any(line.role == "rounding" for line in document.distributions):
        notes.append("rounding line")
    if document.generation > 1:
        notes.append(f"generation {document.generation}")
    if document.type in ("sales_invoice", "credit_memo") and any(
        line.item_class in ("non_stock", "service") for line in document.distributions
    ):
        notes.append(DISPUTED)
    return "; ".join(notes)


def _master_rows(master: Master) -> Iterable[dict[str, str]]:
    """Every field that will be written, empty ones left out."""
    kind, identity = _kind_and_id(master)
    values = [(item.name, getattr(master, item.name)) for item in fields(master)]
    address = getattr(master, "address", None)
    if address is not None:
        place = next(at for at, (name, _) in enumerate(values) if name == "address")
        parts = [(f"address_{part.name}", getattr(address, part.name)) for part in fields(address)]
        values[place : place + 1] = parts
    for name, value in values:
        if value not in ("", None, ZERO, False):
            yield {"kind": kind, "id": identity, "field": _field_words(name), "value": _said(value)}


def _field_words(name: str) -> str:
    """`sales_account_id` as people say it: sales account ID."""
    words = name.replace("_", " ").replace("cogs", "cost of sales")
    return f"{words.removesuffix(' id')} ID" if words.endswith(" id") else words


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes"  # what is not so is left out
    if isinstance(value, Decimal):
        return text(value)
    return value.replace("_", " ") if value in WORDED else str(value)


def _kind_and_id(master: Master) -> tuple[str, str]:
    if isinstance(master, Customer):
        return "customer", master.customer_id
    if isinstance(master, Vendor):
        return "member vendor" if master.is_member else "vendor", master.vendor_id
    return "item", master.item_id
