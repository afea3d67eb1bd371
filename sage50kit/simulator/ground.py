"""The ground a world stands on: a few records of the fixtures, a company that is copied, one changing site."""

from __future__ import annotations

import shutil
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from sage50kit.sandbox import dataset
from sage50kit.sandbox.state import Site

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from sage50kit.sandbox.tables import Row

COMPANY = "Lakeside Managed IT, Inc."
COMPANY_FILE = "lakeside.company"
# Which records of the fixtures a site is made of; all others are left out, the setup tables stay.
RECORDS = ("invoices", "expenseReports", "expenses", "purchaseOrders", "adjustments", "transfers")


def records_of(wanted: Mapping[str, Collection[int]]) -> dict[str, Any]:
    """A data set with the setup tables of the fixtures and these records, by list and id."""
    whole = dataset.read(dataset.fixtures_folder() / "connectwise.json")
    content = {name: value for name, value in whole.items() if name != "payments"}
    for name in RECORDS:
        content[name] = [row for row in whole[name] if row["id"] in wanted.get(name, ())]
    return content


def new_company(folder: Path) -> Path:
    """The company of the fixtures, closed and ready to be copied."""
    from sage50kit.connectors.embedded import create_company, read_lists

    books, stock = read_lists(dataset.fixtures_folder() / "company")
    file = folder / COMPANY_FILE
    create_company(file, books, name=COMPANY, opening_stock=stock).close()
    return file


def copy_company(file: Path, folder: Path) -> Path:
    """A company file of its own in `folder`; the original must be closed."""
    folder.mkdir(parents=True, exist_ok=True)
    return shutil.copyfile(file, folder / COMPANY_FILE)


def profile_content(server: Any) -> dict[str, Any]:
    """The settings of a profile that joins a site that answers and the company beside it."""
    return {
        "name": "simulated",
        "workdir": "work",
        "connectwise": {
            "site": server.site,
            "company": server.company,
            "client_id": server.client_id,
        },
        "sage": {"connector": "embedded", "company_file": COMPANY_FILE},
        "push": {"initials": "JD", "rounding_account": "6900", "clear_non_reimbursable": True},
        "keys": {"public_key": server.public_key, "private_key": server.private_key},
    }


class ChangingSite:
    """A site that can be replaced by a fresh one behind the same address; to clients it has only changed."""

    def __init__(self, content: dict[str, Any]) -> None:
        self._before = 0
        self.now = Site.load(deepcopy(content))

    def replace(self, content: dict[str, Any]) -> Site:
        """Forget everything and begin with these records."""
        self._before += self.now.revision
        self.now = Site.load(deepcopy(content))
        return self.now

    @property
    def revision(self) -> int:
        """How often anything has changed."""
        return self._before + self.now.revision

    def modelled(self) -> frozenset[tuple[str, str]]:
        """As of the site of now."""
        return self.now.modelled()

    def rows(self, collection: str, parents: tuple[str, ...] = ()) -> Sequence[Row]:
        """As of the site of now."""
        return self.now.rows(collection, parents)

    def call(
        self, method: str, template: str, path_values: dict[str, str], body: object
    ) -> tuple[int, object]:
        """As of the site of now."""
        return self.now.call(method, template, path_values, body)
