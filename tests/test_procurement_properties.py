"""Random expenses, receipts, adjustments and transfers: each ends in one place, nothing is lost or made up."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sage50kit.batch.mapping import Setup
from sage50kit.batch.planning import Detail, ExpenseGroup, Prepared, prepare
from sage50kit.batch.proof import gl_entries
from sage50kit.connectors.embedded import read_lists
from sage50kit.connectwise import wire
from sage50kit.model import BLOCKED, Document, Transaction
from sage50kit.profile import PushSettings
from sage50kit.sandbox.dataset import fixtures_folder

CENT = Decimal("0.01")
POSITIVE = st.decimals("0", "5000", places=2)
AMOUNTS = st.one_of(POSITIVE, POSITIVE, POSITIVE, st.decimals("-900", "0", places=2))


def mostly(good: list[Any], bad: list[Any]) -> st.SearchStrategy[Any]:
    """Nearly always what fits, so that documents come out as well as findings."""
    return st.sampled_from([*good * (40 // len(good)), *bad])


PENNIES = mostly([Decimal(0)], [Decimal("0.02"), Decimal("-0.05"), Decimal("3.10")])
DAYS = mostly(["2026-10-12T00:00:00", "10/12/2026 5:21:58 AM"], ["2024-01-05", ""])
COST_ACCOUNTS = mostly(["5000", "6100", "6100:"], ["", "9999"])
STOCK_ACCOUNTS = mostly(["1200", "1210"], ["", "9999"])
Record = tuple[list[Transaction], dict[str, Any], set[int]]  # listed rows, export, GL-entry ids


@cache
def books():
    return read_lists(fixtures_folder() / "company")[0]


def row_of(kind: Any, key: str, total: Decimal, entry_ids: tuple[int, ...]) -> Transaction:
    """A row of an unposted list."""
    return Transaction(
        key=f"{kind}:{key}",
        kind=kind,
        type="",
        number=key,
        date=date(2026, 10, 12),
        party="Somebody",
        party_id="",
        total=total,
        entry_ids=entry_ids,
    )


# --- expenses: one bill of many rows, or one journal entry a row ------------------------------

EXPENSES = st.fixed_dictionaries(
    {
        "rows": st.lists(
            st.fixed_dictionaries(
                {
                    "total": AMOUNTS,
                    "accountNumber": COST_ACCOUNTS,
                    "glTypeId": st.sampled_from(["EE", "EI", "ET"]),
                    "reimbursable": st.sampled_from([True, True, None, False]),
                    "companyAdvance": st.sampled_from([False, False, None, True]),
                }
            ),
            max_size=4,
        ),
        "as_bill": st.booleans(),
        "penny": PENNIES,
        "header_counts_all": st.booleans(),
        "vendor": mostly(["E-JDOE", "e-jdoe"], ["E-NEW", ""]),
        "day": DAYS,
    }
)


def expenses(number: int, drawn: dict[str, Any]) -> Record:
    """The listed rows of a report and its export; the first row is listed under the bill's own id too."""
    base = 1_000_000 + number * 100
    details = [
        {**row, "id": [base + 2 * n, base + 2 * n + 1], "memo": f"line {n}"}
        for n, row in enumerate(drawn["rows"], start=1)
    ]
    listed = [
        row_of("expense", str(base + n), row["total"], (row["id"][0],))
        for n, row in enumerate(details, start=1)
    ]
    if not drawn["as_bill"]:
        return listed, {"expenses": [_journal(drawn, row) for row in details]}, _ids(details)
    counted = [row for row in details if drawn["header_counts_all"] or is_owed(row)]
    bill = {
        "id": base,
        "documentDate": drawn["day"],
        "documentNumber": f"EXP{base}",
        "apAccountNumber": "2000",
        "member": {"id": 1, "identifier": "jdoe"},
        "vendorNumber": drawn["vendor"],
        "total": sum((row["total"] for row in counted), drawn["penny"]),
        "detail": details,
    }
    return listed, {"expenseBills": [bill] if details else []}, _ids(details)


