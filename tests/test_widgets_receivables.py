"""The pages of payments and receivables: two steps write once, and the twin has the figures of the reports."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from sage50kit import Kit
from sage50kit.errors import UsageError
from sage50kit.reports.page import cell_text
from sage50kit.reports.receivables import ageing_page, reconciliation_page
from sage50kit.widgets import PaymentsPanel, ReceivablesPanel
from tests.payment_stage import book_invoice
from tests.stage import staged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stage import Stage

DAY = "2026-10-31"
PAYMENTS = "/finance/invoices/{parentId}/payments"


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """The fixtures; invoice 10434 is in the books and paid with 100.00."""
    with staged(tmp_path) as made:
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        invoice = next(row for row in made.site.records.invoices if row.invoice_number == "10434")
        customers = {row["id"]: row for row in made.site.setup.rows("companies")}
        customer = customers[invoice.company]["accountNumber"]
        with made.company as company:
            company.post(book_invoice("10434", "500.00", customer))
            applied = {"10434": Decimal(100)}
            company.enter_receipt(
                customer, reference="CK 1", date=date(2026, 10, 20), applied=applied
            )
        yield made


@pytest.fixture
def kit(stage: Stage) -> Iterator[Kit]:
    """The pair, opened."""
    with Kit(stage.profile) as opened:
        yield opened


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if somebody had the page open."""
    monkeypatch.setenv("JPY_SESSION_NAME", "a.ipynb")


def paid(stage: Stage) -> list[Decimal]:
    """What ConnectWise shows as paid of invoice 10434."""
    rows = stage.site.rows("/finance/invoices")
    (invoice,) = [row for row in rows if row["invoiceNumber"] == "10434"]
    return [row["amount"] for row in stage.site.rows(PAYMENTS, (str(invoice["id"]),))]


@pytest.mark.usefixtures("live")
def test_two_steps_write_the_payments_once(kit: Kit, stage: Stage):
    """Making the panel and the first step write nothing; the second writes, a third click does not."""
    before = stage.site.revision
    panel = PaymentsPanel(kit, dry_run=False)
    panel.confirm.first.click()
    assert "Write 1 payments to" in panel.confirm.sentence.value
    assert stage.site.revision == before

    panel.confirm.yes.click()
    panel.confirm.yes.click()
    panel.wait()
    assert paid(stage) == [Decimal("100.00")]
    assert "1 payments created" in panel.message.value
    assert list(panel._grid.frame["outcome"]) == ["done"]
    assert {path.suffix for path in panel.files} == {".html", ".txt", ".xlsx"}
    panel.confirm.first.click()
    assert "read Sage 50 first" in panel.message.value.replace("Read", "read")


def test_an_unattended_run_writes_payments_only_when_told(kit: Kit, stage: Stage):
    """Dry: the twin says what would be written; told to: the same figures, written."""
    before = stage.site.revision
    dry = PaymentsPanel(kit).static()
    assert stage.site.revision == before
    done = PaymentsPanel(kit, dry_run=False).static()

    assert paid(stage) == [Decimal("100.00")]
    assert "1 payments would be written" in dry
    assert "1 payments created" in done
    assert all('<td class="s50-figure">100.00</td>' in text for text in (dry, done))


@pytest.mark.usefixtures("live")
def test_a_wrong_start_is_told_in_the_page(kit: Kit):
    """One sentence where the eye is, and nothing to write."""
    panel = PaymentsPanel(kit, since="yesterdayish")

    assert 'role="alert"' in panel.message.value
    assert "yesterdayish" in panel.message.value


def test_the_receivables_have_the_figures_of_the_reports(kit: Kit):
    """Every fact of both reports, and every difference, stands in the static page."""
    panel = ReceivablesPanel(kit, as_of=DAY)
    shown = panel.static()

    assert panel.files == []
    assert panel.found is not None
    assert panel.ageing is not None
    pages = (reconciliation_page(panel.found), ageing_page(panel.ageing))
    facts = [cell_text(value) for page in pages for _, value in page.facts]
    assert [fact for fact in facts if f"<bdi>{fact}</bdi>" not in shown] == []
    assert f"Differences: {len(panel.found.differences)} of {len(panel.found.differences)}" in shown
    assert all(str(number) in shown for number in panel.found.differences["number"])


@pytest.mark.usefixtures("live")
def test_another_day_is_compared_and_saved_without_code(kit: Kit):
    """The page takes the day and saves the reports; a wrong day is told, and shows nothing of the day before."""
    panel = ReceivablesPanel(kit, as_of=DAY)
    head = panel._head.value
    panel._day.value = "2026-09-30"
    panel._look.click()
    assert panel._head.value != head
    assert "end of 2026-09-30" in panel._head.value
    panel._save.click()
    assert min(path.name for path in panel.files).startswith("ageing-2026-09-30")

    panel._day.value = "the thirtieth"
    panel._look.click()
    assert "is not a date" in panel.message.value
    assert panel._head.value == ""
    assert panel._save.disabled


def test_a_wrong_day_stops_an_unattended_run(kit: Kit):
    """As an exception, for the exit code."""
    with pytest.raises(UsageError, match="is not a date"):
        ReceivablesPanel(kit, as_of="the thirtieth")


@pytest.mark.usefixtures("live")
def test_a_table_that_is_not_shown_any_more_is_let_go(kit: Kit):
    """Turning to and fro keeps nothing in the kernel."""
    panel = ReceivablesPanel(kit, as_of="2026-10-31")
    old = panel._body.children
    assert all(part.comm is not None for part in old)
    panel._section.value = "Classes"

    assert [part.comm for part in old] == [None] * len(old)
    assert all(part.comm is not None for part in panel._body.children)
