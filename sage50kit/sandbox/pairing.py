"""What a site started as a process leaves in its folder: a matching company, a ready profile, the keys."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sage50kit.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from sage50kit.connectors.embedded import OpeningStock
    from sage50kit.model import Books
    from sage50kit.sandbox import auth
    from sage50kit.sandbox.refusal import Switches
    from sage50kit.sandbox.serve import Running
    from sage50kit.sandbox.state import Site

log = logging.getLogger(__name__)

COMPANY_NAME = "Lakeside Managed IT, Inc."
PROFILE_NAME = "sandbox"
ROUNDING_ACCOUNT = "6900"


@dataclass(frozen=True)
class Pair:
    """A site and the lists of the company that matches it."""

    site: Site
    books: Books
    opening_stock: list[OpeningStock]
    planted: list[Any]  # blocking findings on purpose


def pair_of(
    data: Path | None, invoices: int | None, seed: int, *, dirty: bool, switches: Switches
) -> Pair:
    """The site asked for, with its company."""
    from sage50kit.connectors.embedded import read_lists
    from sage50kit.sandbox.state import Site

    if invoices is not None:
        from sage50kit.sandbox.generator import generate

        made = generate(invoices, seed, dirty=dirty)
        return Pair(
            Site.load(made.dataset, switches=switches),
            made.books,
            list(made.opening_stock),
            list(made.planted),
        )
    from sage50kit.sandbox import dataset

    file = data or dataset.fixtures_folder() / "connectwise.json"
    lists = file.parent / "company"
    books, opening_stock = read_lists(
        lists if lists.is_dir() else dataset.fixtures_folder() / "company"
    )
    site = Site.load(dataset.read(file), switches=switches)
    return Pair(site, books, opening_stock, [])


def write_company(folder: Path, pair: Pair, origin: dict[str, Any]) -> Path:
    """The company file of the pair, made unless it is there from an earlier start with the same data.

    Raises:
        ConfigError: the folder holds the company of other data; its bookings would not fit.
    """
    from sage50kit.connectors.embedded import create_company

    file, note = folder / "company.sqlite", folder / "sandbox.json"
    if file.exists():
        if not note.exists() or json.loads(note.read_text(encoding="utf-8")) != origin:
            raise ConfigError(
                f"{folder} holds a company that was made for other data. Give an empty folder as --workdir."
            )
        log.warning("the company in %s is kept, with what was posted to it", folder)
    else:
        create_company(
            file, pair.books, name=COMPANY_NAME, opening_stock=pair.opening_stock
        ).close()
        note.write_text(json.dumps(origin), encoding="utf-8")
    planted = json.dumps(pair.planted, indent=1, default=str)
    (folder / "planted.json").write_text(planted, encoding="utf-8")
    return file


def write_profile(folder: Path, running: Running, books: Books) -> Path:
    """A profile that joins the running site and the company; it holds no secret."""
    lines = [
        f'name = "{PROFILE_NAME}"',
        'workdir = "work"',
        "",
        "[connectwise]",
        f'site = "{running.site}"',
        f'company = "{running.company}"',
        f'client_id = "{running.client_id}"',
        *(['ca_file = "ca.pem"'] if running.ca_file else []),
        "",
        "[sage]",
        'connector = "embedded"',
        'company_file = "company.sqlite"',
        "",
        "[push]",
        'initials = "JD"',
    ]
    if any(account.account_id == ROUNDING_ACCOUNT for account in books.accounts):
        lines.append(f'rounding_account = "{ROUNDING_ACCOUNT}"')
    lines += ["", "[payments]", "portal = true"]
    profile = folder / "profile.toml"
    profile.write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "members.json").write_text(
        json.dumps(_members(running.gate), indent=1), encoding="utf-8"
    )
    return profile


def _members(gate: auth.Gate) -> dict[str, Any]:
    """The keys of all members and the integrator login, for trying out what a role may not do."""
    keys = {
        one.member: {"public_key": one.public_key, "private_key": one.private_key}
        for one in gate.accounts
    }
    return {
        "members": keys,
        "integrator": {"login": gate.integrator[0], "password": gate.integrator[1]},
    }


def announcement(running: Running, profile: Path, company_file: Path) -> dict[str, Any]:
    """What a program that started the site needs to know."""
    from sage50kit.profile import secret_variable

    keys = {"public_key": running.public_key, "private_key": running.private_key}
    return {
        "url": running.url,
        "site": running.site,
        "company": running.company,
        "client_id": running.client_id,
        **keys,
        "ca_file": str(running.ca_file) if running.ca_file else None,
        "profile": str(profile),
        "company_file": str(company_file),
        "env": {secret_variable(PROFILE_NAME, name): value for name, value in keys.items()},
    }
