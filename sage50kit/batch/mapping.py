"""ConnectWise's words turned into the ids of the books, with a finding for each that does not fit.

Everything here is pure: the books, the set-up and the settings are arguments, findings and masters to
be created are collected on the way.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from sage50kit.issues import Issue, finding
from sage50kit.model import (
    ACCOUNT_TYPES,
    Address,
    Books,
    Customer,
    Item,
    ItemClass,
    Master,
    Vendor,
    fold,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from sage50kit.connectwise import wire
    from sage50kit.profile import PushSettings

ID_LENGTH = 20
NAME_LENGTH = 39
DESCRIPTION_LENGTH = 160
MEMO_LENGTH = 2000 - ID_LENGTH - 1  # our key and a blank stand in front of it in the internal note
ITEM_DESCRIPTION_LENGTH = 30
ADDRESS_LENGTHS = {"line1": 30, "line2": 30, "city": 20, "state": 2, "zip": 12, "country": 15}
BAD_CHARACTERS = frozenset("*?+|")
ACCOUNTS_RECEIVABLE, ACCOUNTS_PAYABLE, INVENTORY = 1, 10, 2

# Type Xref of the product type, as the export shows it or as the setup table spells it.
ITEM_CLASSES: dict[str, ItemClass] = {
    "inventorypart": "stock",
    "noninventorypart": "non_stock",
    "service": "service",
    "othercharge": "description_only",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What ConnectWise's setup tables say, as far as documents need it."""

    tax_codes: tuple[wire.TaxCode, ...] = ()
    package: wire.AccountingPackageSetup | None = None
    companies: Mapping[int, wire.Company] = field(default_factory=dict)
    members: Mapping[int, wire.Member] = field(default_factory=dict)


def item_class(type_xref: str | None) -> ItemClass:
    """The Sage item class of a Type Xref; empty and unknown ones are description only (seed)."""
    folded = (type_xref or "").replace(" ", "").replace("-", "").casefold()
    return ITEM_CLASSES.get(folded, "description_only")


