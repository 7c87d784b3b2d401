"""The timers' door: the whole estate every quarter of an hour, and what waits for an answer every minute."""

from __future__ import annotations

import logging

import azure.functions as func

from hubwarden.config.environment import PENDING, SWEEP, schedule
from hubwarden.errors import PermanentError
from hubwarden.model.scope import Everything, Pending, Scope
from hubwarden.model.work import Cause
from hubwarden.runtime import runtime

WITHIN, WITHIN_FOR_ALL = 50.0, 540.0
"""Seconds: the next look at what waits is due after a minute, and host.json gives an invocation ten."""

log = logging.getLogger(__name__)
door = func.Blueprint()


@door.function_name("sweep")
@door.timer_trigger(arg_name="timer", schedule=schedule(SWEEP), run_on_startup=False, use_monitor=True)
async def sweep(timer: func.TimerRequest, context: func.Context) -> None:
    """Everything: what events lost, what others changed, and what was left open."""
    await _look(Everything(), "sweep, overdue" if timer.past_due else "sweep", WITHIN_FOR_ALL, context)


@door.function_name("pending")
@door.timer_trigger(arg_name="timer", schedule=schedule(PENDING), run_on_startup=False, use_monitor=False)
async def pending(timer: func.TimerRequest, context: func.Context) -> None:
    """Every connection that waits for an answer: a request raises no event in its target's subscription."""
    await runtime().measure_backlog()
    await _look(Pending(), "pending, overdue" if timer.past_due else "pending", WITHIN, context)


async def _look(scope: Scope, door: str, within: float, context: func.Context) -> None:
    """Fails where something was left undone: a sweep is never quietly half a sweep (law 12)."""
    cause = Cause(context.trace_context.trace_parent or "")
    looked = await runtime().look(scope, within=within, cause=cause)
    looked.tell(log, door)
    if looked.gave_up:
        raise PermanentError(f"{door}: not all was done: {looked.summary}")
