"""The three unposted lists, page by page from raw JSON into Arrow columns.

These lists are the only long ones, so they go through msgspec. Amounts are exact, days calendar days, and
whatever is not as published is an error that names the record.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from sage50kit.connectwise import assumptions
from sage50kit.connectwise.wire import parse_day
from sage50kit.errors import ConnectWiseUnreadable
from sage50kit.money import LIMIT, ZERO, exact, round_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sage50kit.model import Kind

ListKind = Literal["invoice", "expense", "procurement"]

PATHS: dict[ListKind, str] = {
    "invoice": "/finance/accounting/unpostedinvoices",
    "expense": "/finance/accounting/unpostedexpenses",
    "procurement": "/finance/accounting/unpostedprocurement",
}

_MONEY = pa.decimal128(19, 4)
_SMALLEST = Decimal("0.0001")
SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("kind", pa.string()),
        ("type", pa.string()),
        ("number", pa.string()),
        ("date", pa.date32()),
        ("party", pa.string()),
        ("party_id", pa.string()),
        ("location_id", pa.int64()),
        ("location", pa.string()),
        ("description", pa.string()),
        ("subtotal", _MONEY),
        ("tax", _MONEY),
        ("total", _MONEY),
        ("currency", pa.string()),
        ("due_date", pa.date32()),
        ("member", pa.string()),
        ("vendor_invoice", pa.string()),
        ("entry_ids", pa.string()),
        ("left_out", pa.string()),
    ]
)
NO_ENTRIES = "it has no GL entries: reopen and close it in ConnectWise"
NO_ACCOUNT = "its company has no account number: fill Account under Company Finance in ConnectWise"
NOT_PAID_BACK = "it is not paid back to the member ({type})"
NOBODY_IS_PAID = frozenset({"NonReimbursable", "Personal"})
KINDS_OF: dict[str, Kind] = {
    "Purchase": "receipt",
    "Adjustment": "adjustment",
    "Transfer": "transfer",
}
_KEY_FIELDS: dict[ListKind, str] = {
    "invoice": "billingLogId",
    "expense": "expenseDetailId",
    "procurement": "unpostedProductId",
}


class _Ref(msgspec.Struct, rename="camel"):
    id: int | None = None
    identifier: str | None = None
    name: str | None = None


class _Currency(msgspec.Struct, rename="camel"):
    currency_code: str | None = None
    currency_identifier: str | None = None


class _Invoice(msgspec.Struct, rename="camel"):
    id: int
    billing_log_id: int | None = None
    location_id: int | None = None
    location: _Ref | None = None
    company: _Ref | None = None
    account_number: str | None = None
    invoice_number: str | None = None
    invoice_date: str | None = None
    invoice_type: str | None = None
    description: str | None = None
    due_date: str | None = None
    currency: _Currency | None = None
    sub_total: Decimal | None = None
    total: Decimal | None = None
    sales_tax_amount: Decimal | None = None


class _Expense(msgspec.Struct, rename="camel"):
    id: int
    expense_detail_id: int | None = None
    location_id: int | None = None
    account_number: str | None = None
    expense_type: _Ref | None = None
    classification: str | None = None
    member: _Ref | None = None
    date_expense: str | None = None
    charge_description: str | None = None
    currency: _Currency | None = None
    total: Decimal | None = None
    sales_tax_amount: Decimal | None = None


class _Procurement(msgspec.Struct, rename="camel"):
    id: int
    unposted_product_id: str | None = None
    location_id: int | None = None
    procurement_type: str | None = None
    purchase_order: _Ref | None = None
    purchase_date: str | None = None
    date_closed: str | None = None
    description: str | None = None
    vendor: _Ref | None = None
    vendor_account_number: str | None = None
    vendor_invoice_number: str | None = None
    currency: _Currency | None = None
    total: Decimal | None = None


_DECODERS: dict[ListKind, msgspec.json.Decoder[Any]] = {
    "invoice": msgspec.json.Decoder(list[_Invoice]),
    "expense": msgspec.json.Decoder(list[_Expense]),
    "procurement": msgspec.json.Decoder(list[_Procurement]),
}


def read_list(kind: ListKind, pages: Iterable[bytes]) -> pa.Table:
    """One of the unposted lists as an Arrow table, one row per row of the list.

    Args:
        kind: which list.
        pages: its pages, as raw JSON.

    Raises:
        ConnectWiseUnreadable: a page is not the list of the contract; page and field are named.
    """
    converters: dict[ListKind, Callable[[list[Any]], pa.Table]] = {
        "invoice": _invoices,
        "expense": _expenses,
        "procurement": _procurement,
    }
    convert = converters[kind]
    tables = [convert(_decoded(kind, page, number)) for number, page in enumerate(pages, start=1)]
    return pa.concat_tables(tables) if tables else SCHEMA.empty_table()


def _decoded(kind: ListKind, page: bytes, number: int) -> list[Any]:
    try:
        rows: list[Any] = _DECODERS[kind].decode(page)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        what = f"page {number}{_record(page, str(error))} is not as the contract says: {error}"
        raise unreadable(kind, what) from error
    return rows


def _record(page: bytes, complaint: str) -> str:
    """Which record a complaint such as "... at `$[3].total`" is about, as people can look it up."""
    index = re.search(r"\$\[(\d+)\]", complaint)
    if index is None:
        return ""
    row = msgspec.json.decode(page)[int(index.group(1))]
    return f", record {row['id']}," if isinstance(row, dict) and "id" in row else ""


def unreadable(kind: ListKind, what: str) -> ConnectWiseUnreadable:
    """The error of a list that is not as published."""
    return ConnectWiseUnreadable(
        f"the list {PATHS[kind]} cannot be read: {what}. Fetch again; if it stays, open the record "
        "in ConnectWise or ask ConnectWise support.",
        url=PATHS[kind],
    )


def _table(kind: ListKind, rows: Sequence[Any], columns: dict[str, list[Any]]) -> pa.Table:
    arrays = []
    for field in SCHEMA:
        values = columns.get(field.name, [None] * len(rows))
        if field.type == pa.date32():
            arrays.append(_days(kind, rows, values, field.name))
        elif field.type == _MONEY:
            arrays.append(_amounts(kind, rows, values, field.name))
        elif field.type == pa.string():
            arrays.append(pa.array([value or "" for value in values], pa.string()))
        else:
            arrays.append(pa.array(values, field.type))
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def _days(kind: ListKind, rows: Sequence[Any], values: list[str | None], name: str) -> pa.Array:
    """Calendar days; the ISO form of the lists all at once, any other one by one."""
    try:
        texts = pa.array(values, pa.string())
        return pc.cast(pc.utf8_slice_codeunits(texts, 0, 10), pa.date32())
    except pa.ArrowInvalid:
        return _one_by_one(kind, rows, values, name, parse_day, pa.date32())


def _amounts(
    kind: ListKind, rows: Sequence[Any], values: list[Decimal | None], name: str
) -> pa.Array:
    """Exact amounts; what does not fit, or is no number, is an error and never a missing amount."""
    try:
        amounts = pa.array(values, _MONEY)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        amounts = None
    if amounts is None or amounts.null_count != values.count(None) or _is_too_large(amounts):
        return _one_by_one(kind, rows, values, name, _exact_amount, _MONEY)
    return amounts


def _is_too_large(amounts: pa.Array) -> bool:
    ends = pc.min_max(amounts).as_py()
    return any(end is not None and abs(end) >= LIMIT for end in ends.values())


def _exact_amount(value: Decimal | None) -> Decimal | None:
    if value is None:
        return None
    amount = exact(value)
    if round_to(amount, _SMALLEST) != amount:
        raise ValueError(f"{value} has more than four decimals")
    return amount


def _one_by_one(
    kind: ListKind,
    rows: Sequence[Any],
    values: Sequence[Any],
    name: str,
    read: Callable[[Any], Any],
    wanted: pa.DataType,
) -> pa.Array:
    """The slow way, which can tell which record is wrong."""
    found = []
    for row, value in zip(rows, values, strict=True):
        try:
            found.append(read(value))
        except ValueError as error:
            raise unreadable(kind, f"{name} of record {row.id}: {error}") from error
    return pa.array(found, wanted)


def _name(reference: _Ref | None) -> str:
    return (reference.name or reference.identifier or "") if reference else ""


def _code(currency: _Currency | None) -> str:
    return (currency.currency_code or currency.currency_identifier or "") if currency else ""


def _invoices(rows: list[_Invoice]) -> pa.Table:
    return _table(
        "invoice",
        rows,
        {
            "key": [f"invoice:{_id('invoice', row, row.billing_log_id)}" for row in rows],
            "kind": ["invoice"] * len(rows),
            "type": [row.invoice_type for row in rows],
            "number": [row.invoice_number for row in rows],
            "date": [row.invoice_date for row in rows],
            "party": [_name(row.company) for row in rows],
            "party_id": [row.account_number for row in rows],
            "location_id": [row.location_id for row in rows],
            "location": [_name(row.location) for row in rows],
            "description": [row.description for row in rows],
            "subtotal": [row.sub_total for row in rows],
            "tax": [row.sales_tax_amount for row in rows],
            "total": [row.total or ZERO for row in rows],
            "currency": [_code(row.currency) for row in rows],
            "due_date": [row.due_date for row in rows],
            "entry_ids": [
                "" if _has_no_entries(row.description, row.account_number) else str(row.id)
                for row in rows
            ],
            "left_out": [_invoice_reason(row) for row in rows],
        },
    )


def _invoice_reason(row: _Invoice) -> str:
    """Why ConnectWise cannot export an invoice that it lists (connectwise reference, 8.1)."""
    if _has_no_entries(row.description, row.account_number):
        return NO_ENTRIES
    return "" if row.account_number else NO_ACCOUNT


def _expense_reason(row: _Expense) -> str:
    """Why there is nothing to batch, or nobody to pay back (design 9.11)."""
    if _has_no_entries(row.charge_description, row.account_number):
        return NO_ENTRIES
    return (
        NOT_PAID_BACK.format(type=row.classification)
        if row.classification in NOBODY_IS_PAID
        else ""
    )


def _has_no_entries(description: str | None, account: str | None) -> bool:
    """Such a row stays listed for ever and cannot be batched (connectwise reference, 8.1)."""
    return not (description or account)


def _id(kind: ListKind, row: Any, identity: int | str | None) -> int | str:
    """The id that the key is made of; a key must never be made up."""
    if not identity:
        raise unreadable(kind, f"record {row.id} has no {_KEY_FIELDS[kind]}")
    return identity


def _expenses(rows: list[_Expense]) -> pa.Table:
    return _table(
        "expense",
        rows,
        {
            "key": [f"expense:{_id('expense', row, row.expense_detail_id)}" for row in rows],
            "kind": ["expense"] * len(rows),
            "type": [row.classification for row in rows],
            "number": [str(row.expense_detail_id) for row in rows],
            "date": [row.date_expense for row in rows],
            "party": [_name(row.member) for row in rows],
            "party_id": [(row.member.identifier if row.member else "") for row in rows],
            "location_id": [row.location_id for row in rows],
            "description": [row.charge_description or _name(row.expense_type) for row in rows],
            "tax": [row.sales_tax_amount for row in rows],
            "total": [row.total or ZERO for row in rows],
            "currency": [_code(row.currency) for row in rows],
            "member": [(row.member.identifier if row.member else "") for row in rows],
            "entry_ids": [
                "" if _has_no_entries(row.charge_description, row.account_number) else str(row.id)
                for row in rows
            ],
            "left_out": [_expense_reason(row) for row in rows],
        },
    )


def _procurement(rows: list[_Procurement]) -> pa.Table:
    kinds = [_procurement_kind(row) for row in rows]
    return _table(
        "procurement",
        rows,
        {
            "key": [
                f"{kind}:{_id('procurement', row, row.unposted_product_id)}"
                for kind, row in zip(kinds, rows, strict=True)
            ],
            "kind": kinds,
            "type": [row.procurement_type for row in rows],
            "number": [_procurement_number(row) for row in rows],
            "date": [row.purchase_date or row.date_closed for row in rows],
            "party": [_name(row.vendor) for row in rows],
            "party_id": [row.vendor_account_number for row in rows],
            "location_id": [row.location_id for row in rows],
            "description": [row.description for row in rows],
            "total": [row.total or ZERO for row in rows],
            "currency": [_code(row.currency) for row in rows],
            "vendor_invoice": [row.vendor_invoice_number for row in rows],
            "entry_ids": [str(row.id) if row.description else "" for row in rows],
            "left_out": ["" if row.description else NO_ENTRIES for row in rows],
        },
    )


def _procurement_kind(row: _Procurement) -> Kind:
    """By `procurementType`, else by the end of the key; anything else is unknown and refused."""
    kind = KINDS_OF.get(row.procurement_type or "")
    if kind is None:
        kind = assumptions.kind_of_product(row.unposted_product_id or "")
    if kind is None or (row.procurement_type and row.procurement_type not in KINDS_OF):
        what = f"record {row.id} has the unknown procurementType {row.procurement_type!r}"
        raise unreadable("procurement", what)
    return kind


def _procurement_number(row: _Procurement) -> str:
    """`4471 / PS-1001` for a receipt: purchase order and packing slip; else the number of the key."""
    key = row.unposted_product_id or ""
    slip = assumptions.packing_slip(key)
    order = (row.purchase_order.name or "") if row.purchase_order else ""
    number = order or assumptions.product_number(key)
    return f"{number} / {slip}" if slip else number
