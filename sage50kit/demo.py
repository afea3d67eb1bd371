"""The whole cycle on the fixtures: a local ConnectWise site, a Sage 50 company in a file, and everything between.

`demo_profile` is the stage: site and company, made anew. `run_demo` plays on it: a batch that is blocked, the
bookkeeper's correction, three batches, one refusal, both systems compared, money back. What must come out is written
down beforehand, and anything else is a failure.
"""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr  # pydantic reads the annotation

from sage50kit.errors import PlanBlocked, UsageError
from sage50kit.model import Distribution, Document
from sage50kit.money import ZERO, total
from sage50kit.money import text as amount
from sage50kit.profile import Profile
from sage50kit.terminal import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pandas as pd

    from sage50kit.batch.report import PushReport
    from sage50kit.connectors.embedded import EmbeddedCompany
    from sage50kit.kit import Kit
    from sage50kit.reports.page import Page

COMPANY = "Lakeside Managed IT, Inc."
COMPANY_FILE = "lakeside.company"
MARK = ".sage50kit-demo"  # a folder with this file is the demo's own, and may be emptied
MISSING_ACCOUNT = "4950"
BATCHES: dict[str, tuple[str, ...]] = {
    "20261031JD-I": ("invoice",),
    "20261031JD-E": ("expense",),
    "20261031JD-P": ("receipt", "adjustment", "transfer"),
}
LAST_DAY = "2026-10-31"
# Documents that each batch posts, and the sum of their totals in ConnectWise, credit memos counted as positive.
POSTED = {
    "20261031JD-I": (22, Decimal("29943.61")),
    "20261031JD-E": (3, Decimal("537.00")),
    "20261031JD-P": (13, Decimal("13418.25")),
}
LATER = "invoice:48150"  # dated in November: it waits for the next month
# Refused, without GL entries, of a customer without account number, not closed yet.
DIFFERENCES = {"only_in_connectwise": ["10448", "10453", "10454", "10455"]}
PAID = ("10434", "HILLSCHOOL")  # the invoice that is paid in part, and its customer
HELD = "20261031JD-I"  # the batch with the customer on hold


class DemoProfile(Profile):
    """A profile that holds the keys of its own local site, in memory only."""

    keys: dict[str, SecretStr]

    def secret(self, name: str) -> SecretStr:
        """The key of the local site; the usual places are not asked."""
        return self.keys[name]


# --- the stage --------------------------------------------------------------------------------


