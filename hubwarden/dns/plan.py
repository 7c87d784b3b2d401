"""What differs: from what endpoints want and what stands in the zones, the changes to make and what is held.

How one record set is decided (RFC 8499 speaks of a record set; Azure writes whole sets):

    stands there now                | somebody wants it                    | nobody wants it any more
    --------------------------------+--------------------------------------+-------------------------
    nothing                         | Put, insisting on nothing there      | nothing to do
    ours, for one who wants it      | its holder keeps it: unchanged, or   | -
                                    | Put, insisting on the etag; or one   |
                                    | whom the hub prefers displaces it    |
    ours, its holder's end proven   | Put for the next, in one step        | Drop, insisting on the etag
    ours, its holder in doubt       | contested                            | held, with the doubt
    a zone group's                  | zone_group                           | nothing to do
    anybody else's, same addresses  | served_by_other                      | nothing to do
    anybody else's, other addresses | foreign_conflict                     | nothing to do

Whoever wants a name that another gets is contested, and keeps a claim on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hubwarden.model.dns_name import compared
from hubwarden.model.endpoint import ConnectionStatus, Endpoint, Gone
from hubwarden.model.hub import Hub
from hubwarden.model.plan import Change, Claim, Drop, Held, HeldReason, Plan, Put, Want
from hubwarden.model.record import Keeper, Owner, RecordKey, RecordSet, RecordType, Standing, Unread
from hubwarden.model.resource_id import fold


@dataclass(frozen=True, slots=True)
class Rules:
    """What an owner has settled about records."""

    instance: str
    instances: frozenset[str]
    ttl: int
    protected: frozenset[str]
    """Names of records, and the public names that they serve."""
    hubs: Mapping[str, Hub] = field(default_factory=dict)
    """By name: whom each prefers."""


@dataclass(frozen=True, slots=True)
class Party:
    """One endpoint's part in a plan: what was seen of it, what it wants, and what it claims and wants no more."""

    seen: Endpoint | Gone
    wants: tuple[Want, ...] = ()
    leftovers: tuple[Claim, ...] = ()
    held_names: tuple[Held, ...] = ()
    """The endpoint's names that are held back themselves: their records wait with them."""
    served: frozenset[RecordKey] = frozenset()
    """The records that it was served with when it was last looked at."""
    forebears: frozenset[str] = frozenset()
    """The resourceGuids of endpoints of the same id that ended before this one was made."""
    outside: bool = False
    """Whether the endpoint's subscription left the estate, so that nobody looks at it any more."""


@dataclass(frozen=True, slots=True)
class Wanting:
    """An endpoint that wants a record."""

    endpoint: Endpoint
    want: Want
    served: bool


@dataclass(slots=True)
class Contest:
    """Everybody's part in one record."""

    wanting: list[Wanting] = field(default_factory=list)
    leaving: list[tuple[Party, Claim]] = field(default_factory=list)

    def leaver(self, owner: Owner) -> tuple[Party, Claim] | None:
        """Who owns the record, and wants it no more."""
        return next(((party, claim) for party, claim in self.leaving if claim.endpoint == owner.endpoint), None)


Decided = Change | Held | RecordKey
"""What is decided about a record: a change, something held, or its key where nothing needs to be done."""


def plan_records(parties: Iterable[Party], standing: Standing, rules: Rules) -> Plan:
    """What to do about every record that one of these endpoints wants or claims; `standing` knows each of them."""
    contests = contests_of(parties)
    return plan_of(each for key, contest in contests.items() for each in decide(contest, standing[key], rules))


def contests_of(parties: Iterable[Party]) -> dict[RecordKey, Contest]:
    """Who has a part in which record."""
    contests: dict[RecordKey, Contest] = {}
    for party in parties:
        if isinstance(party.seen, Endpoint):
            for want in party.wants:
                wanting = Wanting(party.seen, want, want.key in party.served)
                contests.setdefault(want.key, Contest()).wanting.append(wanting)
        for claim in {claim.key: claim for claim in party.leftovers}.values():
            contests.setdefault(claim.key, Contest()).leaving.append((party, claim))
    return contests


def plan_of(decisions: Iterable[Decided]) -> Plan:
    """What is decided about several records as a plan."""
    decided = tuple(decisions)
    return Plan(
        changes=tuple(each for each in decided if isinstance(each, Put | Drop)),
        held=tuple(each for each in decided if isinstance(each, Held)),
        unchanged=tuple(each for each in decided if isinstance(each, RecordKey)),
    )


def joined(*plans: Plan) -> Plan:
    """Several plans as one, in order."""
    return Plan(
        changes=tuple(change for plan in plans for change in plan.changes),
        held=tuple(held for plan in plans for held in plan.held),
        unchanged=tuple(key for plan in plans for key in plan.unchanged),
        over_limit=tuple(change for plan in plans for change in plan.over_limit),
        zones=tuple(change for plan in plans for change in plan.zones),
        warnings=tuple(warning for plan in plans for warning in plan.warnings),
    )


