"""A person's word on records: what it changes of what would else be held, and why it changes nothing of the rest.

    what is said | is taken for                                              | and gives
    -------------+-----------------------------------------------------------+--------------------------------------
    adopt        | an unmarked record with the addresses that are wanted     | Put: our mark and ttl
    replace      | an unmarked record, or a zone group's that is abandoned   | Put for the first who wants it
    release      | ours, held as `no_longer_covered`                         | Drop, or Put for the next who wants it
    rename       | ours, with a former name of the instance in its mark      | Put: the mark with the present name

Everything else about these records stays as `dns.plan` decides it: a word makes no other change. Each of its changes
insists on the etag that was seen, and none is made of a protected name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import assert_never

from hubwarden.dns.plan import (
    Contest,
    Decided,
    Party,
    Rules,
    by_rank,
    contests_of,
    decide,
    end_of,
    given,
    is_protected,
    let_go,
    plan_of,
)
from hubwarden.model.endpoint import Gone
from hubwarden.model.plan import Drop, Held, HeldReason, Plan, Put, essence
from hubwarden.model.record import Keeper, Owner, RecordKey, RecordSet, Standing, Unread
from hubwarden.model.resource_id import fold
from hubwarden.model.word import Verb


@dataclass(frozen=True, slots=True)
class Said:
    """A person's word, as it is understood: of which records, and how far it goes."""

    verb: Verb
    keys: frozenset[RecordKey]
    through: frozenset[str] | None = None
    """The changes, by their essence, that the person has seen and named; None while the word is only planned."""
    abandoned: frozenset[str] = frozenset()
    """The resourceGuids in zone groups' marks that no endpoint has."""

    def allows(self, decided: Iterable[Decided]) -> bool:
        """Whether the person has named every change of these."""
        changes = [essence(each) for each in decided if isinstance(each, Put | Drop)]
        return self.through is None or self.through.issuperset(changes)


@dataclass(frozen=True, slots=True)
class _Case:
    """One record that a word is about, and everybody's part in it."""

    key: RecordKey
    record: RecordSet | Unread | None
    contest: Contest
    rules: Rules
    verb: Verb
    abandoned: frozenset[str]
    doubt: Held | None
    """Why nobody knows about its owner, if so."""

    @property
    def owner(self) -> Owner | None:
        """Whose it is, if it is ours."""
        return _owner(self.record, self.rules)


def plan_word(parties: Iterable[Party], standing: Standing, rules: Rules, said: Said) -> Plan:
    """What a word makes of its records; `standing` knows each of them.

    Nothing is said of a record that nobody wants or claims and that does not stand.
    """
    known = tuple(parties)
    contests = contests_of(known)
    cases = (
        _Case(
            key,
            standing[key],
            contests.get(key, Contest()),
            rules,
            said.verb,
            said.abandoned,
            _doubt(key, standing[key], known, rules),
        )
        for key in sorted(said.keys)
    )
    return plan_of(each for case in cases for each in _decided(case, said))


def _owner(record: RecordSet | Unread | None, rules: Rules) -> Owner | None:
    return record.owner if isinstance(record, RecordSet) and record.owned_by(rules.instances) else None


def _doubt(key: RecordKey, record: RecordSet | Unread | None, parties: Iterable[Party], rules: Rules) -> Held | None:
    if isinstance(record, Unread):
        return Held(HeldReason.UNCERTAIN, None, record.detail, key, key.fqdn, waits=True)
    owner = _owner(record, rules)
    for party in parties:
        seen = party.seen
        if owner and isinstance(seen, Gone) and seen.id == owner.endpoint and not seen.proven:
            return Held(HeldReason.UNCERTAIN, seen.id, seen.detail, key, key.fqdn, waits=True)
    return None


def _decided(case: _Case, said: Said) -> list[Decided]:
    """What the word changes, if the person named all of it; else what there is to say of the record."""
    word = list(_by_word(case))
    if word and said.allows(word):
        return word
    usual = list(decide(case.contest, case.record, case.rules))
    if case.verb is not Verb.RELEASE and any(isinstance(each, RecordKey) for each in usual):
        return usual
    held = [each for each in usual if isinstance(each, Held)]
    if held and len(held) == len(usual):
        return [_told(each, case) for each in held]
    if not usual and case.doubt:
        return [case.doubt]
    why = _why_not(case, usual)
    detail = f"{case.verb} is not for it: {why}"
    return [Held(HeldReason.NOT_APPLICABLE, None, detail, case.key, case.key.fqdn)] if why else []


