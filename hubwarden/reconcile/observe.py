"""The first step: what the endpoint, its claims and the records they speak of look like now."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace

from hubwarden.arm.endpoints import read_endpoint
from hubwarden.arm.graph import endpoints_with_guid
from hubwarden.arm.zones import read_record
from hubwarden.dns.plan import joined, plan_leftovers, plan_wants
from hubwarden.dns.wants import Wishes, wishes
from hubwarden.errors import DeniedError, InputError, NotFoundError, RefusedError
from hubwarden.model.endpoint import Endpoint, Gone, Tenancy
from hubwarden.model.plan import Claim, ClaimState, Held, HeldReason, Plan
from hubwarden.model.record import Keeper, Owner, RecordKey, RecordSet, Standing, Unread
from hubwarden.model.report import OneEndpoint
from hubwarden.model.resource_id import ResourceId, fold
from hubwarden.reconcile.rooms import Rooms

CLAIMS_LAST = 900.0
"""Seconds for which a claim is believed without a look at its record: as long as one sweep's interval."""

_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Sight:
    """All that one look at an endpoint gave, and the plan that follows from it."""

    seen: Endpoint | Gone
    claims: tuple[Claim, ...]
    wishes: Wishes
    standing: Standing
    plan: Plan
    at: float
    """When the endpoint was read, in seconds since 1970."""

    @property
    def leftovers(self) -> tuple[Claim, ...]:
        """Claims on records that nothing wants any more."""
        wanted = {want.key for want in self.wishes.wants}
        return tuple(claim for claim in self.claims if claim.key not in wanted)


async def observe(rooms: Rooms, scope: OneEndpoint) -> Sight:
    """Looks, and plans. Raises where Azure or the ledger gives no answer.

    A Drop must not insist on the etag that an endpoint made anew under the same id has just written. So the claims,
    which have etags, are read before the endpoint; and where records are read, its end is confirmed after them.
    """
    claims = await rooms.claims.of(scope.endpoint)
    at = rooms.now()
    seen = await see(rooms, scope.endpoint)
    if isinstance(seen, Held):
        return Sight(Gone(scope.endpoint, False, seen.detail), claims, Wishes(held=(seen,)), {}, Plan(held=(seen,)), at)
    if isinstance(seen, Gone):
        wished = Wishes(held=() if seen.proven or claims else (_uncertain(seen),))
        seen = await _proved(rooms, seen, claims)
    else:
        wished = await _wishes(rooms, seen)
    believed, doubtful = _standing(rooms, scope, wished, claims, seen)
    standing = {**believed, **await read_records(rooms, doubtful)}
    if isinstance(seen, Gone) and seen.proven and doubtful:
        match await see(rooms, scope.endpoint):
            case Endpoint():
                return await observe(rooms, scope)
            case Held() as held:
                seen = replace(seen, proven=False, detail=held.detail)
            case Gone() as gone:
                seen = replace(seen, proven=gone.proven, detail=gone.detail)
    sight = Sight(seen, claims, wished, standing, Plan(), at)
    plan = joined(
        Plan(held=wished.held),
        plan_wants(seen, wished.wants, sight.standing, rooms.rules) if isinstance(seen, Endpoint) else Plan(),
        plan_leftovers(seen, sight.leftovers, sight.standing, rooms.rules, wished.held),
    )
    return replace(sight, plan=plan)


async def see(rooms: Rooms, endpoint: ResourceId) -> Endpoint | Gone | Held:
    """The endpoint, or that it is not there, or that the answer proves nothing."""
    try:
        seen = await read_endpoint(rooms.arm, endpoint)
    except NotFoundError as error:
        return Gone(endpoint, error.proves_absence, str(error))
    except (DeniedError, RefusedError) as error:
        return Held(HeldReason.UNCERTAIN, endpoint, str(error), waits=True)
    except InputError as error:
        return Held(HeldReason.MALFORMED, endpoint, str(error))
    if seen.id != endpoint:
        return Held(HeldReason.MALFORMED, endpoint, f"asked for it, ARM shows {seen.id}")
    return seen


