"""What differs: from what an endpoint wants and what stands in the zones, the changes to make and what is held.

How one wanted record is decided (RFC 8499 speaks of a record set; Azure writes whole sets):

    stands there now                       | outcome
    ---------------------------------------+------------------------------------------------
    nothing                                | Put, insisting that there is still nothing
    ours, for this endpoint, as wanted     | unchanged
    ours, for this endpoint, differs       | Put, insisting on the etag
    ours, for another endpoint             | contested: the holder keeps it
    a zone group's                         | zone_group
    anybody else's, the same addresses     | served_by_other
    anybody else's, other addresses        | foreign_conflict
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import assert_never

from hubwarden.model.dns_name import compared
from hubwarden.model.endpoint import ConnectionStatus, Endpoint, Gone
from hubwarden.model.plan import Change, Claim, Drop, Held, HeldReason, Plan, Put, Want
from hubwarden.model.record import Keeper, Owner, RecordKey, RecordSet, RecordType, Standing, Unread


@dataclass(frozen=True, slots=True)
class Rules:
    """What an owner has settled about records."""

    instance: str
    instances: frozenset[str]
    ttl: int
    protected: frozenset[str]
    """Names of records, and the public names that they serve."""


def plan_wants(endpoint: Endpoint, wants: Iterable[Want], standing: Standing, rules: Rules) -> Plan:
    """What to do so that every want is served."""
    changes: list[Change] = []
    held: list[Held] = []
    unchanged: list[RecordKey] = []
    for want in wants:
        match _for_want(endpoint, want, standing[want.key], rules):
            case Put() as put:
                changes.append(put)
            case Held() as reason:
                held.append(reason)
            case None:
                unchanged.append(want.key)
            case _ as never:
                assert_never(never)
    return Plan(tuple(changes), tuple(held), tuple(unchanged))


def plan_leftovers(
    seen: Endpoint | Gone, claims: Iterable[Claim], standing: Standing, rules: Rules, held_names: Iterable[Held] = ()
) -> Plan:
    """What to do about claims that nothing wants any more: a Drop only where the endpoint's end is proven (law 5).

    `held_names` are the endpoint's names that are held back themselves: their records wait with them.
    """
    by_name = {compared(each.name): each for each in held_names}
    changes: list[Change] = []
    held: list[Held] = []
    for claim in {claim.key: claim for claim in claims}.values():
        record = standing[claim.key]
        if isinstance(record, Unread):
            held.append(Held(HeldReason.UNCERTAIN, claim.endpoint, record.detail, claim.key, claim.fqdn, waits=True))
            continue
        if record is None or not _is_ours_for(record, claim, rules):
            continue  # there is nothing of ours to withdraw
        why = _end_of(seen, claim, by_name.get(claim.fqdn))
        if isinstance(why, Held):
            held.append(why)
        elif _is_protected(claim.key, claim.fqdn, rules):
            detail = f"{why}, but the name is protected"
            held.append(Held(HeldReason.PROTECTED, claim.endpoint, detail, claim.key, claim.fqdn))
        else:
            changes.append(Drop(claim.key, record.etag, record.addresses, claim.endpoint, why))
    return Plan(tuple(changes), tuple(held))


def joined(*plans: Plan) -> Plan:
    """Several plans as one, in order."""
    return Plan(
        changes=tuple(change for plan in plans for change in plan.changes),
        held=tuple(held for plan in plans for held in plan.held),
        unchanged=tuple(key for plan in plans for key in plan.unchanged),
    )


def _for_want(endpoint: Endpoint, want: Want, record: RecordSet | Unread | None, rules: Rules) -> Put | Held | None:
    owner = Owner(rules.instance, endpoint.id, endpoint.guid)
    if isinstance(record, Unread):
        return Held(HeldReason.UNCERTAIN, endpoint.id, record.detail, want.key, want.fqdn, waits=True)
    if record is not None:
        if not record.owned_by(rules.instances):
            return _foreign(endpoint, want, record)
        if record.owner and not record.owner.is_for(endpoint.id, endpoint.guid):
            detail = f"{record.owner.endpoint} holds the name"
            return Held(HeldReason.CONTESTED, endpoint.id, detail, want.key, want.fqdn, waits=True)
        if _same(record, want, owner, rules.ttl):
            return None
        if _is_protected(want.key, want.fqdn, rules):
            detail = "records.protected names it"
            return Held(HeldReason.PROTECTED, endpoint.id, detail, want.key, want.fqdn)
    return Put(
        hub=want.hub,
        key=want.key,
        fqdn=want.fqdn,
        addresses=want.addresses,
        ttl=rules.ttl,
        owner=owner,
        etag=record.etag if record else None,
        was=record.addresses if record else (),
        why=_why(record, want, owner),
    )


def _foreign(endpoint: Endpoint, want: Want, record: RecordSet) -> Held:
    same = set(record.addresses) == set(want.addresses)
    if record.keeper is Keeper.ZONE_GROUP:
        reason = HeldReason.ZONE_GROUP
    else:
        reason = HeldReason.SERVED_BY_OTHER if same else HeldReason.FOREIGN_CONFLICT
    addresses = ", ".join(str(address) for address in record.addresses) or "none"
    by = f"instance {record.owner.instance}" if record.owner else record.keeper
    detail = f"{want.key} stands with {addresses} ({by}); wanted: {', '.join(map(str, want.addresses))}"
    return Held(reason, endpoint.id, detail, want.key, want.fqdn)


def _same(record: RecordSet, want: Want, owner: Owner, ttl: int) -> bool:
    return set(record.addresses) == set(want.addresses) and record.ttl == ttl and record.owner == owner


def _why(record: RecordSet | None, want: Want, owner: Owner) -> str:
    if record is None:
        return "wanted, and nothing stands there"
    if set(record.addresses) != set(want.addresses):
        return "the addresses differ"
    return "the mark differs" if record.owner != owner else "the ttl differs"


def _end_of(seen: Endpoint | Gone, claim: Claim, held_name: Held | None) -> str | Held:
    """Why the claimed record may go, or why it is held back."""
    if isinstance(seen, Gone):
        if seen.proven:
            return "the endpoint is gone"
        return Held(HeldReason.UNCERTAIN, claim.endpoint, seen.detail, claim.key, claim.fqdn, waits=True)
    if not seen.settled:
        return _not_ready(claim)
    if seen.status in (ConnectionStatus.REJECTED, ConnectionStatus.DISCONNECTED):
        return f"the connection is {seen.status}"
    if seen.status is not ConnectionStatus.APPROVED:
        detail = f"the connection is {seen.status}, which does not prove that it ended"
        return Held(HeldReason.NOT_APPROVED, claim.endpoint, detail, claim.key, claim.fqdn, waits=True)
    if not seen.sure_names:
        return _not_ready(claim)
    if held_name:
        return replace(held_name, key=claim.key, name=claim.fqdn)
    same = [name for name in seen.sure_names if compared(name.fqdn) == claim.fqdn]
    kinds = {RecordType.of(address) for name in same for address in name.addresses}
    if same and not kinds:
        return _not_ready(claim)
    if claim.key.type in kinds:
        detail = "the endpoint still has the name, but the settings give it another place or none"
        return Held(HeldReason.NO_LONGER_COVERED, claim.endpoint, detail, claim.key, claim.fqdn)
    return f"the endpoint has no {claim.key.type} for this name now" if kinds else "the endpoint has other names now"


def _not_ready(claim: Claim) -> Held:
    detail = "what the endpoint shows now is not its final state"
    return Held(HeldReason.NOT_READY, claim.endpoint, detail, claim.key, claim.fqdn, waits=True)


def _is_ours_for(record: RecordSet, claim: Claim, rules: Rules) -> bool:
    return record.owned_by(rules.instances) and bool(record.owner and record.owner.endpoint == claim.endpoint)


def _is_protected(key: RecordKey, fqdn: str, rules: Rules) -> bool:
    return fqdn in rules.protected or key.fqdn in rules.protected