@contextmanager
def demo_profile(folder: Path | None = None) -> Iterator[Profile]:
    """A profile whose site answers and whose company is new, until the block ends.

    Args:
        folder: where company, log and reports go; by default the person's own data folder.
    """
    if folder is not None:
        with _staged(folder) as profile:
            yield profile
        return
    from filelock import FileLock, Timeout

    for number in range(1, 100):
        own = _data_folder() / f"demo-{number}"
        own.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(f"{own}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:  # another notebook plays there
            continue
        try:
            with _staged(own) as profile:
                yield profile
        finally:
            lock.release()
        return
    raise UsageError("a hundred demos are running; close some of their notebooks.")


@contextmanager
def _staged(folder: Path) -> Iterator[DemoProfile]:
    from sage50kit.connectors.embedded import create_company, read_lists
    from sage50kit.sandbox.dataset import fixtures_folder
    from sage50kit.sandbox.serve import running
    from sage50kit.sandbox.state import Site

    _empty(folder)
    books, stock = read_lists(fixtures_folder() / "company")
    company_file = folder / COMPANY_FILE
    with create_company(company_file, books, name=COMPANY, opening_stock=stock) as company:
        _enter_september(company)
    with running(Site.fixtures()) as server:
        content = _settings(server)
        profile = DemoProfile.parse(content, folder=folder.absolute(), source="demo")
        assert isinstance(profile, DemoProfile)  # noqa: S101  # `parse` makes its own class
        yield profile


# September's batch of the site, as a bookkeeper entered it before there was a kit: number, customer, day,
# amounts by account, and what was received for it.
_SEPTEMBER: tuple[tuple[str, str, date, dict[str, str], tuple[str, date, str] | None], ...] = (
    ("10381", "BAYSHORE", date(2026, 9, 15), {"4000": "600.00"},
     ("CK 2210", date(2026, 10, 10), "600.00")),
    ("10382", "GULFCOAST", date(2026, 9, 17),
     {"4000": "300.00", "4200": "70.00", "2310": "4.20", "2320": "1.05"},
     ("CK 5518", date(2026, 10, 12), "100.00")),
    ("10383", "GULFCOAST", date(2026, 9, 18), {"4000": "-50.00"}, None),
)  # fmt: skip


def _enter_september(company: EmbeddedCompany) -> None:
    """What stood in the books before: the invoices that ConnectWise shows as batched, and their receipts."""
    for number, customer, day, amounts, receipt in _SEPTEMBER:
        lines = tuple(
            Distribution(account_id=account, amount=-Decimal(amount))
            for account, amount in amounts.items()
        )
        owed = -total(line.amount for line in lines)
        document = Document(
            type="sales_invoice" if owed > 0 else "credit_memo",
            key=f"before:{number}",
            transactions=(),
            number=number,
            reference=number,
            posting_date=day,
            document_date=day,
            distributions=lines,
            control_account_id="1100",
            control_amount=owed,
            party_id=customer,
        )
        company.post(document)
        if receipt is not None:
            reference, on, amount = receipt
            applied = {number: Decimal(amount)}
            company.enter_receipt(customer, reference=reference, date=on, applied=applied)


def _settings(server: Any) -> dict[str, Any]:
    return {
        "name": "demo",
        "workdir": ".",
        "connectwise": {
            "site": server.site,
            "company": server.company,
            "client_id": server.client_id,
        },
        "sage": {"connector": "embedded", "company_file": COMPANY_FILE},
        "push": {"initials": "JD", "rounding_account": "6900"},
        "payments": {"portal": True},
        "keys": {"public_key": server.public_key, "private_key": server.private_key},
    }


def _empty(folder: Path) -> None:
    """Make the folder of a demo empty; a folder with anything else in it is refused."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()) and not (folder / MARK).exists():
        raise UsageError(f"{folder} is not empty and not of an earlier demo. Name another folder.")
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    (folder / MARK).write_text(
        "made by sage50kit demo; emptied by the next one\n", encoding="utf-8"
    )


def _data_folder() -> Path:
    """Where programs keep a person's data on this system."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home()) / "sage50kit"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "sage50kit"
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "sage50kit"


# --- the play ---------------------------------------------------------------------------------


@dataclass
class _Play:
    """What happened so far: each planned outcome beside the one that occurred, and the files."""

    outcomes: list[tuple[str, str, str]] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)

    def expect(self, what: str, planned: object, found: object) -> None:
        self.outcomes.append((what, _words(planned), _words(found)))

    @property
    def as_planned(self) -> bool:
        return all(planned == found for _, planned, found in self.outcomes)


def _words(outcome: object) -> str:
    """An outcome as people read it."""
    if isinstance(outcome, Decimal):
        return amount(outcome)
    if isinstance(outcome, (set, list)):
        return ", ".join(sorted(map(str, outcome))) or "none"
    return str(outcome)


def run_demo(
    workdir: Path | None = None,
    *,
    keep: bool = False,
    progress: Callable[[str, int, int | None], None] | None = None,
) -> Answer:
    """Play the whole cycle; exit code 0 when exactly the planned outcomes occurred.

    Args:
        workdir: where the reports go; by default `sage50kit-demo` in the working folder.
        keep: leave the company file and the push log there, too.
        progress: called with (step, done, of how many or None).
    """
    from sage50kit.kit import Kit

    folder = (workdir or Path("sage50kit-demo")).absolute()
    play = _Play()
    with demo_profile(folder) as profile, Kit(profile, progress=progress) as kit:
        unposted = kit.fetch(thru_date=LAST_DAY)
        play.expect("every kind is there", 5, unposted["kind"].nunique())
        _blocked_then_corrected(kit, unposted, play)
        reports = {batch: _push(kit, unposted, batch, play) for batch in BATCHES}
        for batch in BATCHES:
            _verify(kit, batch, play)
        _look_at_what_is_left(kit, reports, play)
        _pay_and_sync(kit, play)
        _reconcile(kit, play)
        _second_opinion(kit, folder, play)
        page = _page(play, reports)
    if not keep:
        for path in folder.glob(f"{COMPANY_FILE}*"):
            path.unlink()
    return _answer(page, play, reports, folder)