def decide(contest: Contest, record: RecordSet | Unread | None, rules: Rules) -> Iterator[Decided]:
    """What to do about one record, by the table above."""
    ranked = by_rank(contest, rules)
    if isinstance(record, Unread):
        yield from (_of(each, HeldReason.UNCERTAIN, record.detail, waits=True) for each in ranked)
        yield from (_of_claim(claim, HeldReason.UNCERTAIN, record.detail) for _, claim in contest.leaving)
    elif record is None:
        yield from given(ranked, None, "wanted, and nothing stands there", rules)
    elif record.owner is None or not record.owned_by(rules.instances):
        yield from (_foreign(each, record) for each in ranked)
    else:
        yield from _ours(contest, ranked, record, record.owner, rules)


def _ours(
    contest: Contest, ranked: Sequence[Wanting], record: RecordSet, owner: Owner, rules: Rules
) -> Iterator[Decided]:
    """A record of ours: its holder keeps it as long as it wants it, unless one whom the hub prefers wants it, too."""
    holder = next((each for each in ranked if owner.is_for(each.endpoint.id, each.endpoint.guid)), None)
    if holder is not None:
        displacing = next((each for each in ranked if _displaces(each, holder, rules)), None)
        if displacing is None or is_protected(holder.want.key, holder.want.fqdn, rules):
            why = _why(record, holder.want, _mark(holder, rules))
            yield from given([holder, *(each for each in ranked if each is not holder)], record, why, rules)
        else:
            others = [each for each in ranked if each is not displacing]
            why = f"hub {displacing.want.hub} prefers it"
            for each in given([displacing, *others], record, why, rules):
                yield replace(each, displaces=holder.endpoint.id) if isinstance(each, Put) else each
        return
    leaving = contest.leaver(owner)
    if leaving is None:
        yield from (_contested(each, f"{owner.endpoint} holds the name", waits=True) for each in ranked)
        return
    party, claim = leaving
    end = end_of(party, claim)
    if isinstance(end, Held):
        yield end
        detail = f"{owner.endpoint} holds the name, and may not end yet: {end.detail}"
        yield from (_contested(each, detail, waits=end.waits) for each in ranked)
    else:
        yield from let_go(ranked, claim, record, end, rules)


def let_go(ranked: Sequence[Wanting], claim: Claim, record: RecordSet, end: str, rules: Rules) -> Iterator[Decided]:
    """The record's holder is at its end there: the record goes to the next, or goes altogether."""
    if ranked:
        yield from given(ranked, record, f"{claim.endpoint} lets it go: {end}", rules)
    elif is_protected(claim.key, claim.fqdn, rules):
        yield _of_claim(claim, HeldReason.PROTECTED, f"{end}, but the name is protected", waits=False)
    else:
        yield Drop(claim.key, record.etag, record.addresses, claim.endpoint, end)


def given(ranked: Sequence[Wanting], record: RecordSet | None, why: str, rules: Rules) -> Iterator[Decided]:
    """The record goes to the first, or stays with it; the others are contested."""
    if not ranked:
        return
    first, *others = ranked
    mark = _mark(first, rules)
    if record is not None and _same(record, first.want, mark, rules.ttl):
        yield record.key
    elif record is not None and is_protected(first.want.key, first.want.fqdn, rules):
        yield _of(first, HeldReason.PROTECTED, "records.protected names it")
    else:
        was, etag = (record.addresses, record.etag) if record else ((), None)
        yield Put.of(first.want, mark, ttl=rules.ttl, was=was, etag=etag, why=why)
    yield from (_contested(each, f"{first.endpoint.id} holds the name") for each in others)


def by_rank(contest: Contest, rules: Rules) -> list[Wanting]:
    """Those who want the record, the first in front."""
    return sorted(contest.wanting, key=lambda wanting: _rank(wanting, rules))


def _rank(wanting: Wanting, rules: Rules) -> tuple[bool, bool, bool, str]:
    """Who comes first: whom the hub prefers; then who had it; the place, and at last the id, only break ties."""
    preferred, nearby = _preferred(wanting, rules)
    return (not preferred, not wanting.served, not nearby, wanting.endpoint.id.key)


def _preferred(wanting: Wanting, rules: Rules) -> tuple[bool, bool]:
    hub = rules.hubs.get(wanting.want.hub)
    endpoint = wanting.endpoint
    if hub is None:
        return False, False
    return hub.prefers_subscription(endpoint.id.subscription), hub.prefers_location(endpoint.location)


def _displaces(wanting: Wanting, holder: Wanting, rules: Rules) -> bool:
    """Whether a hub's preference takes the name from its holder: only for another way to the same target."""
    same_target = wanting.endpoint.target is not None and wanting.endpoint.target == holder.endpoint.target
    return same_target and _preferred(wanting, rules)[0] and not _preferred(holder, rules)[0]


def _mark(wanting: Wanting, rules: Rules) -> Owner:
    return Owner(rules.instance, wanting.endpoint.id, wanting.endpoint.guid)


