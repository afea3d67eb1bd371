"""From the unposted lists into the books: fetch, select, validate, plan, preview, push."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sage50kit.errors import BatchTaken, PlanBlocked, UsageError
from sage50kit.kit.ends import Ends, day_of, today
from sage50kit.model import ARRIVED, KINDS, Kind, LeftOut, Plan
from sage50kit.pushlog import UNSENT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import date

    import pandas as pd

    from sage50kit.batch.drafting import Prepared
    from sage50kit.batch.proof import Proof
    from sage50kit.batch.report import PushReport
    from sage50kit.pushlog import LoggedBatch


class Flow(Ends):
    """The verbs of a new batch."""

    _unposted: pd.DataFrame | None = None
    _left_out: pd.DataFrame | None = None

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
        from sage50kit.pushlog.links import linked

        chosen = self.profile.push.kinds if kinds is None else tuple(kinds)
        if unknown := set(chosen) - set(KINDS):
            raise UsageError(
                f"unknown kind: {', '.join(sorted(unknown))}. Kinds: {', '.join(KINDS)}."
            )
        self._unposted = self.connectwise.unposted(KINDS, progress=self.step("fetch"))
        kept, left = frames.select(
            self._unposted,
            location=location if location not in (None, "") else self.profile.push.location,
            thru_date=day_of(thru_date),
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
        """Why a transaction is, or is not, in the list, and what would keep it out of the books.

        Raises:
            UsageError: it is no key of a transaction.
        """
        kind, _, identity = key.partition(":")
        if kind not in KINDS or not identity:
            raise UsageError(
                f"{key!r} is no key of a transaction. Keys are written as invoice:48112; the kinds are "
                f"{', '.join(KINDS)}."
            )
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
        """What the log says of a transaction that is not unposted: its latest batch knows best."""
        for row in self.log.history():  # newest first
            known = (
                None if row["state"] in ("planned", "unposted") else self.log.batch(row["batch"])
            )
            if known is not None and key in {one.key for one in known.transactions}:
                return self._why_batched(key, known)
        for past in self.log.of_transactions([key]).get(key, [])[-1:]:
            return f"{key} is {past.state} in batch {past.batch}. {past.reason}".strip()
        return (
            f"{key} is not among ConnectWise's unposted records: it is not closed (invoice), not "
            "approved (expense), not received and closed (receipt), or it is in another batch."
        )

    def _why_batched(self, key: str, known: LoggedBatch) -> str:
        batch = known.batch
        rows = [row for row in self.log.documents(batch) if key in row.document.transactions]
        if not rows:
            reason = next(row.reason for row in known.transactions if row.key == key)
            return f"{key} is in batch {batch} without a posting: {reason}."
        last = rows[-1]
        if last.state == "joined":
            return (
                f"{key} stands in Sage 50 at {last.place}; it joined batch {batch} without being posted "
                "again."
            )
        if last.state in ARRIVED:
            return f"{key} was posted in batch {batch} and stands in Sage 50 at {last.place}."
        return f"{key} is {last.state} in batch {batch}. {last.reason}".strip()

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
        day, initials = today(), self.profile.push.initials
        stem = propose_number(day, initials, kinds, ())
        taken = [
            *self.connectwise.batch_identifiers(stem),
            *(row["batch"] for row in self.log.history()),
        ]
        return propose_number(day, initials, kinds, taken)

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
            PushInProgress: another push is at work on some of these transactions.
            BatchTaken: the number belongs to other transactions.
            UsageError: a key to post again is not selected.
        """
        from sage50kit.batch.numbers import check_number
        from sage50kit.batch.planning import freeze

        frame = self._chosen(selected)
        number = batch or self.propose_batch(frame)
        check_number(number)
        recorded = self._recorded(number, frame)
        _check_repost(repost, frame, recorded)
        if recorded is not None:
            return recorded
        drop = (
            self.profile.push.leave_out_blocked if leave_out_blocked is None else leave_out_blocked
        )
        prepared = self._prepared(
            frame, batch=number, leave_out_blocked=drop, repost=frozenset(repost)
        )
        try:
            return freeze(
                prepared, batch=number, site=self.connectwise.name, company=self.company.name
            )
        except PlanBlocked as error:
            if any(row.code == "in_unfinished_batch" for row in error.issues):
                self.log.refuse_held()  # that batch was not cut off: it is being pushed now
            raise

    def proof(self, plan: Plan) -> Proof:
        """The proof listing of a plan: documents, GL entries, accounts, findings, totals."""
        from sage50kit.batch.proof import Proof

        return Proof(plan=plan, books=self.company.books(), beside=self._beside(plan))

    def _recorded(self, batch: str, frame: pd.DataFrame) -> Plan | None:
        """The plan the log holds under this number, unless nothing of it was ever sent.

        An unfinished batch is finished first; what has come up since is left out of it and named.
        """
        known = self.log.batch(batch)
        if known is None:
            return None
        states = {row.state for row in self.log.documents(batch)}
        if known.state == "unposted":
            raise BatchTaken(
                f"batch {batch} was un-posted. Take another number for its transactions; nothing was "
                "written."
            )
        if known.state == "planned" and states <= UNSENT:
            return None
        known_keys = {row.key for row in known.transactions} | {row.key for row in known.left_out}
        new = frame[~frame["key"].isin(known_keys)]
        if known.state == "created" and len(new):
            raise BatchTaken(
                f"batch number {batch} was used on {known.started[:10]} by {known.actor} for other "
                "transactions. Take another number; nothing was written."
            )
        plan = self.log.plan_of(batch, company=self.company.name)
        assert plan is not None  # noqa: S101  # the log has just shown it
        return replace(plan, left_out=(*plan.left_out, *_left_for_later(batch, new)))

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
        self._tell("dry run" if dry_run else "push", report)
        return report

    # --- inside ---

    def _beside(self, plan: Plan) -> tuple[LeftOut, ...]:
        """What the last fetch read of the plan's kinds beside the plan; nothing read is dropped silently."""
        if self._unposted is None or self._left_out is None:
            return ()
        kinds = {row.kind for row in plan.transactions}
        known = {row.key for row in plan.transactions} | {row.key for row in plan.left_out}
        frame = self._unposted[self._unposted["kind"].isin(kinds)].drop_duplicates("key")
        rows = frame.loc[~frame["key"].isin(known), ["key", "kind", "number", "total"]]
        reasons = dict(zip(self._left_out["key"], self._left_out["reason"], strict=True))
        return tuple(
            LeftOut(
                key=key,
                kind=kind,
                number=number,
                total=total,
                reason=reasons.get(key, "it is not chosen"),
            )
            for key, kind, number, total in rows.itertuples(index=False)
        )

    def _chosen(self, selected: pd.DataFrame | None) -> pd.DataFrame:
        """The selected rows, each transaction once; all unposted ones without a selection."""
        from sage50kit import reading
        from sage50kit.pushlog.links import linked

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


def _left_for_later(batch: str, frame: pd.DataFrame) -> list[LeftOut]:
    """Selected rows that an unfinished batch does not hold."""
    rows = frame[["key", "kind", "number", "total"]].itertuples(index=False)
    reason = f"batch {batch} is finished first"
    return [
        LeftOut(key=key, kind=kind, number=number, total=total, reason=reason)
        for key, kind, number, total in rows
    ]


def _check_repost(repost: Collection[str], frame: pd.DataFrame, recorded: Plan | None) -> None:
    """Raises UsageError for a key to post again that is not among the transactions."""
    there = set(frame["key"]) | {row.key for row in (recorded.transactions if recorded else ())}
    if unknown := sorted(set(repost) - there):
        raise UsageError(
            f"{', '.join(unknown)} is not among the selected transactions, so it cannot be posted again. "
            "Select it too. Nothing was written."
        )
