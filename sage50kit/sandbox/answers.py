"""How the local ConnectWise site puts records on the wire: `_info` links, dates, nulls left out, exact amounts."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from sage50kit.sandbox.contract import Type, contract

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Row = dict[str, Any]

# Amounts become JSON numbers digit by digit; a float on the way would lose the sixteenth.
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_PLAIN = frozenset({str, int, Decimal, bool})
_NUMBER = Type("num")
_DATES = frozenset({date, datetime})

# Where the record behind a reference is published: model of the reference -> (name of the link, list).
_LINKS = {
    "AgreementReference": ("agreement", "/finance/agreements"),
    "AgreementTypeReference": ("type", "/finance/agreements/types"),
    "BatchReference": ("batch", "/finance/accounting/batches"),
    "BillingUnitReference": ("department", "/system/departments"),
    "CatalogItemReference": ("catalog", "/procurement/catalog"),
    "ClassificationReference": ("classification", "/expense/classifications"),
    "CompanyReference": ("company", "/company/companies"),
    "CompanyTypeReference": ("type", "/company/companies/types"),
    "ContactReference": ("contact", "/company/contacts"),
    "CurrencyReference": ("currency", "/finance/currencies"),
    "ExpenseDetailReference": ("expense", "/expense/entries"),
    "ExpenseReportReference": ("expenseReport", "/expense/reports"),
    "ExpenseTypeReference": ("type", "/expense/types"),
    "InvoiceReference": ("invoice", "/finance/invoices"),
    "IvItemReference": ("catalog", "/procurement/catalog"),
    "MemberReference": ("member", "/system/members"),
    "OwnerLevelReference": ("location", "/system/locations"),
    "PaymentMethodReference": ("method", "/expense/paymentTypes"),
    "ProductCategoryReference": ("category", "/procurement/categories"),
    "ProductSubCategoryReference": ("subCategory", "/procurement/subcategories"),
    "ProductTypeReference": ("type", "/procurement/types"),
    "PurchaseOrderReference": ("purchaseOrder", "/procurement/purchaseorders"),
    "PurchaseOrderStatusReference": ("status", "/procurement/purchaseorderstatuses"),
    "SecurityRoleReference": ("securityRole", "/system/securityroles"),
    "SystemDepartmentReference": ("department", "/system/departments"),
    "SystemLocationReference": ("location", "/system/locations"),
    "TaxCodeReference": ("taxCode", "/finance/taxCodes"),
    "UnitOfMeasureReference": ("uom", "/procurement/unitOfMeasures"),
    "WarehouseBinReference": ("warehouseBin", "/procurement/warehouseBins"),
    "WarehouseReference": ("warehouse", "/procurement/warehouses"),
}
# A site is published below its company: the field beside it that says which company.
_COMPANY_OF_SITE = {
    "billToSite": ("billToCompany", "company"),
    "billingSite": ("billToCompany", "company"),
    "shipToSite": ("shipToCompany", "company"),
    "shippingSite": ("shipToCompany", "company"),
    "shipSite": ("shipToCompany", "company"),
    "customerSite": ("customerCompany",),
    "vendorSite": ("vendorCompany",),
    "site": ("company", "vendor"),
}
_WITHOUT_LINKS = "/finance/accounting/unposted"  # live rows of these lists carry none of their own


def encode(value: Any) -> bytes:
    """A value as JSON; `Decimal` becomes a number with exactly its digits."""
    return _ENCODER.encode(value)


class Presenter:
    """Turns rows of the site into what is sent.

    Args:
        base: address of the REST interface, without a slash at the end; links start with it.
    """

    def __init__(self, base: str) -> None:
        self.base = base
        self._shared: dict[
            int, tuple[Row, Row]
        ] = {}  # holds the first so that its id stays its own
        self._special: dict[str, dict[str, Callable[[Any, Row], Any]]] = {}

    def rows(self, rows: Sequence[Row], model: str, collection: str = "") -> list[Row]:
        """A page of a list."""
        below = self._below(collection)
        return [self._linked(self.value(row, model), below) for row in rows]

    def row(self, row: Row, model: str, collection: str = "") -> Row:
        """One record, with links to the lists below it."""
        return self._linked(self.value(row, model), self._below(collection))

    def _below(self, collection: str) -> dict[str, str]:
        """The lists below each record of a list: name of the link, and the path to put the id into."""
        if not collection or collection.startswith(_WITHOUT_LINKS):
            return {}
        start = f"{self.base}{collection.rstrip('/')}"
        return {f"{name}_href": f"{start}/{{}}/{name}" for name in contract().children(collection)}

    def _linked(self, shown: Row, below: dict[str, str]) -> Row:
        if below and "id" in shown:
            links = {name: path.format(shown["id"]) for name, path in below.items()}
            shown["_info"] = links | shown.get("_info", {})
        return shown

    def value(self, row: Row, model: str) -> Row:
        """A record or a part of one: nothing null, dates as text, links in references."""
        special = self._special.get(model)
        if special is None:
            special = self._special[model] = self._specials(model)
        shown, shared, zoned = row.copy(), self._shared, not model.startswith("GLExport")
        # Most fields are plain and stay: only the others are looked at one by one, a page has 40,000 fields.
        for name in [name for name, value in row.items() if type(value) not in _PLAIN]:
            value = row[name]
            kept = shared.get(id(value))
            if kept is not None and kept[0] is value:
                shown[name] = kept[1]
            elif value is None:
                del shown[name]
            elif type(value) in _DATES:
                shown[name] = as_text(value, zoned)
            elif (show := special.get(name)) is not None:
                shown[name] = show(value, row)
            else:
                shown[name] = self._other(value, model)
        return shown

    def _specials(self, model: str) -> dict[str, Callable[[Any, Row], Any]]:
        """How the fields of a model are shown that are not plain values."""
        special: dict[str, Callable[[Any, Row], Any]] = {}
        for field in contract().fields(model).values():
            if field.name == "_info":
                special["_info"] = lambda value, row: self._links(value)  # noqa: ARG005
            elif field.type.is_model and field.type.is_array:
                special[field.name] = self._array_of(field.type.name)
            elif field.type.name == "SiteReference":
                special[field.name] = self._site(field.name)
            elif field.type.name in _LINKS:
                special[field.name] = self._reference(field.type.name)
            elif field.type.is_model:
                special[field.name] = self._part(field.type.name)
        return special

    def _part(self, model: str) -> Callable[[Any, Row], Any]:
        def shown(value: Row) -> Row:
            return self.value(value, model)

        if model.endswith("Reference"):
            return lambda value, row: self._once(value, shown)  # noqa: ARG005
        return lambda value, row: shown(value)  # noqa: ARG005

    def _array_of(self, model: str) -> Callable[[Any, Row], Any]:
        return lambda values, row: [self.value(value, model) for value in values]  # noqa: ARG005

    def _reference(self, model: str) -> Callable[[Any, Row], Any]:
        name, collection = _LINKS[model]
        key, start = f"{name}_href", f"{self.base}{collection}/"

        def shown(value: Row) -> Row:
            made = {field: part for field, part in value.items() if part is not None}
            if "_info" in made:
                made["_info"] = self._links(made["_info"])
            elif "id" in made:
                made["_info"] = {key: f"{start}{made['id']}"}
            return made

        return lambda value, row: self._once(value, shown)  # noqa: ARG005

    def _once(self, value: Row, show: Callable[[Row], Row]) -> Row:
        """Show a reference; many rows share one, and it is shown to all of them at once."""
        made = show(value)
        self._shared[id(value)] = (value, made)
        return made

    def _site(self, field: str) -> Callable[[Any, Row], Any]:
        beside = _COMPANY_OF_SITE.get(field, ("company",))

        def plain(value: Row) -> Row:
            return self.value(value, "SiteReference")

        def show(value: Row, row: Row) -> Row:
            if "_info" in value:
                return self._once(value, plain)
            shown = plain(value)
            company = next((row[name] for name in beside if row.get(name)), None)
            if company and "id" in company and "id" in shown:
                link = f"{self.base}/company/companies/{company['id']}/sites/{shown['id']}"
                shown["_info"] = {"site_href": link}
            return shown

        return show

    def _links(self, info: Row) -> Row:
        """Links of the site itself are paths; here they get the address the caller uses."""
        return {
            name: f"{self.base}{value}"
            if name.endswith("_href") and str(value).startswith("/")
            else self._other(value, "")
            for name, value in info.items()
        }

    def _other(self, value: Any, model: str) -> Any:
        """A value the contract does not describe as a model: dates, arrays of numbers, open objects."""
        if type(value) in _DATES:
            return as_text(value, not model.startswith("GLExport"))
        if isinstance(value, dict):
            return {
                name: self._other(part, model) for name, part in value.items() if part is not None
            }
        if isinstance(value, (list, tuple)):
            return [self._other(part, model) for part in value]
        return value


def with_numbers(rows: Sequence[Row], model: str) -> Sequence[Row]:
    """The rows with every amount a number, as the contract types it; rows that need no change are not copied."""
    fields = contract().fields(model).values()
    numbers = [field.name for field in fields if field.type == _NUMBER]

    def made(row: Row) -> Row:
        texts = {name: row[name] for name in numbers if type(row.get(name)) is str}
        return row | {name: Decimal(text) for name, text in texts.items()} if texts else row

    return [made(row) for row in rows]


@lru_cache(maxsize=4096)  # the days of a list are few
def as_text(value: date, zone: bool = True) -> str:  # noqa: FBT001, FBT002  # positional: it is called by the million
    """A day or a UTC moment as lists send it, `2026-10-31T00:00:00Z`; exports leave out the zone."""
    end = "Z" if zone else ""
    if not isinstance(value, datetime):
        return f"{value.isoformat()}T00:00:00{end}"
    moment = value.astimezone(UTC) if value.tzinfo else value
    return moment.replace(tzinfo=None).isoformat(timespec="seconds") + end
