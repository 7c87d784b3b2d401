"""The work queue's door: a scope that was handed on is looked at again, and so is what an event speaks of."""

from __future__ import annotations

import logging

import azure.functions as func

from handlers.event_grid import hint_in, is_event
from hubwarden.config.environment import storage_setting
from hubwarden.errors import InputError, PermanentError
from hubwarden.model.scope import Everything
from hubwarden.model.word import Word
from hubwarden.model.work import WORK_QUEUE, WorkItem
from hubwarden.runtime import runtime
from hubwarden.runtime.looked import Looked

WITHIN, WITHIN_FOR_ALL = 300.0, 540.0
"""Seconds: half of what host.json allows an invocation, and most of it where the whole estate is asked for."""

log = logging.getLogger(__name__)
door = func.Blueprint()


@door.function_name("work")
@door.queue_trigger(arg_name="item", queue_name=WORK_QUEUE, connection=storage_setting())
async def work(item: func.QueueMessage, context: func.Context) -> None:
    """One work item, or one event that Event Grid has put into the queue.

    To fail puts it back, and after five times into the poison queue, where people find it.
    """
    text = item.get_body().decode(errors="replace")
    if is_event(text):
        await _event(text, context.trace_context.trace_parent)
    else:
        await _item(WorkItem.from_json(text))


async def _item(item: WorkItem) -> None:
    within = WITHIN_FOR_ALL if isinstance(item.scope, Everything | Word) else WITHIN
    looked = await runtime().work(item, within=within)
    _tell(looked, f"work, try {item.attempt}", f"not done after {item.attempt} tries")


async def _event(text: str, trace: str | None) -> None:
    try:
        hint = hint_in(text)
    except InputError as error:
        # Left to the poison queue, the claims of people in it would lie there.
        log.warning("work: an event is ignored, for it is about nothing: %s", error)
        return
    if hint is None:
        return
    # As a work item it outlives an outage of the ledger, and holds nothing of the event but where to look.
    looked = await runtime().heard(hint.scope, hint.again, hint.cause(trace), within=WITHIN)
    _tell(looked, "work, event", "not done")


def _tell(looked: Looked | None, door: str, failure: str) -> None:
    if looked is None:
        return
    looked.tell(log, door)
    if looked.gave_up:
        raise PermanentError(f"{looked.scope}: {failure}: {looked.summary}")
