"""What the tests of a hub's zones stand on: a hub without the zone, endpoints that miss it, and a client that asks."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import dns.rcode
import pytest
from azure.core.pipeline.transport import AioHttpTransport
from azure.storage.queue import TextBase64DecodePolicy
from azure.storage.queue.aio import QueueClient

from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneZone, Scope
from hubwarden.model.work import WorkItem
from simulator.resolution import resolve
from simulator.world import Change, World
from tests.azure import HUB, resource_id
from tests.estate import Estate
from tests.laws.conftest import Founding
from tests.storage import taken

QUEUE_ZONE = "privatelink.queue.core.windows.net"
GROUP = f"/subscriptions/{HUB}/resourceGroups/rg-dns"
NETWORK = resource_id(HUB, "rg-hub", "Microsoft.Network/virtualNetworks", "vnet-hub")
ZONE_ID = resource_id(HUB, "rg-dns", "Microsoft.Network/privateDnsZones", QUEUE_ZONE)
THE_ZONE = OneZone("weu", ResourceId.parse(ZONE_ID))
NXDOMAIN, PUBLIC = "NXDOMAIN", "203.0.113.7"


def hub(**changes: Any) -> dict[str, Any]:
    """A hub that makes its zones."""
    return {"name": "weu", "zones": [GROUP], "networks": [NETWORK], "createZones": True, **changes}


async def founded(found: Founding, **changes: Any) -> Estate:
    """The estate with such a hub, whose network clients are in; operations end at once."""
    estate = await found(**{"hubs": [hub()], "followUps": ["1ms", "1ms", "1ms"], **changes})
    await estate.azure.resource_group("rg-dns", HUB)
    await estate.azure.sim("POST", "settings", {"operationMs": 0, "dnsNetwork": NETWORK})
    return estate


async def endpoint(estate: Estate, account: str = "st1", **wanted: Any) -> str:
    """An approved endpoint to the queues of a storage account, which is made with it; its id."""
    target = await estate.azure.storage_account(account, services=("blob", "queue"))
    return await estate.azure.endpoint(f"pe-{account}", target, groups=["queue"], **wanted)


async def items(estate: Estate) -> list[WorkItem]:
    """What waits in the work queue, taken out of it."""
    queue = QueueClient.from_connection_string(
        estate.connection_string, "hubwarden-work", message_decode_policy=TextBase64DecodePolicy()
    )
    async with queue:
        return [WorkItem.from_json(text) for text in await taken(queue)]


async def scopes(estate: Estate) -> list[Scope]:
    """The scopes that wait in the work queue."""
    return [item.scope for item in await items(estate)]


async def work_off(estate: Estate, *, most: int = 30) -> None:
    """Works off the queue until nothing is left."""
    for _ in range(most):
        waiting = await items(estate)
        if not waiting:
            return
        for item in waiting:
            estate.time.seconds = max(estate.time.seconds, item.due)
            await estate.hubwarden.work(item, within=1000)
    raise AssertionError("the queue does not become empty")


async def writes(estate: Estate) -> list[str]:
    """Hubwarden's writes to ARM, in their order: what was written, without its group."""
    calls = [call for call in await estate.calls() if not call.startswith("GET")]
    return [call.replace(f"{GROUP}/providers/Microsoft.Network/privateDnsZones/", "") for call in calls]


async def zone(estate: Estate, zone_id: str = ZONE_ID) -> Any:
    """The zone as ARM shows it; None where there is none."""
    answer = await estate.azure.arm("GET", zone_id)
    return answer.body if answer.status == 200 else None


async def links(estate: Estate, zone_id: str = ZONE_ID) -> dict[str, str]:
    """The zone's links: the resolution policy by the network's id; none where there is no zone."""
    listed = await estate.azure.arm("GET", f"{zone_id}/virtualNetworkLinks")
    found = [link["properties"] for link in listed.body.get("value", ())]
    return {each["virtualNetwork"]["id"]: each["resolutionPolicy"] for each in found}


def answer(world: World, name: str) -> str:
    """What a client in the hub's network gets: the last address, or why there is none."""
    found = resolve(world, name, "A")
    if found.rcode != dns.rcode.NOERROR:
        return dns.rcode.to_text(found.rcode)
    return str(found.records[-1][0])


@contextmanager
def before(call: str, doing: Callable[[], Awaitable[object]]) -> Iterator[None]:
    """Right before Hubwarden's first request of that method and path, something else happens in Azure."""
    sends = AioHttpTransport.send
    done = False

    async def send(transport: Any, request: Any, **options: Any) -> Any:
        nonlocal done
        if not done and re.search(call, f"{request.method} {urlsplit(request.url).path}"):
            done = True
            await doing()
        return await sends(transport, request, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AioHttpTransport, "send", send)
        yield
    assert done, f"there was no {call}"


@dataclass(slots=True)
class Client:
    """Somebody in the hub's network who asks after every change in Azure, and remembers every answer."""

    world: World
    names: tuple[str, ...]
    heard: list[tuple[str, ...]] = field(default_factory=list)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """While this lasts."""
        self.world.listeners.append(self._ask)
        self.heard.append(self._answers())
        try:
            yield
        finally:
            self.world.listeners.remove(self._ask)

    def _ask(self, _: Change) -> None:
        answers = self._answers()
        if answers != self.heard[-1]:
            self.heard.append(answers)

    def _answers(self) -> tuple[str, ...]:
        return tuple(answer(self.world, name) for name in self.names)
