"""The Event Grid door: something happened to a private endpoint or a connection, so it is looked at again."""

from __future__ import annotations

import logging

import azure.functions as func

from handlers.event_grid import hint_in
from hubwarden.errors import InputError
from hubwarden.runtime import runtime

WITHIN = 20.0
"""Seconds; Event Grid gives up on an answer after 30 and delivers again."""

log = logging.getLogger(__name__)
door = func.Blueprint()


@door.function_name("events")
@door.event_grid_trigger(arg_name="event")
async def events(event: str, context: func.Context) -> None:
    """One event, in the Event Grid or the CloudEvents schema; success means done, handed on, or no business of ours."""
    try:
        hint = hint_in(event)
    except InputError as error:
        # To fail would only bring the same thing back for a day.
        log.warning("event: ignored, for it is none: %s", error)
        return
    if hint is None:
        return
    cause = hint.cause(context.trace_context.trace_parent)
    await runtime().later(hint.scope, hint.again, cause=cause)
    looked = await runtime().look(hint.scope, within=WITHIN, cause=cause)
    looked.tell(log, "event")
