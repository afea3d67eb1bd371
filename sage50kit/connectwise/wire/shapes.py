"""The shapes that every answer of ConnectWise is made of: days, amounts, texts, lists, references."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
)
from pydantic.alias_generators import to_camel
from pydantic_core import core_schema

from sage50kit.errors import ConnectWiseUnreadable
from sage50kit.money import LIMIT, exact

if TYPE_CHECKING:
    from collections.abc import Sequence

_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})\b")


def parse_day(value: Any) -> date | None:
    """The calendar date of any of ConnectWise's three formats; None for nothing.

    `2011-06-20T00:00:00`, `5/1/2014 5:21:58 AM` and `2025-05-06T09:39:56Z` are 20 June, 1 May and 6 May,
    wherever the reader sits (connectwise reference, 8.3).
    """
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        raise ValueError(f"not a date: {value!r}")  # noqa: TRY004  # pydantic reports ValueErrors
    american = _AMERICAN.match(value)
    if american:
        month, day, year = (int(part) for part in american.groups())
        return date(year, month, day)
    return date.fromisoformat(value[:10])


def _amount(value: Any) -> Decimal | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        raise ValueError(f"text where a number belongs: {value!r}")  # noqa: TRY004  # pydantic's way
    try:
        return exact(value)
    except TypeError as error:  # pydantic reports a ValueError with the field, not a TypeError
        raise ValueError(str(error)) from error


def _list(value: Any) -> Any:
    """A list where one object or nothing came (connectwise reference, 11.1)."""
    if value is None or value == "":
        return ()
    return (value,) if isinstance(value, dict) else value


def _ids(value: Any) -> Any:
    """Ids of the detail of an expense bill: a list, one number, or comma-separated text."""
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        return tuple(part for part in value.split(",") if part.strip())
    return (value,) if isinstance(value, int) else value


def _text(value: Any) -> Any:
    """A number where text is published, such as a document number of digits."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class _ExactAmount:
    """A Decimal passes without a call into Python: an export has hundreds of thousands of them."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> core_schema.CoreSchema:
        as_sent = core_schema.decimal_schema(strict=True, allow_inf_nan=False, gt=-LIMIT, lt=LIMIT)
        return core_schema.union_schema(
            [as_sent, core_schema.no_info_plain_validator_function(_amount)],
            mode="left_to_right",
            custom_error_type="amount",
            custom_error_message="an exact amount of money was expected",
        )


Day: TypeAlias = Annotated[date | None, BeforeValidator(parse_day)]
Amount: TypeAlias = Annotated[Decimal | None, _ExactAmount]
Text: TypeAlias = Annotated[str | None, BeforeValidator(_text)]
T = TypeVar("T")
Many: TypeAlias = Annotated[tuple[T, ...], BeforeValidator(_list)]
Ids: TypeAlias = Annotated[tuple[int, ...], BeforeValidator(_ids)]


class Wire(BaseModel):
    """A model of the contract."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True
    )


class Reference(Wire):
    """A reference to another record: id and whatever name it has."""

    id: int | None = None
    identifier: str | None = None
    name: str | None = None


class Currency(Wire):
    """A currency, as lists and exports show it."""

    id: int | None = None
    currency_code: str | None = None
    currency_identifier: str | None = None
    name: str | None = None


M = TypeVar("M", bound=Wire)


def read(model: type[M], value: Any, *, path: str) -> M:
    """`value` as a model.

    Raises:
        ConnectWiseUnreadable: the shape is wrong; path, record and field are named.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise ConnectWiseUnreadable(
            f"{path}{_record(value, first['loc'])}: field {where or 'of the answer'} is not as the "
            f"contract says: {first['msg']}, not {str(first['input'])[:40]!r}. Open the record in ConnectWise; if all are so, check "
            "that the site is ConnectWise PSA and not a proxy's page.",
            url=path,
        ) from None


def _record(value: Any, steps: Sequence[int | str]) -> str:
    """The nearest record around a field, by the number that people see, else its id."""
    found = ""
    for step in (None, *steps):
        try:
            value = value if step is None else value[step]
        except (KeyError, IndexError, TypeError):
            break
        if isinstance(value, dict):
            name = value.get("documentNumber") or value.get("identifier") or value.get("id")
            found = f" (record {name})" if isinstance(name, (str, int)) else found
    return found
