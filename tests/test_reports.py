"""Reports: the same exact figures on every medium, and no text of ConnectWise that acts."""

from __future__ import annotations

import csv as stdlib_csv
import io
import json
import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import openpyxl
import pandas as pd
import pytest

from sage50kit.issues import COLUMNS
from sage50kit.model import Plan
from sage50kit.money import money_series
from sage50kit.money import text as money_text
from sage50kit.reports import csv, excel, files, html, listings, page, text

if TYPE_CHECKING:
    from pathlib import Path

FORMULA = '=HYPERLINK("http://evil.example","Bükk & <b>Co</b>")'


def issues_of(*rows: tuple[str, str]) -> pd.DataFrame:
    """Findings of (severity, number)."""
    values = [
        [
            severity,
            "account_unknown",
            "invoice:1",
            number,
            "account",
            "4950",
            f"{number}: no 4950.",
            "Add it.",
        ]
        for severity, number in rows
    ]
    return pd.DataFrame(values, columns=list(COLUMNS), dtype="str")


def left_out_of(*reasons: str) -> pd.DataFrame:
    """Transactions left out, 10.00 each."""
    return pd.DataFrame(
        {
            "key": [f"expense:{place}" for place, _ in enumerate(reasons)],
            "kind": ["expense"] * len(reasons),
            "number": [f"E{place}" for place, _ in enumerate(reasons)],
            "total": money_series(["10.00"] * len(reasons)),
            "reason": list(reasons),
        }
    )


def documents() -> pd.DataFrame:
    """An invoice of 1,234.50 and a credit memo of 34.50."""
    return pd.DataFrame(
        {
            "order": [1, 2],
            "document": ["invoice:1", "invoice:2"],
            "label": ["invoice:1", "invoice:2"],
            "type": ["sales_invoice", "credit_memo"],
            "number": ["8001", "8002"],
            "party_id": ["ACME", "ACME"],
            "party": [FORMULA, "Ångström\x1b[31m"],
            "date": [date(2026, 10, 31), date(2026, 10, 30)],
            "total": money_series(["1234.50", "-34.50"]),
            "state": ["posted", "refused"],
            "reason": ["", "Customer ACME is on hold."],
        }
    )


@dataclass(frozen=True)
class Listing:
    """A small proof, put together by hand."""

    plan: Plan = field(
        default_factory=lambda: Plan(
            batch="20261031JD-I", site="na.example/lakeside", company="Lakeside Managed IT, Inc."
        )
    )
    documents: pd.DataFrame = field(default_factory=documents)
    gl_entries: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(
            {
                "document": [
                    "invoice:1",
                    "invoice:1",
                    "invoice:2",
                    "invoice:2",
                    "invoice:2",
                    "invoice:2",
                ],
                "number": ["8001", "8001", "8002", "8002", "8002", "8002"],
                "date": [date(2026, 10, 31)] * 6,
                "account_id": ["1100", "4000", "4000", "1100", "1200", "5000"],
                "account": ["Receivable", "Service", "Service", "Receivable", "Inventory", "Cost"],
                "debit": money_series(["1234.50", "0", "34.50", "0", "12", "0"]),
                "credit": money_series(["0", "1234.50", "0", "34.50", "0", "12"]),
                "description": ["", "Help desk", "Help desk", "", "Cost of sales", "Cost of sales"],
                "made_by": ["kit", "kit", "kit", "kit", "sage", "sage"],
            }
        )
    )
    by_account: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(
            {
                "account_id": ["1100", "4000"],
                "account": ["Receivable", "Service"],
                "debit": money_series(["1234.50", "34.50"]),
                "credit": money_series(["0", "1234.50"]),
                "net": money_series(["1234.50", "-1200.00"]),
            }
        )
    )
    masters: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(
            {
                "kind": ["customer", "customer"],
                "id": ["ACME", "ACME"],
                "field": ["name", "phone"],
                "value": ["Acme Incorpo", "555-0100"],
            }
        )
    )
    issues: pd.DataFrame = field(default_factory=lambda: issues_of(("warn", "8001")))
    left_out: pd.DataFrame = field(default_factory=lambda: left_out_of("on hold"))
    not_in_batch: pd.DataFrame = field(default_factory=left_out_of)
    cleared: pd.DataFrame = field(default_factory=left_out_of)
    totals: dict[str, Decimal | int | str] = field(
        default_factory=lambda: {
            "documents": 2,
            "debits": Decimal("1269.00"),
            "credits": Decimal("1269.00"),
            "difference": Decimal(0),
            "receivables_change": Decimal("1200.00"),
            "payables_change": Decimal("-1234567.89"),
        }
    )


