"""How the site says no, and the answers nobody could verify as switches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args, get_type_hints

from sage50kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable


class Refused(Exception):  # a refusal is an answer of the site, not an error of the kit
    """The site read the request and refused it; carries the body of the error answer."""

    def __init__(
        self, status: int, code: str, message: str, errors: list[dict[str, str]] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors or []


def invalid(
    resource: str, field: str, message: str, *, code: str = "OutOfRange", status: int = 400
) -> Refused:
    """An object that ConnectWise finds invalid: one inner error naming the field."""
    inner = {"code": code, "message": message, "resource": resource, "field": field}
    return Refused(status, "InvalidObject", f"{resource} object is invalid", [inner])


def not_found(resource: str, wanted: object) -> Refused:
    """There is no such record."""
    return Refused(404, "NotFound", f"{resource} {wanted} not found")


@dataclass
class Switches:
    """Quirks of the real site, and for each answer nobody could verify the other one.

    The first value of each literal is what `design 9.12` decided.
    """

    iso_dates: bool = False  # True: every date of the export in ISO form, for strict clients
    account_delimiter: Literal[":", "-"] = ":"
    taken_identifier: Literal["object_exists", "conflict"] = "object_exists"  # 400 or 409
    empty_records: Literal["refuse", "accept"] = "refuse"
    unknown_records: Literal["refuse", "ignore"] = "refuse"
    batched_records: Literal["refuse", "ignore"] = "refuse"
    partial_records: Literal["entries", "document"] = (
        "entries"  # one id named batches it, or all of its record
    )
    second_payment: Literal["refuse", "overwrite"] = "refuse"
    over_payment: Literal["refuse", "cut"] = "refuse"
    thru_date: Literal["document", "closed", "ignore"] = (
        "document"  # which date it compares, inclusive
    )
    closed_batches: Literal["visible", "hidden"] = "visible"
    entry_ids: Literal["gl_entry", "own"] = "gl_entry"  # whether BatchEntry.id is the GL entry id
    missing_account: Literal["skip", "export"] = (
        "skip"  # what the export does without a company account
    )
    old_field_names: bool = (
        False  # shipCompanyAccountNumber for shipToCompanyAccountNumber (quirk 8)
    )

    @classmethod
    def read(cls, texts: Iterable[str]) -> Switches:
        """The switches as `sandbox serve --switch` takes them: `iso_dates`, `second_payment=overwrite`.

        Raises:
            UsageError: there is no such switch, or it has no such answer; all are named.
        """
        chosen: dict[str, Any] = {}
        for text in texts:
            name, _, value = text.replace("-", "_").partition("=")
            answers = _answers().get(name, ())
            if (value or "on") not in answers:
                known = "; ".join(
                    name + (f"={'|'.join(values)}" if "on" not in values else "")
                    for name, values in _answers().items()
                )
                raise UsageError(f"the switch {text!r} is not known. Switches: {known}.")
            chosen[name] = value or True
        return cls(**chosen)


def _answers() -> dict[str, tuple[str, ...]]:
    """The answers that each switch has; `on` for those without names."""
    return {
        name: ("on",) if kind is bool else get_args(kind)
        for name, kind in get_type_hints(Switches).items()
    }
