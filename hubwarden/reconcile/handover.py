"""A takeover, done: the zone group goes, and each record is ours as soon as the group's is gone; the gap is measured.

Claims are stored ahead, and looks are sent to the work queue before anything is deleted: where this run ends half-way,
the app writes what is missing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from hubwarden.arm.zone_groups import delete_zone_group, read_zone_group
from hubwarden.arm.zones import put_record, read_record
from hubwarden.dns.takeover import is_made_for
from hubwarden.errors import (
    HubwardenError,
    LedgerUnavailableError,
    PermanentError,
    PlanChangedError,
    PlanOnlyError,
    RacedError,
    TemporaryError,
    UnavailableError,
)
from hubwarden.ledger.outbox import Kept
from hubwarden.model.plan import Claim, ClaimState, Plan, Put
from hubwarden.model.record import RecordSet
from hubwarden.model.report import Outcome, Report, Result, Run, Status, new_run_id
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneEndpoint
from hubwarden.model.takeover import Gap, TakenOver, Takeover, TakeoverReport, ZoneGroup
from hubwarden.reconcile import tell
from hubwarden.reconcile.hand_on import look_at
from hubwarden.reconcile.publish import announce
from hubwarden.reconcile.rooms import Rooms
from hubwarden.reconcile.takeover import Survey, foresee, plan_takeovers, survey
from hubwarden.reconcile.write import Part
from hubwarden.report.as_json import report_data
from hubwarden.report.takeover import taken_data

MODE = "takeover"
"""What a run of this kind is called in the list of runs."""

PATIENCE = 180.0
"""Seconds for which a record's end is waited for, and the group's."""

FIRST_WAIT, GROWTH = 0.5, 1.1
"""Seconds between the first two looks at a record, and by how much the next wait is longer: about forty looks in all.

Private DNS takes 500 GETs in five minutes, from everybody together (behaviour reference section 6.3).
"""

LOOKS = (15.0, 60.0, PATIENCE + 60.0)
"""Seconds after which the app looks at the endpoint, whatever became of this process."""

_INTERRUPTED = "it was interrupted: run takeover for the endpoint again, or wait until the app has looked at it"

log = logging.getLogger(__name__)


async def take_over(rooms: Rooms, named: Sequence[ResourceId], plan: str) -> TakeoverReport:
    """Does the very plan that a person names by its hash, one endpoint after another, up to the first failure.

    Raises PlanOnlyError in mode plan, and PlanChangedError where it is not the plan now: then nothing was done.
    """
    if not rooms.applies:
        raise PlanOnlyError("the settings say mode: plan, so nothing is taken over")
    surveyed = await survey(rooms)
    planned = await plan_takeovers(surveyed, named)
    if planned.hash != plan:
        raise PlanChangedError(f"the plan is {planned.hash} now, not {plan}: nothing was done")
    done: list[TakenOver] = []
    for each in planned.ready:
        done.append(await _one(surveyed, each, plan))
        if done[-1].error:
            break
    return TakeoverReport(planned, tuple(done))


@dataclass(slots=True)
class _Handover:
    """How far one takeover got."""

    rooms: Rooms
    takeover: Takeover
    claims: dict[Put, Claim] = field(default_factory=dict)
    seen: dict[Put, float] = field(default_factory=dict)
    """When each record was last seen to stand, or was written."""
    gaps: dict[Put, float] = field(default_factory=dict)
    outcomes: dict[Put, Outcome] = field(default_factory=dict)
    noted: tuple[Kept, ...] = ()
    """What is to be told of each record, in their order; nothing where there is no topic."""
    deleted: bool = False

    def note(self, put: Put, etag: str, *, stood: bool) -> None:
        """A record is ours now, with this etag; unless it `stood` all along, the time since it last did is a gap."""
        now = self.rooms.now()
        if put in self.seen and not stood:
            self.gaps[put] = self.gaps.get(put, 0.0) + now - self.seen[put]
        self.seen[put] = now
        self.outcomes[put] = Outcome(put, Result.DONE, etag=etag)

    def taken(self, run: str, error: str = "") -> TakenOver:
        """What came of it."""
        outcomes = tuple(
            self.outcomes.get(put) or Outcome(put, Result.FAILED, error or "not written", temporary=True)
            for put in self.takeover.puts
        )
        gaps = tuple(Gap(put.key, seconds) for put, seconds in self.gaps.items())
        return TakenOver(self.takeover, run, outcomes, gaps, error, self.deleted)


async def _one(surveyed: Survey, planned: Takeover, plan: str) -> TakenOver:
    """One endpoint's takeover, recorded as a run before anything is done and again at its end."""
    rooms, began = surveyed.rooms, surveyed.rooms.now()
    scope = OneEndpoint(planned.endpoint, thorough=True)
    started = datetime.fromtimestamp(began, UTC)
    run = Run(new_run_id(began), scope, MODE, Status.RUNNING, started, plan=plan)
    handover = _Handover(rooms, planned)
    error = ""
    try:
        await rooms.runs.store(run)
        await _hand_over(surveyed, handover)
    except LedgerUnavailableError as failure:
        error = f"the ledger cannot be written: {failure}"
    except HubwardenError as failure:
        error = str(failure)
    except asyncio.CancelledError:
        await _keep(rooms, run, handover.taken(run.id, _INTERRUPTED))
        raise
    if error:
        error += f"; {'; '.join([each async for each in _state(handover)])}"
    taken = handover.taken(run.id, error)
    await _keep(rooms, run, taken)
    await tell.behind(rooms, handover.noted, taken.outcomes)
    await announce(rooms, scope, Part(outcomes=taken.outcomes), began=began)
    return taken


