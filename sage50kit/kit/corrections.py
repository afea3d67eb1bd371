"""What comes after a push: finish it, run it again, take it back, compare it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sage50kit import outcome
from sage50kit.errors import BatchTaken, UsageError
from sage50kit.kit.ends import day_of
from sage50kit.kit.flow import Flow
from sage50kit.model import ONCE_POSTED, Plan

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date

    import pandas as pd

    from sage50kit.batch.drift import Drift
    from sage50kit.batch.report import PushReport
    from sage50kit.batch.rerun import Rerun
    from sage50kit.batch.undone import Undone
    from sage50kit.batch.verify import Verification
    from sage50kit.issues import Issue


class Corrections(Flow):
    """The verbs of batches that were pushed."""

    def resume(
        self, document: str = "", *, posted: str | None = None, not_posted: bool = False
    ) -> list[PushReport]:
        """Finish whatever an interrupted push or un-posting left; the report of each batch.

        Args:
            document: label or key of a document in doubt that a person has looked up in Sage 50.
            posted: its number or place there.
            not_posted: it is not there.

        Raises:
            UsageError: the document is not in doubt, or the answer cannot be true.
            PushInProgress: another push holds the company.
        """
        from sage50kit.batch.resume import answer, resume
        from sage50kit.batch.unpost import finish_unpostings

        if bool(document) != ((posted is not None) ^ not_posted):
            raise UsageError(
                "say of one document where it was posted (--document KEY --posted NUMBER), or that it was "
                "not (--document KEY --not-posted)."
            )
        answered = ""
        if document:
            answered = answer(document, posted=posted, company=self.company, log=self.log)
        reports = resume(**self._both, answered=answered, progress=self.step("post"))
        reports += finish_unpostings(**self._both)
        for report in reports:
            self._tell("resume", report)
        return reports

    def unsent(self) -> list[Issue]:
        """The batches that a push recorded and did not begin to send: one finding each."""
        from sage50kit.batch.pending import unsent_batches, unsent_finding

        return [unsent_finding(known) for known in unsent_batches(self.log)]

    def rerun(self, batch: str, *, repost: Collection[str] = (), dry_run: bool = True) -> Rerun:
        """Compare a batch with the books, then post what is missing; a dry run only compares.

        Args:
            batch: its number.
            repost: keys of transactions to post again although they stand in the books.
            dry_run: write nothing.

        Raises:
            PlanBlocked: a missing document cannot be posted as the books are now.
            UsageError: the log knows no such batch, or a key to post again is not in it.
            InDoubt: the batch is not finished.
        """
        from sage50kit import reading

        reviewed = reading.review_of(self, batch, repost=self._again(batch, repost))
        if not dry_run:
            return self.post_missing(reviewed)
        _tell_rerun(reviewed)
        return reviewed

    def post_missing(self, reviewed: Rerun) -> Rerun:
        """Post what a comparison found missing, exactly as it was shown.

        Args:
            reviewed: of `rerun` as a dry run.

        Raises:
            UsageError: the batch changed since; compare again.
            InDoubt: the batch is not finished, or something was sent and not answered.
        """
        from sage50kit.batch.rerun import rerun

        done = rerun(reviewed, **self._both, progress=self.step("post"))
        _tell_rerun(done)
        return done

    def _again(self, batch: str, repost: Collection[str]) -> set[str]:
        """The transactions to post again, of keys of a batch or labels of its documents.

        Raises:
            UsageError: a key is not in the batch.
        """
        known = self.log.batch(batch)
        if known is None:  # the comparison says so
            return set(repost)
        meant = {
            row.document.plain_label: set(row.document.transactions)
            for row in self.log.documents(batch)
        }
        meant |= {row.key: {row.key} for row in known.transactions}
        if unknown := sorted(set(repost) - set(meant)):
            raise UsageError(
                f"{', '.join(unknown)} is not in batch {batch}, so it cannot be posted again in it. "
                "Nothing was written."
            )
        return set().union(*(meant[key] for key in repost))

    def unpost(
        self,
        batch: str = "",
        *,
        document: str = "",
        void: bool = False,
        on: date | str | None = None,
        dry_run: bool = False,
    ) -> Undone:
        """Take a batch, or one document, out of ConnectWise's batches; says what to undo in Sage 50.

        Args:
            batch: a whole batch, which is deleted in ConnectWise.
            document: or the key of one transaction.
            void: cancel the documents in the company, too, where the connector can.
            on: the date of the cancellation; each document's own date without it.
            dry_run: only list the documents; nothing is written.

        Raises:
            UsageError: neither or both are named, or the log does not know it.
        """
        from sage50kit.batch.unpost import review_unposting, unpost_batch, unpost_document

        if batch and document:
            raise UsageError("name a batch or a document to un-post, not both.")
        if not batch and not document:
            raise UsageError("name a batch or a document to un-post.")
        words: dict[str, Any] = {**self._both, "void": void, "on": day_of(on)}
        if void and not self.company.capabilities.voids:
            raise UsageError("this connector cannot void documents. Un-post, then void in Sage 50.")
        if dry_run:
            return review_unposting(batch, document, company=self.company, log=self.log)
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

        undone = void_document(document, company=self.company, log=self.log, on=day_of(on))
        self._tell("void", undone)
        return undone

    def clear(
        self,
        selected: pd.DataFrame | Sequence[str],
        *,
        batch: str,
        reason: str,
        anyway: bool = False,
        dry_run: bool = True,
    ) -> PushReport:
        """Batch transactions in ConnectWise without posting them.

        Args:
            selected: rows of `fetch`, or keys.
            batch: the batch number.
            reason: why nothing is posted; kept in the log.
            anyway: also what stands in the books already.
            dry_run: write nothing.

        Raises:
            UsageError: no reason, a key that is not unposted, or one that stands in the books.
        """
        import pandas as pd

        from sage50kit import reading
        from sage50kit.batch.numbers import check_number
        from sage50kit.batch.pending import refuse_unfinished

        if not reason.strip():
            raise UsageError("give the reason why nothing is posted for these transactions.")
        check_number(batch)
        rows = selected if isinstance(selected, pd.DataFrame) else self._of_keys(selected)
        frame = self._chosen(rows)
        begun = self.log.unfinished(but=batch).keys() & set(frame["key"])
        if begun:
            refuse_unfinished(f"the batch of {', '.join(sorted(begun))}", self.log)
        if not anyway:
            self._refuse_standing(list(frame["key"]))
        self._refuse_waiting(batch)
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

    def _refuse_waiting(self, batch: str) -> None:
        """A number under which a push waits for its first document is not taken by anything else.

        Raises:
            BatchTaken: one does.
        """
        from sage50kit.batch.pending import is_unsent

        known = self.log.batch(batch)
        if known is not None and self.log.documents(batch) and is_unsent(known, self.log):
            raise BatchTaken(
                f"batch {batch} was recorded on {known.started[:10]} by {known.actor} and nothing of it was "
                f"sent yet. Finish it: sage50kit push --batch {batch}. Or take another number. Nothing was "
                "written."
            )

    def _refuse_standing(self, keys: Sequence[str]) -> None:
        """What stands in the books is pushed to join a batch, not cleared as if it had no posting.

        Raises:
            UsageError: some of it does, as far as anybody can tell.
        """
        from sage50kit.batch.compare import is_this
        from sage50kit.batch.settling import look

        logged = [row for part in self.log.of_transactions(keys).values() for row in part]
        posted = [row for row in logged if row.state in ONCE_POSTED and row.state != "voided"]
        places = {}
        for row, holds in zip(posted, look(posted, self.company), strict=True):
            can = self.company.capabilities
            ours = [one for one in holds or () if is_this(row.document, one, can)]
            if holds is None or any(not one.voided for one in ours):
                places[row.key] = row.place
        if places:
            said = ", ".join(f"{key} at {place}" for key, place in places.items())
            raise UsageError(
                f"these stand in Sage 50: {said}. Push them: they join the batch without being posted "
                "again. Or void them in Sage 50 first. To clear them all the same, say anyway "
                "(--anyway). Nothing was written."
            )

    def _of_keys(self, keys: Sequence[str]) -> pd.DataFrame:
        """The unposted rows of some keys, those that are left out as well."""
        self.fetch()
        assert self._unposted is not None  # noqa: S101  # fetch has just set it
        frame = self._unposted
        missing = [key for key in keys if key not in set(frame["key"])]
        if missing:
            raise UsageError(
                f"{', '.join(missing)} is not unposted in ConnectWise. To see where it is: sage50kit why {missing[0]}"
            )
        return frame[frame["key"].isin(list(keys))].assign(left_out="")


def _tell_rerun(done: Rerun) -> None:
    status = "completed_with_errors" if done.exit_code else "completed"
    outcome.record("rerun", batch=done.batch, status=status, exit_code=done.exit_code)
