"""Approvals: connections that wait are decided on by the policy and answered, each with its outcome."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from hubwarden.approval.decide import decide, is_settled
from hubwarden.arm.connections import answer_connection, knows, read_connection
from hubwarden.arm.endpoints import read_endpoint
from hubwarden.arm.estate import Estate
from hubwarden.errors import HubwardenError, LedgerUnavailableError, NotFoundError, RacedError, TemporaryError
from hubwarden.ledger.decisions import Intended
from hubwarden.ledger.tally import Counted
from hubwarden.model.connection import Connection, Decision, Verdict
from hubwarden.model.endpoint import ConnectionStatus, Tenancy
from hubwarden.model.plan import Held, HeldReason
from hubwarden.model.policy import Facts
from hubwarden.model.report import Outcome, Result
from hubwarden.model.resource_id import ResourceId, fold
from hubwarden.reconcile.rooms import Rooms

_AT_ONCE = 5
_UNDER_WAY = 600.0
"""Seconds for which an open decision may be somebody's who is still at it: as long as an invocation lasts."""

_COUNTED = {Verdict.APPROVE: Counted.APPROVED, Verdict.REJECT: Counted.REJECTED}

log = logging.getLogger(__name__)

Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Approvals:
    """What was decided on connections that wait, what became of the answers, and what was on purpose not answered."""

    decisions: tuple[Decision, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    held: tuple[Held, ...] = ()


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
    waiting = {each.id: each for each in connections if each.status is ConnectionStatus.PENDING}
    tenancies = _Tenancies(rooms.estate)
    decisions = await _some_at_once(lambda each: _decided(rooms, each, tenancies), list(waiting.values()))
    held = tuple(_of_unknown_provider(each) for each in decisions if not _can_be_answered(each))
    decisions = [each if _can_be_answered(each) else _left_to_a_person(each) for each in decisions]
    decisions, over = await _within_limits(rooms, decisions)
    answers = [each for each in decisions if each.verdict is not Verdict.HOLD]
    if not applies:
        return Approvals(tuple(decisions), held=(*held, *over))
    now = rooms.now()
    # All are counted and stored ahead, so that with storage down none is answered.
    answers, counts, late = await _counted(rooms, answers, now)
    decisions = [_beyond(each) if each.connection.id in late else each for each in decisions]
    over = (*over, *(_over_limit(each) for each in decisions if each.connection.id in late))
    intended = await rooms.decisions.intend(answers, now)
    ahead = list(zip(answers, intended, counts, strict=True))
    outcomes = await _some_at_once(lambda each: _answered(rooms, *each), ahead)
    ended = {outcome.key: outcome.change for outcome in outcomes if isinstance(outcome.change, Decision)}
    decisions = [ended.get(each.connection.id, each) for each in decisions]
    return Approvals(tuple(decisions), tuple(outcomes), (*held, *over))


async def close_open(rooms: Rooms) -> None:
    """Looks at what was intended and never closed, and notes what came of it; what still waits is decided anew."""
    for intended in await rooms.decisions.open():
        if rooms.now() - intended.at < _UNDER_WAY:
            continue
        try:
            shown = (await read_connection(rooms.arm, intended.connection)).status
        except NotFoundError:
            result = Result.RACED
        except HubwardenError as error:
            log.warning("approve: the decision on %s stays open: %s", intended.connection, error)
            continue
        else:
            waits = shown is ConnectionStatus.PENDING
            answered = Result.DONE if shown is intended.verdict.status else Result.RACED
            result = Result.FAILED if waits else answered
        await rooms.decisions.close(intended, result, rooms.now())


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
        names = await rooms.tally.note(_COUNTED[verdict], [("", str(each.connection.id)) for each in mine], now)
        room = await _room(rooms, verdict, mine)
        for place, (decision, name) in enumerate(zip(mine, names, strict=True)):
            if place < room:
                going.append(decision)
                counts.append(name)
            else:
                late.add(decision.connection.id)
                await rooms.tally.take_back(_COUNTED[verdict], [name])
    return going, counts, late


async def _room(rooms: Rooms, verdict: Verdict, answers: Sequence[Decision]) -> int:
    """How many of these answers the hour still has room for, beside all others."""
    mine = [str(each.connection.id) for each in answers]
    others = await rooms.tally.within_hour(_COUNTED[verdict], rooms.now(), without=mine)
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


def _can_be_answered(decision: Decision) -> bool:
    return decision.verdict is Verdict.HOLD or knows(decision.connection.target)


def _of_unknown_provider(decision: Decision) -> Held:
    connection = decision.connection
    detail = f"{decision.verdict} by {decision.reason}, but connections of {connection.target.type} are not answered"
    return Held(HeldReason.UNKNOWN_PROVIDER, connection.endpoint, detail, connection=connection.id)


def _left_to_a_person(decision: Decision) -> Decision:
    return replace(decision, verdict=Verdict.HOLD, reason=_of_unknown_provider(decision).detail)


async def _answered(rooms: Rooms, decision: Decision, intended: Intended, count: str) -> Outcome:
    outcome = await _written(rooms, decision)
    if outcome.result is Result.FAILED and outcome.temporary:
        return outcome  # it may hide that the answer was taken: it counts, and stays open until somebody has looked
    try:
        await rooms.decisions.close(intended, outcome.result, rooms.now())
        if outcome.result is not Result.DONE:
            # What is refused again and again must not use up what the others may.
            await rooms.tally.take_back(_COUNTED[decision.verdict], [count])
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
