"""Approvals: connections that wait are decided on by the policy and answered, each with its outcome."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from hubwarden.approval.decide import decide, is_settled
from hubwarden.arm.connections import answers
from hubwarden.arm.endpoints import read_endpoint
from hubwarden.arm.estate import Estate
from hubwarden.errors import HubwardenError
from hubwarden.model.connection import Connection, Decision, Verdict
from hubwarden.model.endpoint import ConnectionStatus, Tenancy
from hubwarden.model.plan import Held, HeldReason
from hubwarden.model.policy import Facts
from hubwarden.model.report import Outcome
from hubwarden.model.resource_id import ResourceId, fold
from hubwarden.reconcile.answer import COUNTED, Answered, answer, follow, taken
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
    begun: tuple[Connection, ...] = ()
    """Those whose answer Azure took in this run, and is still at work on."""


class _Tenancies:
    """Whose subscriptions are, each asked for once in a run, which is fresh enough for its decisions."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._known: dict[str, Tenancy] = {}
        self._turn = asyncio.Lock()

    async def of(self, subscription: str) -> Tenancy:
        """Asks ARM, or remembers. Raises UnavailableError where ARM does not answer."""
        async with self._turn:
            if subscription not in self._known:
                self._known[subscription] = await self._estate.tenancy(subscription, fresh=True)
        return self._known[subscription]


async def approve(rooms: Rooms, connections: Iterable[Connection], *, applies: bool) -> Approvals:
    """Decides on those of the connections that are Pending and, where it `applies`, answers them.

    What cannot be learnt of one holds that one (laws 10 and 13). Raises LedgerUnavailableError before anything is
    written; after that, every failure is an Outcome.
    """
    given = {each.id: each for each in connections}
    held = [_must_act(each) for each in given.values() if each.must_act]
    under_way = await taken(rooms, given)
    followed = await _some_at_once(
        lambda each: follow(rooms, each, given[each.connection], applies=applies), list(under_way)
    )
    busy = {each.connection for each in under_way}
    waiting = [each for each in given.values() if each.status is ConnectionStatus.PENDING and each.id not in busy]
    decisions = await judge(rooms, waiting)
    objections = _objections(decisions, waiting)
    decisions = [_left(each, objections.get(each.connection.id)) for each in decisions]
    decisions, over = await _within_limits(rooms, decisions)
    answering = [each for each in decisions if each.verdict is not Verdict.HOLD]
    held += [*objections.values(), *over]
    if not applies:
        return _together(decisions, followed, held)
    now = rooms.now()
    # All are counted and stored ahead, so that with storage down none is answered.
    answering, counts, late = await _counted(rooms, answering, now)
    decisions = [_beyond(each) if each.connection.id in late else each for each in decisions]
    held += [_over_limit(each) for each in decisions if each.connection.id in late]
    intended = await rooms.decisions.intend(answering, now)
    ahead = list(zip(answering, intended, counts, strict=True))
    answered = await _some_at_once(lambda each: answer(rooms, *each), ahead)
    return _together(decisions, [*followed, *answered], held, begun=[each for each in answered if each.held])


async def judge(rooms: Rooms, connections: Sequence[Connection]) -> list[Decision]:
    """What the policy says to these connections, whatever their status; nobody is answered."""
    tenancies = _Tenancies(rooms.estate)
    return await _some_at_once(lambda each: _decided(rooms, each, tenancies), connections)


def _together(
    decisions: Iterable[Decision], answered: Iterable[Answered], held: Iterable[Held], begun: Iterable[Answered] = ()
) -> Approvals:
    """What was decided with what came of it, each connection once."""
    ended = {each.decision.connection.id: each.decision for each in answered}
    return Approvals(
        decisions=tuple({**{each.connection.id: each for each in decisions}, **ended}.values()),
        outcomes=tuple(each.outcome for each in answered if each.outcome),
        held=(*held, *(each.held for each in answered if each.held)),
        begun=tuple(each.decision.connection for each in begun),
    )


def _left(decision: Decision, objection: Held | None) -> Decision:
    return replace(decision, verdict=Verdict.HOLD, reason=objection.detail) if objection else decision


async def _within_limits(rooms: Rooms, decisions: Sequence[Decision]) -> tuple[list[Decision], tuple[Held, ...]]:
    """The decisions, with the answers beyond what an hour may see held (law 9)."""
    beyond: set[ResourceId] = set()
    for verdict in (Verdict.APPROVE, Verdict.REJECT):
        answers = [each for each in decisions if each.verdict is verdict]
        if answers:
            room = await _room(rooms, verdict, answers)
            beyond.update(each.connection.id for each in answers[room:])
    kept = [_beyond(each) if each.connection.id in beyond else each for each in decisions]
    return kept, tuple(_over_limit(each) for each in kept if each.connection.id in beyond)


