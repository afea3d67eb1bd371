"""The nouns: documents that balance, keys that fit into Sage, fingerprints that tell content apart."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage50kit.errors import UnbalancedDocument
from sage50kit.model import Books, Customer, Distribution, Document, Period, Plan, entry, token
from sage50kit.model.content import text


def invoice(*amounts: str, control: str = "100.00", **more: object) -> Document:
    """A sales invoice over 100.00."""
    lines = tuple(Distribution(account_id="4000", amount=Decimal(each)) for each in amounts)
    words = {
        "type": "sales_invoice",
        "key": "invoice:48112",
        "transactions": ("invoice:48112",),
        "number": "8001",
        "reference": "8001",
        "posting_date": date(2026, 10, 31),
        "document_date": date(2026, 10, 31),
        "control_account_id": "1100",
        "control_amount": Decimal(control),
    }
    return Document(**{**words, **more}, distributions=lines)  # type: ignore[arg-type]


def test_a_document_that_does_not_balance_cannot_exist():
    """A cent too much is an error that names the document and the difference."""
    with pytest.raises(UnbalancedDocument, match=r"8001 \(invoice:48112\).*0\.01"):
        invoice("-99.99")


def test_a_document_cannot_be_unbalanced_afterwards():
    """Neither by assignment nor by a changed copy."""
    document = invoice("-60.00", "-40.00")
    with pytest.raises(AttributeError):
        document.control_amount = Decimal(1)  # type: ignore[misc]
    with pytest.raises(UnbalancedDocument):
        replace(document, control_amount=Decimal(1))


def test_the_fingerprint_follows_content_only():
    """Generation and GL-entry ids are not content; an amount or a date is."""
    document = invoice("-100.00")

    assert replace(document, generation=2, entry_ids=(7, 8)).fingerprint == document.fingerprint
    assert invoice("-100.0000").fingerprint == document.fingerprint
    assert replace(document, posting_date=date(2026, 11, 1)).fingerprint != document.fingerprint
    assert invoice("-60.00", "-40.00").fingerprint != document.fingerprint


def test_labels_name_part_and_generation():
    """`invoice:48112/2#3` is the second part of the third generation."""
    assert replace(invoice("-100.00"), part=2, generation=3).label == "invoice:48112/2#3"


@given(
    st.sampled_from(["invoice", "expense", "receipt", "adjustment", "transfer"]),
    st.one_of(st.integers(1, 10**12).map(str), st.text(min_size=1, max_size=60)),
    st.integers(1, 99),
    st.integers(1, 99),
)
def test_a_token_fits_into_twenty_characters(kind, identity, part, generation):
    """Sage carries our key, however long ConnectWise's id is."""
    made = token(f"{kind}:{identity}", part=part, generation=generation)

    assert len(made) <= 20
    assert made.isascii()


def test_tokens_of_different_documents_differ():
    """Part and generation are in the token, so that a look-up finds the right one."""
    made = {
        token("invoice:1", part=part, generation=generation)
        for part in (1, 2)
        for generation in (1, 2)
    }

    assert len(made) == 4
    assert "CW-I1" in made


def test_a_gl_entry_has_one_side():
    """A positive amount is a debit, a negative one a credit."""
    document = invoice("-100.00")
    debit, credit = entry(document, "1100", Decimal(5)), entry(document, "4000", Decimal(-5))

    assert (debit.debit, debit.credit, credit.debit, credit.credit) == (5, 0, 0, 5)


def test_ids_compare_as_sage_compares_them():
    """No case, no blanks at the ends."""
    books = Books(customers=(Customer(customer_id="Acme ", name="Acme"),))

    assert "acme" in books.customer


def test_a_day_outside_the_fiscal_years_has_no_period():
    """Only days of the listed periods can be posted to."""
    books = Books(periods=(Period(number=1, start=date(2026, 1, 1), end=date(2026, 1, 31)),))

    assert books.period_of(date(2026, 1, 31)) is not None
    assert books.period_of(date(2026, 2, 1)) is None


def test_a_plan_is_known_by_its_content():
    """The same documents under another batch number are another plan; its repr stays short."""
    one = Plan(batch="A", site="s", company="c", documents=(invoice("-100.00"),))

    assert (
        one.fingerprint
        == Plan(batch="A", site="s", company="c", documents=one.documents).fingerprint
    )
    assert replace(one, batch="B").fingerprint != one.fingerprint
    assert repr(one) == "<Plan A: 1 documents, 0 transactions, 0 findings>"


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(_PLAIN)
def test_content_is_written_as_the_logs_hold_it(content):
    """Any text, names and control characters among it, in the very bytes that Python's `json` writes."""
    assert text(content) == json.dumps(content, sort_keys=True, separators=(",", ":"))
