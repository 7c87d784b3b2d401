"""One run over any scope: answer what waits, then make the records right. It ends in a Report."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from hubwarden.arm.index import connections_in_index, endpoints_of_target, guids_in_index
from hubwarden.errors import HubwardenError, LedgerUnavailableError, PlanChangedError, PlanOnlyError
from hubwarden.ledger.decisions import Given
from hubwarden.model.connection import Connection, Decision, Verdict
from hubwarden.model.endpoint import ConnectionStatus, Endpoint
from hubwarden.model.plan import Held, Plan, essence
from hubwarden.model.report import Report, new_run_id
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import Everything, OneEndpoint, OneGroup, OneTarget, OneZone, Pending, Scope
from hubwarden.model.word import Word
from hubwarden.reconcile.afterwards import answered, look_afterwards
from hubwarden.reconcile.answer import close_open
from hubwarden.reconcile.approve import Approvals, approve
from hubwarden.reconcile.at_once import in_batches
from hubwarden.reconcile.look import outside
from hubwarden.reconcile.missing import missing_handed_on
from hubwarden.reconcile.observe import Ask, View, observe
from hubwarden.reconcile.publish import announce
from hubwarden.reconcile.rejected import not_taken_back
from hubwarden.reconcile.rooms import Rooms
from hubwarden.reconcile.since import forget_ended
from hubwarden.reconcile.sweep import AT_ONCE, sweep
from hubwarden.reconcile.waiting import everywhere, of_endpoint, of_target
from hubwarden.reconcile.warn import left_out, warned
from hubwarden.reconcile.word import obey
from hubwarden.reconcile.write import Orders, Part, together, write, write_all
from hubwarden.reconcile.zones import complete_zone
from hubwarden.telemetry.measured import unanswered
from hubwarden.telemetry.tracing import span

APPROVALS_LAST = 240.0
"""Seconds after which a sweep leaves approvals to the next run: half of its time is the records'."""

log = logging.getLogger(__name__)


async def reconcile(
    rooms: Rooms,
    scope: Scope,
    *,
    applies: bool = True,
    plan: str = "",
    through: frozenset[str] = frozenset(),
    run: str = "",
) -> Report:
    """Makes what is in scope right, or, with `applies` False or in mode plan, says what it would do.

    With `plan`, a plan's hash, what the limits hold back is let through, if the plan is still that very one: raises
    PlanChangedError if not. With `through` that was settled before; with `run` it has its name already. A person's word
    without plan or `through` is only planned; with a plan it raises PlanOnlyError in mode plan. Raises where Azure or
    the ledger gives no answer to begin with: then nothing was written.
    """
    if plan and isinstance(scope, Word) and not rooms.applies:
        raise PlanOnlyError("the settings say mode: plan, so nobody applies a plan")
    if plan and not through:
        through = await let_through(rooms, scope, plan)
    notes = applies
    applies = applies and rooms.applies and (bool(through) or not isinstance(scope, Word))
    run = run or new_run_id(rooms.now())
    with span("run", run=run), unanswered(scope, rooms.now):
        return await _run(rooms, scope, Orders(applies, let_through=through, run=run, notes=notes))


async def let_through(rooms: Rooms, scope: Scope, plan: str) -> frozenset[str]:
    """The changes, by their essence, that a person lets through who names a plan's hash.

    Raises PlanChangedError where it is not the hash of the plan now.
    """
    planned = (await _run(rooms, scope, Orders(applies=False))).plan
    if planned.hash != plan:
        raise PlanChangedError(f"the plan ({scope}) is {planned.hash} now, not {plan}: nothing was done")
    return frozenset(essence(change) for change in (*planned.changes, *planned.over_limit))


async def connections(rooms: Rooms, status: ConnectionStatus) -> tuple[Decision, ...]:
    """The estate's connections of that status, with what the policy says to those that wait, and who answered others.

    It changes nothing. Raises LedgerUnavailableError.
    """
    found, _ = await connections_in_index(rooms.arm, await rooms.estate.members(), status)
    if status is ConnectionStatus.PENDING:
        return (await approve(rooms, found, applies=False)).decisions
    told = {held.connection: held for held in await not_taken_back(rooms, found)}
    given = await rooms.decisions.given(status) if found else {}
    return tuple(
        _with_answer(
            Decision(each, Verdict.HOLD, "", told[each.id].detail if each.id in told else _standing(each)),
            given.get(each.id),
        )
        for each in found
    )


def _with_answer(decision: Decision, given: Given | None) -> Decision:
    """With who answered it, and when, where what the connection shows may be that very answer."""
    connection = decision.connection
    if given is None or given.answer.endpoint != connection.endpoint:
        return decision
    if not given.answer.may_have_said(connection.message):
        return decision
    return replace(decision, rule=given.answer.rule, who=given.answer.who, answered=given.at)


def _standing(connection: Connection) -> str:
    asked = f"; its consumer must act: {connection.actions[:40]}" if connection.must_act else ""
    return f"it is {connection.status}{asked}"


async def _run(rooms: Rooms, scope: Scope, orders: Orders) -> Report:
    started = rooms.now()
    orders = replace(orders, run=orders.run or new_run_id(started))
    part = await _part(rooms, scope, orders)
    part = await missing_handed_on(rooms, part, orders, notes=not isinstance(scope, Everything))
    if orders.applies:
        await announce(rooms, scope, part, began=started)
    return part.report(orders.run, scope, applies=orders.applies, began=started, ended=rooms.now())


