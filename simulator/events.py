"""Event Grid: tells who subscribed what has changed, at least once and in no order (behaviour reference section 1).

It listens to the world, asks the event subscriptions stored there who wants to know, and tries again as Azure does;
what cannot be delivered ends among the dead letters.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulator import event_retries, ids
from simulator.documents import Document
from simulator.event_destinations import Destination, Destinations
from simulator.event_disorder import Disorder
from simulator.event_handshake import Handshakes
from simulator.event_shapes import Shapes, dead_letter
from simulator.event_subscriptions import (
    SUBSCRIPTIONS,
    EventGridError,
    Patience,
    covers,
    event_subscription,
    filter_of,
    name_of,
    patience_of,
    topic,
    webhook,
)
from simulator.faults import Faults
from simulator.request_log import RequestLog
from simulator.world import Change, World

log = logging.getLogger(__name__)

TIMEOUT = 30.0


@dataclass(slots=True)
class Delivery:
    """One event on its way to one destination; an extra one is a duplicate, tried once whatever becomes of it."""

    name: str
    destination: Destination
    event: Mapping[str, Any]
    published: datetime
    patience: Patience
    extra: bool
    attempts: int = 0
    outcome: str = ""
    age: float = 0.0  # seconds that Azure would have waited by now

    def __str__(self) -> str:
        return f"event {self.event['eventType']} of {self.event['subject']} for {self.name}, attempt {self.attempts}"


class EventGrid:
    """The system topics of all subscriptions of a world.

    `scale`, and the setting `eventRetryScale` beside it, shorten what Azure waits between attempts; `timeout` is how
    long a webhook may take. Faults of the service `eventgrid` strike deliveries, by the path of the destination.
    """

    def __init__(
        self, world: World, faults: Faults, log: RequestLog, *, scale: float = 1.0, timeout: float = TIMEOUT
    ) -> None:
        self.dead_letters: list[dict[str, Any]] = []
        self.lost: list[Mapping[str, Any]] = []
        self.destinations = Destinations(timeout)
        self._world = world
        self._faults = faults
        self._log = log
        self._own_scale = scale
        self._shapes = Shapes()
        self._disorder = Disorder(world.clock)
        self._handshakes = Handshakes(world.clock, self.destinations)
        self._under_way: dict[asyncio.Task[None], Delivery] = {}
        self._faulty: dict[str, tuple[Document, str]] = {}

    async def start(self) -> None:
        """Listens to the world from now on."""
        await self.destinations.open()
        self._world.listeners.append(self._on_change)

    async def stop(self) -> None:
        """Drops what is under way."""
        self._world.listeners.remove(self._on_change)
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._handshakes.stop()
        await self.destinations.close()

    async def subscribe(self, subscription: str, name: str, url: str, wanted: Mapping[str, Any]) -> None:
        """Makes an event subscription under a subscription's system topic, once its webhook has agreed, as Azure does.

        Raises EventGridError.
        """
        document = event_subscription(subscription, name, webhook(url), wanted)
        filter_of(document)
        await self._handshakes.agreed(document, self.destinations.find(document), self._scale)
        self.declare(subscription, name, url, wanted)

    def declare(self, subscription: str, name: str, url: str, wanted: Mapping[str, Any]) -> None:
        """Makes one whose webhook is asked only when there is something to send."""
        self._world.put(topic(subscription))
        self._world.put(event_subscription(subscription, name, webhook(url), wanted))

    def undelivered(self) -> list[str]:
        """What is under way, and the event subscriptions that cannot work: who waits for quiet must hear of both."""
        faulty = [
            text
            for document, text in self._faulty.values()
            if (self._world.document(document["id"]) or {}).get("properties") == document["properties"]
        ]
        return [*(str(delivery) for delivery in self._under_way.values()), *faulty]

    @property
    def _scale(self) -> float:
        return self._own_scale * self._world.settings.event_retry_scale

    def _on_change(self, change: Change) -> None:
        subscription = ids.parse(change.resource_id).subscription
        known = self._world.subscriptions.get(subscription.lower())
        if known is None:
            return
        event = self._shapes.event(change, known.tenant, self._world.clock.moment())
        for document in self._world.documents(SUBSCRIPTIONS):
            if not covers(self._world, document, change.resource_id):
                continue
            try:
                if filter_of(document).matches(event):
                    self._send(document, event)
            except EventGridError as error:
                self._complain(document, error)

    def _complain(self, document: Document, error: EventGridError) -> None:
        log.error("events: %s", error)
        self._faulty[ids.key(document["id"])] = (document, str(error))

    def _send(self, document: Document, event: Mapping[str, Any]) -> None:
        destination = self.destinations.find(document)
        copies = self._disorder.copies(self._world.settings)
        if not copies:
            self.lost.append(event)
        for number in range(copies):
            delivery = Delivery(
                name=name_of(document),
                destination=destination,
                event=event,
                published=self._world.clock.moment(),
                patience=patience_of(document),
                extra=number > 0,
            )
            task = asyncio.get_running_loop().create_task(self._deliver(document, delivery))
            self._under_way[task] = delivery
            task.add_done_callback(self._under_way.pop)

    async def _deliver(self, document: Document, delivery: Delivery) -> None:
        await self._world.clock.sleep(self._world.settings.event_delay_ms / 1000)
        if self._world.settings.event_shuffle:
            await self._disorder.turn()
        try:
            await self._handshakes.agreed(document, delivery.destination, self._scale)
        except EventGridError as error:
            # Azure, an event subscription whose webhook has not agreed is sent nothing.
            self._complain(document, error)
            return
        reason = ""
        while not reason:
            status = await self._attempt(delivery)
            last = self._world.clock.moment()
            delivery.attempts += 1
            if status in event_retries.SUCCESS or delivery.extra:
                return
            delivery.outcome = event_retries.outcome(status)
            log.info("events: %s got %s", delivery, status or delivery.outcome)
            reason = await self._wait(delivery, status)
        self.dead_letters.append(
            dead_letter(
                delivery.event,
                reason=reason,
                attempts=delivery.attempts,
                outcome=delivery.outcome,
                published=delivery.published,
                last=last,
            )
        )

    async def _wait(self, delivery: Delivery, status: int) -> str:
        """Returns when the next attempt is due, or why there will be none."""
        in_azure = delivery.destination.in_azure
        if event_retries.is_final(status, in_azure=in_azure):
            return f"UndeliverableDueTo{delivery.outcome}"
        if delivery.attempts >= delivery.patience.attempts:
            return "MaxDeliveryAttemptsExceeded"
        clock, scale = self._world.clock, self._scale
        begun = clock.now()
        await clock.sleep(event_retries.pause(delivery.attempts, status, in_azure=in_azure) * scale)
        delivery.age += (clock.now() - begun) / scale
        # Azure, the time to live is looked at only when the next attempt is due (section 1.6).
        return "TimeToLiveExceeded" if delivery.age > delivery.patience.time_to_live else ""

    async def _attempt(self, delivery: Delivery) -> int:
        """The status of one attempt; 408 for none in time, 0 if there was no connection."""
        destination = delivery.destination
        entry = self._log.begin("eventgrid", "POST", destination.path, destination.query, "")
        fault = self._faults.take("eventgrid", "POST", destination.path)
        if fault is not None:
            await self._world.clock.sleep(fault.delay_ms / 1000)
        answer = fault.answer() if fault is not None else None
        if fault is not None and fault.when == "before" and (fault.reset or answer):
            entry.status = answer[0] if answer else None
            return entry.status or 0
        status = await self.destinations.send(destination, _headers(delivery), delivery.event)
        entry.status = status or None
        if fault is not None and (
            fault.reset or answer
        ):  # the other side did its work, and Event Grid never hears of it
            return answer[0] if answer else 0
        return status


def _headers(delivery: Delivery) -> dict[str, str]:
    return {
        "aeg-event-type": "Notification",
        "aeg-subscription-name": delivery.name.upper(),
        "aeg-delivery-count": str(delivery.attempts),
        "aeg-metadata-version": str(delivery.event["metadataVersion"]),
        "aeg-data-version": str(delivery.event["dataVersion"]),
        "aeg-output-event-id": str(uuid.uuid4()),
    }
