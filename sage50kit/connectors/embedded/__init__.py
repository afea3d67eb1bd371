"""A Sage 50 company in one SQLite file: demo, rehearsal of a real batch, and tests."""

from sage50kit.connectors.embedded.company import EmbeddedCompany, create_company
from sage50kit.connectors.embedded.creation import OpeningStock
from sage50kit.connectors.embedded.csvlists import read_lists

__all__ = ["EmbeddedCompany", "OpeningStock", "create_company", "read_lists"]
