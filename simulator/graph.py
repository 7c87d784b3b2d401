"""Resource Graph: the tables and operators that are needed; all else is a loud 400 (behaviour reference section 5)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from simulator.graph_index import GraphIndex
from simulator.graph_tables import View, tables
from simulator.kusto import Table, run
from simulator.kusto_expressions import Kind
from simulator.kusto_words import QueryError
from simulator.refusals import Refusal
from simulator.roles import rights_of
from simulator.wire import Reply, Request, Router
from simulator.world import Subscription

PATH = "/providers/Microsoft.ResourceGraph/resources"
_MAX_PAGE = 1_000
_OPTIONS = ("$top", "$skip", "$skipToken", "resultFormat", "allowPartialScopes")


def add_routes(router: Router, index: GraphIndex) -> None:
    """Makes Resource Graph answer from that index."""
    router.add("POST", PATH, lambda request: _query(request, index))


def _query(request: Request, index: GraphIndex) -> Reply:
    body = request.body
    if not isinstance(body, Mapping) or not isinstance(body.get("query"), str):
        raise Refusal("BadRequest", "The body needs a query.")
    if unknown := set(body) - {"subscriptions", "managementGroups", "query", "options"}:
        raise Refusal("BadRequest", f"Not known to this simulator: {', '.join(sorted(unknown))}.")
    options = body.get("options") or {}
    if unknown := set(options) - set(_OPTIONS):
        raise Refusal("BadRequest", f"Not known to this simulator: options {', '.join(sorted(unknown))}.")
    if options.get("resultFormat", "objectArray") != "objectArray":
        raise Refusal("BadRequest", f"Not known to this simulator: resultFormat {options['resultFormat']}.")
    query, view = body["query"], _view(request, body)
    try:
        found = index.answer((query, view), lambda: run(query, tables(index.documents(), view)))
    except QueryError as error:
        raise _refused("InvalidQuery", str(error)) from error
    reply = _page(found, options)
    limit, size = request.world.settings.graph_payload_bytes, len(json.dumps(reply.body).encode())
    if size > limit:
        # Azure, the client has to ask for fewer rows at a time (behaviour reference section 5.4).
        message = f"Response payload size is {size}, and has exceeded the limit of {limit}. Please consider querying "
        raise _refused("ResponsePayloadTooLarge", f"{message}less data at a time and make paginated call if needed.")
    return reply


def _refused(code: str, message: str) -> Refusal:
    """Azure, the reason stands in the details of a BadRequest that asks to be shown to its makers."""
    shown = f"Please provide below info when asking for support. {message}"
    return Refusal("BadRequest", shown, details=[{"code": code, "message": message}])


def _page(table: Table, options: Mapping[str, Any]) -> Reply:
    """One page: strings for truth, a token as long as there is more (behaviour reference section 5.1)."""
    size, start = options.get("$top", _MAX_PAGE), options.get("$skip", 0)
    if type(size) is not int or not 1 <= size <= _MAX_PAGE or type(start) is not int or start < 0:
        raise Refusal("BadRequest", f"$top is 1 to {_MAX_PAGE}, $skip not below 0.")
    if "$skipToken" in options:
        size, start = _read_token(options["$skipToken"])
    data = list(table.rows[start : start + size])
    more = start + size < len(table.rows)
    # Azure, no token for a query with a limit, or with nothing but dynamic columns, and rows are lost.
    pageable = not table.limited and any(kind is not Kind.DYNAMIC for kind in table.columns.values())
    body: dict[str, Any] = {
        "totalRecords": len(table.rows),
        "count": len(data),
        "data": data,
        "facets": [],
        "resultTruncated": "true" if more and not pageable else "false",
    }
    if more and pageable:
        token = {"$id": "1", "MaxRows": size, "RowsToSkip": start + size, "KustoClusterUrl": "https://simulator"}
        body["$skipToken"] = base64.b64encode(json.dumps(token).encode()).decode()
    return Reply(200, body)


def _read_token(token: Any) -> tuple[int, int]:
    try:
        read = json.loads(base64.b64decode(token, validate=True))
        return int(read["MaxRows"]), int(read["RowsToSkip"])
    except (binascii.Error, ValueError, TypeError, KeyError) as error:
        raise Refusal("BadRequest", f"'{token}' is no $skipToken that was given out.") from error


def _view(request: Request, body: Mapping[str, Any]) -> View:
    """Azure, a caller sees what it can read and nothing tells it what it cannot (behaviour reference section 2.8)."""
    wanted = {str(each).lower() for each in body.get("subscriptions") or []}
    groups = {str(each).lower() for each in body.get("managementGroups") or []}

    def within(subscription: Subscription) -> bool:
        above = {group.lower() for group in subscription.management_groups}
        return not (wanted or groups) or subscription.id.lower() in wanted or bool(above & groups)

    world = request.world
    return View(
        subscriptions=tuple(each for each in world.subscriptions.values() if each.readable and within(each)),
        rights=rights_of(world, request.caller.principal),
        metadata=world.settings.graph_metadata,
        string_booleans=world.settings.graph_string_booleans,
        connections=world.settings.graph_connections,
    )
