"""Who may call the local ConnectWise site, and what their security role lets them do.

Three ways in, as on the real site: an API key of a member, an integrator login that may only make member tokens,
and such a token until it expires. What a member may do comes from the site's own security-role settings.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sage50kit.sandbox.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sage50kit.sandbox.contract import Operation

LEVEL_OF = {
    "GET": "inquireLevel",
    "POST": "addLevel",
    "PUT": "editLevel",
    "PATCH": "editLevel",
    "DELETE": "deleteLevel",
}
CLIENT_ID = "5a9e50b1-7c1d-4c52-9a55-1d2f0c3b5e50"

# Which module of a security role a path belongs to (module, function); the longest beginning wins.
_MODULES = {
    "/company/companies": ("Companies", "Company Maintenance"),
    "/company/contacts": ("Companies", "Contacts"),
    "/expense/entries": ("Time & Expense", "Expense Report Entry"),
    "/expense/reports": ("Time & Expense", "Expense Report Entry"),
    "/expense": ("System", "Table Setup"),
    "/finance/accounting/": ("Finance", "Accounting Interface"),
    "/finance/agreements": ("Finance", "Invoicing"),
    "/finance/companyfinance": ("Companies", "Company Maintenance"),
    "/finance/invoices": ("Finance", "Invoicing"),
    "/finance/closedinvoices": ("Finance", "Invoicing"),
    "/finance": ("System", "Table Setup"),
    "/procurement/adjustments": ("Procurement", "Inventory Adjustments"),
    "/procurement/catalog": ("Procurement", "Product Catalog"),
    "/procurement/products": ("Procurement", "Products"),
    "/procurement/purchaseorders": ("Procurement", "Purchase Orders"),
    "/procurement": ("System", "Table Setup"),
    "/system/departments": ("System", "My Company"),
    "/system/locations": ("System", "My Company"),
    "/system/members": ("System", "Member Maintenance"),
    "/system/securityroles": ("System", "Member Maintenance"),
    "/system/bundles": ("System", "API Reports"),
}
_READS_BY_POST = (
    "/finance/accounting/export",
    "/finance/accounting/batches/{id}/export",
)  # they change nothing


@dataclass(frozen=True, slots=True)
class Account:
    """The API key of one member of the site."""

    member: str  # identifier
    public_key: str
    private_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request."""

    member: str  # identifier; of an integrator, its login
    is_integrator: bool = False


@dataclass(frozen=True, slots=True)
class Rights:
    """What a member's role allows: levels by module function; `fallback` for those not listed."""

    levels: Mapping[str, Mapping[str, str]]
    fallback: frozenset[str] = frozenset()  # level names that are `All` where nothing is listed

    def allows(self, function: str, level: str) -> bool:
        """Whether `level` (`inquireLevel`, ...) of a module function is All or My."""
        if function in self.levels:
            return self.levels[function].get(level, "None") != "None"
        return level in self.fallback


EVERYTHING = Rights({}, frozenset(LEVEL_OF.values()))
READING = Rights({}, frozenset({"inquireLevel"}))
NOTHING = Rights({})
_BY_NAME = {"api": EVERYTHING, "reader": READING, "norights": NOTHING}


def demo_accounts(private_key: str = "") -> tuple[Account, ...]:
    """Keys of three members: `api` may do everything, `reader` may look, `norights` may sign in and no more."""
    private = private_key or secrets.token_urlsafe(12)
    return (
        Account("api", "demoPublicKey", private),
        Account("reader", "readerPublicKey", secrets.token_urlsafe(12)),
        Account("norights", "norightsPublicKey", secrets.token_urlsafe(12)),
    )


def module_of(template: str) -> tuple[str, str] | None:
    """The module and function a role needs for a path; None where signing in is enough."""
    path = template.lower()
    matching = [prefix for prefix in _MODULES if path.startswith(prefix)]
    return _MODULES[max(matching, key=len)] if matching else None


