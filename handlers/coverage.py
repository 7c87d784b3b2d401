"""The timer that asks, once a day, whether the app is told of what happens in each subscription of the estate."""

from __future__ import annotations

import logging

import azure.functions as func

from hubwarden.config.environment import COVERAGE, schedule
from hubwarden.model.coverage import Ours
from hubwarden.runtime import runtime, settings, traced

log = logging.getLogger(__name__)
door = func.Blueprint()


@door.function_name("coverage")
@door.timer_trigger(arg_name="timer", schedule=schedule(COVERAGE), run_on_startup=False, use_monitor=True)
async def coverage(timer: func.TimerRequest, context: func.Context) -> None:
    """Measures it, and warns of each that is not covered; it only reads, so mode plan is no matter."""
    with traced(context.trace_context.trace_parent or ""):
        found = await runtime().watch_coverage(Ours(settings().environment.app))
    log.info("%s: %s", "coverage, overdue" if timer.past_due else "coverage", found.summary)