class Mapper:
    """Maps one set of transactions and collects what it finds.

    Args:
        books: the lists of the company.
        setup: ConnectWise's setup tables.
        push: the settings of the profile.
        delimiter: between the account segments of the export, `:` or `-`.
        drop_trailing: whether `4001:` is account 4001.
    """

    def __init__(
        self,
        books: Books,
        setup: Setup,
        push: PushSettings,
        *,
        delimiter: str = ":",
        drop_trailing: bool = True,
    ) -> None:
        self.books = books
        self.setup = setup
        self.push = push
        self.delimiter = delimiter
        self.drop_trailing = drop_trailing
        self.issues: list[Issue] = []
        self.masters: dict[tuple[str, str], Master] = {}
        self.key = self.number = ""
        self._accounts: dict[str, tuple[str, str]] = {}

    def at(self, key: str, number: str) -> None:
        """Name the record that the next findings are about."""
        self.key, self.number = key, number

    def report(self, code: str, *, field: str = "", value: object = "", **more: object) -> None:
        """Add a finding about the current record, once."""
        issue = finding(code, key=self.key, number=self.number, field=field, value=value, **more)
        if not self.issues or issue != self.issues[-1]:
            self.issues.append(issue)

    def is_blocked(self, key: str) -> bool:
        """Whether a finding about a record blocks."""
        return any(issue.key == key and issue.severity == "block" for issue in self.issues)

    # --- accounts ---

    def account(self, text: str | None, what: str, *, unknown: str = "account_unknown") -> str:
        """The account id of an account text of the export; "" where there is none.

        Args:
            text: such as `4000`, `4001:` or `4000:01`.
            what: the field, for the finding.
            unknown: the code of the finding when the chart does not have it.
        """
        text = (text or "").strip()
        if text not in self._accounts:
            self._accounts[text] = self._find_account(text)
        account_id, code = self._accounts[text]
        if code:
            self.report(unknown if code == "account_unknown" else code, field=what, value=text)
        return account_id

    def _find_account(self, text: str) -> tuple[str, str]:
        """(account id, code of the finding or ""); the id is the text itself when it is not found."""
        if not text.strip("0:- "):
            return "", "account_missing"
        segments = text.split(self.delimiter)
        if self.drop_trailing:
            while segments and not segments[-1].strip():
                segments.pop()
        if any(not segment.strip() for segment in segments):
            return text, "account_segments"
        # Sage may keep the segments with its own separator: the text as it is, then with a hyphen.
        for candidate in (text, self.delimiter.join(segments), "-".join(segments)):
            account = self.books.account.get(fold(candidate))
            if account is not None:
                return account.account_id, "account_inactive" if account.inactive else ""
        return self.delimiter.join(segments), "account_unknown"

    def expect_type(self, account_id: str, wanted: int, what: str) -> None:
        """Warn when an account is not of the type its place expects."""
        account = self.books.account.get(fold(account_id))
        if account is not None and account.type != wanted:
            self.report(
                "account_type",
                field=what,
                value=account_id,
                type=ACCOUNT_TYPES.get(account.type, account.type),
                wanted=ACCOUNT_TYPES[wanted],
            )

    # --- texts ---

    def identity(self, text: str, what: str, *, limit: int = ID_LENGTH) -> bool:
        """Whether Sage takes `text` as an id; ids are never cut (design 9.10)."""
        long, strange = len(text) > limit, BAD_CHARACTERS & set(text)
        if long:
            self.report("id_too_long", field=what, value=text, limit=limit)
        if strange:
            self.report("id_characters", field=what, value=text)
        return not long and not strange

    def cut(self, text: str | None, limit: int, what: str) -> str:
        """`text` in one line, at most `limit` characters long; cutting it is a warning."""
        flat = " ".join((text or "").split())
        if len(flat) > limit:
            self.report("text_cut", field=what, value=flat, limit=limit)
        return flat[:limit].rstrip()

    # --- customers and vendors ---

    def customer(self, customer_id: str | None, new: Customer) -> str:
        """The customer's id in the books; `new` is created when it is unknown and that is allowed."""
        customer_id = (customer_id or "").strip()
        if not customer_id:
            self.report("customer_id_missing", field="customer ID", value=new.name)
            return ""
        known = self.books.customer.get(fold(customer_id))
        if known is not None:
            if known.inactive:
                self.report("customer_inactive", field="customer ID", value=known.customer_id)
            return known.customer_id
        if self.identity(customer_id, "customer ID"):
            self._create("customer", customer_id, replace(new, customer_id=customer_id))
        return customer_id

    def vendor(self, vendor_id: str | None, new: Vendor) -> str:
        """The vendor's id in the books; `new` is created when it is unknown and that is allowed."""
        vendor_id = (vendor_id or "").strip()
        if not vendor_id:
            code = "member_vendor_missing" if new.is_member else "vendor_id_missing"
            self.report(code, field="vendor ID", value=new.name)
            return ""
        known = self.books.vendor.get(fold(vendor_id))
        if known is not None:
            if known.inactive:
                self.report("vendor_inactive", field="vendor ID", value=known.vendor_id)
            return known.vendor_id
        if self.identity(vendor_id, "vendor ID"):
            kind: Literal["member", "vendor"] = "member" if new.is_member else "vendor"
            self._create(kind, vendor_id, replace(new, vendor_id=vendor_id))
        return vendor_id

    def is_new_item(self, item_id: str) -> bool:
        """Whether neither the books nor an earlier line of this plan has the item."""
        folded = fold(item_id)
        return folded not in self.books.item and ("item", folded) not in self.masters

    def item(self, new: Item, *, serialized: bool = False) -> tuple[str, ItemClass, Item | None]:
        """(item id, its class, the item of the books); unknown items are created where allowed.

        The class in the books decides, because Sage posts by it.
        """
        if serialized:
            self.report("item_serialized", field="item ID", value=new.item_id)
        known = self.books.item.get(fold(new.item_id))
        if known is None:
            if self.identity(new.item_id, "item ID"):
                self._create("item", new.item_id, new, item_class=new.item_class.replace("_", " "))
            planned = self.masters.get(("item", fold(new.item_id)))
            actual = planned if isinstance(planned, Item) else new
            return actual.item_id, actual.item_class, None
        if known.inactive:
            self.report("item_inactive", field="item ID", value=known.item_id)
        if known.item_class != new.item_class:
            self.report(
                "item_class_differs",
                field="item class",
                value=known.item_id,
                books_class=known.item_class.replace("_", " "),
                source_class=new.item_class.replace("_", " "),
            )
        return known.item_id, known.item_class, known

    def _create(
        self,
        kind: Literal["customer", "vendor", "member", "item"],
        identity: str,
        new: Master,
        **words: object,
    ) -> None:
        """Plan a new master once; the later transactions of the same one say nothing more."""
        listed = "vendor" if kind == "member" else kind
        place = (listed, fold(identity))
        if place in self.masters:
            return
        if kind not in self.push.create:
            self.report(f"{listed}_unknown", field=f"{listed} ID", value=identity, creatable=kind)
            return
        self.masters[place] = self._shortened(self._with_default(new))
        self.report(f"{listed}_created", field=f"{listed} ID", value=identity, **words)

    def _with_default(self, new: Master) -> Master:
        """Sage wants a default account on a new customer or vendor (seed: auto-creation)."""
        defaults = self.books.defaults
        if isinstance(new, Customer):
            if not defaults.sales_account_id:
                self.report("default_account_missing", field="G/L sales account", value="customer")
            return replace(new, sales_account_id=defaults.sales_account_id)
        if isinstance(new, Vendor):
            if not defaults.expense_account_id:
                self.report("default_account_missing", field="expense account", value="vendor")
            return replace(new, expense_account_id=defaults.expense_account_id)
        return new

    def _shortened(self, new: Master) -> Master:
        """Names and addresses cut to Sage's lengths, each cut a warning."""
        if isinstance(new, Item):
            return replace(
                new,
                description=self.cut(new.description, ITEM_DESCRIPTION_LENGTH, "item description"),
                sales_description=self.cut(
                    new.sales_description, DESCRIPTION_LENGTH, "sales description"
                ),
                purchase_description=self.cut(
                    new.purchase_description, DESCRIPTION_LENGTH, "purchase description"
                ),
            )
        lines = {
            name: self.cut(getattr(new.address, name), limit, f"address {name}")
            for name, limit in ADDRESS_LENGTHS.items()
        }
        return replace(
            new,
            name=self.cut(new.name, NAME_LENGTH, "name"),
            phone=self.cut(new.phone, 20, "telephone"),
            email=self.cut(new.email, 64, "e-mail"),
            address=replace(new.address, **lines),
        )

    # --- people and places of the export ---

    def new_customer(self, source: Any, *, due_days: int, tax_code: str) -> Customer:
        """The customer a company of ConnectWise would become."""
        company = self.setup.companies.get(source.id) if source is not None else None
        name = _name(company, source)
        return Customer(
            customer_id="",
            name=name,
            address=_address(company),
            phone=(company.phone_number or "") if company else "",
            email=(company.invoice_to_email_address or "") if company else "",
            due_days=due_days,
            terms=_terms(due_days),
            tax_code=tax_code,
        )

    def new_vendor(self, source: Any, *, due_days: int) -> Vendor:
        """The vendor a company of ConnectWise would become."""
        company = self.setup.companies.get(source.id) if source is not None else None
        return Vendor(
            vendor_id="",
            name=_name(company, source),
            address=_address(company),
            phone=(company.phone_number or "") if company else "",
            due_days=due_days,
            terms=_terms(due_days),
        )

    def new_member(self, source: Any) -> Vendor:
        """The vendor a member who is paid back would become."""
        member = self.setup.members.get(source.id) if source is not None else None
        if member is None:
            name = (source.name or source.identifier or "") if source is not None else ""
            return Vendor(vendor_id="", name=name, is_member=True)
        return Vendor(
            vendor_id="",
            name=f"{member.first_name or ''} {member.last_name or ''}".strip()
            or member.identifier
            or "",
            email=member.office_email or "",
            is_member=True,
        )


def _name(company: wire.Company | None, source: Any) -> str:
    if company is not None:
        return company.name or company.identifier or ""
    return (source.name or source.identifier or "") if source is not None else ""


def _address(company: wire.Company | None) -> Address:
    if company is None:
        return Address()
    return Address(
        line1=company.address_line1 or "",
        line2=company.address_line2 or "",
        city=company.city or "",
        state=company.state or "",
        zip=company.zip or "",
        country=(company.country.name or "") if company.country else "",
    )


def _terms(due_days: int) -> str:
    return f"Net {due_days} Days" if due_days else ""


def amount_words(amount: Decimal) -> str:
    """An amount for a sentence: `-0.01`."""
    return f"{amount:,.2f}"
