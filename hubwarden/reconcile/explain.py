"""What stands behind an endpoint or a name, for whoever asks; nothing is changed."""

from __future__ import annotations

from dataclasses import replace

from hubwarden.model.connection import Decision
from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import ConnectionStatus, Endpoint, Gone
from hubwarden.model.explanation import Explanation, NameExplanation
from hubwarden.model.plan import Held, Plan
from hubwarden.model.record import RecordSet
from hubwarden.model.resource_id import ResourceId
from hubwarden.reconcile.approve import approve
from hubwarden.reconcile.look import outside
from hubwarden.reconcile.named import keys_of
from hubwarden.reconcile.observe import Ask, observe, read_records
from hubwarden.reconcile.rejected import not_taken_back_of
from hubwarden.reconcile.rooms import Rooms
from hubwarden.reconcile.waiting import of_endpoint
from hubwarden.reconcile.write import Orders, judged

MOST_EXPLAINED = 10
"""Endpoints of one name: hundreds may want a name that answers for everybody."""


async def explain(rooms: Rooms, endpoint: ResourceId) -> Explanation:
    """What is seen, wanted, held and owned for an endpoint, and what would be done."""
    if held := await outside(rooms, endpoint):
        gone = Gone(endpoint, False, "not looked at: its subscription is not part of the estate")
        return Explanation(endpoint, gone, (), (), {}, Plan(held=(held,)))
    view = await observe(rooms, Ask((endpoint,), thorough=True, strict=True))
    sight = view.sights[endpoint]
    plan = await judged(rooms, view.plan, Orders(applies=False))
    return Explanation(
        endpoint=sight.seen.id if isinstance(sight.seen, Endpoint) else endpoint,  # as Azure spells it
        seen=sight.seen,
        wants=sight.wishes.wants,
        claims=sight.claims,
        standing=view.standing,
        plan=replace(plan, held=(*plan.held, *await not_taken_back_of(rooms, sight.seen))),
        decisions=await _would_be_decided(rooms, sight.seen),
    )


async def _would_be_decided(rooms: Rooms, seen: Endpoint | Gone) -> tuple[Decision, ...]:
    """What would be answered to the connection of an endpoint that waits, in the words of the list of connections."""
    if not isinstance(seen, Endpoint) or seen.status is not ConnectionStatus.PENDING or seen.target is None:
        return ()
    found = await of_endpoint(rooms, seen)
    return () if isinstance(found, Held) else (await approve(rooms, found, applies=False)).decisions


async def explain_name(rooms: Rooms, name: DnsName) -> NameExplanation:
    """The records that may answer a public or a private name, and the endpoints that own or claim one of them."""
    hubs = await rooms.estate.hubs()
    standing = await read_records(rooms, await keys_of(rooms, name))
    records = [record for record in standing.values() if isinstance(record, RecordSet)]
    owners = {record.owner.endpoint for record in records if record.owner}
    claimants = {endpoint for key in standing for endpoint in await rooms.claims.claimants_of(key)} - owners
    asking = [*sorted(owners), *sorted(claimants)]
    explained = [await explain(rooms, endpoint) for endpoint in asking[:MOST_EXPLAINED]]
    trouble = [f"the zones of hub {hub.hub.name} were not shown: {hub.trouble}" for hub in hubs if hub.trouble]
    if more := len(asking) - len(explained):
        trouble.append(f"{more} more of the endpoints that claim it: each can be explained by its id")
    return NameExplanation(name, standing, tuple(explained), tuple(trouble))
