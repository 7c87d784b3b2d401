"""The estate as Resource Graph shows it: endpoints, record sets, pending connections. All of it hints, none proves.

Arrays are asked for whole and expanded here: `mv-expand` stops at 128 rows and says nothing (behaviour reference
section 5.5). An id or address that cannot be read costs its own row only.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hubwarden.arm.connections import to_connection
from hubwarden.arm.documents import Document
from hubwarden.arm.endpoints import to_endpoint
from hubwarden.arm.failures import shaped
from hubwarden.arm.graph import rows_of
from hubwarden.arm.session import ArmSession
from hubwarden.arm.zones import list_records
from hubwarden.errors import InputError
from hubwarden.model.connection import Connection
from hubwarden.model.endpoint import Endpoint, ordered, private_endpoint_id
from hubwarden.model.record import RecordKey, RecordSet, RecordType
from hubwarden.model.resource_id import ResourceId, fold
from hubwarden.model.zone import Zone

_ENDPOINTS = (
    "resources | where type =~ 'microsoft.network/privateendpoints'"
    " | project id, location, provisioningState = tostring(properties.provisioningState),"
    " resourceGuid = tostring(properties.resourceGuid),"
    " connections = properties.privateLinkServiceConnections,"
    " manualConnections = properties.manualPrivateLinkServiceConnections,"
    " customDnsConfigs = properties.customDnsConfigs"
    " | order by id asc"
)
_INTERFACES = (
    "resources | where type =~ 'microsoft.network/networkinterfaces' and isnotempty(properties.privateEndpoint.id)"
    " | project id, endpoint = tostring(properties.privateEndpoint.id), ipConfigurations = properties.ipConfigurations"
    " | order by id asc"
)
_RECORDS = (
    "dnsresources | where type in~ ('microsoft.network/privatednszones/a', 'microsoft.network/privatednszones/aaaa')"
    " | project id, records = properties.records, ttl = properties.ttl, metadata = properties.metadata,"
    " autoRegistered = properties.isAutoRegistered"
    " | order by id asc"
)
_CONNECTIONS = (
    "resources | where tostring(properties.privateEndpointConnections) contains '{word}'"
    " | project id, type, connections = properties.privateEndpointConnections"
    " | order by id asc"
)
_WITHOUT_CONNECTIONS = (
    "resources | where type in~ ({types}) and isnull(properties.privateEndpointConnections)"
    " | project id | order by id asc"
)
_BY_TARGET = (
    "resources | where type =~ 'microsoft.network/privateendpoints'"
    " | where tostring(properties.privateLinkServiceConnections) contains '{target}\"'"
    " or tostring(properties.manualPrivateLinkServiceConnections) contains '{target}\"'"
    " | project id | order by id asc"
)
_GUIDS = (
    "resources | where type =~ 'microsoft.network/privateendpoints' and id in~ ({endpoints})"
    " | project id, resourceGuid = tostring(properties.resourceGuid) | order by id asc"
)
_GUIDS_AT_ONCE = 100  # so that the question stays short
_RECREATE = "Recreate"  # the only action that Azure names, beside None (approval table)
_ADDRESS_FIELDS = ("ipv4Address", "ipv6Address")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EndpointsShown:
    """The private endpoints that the index shows."""

    found: Mapping[ResourceId, Endpoint]
    unreadable: Mapping[ResourceId, str]
    """Those that cannot be read, each with what is wrong with it."""
    nameless: tuple[str, ...]
    """What is wrong with each whose very id cannot be read."""


async def endpoints_in_index(session: ArmSession, subscriptions: Collection[str]) -> EndpointsShown:
    """The private endpoints of these subscriptions with what their network interfaces show."""
    rows, interfaces = await asyncio.gather(
        rows_of(session, _ENDPOINTS, subscriptions=subscriptions, about="private endpoints"),
        rows_of(session, _INTERFACES, subscriptions=subscriptions, about="their network interfaces"),
    )
    by_endpoint: dict[str, list[Document]] = {}
    for row in interfaces:
        by_endpoint.setdefault(fold(str(row["endpoint"])), []).append(
            {"properties": {"ipConfigurations": row["ipConfigurations"]}}
        )
    found: dict[ResourceId, Endpoint] = {}
    unreadable: dict[ResourceId, str] = {}
    nameless: list[str] = []
    for endpoint, row in _by_id(rows, private_endpoint_id, nameless):
        try:
            found[endpoint] = to_endpoint(_to_document(row), by_endpoint.get(fold(str(row["id"])), ()))
        except InputError as error:
            unreadable[endpoint] = str(error)
    return EndpointsShown(found, unreadable, tuple(nameless))


async def records_in_index(session: ArmSession, zones: Iterable[Zone], *, ttl: int) -> dict[RecordKey, RecordSet]:
    """The record sets of these zones, without their etags; `ttl` stands in where the index shows none.

    Where the index shows no metadata at all, nobody's mark can be seen: then the zones are listed by ARM instead.
    """
    by_id = {zone.id: zone for zone in zones}
    rows = await rows_of(session, _RECORDS, subscriptions={zone.subscription for zone in by_id}, about="record sets")
    found: dict[RecordKey, RecordSet] = {}
    marked = False
    for row in rows:
        try:
            with shaped(str(row["id"])):
                key = _key(ResourceId.parse(row["id"]))
                record = _to_record_set(key, row, ttl)
        except InputError:
            continue  # ARM shows it when somebody wants the name
        if key.zone in by_id:
            found[key] = record
            marked = marked or row["metadata"] is not None
    if marked or not found:
        return found
    listed = [await list_records(session, by_id[zone]) for zone in sorted({key.zone for key in found})]
    return {record.key: record for records in listed for record in records}


async def connections_in_index(
    session: ArmSession, subscriptions: Collection[str], status: str
) -> tuple[tuple[Connection, ...], tuple[str, ...]]:
    """The connections of these subscriptions' resources that show this status, and what is wrong with those unread."""
    return await _connections(session, subscriptions, status, lambda each: each.status == status)


