"""What the tests measured is printed at the end, whoever ran them."""

from __future__ import annotations

from typing import Any


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
