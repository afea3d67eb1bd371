"""Setup rows that hang below a parent, taxable levels, and what the server says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sage50kit.sandbox.closing import LEVELS
from sage50kit.sandbox.refusal import not_found

if TYPE_CHECKING:
    from sage50kit.sandbox.closing import TaxLevel
    from sage50kit.sandbox.tables import Row
    from sage50kit.sandbox.views import Views

LICENSES = (
    "GLInterface",
    "Inventory",
    "Purchasing",
    "Agreement",
    "ManagedServices",
    "AgileBoard",
)


class SetupViews:
    """Projects setup below its parents."""

    def __init__(self, views: Views) -> None:
        self.setup = views.setup
        self.closing = views.closing
        self.ledger = views.ledger
        self.unposted = views.unposted

    # --- setup below a parent

    def below(self, table: str, field: str, owner: str, parent: str) -> list[Row]:
        """The rows of a setup table under one parent."""
        if not parent.isdigit() or int(parent) not in self.setup.tables[owner]:
            raise not_found(owner, parent)
        wanted = int(parent)
        return [
            self.setup.wire(table, row)
            for _, row in sorted(self.setup.tables[table].items())
            if row.get(field) == wanted
        ]

    def type_associations(self, parent: str) -> list[Row]:
        """The types of a company."""
        if not parent.isdigit() or int(parent) not in self.setup.tables["companies"]:
            raise not_found("company", parent)
        types = self.setup.row("companies", int(parent)).get("types") or []
        company = self.setup.reference("companies", int(parent))
        return [
            {
                "id": int(parent) * 100 + kind,
                "type": self.setup.reference("companyTypes", kind),
                "company": company,
            }
            for kind in types
        ]

    def levels(self, parent: str) -> list[Row]:
        """The levels of a tax code."""
        if not parent.isdigit() or int(parent) not in self.setup.tables["taxCodes"]:
            raise not_found("taxCode", parent)
        row = self.setup.row("taxCodes", int(parent))
        return [self._level(row, level) for level in self.closing.tax_levels(int(parent))]

    def _level(self, row: Row, level: TaxLevel) -> Row:
        word = LEVELS[level.level - 1]
        return {
            "id": level.level_id,
            "taxLevel": level.level,
            "taxRate": level.rate,
            "rateType": level.rate_type,
            "caption": row.get(f"level{word}Caption") or "",
            "taxCodeXref": level.tax_xref,
            "agencyXref": level.agency_xref,
            "taxServicesFlag": "Services" in level.kinds,
            "taxExpensesFlag": "Expenses" in level.kinds,
            "taxProductsFlag": "Products" in level.kinds,
            "singleUnitFlag": False,
        }

    def xref_levels(self, grandparent: str, parent: str) -> list[Row]:
        """The levels that a tax code xref taxes."""
        rows = self.below("taxCodeXRefs", "taxCode", "taxCodes", grandparent)
        found = next((row for row in rows if str(row["id"]) == parent), None)
        if found is None:
            raise not_found("taxCodeXRef", parent)
        wanted = set(found.get("taxableLevels") or ())
        levels = self.closing.tax_levels(int(grandparent))
        return [
            {"id": level.level_id, "taxCodeLevel": {"id": level.level_id}}
            for level in levels
            if level.level in wanted
        ]

    def taxable_levels(self, listed: str, parent: str) -> list[Row]:
        """The taxable levels of an unposted row."""
        for closed in self.ledger.unposted(listed):
            ids = (
                {closed.row_id, *(entry.id for entry in closed.entries)}
                if listed == "procurement"
                else {closed.row_id}
            )
            if parent.isdigit() and int(parent) in ids:
                return self.unposted.taxable_levels(closed)
        raise not_found("record", parent)

    # --- the server

    def server(self) -> list[Row]:
        """`/system/info`: one record."""
        return [
            {
                "version": "v2025.1.10333",
                "isCloud": False,
                "serverTimeZone": "Eastern Standard Time",
                "licenseBits": [{"name": name, "activeFlag": True} for name in LICENSES],
                "cloudRegion": "NA",
                "maxWorkFlowRecordsAllowed": 1000,
            }
        ]

    def location_infos(self) -> list[Row]:
        """Locations in short."""
        return [
            {"id": key, "name": row["name"], "structureLevel": row.get("structureLevel")}
            for key, row in sorted(self.setup.tables["locations"].items())
        ]

    def member_infos(self) -> list[Row]:
        """Members in short."""
        names = (
            "id",
            "identifier",
            "firstName",
            "middleInitial",
            "lastName",
            "defaultEmail",
            "licenseClass",
            "inactiveFlag",
        )
        return [
            {name: row[name] for name in names if row.get(name) is not None}
            | {"fullName": f"{row['firstName']} {row['lastName']}"}
            for _, row in sorted(self.setup.tables["members"].items())
        ]
