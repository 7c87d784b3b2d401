"""Resource Graph: the tables and operators that are needed; all else is a loud 400 (behaviour reference section 5)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from simulator import ids
from simulator.arm.resources import subscription_document
from simulator.documents import Document
from simulator.kusto import QueryError, Row, run
from simulator.refusals import Refusal
from simulator.wire import Reply, Request, Router
from simulator.world import Subscription, World

PATH = "/providers/Microsoft.ResourceGraph/resources"
_MAX_PAGE = 1_000
_OPTIONS = ("$top", "$skip", "$skipToken", "resultFormat", "allowPartialScopes")
# Azure, children that the resources table holds beside top-level resources (behaviour reference section 5.4).
_INDEXED_CHILDREN = ("microsoft.network/privatednszones/virtualnetworklinks",)


def add_routes(router: Router) -> None:
    """Makes Resource Graph answer."""
    router.add("POST", PATH, _query)


def _query(request: Request) -> Reply:
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
    subscriptions = _scope(request.world, body)
    try:
        rows = run(body["query"], _tables(request.world, subscriptions))
    except QueryError as error:
        message = f"Please provide below info when asking for support. {error}"
        raise Refusal("BadRequest", message, details=[{"code": "InvalidQuery", "message": str(error)}]) from error
    return _page(rows, options)


def _page(rows: Sequence[Row], options: Mapping[str, Any]) -> Reply:
    """One page: strings for truth, a token as long as there is more (behaviour reference section 5.1)."""
    size, start = options.get("$top", _MAX_PAGE), options.get("$skip", 0)
    if type(size) is not int or not 1 <= size <= _MAX_PAGE or type(start) is not int or start < 0:
        raise Refusal("BadRequest", f"$top is 1 to {_MAX_PAGE}, $skip not below 0.")
    if "$skipToken" in options:
        size, start = _read_token(options["$skipToken"])
    data = list(rows[start : start + size])
    more = start + size < len(rows)
    # Azure, if all columns are dynamic there is no token, and rows are lost (behaviour reference section 5.1).
    pageable = any(not isinstance(value, dict | list | None) for row in data for value in row.values())
    body: dict[str, Any] = {
        "totalRecords": len(rows),
        "count": len(data),
        "data": data,
        "facets": [],
        "resultTruncated": "true" if more and not pageable else "false",
    }
    if more and pageable:
        token = {"$id": "1", "MaxRows": size, "RowsToSkip": start + size, "KustoClusterUrl": "https://simulator"}
        body["$skipToken"] = base64.b64encode(json.dumps(token).encode()).decode()
    headers = {
        "x-ms-ratelimit-remaining-tenant-resource-requests": "14",
        "x-ms-user-quota-remaining": "14",
        "x-ms-user-quota-resets-after": "00:00:05",
    }
    return Reply(200, body, headers)


def _read_token(token: Any) -> tuple[int, int]:
    try:
        read = json.loads(base64.b64decode(token, validate=True))
        return int(read["MaxRows"]), int(read["RowsToSkip"])
    except (binascii.Error, ValueError, TypeError, KeyError) as error:
        raise Refusal("BadRequest", f"'{token}' is no $skipToken that was given out.") from error


def _scope(world: World, body: Mapping[str, Any]) -> list[Subscription]:
    """Azure, a caller sees what it can read and nothing tells it what it cannot (behaviour reference section 2.8)."""
    wanted = {str(each).lower() for each in body.get("subscriptions") or []}
    groups = {str(each).lower() for each in body.get("managementGroups") or []}

    def within(subscription: Subscription) -> bool:
        above = {group.lower() for group in subscription.management_groups}
        return not (wanted or groups) or subscription.id.lower() in wanted or bool(above & groups)

    return [each for each in world.subscriptions.values() if each.readable and within(each)]


def _tables(world: World, subscriptions: Sequence[Subscription]) -> dict[str, Callable[[], list[Row]]]:
    tenants = {each.id.lower(): each.tenant for each in subscriptions}

    def resources() -> list[Row]:
        return [_row(each, tenants) for each in world.store if _within(each, tenants) and _is_indexed(each)]

    def containers() -> list[Row]:
        groups = [each for each in world.store.of_type(ids.RESOURCE_GROUP) if _within(each, tenants)]
        rows = [_row(each, tenants) for each in groups]
        for row in rows:
            row["type"] = ids.RESOURCE_GROUP.lower()
        return [*map(_subscription_row, subscriptions), *rows]

    return {"resources": resources, "resourcecontainers": containers}


def _within(document: Document, tenants: Mapping[str, str]) -> bool:
    return ids.parse(document["id"]).subscription.lower() in tenants


def _is_indexed(document: Document) -> bool:
    resource_type = ids.parse(document["id"]).type.lower()
    if resource_type == ids.RESOURCE_GROUP.lower():
        return False
    return resource_type.count("/") == 1 or resource_type in _INDEXED_CHILDREN


def _row(document: Document, tenants: Mapping[str, str]) -> Row:
    """A document as the index has it: type and resource group in lower case (behaviour reference section 5.4)."""
    parsed = ids.parse(document["id"])
    return {
        "id": document["id"],
        "name": parsed.name,
        "type": parsed.type.lower(),
        "tenantId": tenants[parsed.subscription.lower()],
        "kind": document.get("kind", ""),
        "location": document.get("location", ""),
        "resourceGroup": parsed.resource_group.lower(),
        "subscriptionId": parsed.subscription,
        "managedBy": document.get("managedBy", ""),
        "sku": document.get("sku"),
        "tags": document.get("tags"),
        "properties": document.get("properties"),
    }


def _subscription_row(subscription: Subscription) -> Row:
    shown = subscription_document(subscription)
    chain = [{"name": group, "displayName": group} for group in subscription.management_groups]
    return {
        "id": shown["id"],
        "name": subscription.id,
        "type": ids.SUBSCRIPTION.lower(),
        "tenantId": subscription.tenant,
        "subscriptionId": subscription.id,
        "properties": {"state": shown["state"], "managementGroupAncestorsChain": chain},
    }