def _journal(drawn: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"][0],
        "documentDate": drawn["day"],
        "accountNumber": row["accountNumber"],
        "total": row["total"],
        "offset": {"id": row["id"][1], "accountNumber": "2100", "total": -row["total"]},
    }


def _ids(details: list[dict[str, Any]]) -> set[int]:
    return {entry for row in details for entry in row["id"]}


def is_owed(row: dict[str, Any]) -> bool:
    return not row["companyAdvance"] and row["reimbursable"] is not False


# --- receipts: product, freight and tax lines of one packing slip -----------------------------

RECEIPTS = st.fixed_dictionaries(
    {
        "lines": st.lists(
            st.fixed_dictionaries(
                {
                    "total": AMOUNTS,
                    "quantity": st.integers(-3, 20),
                    "item": mostly(
                        ["PATCH10", "M365-BP", "ONSITE-HR", "MISC-ADAPTER", ""], ["NEW-1", "N" * 25]
                    ),
                    "itemTypeXref": st.sampled_from(
                        ["Inventory Part", "Non-Inventory Part", "Service", "Other Charge", "", "?"]
                    ),
                    "inventoryAccountNumber": STOCK_ACCOUNTS,
                    "costAccountNumber": COST_ACCOUNTS,
                }
            ),
            max_size=4,
        ),
        "freight": st.sampled_from([None, Decimal(45), Decimal("12.50")]),
        "taxes": st.lists(st.tuples(st.sampled_from(["PT", "FT"]), AMOUNTS), max_size=2),
        "bill": mostly(["", "IM-1", "IM-2", "IM-3"], ["L" * 25]),
        "vendor": mostly(["INGRAM", "ingram"], ["NORDICRACK", "BAD|ID", ""]),
        "penny": PENNIES,
        "day": DAYS,
    }
)


def receipt(number: int, drawn: dict[str, Any]) -> Record:
    """The listed row of a packing slip and its export: header positive, lines negative."""
    base = 2_000_000 + number * 100
    lines = [
        {
            "id": base + n,
            "glTypeId": "RP",
            "accountNumber": "4100",
            "total": -line["total"],
            "quantity": -line["quantity"],
            "item": {"identifier": line["item"]},
            **{name: line[name] for name in line if name.endswith(("Xref", "Number"))},
        }
        for n, line in enumerate(drawn["lines"], start=1)
    ]
    if drawn["freight"] is not None:
        freight = {"glTypeId": "PF", "accountNumber": "5200", "total": -drawn["freight"]}
        lines.append({"id": base + 50, **freight})
    taxes = [
        {"id": base + 60 + n, "glTypeId": kind, "accountNumber": "5000", "total": -amount}
        for n, (kind, amount) in enumerate(drawn["taxes"])
    ]
    total = -sum((row["total"] for row in [*lines, *taxes]), -drawn["penny"])
    header = {
        "id": f"PO #{number}, Packing Slip: A",
        "documentDate": drawn["day"],
        "documentNumber": str(number),
        "apAccountNumber": "2000",
        "vendorNumber": drawn["vendor"],
        "vendorInvoiceNumber": drawn["bill"],
        "freightAmount": drawn["freight"],
        "total": total,
        "purchaseDetail": lines,
        "purchaseDetailTax": taxes,
    }
    ids = {row["id"] for row in [*lines, *taxes]}
    listed = row_of("receipt", f"{number}-A-purchase", total, tuple(sorted(ids))[:1])
    return [listed], {"purchaseTransactions": [header]}, ids


# --- adjustments and transfers ------------------------------------------------------------------

ADJUSTMENTS = st.fixed_dictionaries(
    {
        "rows": st.lists(
            st.fixed_dictionaries(
                {
                    "quantity": st.integers(-9, 9),
                    "total": st.decimals("0.01", "900", places=2),
                    "item": mostly(["PATCH10", "FW-60F"], ["NEW-2", "M365-BP", ""]),
                    "inventoryAccountNumber": STOCK_ACCOUNTS,
                }
            ),
            max_size=4,
        ),
        "account": COST_ACCOUNTS,
        "day": DAYS,
    }
)
TRANSFERS = st.fixed_dictionaries(
    {
        "rows": st.lists(st.tuples(STOCK_ACCOUNTS, STOCK_ACCOUNTS, AMOUNTS), max_size=3),
        "day": DAYS,
    }
)