@dataclass(frozen=True)
class Report(Listing):
    """A small push report, put together by hand."""

    status: str = "completed_with_errors"
    batch: str = "20261031JD-I"
    headline: str = "The batch completed, but 1 document has errors."
    batch_id: int | None = 77
    next_batch: str = "20261031JD-I-1"
    counts: dict[str, int] = field(default_factory=lambda: {"posted": 1, "refused": 1})
    screens: dict[str, str] = field(default_factory=dict)
    dry_run: bool = False


class Elements(HTMLParser):
    """The tags, attributes and texts of a page."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def proof() -> page.Page:
    """The proof listing of the small proof."""
    return listings.proof_page(Listing(), thru_date=date(2026, 10, 31))


def sheets(content: bytes) -> dict[str, list[list[object]]]:
    """The values of a workbook, by sheet."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    return {sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book}


@pytest.mark.parametrize("value", ["1,234.50", "(34.50)", "1,269.00", "(1,234,567.89)", "1,200.00"])
def test_text_and_html_print_the_same_figures(proof, value):
    """An amount stands in text and HTML in the same form, negative in parentheses."""
    assert value in text.render(proof)
    assert f">{value}<" in html.document(proof)


def test_excel_holds_the_same_totals_exactly(proof):
    """Every fact of the page stands in the workbook as a number, and beside it as exact text."""
    summary = sheets(excel.workbook(proof))["Summary"]
    exact = {row[0]: row[2] for row in summary if len(row) > 2 and row[2]}

    amounts = {name: value for name, value in proof.facts if isinstance(value, Decimal)}
    assert {name: Decimal(words) for name, words in exact.items()} == amounts
    assert exact["Difference"] == "0.00"


def test_excel_adds_a_total_under_its_column_and_repeats_it_as_text(proof):
    """The sheet of GL entries ends in debits and credits: a formula with its value, and exact text."""
    content = excel.workbook(proof)
    rows = sheets(content)["GL entries by document"]
    debit = rows[0].index("Debit")

    at = [row[0] for row in rows].index("Total")
    assert [row[debit] for row in rows[at : at + 2]] == [f"=SUM(F2:F{at})", "1269.00"]
    values = openpyxl.load_workbook(io.BytesIO(content), data_only=True)["GL entries by document"]
    assert values.cell(at + 1, debit + 1).value == 1269
    assert "Sage 50 itself" in rows[-1][0]
    assert sum(row[debit] or 0 for row in rows[1:at]) == 1269


def test_every_medium_says_the_same_sums(proof):
    """The sums of each table are in text and HTML, formatted alike."""
    plain, rich = text.render(proof), html.document(proof)
    for table in proof.tables:
        for value in table.sums.values():
            assert money_text(value) in plain
            assert f">{money_text(value)}<" in rich


def test_documents_are_totalled_one_by_one(proof):
    """Each document's GL entries stand under its label with their own total."""
    table = next(table for table in proof.tables if table.group == "document")
    sums = [table.sums_of(rows) for _, rows in table.groups()]

    assert [label for label, _ in table.groups()] == ["invoice:1", "invoice:2"]
    assert [each["debit"] - each["credit"] for each in sums] == [0, 0]


def test_what_sage_makes_itself_stands_apart(proof):
    """Sage's own entries are in columns of their own, so that the kit's total is the control total."""
    table = next(table for table in proof.tables if table.group == "document")

    assert table.sums["sage_debit"] == table.sums["sage_credit"] == Decimal("12.00")
    assert table.sums["debit"] == dict(proof.facts)["Debits that the kit posts"]


def test_the_proof_lists_everything_a_person_checks(proof):
    """Titles, dates, findings, masters with their fields, and what is left out, are all there."""
    plain = text.render(proof)

    for words in (
        "20261031JD-I",
        "na.example/lakeside",
        "Lakeside",
        "2026-10-31",
        "customer ACME",
        "555-0100",
    ):
        assert words in plain
    for words in ("8001: no 4950.", "Add it.", "on hold", "Expected change of receivables"):
        assert words in plain


