"""Reads what Event Grid says, for the doors to which it comes: the webhook's and the work queue's.

An event is a hint: only the resource's id and the operation are taken from it, and, for those who watch, its time and
its trace. Everything else in it, people's claims among it, is neither believed, nor logged, nor stored.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hubwarden.errors import InputError
from hubwarden.model.connection import CONNECTIONS
from hubwarden.model.endpoint import PRIVATE_ENDPOINT, private_endpoint_id
from hubwarden.model.resource_id import ResourceId, fold
from hubwarden.model.scope import OneEndpoint, OneGroup, OneTarget, Scope, group_id, target_id
from hubwarden.model.work import LATEST, Cause

LARGEST = 1_000_000
"""Characters; Event Grid's own limit for an event is 1 MB (behaviour reference section 1.8)."""

AFTER_A_ZONE_GROUP = (30.0, 120.0)
"""Seconds: the zone group's records are written or deleted some time after its event."""

_ZONE_GROUPS = fold("privateDnsZoneGroups")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
_OF_GROUPS = ("/moveresources/action", "/resourcegroups/delete")


@dataclass(frozen=True, slots=True)
class Hint:
    """Where an event says to look: now, and once more after each of these seconds."""

    scope: Scope
    again: tuple[float, ...] = ()
    at: float = 0.0
    """When it happened, in seconds since 1970, as Event Grid says; 0 where it does not."""
    trace: str = ""
    """The event's own traceparent (CloudEvents' distributed tracing extension); empty where it has none."""

    def cause(self, trace: str | None) -> Cause:
        """What a look because of it is caused by, in the event's own trace, or else in its delivery's.

        Where looks come later on purpose, it bears no time: how long they take tells nothing of how fast we are.
        """
        return Cause(self.trace or trace or "", 0.0 if self.again else self.at)


def is_event(text: str) -> bool:
    """Whether a text is an event, in the Event Grid or the CloudEvents schema, alone or as an array of one."""
    return _event_in(text) is not None


def hint_in(text: str) -> Hint | None:
    """Where to look because of an event; None where it is no business of ours.

    Raises InputError for what is no event, or is about nothing that has an id.
    """
    event = _event_in(text)
    if event is None:
        raise InputError(f"a text of {len(text)} characters is no event, which is an object with a subject")
    hint = _place_in(event)
    return replace(hint, at=_time_of(event), trace=_trace_of(event)) if hint else None


def _place_in(event: dict[str, Any]) -> Hint | None:
    subject = ResourceId.parse(event["subject"])
    if not subject.path:
        return Hint(OneGroup(group_id(str(subject)))) if subject.group and _is_of_groups(event) else None
    resource = subject
    while resource.path:
        if resource.is_a(PRIVATE_ENDPOINT):
            return _of_endpoint(resource, subject)
        if len(resource.path) > 1 and fold(resource.path[-1][0]) == fold(CONNECTIONS):
            return Hint(OneTarget(target_id(str(resource.parent))))
        resource = resource.parent
    return None


def _event_in(text: str) -> dict[str, Any] | None:
    try:
        body = json.loads(text) if len(text) <= LARGEST else None
    except (ValueError, RecursionError):
        return None
    if isinstance(body, list) and len(body) == 1:
        [body] = body
    return body if isinstance(body, dict) and "subject" in body else None


def _time_of(event: dict[str, Any]) -> float:
    """Event Grid's schema says `eventTime`, CloudEvents `time`."""
    text = event.get("eventTime", event.get("time"))
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return 0.0
    if moment is None or moment.tzinfo is None:
        return 0.0
    return min(max(moment.timestamp(), 0.0), LATEST - 1)


def _trace_of(event: dict[str, Any]) -> str:
    trace = event.get("traceparent")
    return trace if isinstance(trace, str) and _TRACEPARENT.fullmatch(trace) else ""


def _of_endpoint(resource: ResourceId, subject: ResourceId) -> Hint:
    endpoint = private_endpoint_id(str(resource))
    if any(fold(kind) == _ZONE_GROUPS for kind, _ in subject.path):
        # It writes the very records that our claims remember as ours, so none of them is believed.
        return Hint(OneEndpoint(endpoint, thorough=True), AFTER_A_ZONE_GROUP)
    return Hint(OneEndpoint(endpoint))


def _is_of_groups(event: dict[str, Any]) -> bool:
    """Whether a whole group was deleted, or resources moved out of it: only the operation's name tells."""
    data = event.get("data")
    operation = data.get("operationName") if isinstance(data, dict) else None
    return isinstance(operation, str) and fold(operation).endswith(_OF_GROUPS)
