"""A site that answers, its company and its profile, for tests that start a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sage50kit.connectors.embedded import EmbeddedCompany, create_company, read_lists
from sage50kit.model import Account
from sage50kit.sandbox.dataset import fixtures_folder
from sage50kit.sandbox.serve import running
from sage50kit.sandbox.state import Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sage50kit.sandbox.auth import Gate
    from sage50kit.sandbox.faults import Faults
    from sage50kit.sandbox.serve import Running

ROOT = Path(__file__).resolve().parents[1]
PROFILE = """
name = "stage"
workdir = "work"
[connectwise]
site = "{site}"
company = "{company}"
client_id = "{client_id}"
[sage]
company_file = "lakeside.company"
[push]
initials = "JD"
rounding_account = "6900"
[payments]
portal = true
"""


@dataclass(frozen=True)
class Stage:
    """Where the profile is, and what a process needs in its environment."""

    folder: Path
    profile: Path
    environment: dict[str, str]
    site: Site
    server: Running

    @property
    def company(self) -> EmbeddedCompany:
        """The company, opened once more."""
        return EmbeddedCompany(self.folder / "lakeside.company")

    def correct(self) -> None:
        """Do what the bookkeeper does about the one blocked invoice."""
        with self.company as company:
            company.add(Account(account_id="4950", description="Hosting Revenue", type=21))

    def batches(self) -> list[str]:
        """The batch numbers that the site knows."""
        return [
            str(row["batchIdentifier"]) for row in self.site.rows("/finance/accounting/batches")
        ]

    def run(self, *words: str, **more: str) -> Finished:
        """Run a verb in a process of its own, with nobody at the keyboard."""
        return finished(*words, environment={**self.environment, **more})


@dataclass(frozen=True)
class Finished:
    """What a process left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one line of JSON."""
        return json.loads(self.out.splitlines()[-1])


def finished(*words: str, environment: dict[str, str] | None = None) -> Finished:
    """Run `python -m sage50kit` with some words."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    variables["PYTHONDONTWRITEBYTECODE"] = ""  # or every process would compile pandas again
    variables |= {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring", **(environment or {})}
    done = subprocess.run(
        [sys.executable, "-m", "sage50kit", *words],
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


@contextmanager
def staged(
    folder: Path,
    gate: Gate | None = None,
    site: Site | None = None,
    *,
    faults: Faults | None = None,
) -> Iterator[Stage]:
    """The fixtures, or a given site, over HTTP, and their company new in `folder`; behind a door of its own."""
    books, stock = read_lists(fixtures_folder() / "company")
    create_company(folder / "lakeside.company", books, name="Lakeside", opening_stock=stock).close()
    site = site or Site.fixtures()
    with running(site, gate=gate, faults=faults) as server:
        profile = folder / "stage.toml"
        words = {"site": server.site, "company": server.company, "client_id": server.client_id}
        profile.write_text(PROFILE.format(**words), encoding="utf-8")
        keys = {
            "SAGE50KIT_STAGE_PUBLIC_KEY": server.public_key,
            "SAGE50KIT_STAGE_PRIVATE_KEY": server.private_key,
        }
        yield Stage(folder, profile, keys, site, server)
