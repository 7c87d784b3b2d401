"""The Event Grid door: something happened to a private endpoint, so it is looked at again.

An event is a hint. Only the resource's id is taken from it; everything else in it, people's claims among it, is neither
believed, nor logged, nor stored.
"""

from __future__ import annotations

import json
import logging

import azure.functions as func

from hubwarden.errors import InputError
from hubwarden.model.endpoint import PRIVATE_ENDPOINT, private_endpoint_id
from hubwarden.model.report import OneEndpoint
from hubwarden.model.resource_id import ResourceId
from hubwarden.runtime import runtime

WITHIN = 20.0
"""Seconds; Event Grid gives up on an answer after 30 and delivers again."""

LARGEST = 1_000_000
"""Characters; Event Grid's own limit for an event is 1 MB."""

log = logging.getLogger(__name__)
door = func.Blueprint()


@door.function_name("events")
@door.event_grid_trigger(arg_name="event")
async def events(event: str, context: func.Context) -> None:
    """One event, in the Event Grid or the CloudEvents schema; success means done, handed on, or no business of ours."""
    try:
        endpoint = endpoint_of(event)
    except InputError as error:
        # To fail would only bring the same thing back for a day.
        log.warning("event: ignored, for it is none: %s", error)
        return
    if endpoint is None:
        return
    looked = await runtime().look(OneEndpoint(endpoint), within=WITHIN, trace=context.trace_context.trace_parent or "")
    looked.tell(log, "event")


def endpoint_of(event: str) -> ResourceId | None:
    """The private endpoint that an event speaks of, itself or something beneath it; None for anything else.

    Raises InputError for what is no event.
    """
    if len(event) > LARGEST:
        raise InputError(f"an event has at most {LARGEST} characters, not {len(event)}")
    try:
        body = json.loads(event)
    except (ValueError, RecursionError) as error:
        raise InputError("not JSON") from error
    if not isinstance(body, dict) or "subject" not in body:
        raise InputError("an event is an object with a subject")
    resource = ResourceId.parse(body["subject"])
    while not resource.is_a(PRIVATE_ENDPOINT):
        if len(resource.path) <= 1:
            return None
        resource = resource.parent
    return private_endpoint_id(str(resource))
