"""The tables of Resource Graph: which rows an asker sees of the documents in the index (reference section 5.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simulator import ids
from simulator.arm.resources import subscription_document
from simulator.connection_documents import CHILD
from simulator.documents import Document, Documents
from simulator.kusto import Table
from simulator.kusto_expressions import Kind, Row
from simulator.private_dns import LINKS, ZONES
from simulator.record_sets import RECORDS
from simulator.roles import Rights
from simulator.world import Subscription

_TEXTS = ("id", "name", "type", "tenantId", "kind", "location", "resourceGroup", "subscriptionId", "managedBy")
_DYNAMICS = ("sku", "plan", "properties", "tags", "identity", "zones", "extendedLocation")
COLUMNS = {**dict.fromkeys(_TEXTS, Kind.TEXT), **dict.fromkeys(_DYNAMICS, Kind.DYNAMIC)}

# Azure, children that the resources table holds beside top-level resources, and what it does not hold.
_INDEXED_CHILDREN = (LINKS.lower(),)
_ELSEWHERE = (ids.RESOURCE_GROUP.lower(), "microsoft.authorization/")
_RECORD_SETS = {f"{ZONES}/{record_type}".lower(): key for record_type, key in RECORDS.items()}


@dataclass(frozen=True, slots=True)
class View:
    """Who looks, at which subscriptions, and how the rows show what is unverified."""

    subscriptions: tuple[Subscription, ...]
    rights: Rights
    metadata: bool
    string_booleans: bool
    connections: bool


def tables(documents: Documents, view: View) -> Mapping[str, Callable[[], Table]]:
    """Every table by its name; a table is made when a query asks for it.

    Azure, what the asker may not read is simply not there (behaviour reference section 2.8).
    """
    tenants = {each.id.lower(): each.tenant for each in view.subscriptions}

    def seen(resource_types: list[str]) -> Iterator[tuple[Document, Row]]:
        for resource_type in resource_types:
            action = f"{resource_type}/read"
            for document in documents.of_type(resource_type):
                parsed = ids.parse(document["id"])
                tenant = tenants.get(parsed.subscription.lower())
                if tenant is not None and view.rights.allow(action, parsed.text):
                    yield document, _row(document, parsed, resource_type, tenant)

    def resources() -> Table:
        found = [row for _, row in seen([each for each in documents.types() if _is_resource(each)])]
        return _table(found if view.connections else [_without_connections(row) for row in found], view)

    def containers() -> Table:
        subscriptions = [
            each for each in view.subscriptions if view.rights.allow(f"{ids.SUBSCRIPTION}/read", _id_of(each))
        ]
        groups = [row for _, row in seen([ids.RESOURCE_GROUP.lower()])]
        return _table([*map(_subscription_row, subscriptions), *groups], view)

    def record_sets() -> Table:
        rows = [_record_row(documents, document, row, view) for document, row in seen(list(_RECORD_SETS))]
        return _table(rows, view)

    return {"resources": resources, "resourcecontainers": containers, "dnsresources": record_sets}


def _table(rows: list[Row], view: View) -> Table:
    return Table(COLUMNS, [_with_string_booleans(row) for row in rows] if view.string_booleans else rows)


def _is_resource(resource_type: str) -> bool:
    if resource_type.startswith(_ELSEWHERE):
        return False
    return resource_type.count("/") == 1 or resource_type in _INDEXED_CHILDREN


def _without_connections(row: Row) -> Row:
    """Azure, nobody states of which types the index shows connections: a switch (behaviour reference section 5.4)."""
    shown = row["properties"]
    if not isinstance(shown, Mapping):
        return row
    return {**row, "properties": {name: each for name, each in shown.items() if name != CHILD}}


def _row(document: Document, parsed: ids.Id, resource_type: str, tenant: str) -> Row:
    """A document as the index has it: type and resource group in lower case."""
    return {
        "id": document["id"],
        "name": parsed.name,
        "type": resource_type,
        "tenantId": tenant,
        "kind": document.get("kind") or "",
        "location": document.get("location") or "",
        "resourceGroup": parsed.resource_group.lower(),
        "subscriptionId": parsed.subscription,
        "managedBy": document.get("managedBy") or "",
        **{name: document.get(name) for name in _DYNAMICS},
    }


def _record_row(documents: Documents, document: Document, row: Row, view: View) -> Row:
    """A record set's row: its zone in `managedBy`, its records in `records` whatever their type.

    Azure, whether it shows metadata, ttl, fqdn and etag is unverified, so a switch.
    """
    zone_id, held = ids.parse(document["id"]).parent, document.get("properties") or {}
    records = held.get(_RECORD_SETS[row["type"]]) or []
    properties: dict[str, Any] = {"records": records if isinstance(records, list) else [records]}
    properties["isAutoRegistered"] = bool(held.get("isAutoRegistered"))
    if properties["isAutoRegistered"]:
        properties |= _registration(documents, zone_id, held)
    if view.metadata:
        properties |= {name: held[name] for name in ("fqdn", "ttl", "metadata") if name in held}
        properties |= {"etag": document["etag"]} if "etag" in document else {}
    return {**row, "managedBy": ids.parse(zone_id).name, "properties": properties}


def _registration(documents: Documents, zone_id: str, held: Mapping[str, Any]) -> dict[str, Any]:
    """The network that a record comes from: as the document says, or else by the zone's link with registration."""
    links = [each for each in documents.below(zone_id, LINKS) if each["properties"].get("registrationEnabled")]
    found: dict[str, Any] = {}
    if links:
        network = links[0]["properties"]["virtualNetwork"]["id"]
        found = {"virtualNetworkId": network, "virtualNetworkLinkName": ids.parse(links[0]["id"]).name}
    return {**found, **{name: held[name] for name in ("virtualNetworkId", "virtualNetworkLinkName") if name in held}}


def _id_of(subscription: Subscription) -> str:
    return f"/subscriptions/{subscription.id}"


def _subscription_row(subscription: Subscription) -> Row:
    shown = subscription_document(subscription)
    chain = [{"name": group, "displayName": group} for group in subscription.management_groups]
    return {
        **dict.fromkeys(_TEXTS, ""),
        **dict.fromkeys(_DYNAMICS),
        "id": shown["id"],
        "name": subscription.id,
        "type": ids.SUBSCRIPTION.lower(),
        "tenantId": subscription.tenant,
        "subscriptionId": subscription.id,
        "properties": {"state": shown["state"], "managementGroupAncestorsChain": chain},
    }


def _with_string_booleans(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return {name: _with_string_booleans(each) for name, each in value.items()}
    return [_with_string_booleans(each) for each in value] if isinstance(value, list) else value
