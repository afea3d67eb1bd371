"""The setup tables of a site: where each is published, and how other records refer to its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

Row = dict[str, Any]


class Table(NamedTuple):
    """One setup table.

    `labels` are copied into a reference beside the id; `refers` names the table behind each field that holds
    an id in the data set; `lead` is the name of the link in a reference's `_info`.
    """

    path: str
    labels: tuple[str, ...] = ("name",)
    refers: tuple[tuple[str, str], ...] = ()
    lead: str = ""
    required: tuple[str, ...] = ("name",)


_COMPANY = (
    ("territory", "locations"),
    ("defaultContact", "contacts"),
    ("taxCode", "taxCodes"),
    ("billingTerms", "billingTerms"),
    ("billToCompany", "companies"),
    ("billingSite", "sites"),
    ("billingContact", "contacts"),
    ("currency", "currencies"),
    ("types", "companyTypes"),
    ("site", "sites"),
)

TABLES: dict[str, Table] = {
    "companies": Table(
        "/company/companies", ("identifier", "name"), _COMPANY, "company", ("identifier", "name")
    ),
    "companyTypes": Table("/company/companies/types", lead="type"),
    "sites": Table(
        "/company/companies/{parentId}/sites",
        refers=(("company", "companies"), ("taxCode", "taxCodes")),
        lead="site",
        required=("name", "company"),
    ),
    "contacts": Table(
        "/company/contacts",
        refers=(("company", "companies"), ("site", "sites")),
        lead="contact",
        required=("firstName",),
    ),
    "classifications": Table("/expense/classifications", lead="classification"),
    "paymentTypes": Table(
        "/expense/paymentTypes", refers=(("classification", "classifications"),), lead="method"
    ),
    "expenseTypes": Table("/expense/types", lead="type"),
    "accountingPackages": Table(
        "/finance/accountingPackages", ("identifier", "name"), required=("identifier",)
    ),
    "accountingPackageSetup": Table(
        "/finance/accountingPackageSetup",
        refers=(("accountingPackage", "accountingPackages"),),
        required=("accountingPackage",),
    ),
    "agreementTypes": Table("/finance/agreements/types", lead="type"),
    "agreements": Table(
        "/finance/agreements",
        refers=(
            ("type", "agreementTypes"),
            ("company", "companies"),
            ("contact", "contacts"),
            ("site", "sites"),
            ("location", "locations"),
            ("department", "departments"),
            ("billToCompany", "companies"),
            ("taxCode", "taxCodes"),
            ("currency", "currencies"),
        ),
        lead="agreement",
        required=("name", "type", "company"),
    ),
    "additions": Table(
        "/finance/agreements/{parentId}/additions",
        refers=(("product", "catalog"),),
        required=("product", "agreementId"),
    ),
    "billingStatuses": Table("/finance/billingStatuses", lead="status"),
    "billingTerms": Table("/finance/billingTerms", required=("name", "dueDays")),
    "companyFinance": Table(
        "/finance/companyFinance/", refers=(("company", "companies"),), required=("company",)
    ),
    "currencies": Table(
        "/finance/currencies",
        (
            "symbol",
            "decimalSeparator",
            "numberOfDecimals",
            "thousandsSeparator",
            "negativeParenthesesFlag",
            "displaySymbolFlag",
            "currencyIdentifier",
            "displayIdFlag",
            "rightAlign",
            "name",
        ),
        lead="currency",
        required=("currencyIdentifier", "name"),
    ),
    "mappedTypes": Table("/finance/glAccounts/mappedTypes"),
    "glAccounts": Table(
        "/finance/glAccounts",
        refers=(("mappedType", "mappedTypes"),),
        required=("glType", "mappedType", "mappedRecord"),
    ),
    "glCaptions": Table("/finance/glCaptions", required=()),
    "glPaths": Table("/finance/glpaths", refers=(("location", "locations"),), required=("path",)),
    "taxCodes": Table("/finance/taxCodes", lead="taxCode", required=("identifier", "description")),
    "taxCodeXRefs": Table(
        "/finance/taxCodes/{parentId}/taxCodeXRefs",
        refers=(("taxCode", "taxCodes"),),
        required=("description", "taxCode"),
    ),
    "taxIntegrations": Table("/finance/taxIntegrations", required=()),
    "adjustmentTypes": Table(
        "/procurement/adjustments/types", ("identifier",), lead="type", required=("identifier",)
    ),
    "catalog": Table(
        "/procurement/catalog",
        ("identifier",),
        (
            ("subcategory", "subcategories"),
            ("category", "categories"),
            ("type", "productTypes"),
            ("unitOfMeasure", "unitOfMeasures"),
            ("vendor", "companies"),
        ),
        "catalog",
        ("identifier", "description", "type"),
    ),
    "categories": Table("/procurement/categories", lead="category"),
    "subcategories": Table(
        "/procurement/subcategories/",
        refers=(("category", "categories"),),
        lead="subCategory",
        required=("name", "category"),
    ),
    "purchaseOrderStatuses": Table("/procurement/purchaseorderstatuses", lead="status"),
    "productTypes": Table("/procurement/types", lead="type"),
    "unitOfMeasures": Table("/procurement/unitOfMeasures", lead="uom"),
    "warehouses": Table(
        "/procurement/warehouses",
        refers=(("location", "locations"), ("department", "departments"), ("company", "companies")),
        lead="warehouse",
        required=("name", "location"),
    ),
    "warehouseBins": Table(
        "/procurement/warehouseBins",
        refers=(
            ("warehouse", "warehouses"),
            ("location", "locations"),
            ("department", "departments"),
        ),
        lead="bin",
        required=("name", "warehouse"),
    ),
    "departments": Table(
        "/system/departments", ("identifier", "name"), lead="department", required=("identifier",)
    ),
    "locations": Table("/system/locations", lead="location"),
    "members": Table(
        "/system/members",
        ("identifier", "name"),
        (
            ("securityRole", "securityRoles"),
            ("defaultLocation", "locations"),
            ("defaultDepartment", "departments"),
        ),
        "member",
        ("identifier", "firstName", "lastName"),
    ),
    "securityRoles": Table("/system/securityroles", lead="securityRole"),
    "securityRoleSettings": Table(
        "/system/securityRoles/{parentId}/settings", required=("role", "moduleFunctionName")
    ),
}

# Fields of a data set row that place it under a parent and are not sent.
HIDDEN = {"securityRoleSettings": ("role",)}


def label(table: str, row: Row, name: str) -> Any:
    """What a reference shows of a row: contacts and members are called by first and last name."""
    if name == "name" and table in {"contacts", "members"}:
        return f"{row.get('firstName', '')} {row.get('lastName', '')}".strip()
    if name == "name" and table == "taxCodes":
        return row.get("description")
    return row.get(name)


def referring(rows: Iterable[Row], field: str, wanted: int) -> list[Row]:
    """The rows whose reference `field` points at `wanted`."""
    return [row for row in rows if row.get(field) == wanted]