def _blocked_then_corrected(kit: Kit, unposted: pd.DataFrame, play: _Play) -> None:
    """One invoice stands on an account that Sage 50 does not have, until the bookkeeper adds it."""
    from sage50kit.issues import issues_frame
    from sage50kit.model import Account
    from sage50kit.reports.files import save_blocked

    selected = _of(unposted, HELD)
    try:
        kit.plan(selected, batch=HELD)
    except PlanBlocked as error:
        blocking = [issue for issue in error.issues if issue.severity == "block"]
        play.expect("the first plan is blocked by", MISSING_ACCOUNT, _values(blocking))
        play.expect("blocked transactions", 1, len({issue.key for issue in blocking}))
        play.files += save_blocked(f"{HELD}-blocked", issues_frame(error.issues), kit.workdir)
    else:
        play.expect("the first plan", "blocked", "not blocked")
    company: Any = kit.company
    company.add(Account(account_id=MISSING_ACCOUNT, description="Hosting Revenue", type=21))


def _values(issues: Sequence[Any]) -> str:
    return ", ".join(sorted({issue.value for issue in issues}))


def _push(kit: Kit, unposted: pd.DataFrame, batch: str, play: _Play) -> PushReport:
    from sage50kit.reports.files import save_proof, save_push

    plan = kit.plan(_of(unposted, batch), batch=batch)
    play.files += save_proof(kit.proof(plan), kit.workdir)
    report = kit.push(plan, dry_run=False)
    play.files += save_push(report, kit.log.events(batch), kit.workdir)
    states = report.documents["state"].value_counts().to_dict()
    play.expect(f"{batch}: exit code", 3 if batch == HELD else 0, report.exit_code)
    play.expect(f"{batch}: refused", 1 if batch == HELD else 0, states.pop("refused", 0))
    posted, amount_posted = POSTED[batch]
    play.expect(f"{batch}: posted", posted, states.get("posted", 0))
    play.expect(f"{batch}: amount posted", amount_posted, report.totals["posted"])
    if batch == HELD:
        warned = set(report.issues["severity"]) & {"warn"}
        play.expect(f"{batch}: at least one warning", {"warn"}, warned)
    return report


def _verify(kit: Kit, batch: str, play: _Play) -> None:
    from sage50kit.reports.files import save_verification

    verification = kit.verify(batch)
    play.files += save_verification(verification, kit.workdir)
    totals = verification.totals
    play.expect(f"{batch}: both systems agree", "yes", "yes" if verification.ok else "no")
    posted = totals["connectwise"] - totals.get("of_which_not_posted", ZERO)
    play.expect(f"{batch}: total of ConnectWise in the log", posted, totals["log"])


def _look_at_what_is_left(kit: Kit, reports: dict[str, PushReport], play: _Play) -> None:
    """Only what was refused, or is of the next month, is still unposted."""
    refused = [
        label
        for report in reports.values()
        for label in report.documents.loc[report.documents["state"] == "refused", "label"]
    ]
    play.expect("still unposted", [*refused, LATER], list(kit.fetch()["key"]))


def _reconcile(kit: Kit, play: _Play) -> None:
    """What is owed, three ways: what could not be posted, and what was paid in the portal."""
    found = kit.reconcile(as_of=LAST_DAY)
    play.files += kit.save_receivables(found, kit.ageing(as_of=LAST_DAY), dry_run=False)
    by_class = found.differences.groupby("what")["number"].apply(sorted).to_dict()
    planned, occurred = (_differences(row) for row in (DIFFERENCES, by_class))
    play.expect("receivables that differ", planned, occurred)
    play.expect("receivables that differ without a reason", "0.00", f"{found.unexplained:.2f}")