def adjustment(number: int, drawn: dict[str, Any]) -> Record:
    """The listed row of an adjustment, joined, and its export, whose details have no ids."""
    ids = tuple(3_000_000 + number * 100 + n for n in range(1, len(drawn["rows"]) + 1))
    rows = [{**row, "item": {"identifier": row["item"]}} for row in drawn["rows"]]
    header = {
        "id": str(number),
        "documentDate": drawn["day"],
        "accountNumber": drawn["account"],
        "adjustmentDescription": f"{number}-Count",
        "adjustmentDetail": rows,
    }
    listed = row_of("adjustment", f"{number}-adjustment", Decimal(0), ids)
    return [listed], {"adjustmentTransactions": [header]}, set(ids)


def transfer(number: int, drawn: dict[str, Any]) -> Record:
    """The listed row of a transfer, joined, and its export, one row for each item."""
    base = 4_000_000 + number * 100
    rows = [
        {
            "id": str(base + 2 * n),
            "transferId": number,
            "documentDate": drawn["day"],
            "accountNumber": to,
            "total": amount,
            "offset": {"id": base + 2 * n + 1, "accountNumber": sender, "total": -amount},
        }
        for n, (to, sender, amount) in enumerate(drawn["rows"], start=1)
    ]
    ids = {base + 2 * n + side for n in range(1, len(rows) + 1) for side in (0, 1)}
    own = tuple(int(row["id"]) for row in rows)
    listed = row_of("transfer", f"{number}-transfer", Decimal(0), own)
    return [listed], {"inventoryTransfers": rows}, ids


# --- what must be true of all of it -----------------------------------------------------------


def planned(records: list[Record], *, bills: list[Record], push: PushSettings) -> Prepared:
    """What planning makes of it when what is blocked is left out."""
    together: dict[str, list[Any]] = {}
    for _, export, _ in records:
        for table, rows in export.items():
            together.setdefault(table, []).extend(rows)
    groups = tuple(
        ExpenseGroup(
            keys=tuple(row.key for row in listed), export=wire.GLExport.model_validate(export)
        )
        for listed, export, _ in bills
    )
    return prepare(
        [row for listed, _, _ in [*bills, *records] for row in listed],
        Detail(expenses=groups, procurement=wire.GLExport.model_validate(together)),
        books=books(),
        setup=Setup(),
        push=push,
        leave_out_blocked=True,
    )


def each_in_one_place(prepared: Prepared, records: list[Record]) -> set[str]:
    """Every transaction is posted, or batched with a reason, or left out with one; the keys of the posted."""
    posted = {key for document in prepared.documents for key in document.transactions}
    silent = {row.key for row in prepared.transactions if row.disposition != "post"}
    left = {row.key for row in prepared.left_out}
    places = Counter([*posted, *silent, *left])

    assert places == Counter(row.key for listed, _, _ in records for row in listed)
    assert {row.key for row in prepared.transactions} == posted | silent
    assert all(row.reason for row in prepared.transactions if row.key in silent)
    assert all(row.reason.startswith(BLOCKED) for row in prepared.left_out)
    assert not any("nobody said why" in row.reason for row in prepared.left_out)
    assert not any(issue.severity == "block" for issue in prepared.issues)
    return posted


def all_entries_are_batched(prepared: Prepared, records: list[Record]) -> None:
    """The batch holds every GL entry of what is posted or cleared and no other (invariant 6)."""
    kept = {row.key for row in prepared.transactions}
    batched = {entry for row in prepared.transactions for entry in row.entry_ids}
    wanted = {
        entry
        for listed, _, ids in records
        for entry in ids
        if listed and all(row.key in kept for row in listed)
    }

    assert wanted <= batched
    assert batched <= {entry for _, _, ids in records for entry in ids}


