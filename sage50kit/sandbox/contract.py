"""The published REST contract, as a small table: paths, methods, models, fields, limits.

`contract.json` is derived from the description ConnectWise publishes (API version 2025.1, the accounting part
of it). A path names per method its request model, status and answer: `"CreateAccountingBatchRequest 201 GLExport"`.
A model is its fields in one line: `*` required, `?` nullable, `<=N` longest text, `{a|b}` allowed values,
`->X` another model, `[x]` an array, `map` texts by name, `obj` anything.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

INT32 = 2**31 - 1
_FIELD = re.compile(
    r"(?P<required>\*?)(?P<name>\w+):(?P<type>\[.*\]|->[\w.]+|\w+)"
    r"(?:\{(?P<allowed>[^}]*)\})?(?:<=(?P<longest>\d+))?(?P<nullable>\??)$"
)


@dataclass(frozen=True, slots=True)
class Type:
    """What a value must be: a plain type, another model, or an array of one of them."""

    name: str  # str, int, num, bool, datetime, map, obj, or the name of a model
    is_model: bool = False
    is_array: bool = False
    nullable_items: bool = False

    @classmethod
    def parse(cls, text: str) -> Type:
        """Read `str`, `->Model` or `[int?]`."""
        if text.startswith("["):
            inner = text[1:-1]
            item = cls.parse(inner.rstrip("?"))
            return cls(item.name, item.is_model, is_array=True, nullable_items=inner.endswith("?"))
        return cls(text[2:], is_model=True) if text.startswith("->") else cls(text)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a model."""

    name: str
    type: Type
    required: bool
    nullable: bool
    longest: int | None  # characters
    allowed: frozenset[str]

    @classmethod
    def parse(cls, text: str) -> Field:
        """Read one field of a model's line."""
        match = _FIELD.match(text)
        if match is None:
            raise ValueError(f"contract.json: {text!r} is not a field")
        allowed = match["allowed"]
        return cls(
            name=match["name"],
            type=Type.parse(match["type"]),
            required=bool(match["required"]),
            nullable=bool(match["nullable"]),
            longest=int(match["longest"]) if match["longest"] else None,
            allowed=frozenset(allowed.split("|")) if allowed else frozenset(),
        )


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path: what it takes and what it answers."""

    method: str
    template: str  # as published, casing and trailing slash included
    request: str  # model of the body, `[PatchOperation]`, or ""
    status: int
    answer: str  # model, `[Model]`, `pdf`, or "" for no body

    @property
    def answer_model(self) -> str:
        """The model of the answer, or of the rows of it."""
        return self.answer.strip("[]")

    @property
    def is_list(self) -> bool:
        """Whether it answers an array of rows."""
        return self.answer.startswith("[")

    @property
    def is_count(self) -> bool:
        """Whether it counts the rows of the path above it."""
        return self.template.endswith("/count")


@dataclass(frozen=True, slots=True)
class Found:
    """A path that was asked for, resolved."""

    template: str
    values: dict[str, str]
    operations: Mapping[str, Operation]


class Contract:
    """The paths and models of the contract; use `contract()`, which reads the file once."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.version: str = content["version"]
        self._lines: dict[str, str] = content["models"]
        self.paths: dict[str, dict[str, Operation]] = {
            template: {
                method: _operation(method, template, text) for method, text in by_method.items()
            }
            for template, by_method in content["paths"].items()
        }

    def __iter__(self) -> Iterator[Operation]:
        """Every method of every path."""
        for by_method in self.paths.values():
            yield from by_method.values()

    @cached_property
    def _literal(self) -> dict[str, str]:
        """Paths without values, for a look-up in one step: folded -> as published."""
        return {fold(template): template for template in self.paths if "{" not in template}

    @cached_property
    def _with_values(self) -> dict[int, list[tuple[tuple[str, ...], str]]]:
        """Paths with values by their number of steps, literal steps before `{id}` ones."""
        found: dict[int, list[tuple[tuple[str, ...], str]]] = {}
        for template in self.paths:
            if "{" in template:
                steps = tuple(template.strip("/").split("/"))
                found.setdefault(len(steps), []).append((steps, template))
        for candidates in found.values():
            candidates.sort(key=lambda pair: [step.startswith("{") for step in pair[0]])
        return found

    def find(self, path: str) -> Found | None:
        """The published path behind `path`, which may differ in case and in a slash at the end."""
        literal = self._literal.get(fold(path))
        if literal is not None:
            return Found(literal, {}, self.paths[literal])
        steps = path.strip("/").split("/")
        for pattern, template in self._with_values.get(len(steps), ()):
            values = _match(pattern, steps)
            if values is not None:
                return Found(template, values, self.paths[template])
        return None

    def below(self, path: str) -> bool:
        """Whether `path` continues a record's path with something that is not published."""
        steps = path.strip("/").split("/")
        found = self.find("/" + "/".join(steps[:-1])) if len(steps) > 2 else None
        return found is not None and "{" in found.template.rsplit("/", 1)[-1]

    def collection(self, template: str) -> str | None:
        """The list that a `/count` or `/{id}` path belongs to, as published; None where there is none."""
        if template.endswith(("/count", "/{id}")):
            return self.list_named(template.rsplit("/", 1)[0])
        return template

    def list_named(self, path: str) -> str | None:
        """The published form of a list's path template."""
        return self._templates.get(fold(path))

    @cached_property
    def _templates(self) -> dict[str, str]:
        return {fold(template): template for template in self.paths}

    @cached_property
    def _children(self) -> dict[str, list[str]]:
        """The lists below a record, by the folded path of the record's list."""
        found: dict[str, list[str]] = {}
        for template in self.paths:
            parent, mark, child = template.partition("/{parentId}/")
            if mark and "/" not in child.rstrip("/") and "{grandparentId}" not in parent:
                found.setdefault(fold(parent), []).append(child.rstrip("/"))
        return found

    def children(self, collection: str) -> list[str]:
        """Names of the lists below each record of a list: `payments` of `/finance/invoices`."""
        return self._children.get(fold(collection), [])

    @cache  # noqa: B019  # one Contract lives as long as the process
    def fields(self, model: str) -> dict[str, Field]:
        """The fields of a model by name; empty for an open object."""
        line = self._lines[model]
        return {field.name: field for field in map(Field.parse, line.split())}

    @property
    def models(self) -> frozenset[str]:
        """The names of all models."""
        return frozenset(self._lines)

    def errors(self, model: str, body: dict[str, Any], resource: str) -> list[dict[str, str]]:
        """What is wrong with a body, as the `errors` of an answer; empty if nothing is."""
        found = []
        for field in self.fields(model).values():
            if body.get(field.name) is None:
                if field.required:
                    text = f"The {field.name} field is required."
                    found.append(_error("MissingField", text, resource, field.name))
                continue
            found += self.value_errors(field, body[field.name], resource)
        return found

    def value_errors(self, field: Field, value: Any, resource: str) -> list[dict[str, str]]:
        """What is wrong with the value of one field."""
        if field.type.is_array:
            if not isinstance(value, list):
                return [
                    _error(
                        "InvalidField",
                        f"The field {field.name} must be an array.",
                        resource,
                        field.name,
                    )
                ]
            items = [item for item in value if not (item is None and field.type.nullable_items)]
            return [error for item in items for error in self._one(field, item, resource)]
        return self._one(field, value, resource)

    def _one(self, field: Field, value: Any, resource: str) -> list[dict[str, str]]:
        if field.type.is_model:
            if not isinstance(value, dict):
                text = f"The field {field.name} must be a {field.type.name} object."
                return [_error("InvalidField", text, resource, field.name)]
            inner = self.errors(field.type.name, value, resource)
            return [error | {"field": f"{field.name}/{error['field']}"} for error in inner]
        complaint = _complaint(field, value)
        return [_error(complaint[0], complaint[1], resource, field.name)] if complaint else []


