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

_SECTIONS = (
    "company",
    "configurations",
    "expense",
    "finance",
    "marketing",
    "procurement",
    "project",
    "sales",
    "schedule",
    "service",
    "system",
    "time",
)  # of the published interface; only a part of it is in the contract
_WHOLE = "/finance/accounting"  # what is in the contract with all its methods
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
    """The versioned media type of the contract where the caller names it, plain JSON else."""
    if "vnd.connectwise" in request.headers.get("accept", "").lower():
        return _MEDIA.format(contract().version)
    return "application/json; charset=utf-8"


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
    if contract().below(path):  # a sub-resource that does not exist is refused as if it were secret
        return Refused(
            403, "Security", "You do not have security permission to perform this action."
        )
    section = path.strip("/").split("/")[0].lower()
    is_known = path.lower().startswith(_WHOLE) or contract().find(
        path.rstrip("/").rpartition("/")[0]
    )
    if section in _SECTIONS and not is_known:
        return Refused(
            501, "NotImplemented", f"{path} is not part of the accounting interface modelled here."
        )
    return Refused(404, "NotFound", f"No resource was found that matches the path {path}")


def no_record(found: Found) -> Refused:
    """The list has no record of that id."""
    named = next(reversed(found.values.values()), "")
    steps = [step for step in found.template.split("/") if step and not step.startswith("{")]
    return Refused(404, "NotFound", f"{steps[-1]} {named} not found")


def no_operation(template: str, method: str) -> Refused:
    """The path is known: the method is not one of its, or the real site has it and this one does not."""
    if template.lower().startswith(_WHOLE) or template.endswith("/count"):
        return no_method(method)
    return Refused(501, "NotImplemented", f"{method} {template} is not modelled by this site.")


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
