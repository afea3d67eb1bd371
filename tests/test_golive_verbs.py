"""Go-live and acknowledgement from the terminal: exit codes, one line of JSON, reports on disk."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sage50kit.cli import main
from sage50kit.connectors import open_company
from sage50kit.profile import Profile
from tests.payment_stage import book_invoice
from tests.stage import staged


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """The fixtures, whose first two unposted invoices stand in Sage already, the second with another amount."""
    with staged(tmp_path) as stage:
        for name, value in stage.environment.items():
            monkeypatch.setenv(name, value)
        closed = [row for row in stage.site.rows("/finance/invoices") if row["status"]["isClosed"]]
        rows = [row for row in closed if row["total"] > 0 and not row.get("payments")][:2]
        company: Any
        with open_company(Profile.load(stage.profile)) as company:
            for row, more in zip(rows, (0, 1), strict=True):
                names = str(row["invoiceNumber"]), str(row["total"] + more), row["accountNumber"]
                company.post(replace(book_invoice(*names), key=f"hand:{more}", transactions=()))

        def verb(*words: str) -> tuple[int, dict[str, Any]]:
            code = main([*words, "--profile", str(stage.profile), "--json"])
            return code, json.loads(capsys.readouterr().out.splitlines()[-1])

        yield verb


def test_match_history(run):
    """Doubtful ones end with 3 and are in the report; a person's word settles them; a second run records none."""
    code, answer = run("match-history", "--dry-run")
    assert (code, answer["counts"]["recorded"]) == (3, 0)
    assert answer["counts"]["matched"] == 1
    (doubt,) = [row for row in answer["doubtful"] if "the amount differs" in row["why"]]
    report = next(path for path in answer["files"] if path.endswith(".txt"))
    assert doubt["place"] in Path(report).read_text(encoding="utf-8")

    words = ("match-history", "--yes", "--chosen", f"{doubt['key']}={doubt['place']}")
    code, answer = run(*words)
    assert (code, answer["counts"]["matched"], answer["counts"]["recorded"]) == (0, 2, 2)
    code, answer = run("match-history", "--yes")
    assert (code, answer["counts"]["recorded"]) == (0, 0)
    code, answer = run("match-history", "--yes", "--unlink", doubt["key"])
    assert (code, answer["counts"]["doubtful"]) == (3, 1)


@pytest.mark.parametrize("verb", ["match-history", "adopt-payments"])
def test_without_consent_nothing_is_recorded(run, verb):
    """No terminal and no --yes: exit 2."""
    assert run(verb)[0] == 2


def test_a_choice_that_is_no_pair_is_refused(run):
    """The way to write it is said: exit 2."""
    assert run("match-history", "--yes", "--chosen", "invoice:1")[0] == 2


def test_adopt_payments_and_acknowledge(run):
    """Payments of the portal stay as they are, which is told; a difference is acknowledged, and the reconciliation says so."""
    run("match-history", "--yes")
    code, answer = run("adopt-payments", "--yes")
    assert (code, answer["counts"]["taken_over"]) == (3, 0)
    assert all(row["why"] for row in answer["payments"])

    day = ("--as-of", "2026-10-31")
    code, answer = run("reconcile", *day)
    row = next(row for row in answer["differences"] if row["what"] == "amount_differs")
    code, answer = run("acknowledge", "--documents", row["place"], "--reason", "agreed", *day)
    assert (code, answer["counts"]) == (0, {"acknowledged": 1})
    code, answer = run("reconcile", *day)
    assert [one["acknowledged"][:8] for one in answer["differences"] if one["acknowledged"]] == [
        "agreed ("
    ]
    code, answer = run("acknowledge", "--documents", row["place"], "--take-back")
    assert (code, answer["counts"]) == (0, {"taken back": 1})
