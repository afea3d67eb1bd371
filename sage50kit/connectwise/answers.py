"""ConnectWise's error answers turned into errors that name what to do (connectwise reference, 4, 10)."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx

from sage50kit.errors import (
    ConnectWiseError,
    ConnectWiseRejected,
    ConnectWiseUnavailable,
    ConnectWiseUnreadable,
    NotAuthorized,
    NotFound,
)

# The security-role module that guards a path, longest prefix first.
MODULES = (
    ("/finance/accounting/", "Finance > Accounting Interface (Add, Edit, Delete, Inquire = All)"),
    ("/finance/invoices/", "Finance > Invoicing (Edit, Delete, Inquire = All)"),
    ("/finance/billing", "System > Table Setup: Invoicing / Billing Terms (Inquire = All)"),
    ("/finance/companyfinance/", "Companies > Company Maintenance (Inquire = All)"),
    ("/finance/", "System > Table Setup: General Ledger / GL Accounts (Inquire = All)"),
    ("/company/contacts/", "Companies > Contacts (Inquire = All)"),
    ("/company/", "Companies > Company Maintenance (Inquire = All)"),
    ("/procurement/purchaseorders/", "Procurement > Purchase Orders (Inquire = All)"),
    ("/procurement/adjustments/", "Procurement > Inventory Adjustments (Inquire = All)"),
    ("/procurement/products/", "Procurement > Products (Inquire = All)"),
    ("/procurement/", "Procurement > Product Catalog (Inquire = All)"),
    ("/expense/", "Time & Expense > Expense Report Entry (Inquire = All)"),
    ("/time/", "Time & Expense > Time Entry (Inquire = All)"),
    ("/system/members/", "System > Member Maintenance (Inquire = All)"),
    ("/system/locations/", "System > My Company (Inquire = All)"),
    ("/system/departments/", "System > My Company (Inquire = All)"),
    ("/system/info/", "System > My Company (Inquire = All)"),
    ("/system/", "System > Table Setup (Inquire = All)"),
)


def failure(answer: httpx.Response, method: str, path: str, name: str) -> ConnectWiseError:
    """The error of an answer that is not a success."""
    status, detail = answer.status_code, _detail(answer)
    words: dict[str, Any] = {"status": status, "url": path, "detail": detail}
    told = f" ConnectWise says: {detail}" if detail else ""
    if status == 401:
        return NotAuthorized(
            f"{name} refused the keys on {method} {path}. Check company id, public and private key, that "
            f"the member is active, and the clientId.{told}",
            **words,
        )
    if status == 403 and "clientid" in detail.lower():
        return NotAuthorized(
            f"{name} does not know the clientId of this kit. Correct client_id under [connectwise] in the "
            f"profile.{told}",
            **words,
        )
    if status == 403:
        return NotAuthorized(
            f"{name} does not let this member {method} {path}. Give its security role the right "
            f"{module_of(path)}; or the clientId is unknown.{told}",
            **words,
        )
    if status == 404:
        return NotFound(
            f"{name} has no {path}. Either the record is gone, or (on cloud sites) the company id or "
            f"the keys are wrong.{told}",
            **words,
        )
    if status in (408, 429) or (status >= 500 and status != 501):
        busy = "allows no more requests for now" if status == 429 else f"answered {status}"
        failed = ConnectWiseUnavailable(
            f"{name} {busy} on {method} {path}. Try again later.{told}", **words
        )
        failed.sent = status != 429 and method != "GET"
        return failed
    return ConnectWiseRejected(f"{name} refused {method} {path} ({status}).{told}", **words)


def module_of(path: str) -> str:
    """The security-role module that guards a path."""
    lower = path.lower() + "/"
    found = next((module for prefix, module in MODULES if lower.startswith(prefix)), None)
    return found or "for this module (Inquire = All)"


def unreadable(path: str, what: str) -> ConnectWiseUnreadable:
    """The error of an answer that is not what the contract says."""
    return ConnectWiseUnreadable(
        f"the answer to {path} cannot be read: {what}. Check the site in the profile, and whether a "
        "proxy stands in between.",
        url=path,
    )


def accepted_unread(error: ConnectWiseUnreadable, path: str) -> ConnectWiseUnavailable:
    """The error of a write that was accepted with an answer nobody can read: to be settled by looking."""
    failed = ConnectWiseUnavailable(str(error), status=error.status, url=path)
    failed.sent = True
    return failed


def silence(error: httpx.RequestError, method: str, name: str, path: str) -> ConnectWiseError:
    """The error of a request without an answer; `.sent` tells whether it may have been read."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return ConnectWiseUnavailable(
            f"the certificate of {name} is not trusted: {error}. If the site has an authority of its own, "
            "name its file as ca_file in the profile; else ask who stands in between.",
            url=path,
        )
    sent = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    what = "did not answer" if sent else "cannot be reached"
    failed = ConnectWiseUnavailable(
        f"{name} {what} ({type(error).__name__}: {error}) on {method} {path}. Check the site in the "
        "profile and the network, then try again.",
        url=path,
    )
    failed.sent = sent and method != "GET"
    return failed


def _detail(answer: httpx.Response) -> str:
    """What the body says: ConnectWise's own shape, the other one of 429, HTML or plain text."""
    try:
        body = json.loads(answer.content, strict=False)
    except ValueError:
        plain = re.sub(r"<[^>]*>", " ", answer.text)
        return " ".join(plain.split())[:200]
    if not isinstance(body, dict):
        return ""
    parts = [str(body.get("message") or "")]
    errors = body.get("errors")
    for inner in errors if isinstance(errors, list) else ():
        if isinstance(inner, dict):
            where = f" ({inner['field']})" if inner.get("field") else ""
            parts.append(f"{inner.get('message') or inner.get('code') or ''}{where}")
    return "; ".join(part for part in parts if part)