async def _counted(
    rooms: Rooms, answers: Sequence[Decision], now: float
) -> tuple[list[Decision], list[str], set[ResourceId]]:
    """The answers that go on, each with the note that counts it, and those for which others were faster.

    All instances note first and count then: so those that note at once may both step back, but never both go on.
    """
    going: list[Decision] = []
    counts: list[str] = []
    late: set[ResourceId] = set()
    for verdict in (Verdict.APPROVE, Verdict.REJECT):
        mine = [each for each in answers if each.verdict is verdict]
        if not mine:
            continue
        names = await rooms.tally.note(COUNTED[verdict], [("", str(each.connection.id)) for each in mine], now)
        room = await _room(rooms, verdict, mine)
        for place, (decision, name) in enumerate(zip(mine, names, strict=True)):
            if place < room:
                going.append(decision)
                counts.append(name)
            else:
                late.add(decision.connection.id)
                await rooms.tally.take_back(COUNTED[verdict], [name])
    return going, counts, late


async def _room(rooms: Rooms, verdict: Verdict, answers: Sequence[Decision]) -> int:
    """How many of these answers the hour still has room for, beside all others."""
    mine = [str(each.connection.id) for each in answers]
    others = await rooms.tally.within_hour(COUNTED[verdict], rooms.now(), without=mine)
    return max(0, _most(rooms, verdict) - others.total())


def _most(rooms: Rooms, verdict: Verdict) -> int:
    return rooms.approve_limit if verdict is Verdict.APPROVE else rooms.reject_limit


def _beyond(decision: Decision) -> Decision:
    return replace(decision, verdict=Verdict.HOLD, reason=_over(decision))


def _over_limit(held: Decision) -> Held:
    connection = held.connection
    return Held(HeldReason.OVER_LIMIT, connection.endpoint, held.reason, connection=connection.id)


def _over(decision: Decision) -> str:
    return f"{decision.verdict} by {decision.reason}, but approvals.limits.{decision.verdict} an hour are answered"


async def _decided(rooms: Rooms, connection: Connection, tenancies: _Tenancies) -> Decision:
    """The policy's decision. A fact is asked for only while it could matter; what fails to be learnt stays unknown."""
    target, endpoint = connection.target, connection.endpoint
    facts = Facts(
        consumer=fold(endpoint.subscription) if endpoint else None,
        target_type=target.type,
        target_subscription=fold(target.subscription),
        groups=connection.groups or None,
    )
    learning: tuple[Callable[[Facts], Awaitable[Facts]], ...] = (
        lambda facts: _estate(rooms, facts),
        lambda facts: _tenancy(tenancies, facts),
        lambda facts: _groups(rooms, connection, facts),
    )
    for learn in learning:
        if is_settled(rooms.policy, facts):
            break
        try:
            facts = await learn(facts)
        except HubwardenError as error:
            log.warning("approve: a fact about %s is not known: %s", connection.id, error)
    return decide(rooms.policy, replace(connection, groups=facts.groups or ()), facts)


async def _estate(rooms: Rooms, facts: Facts) -> Facts:
    return replace(facts, in_estate=await rooms.estate.includes(facts.consumer)) if facts.consumer else facts


async def _tenancy(tenancies: _Tenancies, facts: Facts) -> Facts:
    return replace(facts, tenancy=await tenancies.of(facts.consumer)) if facts.consumer else facts


async def _groups(rooms: Rooms, connection: Connection, facts: Facts) -> Facts:
    """Where the target shows no groups, the consumer's endpoint does: believed of the estate's, if it leads here."""
    if facts.groups is not None or not facts.in_estate or connection.endpoint is None:
        return facts
    endpoint = await read_endpoint(rooms.arm, connection.endpoint)
    leads_here = endpoint.id == connection.endpoint and endpoint.target == connection.target
    return replace(facts, groups=endpoint.groups) if leads_here else facts


def _objections(decisions: Iterable[Decision], waiting: Iterable[Connection]) -> dict[ResourceId, Held]:
    """What forbids to answer a connection, whatever a rule says to it."""
    asking = Counter((each.target, each.endpoint) for each in waiting)
    found = {}
    for decision in decisions:
        connection = decision.connection
        many = asking[connection.target, connection.endpoint]
        if decision.verdict is Verdict.HOLD:
            continue
        by = f"{decision.verdict} by {decision.reason}, but"
        if not answers(connection.target):
            detail = f"{by} connections of {connection.target.type} are not answered"
            found[connection.id] = _held(HeldReason.UNKNOWN_PROVIDER, connection, detail)
        elif many > 1 and connection.endpoint:
            # An endpoint has one connection: the others may be left from one that had its name before.
            detail = f"{by} {many} connections of this endpoint wait at its target, and one is expected"
            found[connection.id] = _held(HeldReason.UNCERTAIN, connection, detail)
        elif not connection.settled:
            detail = f"{by} Azure is at work on it: somebody's answer may be under way"
            found[connection.id] = _held(HeldReason.NOT_READY, connection, detail, waits=True)
    return found


def _must_act(connection: Connection) -> Held:
    """Azure, as after a region is added to a Cosmos DB account: nothing but a new endpoint helps."""
    detail = f"consumer must recreate the endpoint: the target asks for {connection.actions[:40]}"
    return _held(HeldReason.ACTION_REQUIRED, connection, detail)


def _held(reason: HeldReason, connection: Connection, detail: str, *, waits: bool = False) -> Held:
    return Held(reason, connection.endpoint, detail, connection=connection.id, waits=waits)


async def _some_at_once(do: Callable[[Given], Awaitable[Made]], given: Sequence[Given]) -> list[Made]:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(each: Given) -> Made:
        async with gate:
            return await do(each)

    return await asyncio.gather(*map(one, given))
