"""Batches as a client makes, reads and deletes them, with every rule of design 9.12."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from sage50kit.money import ZERO
from sage50kit.sandbox.accounttext import joined
from sage50kit.sandbox.export import Wanted, ids_of, kinds_of, level_of
from sage50kit.sandbox.ledger import LISTS
from sage50kit.sandbox.refusal import Refused, invalid, not_found

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sage50kit.sandbox.closing import Closed, Entry
    from sage50kit.sandbox.export import Export
    from sage50kit.sandbox.ledger import Batch, Ledger
    from sage50kit.sandbox.refusal import Switches
    from sage50kit.sandbox.setup import Setup
    from sage50kit.sandbox.tables import Row
    from sage50kit.sandbox.unposted import UnpostedRows

RESOURCE = "CreateAccountingBatchRequest"
NAMES = {"invoice": "Invoice", "expense": "Expense", "procurement": "Product"}
ACCOUNT_TYPES = {
    "AR": "Accounts Receivable",
    "R": "Revenue",
    "RD": "Deferred Revenue",
    "RP": "Product Revenue",
    "RA": "Agreement Revenue",
    "AP": "Agreement Product Revenue",
    "RE": "Expense Revenue",
    "SD": "Product Discount",
    "ST": "Sales Tax",
    "EI": "Expense Internal",
    "EE": "Expense External",
    "EO": "Expense Offset",
    "IA": "Inventory Adjustment",
    "IT": "Inventory Transfer",
    "PF": "Purchase Order Freight",
    "FT": "Purchase Order Freight Tax",
    "PT": "Purchase Order Product Tax",
}


class Batches:
    """The commands on `/finance/accounting`."""

    def __init__(
        self, setup: Setup, ledger: Ledger, export: Export, rows: UnpostedRows, switches: Switches
    ) -> None:
        self.setup = setup
        self.ledger = ledger
        self.export = export
        self.rows = rows
        self.switches = switches

    # --- preview

    def preview(self, body: object) -> Row:
        """POST export: what would be exported, nothing changed."""
        request = _object(body)
        chosen = self._chosen(request, batch=0)
        return self.export.build(chosen, request, level=level_of(request))

    def rerun(self, batch: str, body: object) -> Row:
        """POST batches/{id}/export: the same for the entries of a batch."""
        found = self.find(batch)
        request = _object(body)
        chosen = self._chosen(request, batch=found.id)
        return self.export.build(chosen, request, level=level_of(request))

    def _chosen(self, request: Row, *, batch: int) -> list[Closed]:
        chosen: list[Closed] = []
        for kind in kinds_of(request, "ExportAccountingBatchRequest"):
            wanted = Wanted(
                kind=kind,
                included=ids_of(request, f"included{NAMES[kind]}Ids"),
                excluded=ids_of(request, f"excluded{NAMES[kind]}Ids"),
                location=int(request.get("locationId") or 0),
                thru=_day(request.get("thruDate")),
            )
            candidates = (
                self._in_batch(kind, batch) if batch else self._unposted(kind, wanted.included)
            )
            chosen += [closed for closed in candidates if self._fits(closed, wanted)]
        return chosen

    def _unposted(self, kind: str, included: frozenset[str]) -> list[Closed]:
        """The unposted records of a kind; named ones are looked up, a large list is not searched for them."""
        if not included:
            return self.ledger.unposted(kind)
        named = (self.ledger.closed.get(key_of(kind, identity)) for identity in included)
        found = [closed for closed in named if closed and not closed.is_batched]
        return sorted(found, key=lambda closed: closed.row_id)

    def _in_batch(self, kind: str, batch: int) -> list[Closed]:
        found = {closed.key: closed for closed, _ in self.ledger.batched(batch)}
        return [closed for closed in found.values() if LISTS[closed.kind] == kind]

    def _fits(self, closed: Closed, wanted: Wanted) -> bool:
        identity = closed.key.partition(":")[2]
        if identity in wanted.excluded or (wanted.included and identity not in wanted.included):
            return False
        if wanted.location and self._location(closed) != wanted.location:
            return False
        return wanted.thru is None or self._day(closed) <= wanted.thru

    def _location(self, closed: Closed) -> int:
        if closed.kind in {"adjustment", "transfer"}:
            return int(next(self.rows.procurement(closed))["locationId"])
        return int(closed.record.location)

    def _day(self, closed: Closed) -> date:
        """The date `thruDate` is compared with."""
        if self.switches.thru_date == "ignore":
            return date.min
        moment = getattr(closed.record, "closed_at", None)
        if self.switches.thru_date == "closed" and moment:
            return date(moment.year, moment.month, moment.day)
        return date(closed.record.date.year, closed.record.date.month, closed.record.date.day)

    # --- batches

    def find(self, wanted: str) -> Batch:
        """A batch that can be seen; a closed one may be hidden."""
        batch = self.ledger.batches.get(int(wanted)) if wanted.isdigit() else None
        if batch is None or (batch.closed and self.switches.closed_batches == "hidden"):
            raise not_found("AccountingBatch", wanted)
        return batch

    def listed(self) -> list[Row]:
        """All batches that can be seen."""
        hidden = self.switches.closed_batches == "hidden"
        return [
            self._row(batch)
            for batch in self.ledger.batches.values()
            if not (batch.closed and hidden)
        ]

    def _row(self, batch: Batch) -> Row:
        return {
            "id": batch.id,
            "batchIdentifier": batch.identifier,
            "exportInvoicesFlag": batch.invoices,
            "exportExpensesFlag": batch.expenses,
            "exportProductsFlag": batch.products,
            "closedFlag": batch.closed,
            "_info": {"lastUpdated": batch.made_at, "updatedBy": "Admin1"},
        }

    def create(self, body: object) -> Row:
        """POST batches: put GL entries into a new batch; the answer is their export, not the batch."""
        request = _object(body)
        identifier = self._identifier(request)
        kinds = kinds_of(request, RESOURCE)
        entries = self._entries(request, kinds)
        batch = self.ledger.batch(
            identifier=identifier,
            interface=str(request.get("glInterfaceIdentifier") or ""),
            invoices="invoice" in kinds,
            expenses="expense" in kinds,
            products="procurement" in kinds,
        )
        self.ledger.fill(batch, [entry for _, entry in entries])
        records = {closed.key: closed for closed, _ in entries}
        return self.export.build(records.values(), request)

    def _identifier(self, request: Row) -> str:
        identifier = str(request.get("batchIdentifier") or "").strip()
        if not identifier or len(identifier) > 50:
            raise invalid(
                RESOURCE,
                "batchIdentifier",
                "batchIdentifier must have 1 to 50 characters.",
                code="InvalidField",
            )
        if self.ledger.named(identifier):
            conflict = self.switches.taken_identifier == "conflict"
            raise invalid(
                RESOURCE,
                "batchIdentifier",
                f"A batch with the identifier {identifier} already exists.",
                code="ObjectExists",
                status=409 if conflict else 400,
            )
        return identifier

    def _entries(self, request: Row, kinds: list[str]) -> list[tuple[Closed, Entry]]:
        wanted = request.get("processedRecordIds")
        if not isinstance(wanted, list):
            raise invalid(
                RESOURCE,
                "processedRecordIds",
                "processedRecordIds is required.",
                code="MissingRequiredField",
            )
        ids = [_whole(value) for value in wanted if value is not None]
        if not ids and self.switches.empty_records == "refuse":
            raise _records("Cannot find GLEntryRecIDList to update.")
        found: dict[int, tuple[Closed, Entry]] = {}
        for number in ids:
            owner = self._owner(number, kinds)
            if owner is not None:
                for entry in self._named(owner):
                    found[entry.id] = (owner[0], entry)
        return list(found.values())

    def _named(self, owner: tuple[Closed, Entry]) -> Iterable[Entry]:
        closed, entry = owner
        return closed.entries if self.switches.partial_records == "document" else [entry]

    def _owner(self, number: int, kinds: list[str]) -> tuple[Closed, Entry] | None:
        owner = self.ledger.owner(number)
        if owner is None:
            if self.switches.unknown_records == "refuse":
                raise _records(f"GL entry {number} does not exist.")
            return None
        if owner[1].batch:
            if self.switches.batched_records == "refuse":
                raise _records(f"GL entry {number} is already in a batch.")
            return None
        listed = LISTS[owner[0].kind]
        if listed not in kinds:
            raise _records(
                f"GL entry {number} is of a kind this batch does not export: {NAMES[listed]}."
            )
        return owner

    def delete(self, wanted: str) -> None:
        """DELETE batches/{id}: the entries return to the unposted lists."""
        batch = self.find(wanted)
        if batch.closed:
            raise Refused(
                400, "InvalidObject", f"Batch {batch.identifier} is closed and cannot be deleted."
            )
        self.ledger.release(batch.id)

    # --- entries

    def entries(self, wanted: str) -> list[Row]:
        """GET batches/{id}/entries: the GL entries of a batch."""
        batch_id = self.find(wanted).id
        delimiter = self.rows.delimiter
        own = self.switches.entry_ids == "own"
        found = sorted(self.ledger.batched(batch_id), key=lambda pair: pair[1].id)
        return [
            self._entry(closed, entry, delimiter)
            | ({"id": batch_id * 100_000 + number} if own else {})
            for number, (closed, entry) in enumerate(found, start=1)
        ]

    def _entry(self, closed: Closed, entry: Entry, delimiter: str) -> Row:
        row: Row = {
            "id": entry.id,
            "accountType": ACCOUNT_TYPES.get(entry.gl_type, entry.gl_type),
            "name": self._party(closed),
            "accountNumber": joined(entry.account.segments, delimiter),
            "debit": max(entry.amount, ZERO),
            "credit": max(-entry.amount, ZERO),
            "cost": entry.cost,
            "item": self._item(closed, entry),
            "salesCode": entry.account.sales_code,
            "costOfGoodsSoldAccountNumber": joined(entry.account.cogs, delimiter),
        }
        return row | self._source(closed, entry)

    def _party(self, closed: Closed) -> str:
        record = closed.record
        if closed.kind == "expense":
            return str(
                self.setup.reference("members", self.rows.reports[record.report].member)["name"]
            )
        if closed.kind in {"adjustment", "transfer"}:
            return ""
        company = record.company if closed.kind == "invoice" else record.vendor
        return str(self.setup.row("companies", company)["name"])

    def _item(self, closed: Closed, entry: Entry) -> str:
        if entry.line < 0 or closed.kind == "expense":
            return ""
        return str(closed.lines[entry.line].item)

    def _source(self, closed: Closed, entry: Entry) -> Row:
        record: Any = closed.record
        if closed.kind == "invoice":
            return {
                "invoice": {
                    "id": record.id,
                    "identifier": record.invoice_number,
                    "billingType": record.type,
                }
            }
        if closed.kind == "expense":
            return {"expense": {"id": record.id, "amount": record.amount}}
        if closed.kind == "purchase":
            row: Row = {"purchaseOrder": {"id": record.id, "name": record.po_number}}
            if entry.line >= 0:
                row["lineItem"] = {
                    "id": closed.lines[entry.line].id,
                    "identifier": closed.lines[entry.line].item,
                }
            return row
        if closed.kind == "adjustment":
            return {
                "adjustmentDetail": {"id": closed.lines[entry.line].id, "name": record.identifier}
            }
        return {"transfer": str(record.id)}


def key_of(kind: str, identity: str) -> str:
    """The key of a record by the id that an export request names: `48112`, `3-PS1-purchase`."""
    if kind != "procurement":
        return f"{kind}:{identity}"
    ending = identity.rpartition("-")[2]
    return f"{'receipt' if ending == 'purchase' else ending}:{identity}"


def _records(message: str) -> Refused:
    return invalid(RESOURCE, "processedRecordIds", message, code="InvalidReference")


def _object(body: object) -> Row:
    if not isinstance(body, dict):
        raise Refused(400, "InvalidRequest", "The request body must be a JSON object.")
    return body


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _records(f"processedRecordIds must be whole numbers, not {value!r}.")
    return value


def _day(value: object) -> date | None:
    """The day of a `thruDate`, inclusive."""
    if not value:
        return None
    try:
        return (
            datetime.fromisoformat(str(value)).astimezone(UTC).date()
            if "T" in str(value)
            else date.fromisoformat(str(value))
        )
    except ValueError:
        raise invalid(
            "ExportAccountingBatchRequest",
            "thruDate",
            f"thruDate {value!r} is not a date.",
            code="InvalidField",
        ) from None
