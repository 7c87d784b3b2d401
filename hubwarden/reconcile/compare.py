"""The sweep's first half: the whole estate as the index shows it, against the zones and the ledger, in memory.

It is the same plan as for one endpoint, made of hints: what it would change is suspect and is looked at by ARM; what it
would leave alone costs no call at all.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hubwarden.arm.index import EndpointsShown, endpoints_in_index, records_in_index
from hubwarden.dns.capacity import fitting
from hubwarden.dns.plan import plan_records
from hubwarden.dns.wants import Wishes
from hubwarden.errors import HubwardenError
from hubwarden.ledger.claims import Ledger
from hubwarden.model.endpoint import Endpoint, Gone
from hubwarden.model.hub import HubZones
from hubwarden.model.plan import Claim, ClaimState, Held, HeldReason, Plan, Put
from hubwarden.model.record import RecordKey, RecordSet, Standing
from hubwarden.model.resource_id import ResourceId, fold
from hubwarden.model.zone import Zone
from hubwarden.reconcile.look import Sight, rebuilt, wishes_of
from hubwarden.reconcile.observe import party_of
from hubwarden.reconcile.rooms import Rooms


@dataclass(slots=True)
class Compared:
    """What the index says about the estate."""

    plan: Plan = field(default_factory=Plan)
    """What is held and what needs nothing, of all that is not suspect."""
    suspects: list[tuple[ResourceId, ...]] = field(default_factory=list)
    """Endpoints to look at, those together that have to do with the same records."""
    losing: list[tuple[ResourceId, ...]] = field(default_factory=list)
    """The same, where a record would be withdrawn."""
    marked: Mapping[ResourceId, Sequence[RecordSet]] = field(default_factory=dict)
    """The records that bear the mark of an endpoint."""
    absent: set[RecordKey] = field(default_factory=set)
    """Wanted records that the index does not show."""
    doubted: set[RecordKey] = field(default_factory=set)
    """Records that the index shows otherwise than they are wanted."""
    unclaimed: list[Claim] = field(default_factory=list)
    """Claims that the ledger lacks and that the index can tell without a look."""
    shown: set[RecordKey] = field(default_factory=set)
    """All records that the index shows."""
    seen: tuple[Endpoint, ...] = ()
    """The estate's endpoints that the index shows."""
    nameless: tuple[str, ...] = ()
    """What is wrong with each of them whose very id cannot be read."""
    parts: Mapping[ResourceId, set[RecordKey]] = field(default_factory=dict)
    """The records that each endpoint wants or claims."""
    standing: Standing = field(default_factory=dict)
    """What the index shows of these records."""
    hints: tuple[Held, ...] = ()
    """What is held of records, of those that are suspect, too."""
    ledger: Ledger = field(default_factory=lambda: Ledger({}))
    ours: Counter[str] = field(default_factory=Counter)
    """Records of ours, by the key of the zone's id."""
    complete: bool = True
    """Whether everything answered: a hub whose zones are not listed, or an ARM that is silent, leaves something out."""


@dataclass(slots=True)
class _Estate:
    """What was read."""

    members: frozenset[str]
    shown: EndpointsShown
    records: Mapping[RecordKey, RecordSet]
    hubs: tuple[HubZones, ...]
    ledger: Ledger
    marks: dict[ResourceId, list[RecordSet]] = field(default_factory=dict)


async def compare(rooms: Rooms) -> Compared:
    """Compares everything in memory. Raises where the index, ARM or the ledger gives no answer."""
    estate = await _read(rooms)
    compared = Compared(
        marked=estate.marks,
        shown=set(estate.records),
        nameless=estate.shown.nameless,
        ledger=estate.ledger,
        complete=not any(hub.trouble for hub in estate.hubs),
    )
    compared.ours.update(record.key.zone.key for records in estate.marks.values() for record in records)
    sights, outside = await _sights(rooms, estate, compared)
    standing, uncovered = _standing(estate, sights)
    compared.seen = tuple(sight.seen for sight in sights.values() if isinstance(sight.seen, Endpoint))
    planned = plan_records([party_of(sight, within=standing) for sight in sights.values()], standing, rooms.rules)
    plan = fitting(planned, estate.hubs)
    withdrawing = {change.key for change in plan.changes if change.withdraws}
    compared.doubted = {change.key for change in plan.changes if isinstance(change, Put) and change.etag is not None}
    suspects = _suspects(sights, standing, plan) | _kept_waiting(sights, standing, estate)
    compared.parts = {endpoint: sight.keys for endpoint, sight in sights.items()}
    compared.standing, compared.hints = standing, (*outside, *uncovered, *plan.held)
    keys = {endpoint: sights[endpoint].keys for endpoint in sorted(suspects)}
    for group in related(keys):
        losing = any(keys[endpoint] & withdrawing for endpoint in group)
        (compared.losing if losing else compared.suspects).append(group)
    wished = tuple(held for each, sight in sights.items() if each not in suspects for held in sight.wishes.held)
    compared.plan = Plan(
        held=(*outside, *wished, *uncovered, *(held for held in plan.held if held.endpoint not in suspects)),
        unchanged=tuple(key for key in plan.unchanged if not _concerns(key, suspects, estate)),
    )
    compared.absent = {
        want.key
        for sight in sights.values()
        for want in sight.wishes.wants
        if want.key in standing and standing[want.key] is None
    }
    clear = [sight for endpoint, sight in sights.items() if endpoint not in suspects]
    compared.unclaimed += _unclaimed(rooms, clear, standing, plan)
    return compared


