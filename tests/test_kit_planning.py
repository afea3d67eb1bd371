"""Planning through the kit, on a site and a company that answer: one reading, and what a person is told."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from sage50kit.errors import UsageError
from sage50kit.kit import Kit
from sage50kit.model import BLOCKED
from sage50kit.reports import text
from sage50kit.reports.listings import proof_page
from tests.stage import staged

if TYPE_CHECKING:
    from collections.abc import Iterator


BLOCKED_INVOICE = "invoice:48119"  # on account 4950, which the chart does not have
HELD = "invoice:48118"  # Palmetto, always on hold


@pytest.fixture(scope="module")
def kit(tmp_path_factory) -> Iterator[Kit]:
    with (
        staged(tmp_path_factory.mktemp("planning")) as stage,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in stage.environment.items():
            patch.setenv(name, value)
        with Kit(stage.profile) as kit:
            yield kit


def requests(kit: Kit) -> Counter[str]:
    """How often each path was asked for so far."""
    lines = (kit.workdir / "requests.jsonl").read_text(encoding="utf-8").splitlines()
    return Counter(json.loads(line)["path"] for line in lines)


def test_leaving_out_what_is_blocked_reads_everything_once(kit: Kit):
    """Blocked transactions are dropped from what was read; ConnectWise is not asked again."""
    chosen = kit.fetch()
    before = requests(kit)
    kit.validate(chosen)
    validated = requests(kit)
    plan = kit.plan(chosen, batch="ONE-READING", leave_out_blocked=True)

    assert [row.key for row in plan.left_out if row.reason.startswith(BLOCKED)] == [BLOCKED_INVOICE]
    asked = requests(kit) - validated
    assert asked - (validated - before) == Counter()
    assert len(plan.transactions) == len(chosen) - 1


def test_why_tells_of_a_refusal_to_be_expected(kit: Kit):
    """A customer on hold does not keep the invoice out of the list, but out of the books."""
    words = kit.why(HELD)

    assert words.startswith(f"{HELD} is in the list")
    assert "PALMETTO is on hold" in words
    assert "Maintain > Customers" in words


def test_why_tells_what_blocks(kit: Kit):
    """An account that the chart lacks is named, with what to do."""
    assert "4950" in kit.why(BLOCKED_INVOICE)
    assert "But" not in kit.why("invoice:48101")


@pytest.mark.parametrize("total", [[Decimal("12345678901234.00")], [4000.5]])
def test_an_amount_that_cannot_be_posted_is_one_sentence(
    kit: Kit, total: list[Decimal] | list[float]
):
    """A selected row beyond ten trillion, or no longer exact, is named and nothing is planned."""
    frame = kit.fetch()
    row = frame[frame["key"] == HELD].assign(total=total)

    with pytest.raises(UsageError, match=rf"{HELD} has a total that cannot be posted: .*\. Fetch"):
        kit.plan(row, batch="TOO-MUCH")


def test_the_report_says_once_what_was_foreseen_and_what_sage_said(kit: Kit):
    """Of a customer on notice or hold the report has Sage's own words, with the cure that the plan knew."""
    frame = kit.fetch()
    chosen = frame[frame["number"].isin(["10436", "10448"])]
    report = kit.push(kit.plan(chosen, batch="SAID-ONCE"), dry_run=False)
    issues = report.issues.set_index("number")

    assert issues["code"].to_dict() == {"10448": "company_refused", "10436": "company_warning"}
    assert "Always Hold" in issues.loc["10448", "message"]
    assert "credit status under Maintain > Customers" in issues.loc["10448", "fix"]


def test_the_level_of_detail_reaches_the_lines(kit: Kit):
    """What the profile asks for, Default or Detailed, is what ConnectWise writes into the lines."""
    chosen = kit.fetch(kinds=["invoice"])
    chosen = chosen[chosen["number"] == "10431"]
    texts = {}
    for level in ("Default", "Condensed", "Detailed"):
        push = kit.profile.push.model_copy(update={"invoice_detail": level})
        with Kit(kit.profile.model_copy(update={"push": push})) as other:
            plan = other.plan(chosen, batch="LEVEL")
            texts[level] = [row.description for row in plan.documents[0].distributions]

    assert texts["Default"] != texts["Detailed"]
    assert sum(map(len, texts["Detailed"])) > sum(map(len, texts["Condensed"]))


def test_the_proof_names_what_was_read_beside_the_batch(kit: Kit):
    """Everything unposted of its kinds is in the batch, or counted under a reason, to the cent."""
    chosen = kit.fetch(kinds=["invoice"], thru_date="2026-10-31")
    chosen = chosen[chosen["number"] != "10431"]
    proof = kit.proof(kit.plan(chosen, batch="BESIDE", leave_out_blocked=True))
    beside = proof.not_in_batch.set_index("reason")
    left = kit.left_out[kit.left_out["kind"] == "invoice"]

    assert beside.loc["it is not chosen", "keys"] == "invoice:48101"
    assert beside.loc["it is dated after 2026-10-31", "keys"] == "invoice:48150"
    assert beside["transactions"].sum() == 1 + len(left)
    assert beside["total"].sum() == Decimal("1594.40") + left["total"].sum()
    assert "it has no GL entries" in text.render(proof_page(proof))