@cache
def contract() -> Contract:
    """The contract, read once."""
    text = files("sage50kit.sandbox").joinpath("contract.json").read_text(encoding="utf-8")
    return Contract(json.loads(text))


def fold(path: str) -> str:
    """A path as ConnectWise compares them: without case and without a slash at the end."""
    return path.rstrip("/").lower()


def _operation(method: str, template: str, text: str) -> Operation:
    request, _, rest = text.partition(" ") if not text[0].isdigit() else ("", "", text)
    status, _, answer = rest.partition(" ")
    return Operation(method, template, request, int(status), answer)


def _match(pattern: tuple[str, ...], steps: list[str]) -> dict[str, str] | None:
    values = {}
    for expected, step in zip(pattern, steps, strict=True):
        if expected.startswith("{"):
            name = expected[1:-1]
            if not _is_value(name, step):
                return None
            values[name] = step
        elif expected.lower() != step.lower():
            return None
    return values


def _is_value(name: str, step: str) -> bool:
    if name.lower().endswith("identifier"):
        return bool(step)
    return step.isascii() and step.isdigit() and int(step) <= INT32


def _error(code: str, message: str, resource: str, field: str) -> dict[str, str]:
    return {"code": code, "message": message, "resource": resource, "field": field}


def _complaint(field: Field, value: Any) -> tuple[str, str] | None:
    kind = field.type.name
    if not _IS[kind](value):
        return "InvalidField", f"The field {field.name} must be {_WORDS[kind]}."
    if field.allowed and value not in field.allowed:
        choices = ", ".join(sorted(field.allowed))
        return "InvalidField", f"The field {field.name} must be one of: {choices}."
    if field.longest is not None and len(value) > field.longest:
        text = f"The field {field.name} must be a string with a maximum length of {field.longest}."
        return "OutOfRange", text
    if kind == "int" and abs(value) > INT32:
        return "OutOfRange", f"The field {field.name} must be between {-INT32} and {INT32}."
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return _is_number(value) and value == int(value)


def _is_moment(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


_IS: dict[str, Callable[[Any], bool]] = {
    "str": lambda value: isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "num": _is_number,
    "int": _is_whole,
    "datetime": _is_moment,
    "map": lambda value: isinstance(value, dict),
    "obj": lambda value: True,  # noqa: ARG005
}
_WORDS = {
    "str": "a string",
    "bool": "a boolean",
    "num": "a number",
    "int": "a whole number",
    "datetime": "a date such as 2026-10-31T00:00:00Z",
    "map": "an object",
    "obj": "an object",
}


def as_number(text: str) -> Decimal | None:
    """The number a text stands for, or None; a PATCH may carry numbers as text."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