async def _hand_over(surveyed: Survey, handover: _Handover) -> None:
    """The steps in their order. Raises what stopped it."""
    rooms, planned = handover.rooms, handover.takeover
    asked = rooms.now()
    now = await foresee(replace(surveyed, listed={}), planned.endpoint)
    if now.obstacles or now.essence != planned.essence:
        why = "; ".join(map(str, now.obstacles)) or "its group or its records have changed"
        raise RacedError(f"it is not as it was planned any more: {why}")
    handover.seen.update({put: asked for put in planned.puts if put.was})
    await _claim_ahead(handover)
    for wait in LOOKS:
        await look_at(rooms, OneEndpoint(planned.endpoint, thorough=True), after=wait)
    await _try_to_write(handover)
    if planned.group:
        await _delete(handover, planned.group)
    await _bridge_all(handover)
    if planned.group:
        await _wait_for_its_end(rooms, planned.group)
        await _bridge_all(handover)  # nobody says that the group takes nothing along at its very end


async def _claim_ahead(handover: _Handover) -> None:
    rooms, takeover = handover.rooms, handover.takeover
    claims = [
        Claim.on(put, takeover.endpoint, put.owner.guid, ClaimState.INTENDED, ttl=put.ttl) for put in takeover.puts
    ]
    stored = await rooms.claims.store(claims)
    handover.claims.update(zip(takeover.puts, stored, strict=True))
    handover.noted = await tell.ahead(rooms, takeover.puts)


async def _try_to_write(handover: _Handover) -> None:
    """Proves the right to write: a creation where something stands is a 412, but to who may not write a 403."""
    for put in handover.takeover.puts:
        if put.was:
            asked = handover.rooms.now()
            try:
                await put_record(handover.rooms.arm, put)
            except RacedError:
                handover.seen[put] = asked


async def _delete(handover: _Handover, group: ZoneGroup) -> None:
    """Asks for the deletion; where the answer got lost, the group itself says whether it was heard."""
    rooms = handover.rooms
    try:
        await delete_zone_group(rooms.arm, group.id)
    except TemporaryError as error:
        handover.deleted = True  # as long as nobody knows
        now = await read_zone_group(rooms.arm, group.id)
        if now is not None and now.settled:
            handover.deleted = False
            raise
        log.warning("takeover: the deletion of %s is under way, though: %s", group.id, error)
    handover.deleted = True


async def _bridge_all(handover: _Handover) -> None:
    """Every record, each as soon as it is gone. Raises the first failure when all have come to an end."""
    ended = await asyncio.gather(*(_bridge(handover, put) for put in handover.takeover.puts), return_exceptions=True)
    for failure in ended:
        if failure is not None:
            raise failure


