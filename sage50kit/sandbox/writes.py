"""What clients change besides batches: invoices and their GL entries, payments, purchase orders, setup rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sage50kit.money import ZERO, exact, total
from sage50kit.sandbox.records import Payment
from sage50kit.sandbox.refusal import Refused, invalid, not_found
from sage50kit.sandbox.tables import TABLES
from sage50kit.sandbox.views import only_number

if TYPE_CHECKING:
    from decimal import Decimal

    from sage50kit.sandbox.closing import Closed, Closing, Entry
    from sage50kit.sandbox.costviews import CostViews
    from sage50kit.sandbox.ledger import Ledger
    from sage50kit.sandbox.records import Invoice, PurchaseLine, PurchaseOrder
    from sage50kit.sandbox.refusal import Switches
    from sage50kit.sandbox.setup import Setup
    from sage50kit.sandbox.tables import Row
    from sage50kit.sandbox.views import Views

Answer = tuple[int, object]
INVOICE_FIELDS = {
    "attention": "attention",
    "customerPO": "customer_po",
    "topComment": "top_comment",
}
ORDER_TEXTS = {
    "vendorInvoiceNumber": "vendor_invoice_number",
    "freightPackingSlip": "freight_packing_slip",
}


def changes_of(body: object, *, whole: bool = False) -> dict[str, Any]:
    """The fields a PATCH (operations) or PUT (an object) sets; a removed one is None."""
    if whole and isinstance(body, dict):
        return {name: value for name, value in body.items() if name not in {"id", "_info"}}
    if not isinstance(body, list):
        raise Refused(400, "InvalidRequest", "The request body must be an array of operations.")
    changes: dict[str, Any] = {}
    for operation in body:
        if operation.get("op") not in {"add", "replace", "remove"}:
            raise Refused(
                400, "InvalidRequest", f"The operation {operation.get('op')!r} is not known."
            )
        path = str(operation.get("path", "")).lstrip("/")
        if (
            "/" not in path
        ):  # a path inside a reference is answered with 200 and changes nothing (quirk 24)
            changes[path] = None if operation["op"] == "remove" else operation.get("value")
    return changes


class Writes:
    """The commands that change records."""

    def __init__(
        self,
        setup: Setup,
        closing: Closing,
        ledger: Ledger,
        views: Views,
        costs: CostViews,
        switches: Switches,
    ) -> None:
        self.setup = setup
        self.closing = closing
        self.ledger = ledger
        self.views = views
        self.costs = costs
        self.switches = switches
        self._unbatched: dict[int, dict[int, int]] = {}
        self._last_payment = 0  # an id is never given twice, also where its payment was deleted

    # --- setup rows

    def patch_row(self, table: str, wanted: str, body: object, *, whole: bool = False) -> Row:
        """PATCH or PUT of a row of a setup table."""
        rows = self.setup.tables[table]
        key = only_number(wanted, table)
        if key not in rows:
            raise not_found(table, wanted)
        refers = dict(TABLES[table].refers)
        row = {"id": key} if whole else dict(rows[key])
        for name, value in changes_of(body, whole=whole).items():
            row[name] = (
                self._named(refers[name], value, name)
                if name in refers and value is not None
                else value
            )
        rows[key] = {name: value for name, value in row.items() if value is not None}
        self.setup.changed(table, key)
        self.closing.refresh()
        return self.setup.wire(table, rows[key])

    def _named(self, table: str, value: Any, field: str) -> Any:
        """The id that a reference names, by id or by label."""
        if isinstance(value, list):
            return [self._named(table, part, field) for part in value]
        if isinstance(value, dict):
            if value.get("id") in self.setup.tables[table]:
                return int(value["id"])
            for name in ("identifier", "name"):
                for key, row in self.setup.tables[table].items():
                    if value.get(name) is not None and row.get(name) == value[name]:
                        return key
        raise invalid(
            table, field, f"{field} names a record that does not exist.", code="InvalidReference"
        )

    # --- invoices

    def patch_invoice(
        self, wanted: str, body: object, *, only: frozenset[str] = frozenset(), whole: bool = False
    ) -> Invoice:
        """PATCH of an invoice: texts, and its status. Reopening deletes its GL entries, closing makes new ones."""
        invoice: Invoice = self.views.record("invoice", wanted)
        changes = changes_of(body, whole=whole)
        for name in changes:
            if name not in {"status", "internalNotes", *INVOICE_FIELDS} or (
                only and name not in only
            ):
                raise invalid(
                    "invoice",
                    name,
                    f"The field {name} of an invoice cannot be changed here.",
                    code="InvalidField",
                )
        if changes.get("status") is not None:
            self._set_status(invoice, self._named("billingStatuses", changes["status"], "status"))
        for name, attribute in INVOICE_FIELDS.items():
            if name in changes:
                setattr(invoice, attribute, str(changes[name] or ""))
        if "internalNotes" in changes:
            self.views.internal_notes[invoice.id] = str(changes["internalNotes"] or "")
        return invoice

    def _set_status(self, invoice: Invoice, status: int) -> None:
        key = f"invoice:{invoice.id}"
        closed = self.ledger.closed.get(key)
        closing = bool(self.setup.row("billingStatuses", status).get("closedFlag"))
        if closed and not closing:
            if any(entry.batch for entry in closed.entries):
                raise Refused(
                    400,
                    "InvalidObject",
                    f"Invoice {invoice.invoice_number} is in a batch and cannot be reopened.",
                )
            self.ledger.remove(key)
        elif closing and not closed:
            company = self.setup.row("companies", invoice.bill_to or invoice.company)
            if not company.get("accountNumber"):
                raise invalid(
                    "invoice",
                    "status",
                    f"{company['name']} has no account number; the invoice cannot be closed.",
                )
            invoice.gl_entries = True
            self.ledger.add(self.closing.invoice(invoice))
        invoice.status = status

    def patch_closed_invoice(self, wanted: str, body: object, *, whole: bool = False) -> Row:
        """PATCH or PUT of closedInvoices: status and internal notes only."""
        invoice = self.patch_invoice(
            wanted, body, only=frozenset({"status", "internalNotes"}), whole=whole
        )
        return {
            "id": invoice.id,
            "status": self.setup.reference("billingStatuses", self.views.status(invoice)),
            "internalNotes": self.views.internal_notes.get(invoice.id, ""),
        }

    def patch_gl_entry(self, parent: str, wanted: str, body: object, *, whole: bool = False) -> Row:
        """PATCH or PUT of a GL entry: its frozen account."""
        closed, entry = self._entry(parent, wanted)
        if entry.batch:
            raise Refused(
                400, "InvalidObject", f"GL entry {entry.id} is in a batch and cannot be changed."
            )
        changes = changes_of(body, whole=whole)
        account = entry.account
        segments, cogs = (
            _texts(account.segments, "segment", changes),
            _texts(account.cogs, "cogs", changes),
        )
        entry.account = account._replace(
            segments=segments,
            cogs=cogs,
            inventory=str(changes.get("inventory", account.inventory) or ""),
            sales_code=str(changes.get("salesCode", account.sales_code) or ""),
            product_id=str(changes.get("productId", account.product_id) or ""),
        )
        return self.views.gl_entry(closed, entry)

    def _entry(self, parent: str, wanted: str) -> tuple[Closed, Entry]:
        invoice = self.views.record("invoice", parent)
        owner = self.ledger.owner(only_number(wanted, "glEntry"))
        if owner is None or owner[0].key != f"invoice:{invoice.id}":
            raise not_found("glEntry", wanted)
        return owner

    # --- payments

    def pay(self, parent: str, body: object) -> Row:
        """POST of a payment: one for each invoice, never more than is owed (design 9.12)."""
        invoice: Invoice = self.views.record("invoice", parent)
        given = changes_of(body, whole=True)
        there = self.views.payments.setdefault(invoice.id, [])
        if there:
            if self.switches.second_payment == "refuse":
                raise invalid(
                    "invoicePayment",
                    "invoice",
                    f"Invoice {invoice.invoice_number} already has a payment.",
                    code="ObjectExists",
                )
            self._set(there[0], invoice, given)
            return self.views.payment(there[0])
        known = [row.id for rows in self.views.payments.values() for row in rows]
        self._last_payment = max([self._last_payment, *known]) + 1
        payment = Payment(
            id=self._last_payment,
            invoice=invoice.id,
            amount=ZERO,
            applied_by="Admin1",
            source="API",
        )
        self._set(payment, invoice, given)
        there.append(payment)
        return self.views.payment(payment)

    def patch_payment(self, parent: str, wanted: str, body: object, *, whole: bool = False) -> Row:
        """PATCH or PUT of a payment."""
        invoice, payment = self._payment(parent, wanted)
        given = changes_of(body, whole=whole)
        before = (
            {}
            if whole
            else {
                "amount": payment.amount,
                "paymentDate": payment.payment_date,
                "type": payment.type,
            }
        )
        self._set(payment, invoice, before | given)
        return self.views.payment(payment)

    def delete_payment(self, parent: str, wanted: str) -> None:
        """DELETE of a payment."""
        invoice, payment = self._payment(parent, wanted)
        self.views.payments[invoice.id].remove(payment)

    def _payment(self, parent: str, wanted: str) -> tuple[Invoice, Payment]:
        invoice: Invoice = self.views.record("invoice", parent)
        key = only_number(wanted, "payment")
        for payment in self.views.payments.get(invoice.id, []):
            if payment.id == key:
                if payment.wise_pay_reference:
                    raise Refused(400, "InvalidObject", "A portal payment cannot be changed.")
                return invoice, payment
        raise not_found("payment", wanted)

    def _set(self, payment: Payment, invoice: Invoice, given: dict[str, Any]) -> None:
        amount = self._amount(given.get("amount"))
        whole, _ = self.views.amounts(invoice)
        others = total(
            row.amount for row in self.views.payments.get(invoice.id, ()) if row is not payment
        )
        owed = whole - invoice.credits - others
        if amount > owed:
            if self.switches.over_payment == "refuse":
                raise invalid(
                    "invoicePayment",
                    "amount",
                    f"The amount {amount} is more than the balance {owed} of invoice {invoice.invoice_number}.",
                )
            amount = max(owed, ZERO)
        payment.payment_date = _moment(given.get("paymentDate"))
        payment.amount = amount
        payment.type = str(given.get("type") or "P")

    def _amount(self, value: Any) -> Decimal:
        try:
            amount = exact(value)
        except (TypeError, ValueError):
            raise invalid(
                "invoicePayment", "amount", "amount must be a number.", code="InvalidField"
            ) from None
        if amount < 0:
            raise invalid("invoicePayment", "amount", "amount must not be negative.")
        return amount

    # --- purchase orders

    def patch_order(self, wanted: str, body: object) -> Row:
        """PATCH of a purchase order: the vendor's invoice, freight slip, status."""
        order: PurchaseOrder = self.views.record("order", wanted)
        changes = changes_of(body)
        for name in changes:
            if name not in {"vendorInvoiceDate", "status", *ORDER_TEXTS}:
                raise invalid(
                    "purchaseOrder",
                    name,
                    f"The field {name} of a purchase order cannot be changed here.",
                    code="InvalidField",
                )
        for name, attribute in ORDER_TEXTS.items():
            if name in changes:
                setattr(order, attribute, str(changes[name] or ""))
        if "vendorInvoiceDate" in changes:
            moment = _moment(changes["vendorInvoiceDate"])
            order.vendor_invoice_date = moment.date() if moment else None
        if changes.get("status") is not None:
            order.status = self._named("purchaseOrderStatuses", changes["status"], "status")
        return self.costs.order(order)

    def patch_order_line(self, parent: str, wanted: str, body: object) -> Row:
        """PATCH of a line: receiving and closing it makes its packing slip's GL entries."""
        order: PurchaseOrder = self.views.record("order", parent)
        key = only_number(wanted, "lineitem")
        number, line = next(
            ((n, row) for n, row in enumerate(order.lines, start=1) if row.id == key), (0, None)
        )
        if line is None:
            raise not_found("lineitem", wanted)
        slip = line.packing_slip or order.po_number
        there = self.ledger.closed.get(f"receipt:{order.id}-{slip}-purchase")
        if there and line.closed and any(entry.batch for entry in there.entries):
            raise Refused(
                400,
                "InvalidObject",
                f"Line {number} of purchase order {order.po_number} is in a batch.",
            )
        self._receive(line, changes_of(body))
        self._close_again(order)
        return self.costs.order_line(order, number, line)

    def _receive(self, line: PurchaseLine, changes: dict[str, Any]) -> None:
        for name, value in changes.items():
            if name == "closedFlag":
                line.closed = bool(value)
            elif name == "receivedQuantity":
                line.received = exact(value)
            elif name == "packingSlip":
                line.packing_slip = str(value or "")
            elif name == "dateReceived":
                line.date_received = _moment(value)
            elif name == "receivedStatus":
                line.received = line.quantity if value == "FullyReceived" else line.received
            else:
                raise invalid(
                    "purchaseOrderLineItem",
                    name,
                    f"The field {name} of a line cannot be changed here.",
                    code="InvalidField",
                )

    def _close_again(self, order: PurchaseOrder) -> None:
        """Make the entries of the packing slips anew; those in a batch stay."""
        kept = set()
        for closed in [
            row
            for row in self.ledger.closed.values()
            if row.kind == "purchase" and row.record is order
        ]:
            if any(entry.batch for entry in closed.entries):
                kept.add(closed.slip)
            else:
                self.ledger.remove(closed.key)
        for closed in self.closing.receipts(order, without=kept):
            self.ledger.add(closed)

    def unbatch(self, wanted: str) -> Row:
        """POST unbatch: take the receipts of a purchase order out of their batches."""
        order = self.views.record("order", wanted)
        entries = {entry.id: entry for entry in self._entries_of(order) if entry.batch}
        if not entries:
            raise Refused(400, "InvalidObject", f"Purchase order {order.po_number} is in no batch.")
        self._unbatched[order.id] = {key: entry.batch for key, entry in entries.items()}
        for entry in entries.values():
            entry.batch = 0
        return {"success": True, "message": f"Purchase order {order.po_number} was unbatched."}

    def rebatch(self, wanted: str) -> Row:
        """POST rebatch: put what was taken out back into its batches."""
        order = self.views.record("order", wanted)
        batches = self._unbatched.pop(order.id, {})
        entries = [
            entry
            for entry in self._entries_of(order)
            if batches.get(entry.id) in self.ledger.batches and not entry.batch
        ]
        if not entries:
            raise Refused(
                400, "InvalidObject", f"Purchase order {order.po_number} was not unbatched."
            )
        for entry in entries:
            entry.batch = batches[entry.id]
        return {"success": True, "message": f"Purchase order {order.po_number} was batched again."}

    def _entries_of(self, order: PurchaseOrder) -> list[Entry]:
        return [
            entry
            for row in self.ledger.closed.values()
            if row.kind == "purchase" and row.record is order
            for entry in row.entries
        ]


def _texts(before: tuple[str, ...], name: str, changes: dict[str, Any]) -> tuple[str, ...]:
    """Segments after a change; one set to null is not set up any more."""
    after: list[str | None] = [*before, *[None] * (10 - len(before))]
    for number in range(1, 11):
        if f"{name}{number}" in changes:
            value = changes[f"{name}{number}"]
            after[number - 1] = None if value is None else str(value)
    return tuple(text for text in after if text is not None)


def _moment(value: Any) -> datetime | None:
    """A date of a request; no zone means UTC."""
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise invalid("request", "date", f"{value!r} is not a date.", code="InvalidField") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
