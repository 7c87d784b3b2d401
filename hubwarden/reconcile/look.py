"""A look at one private endpoint: its claims, itself, whether its end is proven, and what it wants."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hubwarden.arm.endpoints import read_endpoint
from hubwarden.arm.graph import endpoints_with_guid
from hubwarden.dns.wants import Wishes, wishes
from hubwarden.errors import DeniedError, HubwardenError, InputError, NotFoundError, RefusedError
from hubwarden.model.dns_name import DnsName, compared
from hubwarden.model.endpoint import Endpoint, Gone, Tenancy
from hubwarden.model.hub import HubZones
from hubwarden.model.plan import Claim, ClaimState, Held, HeldReason
from hubwarden.model.record import RecordKey, RecordSet
from hubwarden.model.resource_id import ResourceId, fold
from hubwarden.reconcile.rooms import Rooms

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sight:
    """All that one look at an endpoint gave."""

    seen: Endpoint | Gone
    claims: tuple[Claim, ...]
    wishes: Wishes
    at: float
    """When the endpoint was read, in seconds since 1970."""
    forebears: frozenset[str] = frozenset()
    """The resourceGuids of endpoints of the same id that have ended."""
    silent: bool = False
    """Whether Azure gave no answer, which another time may bring."""
    outside: bool = False
    """Whether its subscription left the estate, and a person speaks of its records."""

    @property
    def wanted(self) -> set[RecordKey]:
        """The records that the endpoint wants."""
        return {want.key for want in self.wishes.wants}

    @property
    def keys(self) -> set[RecordKey]:
        """The records that it wants or claims."""
        return self.wanted | {claim.key for claim in self.claims}

    @property
    def leftovers(self) -> tuple[Claim, ...]:
        """Claims on records that the endpoint does not want any more."""
        wanted = self.wanted
        return tuple(claim for claim in self.claims if claim.key not in wanted)


async def look(
    rooms: Rooms,
    endpoint: ResourceId,
    marked: Iterable[RecordSet] = (),
    *,
    moving: bool = False,
) -> Sight:
    """Looks at an endpoint. Raises where Azure or the ledger is silent.

    `marked` are records known to bear its mark; `moving` says that it may be on its way elsewhere.

    A Drop must not insist on the etag that an endpoint made anew under the same id has just written: so the claims,
    which have etags, are read before the endpoint.
    """
    claims = await rooms.claims.of(endpoint)
    at = rooms.now()
    seen = await see(rooms, endpoint)
    if isinstance(seen, Held):
        return in_doubt(endpoint, seen, at)
    claims = (*claims, *await rebuilt(rooms, claims, marked, seen))
    if isinstance(seen, Gone):
        wished = Wishes(held=() if seen.proven or claims else (_uncertain(seen),))
        return Sight(await _proved(rooms, seen, claims, moving), claims, wished, at)
    sight = Sight(seen, claims, await wishes_of(rooms, seen), at)
    return replace(sight, forebears=await _forebears(rooms, seen, sight.leftovers))


async def unseen(
    rooms: Rooms, endpoint: ResourceId, marked: Iterable[RecordSet], *, detail: str, outside: bool = False
) -> Sight:
    """An endpoint's claims, and the marks, where a person's word needs no look at the endpoint itself."""
    claims, gone = await rooms.claims.of(endpoint), Gone(endpoint, False, detail)
    claims = (*claims, *await rebuilt(rooms, claims, marked, gone))
    return Sight(gone, claims, Wishes(), rooms.now(), outside=outside)


async def rebuilt(
    rooms: Rooms, claims: Iterable[Claim], marked: Iterable[RecordSet], seen: Endpoint | Gone
) -> list[Claim]:
    """The claims that the marks on these records speak of, and that the ledger has lost."""
    claimed = {claim.key for claim in claims}
    return [await _rebuilt(rooms, record, seen) for record in marked if record.key not in claimed]


async def _rebuilt(rooms: Rooms, record: RecordSet, seen: Endpoint | Gone) -> Claim:
    """One of them.

    The public name is not in the mark: it is the one that the endpoint shows among those that the record may serve. It
    is empty where a living endpoint shows none of them: which name that was, and whether it has ended, nobody knows.
    """
    owner = record.owner
    assert owner is not None
    possible = [name.text for name in rooms.catalogue.names_of(DnsName.parse(record.key.zone.name), record.key.name)]
    if isinstance(seen, Endpoint):
        shown = {compared(name.fqdn) for name in seen.names}
        possible = [name for name in possible if name in shown]
    hubs = await rooms.estate.hubs()
    return Claim(
        endpoint=owner.endpoint,
        guid=owner.guid,
        hub=next((hub.hub.name for hub in hubs if hub.holds(record.key.zone)), ""),
        key=record.key,
        fqdn=possible[0] if possible else "",
        addresses=record.addresses,
        ttl=record.ttl,
        state=ClaimState.SERVED,
        etag=record.etag,
        written_at=0.0,
    )


async def outside(rooms: Rooms, endpoint: ResourceId) -> Held | None:
    """That the endpoint is not ours to serve, if so."""
    if await rooms.estate.includes(endpoint.subscription):
        return None
    detail = f"subscription {endpoint.subscription} is not part of the estate"
    waits = rooms.estate.may_come_to_include(endpoint.subscription)
    return Held(HeldReason.OUTSIDE_ESTATE, endpoint, detail, waits=waits)


def in_doubt(endpoint: ResourceId, held: Held, at: float, *, silent: bool = False) -> Sight:
    """A look that gave nothing to go by: what is claimed stays as it is."""
    return Sight(Gone(endpoint, False, held.detail), (), Wishes(held=(held,)), at, silent=silent)


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


async def wishes_of(
    rooms: Rooms, endpoint: Endpoint, *, looks_twice: bool = True, hubs: Sequence[HubZones] | None = None
) -> Wishes:
    """What the endpoint wants; a zone that is missing is looked for once more, for it may be new.

    With `hubs`, what it would want if these were the hubs.
    """
    target = endpoint.target
    matters = endpoint.brings_names and not rooms.publishes_foreign_targets
    tenancy = await rooms.estate.tenancy(target.subscription) if target and matters else Tenancy.UNKNOWN

    async def asked(*, again: bool) -> Wishes:
        return wishes(
            endpoint,
            tenancy=tenancy,
            hubs=await rooms.estate.hubs(at_least_once_more=again) if hubs is None else hubs,
            catalogue=rooms.catalogue,
            networks=rooms.networks,
            publishes_foreign_targets=rooms.publishes_foreign_targets,
            shared=rooms.shared,
            own_names=rooms.own_names,
        )

    wished = await asked(again=False)
    if looks_twice and hubs is None and any(held.reason is HeldReason.NO_ZONE for held in wished.held):
        wished = await asked(again=True)
    return wished


async def _proved(rooms: Rooms, gone: Gone, claims: tuple[Claim, ...], moving: bool) -> Gone:
    """Whether the endpoint's end is proven (law 5).

    Its subscription must answer, in our tenant, now; and no living endpoint may have its resourceGuid, for then it was
    moved.
    """
    if not gone.proven or not claims:
        return gone
    if not await _answers(rooms, gone.id):
        return replace(gone, proven=False, detail=f"subscription {gone.id.subscription} does not answer in our tenant")
    for guid in _guids(claims):
        known = await endpoints_with_guid(rooms.arm, guid)
        if moving and gone.id in known:
            return replace(gone, proven=False, detail="it may be on its way: the index still shows it here")
        if place := await _lives_in(rooms, guid, known, but=gone.id):
            detail = f"it was moved to {place.id}" if place.sure else f"it may be at {place.id}, which is not shown"
            return replace(gone, proven=False, detail=detail, moved_to=place.id if place.sure else None)
    return gone


async def _forebears(rooms: Rooms, seen: Endpoint, leftovers: Iterable[Claim]) -> frozenset[str]:
    """The guids of endpoints of this id that ended before it was made anew: the index knows them nowhere.

    Where it still knows one, even here, or gives no answer, nothing is proved.
    """
    ended: set[str] = set()
    if not seen.settled or not seen.guid:
        return frozenset()
    for guid in _guids(leftovers):
        if guid == fold(seen.guid):
            continue
        try:
            if not await endpoints_with_guid(rooms.arm, guid):
                ended.add(guid)
        except HubwardenError as error:
            log.warning("look: whether a forebear of %s lives elsewhere is not known: %s", seen.id, error)
    return frozenset(ended)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an endpoint with a certain resourceGuid lives, or, if not `sure`, may live for all that is shown."""

    id: ResourceId
    sure: bool


def _guids(claims: Iterable[Claim]) -> list[str]:
    return sorted({fold(claim.guid) for claim in claims if claim.guid})


async def _lives_in(rooms: Rooms, guid: str, known: Iterable[ResourceId], *, but: ResourceId) -> _Place | None:
    """Where it lives among the places that the index knows, `but` one. The index only hints: ARM is asked."""
    for candidate in known:
        if candidate == but:
            continue  # the index has not caught up yet
        found = await see(rooms, candidate)
        if isinstance(found, Endpoint) and fold(found.guid) == guid:
            return _Place(candidate, sure=True)
        doubtful = not found.proven if isinstance(found, Gone) else isinstance(found, Held)
        if doubtful or (isinstance(found, Gone) and not await _answers(rooms, candidate)):
            return _Place(candidate, sure=False)
    return None


async def _answers(rooms: Rooms, endpoint: ResourceId) -> bool:
    return await rooms.estate.tenancy(endpoint.subscription, fresh=True) is Tenancy.OURS


def _uncertain(gone: Gone) -> Held:
    return Held(HeldReason.UNCERTAIN, gone.id, gone.detail, waits=True)
