"""Sage 50's limits on what people type: lengths and characters (reference: official field pages).

Ids and reference numbers that are too long are refused, because cut ids would be other ids; names,
addresses and descriptions of new records are cut, as Sage's own import cuts them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sage50kit.model import Account, Address, Customer, Item, TaxAgency, TaxCode, Vendor

if TYPE_CHECKING:
    from sage50kit.connectors.embedded.records import Listed

ACCOUNT_ID = 15
RECORD_ID = 20  # customers, vendors, items
TAX_CODE = 8
REFERENCE = 20
DESCRIPTION = 160  # of a line
NAME = 39
SHORT_DESCRIPTION = 30  # accounts, items
REASON_TO_ADJUST = 30
PURCHASE_ORDER = 20
NOTE = 2000
AGENCIES = 5  # of one sales tax code
JOURNAL_DISTRIBUTIONS = (2, 560)
UNIT_PLACES = 5

_FORBIDDEN = frozenset("*?+")
_ADDRESS = {"name": 30, "line1": 30, "line2": 30, "city": 20, "state": 2, "zip": 12, "country": 15}
_PHONE, _EMAIL = 20, 64


def id_problem(what: str, identity: str, length: int) -> str:
    """What is wrong with an id, in Sage's words; "" if nothing is."""
    if not identity.strip():
        return f"{what} is required."
    if len(identity) > length:
        return f"{what} {identity} has {len(identity)} characters; the limit is {length}."
    if _FORBIDDEN & set(identity) or not identity.isprintable():
        return f"{what} {identity!r} cannot contain *, ?, + or control characters."
    return ""


def record_problem(record: Listed) -> str:
    """What is wrong with the id of a list record; "" if nothing is."""
    match record:
        case Account():
            return id_problem("Account ID", record.account_id, ACCOUNT_ID)
        case Customer():
            return id_problem("Customer ID", record.customer_id, RECORD_ID)
        case Vendor():
            return id_problem("Vendor ID", record.vendor_id, RECORD_ID)
        case Item():
            return id_problem("Item ID", record.item_id, RECORD_ID)
        case TaxAgency():
            return id_problem("Sales tax agency ID", record.agency_id, RECORD_ID)
        case TaxCode():
            return id_problem("Sales tax code", record.tax_code, TAX_CODE)
        case _:
            return ""


def cut_address(address: Address) -> Address:
    """The address within Sage's lengths."""
    return Address(**{part: getattr(address, part)[:length] for part, length in _ADDRESS.items()})


def cut(record: Listed) -> Listed:
    """A new record as Sage stores it: ids without blanks at the ends, texts within their lengths."""
    match record:
        case Account():
            return replace(
                record,
                account_id=record.account_id.strip(),
                description=record.description[:SHORT_DESCRIPTION],
            )
        case Customer():
            return replace(
                record,
                customer_id=record.customer_id.strip(),
                name=record.name[:NAME],
                address=cut_address(record.address),
                phone=record.phone[:_PHONE],
                email=record.email[:_EMAIL],
            )
        case Vendor():
            return replace(
                record,
                vendor_id=record.vendor_id.strip(),
                name=record.name[:NAME],
                address=cut_address(record.address),
                phone=record.phone[:_PHONE],
                email=record.email[:_EMAIL],
            )
        case Item():
            return replace(
                record,
                item_id=record.item_id.strip(),
                description=record.description[:SHORT_DESCRIPTION],
                sales_description=record.sales_description[:DESCRIPTION],
                purchase_description=record.purchase_description[:DESCRIPTION],
            )
        case _:
            return record