def test_a_text_that_sage_cuts_is_marked():
    """Beside the beginning that will be written stands the whole text that ConnectWise has."""
    cut = issues_of(("warn", "8001")).assign(
        code="text_cut", field="name", value="Acme Incorporated"
    )
    plain = text.render(listings.proof_page(Listing(issues=cut)))

    assert "Acme Incorpo  Acme Incorporated" in plain


def test_html_escapes_names(proof):
    """A name with markup is shown, never interpreted."""
    content = html.document(proof)
    parsed = Elements(content)

    assert FORMULA in parsed.words
    assert not [tag for tag, _ in parsed.tags if tag in ("b", "script", "a", "img", "link")]


def test_html_refers_to_nothing_outside(proof):
    """The file is complete: no address, no script, and a policy that forbids both."""
    content = html.document(proof)

    assert not [
        attributes for _, attributes in Elements(content).tags if {"src", "href"} & set(attributes)
    ]
    assert "url(" not in content
    assert "@import" not in content
    assert "default-src 'none'" in content


def test_html_can_be_read_aloud(proof):
    """The language is named; every table has a caption, every header cell a scope."""
    parsed = Elements(html.document(proof))
    tags = [tag for tag, _ in parsed.tags]

    assert ("html", {"lang": "en"}) in parsed.tags
    assert tags.count("caption") == tags.count("table") > 0
    assert all(attributes.get("scope") for tag, attributes in parsed.tags if tag == "th")


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, as WCAG 2 defines it."""

    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_colours_of_text_are_readable(proof):
    """Every text colour has a contrast of at least 4.5 on every background of the stylesheet."""
    content = html.document(proof).replace("#fff;", "#ffffff;")
    colours = set(re.findall(r"[{;\s]color: (#[0-9a-f]{6})", content))
    backgrounds = set(re.findall(r"background: (#[0-9a-f]{6})", content))

    assert len(colours) >= 3
    assert len(backgrounds) >= 4
    assert min(contrast(one, other) for one in colours for other in backgrounds) >= 4.5


def test_a_notebook_shows_the_same_page(proof):
    """The fragment for a notebook holds the same content as the file."""
    whole, part = html.document(proof), html.part(proof)

    assert part.startswith('<div class="sage50kit">')
    assert (
        whole.partition("<main")[2].partition(">")[2].removesuffix("</main></body></html>\n")
        in part
    )


def test_excel_writes_a_name_like_a_formula_as_text(proof):
    """A name that begins like a formula is a quoted text, not a formula."""
    book = openpyxl.load_workbook(io.BytesIO(excel.workbook(proof)))
    cells = [cell for row in book["Documents in posting order"].iter_rows() for cell in row]
    named = [cell for cell in cells if cell.value == FORMULA]

    assert [cell.data_type for cell in named] == ["s"]
    assert named[0].quotePrefix
    assert named[0].value == FORMULA


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_csv_neutralises_what_a_spreadsheet_would_run(start):
    """A text that begins like a formula gets an apostrophe."""
    assert csv.neutral(f"{start}1+1") == f"'{start}1+1"
    assert csv.neutral("A=1") == "A=1"


def test_csv_keeps_amounts_exact_and_names_whole():
    """Amounts are plain exact numbers with their sign, names keep commas and accents."""
    lines = csv.render(documents()).decode("utf-8-sig")
    rows = list(stdlib_csv.DictReader(io.StringIO(lines)))

    assert [Decimal(row["total"]) for row in rows] == [Decimal("1234.50"), Decimal("-34.50")]
    assert rows[0]["party"] == f"'{FORMULA}"
    assert rows[0]["date"] == "2026-10-31"


def test_control_characters_do_not_reach_a_terminal():
    """A name cannot colour, ring, or turn the line it stands on."""
    assert page.clean("Acme\x1b[31m\r\nLtd\u202e\x07") == "Acme [31m Ltd"
    assert "\x1b" not in text.render(
        listings.push_page(Report(totals={"posted": Decimal("1234.50")}))
    )


def test_digits_beyond_the_cent_are_shown():
    """A unit cost of five places is printed whole, not rounded."""
    assert money_text(Decimal("1234.56789")) == "1,234.56789"
    assert money_text(Decimal("-0.0050")) == "(0.005)"
    assert money_text(Decimal(1000)) == "1,000.00"


def test_a_float_is_refused():
    """A frame with a float amount cannot be reported."""
    with pytest.raises(TypeError, match=r"float 0\.1"):
        page.table(pd.DataFrame({"total": [0.1]}), "Totals")


def test_columns_of_text_line_up_with_wide_characters():
    """East Asian names take two places each, and the next column still begins below its heading."""
    frame = pd.DataFrame({"party": ["株式会社", "Ltd"], "number": ["1", "2"]})
    lines = text.render(
        page.Page(title="T", headline="H", tables=(page.table(frame, "N"),))
    ).splitlines()

    assert "株式会社            1" in lines
    assert "Ltd                 2" in lines


def test_the_push_report_begins_with_its_ending():
    """The first line of the text, and the first element of the HTML, is the ending."""
    result = listings.push_page(Report())

    assert text.render(result).splitlines()[0] == "The batch completed, but 1 document has errors."
    assert Elements(html.part(result)).words[1] == "The batch completed, but 1 document has errors."
    assert result.tone == "bad"


def test_the_push_report_names_the_screens_of_sage():
    """For each kind that was pushed, the screen where the documents can be looked up is named."""
    plain = text.render(listings.push_page(Report(totals={"posted": Decimal("1234.50")})))

    assert "Customers & Sales > Sales Invoices > View and Edit Sales Invoices" in plain
    assert "Customers & Sales > Credits and Returns > View and Edit Credit Memos" in plain
    assert "20261031JD-I-1" in plain


@dataclass(frozen=True)
class Comparison:
    """A small verification, put together by hand."""

    ok: bool
    batch: str = "20261031JD-I"
    findings: pd.DataFrame = field(default_factory=issues_of)
    documents: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(
            {
                "document": ["invoice:1"],
                "number": ["8001"],
                "connectwise": money_series(["10.00"]),
                "log": money_series(["10.00"]),
                "books": money_series(["9.99"]),
                "equal": [False],
            }
        )
    )
    totals: dict[str, Decimal | int | str] = field(default_factory=dict)


@pytest.mark.parametrize(("ok", "words"), [(True, "agree."), (False, "do not agree")])
def test_the_verification_says_whether_both_systems_agree(ok, words):
    """Its first line says it; its table shows the three amounts of each document and their sums."""
    result = listings.verification_page(Comparison(ok))
    plain = text.render(result)

    assert words in plain.splitlines()[0]
    assert plain.count("9.99") == 2


def test_a_file_is_written_whole(tmp_path: Path):
    """A file is replaced in one step and no temporary file is left."""
    path = tmp_path / "deep" / "report.txt"
    files.write_whole(path, b"one")
    files.write_whole(path, b"two")

    assert path.read_bytes() == b"two"
    assert [each.name for each in path.parent.iterdir()] == ["report.txt"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path):
    """When writing fails, what was there stays, and no half-written file beside it."""
    path = tmp_path / "report.txt"
    path.write_bytes(b"one")
    with pytest.raises(TypeError):
        files.write_whole(path, "not bytes")  # type: ignore[arg-type]

    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"one"]


@pytest.mark.parametrize("batch", ["2026/10:31 JD*I", "..", "CON?", "ä" * 50])
def test_a_batch_number_makes_a_folder_inside_the_workdir(tmp_path: Path, batch):
    """No batch number leads out of the workdir or breaks a file name."""
    folder = files.batch_folder(tmp_path, batch)
    folder.mkdir(parents=True)

    assert folder.parent == tmp_path / "batches"
    assert not set(folder.name) & set('/\\:*?"<>|')


def test_every_batch_has_a_folder_of_its_own(tmp_path: Path):
    """Numbers that look alike once cleaned do not overwrite each other's reports; a device is no folder."""
    names = [files.batch_folder(tmp_path, batch).name for batch in ("A/B", "A_B", "A B", "NUL")]

    assert len(set(names)) == 4
    assert names[1] == "A_B"
    assert names[3] != "NUL"


