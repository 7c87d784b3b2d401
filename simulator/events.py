"""Event Grid: tells webhooks what has changed, at least once and in no order (behaviour reference section 1).

It listens to the world, asks the event subscriptions stored there who wants to know, shakes hands with each webhook
before it sends anything, and tries again as Azure does; what cannot be delivered ends among the dead letters.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
from azure.eventgrid import SystemEventNames

from simulator import event_filters, ids
from simulator.event_shapes import Shapes
from simulator.faults import Faults
from simulator.request_log import RequestLog
from simulator.world import Change, World

log = logging.getLogger(__name__)

SUBSCRIPTIONS = "Microsoft.EventGrid/systemTopics/eventSubscriptions"
TOPICS = "Microsoft.EventGrid/systemTopics"

SUCCESS = frozenset({200, 201, 202, 203, 204})
FINAL = frozenset({400, 401, 403, 413})
# Seconds until the second attempt, the third, and so on; the last one repeats.
SCHEDULE = (10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 43_200)
SHORTEST = {408: 120, 503: 30}
HANDSHAKE_PAUSE = 5
TIMEOUT = 30.0
MAX_ATTEMPTS, TIME_TO_LIVE_MINUTES = 30, 1440
OUTCOMES = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 408: "TimedOut", 503: "Busy"}


class EventGridError(Exception):
    """An event subscription cannot work: its filter is not simulated, or its webhook refused the handshake."""


@dataclass(slots=True)
class Delivery:
    """One event on its way to one webhook."""

    name: str
    url: str
    event: Mapping[str, Any]
    published: datetime
    max_attempts: int
    time_to_live: timedelta
    attempts: int = 0
    outcome: str = ""
    last: datetime | None = None

    def __str__(self) -> str:
        return f"event {self.event['eventType']} of {self.event['subject']} for {self.name}, attempt {self.attempts}"


class EventGrid:
    """The system topics of all subscriptions of a world.

    `scale` shortens what Azure waits between attempts, `timeout` is how long a webhook may take. Faults of the service
    `eventgrid` strike deliveries, by the path of the webhook.
    """

    def __init__(
        self, world: World, faults: Faults, log: RequestLog, *, scale: float = 1.0, timeout: float = TIMEOUT
    ) -> None:
        self.dead_letters: list[dict[str, Any]] = []
        self.delivered = 0
        self._world = world
        self._faults = faults
        self._log = log
        self._scale = scale
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._shapes = Shapes()
        self._session: aiohttp.ClientSession | None = None
        self._under_way: dict[asyncio.Task[None], Delivery] = {}
        self._handshakes: dict[str, asyncio.Task[None]] = {}
        self._faulty: dict[str, tuple[Mapping[str, Any], str]] = {}

    async def start(self) -> None:
        """Listens to the world from now on."""
        self._session = aiohttp.ClientSession(timeout=self._timeout)
        self._world.listeners.append(self._on_change)

    async def stop(self) -> None:
        """Drops what is under way."""
        self._world.listeners.remove(self._on_change)
        tasks = [*self._under_way, *self._handshakes.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert self._session is not None
        await self._session.close()

    async def subscribe(self, subscription: str, name: str, url: str, wanted: Mapping[str, Any]) -> None:
        """Makes an event subscription under a subscription's system topic, once its webhook has agreed, as Azure does.

        Raises EventGridError.
        """
        document = _subscription(subscription, name, url, wanted)
        _filter(document)
        await self._agreed(document)
        self.declare(subscription, name, url, wanted)

    def declare(self, subscription: str, name: str, url: str, wanted: Mapping[str, Any]) -> None:
        """Makes one whose webhook is asked only when there is something to send."""
        topic = {
            "provisioningState": "Succeeded",
            "source": f"/subscriptions/{subscription}",
            "topicType": "Microsoft.Resources.Subscriptions",
        }
        self._world.put({**_document(_topic(subscription), TOPICS, topic), "location": "global"})
        self._world.put(_subscription(subscription, name, url, wanted))

    def undelivered(self) -> list[str]:
        """What is under way, and the event subscriptions that cannot work: who waits for quiet must hear of both."""
        faulty = [
            text
            for document, text in self._faulty.values()
            if (self._world.document(document["id"]) or {}).get("properties") == document["properties"]
        ]
        return [*(str(delivery) for delivery in self._under_way.values()), *faulty]

    def _on_change(self, change: Change) -> None:
        subscription = ids.parse(change.resource_id).subscription
        known = self._world.subscriptions.get(subscription.lower())
        if known is None:
            return
        event = self._shapes.event(change, known.tenant, self._world.clock.moment())
        for document in self._world.documents(SUBSCRIPTIONS):
            if not self._covers(document, change.resource_id):
                continue
            try:
                matches = _filter(document).matches(event)
            except EventGridError as error:
                self._complain(document, error)
                continue
            if matches:
                self._send(document, event)

    def _complain(self, document: Mapping[str, Any], error: EventGridError) -> None:
        log.error("events: %s", error)
        self._faulty[ids.key(document["id"])] = (document, str(error))

    def _covers(self, document: Mapping[str, Any], resource_id: str) -> bool:
        topic = self._world.document(ids.parse(document["id"]).parent)
        if topic is None:
            return False
        return f"{ids.key(resource_id)}/".startswith(f"{ids.key(topic['properties']['source'])}/")

    def _send(self, document: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        policy = document["properties"].get("retryPolicy") or {}
        delivery = Delivery(
            name=ids.parse(document["id"]).name,
            url=_url(document),
            event=event,
            published=self._world.clock.moment(),
            max_attempts=policy.get("maxDeliveryAttempts") or MAX_ATTEMPTS,
            time_to_live=timedelta(minutes=policy.get("eventTimeToLiveInMinutes") or TIME_TO_LIVE_MINUTES),
        )
        task = asyncio.get_running_loop().create_task(self._deliver(document, delivery))
        self._under_way[task] = delivery
        task.add_done_callback(self._landed)

    def _landed(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task]
        self.delivered += 1

    async def _deliver(self, document: Mapping[str, Any], delivery: Delivery) -> None:
        await self._world.clock.sleep(self._world.settings.event_delay_ms / 1000)
        try:
            await self._agreed(document)
        except EventGridError as error:
            # Azure, an event subscription whose webhook has not agreed is sent nothing.
            self._complain(document, error)
            return
        reason = ""
        while not reason:
            status = await self._post(delivery)
            delivery.attempts += 1
            delivery.last = self._world.clock.moment()
            if status in SUCCESS:
                return
            delivery.outcome = OUTCOMES.get(status, "GenericError")
            log.info("events: %s got %s", delivery, status or delivery.outcome)
            reason = await self._wait(delivery, status)
        self._bury(delivery, reason)

    async def _wait(self, delivery: Delivery, status: int) -> str:
        """Returns when the next attempt is due, or why there will be none."""
        if status in FINAL:
            return f"UndeliverableDueTo{delivery.outcome}"
        if delivery.attempts >= delivery.max_attempts:
            return "MaxDeliveryAttemptsExceeded"
        clock = self._world.clock
        await clock.sleep(_pause(delivery.attempts, status) * self._scale)
        # Azure, the time to live is looked at only when the next attempt is due (section 1.6).
        expired = clock.moment() - delivery.published > delivery.time_to_live * self._scale
        return "TimeToLiveExceeded" if expired else ""

    async def _post(self, delivery: Delivery) -> int:
        """The status of one attempt; 408 for none in time, 0 if there was no connection."""
        headers = {
            "aeg-event-type": "Notification",
            "aeg-subscription-name": delivery.name.upper(),
            "aeg-delivery-count": str(delivery.attempts),
            "aeg-metadata-version": str(delivery.event["metadataVersion"]),
            "aeg-data-version": str(delivery.event["dataVersion"]),
            "aeg-output-event-id": str(uuid.uuid4()),
        }
        place = urlsplit(delivery.url)
        entry = self._log.begin("eventgrid", "POST", place.path, _public(place.query), "")
        fault = self._faults.take("eventgrid", "POST", place.path)
        if fault is not None:
            await self._world.clock.sleep(fault.delay_ms / 1000)
        answer = fault.answer() if fault is not None else None
        if fault is not None and fault.when == "before" and (fault.reset or answer):
            entry.status = answer[0] if answer else None
            return entry.status or 0
        try:
            entry.status, _ = await self._request(delivery.url, headers, [delivery.event])
        except TimeoutError:
            entry.status = 408
        except aiohttp.ClientError:
            return 0
        if fault is not None and (fault.reset or answer):  # the webhook did its work, and Event Grid never hears of it
            return answer[0] if answer else 0
        return entry.status

    async def _request(self, url: str, headers: Mapping[str, str], body: object) -> tuple[int, bytes]:
        assert self._session is not None
        everything = {"Content-Type": "application/json; charset=utf-8", **headers}
        async with self._session.post(url, data=json.dumps(body).encode(), headers=everything) as response:
            return response.status, await response.read()

    def _bury(self, delivery: Delivery, reason: str) -> None:
        assert delivery.last is not None
        self.dead_letters.append(
            {
                **delivery.event,
                "deadLetterReason": reason,
                "deliveryAttempts": delivery.attempts,
                "lastDeliveryOutcome": delivery.outcome,
                "publishTime": _text(delivery.published),
                "lastDeliveryAttemptTime": _text(delivery.last),
            }
        )

    async def _agreed(self, document: Mapping[str, Any]) -> None:
        """Shakes hands once for each state of the event subscription: at creation, and after an update."""
        state = json.dumps([ids.key(document["id"]), document["properties"]], sort_keys=True)
        if state not in self._handshakes:
            self._handshakes[state] = asyncio.create_task(self._shake_hands(document))
        await asyncio.shield(self._handshakes[state])

    async def _shake_hands(self, document: Mapping[str, Any]) -> None:
        url, answer = _url(document), ""
        for attempt in range(2):
            if attempt:
                await self._world.clock.sleep(HANDSHAKE_PAUSE * self._scale)
            code = str(uuid.uuid4())
            try:
                status, body = await self._request(
                    url, {"aeg-event-type": "SubscriptionValidation"}, [self._validation(document, code)]
                )
            except (TimeoutError, aiohttp.ClientError) as error:
                answer = type(error).__name__
                continue
            if status == 200 and _answered(body, code):
                return
            answer = f"{status} {body[:200].decode(errors='replace')}"
        place = urlsplit(url)
        raise EventGridError(
            f"event subscription '{ids.parse(document['id']).name}': the webhook at {place.netloc}{place.path} must "
            f"answer the validation with 200 and its code, but answered: {answer}"
        )

    def _validation(self, document: Mapping[str, Any], code: str) -> dict[str, Any]:
        name = ids.parse(document["id"]).name
        token = secrets.token_hex(8).upper()
        moment = _text(self._world.clock.moment())
        return {
            "id": str(uuid.uuid4()),
            "topic": ids.parse(document["id"]).parent,
            "subject": "",
            "data": {
                "validationCode": code,
                "validationUrl": f"https://rp-westeurope.eventgrid.azure.net:553/eventsubscriptions/{name}/validate"
                f"?id={code}&t={moment}&apiVersion=2020-10-15-preview&token={token}",
            },
            "eventType": SystemEventNames.EventGridSubscriptionValidationEventName.value,
            "eventTime": moment,
            "metadataVersion": "1",
            "dataVersion": "1",
        }


def _topic(subscription: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/rg-events/providers/{TOPICS}/subscription-events"


def _subscription(subscription: str, name: str, url: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    properties = {
        "provisioningState": "Succeeded",
        "destination": {"endpointType": "WebHook", "properties": {"endpointUrl": url}},
        "filter": dict(wanted),
        "eventDeliverySchema": "EventGridSchema",
        "retryPolicy": {"maxDeliveryAttempts": MAX_ATTEMPTS, "eventTimeToLiveInMinutes": TIME_TO_LIVE_MINUTES},
    }
    return _document(f"{_topic(subscription)}/eventSubscriptions/{name}", SUBSCRIPTIONS, properties)


def _document(resource_id: str, resource_type: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    name = ids.parse(resource_id).name
    return {"id": resource_id, "name": name, "type": resource_type, "properties": dict(properties)}


def _filter(document: Mapping[str, Any]) -> event_filters.Filter:
    name = ids.parse(document["id"]).name
    try:
        if document["properties"]["destination"]["endpointType"] != "WebHook":
            raise event_filters.FilterError("only webhooks are simulated as destinations")
        return event_filters.read(document["properties"].get("filter") or {})
    except event_filters.FilterError as error:
        raise EventGridError(f"event subscription '{name}': {error}") from error


def _url(document: Mapping[str, Any]) -> str:
    url: str = document["properties"]["destination"]["properties"]["endpointUrl"]
    return url


def _public(query: str) -> str:
    """The query without the key in it, which must not get into a log."""
    return urlencode([(name, value) for name, value in parse_qsl(query) if name != "code"])


def _answered(body: bytes, code: str) -> bool:
    try:
        found = json.loads(body)
    except ValueError:
        return False
    return isinstance(found, dict) and found.get("validationResponse") == code


def _pause(attempts: int, status: int) -> int:
    return max(SCHEDULE[min(attempts, len(SCHEDULE)) - 1], SHORTEST.get(status, 10))


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}0Z"
