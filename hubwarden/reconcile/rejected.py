"""Rejected connections that the policy would approve now: Azure takes no rejection back, so it is told what helps."""

from __future__ import annotations

from collections.abc import Iterable

from hubwarden.model.connection import Connection, Verdict
from hubwarden.model.endpoint import ConnectionStatus, Endpoint, Gone
from hubwarden.model.plan import Held, HeldReason
from hubwarden.reconcile.approve import judge
from hubwarden.reconcile.rooms import Rooms
from hubwarden.reconcile.waiting import of_endpoint


async def not_taken_back(rooms: Rooms, connections: Iterable[Connection]) -> tuple[Held, ...]:
    """Those of the connections that are Rejected and that a rule would approve, with what to do (approval notes)."""
    rejected = [each for each in connections if each.status is ConnectionStatus.REJECTED]
    return tuple(
        Held(
            HeldReason.NOT_APPROVED,
            decision.connection.endpoint,
            f"it is Rejected, which Azure does not take back; rule {decision.rule} would approve it now:"
            " delete the endpoint and create it anew",
            connection=decision.connection.id,
        )
        for decision in await judge(rooms, rejected)
        if decision.verdict is Verdict.APPROVE
    )


async def not_taken_back_of(rooms: Rooms, seen: Endpoint | Gone) -> tuple[Held, ...]:
    """The same for the connection of an endpoint that shows that it was rejected, where its target is ours."""
    if not isinstance(seen, Endpoint) or seen.status is not ConnectionStatus.REJECTED or seen.target is None:
        return ()
    found = await of_endpoint(rooms, seen)
    return () if isinstance(found, Held) else await not_taken_back(rooms, found)
