"""Whatever happens to topic, network and endpoints: who listens ends up knowing what stands, by the order of events."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import count
from typing import Any, TypeVar

import pytest

from hubwarden.ledger.outbox import State
from hubwarden.model.scope import Pending
from tests.azure import SPOKE, Azure, resource_id
from tests.estate import Estate, record_id
from tests.laws.announced import REGISTERED, WITHDRAWN, announcing, told, topic_fails, topic_recovers
from tests.laws.conftest import Founding, readdress

Thing = TypeVar("Thing")

NAMES = ("one", "two")
STEPS = 14
FAULTS: tuple[dict[str, Any], ...] = (
    {"status": 503},
    {"status": 429},
    {"status": 401},
    {"reset": True, "when": "after", "status": 500},
    {"service": "arm", "method": "PUT", "path": "/A/", "status": 500, "when": "after", "times": 2},
    {"service": "arm", "method": "PUT", "path": "/A/", "status": 500, "when": "before", "times": 2},
    {"service": "arm", "method": "DELETE", "path": "/A/", "status": 500, "when": "after", "times": 2},
)


class Dice:
    """Falls as it fell before for the same seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._throws = count()

    def choice(self, things: Sequence[Thing]) -> Thing:
        """One of them."""
        thrown = hashlib.sha256(f"{self._seed} {next(self._throws)}".encode()).digest()
        return things[int.from_bytes(thrown) % len(things)]


class Endpoints:
    """Endpoints that come, go, and change their addresses."""

    def __init__(self, estate: Estate, dice: Dice) -> None:
        self._estate = estate
        self._dice = dice
        self._living: set[str] = set()

    async def step(self) -> None:
        """Something happens to one of them, and Hubwarden hears of it."""
        name = self._dice.choice(NAMES)
        account = await self._estate.azure.storage_account(name)
        endpoint = resource_id(SPOKE, "rg-spoke", "Microsoft.Network/privateEndpoints", f"pe-{name}")
        if name not in self._living:
            await self._estate.azure.endpoint(f"pe-{name}", account)
            self._living.add(name)
        elif self._dice.choice([True, False]):
            await self._estate.delete_endpoint(endpoint)
            self._living.remove(name)
        else:
            await readdress(self._estate, endpoint, f"10.1.0.{self._dice.choice(range(50, 250))}")
        await self._estate.look(endpoint, thorough=True)


def believed(events: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    """What a receiver takes the zone to hold: it drops the ids that it knows, and else believes each event."""
    known: dict[str, list[str]] = {}
    seen: set[str] = set()
    for event in events:
        subject = event["subject"].lower()
        if event["id"] in seen:
            continue
        seen.add(event["id"])
        if event["type"] == REGISTERED:
            known[subject] = event["data"]["addresses"]
        elif event["type"] == WITHDRAWN:
            known.pop(subject, None)
    return known


@pytest.mark.parametrize("seed", range(6))
async def test_who_listens_knows_what_stands(found: Founding, azure: Azure, seed: int) -> None:
    """Topic down, writes without an answer, endpoints that come, go and change: in the end nothing is missed."""
    dice = Dice(seed)
    estate = await announcing(found, azure)
    endpoints = Endpoints(estate, dice)
    for _ in range(STEPS):
        match dice.choice(["fails", "recovers", "minute", "sweep", "endpoint", "endpoint", "endpoint"]):
            case "fails":
                await topic_fails(estate, **dice.choice(FAULTS))
            case "recovers":
                await topic_recovers(estate)
            case "minute":
                await estate.time.sleep(60)
                await estate.hubwarden.run(Pending())
            case "sweep":
                await estate.time.sleep(900)
                await estate.sweep()
            case "endpoint":
                await endpoints.step()
    await topic_recovers(estate)
    for _ in range(2):
        await estate.time.sleep(4000)  # what was written just now is believed for a while
        await estate.sweep()

    known = believed(await told(estate))
    standing = {record_id(name).lower(): await estate.addresses(name) for name in NAMES}
    assert known == {subject: addresses for subject, addresses in standing.items() if addresses}
    assert [await estate.hubwarden.rooms.outbox.of(state, most=9) for state in State] == [[], [], []]