def _differences(numbers: Mapping[Any, list[str]]) -> str:
    """Classes and their invoices in words."""
    return "; ".join(f"{name.replace('_', ' ')}: {', '.join(numbers[name])}" for name in numbers)


def _pay_and_sync(kit: Kit, play: _Play) -> None:
    """Money back: a check becomes a payment in ConnectWise, a payment of the portal a receipt in Sage."""
    from sage50kit.reports.files import save_page
    from sage50kit.reports.payments import payments_page

    company: Any = kit.company
    number, customer = PAID
    applied = {number: Decimal(500)}
    company.enter_receipt(customer, reference="CK 3011", date=date(2026, 10, 30), applied=applied)
    report = kit.apply_payments(kit.plan_payments(), dry_run=False)
    play.files += save_page(payments_page(report), kit.workdir / "payments", "demo")
    play.expect("payments written to ConnectWise", 1, report.counts["create"])
    play.expect("portal payments posted to Sage 50", 1, report.counts["receipts_posted"])
    again = kit.apply_payments(kit.plan_payments(kit.fetch_receipts(full=True)), dry_run=False)
    done = sum(again.counts[name] for name in ("create", "change", "delete", "receipts_posted"))
    play.expect("written by a second, full run", 0, done)


def _second_opinion(kit: Kit, folder: Path, play: _Play) -> None:
    """The journals for two other programs, and the company's own check of itself."""
    from sage50kit.connectors.ledger import export_ledger
    from sage50kit.reports.files import write_whole

    company: Any = kit.company
    play.expect("differences between journals and sub-ledgers", [], company.differences())
    difference = total(company.trial_balance().values())
    play.expect("the trial balance adds up to", Decimal(0), difference)
    play.files.append(
        write_whole(folder / "lakeside.journal", export_ledger(company, "hledger").encode())
    )
    play.files.append(
        write_whole(folder / "lakeside.beancount", export_ledger(company, "beancount").encode())
    )


def _of(unposted: pd.DataFrame, batch: str) -> pd.DataFrame:
    return unposted[unposted["kind"].isin(list(BATCHES[batch]))]


# --- the report -------------------------------------------------------------------------------


def _page(play: _Play, reports: dict[str, PushReport]) -> Page:
    import pandas as pd

    from sage50kit.reports.page import Page, table

    rows = [
        [what, wanted, found, "yes" if wanted == found else "NO"]
        for what, wanted, found in play.outcomes
    ]
    outcomes = pd.DataFrame(rows, columns=["outcome", "planned", "occurred", "as planned"])
    endings = pd.DataFrame(
        [[batch, report.headline] for batch, report in reports.items()], columns=["batch", "ending"]
    )
    good = play.as_planned
    return Page(
        title=f"Demo: {COMPANY}",
        headline="Exactly the planned outcomes occurred." if good else "Something went otherwise.",
        tone="good" if good else "bad",
        facts=(("Documents posted", sum(_posted(report) for report in reports.values())),),
        tables=(table(endings, "Batches"), table(outcomes, "Outcomes")),
    )


def _posted(report: PushReport) -> int:
    return int((report.documents["state"] == "posted").sum())


def _answer(page: Page, play: _Play, reports: dict[str, PushReport], folder: Path) -> Answer:
    from sage50kit.reports.files import save_page
    from sage50kit.terminal import issue_rows

    saved = save_page(page, folder, "demo")
    return Answer(
        exit_code=0 if play.as_planned else 1,
        status="completed" if play.as_planned else "failed",
        counts={"posted": sum(_posted(report) for report in reports.values())},
        totals={batch: report.totals["posted"] for batch, report in reports.items()},
        issues=[row for report in reports.values() for row in issue_rows(report.issues)],
        files=saved,
        more={"reports": [str(path) for path in play.files]},
        page=page,
        words=f"All reports are in {folder}",
    )