@dataclass
class Gate:
    """The door of the site: company, keys, client ids, integrator and tokens.

    Args:
        company: ConnectWise login company id.
        accounts: API keys.
        client_ids: vendor ids that are let in; without one every call is 403.
        integrator: login and password of the integrator.
        token_lifetime: how long a member token is good.
        clock: the current time in UTC; a test brings its own.
        is_cloud: wrong company or keys answer 404 there, 401 on premise.
    """

    company: str
    accounts: tuple[Account, ...]
    client_ids: tuple[str, ...] = (CLIENT_ID,)
    integrator: tuple[str, str] = field(default=("integrator", ""), repr=False)
    token_lifetime: timedelta = timedelta(hours=4)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    is_cloud: bool = False
    _tokens: dict[str, tuple[Account, datetime]] = field(default_factory=dict, repr=False)

    def caller(self, headers: Mapping[str, str]) -> Caller:
        """The member or integrator behind a request.

        Raises:
            Refused: 401 (404 in the cloud) for wrong keys, 403 for a missing or unknown clientId.
        """
        company, user, password = self._basic(headers.get("authorization", ""))
        if company.lower() != self.company.lower():
            raise self._unknown()
        caller = self._signed_in(user, password, headers.get("x-cw-usertype", "").lower())
        if headers.get("clientid", "").lower() not in {known.lower() for known in self.client_ids}:
            raise Refused(403, "Security", "The clientId header is missing or not valid.")
        return caller

    def issue(self, member: str) -> dict[str, str]:
        """A token for a member: keys that work until `expiration`."""
        account = Account(member, secrets.token_urlsafe(12), secrets.token_urlsafe(12))
        until = self.clock() + self.token_lifetime
        self._tokens[account.public_key] = (account, until)
        expiration = until.strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "publicKey": account.public_key,
            "privateKey": account.private_key,
            "expiration": expiration,
        }

    def expire_tokens(self) -> None:
        """End all member tokens now."""
        now = self.clock()
        self._tokens = {key: (account, now) for key, (account, _) in self._tokens.items()}

    def _basic(self, header: str) -> tuple[str, str, str]:
        scheme, _, encoded = header.partition(" ")
        try:
            text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            text = ""
        name, colon, password = text.partition(":")
        company, plus, user = name.partition("+")
        if scheme.lower() != "basic" or not colon or not plus:
            raise Refused(401, "ConnectWiseApi", "UserNotAuthenticated")
        return company, user, password

    def _signed_in(self, user: str, password: str, usertype: str) -> Caller:
        if usertype == "integrator":
            login, secret = self.integrator
            if secret and user.lower() == login.lower() and _same(password, secret):
                return Caller(login, is_integrator=True)
            raise self._unknown()
        for account in self.accounts:
            if _same(account.public_key, user) and _same(account.private_key, password):
                return Caller(account.member)
        token = self._tokens.get(user)
        if token is None or not _same(token[0].private_key, password):
            raise self._unknown()
        account, until = token
        if until <= self.clock():
            raise Refused(401, "Unauthorized", "The token has expired.")
        return Caller(account.member)

    def _unknown(self) -> Refused:
        if self.is_cloud:
            return Refused(404, "NotFound", "The company or the credentials were not found.")
        return Refused(401, "Unauthorized", "The company or the credentials are not valid.")


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode())


def rights_of(
    member: str,
    members: Iterable[dict[str, Any]],
    settings: Callable[[int], Iterable[dict[str, Any]]],
) -> Rights:
    """What a member may do, from the site's security roles.

    Args:
        member: identifier.
        members: rows of `/system/members`.
        settings: rows of `/system/securityRoles/{parentId}/settings` by role id.
    """
    row = find_member(member, members)
    if row is None:
        return _BY_NAME.get(member.lower(), NOTHING)
    role = row.get("securityRole") or {}
    levels = {
        str(setting.get("moduleFunctionName")): setting for setting in settings(role.get("id", 0))
    }
    if not levels:
        is_admin = str(role.get("name", "")).lower().startswith("admin")
        return _BY_NAME.get(member.lower(), EVERYTHING if is_admin else NOTHING)
    return Rights(levels)


def find_member(identifier: str, members: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """The row of a member, case aside."""
    wanted = identifier.lower()
    return next((row for row in members if str(row.get("identifier", "")).lower() == wanted), None)


def check(operation: Operation, caller: Caller, rights: Rights) -> None:
    """See that a caller may do what it asks.

    Raises:
        Refused: 403 naming the module of the security role.
    """
    if caller.is_integrator:
        if not operation.template.endswith("/tokens"):
            raise Refused(
                403, "Security", "An integrator login may only request member tokens here."
            )
        return
    module = module_of(operation.template)
    level = "inquireLevel" if operation.template in _READS_BY_POST else LEVEL_OF[operation.method]
    if module is not None and not rights.allows(module[1], level):
        raise Refused(
            403,
            "Security",
            "You do not have security permission to perform this action. "
            f"The security role needs {level.removesuffix('Level').title()} on {module[0]} > {module[1]}.",
        )
