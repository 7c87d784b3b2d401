"""The estate that checks run on: the simulator, or with --on-azure the resource group that the environment names."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from simulator.authority import Authority
from tests.contract.live.estate import AzureEstate, Made, Place, place_from, prepare, prepared
from tests.contract.live.sightings import Sightings
from tests.contract.live.simulated import simulated

VARIABLE = "HUBWARDEN_LIVE_RESOURCE_GROUP"


@pytest.fixture(scope="session")
def on_azure(request: pytest.FixtureRequest) -> Iterator[Place | None]:
    """The resource group with the common ground, made once and taken away at the end; None for the simulator."""
    if not request.config.getoption("--on-azure"):
        yield None
        return
    run = request.config.getoption("--run") or secrets.token_hex(4)
    place = asyncio.run(place_from(os.environ, VARIABLE, run, request.config.getoption("--pause")))
    made: list[Made] = []
    try:
        asyncio.run(_once(place, made, prepare))
        yield place
    finally:
        asyncio.run(_once(place, made, AzureEstate.clear))


async def _once(place: Place, made: list[Made], work: Callable[[AzureEstate], Awaitable[None]]) -> None:
    async with AzureEstate(place, made) as estate:
        await work(estate)


@pytest.fixture
async def azure_estate(
    on_azure: Place | None, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[AzureEstate]:
    """Where a check works; what it makes there goes with it."""
    if on_azure is None:
        async with simulated(authority, monkeypatch) as place, prepared(place) as estate:
            yield estate
        return
    async with AzureEstate(on_azure) as estate:
        try:
            yield estate
        finally:
            await estate.clear()


@pytest.fixture(scope="session")
def sightings(request: pytest.FixtureRequest, on_azure: Place | None) -> Iterator[Sightings]:
    """What the run saw; on Azure it is written down at the end."""
    where = f"{on_azure.location} of {on_azure.arm}" if on_azure else "the simulator"
    found = Sightings(where, datetime.now(UTC).date())
    yield found
    if on_azure and found.seen:
        Path(request.config.getoption("--seen")).write_text(found.page(), encoding="utf-8")
