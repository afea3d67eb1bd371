"""Money back, and whether both systems agree on what is owed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sage50kit import outcome
from sage50kit.kit.ends import Ends, day_of, today

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from sage50kit.payments.adopting import Adoption
    from sage50kit.payments.ageing import Ageing, By
    from sage50kit.payments.golive import HistoryMatch
    from sage50kit.payments.model import PaymentPlan, Reading
    from sage50kit.payments.reconcile import Reconciliation
    from sage50kit.payments.report import PaymentReport


class Receivables(Ends):
    """The verbs of payments and of what customers owe."""

    # --- payments: fetch, plan, apply ---

    def fetch_receipts(self, *, since: str = "last", full: bool = False) -> Reading:
        """What Sage says was paid of the invoices whose receipts changed; nothing is written.

        Args:
            since: `last` (successful run), `week`, `fortnight`, `month` or a date such as 2026-10-31.
            full: look at every invoice that was ever paid, whatever changed.
        """
        from sage50kit.payments import sync

        return sync.fetch(self, since=since, full=full)

    def plan_payments(self, receipts: Reading | None = None) -> PaymentPlan:
        """The payments that bring ConnectWise to what Sage says; None reads since the last run."""
        from sage50kit.payments import sync

        return sync.plan(self, receipts or self.fetch_receipts())

    def apply_payments(self, plan: PaymentPlan, *, dry_run: bool = True) -> PaymentReport:
        """Write the payments of a plan; a dry run writes nothing.

        Raises:
            PushInProgress: somebody else holds the company.
        """
        from sage50kit.payments import sync

        report = sync.preview(plan) if dry_run else sync.apply(self, plan)
        if not dry_run:
            words = {"status": report.status, "exit_code": report.exit_code}
            outcome.record("sync-payments", batch="", **words)  # type: ignore[arg-type]
        return report

    # --- receivables ---

    def reconcile(
        self,
        *,
        as_of: date | str | None = None,
        since: date | str | None = None,
        accounts: Sequence[str] = (),
    ) -> Reconciliation:
        """Compare ConnectWise's open invoices, Sage 50's open items and its receivable account.

        Args:
            as_of: the end of this day; None for today.
            since: first day of the roll-forward; None for the first of the accounting period.
            accounts: the receivable accounts; none for the profile's, else the company's default one.
        """
        from sage50kit.payments.readings import reconcile_receivables

        day = day_of(as_of) or today()
        found = reconcile_receivables(self, as_of=day, since=day_of(since), accounts=accounts)
        status = "completed_with_errors" if found.exit_code else "completed"
        outcome.record("reconcile", batch="", status=status, exit_code=found.exit_code)
        return found

    def ageing(self, *, as_of: date | str | None = None, by: By = "due_date") -> Ageing:
        """What customers owe by age at the end of a day; None for today.

        Args:
            as_of: the day, past ones too.
            by: `due_date` or `invoice_date`.
        """
        from sage50kit.payments.readings import age_receivables

        named = self.profile.sage.receivable_accounts
        return age_receivables(self.company, as_of=day_of(as_of) or today(), by=by, named=named)

    def acknowledge(
        self, documents: Sequence[str], *, reason: str, as_of: date | str | None = None
    ) -> int:
        """Record that differences are as they should be; a reconciliation shows them apart from then on.

        Args:
            documents: places in Sage 50 or keys, as the reconciliation shows them.
            reason: why nobody has to do anything; kept in the push log with your name.
            as_of: the day of the reconciliation; None for today.

        Raises:
            UsageError: no reason, or a document without a difference that needs a person.
        """
        from sage50kit.payments import acknowledging
        from sage50kit.payments.readings import reconcile_receivables

        found = reconcile_receivables(self, as_of=day_of(as_of) or today())
        return acknowledging.acknowledge(found, self.log, documents, reason)

    def take_back(self, documents: Sequence[str]) -> int:
        """Take back what was acknowledged of documents.

        Raises:
            UsageError: nothing about one of them is acknowledged.
        """
        from sage50kit.payments import acknowledging

        return acknowledging.take_back(self.log, documents)

    def save_receivables(
        self, found: Reconciliation, ageing: Ageing, *, dry_run: bool = True
    ) -> list[Path]:
        """Write both as text, HTML and workbook into the workdir; a dry run writes nothing."""
        from sage50kit.reports.receivables import save

        return [] if dry_run else save(found, ageing, self.workdir)

    def match_history(
        self,
        *,
        chosen: Mapping[str, str] | None = None,
        unlink: Collection[str] = (),
        dry_run: bool = True,
    ) -> HistoryMatch:
        """Match ConnectWise's old invoices with what stands in Sage 50 already, at go-live.

        Args:
            chosen: a person's word on doubtful ones: key of the invoice -> place in Sage 50.
            unlink: keys whose links were a mistake.
            dry_run: False records the links in the push log; nothing is ever posted.

        Raises:
            UsageError: a chosen pair is none that the matching offers, or there is no such link.
            PushInProgress: a push holds the company.
        """
        from sage50kit.payments.golive import match_history

        return match_history(self, chosen=chosen or {}, unlink=unlink, dry_run=dry_run)

    def adopt_payments(self, *, keys: Collection[str] = (), dry_run: bool = True) -> Adoption:
        """Take over payments that another product wrote to ConnectWise: from then on they follow Sage 50.

        Args:
            keys: of the invoices; none for all that have such a payment.
            dry_run: False records the word in the push log; nothing else is written.

        Raises:
            UsageError: a key without such a payment.
            PushInProgress: a push holds the company.
        """
        from sage50kit.payments.adopting import adopt_payments

        return adopt_payments(self, keys=keys, dry_run=dry_run)
