"""The first step: what endpoints, their claims and the records they speak of look like now, and the plan for them.

One endpoint is seldom alone: the holder of a name that it wants, and the claimants of one that it lets go, are looked
at as well, so that a name goes from one to the next in one step, or stays where it is for a reason that is true.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hubwarden.arm.zones import read_record
from hubwarden.dns.capacity import creations, fitting
from hubwarden.dns.plan import Party, joined, plan_records
from hubwarden.dns.wants import Wishes
from hubwarden.dns.word import Said, plan_word
from hubwarden.errors import (
    DeniedError,
    HubwardenError,
    InputError,
    LedgerUnavailableError,
    NotFoundError,
    RefusedError,
    TemporaryError,
)
from hubwarden.model.endpoint import Endpoint, Gone
from hubwarden.model.plan import Claim, ClaimState, Held, HeldReason, Plan
from hubwarden.model.record import Keeper, Owner, RecordKey, RecordSet, Standing, Unread
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.word import Verb
from hubwarden.reconcile.at_once import some_at_once
from hubwarden.reconcile.listing import Listed, among
from hubwarden.reconcile.look import Sight, in_doubt, look, see, unseen
from hubwarden.reconcile.rooms import Rooms
from hubwarden.telemetry.tracing import spanned

CLAIMS_LAST = 900.0
"""Seconds for which a claim is believed without a look at its record: as long as one sweep's interval."""

SOME_CLAIMANTS = 20
"""Claimants of one name that are looked at together."""

_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Ask:
    """Which endpoints to look at, and what is known beforehand."""

    endpoints: tuple[ResourceId, ...]
    thorough: bool = False
    """Whether to read every record that is claimed or wanted."""
    strict: bool = False
    """Whether to raise where an endpoint gives no answer; else it is in doubt, and holds only itself."""
    moving: bool = False
    """Whether they may be on their way to another group, so that an index that lags cannot tell their end."""
    marked: Mapping[ResourceId, Sequence[RecordSet]] = field(default_factory=dict)
    """Records that an index shows with an endpoint's mark."""
    absent: Collection[RecordKey] = frozenset()
    """Records that an index does not show: a creation insists on that, so a mistake costs one 412."""
    doubted: Collection[RecordKey] = frozenset()
    """Records that an index shows otherwise than they should be: they are read, whatever the claims remember."""
    said: Said | None = None
    """A person's word: then its records are all that is looked at and planned for, each of them read."""
    listed: Listed = field(default_factory=dict)
    """For a word of many records: zones that were just listed, so that these need not be read one by one."""


@dataclass(frozen=True, slots=True)
class View:
    """What the looks gave together: who was asked for and who came with them, the records, and the plan."""

    ask: Ask
    sights: Mapping[ResourceId, Sight]
    standing: Standing
    plan: Plan
    left: frozenset[RecordKey] = frozenset()
    """Records that a second try leaves as they are, and their claims: their first write failed."""
    kept: frozenset[RecordKey] = frozenset()
    """Records that this run may not withdraw: whoever claims them is not forgotten."""


@spanned("observe")
async def observe(rooms: Rooms, ask: Ask) -> View:
    """Looks, and plans. Raises LedgerUnavailableError, and, where that is asked for, whatever else gives no answer.

    Where records are read, an endpoint's end is confirmed after them: one made anew meanwhile keeps its record.
    """
    sights = dict(await _looks(rooms, ask, ask.endpoints, ask.marked, strict=ask.strict))
    believed, doubtful = _standing(rooms, ask, sights)
    standing = {**believed, **await read_records(rooms, doubtful, strict=ask.strict)}
    await _join_holders(rooms, ask, sights, standing)
    await _join_claimants(rooms, ask, sights, standing)
    for endpoint, sight in list(sights.items()):
        if isinstance(sight.seen, Gone) and sight.seen.proven and _concerns(sight, doubtful):
            match await _confirmed(rooms, ask, endpoint):
                case Endpoint():
                    return await observe(rooms, replace(ask, thorough=True))
                case Held() as held:
                    seen = replace(sight.seen, proven=False, detail=held.detail)
                case Gone() as gone:
                    seen = replace(sight.seen, proven=gone.proven, detail=gone.detail)
            sights[endpoint] = replace(sight, seen=seen)
    parties = [party_of(sight, within=standing) for sight in sights.values()]
    if ask.said:
        plan = plan_word(parties, standing, rooms.rules, ask.said)
        return View(ask, sights, {change.key: standing[change.key] for change in plan.changes}, plan)
    wished = Plan(held=tuple(held for endpoint in ask.endpoints for held in sights[endpoint].wishes.held))
    planned = plan_records(parties, standing, rooms.rules)
    if creations(planned):
        planned = fitting(planned, await rooms.estate.hubs())
    return View(ask, sights, standing, joined(wished, planned))


