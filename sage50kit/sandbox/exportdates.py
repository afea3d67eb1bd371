"""The date formats of the export (three formats meet in one payload on the real site)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime


def header_date(day: date) -> str:
    """`2011-06-20T00:00:00`: headers and invoice lines, no zone."""
    return f"{day:%Y-%m-%d}T00:00:00"


def received_date(moment: datetime, *, iso: bool) -> str:
    """`5/1/2014 5:21:58 AM`: purchase lines; ISO for strict clients."""
    if iso:
        return f"{moment:%Y-%m-%dT%H:%M:%S}"
    hour = moment.hour % 12 or 12
    half = "AM" if moment.hour < 12 else "PM"
    return f"{moment.month}/{moment.day}/{moment.year} {hour}:{moment:%M:%S} {half}"
