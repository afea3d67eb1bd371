"""The catalogue of findings about data: what was found, how bad it is, where it is put right.

A finding is a row, not an exception. `block` stops the whole batch before anything is posted; `refuse`
is shown, tried, and refused for that document alone; `warn` and `note` are shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

Severity: TypeAlias = Literal["block", "refuse", "warn", "note"]
SEVERITIES: tuple[Severity, ...] = ("block", "refuse", "warn", "note")
COLUMNS = ("severity", "code", "key", "number", "field", "value", "message", "fix")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One entry of the catalogue: the usual severity, the sentence and the cure of a code.

    `message` and `fix` are templates over the fields of the issue (`{number}`, `{field}`, `{value}`)
    and whatever else the check passes.
    """

    severity: Severity
    message: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One finding about one record: who (`number`, `key`), what (`field`, `value`), and the cure."""

    severity: Severity
    code: str
    key: str
    number: str
    field: str
    value: str
    message: str
    fix: str


# code | severity | what is wrong (the record's number stands in front) | what to do
_TABLE = """
account_missing | block | no GL account on {field} | set the account under Setup Tables > GL Accounts in ConnectWise, then reopen and close the record so that it takes the new account
account_unknown | block | GL account {value} ({field}) is not in the chart of accounts | add {value} under Maintain > Chart of Accounts, or correct it in ConnectWise's GL Accounts and reopen and close the record
account_inactive | block | GL account {value} ({field}) is inactive in Sage 50 | clear Inactive on the account under Maintain > Chart of Accounts
account_segments | block | GL account {value} ({field}) has an empty segment inside | fill the segment in ConnectWise's GL Accounts, then reopen and close the record
account_type | warn | account {value} is of type {type}, {field} expects {wanted} | check the account under Maintain > Chart of Accounts; Sage 50 posts it but reports may miss it
freight_account | block | the freight line has GL account {value}, which is not in the chart of accounts | set the Purchase Order Freight account in ConnectWise's GL Accounts table
customer_id_missing | block | company {value} has no account number | fill Account under Company Finance in ConnectWise with the Sage 50 customer ID
customer_unknown | block | customer {value} is not in Sage 50 | add it under Maintain > Customers, or let the kit create it: add {creatable} to [push] create in the profile
customer_inactive | block | customer {value} is inactive in Sage 50 | clear Inactive under Maintain > Customers/Prospects
customer_created | note | customer {value} will be created | look at its fields in the proof listing
vendor_id_missing | block | vendor {value} has no vendor xref | fill Vendor XRef under Company Finance in ConnectWise with the Sage 50 vendor ID
vendor_unknown | block | vendor {value} is not in Sage 50 | add it under Maintain > Vendors, or let the kit create it: add {creatable} to [push] create in the profile
vendor_inactive | block | vendor {value} is inactive in Sage 50 | clear Inactive under Maintain > Vendors
vendor_created | note | vendor {value} will be created | look at its fields in the proof listing
member_vendor_missing | block | member {value} has no vendor number | fill Vendor Nbr under Setup > Members in ConnectWise with the Sage 50 vendor ID
default_account_missing | block | a new {value} needs the company's default {field} | set it under Maintain > Default Information in Sage 50
item_unknown | block | item {value} is not in Sage 50 | add it under Maintain > Inventory Items, or let the kit create it: add {creatable} to [push] create in the profile
item_inactive | block | item {value} is inactive in Sage 50 | clear Inactive under Maintain > Inventory Items
item_created | note | item {value} will be created as {item_class} | look at its fields in the proof listing
item_class_differs | warn | item {value} is {books_class} in Sage 50, {source_class} in ConnectWise; Sage 50's class decides | correct Type Xref of the product type in ConnectWise, or the item in Sage 50
item_not_stock | block | item {value} is {books_class} in Sage 50; only stock items can be adjusted | correct the item's class, or clear the adjustment
item_serialized | note | item {value} is serialized in ConnectWise; it is posted without serial numbers | keep the serial numbers in ConnectWise
id_too_long | block | {field} {value} is longer than {limit} characters; ids are never cut | shorten it in ConnectWise
id_characters | block | {field} {value} holds one of the characters * ? + |, which Sage 50 does not take | change it in ConnectWise
reference_missing | block | the document has no number | give it a number in ConnectWise
reference_too_long | block | number {value} is longer than 20 characters | shorten it in ConnectWise
text_cut | warn | {field} is longer than {limit} characters and will be cut: {value} | shorten it in ConnectWise if the rest matters
tax_code_missing | block | tax is charged, but level 1 has no tax code xref | fill Tax Code Xref under Setup Tables > Tax Codes in ConnectWise
tax_code_unknown | block | sales tax code {value} is not in Sage 50 | add it under Maintain > Sales Taxes, or correct Tax Code Xref in ConnectWise
agency_missing | block | tax level {level} has no agency xref | fill Agency Xref under Setup Tables > Tax Codes in ConnectWise
agency_unknown | block | sales tax agency {value} (level {level}) is not in Sage 50 | add it under Maintain > Sales Taxes, or correct Agency Xref in ConnectWise
agency_not_in_code | block | agency {value} (level {level}) does not belong to sales tax code {tax_code} | add the agency to the code under Maintain > Sales Taxes, or correct the xrefs in ConnectWise
tax_account_differs | block | tax level {level} is on account {value}, agency {agency} posts to {wanted} | use one liability account in ConnectWise's GL Accounts and in the agency
six_tax_levels | block | tax level {level} is charged; Sage 50 combines at most five agencies | join two levels in ConnectWise's tax code
tax_differs | block | tax level {level} is {value} in the lines, {wanted} in the header | open and close the invoice in ConnectWise; if it stays, ask ConnectWise support
avalara | block | the tax was adjusted by Avalara | enable the Avalara tax module in the profile
rounding_line | note | lines and total differ by {value}; a rounding line goes to account {account} | nothing to do
rounding_account_missing | block | lines and total differ by {value} and no rounding account is named | name rounding_account under [push] in the profile
total_differs | block | the lines add up to {lines}, the total is {value} | open the record in ConnectWise and correct it; differences above {limit} are never rounded away
fraction_of_cent | note | a line total has more than two decimals and is rounded: {value} | nothing to do
freight_differs | warn | the freight line is {lines}, the receipt says {value} | the freight line is posted; check the purchase order
negative_purchase | block | the receipt has a negative total of {value} | enter a vendor credit memo in Sage 50 by hand and clear the receipt in ConnectWise
credit_memo_sign | block | a credit memo with a positive total of {value} | open it in ConnectWise and check its lines
zero_document | note | all amounts are zero: nothing to post | it joins the batch without a document
nothing_to_post | note | {value} | it joins the batch without a document
document_empty | block | the export has no lines | reopen and close the record in ConnectWise so that its GL entries are made
not_exported | block | ConnectWise lists it as unposted but does not export it | check the company's account number and that the record has GL entries; reopen and close it
cannot_tie | block | the export cannot be tied to the listed transactions: {value} | push it in a batch of its own
company_advance_line | note | line {value} was paid by the company; it is not owed to the member and left off the bill | record it with the company card statement
not_reimbursable_line | note | line {value} is not paid back; it is left off the bill | nothing to do
adjustment_quantity | block | item {value} is adjusted in amount only | Sage 50 adjusts quantities; enter a journal by hand and clear the adjustment
decrease_value | note | Sage 50 values the decrease of {value} itself; ConnectWise says {amount} | nothing to do
inventory_account_differs | warn | item {item} keeps its stock on {wanted} in Sage 50, ConnectWise says {value} | use one inventory account in both, or the subledger will differ from the ledger
currency_differs | block | the currency is {value}, the company keeps its books in {wanted} | Sage 50 has one currency; enter it by hand and clear it in ConnectWise
listed_differs | block | the list says {wanted}, the export {value} | fetch again; if it stays, reopen and close the record in ConnectWise
entries_missing | block | {value} of its lines have no GL entry | reopen and close the record in ConnectWise so that its GL entries are made
in_unfinished_batch | block | it belongs to batch {value}, which was begun and not finished | run first: sage50kit resume
no_document | block | nothing would be posted for it and nobody said why | report this to the makers of sage50kit; leave it out for now
date_missing | block | it has no {field} | fill the date in ConnectWise
period_closed | block | {value} is in a closed fiscal year | change the date in ConnectWise
period_unknown | block | {value} is outside the open fiscal years | change the date in ConnectWise, or open the year in Sage 50
duplicate_number | block | {party} already has {value} in the books, dated {date}, {total} | clear it in ConnectWise if it is the same document, or change the number
duplicate_in_batch | block | {party} has {value} twice in this batch | change one number, or push them in two batches after correcting
same_vendor_invoice | block | {party} has two receipts with vendor invoice {value} | set same_vendor_invoice = "suffix" under [push], or give each its own number
suffix_added | warn | vendor invoice {value} is used by two receipts; this one is posted as {wanted} | nothing to do
already_in_books | warn | it stands in the books already ({value}) with the same content; it joins the batch without being posted again | nothing to do
content_changed | block | it stands in the books ({value}) with other content: there {there}, here {here} | void the document in Sage 50, or clear the transaction
posted_again | warn | it stands in the books ({value}) and is posted again because its key was named | void the older one in Sage 50
posted_before | warn | it was posted before ({value}) and is no longer in the books; it will be posted again | make sure that it was removed on purpose
credit_hold | refuse | customer {value} is on hold; Sage 50 will refuse the invoice | change the credit status under Maintain > Customers, or leave the invoice for later
credit_over_hold | refuse | customer {value} would owe {owed}, over the limit of {limit}; Sage 50 will refuse the invoice | collect, raise the limit, or leave the invoice for later
credit_over_limit | warn | customer {value} will owe {owed}, over the limit of {limit} | nothing to do
credit_notify | warn | customer {value} is set to always notify | nothing to do
package_setup | warn | Accounting Package: {field} is {value} | {advice}
cannot_tell | block | it was posted before ({value}), and nobody can tell whether it stands in Sage 50 | look there; then name its key to post it again, or clear it
gone_since | refuse | it stood at {value} when it was planned or posted, and does no longer; it is not in this batch | plan it again
partly_posted | warn | one part of it is posted ({value}), another was refused; it is in no batch | correct what was refused and push it again: only the missing part is posted, or void the posted one
batch_not_ours | warn | batch {value} in ConnectWise holds nothing that was posted by this kit | delete it there by hand if it is yours
still_batched | warn | it is still in batch {value} of ConnectWise | un-post it there, or void was not meant
in_other_batch | note | it is in batch {value} now and was left as it is | nothing to do
posted_twice | block | it stands in Sage 50 more than once: {value} | void all but one
unsent_batch | warn | batch {value} was recorded on {day} by {who}, and nothing of it was sent; its number is free | push it again: sage50kit push --batch {value}, or its transactions under another number
unfinished_batch | warn | batch {value} is not finished | run: sage50kit resume
finished_first | note | batch {value} had been interrupted and was finished first. {said} | nothing to do
finished_first_errors | warn | batch {value} had been interrupted and was finished first. {said} | look at its report: sage50kit push --batch {value}
batch_missing | block | batch {value} is not in ConnectWise | it may be closed or deleted; a closed batch can be restored by ConnectWise support
batch_not_deleted | warn | ConnectWise did not delete batch {value}: {said} | a closed batch is restored by ConnectWise support; never close a batch
unbatch_by_hand | warn | it is in batch {value}; ConnectWise un-batches a single {kind} by hand only | open the {menu}, then OK; it returns to the unposted list
unbatch_whole | warn | it is in batch {value}; ConnectWise cannot un-batch a single {kind} | un-post the whole batch: sage50kit unpost --batch {value}
void_waits | warn | it was not voided, because it is still in batch {value} of ConnectWise | un-batch it first, then: sage50kit void --document {key}
void_refused | warn | Sage 50 did not void it: {value} | undo what is applied to it, then void it there
stands_in_books | warn | it stands in Sage 50 at {value}, dated {date}, {total} | void or delete it there: {screen}
batch_entry_missing | block | posted, but GL entry {value} is not in the batch | run the push again, or correct the batch in ConnectWise
batch_entry_foreign | block | GL entry {value} is in the batch, but not in the log | somebody else changed the batch; compare it by hand
still_unposted | block | it is in the batch but still listed as unposted | look at the record in ConnectWise
not_in_books | block | the log says posted at {value}, the books do not have it | restore or rerun
voided_in_books | warn | it was voided in Sage 50 ({value}) | un-post it in ConnectWise if that was meant
books_differ | block | {field} is {value} in the books, {wanted} was sent | compare the document in Sage 50
stored_differs | warn | Sage 50 stored {field} as {value}, {wanted} was sent | compare the document in Sage 50
deleted_in_sage | warn | it is no longer in Sage 50; it stood at {value} | restore it, or run its batch again: sage50kit rerun
voided_in_sage | warn | it was voided in Sage 50 ({value}) | un-post it in ConnectWise if that was meant
renumbered_in_sage | warn | it was renumbered in Sage 50: {value} | give it its number again, or payments will not find it
edited_in_sage | warn | it was edited in Sage 50: {value} | compare the document in Sage 50
unbatched_in_connectwise | warn | it is no longer in batch {value} and unposted again, but stands in Sage 50 | push it again: it joins the next batch without being posted twice
cleared_unbatched | warn | it was batched without a posting, and is no longer in batch {value} | clear it again if nothing is to be posted, or push it
edited_in_connectwise | warn | it was edited in ConnectWise after it was posted: {value} | void it in Sage 50 and push it again, or undo the edit
deleted_in_connectwise | warn | it is neither in batch {value} nor unposted in ConnectWise, but stands in Sage 50 | look at the record in ConnectWise; void the document in Sage 50 if it was deleted there
company_warning | warn | Sage 50 says: {value} | nothing to do
receipts_cut | refuse | only {value} receipts could be read, not all of them; the start of the next run stays where it was | run the sync again
receipts_restored | warn | the company has lost receipts or their changes since the last run, as after a restored backup; every receipt was read and every invoice compared | enter in Sage 50 again what is missing; until then ConnectWise shows it unpaid
receipt_unapplied | note | {value} from customer {customer} pays no invoice yet | apply it in Sage 50; ConnectWise shows it then
receipt_future | warn | it is dated {value}, which is still to come; ConnectWise shows that date | correct the date in Sage 50 if it is a typing error
payment_invoice_unknown | warn | customer {customer} paid invoice {value}, which ConnectWise does not have | nothing to do if it was entered in Sage 50 by hand; else correct the number in Sage 50
payment_customer_differs | refuse | customer {customer} paid it in Sage 50, in ConnectWise it belongs to {value} | correct the customer of the receipt, or the account number in ConnectWise; it is tried again
payment_ambiguous | refuse | ConnectWise has {value} invoices of this number for customer {customer} | change one of the numbers in ConnectWise; it is tried again
payment_currency | refuse | the currency is {value}, the company keeps its books in {wanted}; nothing was written | record the payment in ConnectWise by hand
payment_date | refuse | {value} has no usable date ({date}); nothing was written | open the receipt in Sage 50, give it a date and save it; it is tried again
payment_negative | refuse | what is applied to it adds up to {value} | look for a receipt in Sage 50 that was reversed twice; ConnectWise shows 0.00
payment_over | warn | {value} is applied to it in Sage 50, ConnectWise has room for {room} of its total of {total} | move the rest to another invoice in Sage 50; ConnectWise shows no more than the total
payment_conflict | refuse | Sage 50 shows {value} paid, ConnectWise {there}, of which {foreign} was not written by the kit and is never changed | correct the one that is wrong; ConnectWise takes one payment for an invoice
payment_restored | warn | our payment was changed in ConnectWise to {value}; Sage 50 shows {wanted} | enter payments in Sage 50; it is set back
payment_unread | refuse | what is paid of it in ConnectWise could not be read, so nothing was written: {why} | it waits and is tried again with the next run; open the invoice in ConnectWise if it stays so
payment_refused | refuse | ConnectWise did not take the payment of {value}: {why} | it waits and is tried again with the next run
payment_moved_on | refuse | ConnectWise shows {there} paid, {before} when the plan was made; nothing was written | it waits and is planned anew with the next run
payment_unanswered | refuse | ConnectWise did not answer about the payment of {value}: {why} | it is looked up and tried again with the next run
portal_invoice_missing | warn | {value} was paid in the portal; the invoice is not open in Sage 50, so no receipt was posted | push the invoice if it is not there; if the payment was entered by hand, there is nothing to do
portal_incomplete | refuse | a payment of the portal has no {field} | look at the payment in ConnectWise
portal_unread | warn | the payments of the portal could not be listed: {why} | give the member the right, or set portal = false under [payments] in the profile
portal_customer_missing | refuse | {value} was paid in the portal; its company has no account number | fill Account under Company Finance in ConnectWise; it is tried again
portal_open_differs | refuse | {value} was paid in the portal, only {open} is open in Sage 50; no receipt was posted | if it was entered in Sage 50 by hand, delete that receipt; it is posted with the next run
portal_alike | refuse | {value} was paid in the portal, and Sage 50 has receipt {there} of the same amount; nothing was posted | if it is the same money, give that receipt the reference {reference} in Sage 50; if not, enter the portal's by hand with that reference
portal_early | note | {value} payments of the portal are dated before the cut-over of {wanted} and are left alone | nothing to do
portal_gone | warn | portal payment {reference} of {value} was posted and stands in Sage 50 no longer; it is not posted again | enter it by hand if it was taken out by mistake
portal_currency | refuse | {value} was paid in the portal in {currency}, the company keeps its books in {wanted}; no receipt was posted | enter the receipt in Sage 50 by hand
portal_moved_on | refuse | the portal payment of {value} or its invoice is not as it was when the plan was made; no receipt was posted | it is planned anew with the next run
portal_refused | refuse | Sage 50 refused the receipt of the portal payment of {value}: {why} | it is tried again with the next run
portal_unanswered | refuse | Sage 50 did not answer about the receipt of the portal payment of {value}: {why} | it is looked up before anything is sent again
company_refused | refuse | Sage 50 refused it: {value} | correct it and push it in the next batch
"""

CATALOGUE: dict[str, Finding] = {
    code: Finding(severity=cast("Severity", severity), message=message, fix=fix)
    for code, severity, message, fix in (row.split(" | ") for row in _TABLE.strip().splitlines())
}


def finding(
    code: str, *, key: str, number: str, field: str = "", value: object = "", **more: object
) -> Issue:
    """Make the issue of a code from the catalogue; an unknown code is a bug and raises KeyError."""
    kind = CATALOGUE[code]
    words = {"key": key, "number": number, "field": field, "value": str(value), **more}
    return Issue(
        severity=kind.severity,
        code=code,
        key=key,
        number=number,
        field=field,
        value=str(value),
        message=kind.message.format_map(words),
        fix=kind.fix.format_map(words),
    )


def issues_frame(issues: Iterable[Issue]) -> pd.DataFrame:
    """The findings as a frame of text columns, worst first, in the order they were found."""
    import pandas as pd

    rows = sorted(issues, key=lambda issue: SEVERITIES.index(issue.severity))
    return pd.DataFrame(
        [[getattr(row, column) for column in COLUMNS] for row in rows],
        columns=list(COLUMNS),
        dtype="str",
    )


def worst(issues: Iterable[Issue]) -> Severity | None:
    """The most severe of the findings; None if there are none."""
    found = {issue.severity for issue in issues}
    return next((severity for severity in SEVERITIES if severity in found), None)
