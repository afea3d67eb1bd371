"""Every right, setting and list that a push needs: pass or fail, and how it is put right.

Write rights can only be found by writing (connectwise reference, 10), so they are not probed here.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from sage50kit.errors import NotAuthorized, Sage50KitError
from sage50kit.model import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    from sage50kit.kit import Kit

Result: TypeAlias = Literal["pass", "warn", "fail"]


class Row(NamedTuple):
    """One line of the doctor's list."""

    area: str
    check: str
    result: Result
    detail: str
    fix: str


# What the kit reads, in the order a person meets it; each needs Inquire = All on its module.
_PROBES = (
    "/finance/accounting/batches",
    "/finance/accounting/unpostedinvoices",
    "/finance/accounting/unpostedexpenses",
    "/finance/accounting/unpostedprocurement",
    "/finance/accountingPackageSetup",
    "/finance/glAccounts",
    "/finance/taxCodes",
    "/company/companies",
    "/procurement/catalog",
    "/system/locations",
    "/system/members",
    "/expense/entries",
)


def examine(kit: Kit) -> pd.DataFrame:
    """Run every check; columns area, check, result (pass, warn, fail), detail, fix."""
    import pandas as pd

    rows = _of_connectwise(kit)
    rows += [row for check in HERE for row in _safely(check, kit)]
    return pd.DataFrame(rows, columns=list(Row._fields), dtype="str")


def _of_connectwise(kit: Kit) -> list[Row]:
    """The checks that ask ConnectWise; where it lets nobody in, the first one says it for all."""
    first = _safely(connection, kit)
    if first[0].result != "fail":
        return [*first, *(row for check in THERE for row in _safely(check, kit))]
    names = ", ".join(str(check.__doc__).rstrip(".") for check in THERE)
    return [*first, Row("ConnectWise", "not tried", "fail", names, "put the first row right first")]


def _safely(check: Callable[[Kit], Iterator[Row]], kit: Kit) -> list[Row]:
    """The rows of a check; an error of the run is a failed row, so that the next check still runs."""
    try:
        return list(check(kit))
    except Sage50KitError as error:
        return [Row("run", check.__doc__ or "", "fail", str(error), "put this right first")]


def connection(kit: Kit) -> Iterator[Row]:
    """ConnectWise answers, and the keys are right."""
    version = kit.connectwise.info().version
    try:
        kit.connectwise.client.get(_PROBES[0], pageSize=1)  # the information alone proves no keys
    except NotAuthorized as error:
        if error.status != HTTPStatus.FORBIDDEN:
            raise
    yield Row(
        "ConnectWise", "the site answers", "pass", f"{kit.connectwise.name}, version {version}", ""
    )


def rights(kit: Kit) -> Iterator[Row]:
    """The member may read what the kit needs."""
    for path in _PROBES:
        try:
            kit.connectwise.client.get(path, pageSize=1)
        except Sage50KitError as error:
            yield Row("ConnectWise", f"read {path}", "fail", str(error), "change the security role")
        else:
            yield Row("ConnectWise", f"read {path}", "pass", "", "")


def package(kit: Kit) -> Iterator[Row]:
    """The Accounting Package fits."""
    setup = kit.connectwise.package_setup()
    if setup is None:
        fix = "set it up under System > Setup Tables > Accounting Package"
        yield Row("ConnectWise", "Accounting Package is set up", "fail", "there is none", fix)
        return
    name = (setup.accounting_package and setup.accounting_package.identifier) or ""
    fits: Result = "pass" if name.casefold() == "other" else "warn"
    fix = "" if fits == "pass" else "set it to Other; the export is made for that one"
    yield Row("ConnectWise", "Accounting Package is Other", fits, name, fix)
    for name in (
        "include_sales_tax_flag",
        "transfer_expenses_as_bill_flag",
        "inventory_soh_flag",
        "include_cogs_entries_flag",
    ):
        on = bool(getattr(setup, name))
        words = name.removesuffix("_flag").replace("_", " ")
        fix = "" if on else "check it under System > Setup Tables > Accounting Package"
        yield Row("ConnectWise", words, "pass" if on else "warn", "on" if on else "off", fix)


