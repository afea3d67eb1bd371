"""Fields of rows: found by name, compared, put in order, chosen."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, NamedTuple

from sage50kit.sandbox.contract import Field, contract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Row = dict[str, Any]


class BadQuery(Exception):  # it is an answer to the caller, not a failure
    """A query parameter cannot be read; the text says where and why."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter


class FieldPath(NamedTuple):
    """A field of a model, with its plain type, read through references."""

    steps: tuple[str, ...]
    type: str

    def read(self, row: Row) -> Any:
        """The value in a row, None where it or a reference on the way is missing."""
        value: Any = row
        for step in self.steps:
            if not isinstance(value, dict):
                return None
            value = value.get(step)
        return value


_STAMPS = {  # asked for by their bare names, shown in `_info`
    name.lower(): FieldPath(("_info", name), kind)
    for name, kind in (
        ("lastUpdated", "datetime"),
        ("dateEntered", "datetime"),
        ("updatedBy", "str"),
        ("enteredBy", "str"),
    )
}


def order(rows: Iterable[Row], order_by: str, model: str) -> list[Row]:
    """The rows sorted as `orderBy` says; equal ones keep their order, missing values come first.

    Raises:
        BadQuery: a field the model does not have, or a direction other than asc and desc.
    """
    ordered = list(rows)
    for part in reversed([part.strip() for part in order_by.split(",") if part.strip()]):
        name, *rest = part.split()
        direction = rest[0].lower() if rest else "asc"
        if direction not in ("asc", "desc") or len(rest) > 1:
            raise BadQuery("orderBy", f"'{part}' is not a field followed by asc or desc.")
        field = resolve(name, model, "orderBy")
        ordered.sort(key=_sort_key(field), reverse=direction == "desc")
    return ordered


def _sort_key(field: FieldPath) -> Callable[[Row], tuple[bool, Any]]:
    def key(row: Row) -> tuple[bool, Any]:
        value = comparable(field.read(row))
        return (value is not None, 0 if value is None else value)

    return key


def selection(fields: str, model: str) -> dict[str, Any]:
    """The tree of names that `fields=id,status/name` keeps; a leaf is an empty dict.

    Raises:
        BadQuery: a field the model does not have.
    """
    tree: dict[str, Any] = {}
    for name in filter(None, (part.strip() for part in fields.split(","))):
        branch = tree
        for step in resolve(name, model, "fields").steps:
            branch = branch.setdefault(step, {})
    return tree


def select(row: Row, tree: dict[str, Any]) -> Row:
    """The part of a row that `fields` asked for."""
    kept = {}
    for name, branch in tree.items():
        value = row.get(name)
        if value is None:
            continue
        if branch and isinstance(value, dict):
            value = select(value, branch)
        elif branch and isinstance(value, list):
            value = [select(item, branch) if isinstance(item, dict) else item for item in value]
        kept[name] = value
    return kept


def resolve(name: str, model: str, parameter: str) -> FieldPath:
    """The field of `model` that `name` means, case aside: `Company/Identifier`.

    Raises:
        BadQuery: there is none.
    """
    stamp = _STAMPS.get(name.lower())
    if stamp is not None and "_info" in contract().fields(model):
        return stamp
    steps: list[str] = []
    current, kind = model, ""
    for step in name.split("/"):
        field = _field(current, step) if current else None
        if field is None:
            if kind == "map" or (current and not contract().fields(current)):
                steps.append(step)  # an open object: any name may be there
                continue
            raise BadQuery(parameter, f"'{name}' is not a field of {model}.")
        steps.append(field.name)
        kind = field.type.name
        current = kind if field.type.is_model else ""
    return FieldPath(tuple(steps), "" if current else kind)


def _field(model: str, name: str) -> Field | None:
    fields = contract().fields(model)
    return fields.get(name) or next(
        (f for f in fields.values() if f.name.lower() == name.lower()), None
    )


def comparable(value: Any) -> Any:
    """A row's value in a form that compares within its own type; texts without case, as the database does."""
    if isinstance(value, str):
        return value.casefold()
    if isinstance(value, (date, datetime)):
        return as_moment(value)
    return None if isinstance(value, (dict, list)) else value


def as_moment(value: Any) -> datetime | None:
    """A date or time of the wire as a UTC moment; None if it is none."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(), tzinfo=UTC)
    if not isinstance(value, str) or not value[:4].isdigit():
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