def test_saving_writes_three_files_and_the_lists(tmp_path: Path, proof):
    """A page becomes text, HTML and workbook; the findings CSV and HTML; the log JSON lines."""
    saved = files.save_page(proof, tmp_path, "proof")
    saved += files.save_errors(issues_of(("block", "8001")), proof, tmp_path)
    saved.append(
        files.save_full_log([{"seq": 1, "payload": {"amount": Decimal("1.10")}}], tmp_path)
    )

    assert {path.name for path in saved} == {
        "proof.txt", "proof.html", "proof.xlsx", "errors.csv", "errors.html", "log.jsonl"
    }  # fmt: skip
    assert json.loads((tmp_path / "log.jsonl").read_text(encoding="utf-8")) == {
        "seq": 1,
        "payload": {"amount": "1.10"},
    }


def test_the_full_log_holds_no_secret(tmp_path: Path):
    """What stands under the name of a secret is withheld, however deep."""
    event = {"payload": {"headers": [{"Authorization": "Basic c2VjcmV0"}], "private_key": "hush"}}
    content = files.save_full_log([event], tmp_path).read_text(encoding="utf-8")

    assert "c2VjcmV0" not in content
    assert "hush" not in content
    assert content.count("(withheld)") == 2


def test_blocking_findings_make_a_page_that_says_nothing_was_written():
    """The page of a blocked batch counts what blocks it."""
    result = listings.blocked_page("B-1", issues_of(("block", "1"), ("warn", "2")))

    assert result.headline == "Nothing was written: 1 of 2 findings block the batch."


