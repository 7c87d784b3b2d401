"""What is warned of: names that a hub's filter keeps out of a zone its clients ask, zones had twice, odd ids."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from hubwarden.errors import HubwardenError
from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import Endpoint
from hubwarden.model.hub import HubZones
from hubwarden.model.plan import PlanWarning, Want
from hubwarden.model.record import RecordKey, RecordSet, RecordType
from hubwarden.model.resource_id import ResourceId
from hubwarden.reconcile.look import wishes_of
from hubwarden.reconcile.observe import View, read_records
from hubwarden.reconcile.rooms import Rooms
from hubwarden.reconcile.write import Part

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A name that would have a record in a hub's zone, if the hub published its endpoint."""

    endpoint: Endpoint
    want: Want


async def warned(rooms: Rooms, part: Part, views: Iterable[View]) -> Part:
    """A part that was only planned, with what is to be warned of at the endpoints that were asked for."""
    seen = [view.sights[endpoint].seen for view in views for endpoint in view.ask.endpoints]
    warnings = await kept_out(rooms, [each for each in seen if isinstance(each, Endpoint)])
    return replace(part, plan=replace(part.plan, warnings=(*part.plan.warnings, *warnings)))


async def kept_out(
    rooms: Rooms, endpoints: Iterable[Endpoint], shown: Collection[RecordKey] | None = None
) -> tuple[PlanWarning, ...]:
    """Names that the clients of a hub cannot resolve: it does not publish the endpoint, and they see its zone.

    A name for which the zone has a record all the same is none of them: `shown` are the records that there are; without
    it, they are read. The links of a zone are looked at only where there is such a name.
    """
    hubs = await rooms.estate.hubs()
    kept = [each for endpoint in endpoints for each in await _kept(rooms, endpoint, hubs)]
    if kept and shown is None:
        keys = {replace(each.want.key, type=kind) for each in kept for kind in RecordType}
        read = await read_records(rooms, keys, strict=False)
        shown = [key for key, record in read.items() if isinstance(record, RecordSet)]
    answered = {(key.zone, key.name) for key in shown or ()}
    lacking = [each for each in kept if (each.want.key.zone, each.want.key.name) not in answered]
    by_name = {hub.hub.name: hub for hub in hubs}
    places = dict.fromkeys((each.want.hub, each.want.key.zone) for each in lacking)
    harm = {(hub, zone): await _harm(rooms, by_name[hub], zone) for hub, zone in places}
    warnings = [
        PlanWarning(each.want.hub, each.want.key.zone, detail, each.want.fqdn, each.endpoint.id)
        for each in lacking
        if (detail := harm[each.want.hub, each.want.key.zone])
    ]
    return tuple(dict.fromkeys(warnings))


def had_twice(hubs: Iterable[HubZones]) -> tuple[PlanWarning, ...]:
    """Zones in which no record is written, for the hub has one of the same name in a group that comes first."""
    return tuple(
        PlanWarning(
            hub.hub.name,
            zone.id,
            f"hub {hub.hub.name} has zone {zone.name} in resource group {zone.id.group} as well as in "
            f"{hub.zones[zone.name].id.group}, and writes to the latter only",
        )
        for hub in hubs
        for zone in hub.hidden
    )


def left_out(nameless: Iterable[str]) -> tuple[PlanWarning, ...]:
    """What the index shows under ids that cannot be read: of those nothing can be held, and nobody else tells."""
    return tuple(PlanWarning("", None, each) for each in nameless)


async def _kept(rooms: Rooms, endpoint: Endpoint, hubs: Sequence[HubZones]) -> list[_Kept]:
    """What it would want in the hubs that do not publish it, if they did; a zone may be one of several hubs'."""
    where = {"subscription": endpoint.id.subscription, "location": endpoint.location}
    others = [
        replace(hub, hub=replace(hub.hub, locations=frozenset(), subscriptions=frozenset()))
        for hub in hubs
        if not hub.trouble and not hub.hub.publishes(**where)
    ]
    if not others:
        return []
    try:
        wished = await wishes_of(rooms, endpoint, hubs=others)
    except HubwardenError as error:
        log.warning("warn: what %s would want is not known: %s", endpoint.id, error)
        return []
    served = {zone.id for hub in hubs if hub.hub.publishes(**where) for zone in hub.zones.values()}
    return [_Kept(endpoint, want) for want in wished.wants if want.key.zone not in served]


async def _harm(rooms: Rooms, hub: HubZones, zone: ResourceId) -> str:
    """What the hub's clients get for a name of which this zone has no record; empty where no harm comes of it.

    A link that redirects lets Azure ask the public DNS, for privatelink zones only (behaviour reference section 3.6).
    """
    try:
        links = await rooms.estate.links(zone)
    except HubwardenError as error:
        return f"hub {hub.hub.name} does not publish it; whether its clients see zone {zone.name} is not shown: {error}"
    redirects = DnsName.parse(zone.name).is_private_link
    for link in links:
        if (not hub.hub.networks or link.network in hub.hub.networks) and not (link.redirects and redirects):
            return (
                f"hub {hub.hub.name} does not publish it, and zone {zone.name} is linked to {link.network.name} "
                "without NxDomainRedirect: clients there get NXDOMAIN"
            )
    return ""