async def connections_to_recreate(
    session: ArmSession, subscriptions: Collection[str]
) -> tuple[tuple[Connection, ...], tuple[str, ...]]:
    """Those that ask their consumers to be made anew, whatever else; and likewise."""
    return await _connections(session, subscriptions, _RECREATE, lambda each: each.must_act)


async def _connections(
    session: ArmSession, subscriptions: Collection[str], word: str, keep: Callable[[Connection], bool]
) -> tuple[tuple[Connection, ...], tuple[str, ...]]:
    """Those of the connections in whose resource's row there is a word, whatever it says there, that are to be kept.

    And what is wrong with each there that cannot be read.
    """
    query = _CONNECTIONS.format(word=word)
    rows = await rows_of(session, query, subscriptions=subscriptions, about=f"connections that are {word}")
    found: list[Connection] = []
    nameless: list[str] = []
    for target, row in _by_id(rows, ResourceId.parse, nameless):
        for document in row["connections"] or ():
            try:
                connection = to_connection(document)
            except InputError as error:
                log.warning("index: a connection of %s is left out: %s", target, error)
                nameless.append(f"Resource Graph shows a connection of {target} that cannot be read: {error}")
                continue
            if keep(connection) and connection.target == target:
                found.append(connection)
    return tuple(found), tuple(nameless)


async def targets_without_connections(
    session: ArmSession, subscriptions: Collection[str], types: Iterable[str]
) -> tuple[tuple[ResourceId, ...], tuple[str, ...]]:
    """The resources of these types of which the index does not show connections, be there any or none.

    Which types those are nobody states; what a resource shows with an empty list is not among them. And what is wrong
    with each whose id cannot be read.
    """
    query = _WITHOUT_CONNECTIONS.format(types=", ".join(f"'{each}'" for each in types))
    rows = await rows_of(session, query, subscriptions=subscriptions, about="resources without connections")
    nameless: list[str] = []
    return tuple(target for target, _ in _by_id(rows, ResourceId.parse, nameless)), tuple(nameless)


async def guids_in_index(
    session: ArmSession, subscriptions: Collection[str], endpoints: Collection[ResourceId]
) -> dict[ResourceId, str]:
    """The resourceGuids of those of the endpoints that are in these subscriptions and that the index shows."""
    asked = sorted({each for each in endpoints if fold(each.subscription) in subscriptions})
    found: dict[ResourceId, str] = {}
    for start in range(0, len(asked), _GUIDS_AT_ONCE):
        some = asked[start : start + _GUIDS_AT_ONCE]
        query = _GUIDS.format(endpoints=", ".join(f"'{each.key}'" for each in some))
        about = "resourceGuids of endpoints that wait"
        rows = await rows_of(session, query, subscriptions={fold(each.subscription) for each in some}, about=about)
        found |= {endpoint: str(row["resourceGuid"]) for endpoint, row in _by_id(rows, private_endpoint_id, [])}
    return found


async def endpoints_of_target(
    session: ArmSession, subscriptions: Collection[str], target: ResourceId
) -> frozenset[ResourceId]:
    """The private endpoints of these subscriptions that lead to a resource."""
    query = _BY_TARGET.format(target=target.key)
    rows = await rows_of(session, query, subscriptions=subscriptions, about=f"endpoints to {target}")
    return frozenset(endpoint for endpoint, _ in _by_id(rows, ResourceId.parse, []))


def _by_id(
    rows: Iterable[Mapping[str, Any]], parse: Callable[[object], ResourceId], nameless: list[str]
) -> Iterator[tuple[ResourceId, Mapping[str, Any]]]:
    """The rows whose ids can be read, with these; what is wrong with the others is put into `nameless`."""
    for row in rows:
        try:
            yield parse(row["id"]), row
        except InputError as error:
            log.warning("index: a row is left out: %s", error)
            nameless.append(f"Resource Graph shows a resource that is left out, for its id cannot be read: {error}")


def _to_document(row: Mapping[str, Any]) -> Document:
    """A row with its narrow columns as ARM would show the endpoint."""
    return {
        "id": row["id"],
        "location": row["location"],
        "properties": {
            "provisioningState": row["provisioningState"],
            "resourceGuid": row["resourceGuid"],
            "privateLinkServiceConnections": row["connections"],
            "manualPrivateLinkServiceConnections": row["manualConnections"],
            "customDnsConfigs": row["customDnsConfigs"],
        },
    }


def _key(record: ResourceId) -> RecordKey:
    return RecordKey(record.parent, fold(record.name), RecordType(record.path[-1][0].upper()))


def _to_record_set(key: RecordKey, row: Mapping[str, Any], ttl: int) -> RecordSet:
    texts = [item.get(field) for item in row["records"] or () for field in _ADDRESS_FIELDS]
    return RecordSet.read(
        key,
        ordered(ipaddress.ip_address(text) for text in texts if text),
        row["metadata"] or {},
        ttl=int(row["ttl"] or ttl),
        etag="",
        auto_registered=str(row["autoRegistered"]).lower() in ("true", "1"),
    )
