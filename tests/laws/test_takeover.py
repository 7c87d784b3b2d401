"""Takeover: an endpoint's zone group goes, and its records are ours, after a gap that is measured."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.estate import Estate
from tests.laws.takeovers import Takeovers, person_at


@pytest.fixture
async def takeovers(estate: Estate, tmp_path: Path) -> AsyncIterator[Takeovers]:
    """The estate with the default settings, and a person at its shell."""
    person = person_at(estate, tmp_path)
    yield Takeovers(estate, person)
    await person.close()


async def test_the_group_goes_and_the_record_is_ours(takeovers: Takeovers) -> None:
    endpoint = await takeovers.grouped()
    assert (await takeovers.record())["metadata"].keys() == {"creator"}
    report = await takeovers.take_over(endpoint)
    assert not report.failed
    assert not await takeovers.has_group(endpoint)
    record = await takeovers.record()
    assert record["aRecords"] == [{"ipv4Address": "10.1.0.4"}]
    assert record["metadata"]["hubwarden_endpoint"] == endpoint
