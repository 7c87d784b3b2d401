"""What a takeover of zone groups would do: each endpoint, its group, its records, and all that stands in the way.

Everything that cannot be read is an obstacle, never a guess.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hubwarden.arm.index import endpoints_in_index, records_in_index
from hubwarden.arm.locks import Locks
from hubwarden.arm.policy import PolicyReader
from hubwarden.arm.zone_groups import list_zone_groups
from hubwarden.dns.recreation import locked, recreators
from hubwarden.dns.takeover import is_doubtful, takeover_of
from hubwarden.errors import HubwardenError
from hubwarden.model.endpoint import Endpoint, Gone
from hubwarden.model.plan import ClaimState, Held
from hubwarden.model.record import Keeper, RecordKey, Standing
from hubwarden.model.resource_id import ResourceId, fold
from hubwarden.model.takeover import Obstacle, ObstacleReason, Takeover, TakeoverPlan
from hubwarden.reconcile.at_once import some_at_once
from hubwarden.reconcile.listing import Listed, among, list_zones
from hubwarden.reconcile.look import outside, see, wishes_of
from hubwarden.reconcile.observe import read_records
from hubwarden.reconcile.rooms import Rooms

_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Survey:
    """What is read once for all endpoints: which records zone groups made, and the policies and locks so far."""

    rooms: Rooms
    policies: PolicyReader
    locks: Locks
    made: Mapping[str, frozenset[RecordKey]] = field(default_factory=dict)
    """By the resourceGuid of the endpoint, as the index shows it."""
    listed: Listed = field(default_factory=dict)
    """Zones whose records need not be read one by one; empty where each counts as it is now."""


async def survey(rooms: Rooms) -> Survey:
    """Looks at the records in the hubs' zones. Raises where the index or ARM gives no answer."""
    zones = [zone for hub in await rooms.estate.hubs(at_least_once_more=True) for zone in hub.zones.values()]
    made: dict[str, set[RecordKey]] = {}
    for key, record in (await records_in_index(rooms.arm, zones, ttl=rooms.rules.ttl)).items():
        if record.keeper is Keeper.ZONE_GROUP and record.maker:
            made.setdefault(record.maker, set()).add(key)
    known = {guid: frozenset(keys) for guid, keys in made.items()}
    return Survey(rooms, PolicyReader(rooms.arm), Locks(rooms.arm), known)


async def plan_takeovers(surveyed: Survey, named: Iterable[ResourceId]) -> TakeoverPlan:
    """Looks into these endpoints, or, where none is named, into every one that there is something to take over from.

    The index only says where to look: those that turn out to have no group are left out, unless they were named.
    """
    endpoints = tuple(dict.fromkeys(named))
    if endpoints:
        return TakeoverPlan(await _foreseen(surveyed, endpoints))
    listed = await list_zones(surveyed.rooms, {key for keys in surveyed.made.values() for key in keys})
    takeovers = await _foreseen(replace(surveyed, listed=listed), await _candidates(surveyed))
    return TakeoverPlan(tuple(each for each in takeovers if not _is_nothing(each)))


async def _foreseen(surveyed: Survey, endpoints: Iterable[ResourceId]) -> tuple[Takeover, ...]:
    return tuple(await some_at_once(lambda each: foresee(surveyed, each), endpoints, _AT_ONCE))


async def foresee(surveyed: Survey, endpoint: ResourceId) -> Takeover:
    """Looks into one endpoint, now. Whatever gives no answer is an obstacle."""
    try:
        return await _foresee(surveyed, endpoint)
    except HubwardenError as error:
        return _refused(endpoint, ObstacleReason.UNKNOWN, str(error))


async def _foresee(surveyed: Survey, endpoint: ResourceId) -> Takeover:
    rooms = surveyed.rooms
    if held := await outside(rooms, endpoint):
        return _refused(endpoint, ObstacleReason.OUTSIDE_ESTATE, held.detail)
    seen = await see(rooms, endpoint)
    if not isinstance(seen, Endpoint):
        return _unseen(seen, endpoint)
    groups = await list_zone_groups(rooms.arm, endpoint)
    wishes = await wishes_of(rooms, seen)
    hubs = await rooms.estate.hubs()
    said = {key for group in groups for each in group.zones for key in each.records}
    made = {key for key in said if any(hub.holds(key.zone) for hub in hubs)}
    hinted = surveyed.made.get(fold(seen.guid), frozenset()) | {want.key for want in wishes.wants}
    standing = await _standing(surveyed, made | hinted)
    # The group may not list all that it made, and the index may lag behind: what stands there now decides.
    made |= {key for key in hinted if is_doubtful(standing[key], seen.guid)}
    takeover = takeover_of(seen, groups, wishes, standing, made, hubs, rooms.rules)
    if takeover.group is None:
        return takeover
    return replace(takeover, obstacles=(*takeover.obstacles, *await _governed(surveyed, takeover)))


async def _standing(surveyed: Survey, keys: Collection[RecordKey]) -> Standing:
    known = among(surveyed.listed, keys)
    return {**known, **await read_records(surveyed.rooms, [key for key in keys if key not in known])}


async def _governed(surveyed: Survey, takeover: Takeover) -> Sequence[Obstacle]:
    """What people have laid over the endpoint and its records that would undo a takeover, or stop it half-way."""
    try:
        return await _laid_over(surveyed, takeover)
    except HubwardenError as error:
        return (Obstacle(ObstacleReason.UNKNOWN, f"what people have laid over it: {error}"),)


async def _laid_over(surveyed: Survey, takeover: Takeover) -> Sequence[Obstacle]:
    endpoint, group = takeover.endpoint, takeover.group
    assert group is not None
    policies = await surveyed.policies.over(ResourceId(endpoint.subscription, endpoint.group))
    over_group = locked([str(group.id)], await surveyed.locks.over(endpoint))
    over_zones: dict[Obstacle, None] = {}
    for zone in sorted({put.key.zone for put in takeover.puts}):
        records = [f"{zone}/{put.key.type}/{put.key.name}" for put in takeover.puts if put.key.zone == zone]
        over_zones |= dict.fromkeys(locked(records, await surveyed.locks.over(zone)))
    return (*recreators(endpoint, policies, surveyed.rooms.now()), *over_group, *over_zones)


async def _candidates(surveyed: Survey) -> list[ResourceId]:
    """The endpoints whose zone groups made records, and those that a takeover may have been interrupted at."""
    rooms = surveyed.rooms
    shown = await endpoints_in_index(rooms.arm, await rooms.estate.members())
    makers = {each.id for each in shown.found.values() if fold(each.guid) in surveyed.made}
    ledger = await rooms.claims.all()
    return sorted(makers | {claim.endpoint for claim in ledger.every if claim.state is ClaimState.INTENDED})


def _is_nothing(takeover: Takeover) -> bool:
    return any(each.reason is ObstacleReason.NO_GROUP for each in takeover.obstacles)


def _unseen(seen: Gone | Held, endpoint: ResourceId) -> Takeover:
    gone = isinstance(seen, Gone) and seen.proven
    reason = ObstacleReason.NO_GROUP if gone else ObstacleReason.UNKNOWN
    return _refused(endpoint, reason, f"the endpoint is not there: {seen.detail}" if gone else seen.detail)


def _refused(endpoint: ResourceId, reason: ObstacleReason, detail: str) -> Takeover:
    return Takeover(endpoint, obstacles=(Obstacle(reason, detail),))
