"""A zone of a hub, from nothing to linked: made, filled, checked, and only then linked, so that no name is ever lost.

Each step looks at what is there: whatever an earlier try left undone is finished by the next. Zones that do not bear
our tag are never linked or changed.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hubwarden.arm.failures import BY_POLICY, LOCKED
from hubwarden.arm.index import endpoints_in_index
from hubwarden.arm.zone_making import link_zone, list_links, make_zone
from hubwarden.arm.zones import list_records
from hubwarden.dns.plan import is_protected
from hubwarden.errors import DeniedError, HubwardenError, RacedError, RefusedError, UnavailableError
from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import Endpoint, Gone
from hubwarden.model.hub import Hub
from hubwarden.model.plan import MissingZone, Plan, PlanWarning, Want
from hubwarden.model.record import RecordKey, RecordSet
from hubwarden.model.report import Outcome, Result
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneZone
from hubwarden.model.zone import LinkZone, MakeZone, Zone, ZoneChange
from hubwarden.reconcile.apply import failure
from hubwarden.reconcile.at_once import in_batches
from hubwarden.reconcile.look import wishes_of
from hubwarden.reconcile.observe import Ask, View, observe
from hubwarden.reconcile.rooms import Rooms
from hubwarden.reconcile.sweep import AT_ONCE
from hubwarden.reconcile.write import Orders, Part, together, write_all

_OVERLAPPING = "overlapping namespaces"

log = logging.getLogger(__name__)

Wanted = dict[ResourceId, tuple[Want, ...]]
"""What endpoints want in a zone, as the index tells; nothing where it does not show them, or the zone is not there."""


@dataclass(frozen=True, slots=True)
class _Place:
    """The zone that is asked for, and its hub."""

    hub: Hub
    scope: OneZone

    @property
    def name(self) -> DnsName:
        return DnsName.parse(self.scope.zone.name)


async def complete_zone(rooms: Rooms, scope: OneZone, orders: Orders) -> Part:
    """Makes the zone if it is wanted and not there, writes what belongs in it, and links it once all of that stands.

    Raises where Azure or the ledger gives no answer before anything was done; after that, the Report tells.
    """
    hub = rooms.rules.hubs.get(scope.hub)
    if hub is None or not hub.creates_zones or hub.zone_id(DnsName.parse(scope.zone.name)) != scope.zone:
        return Part()  # the settings do not ask for it any more
    done: list[Part] = []
    try:
        await _step_by_step(rooms, _Place(hub, scope), orders, done)
    except HubwardenError as error:
        if not any(part.outcomes for part in done):
            raise
        log.warning("zones: %s is not complete yet: %s", scope.zone, error)
        left = PlanWarning(scope.hub, scope.zone, f"the zone is not complete yet: {error}")
        done.append(Part(Plan(warnings=(left,)), complete=False))
    return together(done)


async def _step_by_step(rooms: Rooms, place: _Place, orders: Orders, done: list[Part]) -> None:
    """The steps, each of which leaves in `done` what came of it."""
    rooms.estate.forget_zones()
    zone = await _zone_at(rooms, place)
    wanted = await _wanted(rooms, place)
    if zone is None:
        if not await _is_missed(rooms, place, wanted):
            return
        done.append(await _made(rooms, place, wanted, orders))
        zone = await _zone_at(rooms, place) if orders.applies and not _failed(done[-1]) else None
        if zone is None:
            planned = () if orders.applies else _links(place, ())
            done.append(Part(Plan(zones=planned), complete=not orders.applies))
            return
        wanted = await _wanted(rooms, place)
    if zone.id != place.scope.zone or zone.maker not in rooms.rules.instances:
        log.info("zones: %s is there, and is not ours to fill or link", zone.id)
        return
    views = await _fill(rooms, zone, wanted, orders, done)
    is_filled = all(part.complete for part in done)
    done.append(await _linked_if_right(rooms, place, views, wanted, orders, is_filled=is_filled))


async def _zone_at(rooms: Rooms, place: _Place) -> Zone | None:
    """The hub's zone of that name now. Raises UnavailableError where its zones are not shown."""
    hub = next(each for each in await rooms.estate.hubs() if each.hub.name == place.hub.name)
    if hub.trouble:
        raise UnavailableError(f"the zones of hub {place.hub.name} were not shown: {hub.trouble}")
    return hub.zones.get(place.name)


