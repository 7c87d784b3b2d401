"""After answers: consumers' endpoints are looked at by looks of their own, and what Azure is at work on is followed.

So a record is written as soon as Azure shows the approval at the endpoint, whoever gave it.
"""

from __future__ import annotations

from collections.abc import Iterable

from hubwarden.model.connection import Connection, Decision
from hubwarden.model.report import Outcome, Result
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneEndpoint, OneTarget, Scope
from hubwarden.reconcile.approve import Approvals
from hubwarden.reconcile.hand_on import hand_on, look_at
from hubwarden.reconcile.rooms import Rooms


async def look_afterwards(rooms: Rooms, approvals: Approvals) -> None:
    """Hands what follows from answers to the work queue. Raises LedgerUnavailableError."""
    for endpoint in {*answered(approvals.decisions), *_unsure(approvals.outcomes)}:
        if await rooms.estate.includes(endpoint.subscription):
            # Azure may take a while to show the answer there: it is waited for by a look of its own.
            await look_at(rooms, OneEndpoint(endpoint))
    for target in _raced(approvals.outcomes):
        # What was judged is not what stands there, as the index may go on showing it: ARM is asked now.
        await look_at(rooms, OneTarget(target))
    for connection in approvals.begun:
        await hand_on(rooms, await _following(rooms, connection))


def answered(decisions: Iterable[Decision]) -> list[ResourceId]:
    """The endpoints whose connections show an answer now that they did not show before."""
    return [
        decision.connection.endpoint
        for decision in decisions
        if decision.connection.endpoint and decision.after not in (None, decision.before)
    ]


def _unsure(outcomes: Iterable[Outcome]) -> list[ResourceId]:
    """The endpoints whose answer may have been taken though nobody said so."""
    return [
        outcome.change.connection.endpoint
        for outcome in outcomes
        if isinstance(outcome.change, Decision)
        and outcome.result is Result.FAILED
        and outcome.temporary
        and outcome.change.connection.endpoint
    ]


def _raced(outcomes: Iterable[Outcome]) -> set[ResourceId]:
    """The targets of connections that were otherwise when they were to be answered."""
    return {
        outcome.change.connection.target
        for outcome in outcomes
        if isinstance(outcome.change, Decision) and outcome.result is Result.RACED
    }


async def _following(rooms: Rooms, connection: Connection) -> Scope:
    """The look by which an answer is followed: at an endpoint of the estate, or at the target of anybody else's."""
    endpoint = connection.endpoint
    ours = endpoint is not None and await rooms.estate.includes(endpoint.subscription)
    return OneEndpoint(endpoint) if endpoint and ours else OneTarget(connection.target)
