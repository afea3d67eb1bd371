"""A ConnectWise site over real HTTP: the paths of the contract, answered from a `Site`.

`make_app` gives the ASGI application; `serve.running` and `serve.serve_forever` put it on a port. One event loop
serves all requests one after another, so the site needs no locks.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount

from sage50kit.sandbox import auth, bodies, paging, responses
from sage50kit.sandbox.answers import Presenter, encode, with_numbers
from sage50kit.sandbox.conditions import compiled
from sage50kit.sandbox.contract import Operation, contract, fold
from sage50kit.sandbox.fields import BadQuery, order, select, selection
from sage50kit.sandbox.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import Receive, Scope, Send

    from sage50kit.sandbox.answers import Row
    from sage50kit.sandbox.contract import Found
    from sage50kit.sandbox.state import Site

log = logging.getLogger(__name__)

TOKENS = "/system/members/{memberIdentifier}/tokens"
_LISTS_KEPT = 64
_BYTES_KEPT = 256 * 1024 * 1024


def make_app(site: Site, gate: auth.Gate, *, company_name: str = "") -> Starlette:
    """The site as an ASGI application.

    Args:
        site: the records, and what they answer.
        gate: who may call.
        company_name: what `companyinfo` calls the company.
    """
    return Starlette(routes=[Mount("/", app=Front(site, gate, company_name or gate.company))])


def modelled(site: Site) -> frozenset[tuple[str, str]]:
    """(method, path) pairs that are answered; all others of the contract are 501.

    Where a list is modelled, so are its count and its single records.
    """
    named = {(method, fold(template)) for method, template in site.modelled()}

    def answers(operation: Operation) -> bool:
        collection = contract().collection(operation.template)
        listed = operation.method == "GET" and collection and ("GET", fold(collection)) in named
        return bool(listed) or (operation.method, fold(operation.template)) in named

    found = {
        (operation.method, operation.template) for operation in contract() if answers(operation)
    }
    return frozenset(found | {("POST", TOKENS)})


class Front:
    """What answers at the root of the site: discovery, and the REST interface below its codebase."""

    def __init__(self, site: Site, gate: auth.Gate, company_name: str) -> None:
        self._gate = gate
        self._company_name = company_name
        self._rest = Rest(site, gate)
        self._codebase = (
            f"v{contract().version.replace('.', '_')}/" if gate.is_cloud else "v4_6_release/"
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; never raises."""
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except ClientDisconnect:
            return
        except Exception:
            log.exception("%s %s failed", request.method, request.url.path)
            response = responses.refused(
                Refused(500, "InternalServerError", "An error has occurred.")
            )
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        path = request.scope["path"]
        first, _, rest = path.lstrip("/").partition("/")
        if first.lower() == "login" and rest.lower().startswith("companyinfo/"):
            return self._company_info(request, rest.partition("/")[2].rstrip("/"))
        mark = "apis/3.0/"
        if f"{first.lower()}/" in {self._codebase, "v4_6_release/"} and rest.lower().startswith(
            mark
        ):
            base = f"{responses.origin(request)}/{first}/{mark.rstrip('/')}"
            return await self._rest.answer(request, base, "/" + rest[len(mark) :])
        return Response(responses.NOT_FOUND_PAGE, 404, media_type="text/html")

    def _company_info(self, request: Request, company: str) -> Response:
        if request.method != "GET":
            return responses.refused(responses.no_method(request.method), {"Allow": "GET"})
        media = "application/json; charset=utf-8"
        if company.lower() != self._gate.company.lower():
            return Response(b"null", media_type=media)  # as the real site: nothing, and no error
        info = {
            "CompanyName": self._company_name,
            "Codebase": self._codebase,
            "VersionCode": f"v{contract().version}",
            "VersionNumber": f"v{contract().version}.10333",
            "CompanyID": self._gate.company,
            "IsCloud": self._gate.is_cloud,
            "SiteUrl": request.headers.get("host", ""),
        }
        return Response(encode(info), media_type=media)


