"""Everything a person can do wrong, one by one: the words, the exit code and what the sentence says."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FETCH = "fetch --profile PROFILE"
PLAN = "plan --profile PROFILE --batch W1 --kinds invoice --leave-out-blocked"
PUSH = "push --profile PROFILE --batch W1 --kinds invoice --leave-out-blocked --yes"
RUN = "run NOTEBOOK -o FOLDER/runs -p profile PROFILE"
COMPANY = 'company = "lakeside"'
ACTING = f'{COMPANY}\nauth = "impersonation"\nmember = "api"'


@dataclass(frozen=True)
class Bad:
    """One wrong input.

    `says` are parts of the sentence; `profile` is a pattern and its replacement in the profile, `member` signs in, `trouble` is on the
    line, `prepare` spoils the folder.
    """

    words: str
    code: int
    says: tuple[str, ...]
    profile: tuple[str, str] = ("", "")
    environment: dict[str, str] = field(default_factory=dict)
    member: str = ""
    trouble: str = ""
    prepare: Callable[[Path], Any] | None = None


def company_is(content: bytes | None) -> Callable[[Path], None]:
    """The company file is gone, a folder, or holds something else."""

    def prepare(folder: Path) -> None:
        file = folder / "lakeside.company"
        file.unlink()
        if content is None:
            file.mkdir()
        elif content:
            file.write_bytes(content)

    return prepare


def other_database(folder: Path) -> None:
    (folder / "lakeside.company").unlink()
    with closing(sqlite3.connect(folder / "lakeside.company")) as db:
        db.execute("create table t (x)")


KEY = "SAGE50KIT_STAGE_PRIVATE_KEY"
CASES = {
    "wrong keys": Bad(
        FETCH, 2, ("refused the keys", "private key"), environment={KEY: "wrong-hush"}
    ),
    "a member without rights": Bad(
        FETCH, 2, ("System > My Company (Inquire = All)",), member="norights"
    ),
    "an unknown client id": Bad(
        FETCH, 2, ("does not know the clientId", "client_id"), profile=('client_id = "', 'client_id = "x')
    ),
    "an unknown company id": Bad(
        FETCH, 2, ("knows no company id 'nowhere'",), profile=(COMPANY, 'company = "nowhere"')
    ),
    "a dead server": Bad(
        FETCH, 1, ("cannot be reached", "Check the site"), profile=(r"127.0.0.1:\d+", "127.0.0.1:9")
    ),
    "a site with a path": Bad(
        FETCH, 2, ("is not a host name. Write it as",), profile=("http://127.0.0.1:.*\"", 'https://cw.example.com/path"')
    ),
    "plain HTTP to elsewhere": Bad(
        FETCH, 2, ("plain HTTP", "Leave http:// out"), profile=("127.0.0.1", "example.com")
    ),
    "a typing error in the profile": Bad(
        FETCH, 2, ("push.initals is not a setting (did you mean initials?)",), profile=("initials", "initals")
    ),
    "a section with a typing error": Bad(
        FETCH, 2, ("conectwise is not a setting",), profile=("connectwise", "conectwise")
    ),
    "a profile that is no TOML": Bad(
        FETCH, 2, ("cannot be read", "Correct the file"), profile=(r"\[push\]", "[push")
    ),
    "a profile that is binary": Bad(
        FETCH, 2, ("cannot be read", "Correct the file"),
        prepare=lambda folder: (folder / "stage.toml").write_bytes(b"\xff\xfe\x00"),
    ),
    "a profile that is a folder": Bad("fetch --profile FOLDER", 2, ("cannot be read",)),
    "no profile": Bad("fetch --profile FOLDER/none.toml", 2, ("there is no profile", "--profile")),
    "an unknown connector": Bad(
        FETCH, 2, ("sage.connector", "embedded"), profile=("company_file", 'connector = "quickbooks"\ncompany_file')
    ),
    "a connector that is not here": Bad(
        PLAN, 2, ("connector",), profile=("company_file", 'connector = "sdk"\ncompany_file')
    ),
    "no company file named": Bad(
        PLAN, 2, ("company_file",), profile=('company_file = "lakeside.company"', "")
    ),
    "a missing secret": Bad(
        FETCH, 2, (f"Set {KEY}", "keyring set sage50kit stage/private_key"), environment={KEY: ""}
    ),
    "a secret in a missing file": Bad(
        FETCH, 2, ("names FOLDER", "cannot be read"), environment={KEY: "", f"{KEY}_FILE": "FOLDER/none"}
    ),
    "impersonation with a wrong password": Bad(
        FETCH, 2, ("gave no token for member 'api'", "integrator login and its password"),
        profile=(COMPANY, ACTING), environment={"SAGE50KIT_STAGE_INTEGRATOR_PASSWORD": "wrong-hush"},
    ),
    "impersonation of nobody": Bad(
        FETCH, 2, ("gave no token for member 'nobody'", "member under [connectwise]"),
        profile=(COMPANY, ACTING.replace('"api"', '"nobody"')),
    ),
    "impersonation without a member": Bad(
        FETCH, 2, ("member is missing",), profile=(COMPANY, f'{COMPANY}\nauth = "impersonation"')
    ),
    "a token that ends and is not renewed": Bad(
        FETCH, 2, ("refused the keys",), profile=(COMPANY, ACTING), trouble="401 GET /unposted on every"
    ),
    "garbage for JSON": Bad(
        FETCH, 1, ("cannot be read", "proxy"), trouble="garbage GET /unpostedinvoices on every"
    ),
    "a web page instead of the site": Bad(
        FETCH, 1, ("no Codebase in it", "Check the site"), trouble="garbage /login on every"
    ),
    "no more requests allowed": Bad(
        FETCH, 1, ("allows no more requests", "Try again later"), trouble="429:3600 /unposted on every"
    ),
    "an export that is refused": Bad(
        PLAN, 2, ("Finance > Accounting Interface",), trouble="403 POST /export on every"
    ),
    "a day that is none": Bad(
        f"{FETCH} --thru-date 31.10.2026", 2, ("'31.10.2026' is not a date. Write it as 2026-10-31",)
    ),
    "a day that does not exist": Bad(f"{FETCH} --thru-date 2026-02-30", 2, ("is not a date",)),
    "an unknown location": Bad(f"{FETCH} --location Narnia", 2, ("'Narnia'", "Tampa (2)")),
    "an unknown kind": Bad(f"{FETCH} --kinds invoces", 2, ("unknown kind: invoces", "invoice, expense")),
    "an unknown batch": Bad(
        "verify --profile PROFILE --batch NOPE", 2, ("knows no batch NOPE",)
    ),
    "a batch number that is too long": Bad(
        PUSH.replace("W1", "X" * 51), 4, ("51 characters", "1 to 50")
    ),
    "a batch number of blanks": Bad(PLAN.replace("W1", "BLANK"), 4, ("1 to 50",)),
    "a batch number that is taken": Bad(
        PUSH.replace("W1", "20260930JD-I"), 4, ("taken in ConnectWise", "Take another one")
    ),
    "no consent": Bad(PUSH.replace(" --yes", ""), 2, ("needs --yes", "Nothing was written")),
    "a file in place of the workdir": Bad(
        PUSH, 2, ("there is a file where a folder is needed", "Correct workdir"), prepare=lambda folder: (folder / "work").write_text("x")
    ),
    "a folder in place of the output": Bad(
        "export-ledger --profile PROFILE -o FOLDER", 2, ("Name another place",)
    ),
    "a ledger of another program": Bad(
        "export-ledger --profile PROFILE --format gnucash", 2, ("kit: Invalid value for '--format': 'gnucash' is not",)
    ),
    "a file in the way of the output": Bad(
        f"{FETCH} -o FOLDER/stage.toml/x.csv", 2, ("is a file where a folder is needed",)
    ),
    "a company file that is missing": Bad(
        PLAN, 2, ("there is no company file", "company_file"), prepare=company_is(b"")
    ),
    "a folder in place of the company": Bad(
        PLAN, 2, ("there is no company file",), prepare=company_is(None)
    ),
    "a company file of something else": Bad(
        PLAN, 2, ("is not a company file", "Correct company_file"), prepare=company_is(b"Dear diary, " * 99)
    ),
    "a company file of another program": Bad(
        PLAN, 2, ("is not a company file",), prepare=other_database
    ),
    "an unknown parameter": Bad(f"{RUN} -p profil x", 2, ("no parameter profil", "dry_run")),
    "a parameter of the wrong type": Bad(f"{RUN} -p dry_run maybe", 2, ("dry_run must be of type bool",)),
    "a parameter without value": Bad(f"{RUN} -p dry_run", 2, ("-p NAME VALUE",)),
    "a notebook that is none": Bad(
        "run FOLDER/torn.ipynb", 2, ("cannot be read as a notebook",),
        prepare=lambda folder: (folder / "torn.ipynb").write_text('{"cells": ['),
    ),
    "a file in place of the demo's folder": Bad(
        "demo --workdir PROFILE", 2, ("is a file where a folder is needed",)
    ),
    "somebody's folder for the demo": Bad("demo --workdir FOLDER", 2, ("Name another folder",)),
    "a file in place of the sandbox's folder": Bad(
        "sandbox serve --workdir PROFILE", 2, ("is a file where a folder is needed",)
    ),
    "a port that is none": Bad("sandbox serve --port 70000 --workdir FOLDER/new", 2, ("Choose another --port",)),
    "a port in use": Bad("sandbox serve --port PORT --workdir FOLDER/new", 2, ("Choose another --port",)),
    "a data set that is missing": Bad(
        "sandbox serve --data FOLDER/none.json --workdir FOLDER/new", 2, ("data set", "none.json")
    ),
    "fewer than no invoices": Bad(
        "sandbox serve --invoices -3 --workdir FOLDER/new", 2, ("-3 is no number of invoices",)
    ),
    "an unknown verb": Bad("psuh --profile PROFILE", 2, ("psuh", "--help")),
    "an unknown option": Bad(f"{FETCH} --locaton x", 2, ("--locaton", "--help")),
}  # fmt: skip
LONG = {  # they wait for somebody's patience to end
    "a page that stops half-way": Bad(
        FETCH, 1, ("did not answer", "try again"), trouble="cut GET /unpostedinvoices on every"
    ),
    "a site in trouble": Bad(FETCH, 1, ("answered 502", "Try again later"), trouble="html on every"),
    "an answer that never comes to an export": Bad(
        PLAN, 1, ("did not answer",), trouble="drop POST /export on every"
    ),
    "a day that is none in a notebook": Bad(f"{RUN} -p thru_date 31.10.2026", 2, ("is not a date",)),
    "wrong keys in a notebook": Bad(RUN, 2, ("refused the keys",), environment={KEY: "wrong-hush"}),
    "a wrong profile in a notebook": Bad(RUN, 2, ("did you mean initials?",), profile=("initials", "initals")),
}  # fmt: skip

OF_THEIR_OWN = (  # of each family one that runs in a process, too
    "wrong keys",
    "a member without rights",
    "a dead server",
    "a typing error in the profile",
    "a missing secret",
    "impersonation with a wrong password",
    "a day that is none",
    "an unknown batch",
    "a batch number that is taken",
    "no consent",
    "a file in place of the workdir",
    "a company file of something else",
    "a parameter of the wrong type",
    "a file in place of the demo's folder",
    "a port in use",
    "an unknown verb",
)
IN_PROCESSES = {name: CASES[name] for name in OF_THEIR_OWN} | LONG
