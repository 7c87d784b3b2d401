"""Custom topics of Event Grid: they take CloudEvents from whoever has a token, and keep what they took.

Azure's answers are those of Microsoft's page "Publish events to Azure Event Grid custom topics": 200, 400 for events of
a wrong format, 401 for a wrong token, 404 for a wrong address, 413 for more than 1 MB.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulator.refusals import NotSimulatedError
from simulator.wire import Reply, Request

PREFIX = "/topics/"
LARGEST = 1024 * 1024
"""Bytes of a request, and so of each event in it (behaviour reference section 1.8)."""

_BATCH = "application/cloudevents-batch+json"
_PATH = re.compile(r"/topics/([A-Za-z0-9-]{3,50})/api/events", re.IGNORECASE)
_WORDS = ("id", "source", "type")


class TopicError(Exception):
    """Event Grid's no: a status, a code and a message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.reply = Reply(status, {"error": {"code": code, "message": message, "details": []}})


@dataclass(slots=True)
class Topics:
    """All custom topics: every name is one, and its input schema is CloudEvents 1.0.

    `received` has what was taken, in its order: the topic, who sent it, and the event.
    """

    received: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, request: Request, principal: str) -> Reply:
        """Takes a batch of events as a whole, or refuses it as a whole; `principal` is whose token came with it.

        Raises NotSimulatedError for what nobody has told it about.
        """
        try:
            return self._take(request, principal)
        except TopicError as error:
            return error.reply

    def _take(self, request: Request, principal: str) -> Reply:
        path = _PATH.fullmatch(request.path.rstrip("/"))
        if path is None or request.method != "POST":
            raise TopicError(404, "NotFound", "The requested resource was not found.")
        if request.api_version != "2018-01-01":
            raise NotSimulatedError("a custom topic's api-version other than 2018-01-01")
        if not principal:
            raise TopicError(401, "Unauthorized", "The request authorization token is missing or not valid.")
        if int(request.headers.get("Content-Length", "0")) > LARGEST:
            raise TopicError(413, "RequestEntityTooLarge", "The maximum size (1048576) has been exceeded.")
        kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind == "application/cloudevents+json":
            raise NotSimulatedError("one event by itself, rather than a batch")
        if kind != _BATCH or not isinstance(request.body, list) or not all(map(_is_cloud_event, request.body)):
            message = "This resource is configured to receive event in 'CloudEventSchemaV1_0' schema."
            raise TopicError(400, "BadRequest", message)
        self.received += [{"topic": path.group(1), "principal": principal, "event": event} for event in request.body]
        return Reply(200)


def _is_cloud_event(event: Any) -> bool:
    """CloudEvents 1.0: the required attributes are texts that are not empty, a time is one of RFC 3339."""
    if not isinstance(event, Mapping) or event.get("specversion") != "1.0":
        return False
    if not all(isinstance(event.get(word), str) and event[word] for word in _WORDS):
        return False
    if "subject" in event and not (isinstance(event["subject"], str) and event["subject"]):
        return False
    return "time" not in event or _is_time(event["time"])


def _is_time(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False