async def _proved(rooms: Rooms, gone: Gone, claims: tuple[Claim, ...]) -> Gone:
    """Whether the endpoint's end is proven (law 5).

    Its subscription must answer, in our tenant, now; and no living endpoint may have its resourceGuid, for then it was
    moved. The index only hints at such a one: ARM is asked for it.
    """
    if not gone.proven or not claims:
        return gone
    if not await _answers(rooms, gone.id):
        return replace(gone, proven=False, detail=f"subscription {gone.id.subscription} does not answer in our tenant")
    for guid in sorted({fold(claim.guid) for claim in claims if claim.guid}):
        for candidate in await endpoints_with_guid(rooms.arm, guid):
            if candidate == gone.id:
                continue  # the index has not caught up yet
            found = await see(rooms, candidate)
            if isinstance(found, Endpoint) and fold(found.guid) == guid:
                return replace(gone, proven=False, detail=f"it was moved to {candidate}", moved_to=candidate)
            in_doubt = not found.proven if isinstance(found, Gone) else isinstance(found, Held)
            if in_doubt or (isinstance(found, Gone) and not await _answers(rooms, candidate)):
                return replace(gone, proven=False, detail=f"it may have been moved to {candidate}, which is not shown")
    return gone


async def _answers(rooms: Rooms, endpoint: ResourceId) -> bool:
    return await rooms.estate.tenancy(endpoint.subscription, fresh=True) is Tenancy.OURS


def _uncertain(gone: Gone) -> Held:
    return Held(HeldReason.UNCERTAIN, gone.id, gone.detail, waits=True)


async def _wishes(rooms: Rooms, endpoint: Endpoint) -> Wishes:
    target = endpoint.target
    matters = target is not None and not rooms.publishes_foreign_targets
    tenancy = await rooms.estate.tenancy(target.subscription) if target and matters else Tenancy.UNKNOWN

    async def asked(*, again: bool) -> Wishes:
        return wishes(
            endpoint,
            tenancy=tenancy,
            hubs=await rooms.estate.hubs(at_least_once_more=again),
            catalogue=rooms.catalogue,
            networks=rooms.networks,
            publishes_foreign_targets=rooms.publishes_foreign_targets,
        )

    wished = await asked(again=False)
    if any(held.reason is HeldReason.NO_ZONE for held in wished.held):
        wished = await asked(again=True)
    return wished


def _standing(
    rooms: Rooms, scope: OneEndpoint, wished: Wishes, claims: Iterable[Claim], seen: Endpoint | Gone
) -> tuple[Standing, list[RecordKey]]:
    """What is believed to stand, for a mistake costs one 412 at worst; and the keys that must be read instead."""
    claimed = {claim.key: claim for claim in claims}
    standing: dict[RecordKey, RecordSet | Unread | None] = {}
    doubtful: list[RecordKey] = []
    for key in {*claimed, *(want.key for want in wished.wants)}:
        claim = claimed.get(key)
        if scope.thorough or (claim and not _believed(claim, seen, rooms.now())):
            doubtful.append(key)
        else:
            standing[key] = _as_written(claim, rooms.rules.instance) if claim else None
    return standing, doubtful


async def read_records(rooms: Rooms, keys: Iterable[RecordKey]) -> dict[RecordKey, RecordSet | Unread | None]:
    """Reads record sets, some at once; one that cannot be read holds back only itself."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def read(key: RecordKey) -> tuple[RecordKey, RecordSet | Unread | None]:
        async with gate:
            try:
                return key, await read_record(rooms.arm, key)
            except NotFoundError as error:
                rooms.estate.forget_zones()  # it may be the zone that is gone
                return key, Unread(str(error))
            except (DeniedError, RefusedError) as error:
                return key, Unread(str(error))

    return dict(await asyncio.gather(*(read(key) for key in keys)))


def _believed(claim: Claim, seen: Endpoint | Gone, now: float) -> bool:
    """A drop insists on the etag of our last write, so for a gone endpoint any served claim will do.

    A moved one's record is probably not its own any more, so that is looked at.
    """
    if claim.state is not ClaimState.SERVED:
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
