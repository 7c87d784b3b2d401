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


def plan_word(parties: Iterable[Party], standing: Standing, rules: Rules, said: Said) -> Plan:
    """What a word makes of its records; `standing` knows each of them.

    Nothing is said of a record that nobody wants or claims and that does not stand.
    """
    contests = contests_of(parties)
    return plan_of(
        each for key in sorted(said.keys) for each in _decided(contests.get(key, Contest()), key, standing, rules, said)
    )


def _decided(contest: Contest, key: RecordKey, standing: Standing, rules: Rules, said: Said) -> list[Decided]:
    record = standing[key]
    if isinstance(record, RecordSet):
        word = list(_by_word(contest, record, rules, said))
        if word and said.allows(word):
            return word
    usual = list(decide(contest, record, rules))
    if isinstance(record, Unread) and not usual:
        return [Held(HeldReason.UNCERTAIN, None, record.detail, key, key.fqdn, waits=True)]
    held: list[Decided] = [_told(each, record, said) for each in usual if isinstance(each, Held)]
    is_as_wanted = any(isinstance(each, RecordKey) for each in usual)
    if is_as_wanted and said.verb is not Verb.RELEASE:
        return usual
    if held and len(held) == len(usual):
        return held
    why = _why_not(contest, record, rules, usual)
    return [_not_applicable(key, said, why)] if why else []


def _by_word(contest: Contest, record: RecordSet, rules: Rules, said: Said) -> Iterator[Decided]:
    """What the word changes; nothing where it is not for such a record."""
    owner = record.owner if record.owned_by(rules.instances) else None
    match said.verb:
        case Verb.ADOPT | Verb.REPLACE:
            yield from _taken(contest, record, rules, said)
        case Verb.RELEASE:
            yield from _released(contest, record, owner, rules)
        case Verb.RENAME:
            yield from _renamed(contest, record, owner, rules)


def _taken(contest: Contest, record: RecordSet, rules: Rules, said: Said) -> Iterator[Decided]:
    ranked = by_rank(contest, rules)
    if said.verb is Verb.ADOPT:
        fitting = [each for each in ranked if set(each.want.addresses) == set(record.addresses)]
        if record.keeper is not Keeper.UNMARKED or not fitting:
            return
        ranked = [fitting[0], *(each for each in ranked if each is not fitting[0])]
    elif not _may_be_replaced(contest, record, said):
        return
    yield from given(ranked, record, f"a person says {said.verb}: it was {_made_by(record)}", rules)


def _told(held: Held, record: RecordSet | Unread | None, said: Said) -> Held:
    """What is held of a zone group's record, with the reason why not even a person replaces it."""
    if said.verb is not Verb.REPLACE or not isinstance(record, RecordSet) or record.keeper is not Keeper.ZONE_GROUP:
        return held
    why = "an endpoint with its resourceGuid is there" if record.maker else "its mark does not say whose it is"
    return replace(held, detail=f"{held.detail}; {why}")


def _may_be_replaced(contest: Contest, record: RecordSet, said: Said) -> bool:
    """Unmarked, or a zone group's whose endpoint is none that can be seen: its mark must say which one that was."""
    if record.keeper is Keeper.ZONE_GROUP:
        return record.maker in said.abandoned - {fold(each.endpoint.guid) for each in contest.wanting}
    return record.keeper is Keeper.UNMARKED


def _made_by(record: RecordSet) -> str:
    return "unmarked" if record.keeper is Keeper.UNMARKED else f"by a {record.keeper} whose endpoint is not to be seen"


def _released(contest: Contest, record: RecordSet, owner: Owner | None, rules: Rules) -> Iterator[Decided]:
    leaver = contest.leaver(owner) if owner else None
    if leaver is None:
        return
    party, claim = leaver
    end = end_of(party, claim)
    if party.outside or (isinstance(end, Held) and end.reason is HeldReason.NO_LONGER_COVERED):
        yield from let_go(by_rank(contest, rules), claim, record, "a person releases it", rules)


def _renamed(contest: Contest, record: RecordSet, owner: Owner | None, rules: Rules) -> Iterator[Decided]:
    """The mark alone changes, so it does not matter whether its endpoint is covered, or to be seen at all."""
    if owner is None:
        return
    leaver = contest.leaver(owner)
    hub, fqdn = (leaver[1].hub, leaver[1].fqdn) if leaver else ("", "")
    if owner.instance == rules.instance:
        yield record.key
    elif is_protected(record.key, fqdn, rules):
        yield Held(HeldReason.PROTECTED, owner.endpoint, "records.protected names it", record.key, record.key.fqdn)
    else:
        yield Put(
            hub=hub,
            key=record.key,
            fqdn=fqdn,
            addresses=record.addresses,
            ttl=record.ttl,
            owner=replace(owner, instance=rules.instance),
            etag=record.etag,
            was=record.addresses,
            why=f"the instance was called {owner.instance}",
        )


def _why_not(contest: Contest, record: RecordSet | Unread | None, rules: Rules, usual: list[Decided]) -> str:
    """Why a word is not for this record; empty where there is nothing to speak of."""
    change = next((each for each in usual if isinstance(each, Put | Drop)), None)
    if change is not None:
        return f"it needs no word, a look at {change.endpoint} puts it right: {change.why}"
    if not isinstance(record, RecordSet):
        return ""
    if record.owner is not None and record.owned_by(rules.instances):
        return f"it is ours, for {record.owner.endpoint}" + (", which wants it" if contest.wanting else "")
    by = f"instance {record.owner.instance}" if record.owner else record.keeper
    return f"it stands ({by}), and no endpoint of the estate wants it"


def _not_applicable(key: RecordKey, said: Said, why: str) -> Held:
    return Held(HeldReason.NOT_APPLICABLE, None, f"{said.verb} is not for it: {why}", key, key.fqdn)