async def _wanted(rooms: Rooms, place: _Place) -> Wanted:
    """Everybody in the estate whose records belong in the zone, or would.

    Those that found it missing are among them, for the index may not show them yet.
    """
    shown = await endpoints_in_index(rooms.arm, await rooms.estate.members())
    found: Wanted = {}
    for endpoint in shown.found.values():
        try:
            wished = await wishes_of(rooms, endpoint, looks_twice=False)
        except HubwardenError as error:
            log.warning("zones: what %s wants is not known yet: %s", endpoint.id, error)
            found[endpoint.id] = ()  # it is looked at, and holds only itself
            continue
        wants = tuple(want for want in wished.wants if want.key.zone == place.scope.zone)
        if wants or any(_misses(place, held.missing) for held in wished.held):
            found[endpoint.id] = wants
    for waiting in await rooms.claims.waiting_for(place.scope.zone):
        if await rooms.estate.includes(waiting.subscription):
            found.setdefault(waiting, ())
    return found


def _misses(place: _Place, missing: MissingZone | None) -> bool:
    return missing is not None and missing.creatable and (missing.hub, missing.zone) == (place.hub.name, place.name)


async def _is_missed(rooms: Rooms, place: _Place, wanted: Wanted) -> bool:
    """Whether ARM itself shows an endpoint that misses the zone: the index only hints."""
    for batch in in_batches(sorted(wanted), AT_ONCE):
        view = await observe(rooms, Ask(batch))
        if any(_misses(place, held.missing) for held in view.plan.held):
            return True
    return False


async def _made(rooms: Rooms, place: _Place, wanted: Wanted, orders: Orders) -> Part:
    why = f"hub {place.hub.name} has none, and {len(wanted)} of the estate's endpoints have names in it"
    change = MakeZone(place.hub.name, place.scope.zone, rooms.rules.instance, why)
    plan = Plan(zones=(change,))
    if not orders.applies:
        return Part(plan)
    try:
        await make_zone(rooms.arm, change)
    except RacedError as error:
        # Another instance's, or a person's: which of them, its tag tells.
        log.info("zones: %s", error)
        return Part()
    except HubwardenError as error:
        return Part(plan, (failure(change, error, _advice(change, error)),))
    finally:
        rooms.estate.forget_zones()
    return Part(plan, (Outcome(change, Result.DONE),))


async def _fill(rooms: Rooms, zone: Zone, wanted: Wanted, orders: Orders, done: list[Part]) -> list[View]:
    """Writes the records of all who have names in the zone, as any look does; those that stand cost no look."""
    standing = {record.key: record for record in await list_records(rooms.arm, zone)}
    wants = [want for each in wanted.values() for want in each]
    absent = {want.key for want in wants if want.key not in standing}
    doubted = {want.key for want in wants if want.key not in absent and standing[want.key].addresses != want.addresses}
    open_keys = absent | doubted
    left = [who for who, each in wanted.items() if not each or any(want.key in open_keys for want in each)]
    views = []
    for batch in in_batches(sorted(left), AT_ONCE):
        views.append(await observe(rooms, Ask(batch, absent=absent, doubted=doubted)))
        done.append(await write_all(rooms, views[-1:], orders))
    return views


async def _linked_if_right(
    rooms: Rooms, place: _Place, views: Sequence[View], wanted: Wanted, orders: Orders, *, is_filled: bool
) -> Part:
    """Links the zone to the hub's networks, unless a name would be lost by it."""
    zone = place.scope.zone
    linked = {link.network for link in await list_links(rooms.arm, zone)}
    changes = _links(place, linked)
    if not changes or not orders.applies:
        return Part(Plan(zones=changes))
    records = {record.key: record for record in await list_records(rooms.arm, Zone(zone, place.name))}
    lacking = [
        PlanWarning(place.hub.name, zone, "the zone is not linked yet: the name has no right record", fqdn, endpoint)
        for endpoint, fqdn in dict.fromkeys(_lacking(rooms, zone, views, wanted, records))
    ]
    if lacking or not is_filled:
        log.warning("zones: %s is not linked yet: %d names have no right record in it", zone, len(lacking))
        return Part(Plan(warnings=tuple(lacking)), complete=False)
    # One after the other: operations on one zone may be in each other's way (behaviour reference section 3.2).
    outcomes = [outcome for change in changes if (outcome := await _linked(rooms, change)) is not None]
    rooms.estate.forget_zones()
    return Part(Plan(zones=tuple(change for change in changes if change in _told(outcomes))), tuple(outcomes))


