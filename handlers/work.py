"""The work queue's door: a scope that was handed on is looked at again."""

from __future__ import annotations

import logging

import azure.functions as func

from hubwarden.config.environment import storage_setting
from hubwarden.errors import PermanentError
from hubwarden.model.work import WorkItem
from hubwarden.runtime import runtime

QUEUE = "hubwarden-work"

WITHIN = 300.0
"""Seconds; half of what host.json allows an invocation."""

log = logging.getLogger(__name__)
door = func.Blueprint()


@door.function_name("work")
@door.queue_trigger(arg_name="item", queue_name=QUEUE, connection=storage_setting())
async def work(item: func.QueueMessage) -> None:
    """One work item. To fail puts it back, and after five times into the poison queue, where people find it."""
    parsed = WorkItem.from_json(item.get_body().decode())
    looked = await runtime().work(parsed, within=WITHIN)
    if looked is None:
        return
    looked.tell(log, f"work, try {parsed.attempt}")
    if looked.gave_up:
        raise PermanentError(f"{parsed.scope.endpoint}: not done after {parsed.attempt} tries: {looked.summary}")