async def _bridge(handover: _Handover, put: Put) -> None:
    """Waits until the group's record is gone, and writes ours at once. Raises what keeps it from that."""
    rooms = handover.rooms

    async def is_ours() -> bool:
        asked = rooms.now()
        record = await read_record(rooms.arm, put.key)
        if record is None:
            await _settle(handover, put, await put_record(rooms.arm, put))
            return True
        if _is_written(record, put):
            handover.note(put, record.etag, stood=put in handover.outcomes)  # where not, the app was faster
            return True
        if not is_made_for(record, put.owner.guid) or set(record.addresses) != set(put.was):
            raise PermanentError(f"{put.key} was changed by somebody else instead of going, and is not touched")
        handover.seen[put] = asked
        return False

    await _wait_until(rooms, is_ours, f"{put.key} did not become ours")


async def _wait_until(rooms: Rooms, look: Callable[[], Awaitable[bool]], otherwise: str) -> None:
    """Looks again and again, less and less often. Raises UnavailableError, with `otherwise`, when PATIENCE is over."""
    until, wait = rooms.now() + PATIENCE, FIRST_WAIT
    while True:
        trouble, asked_for = "", 0.0
        try:
            if await look():
                return
        except TemporaryError as error:
            trouble, asked_for = f"; the last look: {error}", error.retry_after or 0.0
        pause = max(wait, asked_for)
        if rooms.now() + pause > until:
            raise UnavailableError(f"{otherwise} after {PATIENCE:.0f} s{trouble}")
        await rooms.sleep(pause)
        wait *= GROWTH


def _is_written(record: RecordSet, put: Put) -> bool:
    """Whether the record stands as we write it, whichever of us did."""
    return record.owner == put.owner and set(record.addresses) == set(put.addresses)


async def _settle(handover: _Handover, put: Put, etag: str) -> None:
    """Notes that we have just written it, in the ledger as well; whatever another look made of the claim meanwhile."""
    rooms = handover.rooms
    handover.note(put, etag, stood=False)
    claim = replace(handover.claims[put], state=ClaimState.SERVED, etag=etag, written_at=rooms.now())
    try:
        await rooms.claims.store([claim])
    except TemporaryError as error:
        log.warning("takeover: the claim on %s is settled by the next look: %s", put.key, error)


async def _wait_for_its_end(rooms: Rooms, group: ZoneGroup) -> None:
    async def is_gone() -> bool:
        return await read_zone_group(rooms.arm, group.id) is None

    await _wait_until(rooms, is_gone, f"the records are ours, but the zone group {group.id.name} is still there")


async def _state(handover: _Handover) -> AsyncIterator[str]:
    """What things are like after a failure, as far as Azure says so."""
    rooms, group = handover.rooms, handover.takeover.group
    if not handover.deleted:
        yield "nothing was deleted"
        return
    assert group is not None
    try:
        now = await read_zone_group(rooms.arm, group.id)
        yield f"the zone group is {'gone' if now is None else 'there' if now.settled else 'being changed'}"
    except HubwardenError as error:
        yield f"whether the zone group is there is not known ({error})"
    for put in handover.takeover.puts:
        yield f"{put.key}: {'ours' if put in handover.outcomes else await _standing(rooms, put)}"


async def _standing(rooms: Rooms, put: Put) -> str:
    """What stands where ours was to be."""
    try:
        record = await read_record(rooms.arm, put.key)
    except HubwardenError as error:
        return f"what stands there is not known ({error})"
    if record is None:
        return "nothing stands there; the app writes it when it looks next"
    return f"{', '.join(map(str, record.addresses))} stands there, by {record.keeper}"


async def _keep(rooms: Rooms, run: Run, taken: TakenOver) -> None:
    """Records how it ended; to fail is only a warning, for the work itself is done."""
    finished = datetime.fromtimestamp(rooms.now(), UTC)
    report = Report(
        run=run.id,
        scope=run.scope,
        mode=MODE,
        started_at=run.started_at,
        finished_at=finished,
        plan=Plan(changes=taken.takeover.puts),
        outcomes=taken.outcomes,
        complete=not taken.error,
    )
    data = {**report_data(report), "takeover": taken_data(taken)}
    ended = replace(run, status=report.status, finished_at=finished, error=taken.error[:1000], report=data)
    try:
        await rooms.runs.store(ended)
    except TemporaryError as error:
        log.warning("takeover: run %s is not kept: %s", run.id, error)