def _foreign(wanting: Wanting, record: RecordSet) -> Held:
    want = wanting.want
    same = set(record.addresses) == set(want.addresses)
    if record.keeper is Keeper.ZONE_GROUP:
        reason = HeldReason.ZONE_GROUP
    else:
        reason = HeldReason.SERVED_BY_OTHER if same else HeldReason.FOREIGN_CONFLICT
    addresses = ", ".join(str(address) for address in record.addresses) or "none"
    by = f"instance {record.owner.instance}" if record.owner else record.keeper
    detail = f"{want.key} stands with {addresses} ({by}); wanted: {', '.join(map(str, want.addresses))}"
    return _of(wanting, reason, detail)


def _contested(wanting: Wanting, detail: str, *, waits: bool = False) -> Held:
    return _of(wanting, HeldReason.CONTESTED, detail, waits=waits)


def _of(wanting: Wanting, reason: HeldReason, detail: str, *, waits: bool = False) -> Held:
    return Held(reason, wanting.endpoint.id, detail, wanting.want.key, wanting.want.fqdn, waits=waits)


def _of_claim(claim: Claim, reason: HeldReason, detail: str, *, waits: bool = True) -> Held:
    return Held(reason, claim.endpoint, detail, claim.key, claim.fqdn, waits=waits)


def _same(record: RecordSet, want: Want, owner: Owner, ttl: int) -> bool:
    return set(record.addresses) == set(want.addresses) and record.ttl == ttl and record.owner == owner


def _why(record: RecordSet, want: Want, owner: Owner) -> str:
    if set(record.addresses) != set(want.addresses):
        return "the addresses differ"
    return "the mark differs" if record.owner != owner else "the ttl differs"


def end_of(party: Party, claim: Claim) -> str | Held:
    """Why the claimed record may go, or why it is held back (law 5)."""
    seen = party.seen
    if isinstance(seen, Gone):
        return "the endpoint is gone" if seen.proven else _of_claim(claim, HeldReason.UNCERTAIN, seen.detail)
    if claim.guid and seen.guid and fold(claim.guid) != fold(seen.guid):
        if fold(claim.guid) in party.forebears:
            return "the endpoint was made anew, and the one that had the name is gone"
        return _of_claim(
            claim, HeldReason.UNCERTAIN, "the endpoint was made anew; the one before it may live elsewhere"
        )
    if not seen.settled:
        return _not_ready(claim)
    if seen.status in (ConnectionStatus.REJECTED, ConnectionStatus.DISCONNECTED):
        return f"the connection is {seen.status}"
    if seen.status is not ConnectionStatus.APPROVED:
        detail = f"the connection is {seen.status}, which does not prove that it ended"
        return _of_claim(claim, HeldReason.NOT_APPROVED, detail)
    return _end_while_approved(seen, party, claim)


def _end_while_approved(seen: Endpoint, party: Party, claim: Claim) -> str | Held:
    """The same for an endpoint that lives and may have names: what it shows decides."""
    if seen.brings_names and not seen.sure_names:
        return _not_ready(claim)
    for held in party.held_names:
        if compared(held.name) == claim.fqdn or (held.waits and not held.name):
            return _held_with(held, claim)
    if not seen.brings_names:
        # An owner's word is never shown by Azure, so that what is shown says nothing about it.
        detail = "records.names does not give the target this name now"
        return _of_claim(claim, HeldReason.NO_LONGER_COVERED, detail, waits=False)
    return _end_of_name(seen, claim)


def _held_with(held: Held, claim: Claim) -> Held:
    """The record waits with the name that is held; where that is for good, it is for a person to release (law 14)."""
    if held.waits or held.key is not None:
        return replace(held, key=claim.key, name=claim.fqdn)
    return _of_claim(claim, HeldReason.NO_LONGER_COVERED, f"{held.reason}: {held.detail}", waits=False)


def _end_of_name(seen: Endpoint, claim: Claim) -> str | Held:
    """The same for a living, approved endpoint that shows names: whether the claimed one is among them."""
    if not claim.fqdn:
        detail = "the record bears the endpoint's mark, and the ledger has lost for which of its names"
        return _of_claim(claim, HeldReason.NO_LONGER_COVERED, detail, waits=False)
    same = [name for name in seen.sure_names if compared(name.fqdn) == claim.fqdn]
    kinds = {RecordType.of(address) for name in same for address in name.addresses}
    if same and not kinds:
        return _not_ready(claim)
    if claim.key.type in kinds:
        detail = "the endpoint still has the name, but the settings give it another place or none"
        return _of_claim(claim, HeldReason.NO_LONGER_COVERED, detail, waits=False)
    return f"the endpoint has no {claim.key.type} for this name now" if kinds else "the endpoint has other names now"


def _not_ready(claim: Claim) -> Held:
    return _of_claim(claim, HeldReason.NOT_READY, "what the endpoint shows now is not its final state")


def is_protected(key: RecordKey, fqdn: str, rules: Rules) -> bool:
    """Whether a record may be neither changed nor dropped."""
    return fqdn in rules.protected or key.fqdn in rules.protected
