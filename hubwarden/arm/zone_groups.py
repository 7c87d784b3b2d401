"""Private DNS zone groups of endpoints: listed, read, and deleted for a person who takes their records over."""

from __future__ import annotations

from hubwarden.arm.documents import Document, has_succeeded
from hubwarden.arm.failures import NOWHERE, shaped, translated
from hubwarden.arm.session import ArmSession
from hubwarden.errors import NotFoundError
from hubwarden.model.record import RecordKey, RecordType
from hubwarden.model.resource_id import ResourceId, fold
from hubwarden.model.takeover import GroupZone, ZoneGroup


async def list_zone_groups(session: ArmSession, endpoint: ResourceId) -> tuple[ZoneGroup, ...]:
    """The zone groups of an endpoint. Raises NotFoundError, DeniedError, InputError, TemporaryError."""
    groups = session.network(endpoint.subscription).private_dns_zone_groups
    with translated("listing the zone groups of", endpoint):
        # The SDK has these two the other way round than everywhere else (behaviour reference section 2.5).
        return tuple([to_zone_group(each) async for each in groups.list(endpoint.name, endpoint.group)])


async def read_zone_group(session: ArmSession, group: ResourceId) -> ZoneGroup | None:
    """A zone group as it is now; None where Azure says that it, or its endpoint, is not there."""
    endpoint = group.parent
    groups = session.network(group.subscription).private_dns_zone_groups
    try:
        with translated("reading", group, absent=NOWHERE):
            return to_zone_group(await groups.get(endpoint.group, endpoint.name, group.name))
    except NotFoundError as error:
        if error.proves_absence:
            return None
        raise


async def delete_zone_group(session: ArmSession, group: ResourceId) -> None:
    """Asks for a zone group's deletion and does not wait for its end: its records may go before it does."""
    endpoint = group.parent
    groups = session.network(group.subscription).private_dns_zone_groups
    with translated("deleting", group):
        await groups.begin_delete(endpoint.group, endpoint.name, group.name, polling=False)


def to_zone_group(document: Document) -> ZoneGroup:
    """The document of a zone group as a ZoneGroup. Raises InputError for what has another shape than Azure's."""
    with shaped(f"the zone group {str(document.get('id'))[:200]}"):
        properties = document.get("properties") or {}
        return ZoneGroup(
            id=ResourceId.parse(document.get("id")),
            zones=tuple(_to_zone(config) for config in properties.get("privateDnsZoneConfigs") or ()),
            settled=has_succeeded(properties),
        )


def _to_zone(config: Document) -> GroupZone:
    properties = config.get("properties") or {}
    zone = ResourceId.parse(properties.get("privateDnsZoneId"))
    records = tuple(
        RecordKey(zone, fold(str(each.get("recordSetName"))), RecordType(str(each.get("recordType")).upper()))
        for each in properties.get("recordSets") or ()
    )
    return GroupZone(str(config.get("name") or ""), zone, records)
