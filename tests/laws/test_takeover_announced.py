"""A takeover tells the topic of its records like any run: once each, and where it ends half-way, the app does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hubwarden.model.scope import Pending
from hubwarden.reconcile.rooms import SOMEBODYS
from tests.azure import Azure
from tests.laws.announced import REGISTERED, announcing, told, topic_fails, topic_recovers
from tests.laws.conftest import Founding
from tests.laws.takeovers import COSMOS_ZONE, Moments, Takeovers, may_take_over, person_at


@pytest.fixture
async def takeovers(found: Founding, azure: Azure, tmp_path: Path) -> AsyncIterator[Takeovers]:
    """An estate that announces, and a person at its shell."""
    estate = await announcing(found, azure)
    await may_take_over(estate)
    moments = Moments(estate.time)
    person = person_at(estate, tmp_path, moments)
    yield Takeovers(estate, person, moments)
    await person.close()


async def registered(takeovers: Takeovers) -> list[tuple[Any, ...]]:
    """What the topic was told of records: types, names and endpoints; the same event may come more than once."""
    events = {each["id"]: each for each in await told(takeovers.estate)}
    return sorted((each["type"], each["data"]["name"], each["data"]["endpoint"]) for each in events.values())


async def test_its_records_are_told_of_at_its_end_and_not_again(takeovers: Takeovers) -> None:
    """docs/events.md: a record was created or changed. The app's next runs have nothing to add."""
    endpoint = await takeovers.cosmos()
    assert not (await takeovers.take_over(endpoint)).failed
    once = [(REGISTERED, name, endpoint) for name in ("cosmos", "cosmos-westeurope")]
    assert await registered(takeovers) == once
    takeovers.estate.time.seconds += SOMEBODYS
    await takeovers.estate.look(endpoint, thorough=True)
    await takeovers.estate.sweep()
    assert await registered(takeovers) == once


async def test_with_the_topic_down_the_app_tells_of_it_later(takeovers: Takeovers) -> None:
    endpoint = await takeovers.grouped()
    await topic_fails(takeovers.estate)
    assert not (await takeovers.take_over(endpoint)).failed
    assert await registered(takeovers) == []
    await topic_recovers(takeovers.estate)
    await takeovers.estate.hubwarden.run(Pending())
    assert await registered(takeovers) == [(REGISTERED, "st1", endpoint)]


async def test_what_it_did_not_write_is_told_of_when_the_app_has(takeovers: Takeovers) -> None:
    """One record is refused: of the other it tells at its end, of this one the look that writes it."""
    endpoint = await takeovers.cosmos()
    place = f"{COSMOS_ZONE}/A/cosmos-westeurope$"
    await takeovers.fault(method="PUT", path=place, status=409, code="Conflict", skip=1)
    assert (await takeovers.take_over(endpoint)).failed
    assert await registered(takeovers) == [(REGISTERED, "cosmos", endpoint)]
    await takeovers.estate.azure.sim("DELETE", "faults")
    takeovers.estate.time.seconds += SOMEBODYS
    await takeovers.estate.look(endpoint, thorough=True)
    await takeovers.estate.sweep()
    assert await registered(takeovers) == [(REGISTERED, name, endpoint) for name in ("cosmos", "cosmos-westeurope")]
