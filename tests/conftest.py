"""What more than one file of tests shares; the figures that tests measured are printed at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.postgres import running_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres import Postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL server; a machine that cannot start it fails these tests loudly."""
    with running_postgres() as server:
        yield server


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The figures that tests recorded with `record_property("figure", ...)`."""
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    figures = [
        text for report in reports for name, text in report.user_properties if name == "figure"
    ]
    if figures:
        terminalreporter.section("figures")
    for figure in figures:
        terminalreporter.write_line(str(figure))
