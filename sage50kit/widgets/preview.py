"""The preview: what each chosen transaction will do to the general ledger, before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets
import numpy as np
import traitlets

from sage50kit.errors import PlanBlocked, UsageError
from sage50kit.issues import issues_frame
from sage50kit.money import ZERO, total
from sage50kit.reports.columns import TYPES
from sage50kit.reports.files import save_proof
from sage50kit.reports.listings import proof_page
from sage50kit.reports.page import cell_text
from sage50kit.reports.page import heading as title_of
from sage50kit.widgets import twin
from sage50kit.widgets.document import document_html, facts
from sage50kit.widgets.files import Files
from sage50kit.widgets.findings import finding_list
from sage50kit.widgets.grid import Grid, GridColumn
from sage50kit.widgets.panel import Panel, heading, html, live_page, row, style, styled, text, told
from sage50kit.widgets.picture import bars

if TYPE_CHECKING:
    from decimal import Decimal

    import pandas as pd

    from sage50kit.batch.proof import Proof
    from sage50kit.kit import Kit
    from sage50kit.model import Plan
    from sage50kit.widgets.picker import Picker

DOCUMENTS = (
    GridColumn(name="order", title="No.", kind="count", width=7),
    GridColumn(name="becomes", title="Becomes", kind="choice", width=20),
    GridColumn(name="number", title="Number", width=13),
    GridColumn(name="date", title="Date", kind="date", width=13),
    GridColumn(name="party_id", title="ID", width=13),
    GridColumn(name="party", title="Customer or vendor", width=20, grow=True),
    GridColumn(name="total", title="Total", kind="money", width=13, sum=True, zero=True),
    GridColumn(name="finding", title="Finding", kind="finding", width=22, grow=True),
)
ENTRIES = (
    GridColumn(name="number", title="Number", width=13),
    GridColumn(name="account_id", title="Account", width=11),
    GridColumn(name="account", title="Account name", width=24, grow=True),
    GridColumn(name="debit", title="Debit", kind="money", width=13, sum=True),
    GridColumn(name="credit", title="Credit", kind="money", width=13, sum=True),
    GridColumn(name="made_by", title="Made by", kind="choice", width=18),
    GridColumn(name="description", title="Description", width=24, grow=True),
)
ACCOUNTS = (
    GridColumn(name="account_id", title="Account", width=11),
    GridColumn(name="account", title="Account name", width=26, grow=True),
    GridColumn(name="debit", title="Debit", kind="money", width=14, sum=True),
    GridColumn(name="credit", title="Credit", kind="money", width=14, sum=True),
    GridColumn(name="net", title="Net change", kind="money", width=14, sum=True),
    GridColumn(name="sage_debit", title="Sage's own debit", kind="money", width=17, sum=True),
    GridColumn(name="sage_credit", title="Sage's own credit", kind="money", width=17, sum=True),
)
MASTERS = (
    GridColumn(name="kind", title="Record", kind="choice", width=15),
    GridColumn(name="id", title="ID", width=20),
    GridColumn(name="field", title="Field", width=22),
    GridColumn(name="value", title="Value", width=40, grow=True),
)
LEFT_OUT = (
    GridColumn(name="key", title="Key", width=20),
    GridColumn(name="number", title="Number", width=14),
    GridColumn(name="total", title="Total", kind="money", width=14, sum=True),
    GridColumn(name="reason", title="Reason", width=50, grow=True),
)
MAKERS = {"kit": "the kit", "sage": "◆ Sage 50 itself"}
PLANNED_AT_ONCE = 5000  # transactions; of more, somebody chooses first, then asks for the preview
SECTIONS = ("Documents", "Accounts", "New records", "Findings", "Left out", "Picture")


class Preview(Panel):
    """Validate the choice of a picker, plan it, and show it.

    Args:
        kit: the pair it is planned for.
        picker: where the choice is.
        batch: the batch number; empty for the proposed one.
        leave_out_blocked: preview the rest without what validation blocks.

    Raises:
        PlanBlocked: a finding blocks the batch; in a live page it is told there.
        UsageError: a transaction that was asked for is gone; in a live page it is told there.
    """

    turn = traitlets.Int(0)  # changes with the choice, its rules, and each new preview

    def __init__(
        self, kit: Kit, picker: Picker, *, batch: str = "", leave_out_blocked: bool | None = None
    ) -> None:
        super().__init__(kit.workdir)
        self.kit, self.picker, self.batch = kit, picker, batch
        self.proof: Proof | None = None
        self.blocked: pd.DataFrame | None = None
        leave = kit.profile.push.leave_out_blocked
        self._leave_out = ipywidgets.Checkbox(
            value=leave if leave_out_blocked is None else leave_out_blocked,
            description="Leave out what is blocked, and push the rest",
            indent=False,
            layout={"width": "auto"},
        )
        if not live_page():
            self._plan()
            return
        self._build()
        if len(picker.selected) > PLANNED_AT_ONCE:
            self._invite()
        else:
            self._preview_again()

    @property
    def plan(self) -> Plan:
        """What will be pushed.

        Raises:
            UsageError: there is no plan, because something blocks it or nothing was planned yet.
        """
        if self.proof is None:
            raise UsageError("there is nothing to push yet: the preview says why.")
        return self.proof.plan

    @property
    def leave_out_blocked(self) -> bool:
        """Whether blocked transactions are dropped and named."""
        return bool(self._leave_out.value)

    def _plan(self) -> None:
        """Plan the choice; the proof changes only when there is a new one."""
        selected = self.picker.selected
        self._nothing_is_gone()
        plan = self.kit.plan(
            selected, batch=self.batch or None, leave_out_blocked=self.leave_out_blocked
        )
        self.proof, self.blocked = self.kit.proof(plan), None

    def _nothing_is_gone(self) -> None:
        """What was asked for by key and is not listed any more stops an unattended run, unless it did it itself."""
        missing = self.picker.missing
        if missing and not live_page() and self.kit.log.batch(self.batch) is None:
            raise UsageError(
                f"{', '.join(missing[:5])}: no longer unposted in ConnectWise ({len(missing)} in all). "
                "Somebody may have batched them; choose again. Nothing was written."
            )

    # --- the page ---

    def _build(self) -> None:
        self._again = ipywidgets.Button(description="Check and preview again", layout={"width": "auto"})  # fmt: skip
        self._again.on_click(self._preview_again)
        self._leave_out.observe(self._turned, "value")
        self._save = ipywidgets.Button(description="Save the proof listing", layout={"width": "auto"})  # fmt: skip
        self._save.on_click(self._save_proof)
        self._section = ipywidgets.ToggleButtons(options=SECTIONS)
        self._section.style.button_width = "auto"
        self._section.observe(self._show_section, "value")
        self._totals = html()
        self._files = Files()
        self._body = ipywidgets.VBox()
        self._grids()
        self.picker.grid.observe(self._outdated, "mask")
        self.children = (
            style(),
            row(self._leave_out, self._again, self._save),
            self.message,
            self._totals,
            self._files,
            self._section,
            self._body,
        )

    def _grids(self) -> None:
        none = ipywidgets.HTML()
        self._documents = Grid(
            _empty(DOCUMENTS), DOCUMENTS, label="Documents in posting order", include_title="Tick",
            exclude_title="Untick", included_word="ticked",
            name_column="number", height=10, empty="No documents.",
        )  # fmt: skip
        self._documents.observe(self._show_document, ["current", "mask"])
        self._entries = Grid(
            _empty(ENTRIES), ENTRIES, label="GL entries", height=10, name_column="account_id",
            empty="No entries.",
        )  # fmt: skip
        self._accounts = Grid(_empty(ACCOUNTS), ACCOUNTS, label="GL entries by account")
        self._masters = Grid(
            _empty(MASTERS), MASTERS, label="New records", empty="Nothing needs to be created."
        )
        self._left = Grid(
            _empty(LEFT_OUT), LEFT_OUT, label="Left out", empty="Nothing was left out."
        )
        self._card, self._findings, self._picture = none, html(), html()

    @told
    def _preview_again(self, _button: Any = None) -> None:
        self._turned()
        self.picker.check_is_shown()
        self._again.disabled = True
        self.say("Checking and planning …")
        try:
            self._plan()
        except PlanBlocked as error:
            self.proof, self.blocked = None, issues_frame(error.issues)
        finally:
            self._again.disabled = False
        self._show()

    def _invite(self) -> None:
        count = len(self.picker.selected)
        self.say(
            f"{count:,} transactions are included. Choose, then press “Check and preview again”."
        )
        self._save.disabled = True

    def pushed(self, batch: str) -> None:
        """Say that what is shown stands in the books now, and no longer in ConnectWise's list."""
        self.say(f"This was pushed as batch {batch}; below is how it ended.")
        self.picker.say(f"Batch {batch} was pushed. Fetch to see what is left.", "warn")

    @told
    def _turned(self, _change: Any = None) -> None:
        self.turn += 1

    @told
    def _outdated(self, _change: Any) -> None:
        self._turned()
        if self.proof is not None:
            words = "The choice has changed since this preview. Check and preview again before you push."
            self.say(words, "warn")

    @told
    def _save_proof(self, _button: Any) -> None:
        if self.proof is not None:
            self._files.offer(save_proof(self.proof, self.kit.workdir))

    def _show(self) -> None:
        """All of the new preview, or the findings that stand against one."""
        self._files.offer([])
        self._save.disabled = self.proof is None
        if self.proof is None:
            assert self.blocked is not None  # noqa: S101  # there is no third way here
            count = int((self.blocked["severity"] == "block").sum())
            words = f"{count} of {len(self.blocked)} findings block the batch. Put them right and preview again, or leave them out. Nothing was written."
            self.say(words, "bad")
        else:
            self._show_proof(self.proof)
        self._totals.value = "" if self.proof is None else totals_html(self.proof)
        self._findings.value = finding_list(self.issues)
        self._section.value = "Findings" if self.proof is None else "Documents"
        self._show_section()

    @property
    def issues(self) -> pd.DataFrame:
        """The findings, worst first."""
        if self.proof is not None:
            return self.proof.issues
        return issues_frame([]) if self.blocked is None else self.blocked

    def _show_proof(self, proof: Proof) -> None:
        page = proof_page(proof)
        self.say(f"Batch {proof.batch}. {page.headline}", page.tone)
        documents = documents_of(proof)
        self._documents.show(documents, [False] * len(documents))
        self._documents.mark(marks_of(proof))
        self._accounts.show(proof.by_account)
        self._masters.show(proof.masters)
        self._left.show(proof.left_out)
        self._picture.value = pictures(proof)
        self._show_document()

    @told
    def _show_section(self, _change: Any = None) -> None:
        documents = (self._documents, heading("GL entries"), self._entries, self._card)
        parts: dict[str, tuple[Any, ...]] = {
            "Documents": documents,
            "Accounts": (self._accounts,),
            "New records": (self._masters,),
            "Findings": (self._findings,),
            "Left out": (self._left,),
            "Picture": (self._picture,),
        }
        known = self.proof is not None or self._section.value == "Findings"
        self._body.children = parts[self._section.value] if known else ()

    @told
    def _show_document(self, _change: Any = None) -> None:
        """The entries of the documents that are ticked, else of the one that was opened, else of all."""
        if self.proof is None:
            return
        documents, current = self.proof.plan.documents, self._documents.current
        ticked = np.flatnonzero(self._documents.included).tolist()
        chosen = ticked or ([current] if 0 <= current < len(documents) else [])
        labels = {documents[place].label for place in chosen}
        self._entries.show(entries_of(self.proof, labels or None))
        opened = documents[current] if 0 <= current < len(documents) else None
        self._card.value = document_html(opened, self.proof.books) if opened else ""

    # --- the static twin ---

    def static(self) -> str:
        """Totals, findings, documents, entries, accounts, new records and what is left out."""
        if self.proof is None:
            found = "" if self.blocked is None else finding_list(self.issues)
            return styled(self.message.value + found)
        proof = self.proof
        tables = (
            (documents_of(proof), DOCUMENTS, "Documents in posting order", marks_of(proof)),
            (entries_of(proof), ENTRIES, "GL entries", None),
            (proof.by_account, ACCOUNTS, "GL entries by account", None),
            (proof.masters, MASTERS, "New records", None),
            (proof.left_out, LEFT_OUT, "Left out", None),
        )
        drawn = "".join(
            twin.table(frame, columns, caption=caption, findings=marks)
            for frame, columns, caption, marks in tables
            if len(frame)
        )
        head = f"<p><b>{text(proof_page(proof).headline)}</b></p>{totals_html(proof)}"
        return styled(f"{head}{finding_list(proof.issues)}{drawn}{pictures(proof)}")


