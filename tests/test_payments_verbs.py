"""The payment sync from the terminal, from Python and from its notebook, on the fixtures."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from sage50kit.cli import main
from sage50kit.kit import Kit
from tests.payment_stage import book_invoice
from tests.stage import ROOT, staged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stage import Stage

NOTEBOOK = ROOT / "notebooks" / "40_sync_payments.ipynb"


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
            company.enter_receipt(
                customer,
                reference="CK 1",
                date=date(2026, 10, 20),
                applied={"10434": Decimal(100)},
            )
        yield made


def paid(stage: Stage) -> list[Decimal]:
    """What invoice 10434 shows."""
    (row,) = [
        one for one in stage.site.rows("/finance/invoices") if one["invoiceNumber"] == "10434"
    ]
    return [one["amount"] for one in stage.site.rows(PAYMENTS, (str(row["id"]),))]


PAYMENTS = "/finance/invoices/{parentId}/payments"


def sync(stage: Stage, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict]:
    """`sync-payments --json` in this process: exit code and answer."""
    code = main(["sync-payments", "--profile", str(stage.profile), "--json", *words])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def test_from_the_terminal(stage, capsys):
    """One payment is created, the report is on disk; the second run writes nothing; exit code 0.

    The fixtures' portal payment is told: its invoice is not in the books.
    """
    code, answer = sync(stage, capsys, "--yes")
    assert (code, answer["status"]) == (0, "completed_with_warnings")
    assert [row["code"] for row in answer["issues"]] == ["portal_invoice_missing"]
    assert answer["counts"]["create"] == 1
    assert paid(stage) == [Decimal(100)]
    assert sorted(path.rpartition(".")[2] for path in answer["files"]) == ["html", "txt", "xlsx"]
    code, answer = sync(stage, capsys, "--yes", "--full")
    assert (code, answer["counts"]["create"], answer["counts"]["unchanged"]) == (0, 0, 1)
    assert "full pass" in answer["headline"]


def test_without_consent_nothing_is_written(stage, capsys):
    """No terminal and no --yes: exit 2, and nothing was even read."""
    code, answer = sync(stage, capsys)
    assert (code, answer["counts"]) == (2, {})
    assert paid(stage) == []


def test_a_wrong_start_is_wrong_usage(stage, capsys):
    """Exit 2, and the choices are named."""
    code, _ = sync(stage, capsys, "--yes", "--since", "ages ago")
    assert code == 2


def test_from_python(stage):
    """Fetch, plan, preview, apply; a dry run writes nothing."""
    with Kit(stage.profile) as kit:
        receipts = kit.fetch_receipts()
        assert list(receipts.frame()["money"]) == [Decimal(100)]
        plan = kit.plan_payments(receipts)
        preview = kit.apply_payments(plan)
        assert list(preview.frame()["outcome"]) == ["planned"]
        assert "Nothing was written" in preview.sentence
        assert paid(stage) == []
        report = kit.apply_payments(plan, dry_run=False)
        assert list(report.frame()["outcome"]) == ["done"]
        assert "10434" in report._repr_html_()
    assert paid(stage) == [Decimal(100)]


@pytest.mark.slow
def test_from_the_notebook(stage):
    """As it is it writes nothing; with dry_run False the payment is there, and the exit code is 0."""
    profile = ("-p", "profile", str(stage.profile))
    done = stage.run("run", str(NOTEBOOK), *profile, "-o", str(stage.folder / "runs"), "--json")
    assert (done.code, paid(stage)) == (0, []), done.err
    words = (*profile, "-p", "dry_run", "False")
    done = stage.run("run", str(NOTEBOOK), *words, "-o", str(stage.folder / "runs"), "--json")
    assert (done.code, paid(stage)) == (0, [Decimal(100)]), done.err