def party_of(sight: Sight, within: Collection[RecordKey]) -> Party:
    """An endpoint's part in the plan for these records."""
    return Party(
        seen=sight.seen,
        wants=tuple(want for want in sight.wishes.wants if want.key in within),
        leftovers=tuple(claim for claim in sight.leftovers if claim.key in within),
        held_names=sight.wishes.held,
        served=frozenset(claim.key for claim in sight.claims if claim.state is ClaimState.SERVED),
        forebears=sight.forebears,
        outside=sight.outside,
    )


async def _confirmed(rooms: Rooms, ask: Ask, endpoint: ResourceId) -> Endpoint | Gone | Held:
    try:
        return await see(rooms, endpoint)
    except HubwardenError as error:
        if ask.strict:
            raise
        return Held(HeldReason.UNCERTAIN, endpoint, str(error), waits=True)


async def _looks(
    rooms: Rooms,
    ask: Ask,
    endpoints: Iterable[ResourceId],
    marked: Mapping[ResourceId, Sequence[RecordSet]],
    *,
    strict: bool = False,
) -> list[tuple[ResourceId, Sight]]:
    """Looks at each, some at once; unless `strict`, one that gives no answer is in doubt and holds only itself."""

    async def one(endpoint: ResourceId) -> tuple[ResourceId, Sight]:
        try:
            return endpoint, await _look(rooms, ask, endpoint, marked.get(endpoint, ()))
        except LedgerUnavailableError:
            raise
        except HubwardenError as error:
            if strict:
                raise
            held = Held(HeldReason.UNCERTAIN, endpoint, str(error), waits=True)
            return endpoint, in_doubt(endpoint, held, rooms.now(), silent=isinstance(error, TemporaryError))

    return await some_at_once(one, dict.fromkeys(endpoints), _AT_ONCE)


async def _look(rooms: Rooms, ask: Ask, endpoint: ResourceId, marked: Sequence[RecordSet]) -> Sight:
    """A look, as far as what is asked needs one."""
    if ask.said and ask.said.verb is Verb.RENAME:
        return await unseen(rooms, endpoint, marked, detail="not looked at: only the mark changes")
    if ask.said and not await rooms.estate.includes(endpoint.subscription):
        return await unseen(rooms, endpoint, marked, detail="its subscription left the estate", outside=True)
    return await look(rooms, endpoint, marked, moving=ask.moving)


async def _join_holders(rooms: Rooms, ask: Ask, sights: dict[ResourceId, Sight], standing: Standing) -> None:
    """Looks at the holders of names that others want: they may be gone, or less preferred."""
    holders: dict[ResourceId, tuple[RecordSet, ...]] = {}
    for key in (ask.said.keys if ask.said else _wanted(sights)) & set(standing):
        record, owner = standing[key], _owner_of(rooms, standing[key])
        if owner is None or not isinstance(record, RecordSet) or owner.endpoint in sights:
            continue
        if not any(_is(sight, owner) for sight in sights.values()):
            holders[owner.endpoint] = (*holders.get(owner.endpoint, ()), record)
    for holder, sight in await _looks(rooms, ask, holders, holders):
        # Whoever left the estate is served no more, but holds what it holds until its end is proven (law 14).
        outside = not await rooms.estate.includes(holder.subscription)
        sights[holder] = replace(sight, wishes=Wishes()) if outside else sight


