"""Runs that somebody asked for: promised by name, worked off through the queue, and kept in the ledger."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime

from hubwarden.errors import HubwardenError, LedgerUnavailableError, TemporaryError
from hubwarden.model.connection import Verdict
from hubwarden.model.report import Report, Run, Status, new_run_id
from hubwarden.model.scope import Everything, Pending, Scope
from hubwarden.model.work import WorkItem
from hubwarden.reconcile.hand_on import hand_on
from hubwarden.reconcile.rooms import Rooms
from hubwarden.reconcile.run import let_through, reconcile
from hubwarden.report.as_json import report_data
from hubwarden.telemetry.measured import measure, swept
from hubwarden.telemetry.tracing import cause_now

KEPT = 30 * 86400.0
"""Seconds for which the ledger remembers a run."""

KEEP_WITHIN, KEEP_SWEEP_WITHIN = 5.0, 60.0
"""Seconds for which a run that is over waits for the ledger; nobody waits for a sweep, so it may take longer."""

_LONGEST_ERROR = 1000

log = logging.getLogger(__name__)


async def ask(rooms: Rooms, scope: Scope, *, applies: bool, plan: str, within: float) -> Report | str:
    """The Report of a run, or, where it is not over within so many seconds, the name of the run that goes on.

    What is only planned is not promised while Azure does not answer: the caller asks again. Raises PlanChangedError
    where `plan` is not the hash of the plan now.
    """
    through: frozenset[str] = frozenset()
    try:
        async with asyncio.timeout(within):
            through = await let_through(rooms, scope, plan) if plan else through
            report = await reconcile(rooms, scope, applies=applies, through=through)
    except TimeoutError:
        return await promise(rooms, scope, applies=applies, plan=plan, through=through)
    except TemporaryError as error:
        if not applies:
            raise
        log.warning("asked: %s is promised instead: %s", scope, error)
        return await promise(rooms, scope, applies=applies, plan=plan, through=through)
    await keep(rooms, report, plan=plan, asked=True)
    await _hand_on_the_rest(rooms, report)
    return report


async def promise(
    rooms: Rooms, scope: Scope, *, applies: bool, plan: str = "", through: frozenset[str] = frozenset()
) -> str:
    """Notes a run and hands it to the work queue; its name. Raises LedgerUnavailableError: nothing was promised."""
    now = rooms.now()
    mode = "apply" if applies and rooms.applies else "plan"
    began = datetime.fromtimestamp(now, UTC)
    run = Run(new_run_id(now), scope, mode, Status.RUNNING, began, plan=plan, through=through)
    await rooms.runs.store(run)
    await rooms.work.send(WorkItem(scope, attempt=0, due=round(now, 3), trace=cause_now().trace, run=run.id))
    return run.id


async def keep_promise(rooms: Rooms, item: WorkItem, *, within: float) -> None:
    """Does a promised run, and notes how it ended; what it may do is read from the ledger.

    Where Azure gives no answer it comes again, as often as any look would. Raises LedgerUnavailableError: then it is
    not noted, and the item must come again.
    """
    run = await rooms.runs.named(item.run)
    if run is None or run.status is not Status.RUNNING:
        return  # it came twice, or too late for anybody to ask
    try:
        async with asyncio.timeout(within):
            if run.plan and not run.through:
                run = replace(run, through=await let_through(rooms, run.scope, run.plan))
                await rooms.runs.store(run)
            report = await reconcile(rooms, run.scope, applies=run.mode == "apply", through=run.through, run=run.id)
    except LedgerUnavailableError:
        raise
    except (TemporaryError, TimeoutError) as error:
        await _again(rooms, item, run, error)
    except HubwardenError as error:
        await _fail(rooms, run, str(error))
    else:
        measure(report, answers=rooms.applies)
        await _store(rooms, report, run.plan)
        log.info("run %s: %s: %s", run.id, run.scope, report.status)
        await _hand_on_the_rest(rooms, report)


async def keep(rooms: Rooms, report: Report, *, plan: str = "", asked: bool = False) -> None:
    """Measures a run that is over, and stores it if anybody may want to see it: it was asked for, is a sweep, or had
    an effect.

    To fail is only a warning, for the work itself is done.
    """
    measure(report, answers=rooms.applies)
    sweep = isinstance(report.scope, Everything)
    if not (asked or sweep or _had_an_effect(report)):
        return
    try:
        async with asyncio.timeout(KEEP_SWEEP_WITHIN if sweep else KEEP_WITHIN):
            await _store(rooms, report, plan)
            if sweep:
                await rooms.runs.forget(rooms.now() - KEPT)
    except (TemporaryError, TimeoutError) as error:
        log.warning("run %s is not kept: %s", report.run, str(error) or "storage is silent")


def _had_an_effect(report: Report) -> bool:
    """Whether a run tells something new: what waits for a person is told anew each minute, and by every sweep."""
    answered = any(decision.verdict is not Verdict.HOLD for decision in report.decisions)
    held = report.plan.held and not isinstance(report.scope, Pending)
    return bool(report.plan.changes or report.outcomes or answered or held)


async def _again(rooms: Rooms, item: WorkItem, run: Run, error: TimeoutError | TemporaryError) -> None:
    reason = str(error) or "it did not end in time"
    if item.attempt >= len(rooms.follow_ups):
        await _fail(rooms, run, reason)
        return
    asked_for = error.retry_after if isinstance(error, TemporaryError) else None
    wait = max(rooms.follow_ups[item.attempt], asked_for or 0.0)
    log.warning("run %s: %s comes again in %.0f s: %s", run.id, run.scope, wait, reason)
    due = round(rooms.now() + wait, 3)
    await rooms.work.send(replace(item, attempt=item.attempt + 1, due=due), delay=wait)


async def _fail(rooms: Rooms, run: Run, reason: str) -> None:
    log.error("run %s: %s: %s", run.id, run.scope, reason)
    finished = datetime.fromtimestamp(rooms.now(), UTC)
    error = reason[:_LONGEST_ERROR]
    await rooms.runs.store(replace(run, status=Status.FAILED, finished_at=finished, error=error))


async def _hand_on_the_rest(rooms: Rooms, report: Report) -> None:
    """What a run left undone is looked at again, as after any look."""
    if report.mode == "apply" and report.look_again:
        await hand_on(rooms, report.scope, at_least=report.retry_after)


async def _store(rooms: Rooms, report: Report, plan: str) -> None:
    run = Run(
        id=report.run,
        scope=report.scope,
        mode=report.mode,
        status=report.status,
        started_at=report.started_at,
        finished_at=report.finished_at,
        plan=plan,
        report=report_data(report),
    )
    await rooms.runs.store(run)
    if isinstance(report.scope, Everything) and report.complete and (report.mode == "apply") is rooms.applies:
        swept()
        await rooms.runs.note_sweep(run)