def balances(documents: tuple[Document, ...]) -> None:
    """Debits are credits, document by document and over all."""
    for document in documents:
        assert document.control_amount + sum(row.amount for row in document.distributions) == 0
        assert all(row.account_id for row in document.distributions if row.amount)
        roundings = [row.amount for row in document.distributions if row.role == "rounding"]
        assert sum(map(abs, roundings)) <= Decimal("0.05")
    entries = gl_entries(documents, books())
    assert sum(row.debit for row in entries) == sum(row.credit for row in entries)


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


PUSH = st.builds(
    PushSettings,
    rounding_account=st.sampled_from(["", "6900"]),
    same_vendor_invoice=st.sampled_from(["block", "suffix"]),
    create=st.sampled_from([(), ("vendor", "member", "item")]),
)


@settings(max_examples=120, deadline=None)
@given(st.lists(EXPENSES, min_size=1, max_size=4), PUSH)
def test_expenses_are_owed_once_or_said(drawn, push):
    """A bill owes the member what ConnectWise says; an expense that is no bill is one journal entry."""
    records = [expenses(number, one) for number, one in enumerate(drawn, start=1)]
    prepared = planned([], bills=records, push=push)

    posted = each_in_one_place(prepared, records)
    all_entries_are_batched(prepared, records)
    balances(prepared.documents)
    for (listed, export, _), one in zip(records, drawn, strict=True):
        made = [row for row in prepared.documents if row.key in {row.key for row in listed}]
        if not one["as_bill"]:
            assert {row.key: row.distributions[0].amount for row in made} == {
                row.key: row.total for row in listed if row.key in posted
            }
        for document in made if one["as_bill"] else ():
            assert document.transactions == tuple(row.key for row in listed)
            owed = sum(row["total"] for row in one["rows"] if is_owed(row))
            allowed = {owed, export["expenseBills"][0]["total"]}
            assert document.total in allowed


@settings(max_examples=150, deadline=None)
@given(st.lists(RECEIPTS, min_size=1, max_size=4), PUSH)
def test_receipts_are_payable_once_or_said(drawn, push):
    """A packing slip becomes one purchase of its total; without a vendor invoice it waits for the bill."""
    records = [receipt(number, one) for number, one in enumerate(drawn, start=1)]
    prepared = planned(records, bills=[], push=push)

    each_in_one_place(prepared, records)
    all_entries_are_batched(prepared, records)
    balances(prepared.documents)
    of_key = {row.key: row for row in prepared.documents}
    for (listed, _, _), one in zip(records, drawn, strict=True):
        document = of_key.get(listed[0].key)
        if document is not None:
            assert -document.control_amount == document.source_total == listed[0].total
            assert document.waiting_on_bill == (not one["bill"])
            freight = sum(row.amount for row in document.distributions if row.role == "freight")
            assert freight == (one["freight"] or 0)
    references = Counter(
        (row.party_id.casefold(), row.reference) for row in prepared.documents if row.reference
    )
    assert set(references.values()) <= {1}


@settings(max_examples=120, deadline=None)
@given(st.lists(ADJUSTMENTS, min_size=1, max_size=3), st.lists(TRANSFERS, max_size=3), PUSH)
def test_goods_move_once_or_it_is_said(adjusted, transferred, push):
    """Each adjusted item is one document of its value, a transfer one entry where the accounts differ."""
    records = [adjustment(number, one) for number, one in enumerate(adjusted, start=1)]
    moves = [transfer(number, one) for number, one in enumerate(transferred, start=1)]
    prepared = planned([*records, *moves], bills=[], push=push)

    posted = each_in_one_place(prepared, [*records, *moves])
    all_entries_are_batched(prepared, [*records, *moves])
    balances(prepared.documents)
    for (listed, _, _), one in zip(records, adjusted, strict=True):
        made = [row for row in prepared.documents if row.key == listed[0].key]
        wanted = [row for row in one["rows"] if row["quantity"]] if made else []
        assert Counter((row.distributions[0].quantity, row.total) for row in made) == Counter(
            (-row["quantity"], row["total"]) for row in wanted
        )
    for (listed, _, _), one in zip(moves, transferred, strict=True):
        if listed[0].key in posted:
            document = next(row for row in prepared.documents if row.key == listed[0].key)
            moved = [rounded(amount) for to, sender, amount in one["rows"] if to != sender]
            assert document.total == sum(map(abs, moved))