def _by_word(case: _Case) -> Iterator[Decided]:
    """What the word changes; nothing where it is not for such a record."""
    if not isinstance(case.record, RecordSet):
        return
    match case.verb:
        case Verb.ADOPT:
            yield from _adopted(case, case.record)
        case Verb.REPLACE:
            yield from _replaced(case, case.record)
        case Verb.RELEASE:
            yield from _released(case, case.record)
        case Verb.RENAME:
            yield from _renamed(case, case.record)
        case _ as never:
            assert_never(never)


def _adopted(case: _Case, record: RecordSet) -> Iterator[Decided]:
    """It goes to the first of those whose addresses it gives already, so that nobody's answer changes."""
    ranked = by_rank(case.contest, case.rules)
    fitting = next((each for each in ranked if set(each.want.addresses) == set(record.addresses)), None)
    if fitting is not None and record.keeper is Keeper.UNMARKED:
        others = [each for each in ranked if each is not fitting]
        yield from given([fitting, *others], record, "a person adopts it: it was unmarked", case.rules)


def _replaced(case: _Case, record: RecordSet) -> Iterator[Decided]:
    """Unmarked, or a zone group's whose endpoint is none that can be seen: its mark must say which one that was."""
    alive = {fold(each.endpoint.guid) for each in case.contest.wanting}
    if record.keeper is Keeper.UNMARKED:
        why = "a person replaces it: it was unmarked"
    elif record.keeper is Keeper.ZONE_GROUP and record.maker in case.abandoned - alive:
        why = "a person replaces it: the endpoint whose zone group made it is nowhere to be seen"
    else:
        return
    yield from given(by_rank(case.contest, case.rules), record, why, case.rules)


def _told(held: Held, case: _Case) -> Held:
    """What is held of a zone group's record, with the reason why not even a person replaces it."""
    if case.verb is not Verb.REPLACE or held.reason is not HeldReason.ZONE_GROUP:
        return held
    named = isinstance(case.record, RecordSet) and case.record.maker
    why = "an endpoint with its resourceGuid is there" if named else "its mark does not say whose it is"
    return replace(held, detail=f"{held.detail}; {why}")


def _released(case: _Case, record: RecordSet) -> Iterator[Decided]:
    leaver = case.contest.leaver(case.owner) if case.owner else None
    if leaver is None:
        return
    party, claim = leaver
    end = end_of(party, claim)
    if isinstance(end, Held) and (party.outside or end.reason is HeldReason.NO_LONGER_COVERED):
        why = f"a person releases it: {end.detail}"
        yield from let_go(by_rank(case.contest, case.rules), claim, record, why, case.rules)


def _renamed(case: _Case, record: RecordSet) -> Iterator[Decided]:
    """The mark alone changes, so it does not matter whether its endpoint is covered, or to be seen at all."""
    owner = case.owner
    if owner is None:
        return
    leaver = case.contest.leaver(owner)
    hub, fqdn = (leaver[1].hub, leaver[1].fqdn) if leaver else ("", "")
    if owner.instance == case.rules.instance:
        yield record.key
    elif is_protected(record.key, fqdn, case.rules):
        yield Held(HeldReason.PROTECTED, owner.endpoint, "records.protected names it", record.key, record.key.fqdn)
    else:
        yield Put(
            hub=hub,
            key=record.key,
            fqdn=fqdn,
            addresses=record.addresses,
            ttl=record.ttl,
            owner=replace(owner, instance=case.rules.instance),
            etag=record.etag,
            was=record.addresses,
            why=f"the instance was called {owner.instance}",
        )


def _why_not(case: _Case, usual: Iterable[Decided]) -> str:
    """Why a word is not for this record; empty where there is nothing to speak of."""
    change = next((each for each in usual if isinstance(each, Put | Drop)), None)
    if change is not None:
        return f"it needs no word, a look at {change.endpoint} puts it right: {change.why}"
    if not isinstance(case.record, RecordSet):
        return ""
    if case.owner is not None:
        return f"it is ours, for {case.owner.endpoint}" + (", which wants it" if case.contest.wanting else "")
    by = f"instance {case.record.owner.instance}" if case.record.owner else case.record.keeper
    return f"it stands ({by}), and no endpoint of the estate wants it"