async def _read(rooms: Rooms) -> _Estate:
    members = await rooms.estate.members()
    hubs = await rooms.estate.hubs(fresh=True)
    zones: list[Zone] = [zone for hub in hubs for zone in hub.zones.values()]
    ledger, shown, records = await asyncio.gather(
        rooms.claims.all(),
        endpoints_in_index(rooms.arm, members),
        records_in_index(rooms.arm, zones, ttl=rooms.rules.ttl),
    )
    estate = _Estate(members, shown, records, hubs, ledger)
    for record in records.values():
        if record.owner and record.owned_by(rooms.rules.instances):
            estate.marks.setdefault(record.owner.endpoint, []).append(record)
    return estate


async def _sights(
    rooms: Rooms, estate: _Estate, compared: Compared
) -> tuple[dict[ResourceId, Sight], tuple[Held, ...]]:
    """Every endpoint that the index shows, the ledger claims for, or a mark names, as far as it is ours to serve."""
    sights: dict[ResourceId, Sight] = {}
    outside = [Held(HeldReason.MALFORMED, endpoint, why) for endpoint, why in estate.shown.unreadable.items()]
    for endpoint in dict.fromkeys((*estate.shown.found, *estate.ledger.claims, *estate.marks)):
        if endpoint in estate.shown.unreadable:
            continue
        if endpoint in estate.ledger.unread:
            detail = "its claims cannot be read by this version"
            outside.append(Held(HeldReason.UNCERTAIN, endpoint, detail))
        elif fold(endpoint.subscription) not in estate.members:
            outside += _no_longer_covered(endpoint, estate)
        else:
            sights[endpoint] = await _sight(rooms, endpoint, estate, compared)
    return sights, tuple(outside)


async def _sight(rooms: Rooms, endpoint: ResourceId, estate: _Estate, compared: Compared) -> Sight:
    seen: Endpoint | Gone = estate.shown.found.get(endpoint) or Gone(endpoint, True, "the index does not show it")
    claims = estate.ledger.claims.get(endpoint, ())
    again = await rebuilt(rooms, claims, estate.marks.get(endpoint, ()), seen)
    claims = (*claims, *again)
    wished = Wishes()
    if isinstance(seen, Endpoint):
        try:
            wished = await wishes_of(rooms, seen, looks_twice=False)
        except HubwardenError as error:
            compared.complete = False
            wished = Wishes(held=(Held(HeldReason.UNCERTAIN, endpoint, str(error), waits=True),))
            claims = ()
    wanted = {want.key for want in wished.wants}
    compared.unclaimed += [claim for claim in again if claim.key not in wanted]
    # That a forebear ended is only supposed here: what follows from it is suspect, and looked at.
    forebears = frozenset(fold(claim.guid) for claim in claims if claim.guid)
    if isinstance(seen, Endpoint):
        forebears -= {fold(seen.guid)}
    return Sight(seen, claims, wished, rooms.now(), forebears)


def _no_longer_covered(endpoint: ResourceId, estate: _Estate) -> list[Held]:
    """A config change never withdraws by itself (law 14)."""
    detail = "the endpoint's subscription left the estate"
    return [
        Held(HeldReason.NO_LONGER_COVERED, endpoint, detail, record.key, record.key.fqdn)
        for record in estate.marks.get(endpoint, ())
    ]


