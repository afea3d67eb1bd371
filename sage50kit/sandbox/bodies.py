"""Reading what a client sends: JSON, checked against the contract before the site sees it."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from sage50kit.sandbox.contract import Field, Operation, as_number, contract
from sage50kit.sandbox.refusal import Refused

_OPERATIONS = ("add", "replace", "remove")


def read(operation: Operation, content_type: str, raw: bytes) -> object:
    """The body of a request, as the site is to see it.

    Fields the contract does not know are left out, as ConnectWise ignores them.

    Raises:
        Refused: 415 for another media type, 400 for what is no JSON or not the model.
    """
    if not operation.request:
        return None
    media = content_type.partition(";")[0].strip().lower()
    if media != "application/json" and not media.endswith("+json"):
        raise Refused(
            415,
            "UnsupportedMediaType",
            f"The media type '{media}' is not supported; send application/json.",
        )
    resource = resource_of(operation)
    body = _parsed(raw, resource)
    if operation.request == "[PatchOperation]":
        return _patches(body, operation.answer_model, resource)
    if not isinstance(body, dict):
        raise _invalid(
            resource, [_error("InvalidField", "The body must be an object.", resource, "")]
        )
    errors = contract().errors(operation.request, body, resource)
    if errors:
        raise _invalid(resource, errors)
    known = contract().fields(operation.request)
    return {name: value for name, value in body.items() if name in known}


def resource_of(operation: Operation) -> str:
    """What error answers call the record: `accountingBatch`, `invoicePayment`."""
    model = operation.answer_model if operation.request.startswith("[") else operation.request
    name = re.sub(r"^(Create|Export)|Request$", "", model or operation.answer_model)
    return name[:1].lower() + name[1:]


def _parsed(raw: bytes, resource: str) -> Any:
    try:
        return json.loads(raw, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError):
        errors = [_error("InvalidJson", "The body is not valid JSON.", resource, "")]
        raise _invalid(resource, errors) from None


def _no_number(text: str) -> Any:
    raise ValueError(text)


def _patches(body: Any, model: str, resource: str) -> list[dict[str, Any]]:
    """The operations that change something, each on one field.

    A path into a reference (`company/identifier`) is accepted and changes nothing: the real site does the same.
    """
    if not isinstance(body, list) or not all(isinstance(patch, dict) for patch in body):
        text = "The body must be an array of operations with op, path and value."
        raise _invalid(resource, [_error("InvalidField", text, resource, "")])
    found = [_patch(patch, model, resource) for patch in body]
    return [patch for patch in found if patch is not None]


def _patch(patch: dict[str, Any], model: str, resource: str) -> dict[str, Any] | None:
    op, path = str(patch.get("op", "")).lower(), str(patch.get("path", "")).removeprefix("/")
    name, _, rest = path.partition("/")
    field = contract().fields(model).get(name)
    if op not in _OPERATIONS:
        raise _invalid(
            resource,
            [_error("InvalidField", f"'{op}' is not add, replace or remove.", resource, name)],
        )
    if field is None or name in ("id", "_info"):
        text = f"The path '{path}' cannot be changed on {resource}; paths are case sensitive."
        raise _invalid(resource, [_error("InvalidField", text, resource, path)])
    if rest and field.type.is_model and not field.type.is_array:
        return None
    if rest:
        raise _invalid(
            resource, [_error("InvalidField", f"Send the whole of {name}.", resource, path)]
        )
    value = None if op == "remove" else _given(field, patch.get("value"))
    errors = _patch_errors(field, value, resource)
    if errors:
        raise _invalid(resource, errors)
    return {"op": op, "path": name, "value": value}


def _given(field: Field, value: Any) -> Any:
    """Numbers come as text from some clients, and are taken."""
    if field.type.name in ("int", "num") and not field.type.is_array and isinstance(value, str):
        number = as_number(value)
        return value if number is None else number
    return value


def _patch_errors(field: Field, value: Any, resource: str) -> list[dict[str, str]]:
    if value is not None:
        return _reference_errors(field, value, resource)
    if field.required:
        return [
            _error("MissingField", f"The {field.name} field is required.", resource, field.name)
        ]
    return []


def _reference_errors(field: Field, value: Any, resource: str) -> list[dict[str, str]]:
    return contract().value_errors(field, value, resource)


def _error(code: str, message: str, resource: str, field: str) -> dict[str, str]:
    return {"code": code, "message": message, "resource": resource, "field": field}


def _invalid(resource: str, errors: list[dict[str, str]]) -> Refused:
    return Refused(400, "InvalidObject", f"{resource} object is invalid", errors)
