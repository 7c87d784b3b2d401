"""A person's word: the records that it is about, found in the index, looked at by ARM, and changed as the plan says.

Without the changes of a plan that the person named it only plans. It makes no other change than its own, and no limit
holds it back: what it withdraws, a person let through.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from hubwarden.arm.graph import endpoints_with_guid
from hubwarden.dns.word import Said
from hubwarden.errors import HubwardenError, InputError
from hubwarden.model.dns_name import DnsName
from hubwarden.model.hub import HubZones
from hubwarden.model.plan import ClaimState, Held, HeldReason, Plan
from hubwarden.model.record import Keeper, RecordKey, RecordSet
from hubwarden.model.resource_id import ResourceId, fold
from hubwarden.model.word import Verb, Word
from hubwarden.reconcile.at_once import in_batches
from hubwarden.reconcile.compare import Compared, compare, related
from hubwarden.reconcile.listing import Listed, among, list_zones
from hubwarden.reconcile.named import keys_of
from hubwarden.reconcile.observe import Ask, observe, read_records
from hubwarden.reconcile.rooms import Rooms
from hubwarden.reconcile.sweep import AT_ONCE, next_groups
from hubwarden.reconcile.write import Orders, Part, together, write_all

_FEW = 20  # records that are read one by one, whatever else is in their zones

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Meant:
    """The records that a word is about."""

    keys: set[RecordKey] = field(default_factory=set)
    by_name: dict[DnsName, set[RecordKey]] = field(default_factory=dict)
    """Those of each name that the person gave."""


async def obey(rooms: Rooms, word: Word, orders: Orders) -> Part:
    """Plans a word or, where `orders` applies, does what of its plan a person let through.

    Raises InputError for a hub that there is not, and whatever gives no answer while nothing is written yet.
    """
    if word.hub and word.hub not in rooms.rules.hubs:
        raise InputError(f"{word.hub!r} is not one of the hubs: {', '.join(rooms.rules.hubs)}")
    compared = await compare(rooms)
    hubs = await rooms.estate.hubs()
    meant = await _meant(rooms, word, compared, hubs)
    listed = await list_zones(rooms, meant.keys) if len(meant.keys) > _FEW else {}
    said = Said(
        word.verb,
        frozenset(meant.keys),
        through=orders.let_through if orders.applies else None,
        abandoned=await _abandoned(rooms, meant.keys, listed) if word.verb is Verb.REPLACE else frozenset(),
    )
    parts = [
        await _done(rooms, Ask(endpoints, marked=compared.marked, said=replace(said, keys=keys), listed=listed), orders)
        for endpoints, keys in _batches(said, compared)
    ]
    part = together(parts, complete=compared.complete)
    return together([part, Part(Plan(held=tuple(_unanswered(meant, part.plan, hubs))))], complete=part.complete)


async def _done(rooms: Rooms, ask: Ask, orders: Orders) -> Part:
    """One batch; while others are written already, one that cannot be looked at costs no report."""
    try:
        view = await observe(rooms, ask)
    except HubwardenError as error:
        if not orders.applies:
            raise
        log.error("word: %d records were left out: %s", len(ask.said.keys) if ask.said else 0, error)
        return Part(complete=False)
    if orders.applies:
        return await write_all(rooms, [view], orders)
    return Part(view.plan, complete=not any(sight.silent for sight in view.sights.values()))


async def _meant(rooms: Rooms, word: Word, compared: Compared, hubs: Iterable[HubZones]) -> _Meant:
    meant = _Meant()
    for name in word.names:
        found = set(await keys_of(rooms, name)) | _uncovered(rooms, name, compared)
        meant.by_name[name] = {key for key in found if _is_in_place(key, word, hubs)}
        meant.keys |= meant.by_name[name]
    if not word.names:
        meant.keys = {key for key in _all(rooms, word.verb, compared, hubs) if _is_in_place(key, word, hubs)}
    return meant


def _uncovered(rooms: Rooms, name: DnsName, compared: Compared) -> set[RecordKey]:
    """The records of a name that the settings do not cover any more, also where the zone is no hub's now."""
    names = {name.text, *rooms.catalogue.records_of(name)}
    return {key for key in _held(compared, HeldReason.NO_LONGER_COVERED) if key.fqdn in names}


