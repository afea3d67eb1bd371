"""Answers around the records: headers, media types, and the ways to say no."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from sage50kit.sandbox.answers import encode
from sage50kit.sandbox.contract import contract
from sage50kit.sandbox.refusal import Refused

if TYPE_CHECKING:
    from starlette.requests import Request

    from sage50kit.sandbox.contract import Found, Operation

_OTHER_SECTIONS = (
    "configurations",
    "marketing",
    "project",
    "sales",
    "schedule",
    "service",
    "time",
)  # not in the contract
_MEDIA = "application/vnd.connectwise.com+json; version={}"


def refused(refusal: Refused, extra: dict[str, str] | None = None) -> Response:
    """An error answer in the shape ConnectWise gives all of them."""
    body = {"code": refusal.code, "message": refusal.message, "errors": refusal.errors or None}
    return Response(
        encode(body),
        refusal.status,
        headers=headers(extra or {}),
        media_type="application/json; charset=utf-8",
    )


def json_answer(value: Any, request: Request, status: int = 200) -> Response:
    """An answer of JSON with the headers all answers carry."""
    return Response(encode(value), status, headers=headers({}), media_type=media_type(request))


def media_type(request: Request) -> str:
    """The media type the caller named, or the versioned one of the contract."""
    accept = request.headers.get("accept", "").lower()
    if "application/json" in accept and "vnd.connectwise" not in accept:
        return "application/json; charset=utf-8"
    return _MEDIA.format(contract().version)


def headers(extra: dict[str, str]) -> dict[str, str]:
    """The headers all answers carry, and more."""
    return {
        "api-current-version": contract().version,
        "x-cw-request-id": str(uuid.uuid4()),
        "x-server-name": "CWAPI01",
        **extra,
    }


def origin(request: Request) -> str:
    """Scheme, host and port as the caller sees them."""
    host = request.headers.get("host") or ":".join(
        map(str, request.scope.get("server") or ("localhost",))
    )
    return f"{request.scope['scheme']}://{host}"


def no_path(path: str) -> Refused:
    """Nothing of the contract is at this path."""
    if path.strip("/").split("/")[0].lower() in _OTHER_SECTIONS:
        return Refused(
            501, "NotImplemented", f"{path} is not part of the accounting interface modelled here."
        )
    if contract().below(path):  # a sub-resource that does not exist is refused as if it were secret
        return Refused(
            403, "Security", "You do not have security permission to perform this action."
        )
    return Refused(404, "NotFound", f"No resource was found that matches the path {path}")


def no_record(found: Found) -> Refused:
    """The list has no record of that id."""
    named = next(reversed(found.values.values()), "")
    steps = [step for step in found.template.split("/") if step and not step.startswith("{")]
    return Refused(404, "NotFound", f"{steps[-1]} {named} not found")


def no_method(method: str) -> Refused:
    """The path is known, the method is not one of its."""
    return Refused(
        405, "MethodNotAllowed", f"The requested resource does not support the method {method}."
    )


def not_modelled(operation: Operation) -> Refused:
    """The contract has it, this site does not: never an empty list in its place."""
    return Refused(
        501,
        "NotImplemented",
        f"{operation.method} {operation.template} is not modelled by this site.",
    )


NOT_FOUND_PAGE = (
    "<!DOCTYPE html><html><head><title>404 - File or directory not found.</title></head>"
    "<body><h1>Server Error</h1><h2>404 - File or directory not found.</h2></body></html>"
)
