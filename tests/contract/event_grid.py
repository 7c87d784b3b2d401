"""A world with an Event Grid, and a webhook that does as it is told: what tests of event delivery start from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from simulator.clock import Clock
from simulator.event_subscriptions import event_subscription, topic
from simulator.events import EventGrid
from simulator.faults import Faults
from simulator.request_log import RequestLog
from simulator.world import Caller, Subscription, World

SUB = "aaaaaaaa-0000-0000-0000-000000000001"
ENDPOINT = f"/subscriptions/{SUB}/resourceGroups/rg-app/providers/Microsoft.Network/privateEndpoints/pe1"
WRITE = "Microsoft.Network/privateEndpoints/write"
ALL: Mapping[str, Any] = {}
SCALE = 0.0001


class Webhook:
    """A webhook that answers what a test tells it to, and keeps what it was sent."""

    def __init__(self) -> None:
        self.url = ""
        self.handshakes = 0
        self.events: list[dict[str, Any]] = []
        self.headers: list[Mapping[str, str]] = []
        self.statuses: list[int] = []
        self.validation: Callable[[str], web.Response] = lambda code: web.json_response({"validationResponse": code})
        self.arrived = asyncio.Event()
        self.hold: asyncio.Event | None = None

    async def answer(self, request: web.Request) -> web.Response:
        """One request of Event Grid."""
        (event,) = await request.json()
        if request.headers["aeg-event-type"] == "SubscriptionValidation":
            self.handshakes += 1
            assert ":553/" in event["data"]["validationUrl"]
            return self.validation(event["data"]["validationCode"])
        self.events.append(event)
        self.headers.append(request.headers)
        self.arrived.set()
        if self.hold is not None:
            await self.hold.wait()
        return web.Response(status=self.statuses.pop(0) if self.statuses else 202)


class Grid:
    """A world with one subscription, and its Event Grid."""

    def __init__(self, timeout: float = 30.0, scale: float = SCALE) -> None:
        self.world = World(Clock())
        self.world.subscriptions[SUB] = Subscription(SUB)
        self.faults, self.log = Faults(), RequestLog()
        self.events = EventGrid(self.world, self.faults, self.log, scale=scale, timeout=timeout)

    def change(self, operation: str = WRITE, resource: str = ENDPOINT, *, succeeded: bool = True) -> None:
        """Something happens."""
        self.world.announce(operation, resource, Caller("the-deployer"), succeeded=succeeded)

    def subscribe(self, destination: Mapping[str, Any], **policy: int) -> None:
        """Somebody subscribes to everything, for that destination, perhaps with a retry policy of their own."""
        self.world.put(topic(SUB))
        document = event_subscription(SUB, "events", destination, ALL)
        document["properties"]["retryPolicy"].update(policy)
        self.world.put(document)

    def change_settings(self, **wanted: Any) -> None:
        """Settings by their camelCase names."""
        self.world.settings = self.world.settings.changed(wanted)

    async def rest(self) -> None:
        """Returns when nothing is under way; steps aside for what is."""
        while self.events.undelivered():
            await self.world.clock.sleep(0.001)