def _all(rooms: Rooms, verb: Verb, compared: Compared, hubs: Iterable[HubZones]) -> Iterator[RecordKey]:
    """All records that a word without names is for, as the index and the ledger tell."""
    match verb:
        case Verb.RENAME:
            yield from (
                record.key for records in compared.marked.values() for record in records if _is_old(rooms, record)
            )
            claims = (claim for claim in compared.ledger.every if claim.state is not ClaimState.HELD)
            yield from (claim.key for claim in claims if not any(hub.holds(claim.key.zone) for hub in hubs))
        case Verb.RELEASE:
            yield from _held(compared, HeldReason.NO_LONGER_COVERED)
        case _:
            for key in _held(compared, HeldReason.SERVED_BY_OTHER):
                record = compared.standing.get(key)
                if isinstance(record, RecordSet) and record.keeper is Keeper.UNMARKED:
                    yield key


def _is_old(rooms: Rooms, record: RecordSet) -> bool:
    return record.owner is not None and record.owner.instance != rooms.rules.instance


def _held(compared: Compared, reason: HeldReason) -> Iterator[RecordKey]:
    return (held.key for held in compared.hints if held.reason is reason and held.key)


def _is_in_place(key: RecordKey, word: Word, hubs: Iterable[HubZones]) -> bool:
    if word.zone and fold(key.zone.name) != word.zone.text:
        return False
    return not word.hub or any(hub.hub.name == word.hub and hub.holds(key.zone) for hub in hubs)


async def _abandoned(rooms: Rooms, keys: Iterable[RecordKey], listed: Listed) -> frozenset[str]:
    """The resourceGuids in zone groups' marks on these records that no endpoint has, wherever we may look."""
    known = among(listed, keys)
    records = [*known.values(), *(await read_records(rooms, [key for key in keys if key not in known])).values()]
    guids = {each.maker for each in records if isinstance(each, RecordSet) and each.keeper is Keeper.ZONE_GROUP}
    return frozenset([guid for guid in sorted(guids - {""}) if not await endpoints_with_guid(rooms.arm, guid)])


def _batches(said: Said, compared: Compared) -> Iterator[tuple[tuple[ResourceId, ...], frozenset[RecordKey]]]:
    """Some endpoints with the records that only they have a part in; then those that nobody has, or needs to have."""
    parts: Mapping[ResourceId, set[RecordKey]] = {} if said.verb is Verb.RENAME else compared.parts
    concerned = {each: mine for each in sorted(parts) if (mine := parts[each] & said.keys)}
    left = related(concerned)
    while left:
        now, left = next_groups(left)
        yield now, frozenset(key for each in now for key in concerned[each])
    alone = sorted(said.keys.difference(*concerned.values()))
    for some in in_batches(alone, AT_ONCE):
        yield (), frozenset(some)


def _unanswered(meant: _Meant, plan: Plan, hubs: Iterable[HubZones]) -> Iterator[Held]:
    """The names of which nothing at all was to be said."""
    answered = {*plan.unchanged, *(change.key for change in plan.changes), *(held.key for held in plan.held)}
    trouble = next((hub.trouble for hub in hubs if hub.trouble), "")
    for name, keys in meant.by_name.items():
        if keys & answered:
            continue
        if trouble:
            yield Held(HeldReason.UNCERTAIN, None, trouble, name=name.text, waits=True)
        elif keys:
            detail = "nothing stands there, and no endpoint of the estate wants it"
            yield Held(HeldReason.NOT_APPLICABLE, None, detail, name=name.text)
        else:
            detail = "none of the zones that were asked about could hold it"
            yield Held(HeldReason.NO_ZONE, None, detail, name=name.text)