async def _join_claimants(rooms: Rooms, ask: Ask, sights: dict[ResourceId, Sight], standing: Standing) -> None:
    """Looks at the claimants of names that are let go: one of them may have the name now."""
    if ask.said and ask.said.verb is Verb.RENAME:
        return
    let_go = {claim.key for sight in sights.values() for claim in sight.leftovers} & set(standing) - _wanted(sights)
    for key in sorted(let_go):
        owner = _owner_of(rooms, standing[key])
        if isinstance(standing[key], Unread) or not (owner is None or owner.endpoint in sights):
            continue
        others = [each for each in sorted(await rooms.claims.claimants_of(key)) if each not in sights]
        ours = [each for each in others if await rooms.estate.includes(each.subscription)]
        # Some of those that are listed have ended: it is gone on until one is found that wants the name.
        while ours and key not in _wanted(sights):
            now, ours = ours[:SOME_CLAIMANTS], ours[SOME_CLAIMANTS:]
            sights.update(await _looks(rooms, ask, now, {}))


def _wanted(sights: Mapping[ResourceId, Sight]) -> set[RecordKey]:
    return {key for sight in sights.values() for key in sight.wanted}


def _owner_of(rooms: Rooms, record: RecordSet | Unread | None) -> Owner | None:
    """Whose a record of ours is; None for any other."""
    return record.owner if isinstance(record, RecordSet) and record.owned_by(rooms.rules.instances) else None


def _is(sight: Sight, owner: Owner) -> bool:
    return isinstance(sight.seen, Endpoint) and owner.is_for(sight.seen.id, sight.seen.guid)


def _concerns(sight: Sight, keys: Collection[RecordKey]) -> bool:
    return any(claim.key in keys for claim in sight.claims)


def _standing(rooms: Rooms, ask: Ask, sights: Mapping[ResourceId, Sight]) -> tuple[Standing, Collection[RecordKey]]:
    """What is believed to stand, for a mistake costs one 412 at worst; and the keys that must be read instead."""
    if ask.said:
        known = {} if ask.thorough else among(ask.listed, ask.said.keys)
        return known, ask.said.keys - known.keys()
    standing: dict[RecordKey, RecordSet | Unread | None] = {}
    doubtful: set[RecordKey] = set()
    for sight in sights.values():
        claimed = {claim.key: claim for claim in sight.claims}
        wanted = sight.wanted
        for key in sight.keys:
            claim = claimed.get(key)
            if key in wanted and key in ask.absent:
                standing[key] = None
            elif (
                ask.thorough
                or key in ask.doubted
                or key in standing
                or (claim and not _believed(claim, sight.seen, rooms.now()))
            ):
                doubtful.add(key)
            else:
                standing[key] = _as_written(claim, rooms.rules.instance) if claim else None
    return standing, doubtful


async def read_records(
    rooms: Rooms, keys: Iterable[RecordKey], *, strict: bool = True
) -> dict[RecordKey, RecordSet | Unread | None]:
    """Reads record sets, some at once; one that cannot be read holds back only itself.

    Raises TemporaryError where one gives no answer, if `strict`.
    """

    async def read(key: RecordKey) -> tuple[RecordKey, RecordSet | Unread | None]:
        try:
            return key, await read_record(rooms.arm, key)
        except NotFoundError as error:
            rooms.estate.forget_zones()  # it may be the zone that is gone
            return key, Unread(str(error))
        except (DeniedError, RefusedError, InputError) as error:
            return key, Unread(str(error))
        except TemporaryError as error:
            if strict:
                raise
            return key, Unread(str(error))

    return dict(await some_at_once(read, keys, _AT_ONCE))


def _believed(claim: Claim, seen: Endpoint | Gone, now: float) -> bool:
    """A drop insists on the etag of our last write, so for a gone endpoint any served claim with one will do.

    A moved one's record is probably not its own any more, so that is looked at.
    """
    if claim.state is not ClaimState.SERVED or not claim.etag:
        return False
    if isinstance(seen, Gone):
        return seen.moved_to is None
    return now - claim.written_at < CLAIMS_LAST


def _as_written(claim: Claim, instance: str) -> RecordSet:
    """The record as our last write left it."""
    return RecordSet(
        key=claim.key,
        addresses=claim.addresses,
        ttl=claim.ttl,
        etag=claim.etag,
        keeper=Keeper.HUBWARDEN,
        owner=Owner(instance, claim.endpoint, claim.guid),
    )