async def _part(rooms: Rooms, scope: Scope, orders: Orders) -> Part:
    match scope:
        case OneEndpoint():
            return await _endpoint(rooms, scope, orders)
        case OneTarget():
            return await _target(rooms, scope.target, orders)
        case OneGroup():
            return await _endpoints(rooms, await rooms.claims.claimants_in(scope.group), orders, moving=True)
        case OneZone():
            return await complete_zone(rooms, scope, orders)
        case Word():
            return await obey(rooms, scope, orders)
        case Pending():
            return await _pending(rooms, orders)
        case Everything():
            began = rooms.now()
            return together([await _approvals(rooms, orders), await sweep(rooms, orders, began=began)])


async def _endpoint(rooms: Rooms, scope: OneEndpoint, orders: Orders) -> Part:
    if held := await outside(rooms, scope.endpoint):
        return Part(Plan(held=(held,)))
    ask = Ask((scope.endpoint,), thorough=scope.thorough, strict=True)
    view = await observe(rooms, ask)
    own = await _own_connection(rooms, view, orders)
    if answered(own.decisions):
        view = await observe(rooms, ask)
    written = await write(rooms, view, orders)
    return together([own, written if orders.applies else await warned(rooms, written, [view])])


async def _own_connection(rooms: Rooms, view: View, orders: Orders) -> Part:
    """The connection of an endpoint that waits, where its target is ours: it is decided before anything else."""
    seen = view.sights[view.ask.endpoints[0]].seen
    if not isinstance(seen, Endpoint) or seen.status is not ConnectionStatus.PENDING or seen.target is None:
        return Part()
    found = await of_endpoint(rooms, seen)
    if isinstance(found, Held):
        # Without an endpoint it tells of the target, whose owner is not asked for here: the endpoint is not approved.
        return Part(Plan(held=(found,))) if found.endpoint else Part()
    guids = {seen.id: seen.guid}
    return (await _decided(rooms, found, orders, guids)).as_part()


async def _target(rooms: Rooms, target: ResourceId, orders: Orders) -> Part:
    """A target's connections are decided, and the endpoints that they come from are looked at."""
    found = await of_target(rooms, target)
    decided, endpoints = Part(), await endpoints_of_target(rooms.arm, await rooms.estate.members(), target)
    if isinstance(found, Held):
        decided = Part(Plan(held=(found,)))
    else:
        decided = (await _decided(rooms, found, orders)).as_part()
        endpoints |= {each.endpoint for each in found if each.endpoint}
    return together([decided, await _endpoints(rooms, endpoints, orders)])


async def _pending(rooms: Rooms, orders: Orders, *, thorough: bool = False) -> Part:
    """Whatever waits in the estate is decided."""
    found = await everywhere(rooms, thorough=thorough)
    guids = await _guids(rooms, found.connections) if thorough else None
    approvals = await _decided(rooms, found.connections, orders, guids)
    await look_afterwards(rooms, approvals)
    if thorough and orders.notes:
        await forget_ended(rooms, found.connections)
    return together([approvals.as_part(), Part(Plan(warnings=left_out(found.nameless)))])


async def _approvals(rooms: Rooms, orders: Orders) -> Part:
    """A sweep's approvals: what was left open is closed, whatever waits is decided.

    One provider that is ill keeps no record from being made right (law 13): then they are broken off, as by a crash,
    and the run is not whole. Raises LedgerUnavailableError.
    """
    try:
        async with asyncio.timeout(APPROVALS_LAST):
            if orders.applies:
                await close_open(rooms)
            return await _pending(rooms, orders, thorough=True)
    except LedgerUnavailableError:
        raise
    except (HubwardenError, TimeoutError) as error:
        log.error("sweep: not all that waits was decided: %s", str(error) or "it took too long")
        return Part(complete=False)


async def _decided(
    rooms: Rooms, found: Iterable[Connection], orders: Orders, guids: Mapping[ResourceId, str] | None = None
) -> Approvals:
    """Decides on these as ordered; `guids` are the resourceGuids of their endpoints, as far as they are known."""
    return await approve(rooms, found, applies=orders.applies, notes=orders.notes, run=orders.run, guids=guids)


async def _guids(rooms: Rooms, connections: Collection[Connection]) -> dict[ResourceId, str]:
    """The resourceGuids of the estate's endpoints that wait: an event that says that one was made anew may be lost."""
    asking = {each.endpoint for each in connections if each.endpoint and each.status is ConnectionStatus.PENDING}
    return await guids_in_index(rooms.arm, await rooms.estate.members(), asking)


async def _endpoints(rooms: Rooms, endpoints: Collection[ResourceId], orders: Orders, *, moving: bool = False) -> Part:
    """Looks at several endpoints of the estate, some at once; `moving` if they may be on their way elsewhere."""
    ours = [endpoint for endpoint in sorted(endpoints) if await rooms.estate.includes(endpoint.subscription)]
    views = [await observe(rooms, Ask(some, moving=moving)) for some in in_batches(ours, AT_ONCE)]
    written = await write_all(rooms, views, orders)
    return written if orders.applies else await warned(rooms, written, views)