class Rest:
    """The REST interface: sign-in, rights, routing, lists, records and writes."""

    def __init__(self, site: Site, gate: auth.Gate) -> None:
        self._site = site
        self._gate = gate
        self._modelled = modelled(site)
        self._lists = paging.Kept(_LISTS_KEPT, lambda rows: 1)  # noqa: ARG005
        self._pages = paging.Kept(_BYTES_KEPT, lambda page: len(page[0]))

    async def answer(self, request: Request, base: str, path: str) -> Response:
        """Answer a request for `path`, the part below `/apis/3.0`."""
        try:
            return await self._answered(request, base, path)
        except Refused as refusal:
            return responses.refused(refusal)
        except BadQuery as error:
            inner = {
                "code": "InvalidField",
                "message": str(error),
                "resource": "query",
                "field": error.parameter,
            }
            return responses.refused(Refused(400, "InvalidObject", str(error), [inner]))

    async def _answered(self, request: Request, base: str, path: str) -> Response:
        caller = self._gate.caller(request.headers)
        found = contract().find(path)
        if found is None:
            raise responses.no_path(path)
        operation = found.operations.get(request.method)
        if operation is None:
            return responses.refused(
                responses.no_operation(found.template, request.method),
                {"Allow": ", ".join(found.operations)},
            )
        auth.check(operation, caller, self._rights(caller))
        if (operation.method, found.template) not in self._modelled:
            raise responses.not_modelled(operation)
        if operation.method == "GET":
            return self._read(request, base, found, operation)
        return await self._write(request, base, found, operation)

    def _rights(self, caller: auth.Caller) -> auth.Rights:
        return auth.rights_of(caller.member, self._optional("/system/members"), self._role_settings)

    def _role_settings(self, role: int) -> Sequence[Row]:
        return self._optional("/system/securityRoles/{parentId}/settings", (str(role),))

    def _optional(self, collection: str, parents: tuple[str, ...] = ()) -> Sequence[Row]:
        """Rows the sign-in looks at, where the site has them."""
        if ("GET", collection) not in self._modelled:
            return ()
        try:
            return self._site.rows(collection, parents)
        except Refused:
            return ()

    # Reading

    def _read(self, request: Request, base: str, found: Found, operation: Operation) -> Response:
        query = paging.Query.parse(request.scope["query_string"])
        if operation.is_list:
            return self._list(request, base, found, operation, query)
        if operation.is_count:
            collection = str(contract().collection(found.template))
            model = contract().paths[collection]["GET"].answer_model
            rows = self._filtered(collection, model, _parents(found), query)
            return responses.json_answer({"count": len(rows)}, request)
        row = self._record(found)
        owner = contract().collection(found.template) if found.template.endswith("/{id}") else ""
        shown = self._presenter(base).row(row, operation.answer_model, owner or "")
        tree = selection(query.text("fields"), operation.answer_model)
        return responses.json_answer(select(shown, tree) if tree else shown, request)

    def _list(
        self, request: Request, base: str, found: Found, operation: Operation, query: paging.Query
    ) -> Response:
        forward = request.headers.get("pagination-type", "").lower() == "forward-only"
        key = (base, request.scope["path"], query.pairs, forward)
        body, link = self._pages.get(
            self._site.revision,
            key,
            lambda: self._page(request, base, found, operation, query, forward=forward),
        )
        headers = {} if link is None else {"Link": link}
        return Response(
            body, headers=responses.headers(headers), media_type=responses.media_type(request)
        )

    def _page(
        self,
        request: Request,
        base: str,
        found: Found,
        operation: Operation,
        query: paging.Query,
        *,
        forward: bool,
    ) -> tuple[bytes, str | None]:
        model = operation.answer_model
        tree = selection(query.text("fields"), model)
        url = f"{responses.origin(request)}{request.scope['path']}"
        if forward and "id" in contract().fields(model):
            rows = self._filtered(found.template, model, _parents(found), query)
            part = paging.forward_only(rows, query, url)
        else:
            part = paging.navigable(
                self._filtered(found.template, model, _parents(found), query), query, url
            )
        shown = self._presenter(base).rows(part.rows, model, found.template)
        return encode([select(row, tree) for row in shown] if tree else shown), part.link

    def _filtered(
        self, collection: str, model: str, parents: tuple[str, ...], query: paging.Query
    ) -> Sequence[Row]:
        """The rows of a list that meet all conditions, in the order asked for."""
        key = (collection, parents, query.filters)
        rows: Sequence[Row] = self._lists.get(
            self._site.revision, key, lambda: self._filter(collection, model, parents, query)
        )
        return rows

    def _filter(
        self, collection: str, model: str, parents: tuple[str, ...], query: paging.Query
    ) -> Sequence[Row]:
        conditions, of_children, of_custom_fields, order_by = query.filters
        tests = (
            (conditions, "conditions"),
            (of_children, "childConditions"),
            (of_custom_fields, "customFieldConditions"),
        )
        rows = self._rows(collection, parents)
        for text, parameter in tests:
            if text.strip():
                test = compiled(text, model, parameter)
                rows = [row for row in rows if test(row)]
        return order(rows, order_by, model) if order_by.strip() else rows

    def _rows(self, collection: str, parents: tuple[str, ...]) -> Sequence[Row]:
        rows: Sequence[Row] = self._lists.get(
            self._site.revision,
            ("rows", collection, parents),
            lambda: self._all(collection, parents),
        )
        return rows

    def _all(self, collection: str, parents: tuple[str, ...]) -> Sequence[Row]:
        """All rows of the site; amounts that a data set wrote as text are numbers from here on."""
        try:
            rows = self._site.rows(collection, parents)
        except KeyError:
            raise responses.not_modelled(contract().paths[collection]["GET"]) from None
        return with_numbers(rows, contract().paths[collection]["GET"].answer_model)

    def _record(self, found: Found) -> Row:
        """The one record a path names.

        Raises:
            Refused: 404, there is none.
        """
        collection = contract().collection(found.template)
        if collection is None or not found.template.endswith("/{id}"):
            rows = self._rows(found.template, tuple(found.values.values()))
            if not rows:
                raise responses.no_record(found)
            return rows[0]
        index = self._index(collection, _parents(found))
        if int(found.values["id"]) not in index:
            raise responses.no_record(found)
        return index[int(found.values["id"])]

    def _index(self, collection: str, parents: tuple[str, ...]) -> dict[int, Row]:
        found: dict[int, Row] = self._lists.get(
            self._site.revision,
            (collection, parents),
            lambda: {row["id"]: row for row in self._rows(collection, parents)},
        )
        return found

    def _presenter(self, base: str) -> Presenter:
        """What shows rows under an address; it keeps the references it made until the site changes."""
        kept: Presenter = self._lists.get(
            self._site.revision, ("presenter", base), lambda: Presenter(base)
        )
        return kept

    # Writing

    async def _write(
        self, request: Request, base: str, found: Found, operation: Operation
    ) -> Response:
        raw = await request.body()
        if found.template == TOKENS:
            return self._token(request, found)
        if found.template.endswith("/{id}") and ("GET", found.template) in self._modelled:
            self._record(found)
        body = bodies.read(operation, request.headers.get("content-type", ""), raw)
        status, answer = self._site.call(operation.method, found.template, found.values, body)
        if status == HTTPStatus.NO_CONTENT:
            return Response(status_code=status, headers=responses.headers({}))
        if isinstance(answer, dict):
            answer = self._presenter(base).row(answer, operation.answer_model)
        return responses.json_answer(answer, request, status)

    def _token(self, request: Request, found: Found) -> Response:
        """A member's token, for an integrator or a member that may maintain members."""
        identifier = found.values["memberIdentifier"]
        members = self._optional("/system/members")
        row = auth.find_member(identifier, members)
        known = {account.member.lower(): account.member for account in self._gate.accounts}
        member = str(row["identifier"]) if row else known.get(identifier.lower(), "")
        if not member:
            raise Refused(404, "NotFound", f"Member {identifier} not found")
        return responses.json_answer(self._gate.issue(member), request)


def _parents(found: Found) -> tuple[str, ...]:
    """The ids in a path that lead to the list, outermost first."""
    return tuple(value for name, value in found.values.items() if name != "id")