def _standing(estate: _Estate, sights: Mapping[ResourceId, Sight]) -> tuple[Standing, tuple[Held, ...]]:
    """What the index shows for every record that matters; and what is claimed in zones that no hub has now."""
    zones = {zone.id for hub in estate.hubs for zone in hub.zones.values()}
    in_trouble = next((hub.trouble for hub in estate.hubs if hub.trouble), "")
    standing: dict[RecordKey, RecordSet | None] = {}
    uncovered: list[Held] = []
    for endpoint, sight in sights.items():
        for key in sorted(sight.keys):
            if key.zone in zones:
                standing[key] = estate.records.get(key)
            elif in_trouble:
                uncovered.append(Held(HeldReason.UNCERTAIN, endpoint, in_trouble, key, key.fqdn, waits=True))
            elif isinstance(sight.seen, Endpoint):
                detail = f"zone {key.zone} is not one of a hub's now"
                uncovered.append(Held(HeldReason.NO_LONGER_COVERED, endpoint, detail, key, key.fqdn))
    return standing, tuple(uncovered)


def _suspects(sights: Mapping[ResourceId, Sight], standing: Standing, plan: Plan) -> set[ResourceId]:
    """Everybody who has a part in a record that would change, or whose claims are not as they should be."""
    changing = {change.key for change in plan.changes}
    held = {(held.endpoint, held.key) for held in plan.held}
    found: set[ResourceId] = set()
    for endpoint, sight in sights.items():
        wanted = {want.key: want for want in sight.wishes.wants}
        claimed = {claim.key: claim for claim in sight.claims}
        if changing & sight.keys:
            found.add(endpoint)
        for key, claim in claimed.items():
            if key not in wanted:
                left_over = key in standing and (endpoint, key) not in held
                if left_over or (isinstance(sight.seen, Gone) and key not in standing):
                    found.add(endpoint)
            elif not _agrees(claim, (endpoint, key) in held, wanted[key].addresses):
                found.add(endpoint)
    return found


def _kept_waiting(sights: Mapping[ResourceId, Sight], standing: Standing, estate: _Estate) -> set[ResourceId]:
    """Who wants a name whose holder left the estate: that one is looked at by nobody else, and may be gone."""
    found = set()
    for endpoint, sight in sights.items():
        for want in sight.wishes.wants:
            record = standing.get(want.key)
            owner = record.owner if isinstance(record, RecordSet) else None
            if owner is not None and record in estate.marks.get(owner.endpoint, ()) and owner.endpoint not in sights:
                found.add(endpoint)
    return found


def related(keys: Mapping[ResourceId, set[RecordKey]]) -> list[tuple[ResourceId, ...]]:
    """The endpoints in groups: two that want or claim the same record are in one, and whoever is related to either."""
    by_key: dict[RecordKey, list[ResourceId]] = {}
    for endpoint, mine in keys.items():
        for key in mine:
            by_key.setdefault(key, []).append(endpoint)
    groups: list[tuple[ResourceId, ...]] = []
    seen: set[ResourceId] = set()
    for endpoint in keys:
        group: list[ResourceId] = []
        found = [endpoint]
        while found:
            one = found.pop()
            if one not in seen:
                seen.add(one)
                group.append(one)
                found += [other for key in keys[one] for other in by_key.pop(key, ())]
        if group:
            groups.append(tuple(group))
    return groups


def _agrees(claim: Claim, is_held: bool, addresses: tuple[object, ...]) -> bool:
    """Whether a claim says of a wanted record what the index says."""
    state = ClaimState.HELD if is_held else ClaimState.SERVED
    return claim.state is state and claim.addresses == addresses


def _concerns(key: RecordKey, suspects: set[ResourceId], estate: _Estate) -> bool:
    owner = estate.records[key].owner if key in estate.records else None
    return owner is not None and owner.endpoint in suspects


def _unclaimed(rooms: Rooms, sights: Iterable[Sight], standing: Standing, plan: Plan) -> Iterator[Claim]:
    """What endpoints want and the ledger does not know: served or held, it is claimed."""
    held = {(held.endpoint, held.key) for held in plan.held}
    for sight in sights:
        seen, stored = sight.seen, {claim.key for claim in sight.claims if claim.version}
        if not isinstance(seen, Endpoint):
            continue
        for want in sight.wishes.wants:
            if want.key not in stored and want.key in standing:
                state = ClaimState.HELD if (seen.id, want.key) in held else ClaimState.SERVED
                yield Claim.on(want, seen.id, seen.guid, state, ttl=rooms.rules.ttl)
