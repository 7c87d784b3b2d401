"""Approvals: connections that wait are decided on by the policy and answered, each with its outcome."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from hubwarden.approval.decide import decide, is_settled
from hubwarden.arm.connections import answer_connection, knows
from hubwarden.arm.endpoints import read_endpoint
from hubwarden.errors import HubwardenError, LedgerUnavailableError, NotFoundError, RacedError, TemporaryError
from hubwarden.ledger.decisions import Intended
from hubwarden.model.connection import Connection, Decision, Verdict
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.plan import Held, HeldReason
from hubwarden.model.policy import Facts
from hubwarden.model.report import Outcome, Result
from hubwarden.model.resource_id import fold
from hubwarden.reconcile.rooms import Rooms

_AT_ONCE = 5

log = logging.getLogger(__name__)

Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Approvals:
    """What was decided on connections that wait, what became of the answers, and what was on purpose not answered."""

    decisions: tuple[Decision, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    held: tuple[Held, ...] = ()


async def approve(rooms: Rooms, connections: Iterable[Connection], *, applies: bool) -> Approvals:
    """Decides on those of the connections that are Pending and, where it `applies`, answers them.

    What cannot be learnt of one holds that one (laws 10 and 13). Raises LedgerUnavailableError before anything is
    written; after that, every failure is an Outcome.
    """
    waiting = {each.id: each for each in connections if each.status is ConnectionStatus.PENDING}
    decisions = await _some_at_once(lambda connection: _decided(rooms, connection), list(waiting.values()))
    held = tuple(_of_unknown_provider(each) for each in decisions if not _can_be_answered(each))
    decisions = [each if _can_be_answered(each) else _left_to_a_person(each) for each in decisions]
    answers, over = within_limits([each for each in decisions if each.verdict is not Verdict.HOLD])
    if not applies:
        return Approvals(tuple(decisions), held=(*held, *over))
    # All are stored ahead, so that with storage down none is answered.
    intended = await rooms.decisions.intend(answers, rooms.now())
    outcomes = await _some_at_once(lambda pair: _answered(rooms, *pair), list(zip(answers, intended, strict=True)))
    ended = {outcome.key: outcome.change for outcome in outcomes if isinstance(outcome.change, Decision)}
    decisions = [ended.get(each.connection.id, each) for each in decisions]
    return Approvals(tuple(decisions), tuple(outcomes), (*held, *over))


def within_limits(answers: Sequence[Decision]) -> tuple[Sequence[Decision], tuple[Held, ...]]:
    """The answers that may go on, and what is held over the limits of an hour (law 9); no count is kept yet."""
    return answers, ()


async def _decided(rooms: Rooms, connection: Connection) -> Decision:
    """The policy's decision. A fact is asked for only while it could matter; what fails to be learnt stays unknown."""
    target, endpoint = connection.target, connection.endpoint
    facts = Facts(
        consumer=fold(endpoint.subscription) if endpoint else None,
        target_type=target.type,
        target_subscription=fold(target.subscription),
        groups=connection.groups or None,
    )
    for learn in (_estate, _tenancy, _groups):
        if is_settled(rooms.policy, facts):
            break
        try:
            facts = await learn(rooms, connection, facts)
        except HubwardenError as error:
            log.warning("approve: a fact about %s is not known: %s", connection.id, error)
    return decide(rooms.policy, replace(connection, groups=facts.groups or ()), facts)


async def _estate(rooms: Rooms, _: Connection, facts: Facts) -> Facts:
    return replace(facts, in_estate=await rooms.estate.includes(facts.consumer)) if facts.consumer else facts


async def _tenancy(rooms: Rooms, _: Connection, facts: Facts) -> Facts:
    if not facts.consumer:
        return facts
    return replace(facts, tenancy=await rooms.estate.tenancy(facts.consumer, fresh=True))


async def _groups(rooms: Rooms, connection: Connection, facts: Facts) -> Facts:
    """Where the target shows no groups, the consumer's endpoint does: believed of the estate's, if it leads here."""
    if facts.groups is not None or not facts.in_estate or connection.endpoint is None:
        return facts
    endpoint = await read_endpoint(rooms.arm, connection.endpoint)
    leads_here = endpoint.id == connection.endpoint and endpoint.target == connection.target
    return replace(facts, groups=endpoint.groups) if leads_here else facts


def _can_be_answered(decision: Decision) -> bool:
    return decision.verdict is Verdict.HOLD or knows(decision.connection.target)


def _of_unknown_provider(decision: Decision) -> Held:
    connection = decision.connection
    detail = f"{decision.verdict} by {decision.reason}, but connections of {connection.target.type} are not answered"
    return Held(HeldReason.UNKNOWN_PROVIDER, connection.endpoint, detail, connection=connection.id)


def _left_to_a_person(decision: Decision) -> Decision:
    return replace(decision, verdict=Verdict.HOLD, reason=_of_unknown_provider(decision).detail)


async def _answered(rooms: Rooms, decision: Decision, intended: Intended) -> Outcome:
    outcome = await _written(rooms, decision)
    # A temporary failure may hide that the answer was taken: it stays open until somebody has looked.
    if outcome.result is not Result.FAILED or not outcome.temporary:
        try:
            await rooms.decisions.close(intended, outcome.result, rooms.now())
        except LedgerUnavailableError as error:
            log.warning("approve: the decision on %s stays open: %s", intended.connection, error)
    return outcome


async def _written(rooms: Rooms, decision: Decision) -> Outcome:
    note = f"{decision.verdict.status} by Hubwarden ({rooms.rules.instance}): rule {decision.rule}"
    try:
        shown = await answer_connection(rooms.arm, decision, note, now=rooms.now, sleep=rooms.sleep)
    except (RacedError, NotFoundError) as error:
        return Outcome(decision, Result.RACED, str(error), temporary=True)
    except TemporaryError as error:
        return Outcome(decision, Result.FAILED, str(error), temporary=True, retry_after=error.retry_after)
    except HubwardenError as error:
        return Outcome(decision, Result.FAILED, str(error))
    return Outcome(replace(decision, after=shown.status), Result.DONE)


async def _some_at_once(do: Callable[[Given], Awaitable[Made]], given: Sequence[Given]) -> list[Made]:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(each: Given) -> Made:
        async with gate:
            return await do(each)

    return await asyncio.gather(*map(one, given))
