"""The ground a world stands on: a few records of the fixtures, a company that is copied, one changing site."""

from __future__ import annotations

import shutil
from copy import deepcopy
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr  # the profile's class reads its annotations

from sage50kit.profile import Profile
from sage50kit.sandbox import dataset
from sage50kit.sandbox.state import Site

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path
    from random import Random

    from sage50kit.sandbox.tables import Row

COMPANY = "Lakeside Managed IT, Inc."
COMPANY_FILE = "lakeside.company"
# Which records of the fixtures a site is made of; all others are left out. The setup tables stay, and the
# expenses of a report come with it.
RECORDS = ("invoices", "expenseReports", "purchaseOrders", "adjustments", "transfers")


def records_of(wanted: Mapping[str, Collection[int]]) -> dict[str, Any]:
    """A data set with the setup tables of the fixtures and these records, by list and id."""
    whole = _fixtures()
    content = {name: value for name, value in whole.items() if name != "payments"}
    for name in RECORDS:
        rows = [row for row in whole[name] if row["id"] in wanted.get(name, ())]
        content[name] = deepcopy(rows)
    reports = {row["id"] for row in content["expenseReports"]}
    content["expenses"] = deepcopy([row for row in whole["expenses"] if row["report"] in reports])
    return content


@cache
def _fixtures() -> dict[str, Any]:
    return dataset.read(dataset.fixtures_folder() / "connectwise.json")


# What a random site may hold; an invoice of somebody on hold, unknown customers and items among them.
INVOICES = (48101, 48102, 48103, 48104, 48110, 48111, 48113, 48116, 48117, 48118, 48120, 48126)
REPORTS = (301, 302, 303)
ORDERS = (704, 705, 706, 709)


def random_records(dice: Random) -> dict[str, Any]:
    """A site of three to six transactions, with amounts of its own."""
    wanted: dict[str, Collection[int]] = {
        "invoices": dice.sample(INVOICES, dice.randrange(1, 4)),
        "expenseReports": dice.sample(REPORTS, dice.randrange(2)),
        "purchaseOrders": dice.sample(ORDERS, dice.randrange(2)),
        "adjustments": dice.sample((81, 82), dice.randrange(2)),
        "transfers": dice.sample((91, 92), dice.randrange(2)),
    }
    content = records_of(wanted)
    for invoice in content["invoices"]:
        for line in invoice["lines"]:
            _vary(line, dice)
    for expense in content["expenses"]:
        expense["amount"] = f"{dice.randrange(1, 400)}.{dice.randrange(100):02}"
    return content


def _vary(line: dict[str, Any], dice: Random) -> None:
    """Another quantity of a product; another price of anything else that is not for free."""
    price = Decimal(line["price"])
    if line.get("item"):
        line["quantity"] = str(dice.randrange(1, 6) * (-1 if line["quantity"][0] == "-" else 1))
    elif price:
        new = Decimal(dice.randrange(100, 90000)) / 100
        line["price"] = str(new.copy_sign(price))


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


class WorldProfile(Profile):
    """A profile that holds the keys of its own local site, in memory only."""

    keys: dict[str, SecretStr]

    def secret(self, name: str) -> SecretStr:
        """The key of the local site; the usual places are not asked."""
        return self.keys[name]


def world_profile(server: Any, folder: Path) -> Profile:
    """A profile that joins a site that answers and the company in `folder`."""
    content = {
        "name": "simulated",
        "workdir": "work",
        "connectwise": {
            "site": server.site,
            "company": server.company,
            "client_id": server.client_id,
            "requests_at_once": 1,  # the wire takes one at a time
        },
        "sage": {"connector": "embedded", "company_file": COMPANY_FILE},
        "push": {"initials": "JD", "rounding_account": "6900", "clear_non_reimbursable": True},
        "keys": {"public_key": server.public_key, "private_key": server.private_key},
    }
    return WorldProfile.parse(content, folder=folder, source="the simulator")


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