def _lacking(
    rooms: Rooms, zone: ResourceId, views: Iterable[View], wanted: Wanted, records: Mapping[RecordKey, RecordSet]
) -> Iterator[tuple[ResourceId, str]]:
    """Who has a name in the zone for which it does not answer rightly: what ARM shows counts, else the index."""
    for view in views:
        for endpoint in view.ask.endpoints:
            sight = view.sights[endpoint]
            for want in wanted[endpoint] if _in_doubt(sight.seen) else sight.wishes.wants:
                if want.key.zone == zone and not _is_right(rooms, records.get(want.key), want, sight.seen):
                    yield endpoint, want.fqdn


def _in_doubt(seen: Endpoint | Gone) -> bool:
    """Whether what ARM shows does not tell which names the endpoint has: it gives no proof, or Azure is at work."""
    if isinstance(seen, Gone):
        return not seen.proven and seen.moved_to is None
    return not seen.settled


def _is_right(rooms: Rooms, record: RecordSet | None, want: Want, seen: Endpoint | Gone) -> bool:
    """Whether the name is answered: with the endpoint's addresses, or as somebody else wants who decides about it."""
    if record is None:
        return False
    is_own = isinstance(seen, Endpoint) and record.owner is not None and record.owner.is_for(seen.id, seen.guid)
    return not is_own or record.addresses == want.addresses or is_protected(want.key, want.fqdn, rooms.rules)


def _links(place: _Place, linked: Collection[ResourceId]) -> tuple[LinkZone, ...]:
    why = f"network {{}} is one of hub {place.hub.name}"
    return tuple(
        LinkZone(place.hub.name, place.scope.zone, network, place.hub.redirects, why.format(network.name))
        for network in place.hub.networks
        if network not in linked
    )


async def _linked(rooms: Rooms, change: LinkZone) -> Outcome | None:
    """What became of a link; None where somebody else has made it meanwhile."""
    try:
        await link_zone(rooms.arm, change)
    except RacedError as error:
        return await _after_a_race(rooms, change, error)
    except HubwardenError as error:
        return failure(change, error, _advice(change, error))
    return Outcome(change, Result.DONE)


async def _after_a_race(rooms: Rooms, change: LinkZone, error: RacedError) -> Outcome | None:
    try:
        if any(link.network == change.network for link in await list_links(rooms.arm, change.zone)):
            return None
    except HubwardenError as unread:
        return failure(change, unread)
    what = f"a link called {change.key.name} does not lead there yet; if it leads to another network, delete it"
    return Outcome(change, Result.FAILED, f"{error} ({what})")


def _advice(change: ZoneChange, error: HubwardenError) -> str:
    if isinstance(error, RefusedError) and error.code == LOCKED:
        return " (take the lock away, or make it by hand)"
    if _OVERLAPPING in str(error):
        return " (the network has a zone of that name already: take that link away, or add its group to hubs[].zones)"
    if isinstance(error, DeniedError) and error.code == BY_POLICY:
        return " (exempt the resource group from the policy, make it by hand, or set createZones: false)"
    if isinstance(error, DeniedError):
        needed = "privateDnsZones/write in the resource group"
        if isinstance(change, LinkZone):
            needed = "privateDnsZones/virtualNetworkLinks/write there and virtualNetworks/join/action on the network"
        return f" (needed is Microsoft.Network/{needed}, or createZones: false)"
    return ""


def _failed(part: Part) -> bool:
    return any(outcome.result is Result.FAILED for outcome in part.outcomes)


def _told(outcomes: Iterable[Outcome]) -> list[object]:
    return [outcome.change for outcome in outcomes]
