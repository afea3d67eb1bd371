"""The settings that join one ConnectWise site and one Sage 50 company: one TOML file.

Secrets are never in it. They come from `SAGE50KIT_<PROFILE>_<NAME>` in the environment, from the file
named by `SAGE50KIT_<PROFILE>_<NAME>_FILE`, or from the keyring (service `sage50kit`, user
`<profile>/<name>`), in this order; an error names all places. Nothing else is read from the environment.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from datetime import date  # pydantic reads the annotation
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from sage50kit.errors import ConfigError
from sage50kit.model import Kind

Creatable = Literal["customer", "vendor", "member", "item"]
_WITH_MARK = (
    "utf-8-sig"  # editors and shells of Windows may write a mark in front; it is no part of a key
)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ConnectWiseSettings(_Section):
    """Where ConnectWise is and as whom to sign in."""

    site: str  # host such as `na.myconnectwise.net`; `http://127.0.0.1:8080` only on loopback
    company: str  # ConnectWise login company id
    client_id: str
    auth: Literal["api_key", "impersonation"] = "api_key"
    member: str = ""  # member to act as, by a token; needed for impersonation
    version: str = "2025.1"  # of the REST models, sent in Accept
    ca_file: Path | None = None  # certificate authority of a private site
    account_delimiter: Literal[":", "-"] = ":"  # between account segments in the export
    requests_at_once: int = Field(default=8, ge=1, le=16)


class SageSettings(_Section):
    """Which Sage 50 company, and how it is reached."""

    connector: Literal["embedded", "import_files", "sdk"] = "embedded"
    company_file: Path | None = None  # embedded company
    log: str = ""  # `postgresql://user@host/db` of the push log; "" beside the company file
    drop_trailing_segments: bool = True  # `4001:` in the export is account 4001
    receivable_accounts: tuple[str, ...] = ()  # to reconcile; none for the company's default one

    @field_validator("log")
    @classmethod
    def _a_server(cls, value: str) -> str:
        """The place of a log, without its password."""
        parts = urlsplit(value)
        if value and (parts.scheme != "postgresql" or not parts.path.strip("/")):
            raise ValueError("write the push log's database as postgresql://user@host/database")
        if parts.password is not None or "password" in parse_qs(parts.query):
            raise ValueError(
                "a password does not belong in a profile. Take it out of the URL and store it as the "
                "secret log_password"
            )
        return value


class PushSettings(_Section):
    """What a push may do."""

    initials: str = ""  # of the person, for batch numbers such as 20261031JD-I
    location: int | None = None
    kinds: tuple[Kind, ...] = ("invoice", "expense", "receipt", "adjustment", "transfer")
    invoice_detail: Literal["Default", "Condensed", "Detailed"] = "Default"
    create: frozenset[Creatable] = frozenset({"customer", "vendor", "item"})
    rounding_account: str = ""
    rounding_limit: Decimal = Field(default=Decimal("0.05"), ge=0, le=Decimal("0.05"))
    tax_rounding_limit: Decimal = Field(default=Decimal("0.01"), ge=0, le=Decimal("0.01"))
    same_vendor_invoice: Literal["block", "suffix"] = "block"
    clear_non_reimbursable: bool = False
    leave_out_blocked: bool = False
    cut_over: date | None = None  # documents dated before it are kept out for good

    @field_validator("rounding_limit", "tax_rounding_limit", mode="before")
    @classmethod
    def _exact(cls, value: Any) -> Any:
        """TOML has no exact decimals: a limit is written as text, "0.05"."""
        if isinstance(value, float):
            raise ValueError('write the amount as text: "0.05"')  # noqa: TRY004  # pydantic's way
        return value


class PaymentSettings(_Section):
    """What a payment sync may do."""

    portal: bool = False  # portal payments become receipts in Sage 50
    portal_cash_account: str = ""  # debited with them; empty for the company's usual one


class Profile(_Section):
    """One ConnectWise site joined to one Sage 50 company."""

    name: str = Field(min_length=1)
    workdir: Path = Path("work")  # push log, reports, executed notebooks
    modules: tuple[str, ...] = ()
    connectwise: ConnectWiseSettings
    sage: SageSettings
    push: PushSettings = PushSettings()
    payments: PaymentSettings = PaymentSettings()
    notify: dict[str, Any] = {}

    @classmethod
    def load(cls, path: str | Path) -> Profile:
        """Read a profile; relative paths in it count from its own folder.

        Raises:
            ConfigError: no such file, not TOML, an unknown key or a wrong value; the key is named.
        """
        path = Path(path)
        try:
            content = tomllib.loads(path.read_text(encoding=_WITH_MARK))
        except FileNotFoundError:
            raise ConfigError(
                f"there is no profile {path}. Check the path after --profile."
            ) from None
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(
                f"profile {path} cannot be read: {error}. Correct the file and run the command again."
            ) from error
        return cls.parse(content, folder=path.resolve().parent, source=str(path))

    @classmethod
    def parse(cls, content: dict[str, Any], *, folder: Path, source: str = "profile") -> Profile:
        """Check the settings of a profile; `folder` is what its relative paths count from."""
        try:
            profile = cls.model_validate(content)
        except ValidationError as error:
            raise ConfigError(f"{source}: {_sentence(error)}") from None
        connectwise = profile.connectwise.model_copy(
            update={"ca_file": _under(folder, profile.connectwise.ca_file)}
        )
        sage = profile.sage.model_copy(
            update={"company_file": _under(folder, profile.sage.company_file)}
        )
        update = {"workdir": folder / profile.workdir, "connectwise": connectwise, "sage": sage}
        return profile.model_copy(update=update)

    def secret(self, name: str) -> SecretStr:
        """The secret `name`, such as `public_key`, `private_key`, `log_password`.

        Raises:
            ConfigError: it is in none of the three places; all are named.
        """
        variable = secret_variable(self.name, name)
        found = os.environ.get(variable) or _from_file(variable) or _from_keyring(self.name, name)
        if not found:
            raise ConfigError(
                f"the secret {name} of profile {self.name} was not found. Set {variable}, or "
                f"{variable}_FILE to a file that holds it, or store it in the keyring: "
                f"keyring set sage50kit {self.name}/{name}"
            )
        return SecretStr(found)


def secret_variable(profile_name: str, name: str) -> str:
    """The environment variable of a secret: `SAGE50KIT_DEMO_PRIVATE_KEY`."""
    upper = re.sub(r"[^A-Z0-9]", "_", profile_name.upper())
    return f"SAGE50KIT_{upper}_{name.upper()}"


def _from_file(variable: str) -> str:
    path = os.environ.get(f"{variable}_FILE")
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding=_WITH_MARK).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{variable}_FILE names {path}, which cannot be read: {error}") from error


def _from_keyring(profile_name: str, name: str) -> str:
    import keyring
    from keyring.errors import KeyringError

    try:
        return keyring.get_password("sage50kit", f"{profile_name}/{name}") or ""
    except (
        KeyringError
    ):  # a machine without a keyring: the error of `secret` names the other places
        return ""


def _under(folder: Path, path: Path | None) -> Path | None:
    return None if path is None else folder / path


def _near(name: str) -> str:
    """A question that names the setting a typing error may have meant."""
    sections = (Profile, ConnectWiseSettings, SageSettings, PushSettings, PaymentSettings)
    known = [setting for section in sections for setting in section.model_fields]
    near = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def _sentence(error: ValidationError) -> str:
    """All complaints of pydantic in one line, each with its key and never with the value."""
    parts = []
    for problem in error.errors():
        key = ".".join(str(step) for step in problem["loc"])
        if problem["type"] == "extra_forbidden":
            parts.append(f"{key} is not a setting{_near(str(problem['loc'][-1]))}")
        else:
            parts.append(f"{key}: {problem['msg']}")
    return "; ".join(parts) + ". Correct the file and run the command again."
