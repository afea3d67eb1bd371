"""Kit: one ConnectWise site joined to one Sage 50 company; each method is one step and delegates."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Self

from sage50kit import outcome
from sage50kit.connectors import open_company
from sage50kit.errors import BatchTaken, UsageError
from sage50kit.model import KINDS, Kind, Plan
from sage50kit.profile import Profile
from sage50kit.pushlog.opening import open_log

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from sage50kit.batch.drafting import Prepared
    from sage50kit.batch.drift import Drift
    from sage50kit.batch.proof import Proof
    from sage50kit.batch.report import PushReport
    from sage50kit.batch.rerun import Rerun
    from sage50kit.batch.unpost import Undone
    from sage50kit.batch.verify import Verification
    from sage50kit.connectors.base import Connector
    from sage50kit.connectwise.site import ConnectWise
    from sage50kit.payments.ageing import Ageing, By
    from sage50kit.payments.golive import HistoryMatch
    from sage50kit.payments.model import PaymentPlan, Reading
    from sage50kit.payments.reconcile import Reconciliation
    from sage50kit.payments.report import PaymentReport

    Progress = Callable[[str, int, int | None], None]


class Kit:
    """The one object a notebook holds.

    Args:
        profile: a `Profile`, or the path of its TOML file.
        progress: called with (step, done, of how many or None) on long work.

    Raises:
        ConfigError: the profile, its secrets or the company file need a correction.
    """

    def __init__(self, profile: Profile | str | Path, *, progress: Progress | None = None) -> None:
        from sage50kit.connectwise.client import Client
        from sage50kit.connectwise.site import ConnectWise

        self._open = ExitStack()
        self.profile = profile if isinstance(profile, Profile) else _load(profile, self._open)
        self._progress = progress
        self.workdir = self.profile.workdir
        self.workdir.mkdir(parents=True, exist_ok=True)
        with ExitStack() as opening:  # what is open is closed again if the next thing fails
            opening.push(self._open.__exit__)
            client = Client.from_profile(self.profile, request_log=self.workdir / "requests.jsonl")
            self.connectwise: ConnectWise = ConnectWise(self._open.enter_context(client))
            self.company: Connector = open_company(self.profile)
            self._open.callback(self.company.close)
            self.log = open_log(self.profile, company=self.company, site=self.connectwise.name)
            self._open.callback(self.log.close)
            opening.pop_all()
        self._unposted: pd.DataFrame | None = None
        self._left_out: pd.DataFrame | None = None

    def __enter__(self) -> Self:
        """Use as a context manager; `close` at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections and the log."""
        self._open.close()

    def __repr__(self) -> str:
        """Which pair this is."""
        return f"<Kit {self.profile.name}: {self.connectwise.name} to {self.company.name}>"

    # --- fetch, frame, select ---

    def fetch(
        self,
        *,
        location: int | str | None = None,
        thru_date: date | str | None = None,
        kinds: Sequence[Kind] | None = None,
    ) -> pd.DataFrame:
        """The unposted transactions, one row each; read anew at every call.

        Args:
            location: id or name of a ConnectWise location; None for all, or the profile's.
            thru_date: the last day included, of the invoice, expense or receipt; None for all.
            kinds: which kinds; None for the profile's.
        """
        from sage50kit.connectwise import frames
        from sage50kit.payments.golive import linked

        chosen = self.profile.push.kinds if kinds is None else tuple(kinds)
        if unknown := set(chosen) - set(KINDS):
            raise UsageError(
                f"unknown kind: {', '.join(sorted(unknown))}. Kinds: {', '.join(KINDS)}."
            )
        self._unposted = self.connectwise.unposted(KINDS, progress=self.step("fetch"))
        kept, left = frames.select(
            self._unposted,
            location=location if location not in (None, "") else self.profile.push.location,
            thru_date=_day(thru_date),
            kinds=chosen,
            clear_non_reimbursable=self.profile.push.clear_non_reimbursable,
            cut_over=self.profile.push.cut_over,
            linked=linked(self.log),
        )
        self._left_out = left
        return kept

    @property
    def left_out(self) -> pd.DataFrame:
        """What the last fetch left out, with the reason of each row."""
        if self._left_out is None:
            self.fetch()
        assert self._left_out is not None  # noqa: S101  # fetch has just set it
        return self._left_out[["key", "kind", "number", "total", "reason"]].reset_index(drop=True)

    def locations(self) -> pd.DataFrame:
        """The locations that have unposted transactions."""
        from sage50kit.connectwise import frames

        if self._unposted is None:
            self.fetch()
        assert self._unposted is not None  # noqa: S101
        return frames.locations(self._unposted)

    def why(self, key: str) -> str:
        """Why a transaction is, or is not, in the list, and what would keep it out of the books."""
        kept = self.fetch()
        chosen = kept[kept["key"] == key]
        if len(chosen):
            return f"{key} is in the list: unposted, and nothing leaves it out.{self._but(chosen)}"
        left = self.left_out
        rows = left[left["key"] == key]
        if len(rows):
            return f"{key} is left out: {rows.iloc[0]['reason']}."
        return self._why_gone(key)

    def _but(self, chosen: pd.DataFrame) -> str:
        """What blocks a transaction, and what Sage 50 is expected to refuse."""
        issues = self._prepared(chosen).issues
        grave = [issue for issue in issues if issue.severity in ("block", "refuse")]
        return "".join(f" But {issue.message}: {issue.fix}." for issue in grave)

    def _why_gone(self, key: str) -> str:
        for row in self.log.of_transactions([key]).get(key, []):
            if row.state in ("posted", "exported"):
                return (
                    f"{key} was posted in batch {row.batch} and stands in Sage 50 at {row.place}."
                )
            return f"{key} is {row.state} in batch {row.batch}. {row.reason}".strip()
        return (
            f"{key} is not among ConnectWise's unposted records: it is not closed (invoice), not "
            "approved (expense), not received and closed (receipt), or it is in another batch."
        )

    # --- validate, plan, preview ---

    def validate(self, selected: pd.DataFrame | None = None) -> pd.DataFrame:
        """Every finding about the selected transactions, worst first; nothing is written."""
        from sage50kit.issues import issues_frame

        return issues_frame(self._prepared(self._chosen(selected)).issues)

    def propose_batch(self, selected: pd.DataFrame | None = None) -> str:
        """The next free batch number of the convention, such as `20261031JD-I`."""
        from sage50kit.batch.numbers import propose_number

        frame = self._chosen(selected)
        kinds = set(frame["kind"]) or set(self.profile.push.kinds)
        stem = propose_number(date.today(), self.profile.push.initials, kinds, ())  # noqa: DTZ011  # the person's day
        taken = [
            *self.connectwise.batch_identifiers(stem),
            *(row["batch"] for row in self.log.history()),
        ]
        return propose_number(date.today(), self.profile.push.initials, kinds, taken)  # noqa: DTZ011

    def plan(
        self,
        selected: pd.DataFrame | None = None,
        *,
        batch: str | None = None,
        leave_out_blocked: bool | None = None,
        repost: Collection[str] = (),
    ) -> Plan:
        """Freeze what will be posted, after validating it all.

        A batch number under which something was sent already gives its recorded plan back, so that
        pushing it finishes or repeats that push.

        Args:
            selected: rows of `fetch`; None for all of them.
            batch: the batch number; None for the proposed one.
            leave_out_blocked: drop blocked transactions and name them; None for the profile's.
            repost: keys of transactions to post again although they stand in the books.

        Raises:
            PlanBlocked: a finding blocks the batch; all findings are in `.issues`.
            BatchTaken: the number belongs to other transactions.
        """
        from sage50kit.batch.numbers import check_number
        from sage50kit.batch.planning import freeze

        frame = self._chosen(selected)
        number = batch or self.propose_batch(frame)
        check_number(number)
        recorded = self._recorded(number, set(frame["key"]))
        if recorded is not None:
            return recorded
        drop = (
            self.profile.push.leave_out_blocked if leave_out_blocked is None else leave_out_blocked
        )
        prepared = self._prepared(
            frame, batch=number, leave_out_blocked=drop, repost=frozenset(repost)
        )
        return freeze(prepared, batch=number, site=self.connectwise.name, company=self.company.name)

    def proof(self, plan: Plan) -> Proof:
        """The proof listing of a plan: documents, GL entries, accounts, findings, totals."""
        from sage50kit.batch.proof import Proof

        return Proof(plan=plan, books=self.company.books())

    def _recorded(self, batch: str, keys: set[str]) -> Plan | None:
        """The plan the log holds under this number, unless nothing of it was ever sent."""
        known = self.log.batch(batch)
        if known is None:
            return None
        states = {row.state for row in self.log.documents(batch)}
        if known.state == "unposted":
            raise BatchTaken(
                f"batch {batch} was un-posted. Take another number for its transactions; nothing was "
                "written."
            )
        if known.state == "planned" and states <= {"planned", "refused"}:
            return None
        finished = known.state == "created"
        known_keys = {row.key for row in known.transactions} | {row.key for row in known.left_out}
        # An unfinished batch is finished first, whatever has come up since.
        if finished and keys - known_keys:
            raise BatchTaken(
                f"batch number {batch} was used on {known.started[:10]} by {known.actor} for other "
                "transactions. Take another number; nothing was written."
            )
        return self.log.plan_of(batch, company=self.company.name)

    # --- push, verify, look back ---

    def push(
        self,
        plan: Plan,
        *,
        dry_run: bool = True,
        progress: Callable[[int, int], None] | None = None,
    ) -> PushReport:
        """Post the plan to the company and create its batch; a dry run writes nothing.

        Args:
            plan: of `plan`.
            dry_run: only say what would be done.
            progress: called after each document with (done, of how many); None for the kit's own.

        Raises:
            InDoubt: something was sent and not answered; run resume.
            PushInProgress: another push holds the company.
            BatchTaken: the batch number belongs to something else.
        """
        from sage50kit.batch.push import push
        from sage50kit.batch.report import dry_report

        if dry_run:
            report = dry_report(plan)
        else:
            report = push(
                plan,
                company=self.company,
                connectwise=self.connectwise,
                log=self.log,
                progress=progress or self.step("post"),
            )
        self._tell("push", report)
        return report

    def resume(
        self, document: str = "", *, posted: str | None = None, not_posted: bool = False
    ) -> list[PushReport]:
        """Finish whatever an interrupted push left; the report of each batch.

        Args:
            document: label or key of a document in doubt that a person has looked up in Sage 50.
            posted: its number or place there.
            not_posted: it is not there.

        Raises:
            UsageError: the document is not in doubt, or the answer cannot be true.
            PushInProgress: another push holds the company.
        """
        from sage50kit.batch.resume import answer, resume

        if bool(document) != ((posted is not None) ^ not_posted):
            raise UsageError("say of one document either where it was posted, or that it was not.")
        answered = ""
        if document:
            answered = answer(document, posted=posted, company=self.company, log=self.log)
        reports = resume(**self._both, answered=answered, progress=self.step("post"))
        for report in reports:
            self._tell("resume", report)
        return reports

    def rerun(self, batch: str, *, repost: Collection[str] = (), dry_run: bool = True) -> Rerun:
        """Compare a batch with the books, then post what is missing; a dry run only compares.

        Args:
            batch: its number.
            repost: keys of transactions to post again although they stand in the books.
            dry_run: write nothing.

        Raises:
            PlanBlocked: a missing document cannot be posted as the books are now.
            UsageError: the log knows no such batch.
            InDoubt: the batch is not finished.
        """
        from sage50kit import reading
        from sage50kit.batch.rerun import rerun

        done = reading.review_of(self, batch, repost=repost)
        if not dry_run:
            done = rerun(done, **self._both, progress=self.step("post"))
        status = "completed_with_errors" if done.exit_code else "completed"
        outcome.record("rerun", batch=batch, status=status, exit_code=done.exit_code)
        return done

    def unpost(
        self,
        batch: str = "",
        *,
        document: str = "",
        void: bool = False,
        on: date | str | None = None,
    ) -> Undone:
        """Take a batch, or one document, out of ConnectWise's batches; says what to undo in Sage 50.

        Args:
            batch: a whole batch, which is deleted in ConnectWise.
            document: or the key of one transaction.
            void: cancel the documents in the company, too, where the connector can.
            on: the date of the cancellation; each document's own date without it.

        Raises:
            UsageError: neither or both are named, or the log does not know it.
        """
        from sage50kit.batch.unpost import unpost_batch, unpost_document

        if bool(batch) == bool(document):
            raise UsageError("name a batch or a document to un-post.")
        words: dict[str, Any] = {**self._both, "void": void, "on": _day(on)}
        if void and not self.company.capabilities.voids:
            raise UsageError("this connector cannot void documents. Un-post, then void in Sage 50.")
        undone = unpost_batch(batch, **words) if batch else unpost_document(document, **words)
        self._tell("unpost", undone)
        return undone

    def void(self, document: str, *, on: date | str | None = None) -> Undone:
        """Cancel a posted document in the company, where the connector can.

        Args:
            document: its key or label.
            on: the date of the cancellation; the document's own date without it.
        """
        from sage50kit.batch.unpost import void_document

        undone = void_document(document, company=self.company, log=self.log, on=_day(on))
        self._tell("void", undone)
        return undone

    def clear(
        self,
        selected: pd.DataFrame | Sequence[str],
        *,
        batch: str,
        reason: str,
        dry_run: bool = True,
    ) -> PushReport:
        """Batch transactions in ConnectWise without posting them.

        Args:
            selected: rows of `fetch`, or keys.
            batch: the batch number.
            reason: why nothing is posted; kept in the log.
            dry_run: write nothing.

        Raises:
            UsageError: no reason, or a key that is not unposted.
        """
        import pandas as pd

        from sage50kit import reading
        from sage50kit.batch.numbers import check_number

        if not reason.strip():
            raise UsageError("give the reason why nothing is posted for these transactions.")
        check_number(batch)
        rows = selected if isinstance(selected, pd.DataFrame) else self._of_keys(selected)
        frame = self._chosen(rows)
        begun = self.log.unfinished(but=batch).keys() & set(frame["key"])
        if begun:
            raise UsageError(
                f"{', '.join(sorted(begun))} belongs to a batch that is not finished. Run first: "
                "sage50kit resume"
            )
        plan = Plan(
            batch=batch,
            site=self.connectwise.name,
            company=self.company.name,
            transactions=reading.cleared_of(self, frame, reason.strip()),
        )
        return self.push(plan, dry_run=dry_run)

    def verify(self, batch: str) -> Verification:
        """Read both systems and the log, and compare the batch document by document.

        Raises:
            UsageError: the log knows no such batch.
        """
        from sage50kit import reading

        verification = reading.verification_of(self, batch)
        self.log.note("verified", batch=batch, ok=verification.ok)
        outcome.record(
            "verify",
            batch=batch,
            status="completed" if verification.ok else "completed_with_errors",
            exit_code=0 if verification.ok else 3,
        )
        return verification

    def verify_all(self) -> Drift:
        """What changed after posting, in either system, over all batches: one row for each document."""
        from sage50kit import reading
        from sage50kit.batch.drift import remember

        drift = remember(reading.drift_of(self), self.log)
        status = "completed_with_errors" if drift.exit_code else "completed"
        outcome.record("verify", batch="", status=status, exit_code=drift.exit_code)
        return drift

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

    def history(self) -> pd.DataFrame:
        """One row per batch that was ever planned or pushed, newest first."""
        import pandas as pd

        columns = [
            "batch",
            "state",
            "batch_id",
            "started",
            "actor",
            "posted",
            "refused",
            "in_doubt",
        ]
        return pd.DataFrame(self.log.history()).reindex(columns=columns)

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
            accounts: the receivable accounts; none for the company's default one.
        """
        from sage50kit.payments.readings import reconcile_receivables

        day = _day(as_of) or _today()
        found = reconcile_receivables(self, as_of=day, since=_day(since), accounts=accounts)
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

        return age_receivables(self.company, as_of=_day(as_of) or _today(), by=by)

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

    def doctor(self) -> pd.DataFrame:
        """Every permission, setting and list needed: pass or fail, and how to fix it."""
        from sage50kit.doctor import examine

        return examine(self)

    # --- inside ---

    def _chosen(self, selected: pd.DataFrame | None) -> pd.DataFrame:
        """The selected rows, each transaction once; all unposted ones without a selection."""
        from sage50kit import reading
        from sage50kit.payments.golive import linked

        if selected is None:
            return self.fetch()
        missing = set(reading.COLUMNS) - set(selected.columns)
        if missing:
            raise UsageError(
                f"the selection lacks the columns {', '.join(sorted(missing))}. Choose rows of what "
                "fetch returned, with all their columns."
            )
        if known := sorted(set(selected["key"]) & set(linked(self.log))):
            raise UsageError(
                f"{', '.join(known[:5])} was in Sage 50 before the kit and was matched at go-live. "
                "Fetch again: it is left out."
            )
        return selected.drop_duplicates("key")

    def _prepared(self, frame: pd.DataFrame, **words: Any) -> Prepared:
        from sage50kit import reading

        return reading.prepared(self, reading.transactions_of(frame), **words)

    def _of_keys(self, keys: Sequence[str]) -> pd.DataFrame:
        """The unposted rows of some keys, those that are left out as well."""
        self.fetch()
        assert self._unposted is not None  # noqa: S101  # fetch has just set it
        frame = self._unposted
        missing = [key for key in keys if key not in set(frame["key"])]
        if missing:
            raise UsageError(f"{', '.join(missing)} is not unposted in ConnectWise. Ask: why KEY.")
        return frame[frame["key"].isin(list(keys))].assign(left_out="")

    @property
    def _both(self) -> dict[str, Any]:
        """Both ends and the log, as what writes to them wants them."""
        return {"company": self.company, "connectwise": self.connectwise, "log": self.log}

    def _tell(self, step: str, done: PushReport | Undone) -> None:
        outcome.record(step, batch=done.batch, status=done.status, exit_code=done.exit_code)

    def step(self, name: str) -> Callable[..., None] | None:
        """What to call with (done, of how many) while a step goes on; None when nobody listens."""
        if self._progress is None:
            return None
        progress = self._progress
        return lambda done, of=None: progress(name, done, of)


def _today() -> date:
    return date.today()  # noqa: DTZ011  # the person's day


def _day(value: date | str | None) -> date | None:
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise UsageError(f"{value!r} is not a date. Write it as 2026-10-31.") from None


def _load(profile: str | Path, stack: ExitStack) -> Profile:
    if str(profile) == "demo":
        from sage50kit.demo import demo_profile

        return stack.enter_context(demo_profile())
    return Profile.load(profile)