def test_what_a_total_counts_is_said_beside_it():
    """Credit memos in the total of the documents, and what of a push's total was refused."""
    planned = text.render(listings.proof_page(Listing()))
    pushed = text.render(listings.push_page(Report(totals={"posted": Decimal("1234.50")})))

    assert "Credit memos count with the invoices here" in planned
    assert "Posted: 1,234.50 of the total." in pushed


def test_a_batch_that_sage_adds_nothing_to_has_no_columns_for_it():
    """Without entries of Sage's own their columns, and the sentence about them, are left out."""
    full = Listing()
    ours = full.gl_entries[full.gl_entries["made_by"] == "kit"].reset_index(drop=True)
    without = full.by_account[["account_id", "account", "debit", "credit", "net"]]
    plain = text.render(listings.proof_page(Listing(gl_entries=ours, by_account=without)))

    assert "Sage's own" in text.render(listings.proof_page(full))
    assert "Sage's own" not in plain


def test_a_column_of_amounts_stays_one_when_all_are_blank():
    """Headings of amounts stand over their figures, also where every amount is zero."""
    frame = pd.DataFrame({"name": ["a"], "debit": money_series(["0"])})
    found = page.table(frame, "T", sums=["debit"], blank_zeros=["debit"])

    assert [column.figures for column in found.columns] == [False, True]


def test_the_verification_says_why_a_decrease_agrees_with_another_amount():
    """Sage 50 values what goes out itself; a difference that is right must not look like a mistake."""
    compared = pd.DataFrame(
        {
            "document": ["adjustment:82-adjustment"],
            "number": ["82"],
            "connectwise": money_series(["245.00"]),
            "log": money_series(["245.00"]),
            "books": money_series(["239.00"]),
            "equal": [True],
        }
    )
    words = "Sage 50 values what is taken out of stock itself"

    assert words in text.render(listings.verification_page(Comparison(True, documents=compared)))
    assert words not in text.render(
        listings.verification_page(Comparison(True, documents=compared.assign(equal=False)))
    )


def test_sheets_of_one_title_get_numbers():
    """Three tables with one long title are three sheets, each under a name of at most 31 characters."""
    same = page.Table(title="Payments of customers who paid twice", columns=(), rows=())
    content = excel.workbook(page.Page(title="t", headline="h", tables=(same, same, same)))
    names = openpyxl.load_workbook(io.BytesIO(content)).sheetnames[1:]

    assert len({name.casefold() for name in names}) == 3
    assert max(len(name) for name in names) <= 31


def test_wide_signs_of_a_formula_are_neutralised():
    """Excel in Japanese, Chinese and Korean runs a formula behind a wide sign, too."""
    assert csv.neutral("＝HYPERLINK(1)") == "'＝HYPERLINK(1)"