def accounts(kit: Kit) -> Iterator[Row]:
    """ConnectWise's GL accounts are in the chart of accounts."""
    books = kit.company.books()
    texts = {
        (row.segment1 or "").strip()
        for row in kit.connectwise.gl_accounts()
        if (row.segment1 or "").strip("0 ")
    }
    missing = sorted(text for text in texts if fold(text) not in books.account)
    detail = f"{len(texts)} accounts" if not missing else f"not in Sage 50: {', '.join(missing)}"
    fix = "add them under Maintain > Chart of Accounts, or correct GL Accounts in ConnectWise"
    result: Result = "warn" if missing else "pass"
    yield Row("Mapping", "GL accounts", result, detail, fix if missing else "")


def taxes(kit: Kit) -> Iterator[Row]:
    """Tax xrefs are codes and agencies of the books."""
    books = kit.company.books()
    for code in kit.connectwise.tax_codes():
        missing = [
            f"agency {level.agency_xref}"
            for level in code.levels
            if level.agency_xref and fold(level.agency_xref) not in books.agency
        ]
        first = next((level.tax_code_xref for level in code.levels if level.tax_level == 1), None)
        if first and fold(first) not in books.tax_code:
            missing.append(f"code {first}")
        detail = f"not in Sage 50: {', '.join(missing)}" if missing else ""
        fix = "correct the xrefs under Setup Tables > Tax Codes, or add them under Maintain > Sales Taxes"
        result: Result = "warn" if missing else "pass"
        yield Row("Mapping", f"tax code {code.identifier}", result, detail, fix if missing else "")


def company(kit: Kit) -> Iterator[Row]:
    """The Sage 50 company opens and has its defaults."""
    with kit.company.session():
        defaults = kit.company.books().defaults
    yield Row("Sage 50", "the company opens", "pass", kit.company.name, "")
    for name in ("sales_account_id", "expense_account_id"):
        there = bool(getattr(defaults, name))
        words = f"default {name.removesuffix('_account_id')} account"
        fix = "" if there else "set it under Maintain > Default Information"
        yield Row("Sage 50", words, "pass" if there else "fail", getattr(defaults, name), fix)


def settings(kit: Kit) -> Iterator[Row]:
    """The settings of the push fit the company."""
    account = kit.profile.push.rounding_account
    known = fold(account) in kit.company.books().account
    detail = account if known or not account else f"{account} is not in Sage 50"
    fix = "" if known else "name an account as rounding_account under [push]"
    # Without one a document that needs a rounding line is blocked, and that may never happen.
    result: Result = "pass" if known else "fail" if account else "warn"
    yield Row("Profile", "rounding account", result, detail or "none is named", fix)
    initials = kit.profile.push.initials
    fix = "" if initials else "set initials under [push]; batch numbers are proposed with them"
    yield Row("Profile", "initials", "pass" if initials else "warn", initials, fix)


def pushlog(kit: Kit) -> Iterator[Row]:
    """The push log is whole and belongs to this company."""
    problems = kit.log.verify()
    fix = "restore the log from a backup before the next push"
    yield Row(
        "Push log",
        "the chain of events is whole",
        "fail" if problems else "pass",
        "; ".join(problems[:3]),
        fix if problems else "",
    )
    bound = kit.company.log_id()
    ours = bound in ("", kit.log.log_id)
    fix = "use the profile and log of the machine that pushes to this company"
    detail = "" if ours else f"the company belongs to log {bound}"
    yield Row(
        "Push log",
        "belongs to this company",
        "pass" if ours else "fail",
        detail,
        "" if ours else fix,
    )


THERE: tuple[Callable[[Kit], Iterator[Row]], ...] = (rights, package, accounts, taxes)
HERE: tuple[Callable[[Kit], Iterator[Row]], ...] = (company, settings, pushlog)
