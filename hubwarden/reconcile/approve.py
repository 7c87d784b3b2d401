"""Approvals: connections that wait are decided on by the policy and answered, each with its outcome."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from hubwarden.arm.connections import answers
from hubwarden.errors import LedgerUnavailableError
from hubwarden.ledger.decisions import Intended
from hubwarden.model.connection import Connection, Decision, Verdict
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.plan import Held, HeldReason, Plan, PlanWarning
from hubwarden.model.report import Outcome
from hubwarden.model.resource_id import ResourceId
from hubwarden.reconcile.answer import COUNTED, Answered, answer, follow, intend, taken
from hubwarden.reconcile.at_once import some_at_once
from hubwarden.reconcile.facts import Surroundings, decided
from hubwarden.reconcile.remind import overdue, remind
from hubwarden.reconcile.rooms import Rooms
from hubwarden.reconcile.since import Since, since_when
from hubwarden.reconcile.waiting import in_turn
from hubwarden.reconcile.write import Part
from hubwarden.telemetry.tracing import spanned

LEARNT_WITHIN = 25.0
"""Seconds for which a run asks Azure for facts; the timer's run of every minute must have time left to answer."""

HeldBack = Mapping[ResourceId, Held]
"""Answers that are on purpose not given, by their connections."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Approvals:
    """What was decided on connections that wait, what became of the answers, and what was on purpose not answered."""

    decisions: tuple[Decision, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    held: tuple[Held, ...] = ()
    begun: tuple[Connection, ...] = ()
    """Those whose answer Azure took in this run, and is still at work on."""
    warnings: tuple[PlanWarning, ...] = ()

    def as_part(self) -> Part:
        """The same as a part of a run."""
        plan = Plan(held=self.held, warnings=self.warnings)
        return Part(plan, outcomes=self.outcomes, decisions=self.decisions)


async def approve(
    rooms: Rooms,
    connections: Iterable[Connection],
    *,
    applies: bool,
    notes: bool = False,
    run: str = "",
    guids: Mapping[ResourceId, str] | None = None,
) -> Approvals:
    """Decides on those of the connections that are Pending and, where it `applies`, answers them for a run.

    Where it `notes`, or applies, the ledger remembers since when they wait. In mode plan whoever waits, waits for a
    person, whatever a rule says.

    What cannot be learnt of one holds that one (laws 10 and 13). `guids` are the resourceGuids of their endpoints, as
    far as they are known. Raises LedgerUnavailableError before anything is written; after that, every failure is an
    Outcome.
    """
    given = {each.id: each for each in connections}
    pending = [each for each in given.values() if each.status is ConnectionStatus.PENDING]
    since = await since_when(rooms, pending, notes=notes or applies, guids=guids)
    approvals = await _answered(rooms, given, since, applies=applies, run=run)
    decisions = tuple(replace(each, since=_first(since, each.connection)) for each in approvals.decisions)
    left = [each for each in decisions if each.verdict is Verdict.HOLD or not rooms.applies]
    return replace(approvals, decisions=decisions, warnings=overdue(rooms, left, since))


async def _answered(
    rooms: Rooms, given: Mapping[ResourceId, Connection], since: Since, *, applies: bool, run: str
) -> Approvals:
    must_act = [_must_act(each) for each in given.values() if each.must_act]
    under_way = await taken(rooms, given)
    followed = await some_at_once(lambda each: follow(rooms, each, given[each.connection], applies=applies), under_way)
    busy = {each.connection for each in under_way}
    waiting = [each for each in given.values() if each.status is ConnectionStatus.PENDING and each.id not in busy]
    judged = await judge(rooms, waiting, since)
    objections = _objections(judged, waiting)
    over = await _over_limits(rooms, _less(judged, objections))
    decisions, held = _less(judged, {**objections, **over}), [*must_act, *objections.values(), *over.values()]
    if not applies:
        return approvals_of(decisions, followed, held)
    reasons = {each.connection: each.reason for each in held}
    await remind(rooms, [each for each in decisions if each.verdict is Verdict.HOLD], reasons, since)
    ahead, barred = await _stored_ahead(rooms, decisions, run)
    decisions, held = _less(decisions, barred), [*held, *barred.values()]
    answered = await some_at_once(lambda each: answer(rooms, *each), ahead)
    return approvals_of(decisions, [*followed, *answered], held, begun=[each for each in answered if each.held])


async def _stored_ahead(
    rooms: Rooms, decisions: Iterable[Decision], run: str
) -> tuple[list[tuple[Decision, Intended, str]], HeldBack]:
    """All answers are counted and stored before the first is given, so that with storage down none is.

    Each comes with the note that counts it; those that others are faster with are held.
    """
    going, late = await _counted(rooms, [each for each in decisions if each.verdict is not Verdict.HOLD])
    intended = await intend(rooms, [decision for decision, _ in going], run)
    places = [(decision, mine, count) for (decision, count), mine in zip(going, intended, strict=True)]
    barred = {decision.connection.id: _somebodys(decision) for decision, mine, _ in places if mine is None}
    await _uncounted(rooms, [(decision.verdict, count) for decision, mine, count in places if mine is None])
    return [(decision, mine, count) for decision, mine, count in places if mine is not None], {**late, **barred}


@spanned("decide")
async def judge(rooms: Rooms, connections: Sequence[Connection], since: Since | None = None) -> list[Decision]:
    """What the policy says to these connections, whatever their status; nobody is answered.

    Others come first at every moment: where there are too many to learn of all within a run, each has its turn.
    """
    around = Surroundings(rooms, since, within=LEARNT_WITHIN)
    given = {each.id: each for each in connections}
    turns = in_turn(given, rooms.now(), len(given))
    made = await some_at_once(lambda each: decided(rooms, given[each], around), turns)
    by_id = dict(zip(turns, made, strict=True))
    return [by_id[each] for each in given]


def _first(since: Since, connection: Connection) -> float | None:
    sight = since.sight(connection)
    return sight.first if sight else None


def approvals_of(
    decisions: Iterable[Decision],
    answered: Sequence[Answered],
    held: Iterable[Held] = (),
    begun: Iterable[Answered] = (),
) -> Approvals:
    """What was decided with what came of it, each connection once."""
    ended = {each.decision.connection.id: each.decision for each in answered}
    return Approvals(
        decisions=tuple({**{each.connection.id: each for each in decisions}, **ended}.values()),
        outcomes=tuple(each.outcome for each in answered if each.outcome),
        held=(*held, *(each.held for each in answered if each.held)),
        begun=tuple(each.decision.connection for each in begun),
    )


def _less(decisions: Iterable[Decision], back: HeldBack) -> list[Decision]:
    """The decisions, with those held that are held back."""
    return [
        replace(each, verdict=Verdict.HOLD, reason=back[each.connection.id].detail)
        if each.connection.id in back
        else each
        for each in decisions
    ]


async def _over_limits(rooms: Rooms, decisions: Sequence[Decision]) -> HeldBack:
    """The answers beyond what an hour may see (law 9).

    Whose turn it is changes, so that those that fail again and again hold up no others (law 13).
    """
    beyond: set[ResourceId] = set()
    for verdict in (Verdict.APPROVE, Verdict.REJECT):
        answers = [each for each in decisions if each.verdict is verdict]
        if answers:
            asking = {each.connection.id for each in answers}
            beyond |= asking.difference(in_turn(asking, rooms.now(), await _room(rooms, verdict, answers)))
    return {each.connection.id: _over_limit(each) for each in decisions if each.connection.id in beyond}


async def _counted(rooms: Rooms, answers: Sequence[Decision]) -> tuple[list[tuple[Decision, str]], HeldBack]:
    """The answers that go on, each with the note that counts it, and those for which others were faster.

    All instances note first and count then: so those that note at once may both step back, but never both go on.
    """
    going: list[tuple[Decision, str]] = []
    late: dict[ResourceId, Held] = {}
    for verdict in (Verdict.APPROVE, Verdict.REJECT):
        mine = [each for each in answers if each.verdict is verdict]
        if not mine:
            continue
        names = await rooms.tally.note(COUNTED[verdict], [("", str(each.connection.id)) for each in mine], rooms.now())
        room = await _room(rooms, verdict, mine)
        for place, (decision, name) in enumerate(zip(mine, names, strict=True)):
            if place < room:
                going.append((decision, name))
            else:
                late[decision.connection.id] = _over_limit(decision)
                await rooms.tally.take_back(COUNTED[verdict], [name])
    return going, late


async def _uncounted(rooms: Rooms, answers: Iterable[tuple[Verdict, str]]) -> None:
    """Takes back the notes of answers that others give. To fail is only a warning: they count for an hour, then."""
    try:
        for verdict, count in answers:
            await rooms.tally.take_back(COUNTED[verdict], [count])
    except LedgerUnavailableError as error:
        log.warning("approve: an answer that another run gives counts here, too: %s", error)


async def _room(rooms: Rooms, verdict: Verdict, answers: Sequence[Decision]) -> int:
    """How many of these answers the hour still has room for, beside all others."""
    mine = [str(each.connection.id) for each in answers]
    others = await rooms.tally.within_hour(COUNTED[verdict], rooms.now(), without=mine)
    return max(0, _most(rooms, verdict) - others.total())


def _most(rooms: Rooms, verdict: Verdict) -> int:
    return rooms.approve_limit if verdict is Verdict.APPROVE else rooms.reject_limit


def _over_limit(decision: Decision) -> Held:
    limit = f"approvals.limits.{decision.verdict}"
    detail = f"{decision.verdict} by {decision.reason}; but {limit} allows no more in this hour"
    return _held(HeldReason.OVER_LIMIT, decision.connection, detail)


def _objections(decisions: Iterable[Decision], waiting: Iterable[Connection]) -> HeldBack:
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


def _somebodys(decision: Decision) -> Held:
    """Another instance's answer, or one of another run here, is open: one is given at a time."""
    detail = f"{decision.verdict} by {decision.reason}, but another run is answering it"
    return _held(HeldReason.NOT_READY, decision.connection, detail, waits=True)


def _must_act(connection: Connection) -> Held:
    """Azure, as after a region is added to a Cosmos DB account: nothing but a new endpoint helps."""
    detail = f"consumer must recreate the endpoint: the target asks for {connection.actions[:40]}"
    return _held(HeldReason.ACTION_REQUIRED, connection, detail)


def _held(reason: HeldReason, connection: Connection, detail: str, *, waits: bool = False) -> Held:
    return Held(reason, connection.endpoint, detail, connection=connection.id, waits=waits)
