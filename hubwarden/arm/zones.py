"""Private DNS zones and their record sets: listed, read, and written under a condition, always."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.mgmt.privatedns import models

from hubwarden.arm.failures import NOWHERE, RECORD_ABSENT, shaped, translated
from hubwarden.arm.session import ArmSession
from hubwarden.errors import HubwardenError, InputError, NotFoundError, RefusedError, UnavailableError
from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import ordered
from hubwarden.model.plan import Drop, Put
from hubwarden.model.record import RecordKey, RecordSet, RecordType
from hubwarden.model.resource_id import ResourceId, fold
from hubwarden.model.zone import MAKER_TAG, Zone
from hubwarden.telemetry.tracing import spanned

ZONE_FULL = "ZoneFull"
"""Our own code for a refusal, as Azure's is not known."""

_ADDRESSES = {RecordType.A: ("aRecords", "ipv4Address"), RecordType.AAAA: ("aaaaRecords", "ipv6Address")}


async def list_zones(session: ArmSession, resource_group: ResourceId) -> tuple[Zone, ...]:
    """The zones of a resource group. Raises rather than give a part of them."""
    client = session.dns(resource_group.subscription)
    zones = []
    with translated("listing the zones of", resource_group):
        async for zone in client.private_zones.list_by_resource_group(resource_group.group):
            try:
                zones.append(to_zone(zone))
            except InputError:
                continue  # a zone that we could not name can hold no record of ours
    return tuple(zones)


def to_zone(document: Mapping[str, Any]) -> Zone:
    """The document of a zone as a Zone (behaviour reference section 3.2). Raises InputError for any other shape."""
    with shaped(f"zone {str(document.get('id'))[:200]}"):
        return _to_zone(document)


def _to_zone(document: Mapping[str, Any]) -> Zone:
    properties = document.get("properties") or {}
    return Zone(
        id=ResourceId.parse(document.get("id")),
        name=DnsName.parse(document.get("name")),
        maker=str((document.get("tags") or {}).get(MAKER_TAG) or ""),
        record_sets=int(properties.get("numberOfRecordSets") or 0),
        most_record_sets=int(properties.get("maxNumberOfRecordSets") or 0),
        links=int(properties.get("numberOfVirtualNetworkLinks") or 0),
    )


async def list_records(session: ArmSession, zone: Zone) -> tuple[RecordSet, ...]:
    """The A and AAAA record sets of a zone, a hundred to a request. Raises rather than give a part of them."""
    client = session.dns(zone.id.subscription)
    records = []
    with translated("listing the records of", zone.id):
        async for document in client.record_sets.list(zone.id.group, zone.id.name):
            kind = str(document.type or "").rpartition("/")[2].upper()
            if kind in RecordType.__members__:
                key = RecordKey(zone.id, fold(str(document.name)), RecordType(kind))
                records.append(to_record_set(key, document))
    return tuple(records)


async def read_record(session: ArmSession, key: RecordKey) -> RecordSet | None:
    """What stands under a key now; None for nothing. Raises NotFoundError where the answer does not prove that."""
    try:
        with translated("reading record", key, absent=RECORD_ABSENT):
            document = await session.dns(key.zone.subscription).record_sets.get(*_place(key))
    except NotFoundError as error:
        if error.proves_absence:
            return None
        raise
    return to_record_set(key, document)


@spanned("put record")
async def put_record(session: ArmSession, put: Put) -> str:
    """Creates or changes a record set as the Put insists, and gives its new etag.

    Raises RacedError where the condition does not hold (412), NotFoundError where the zone is gone, and RefusedError
    with the code ZONE_FULL where it takes no more.
    """
    array, field = _ADDRESSES[put.key.type]
    record = models.RecordSet(
        {
            "properties": {
                "ttl": put.ttl,
                "metadata": put.owner.to_metadata(),
                array: [{field: str(address)} for address in put.addresses],
            }
        }
    )
    records = session.dns(put.key.zone.subscription).record_sets
    try:
        with translated("writing record", put.key):
            answer = await records.create_or_update(*_place(put.key), record, **_insisting_on(put.etag))
    except (RefusedError, UnavailableError) as error:
        if put.etag is None and await _is_full(session, put.key.zone, error):
            raise RefusedError(
                f"{put.key.zone.name} is full, so it takes no new record: {error}", code=ZONE_FULL
            ) from error
        raise
    return str(answer.etag)


async def _is_full(session: ArmSession, zone: ResourceId, error: HubwardenError) -> bool:
    """Whether a creation was refused for want of room: how Azure says so is not verified, so the zone is read."""
    cause = error.__cause__
    if not isinstance(cause, HttpResponseError) or cause.status_code not in (400, 409):
        return False
    try:
        with translated("reading zone", zone):
            document = await session.dns(zone.subscription).private_zones.get(zone.group, zone.name)
    except HubwardenError:
        return False  # then the refusal itself is what is told
    return to_zone(document).room == 0


@spanned("drop record")
async def drop_record(session: ArmSession, drop: Drop) -> None:
    """Deletes a record set as the Drop insists; one that is gone, or its zone, is fine. Raises RacedError on a 412."""
    records = session.dns(drop.key.zone.subscription).record_sets
    try:
        with translated("deleting record", drop.key, absent=NOWHERE):
            await records.delete(*_place(drop.key), **_insisting_on(drop.etag))
    except NotFoundError as error:
        if not error.proves_absence:
            raise


def to_record_set(key: RecordKey, document: Mapping[str, Any]) -> RecordSet:
    """The document of a record set as a RecordSet. Raises InputError for what has another shape than Azure's."""
    with shaped(f"record {key}"):
        return _to_record_set(key, document)


def _to_record_set(key: RecordKey, document: Mapping[str, Any]) -> RecordSet:
    properties = document.get("properties") or {}
    array, field = _ADDRESSES[key.type]
    return RecordSet.read(
        key,
        ordered(ipaddress.ip_address(item[field]) for item in properties.get(array) or ()),
        properties.get("metadata") or {},
        ttl=int(properties.get("ttl") or 0),
        etag=str(document.get("etag") or ""),
        auto_registered=properties.get("isAutoRegistered") is True,
    )


def _place(key: RecordKey) -> tuple[str, str, str, str]:
    return (key.zone.group, key.zone.name, key.type.value, key.name)


def _insisting_on(etag: str | None) -> dict[str, Any]:
    """`If-None-Match: *` for None, else `If-Match`.

    The SDK leaves the condition out, silently, when the etag is empty, so an empty one must never get there.
    """
    if etag is None:
        return {"match_condition": MatchConditions.IfMissing}
    if not etag:
        raise InputError("a change or a deletion needs the etag of the record that it is meant for")
    return {"etag": etag, "match_condition": MatchConditions.IfNotModified}