def _empty(columns: tuple[GridColumn, ...]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({column.name: [] for column in columns if column.kind != "finding"})


def totals_html(proof: Proof) -> str:
    """The control totals of the batch."""
    return facts((title_of(name), cell_text(value)) for name, value in proof.totals.items())


def documents_of(proof: Proof) -> pd.DataFrame:
    """The documents, with their type in words."""
    rows = proof.documents
    return rows.assign(becomes=[TYPES.get(kind, kind) for kind in rows["type"]])


def entries_of(proof: Proof, labels: set[str] | None = None) -> pd.DataFrame:
    """The GL entries of some documents, or of all; what Sage makes itself is marked in words."""
    rows = proof.gl_entries
    if labels is not None:
        rows = rows[rows["document"].isin(labels)].reset_index(drop=True)
    return rows.assign(made_by=[MAKERS[maker] for maker in rows["made_by"]])


def marks_of(proof: Proof) -> dict[int, tuple[str, str]]:
    """The worst finding of each document, by row number."""
    place = {key: number for number, row in enumerate(proof.plan.documents) for key in (row.key, *row.transactions)}  # fmt: skip
    marks: dict[int, tuple[str, str]] = {}
    for issue in sorted(proof.plan.issues, key=_rank):
        if issue.key in place:
            marks.setdefault(place[issue.key], (issue.severity, f"{issue.message} → {issue.fix}"))
    return marks


def _rank(issue: Any) -> int:
    return ("block", "refuse", "warn", "note").index(issue.severity)


def pictures(proof: Proof) -> str:
    """The batch by account, and by kind of document."""
    rows = proof.by_account
    accounts = [
        (f"{identity} {name}", net + ZERO)
        for identity, name, net in zip(rows["account_id"], rows["account"], rows["net"], strict=True)
    ]  # fmt: skip
    kinds: dict[str, list[Decimal]] = {}
    for document in proof.plan.documents:
        kinds.setdefault(TYPES[document.type], []).append(document.total)
    by_kind = [(name, total(amounts)) for name, amounts in kinds.items()]
    return bars("Net change by account, debit +", accounts) + bars("Total by kind", by_kind)
