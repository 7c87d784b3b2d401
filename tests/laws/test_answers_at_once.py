"""Law 9 for answers by several at once: automatic approvals have a limit of their own, whoever gives them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneEndpoint
from hubwarden.runtime import Runtime
from tests.estate import Estate, config
from tests.laws.conftest import Founding
from tests.laws.test_approvals import APPROVED, OWN_BLOBS, STORAGE, asked, statuses, target_of

APPROVALS = {"rules": [OWN_BLOBS], "limits": {"approve": 1}}


async def waiting(estate: Estate, count: int) -> tuple[list[OneEndpoint], list[str]]:
    """So many endpoints whose connections wait, and their targets, each of its own."""
    targets = [await target_of(estate, STORAGE, f"t{number}") for number in range(count)]
    endpoints = [await asked(estate, target, f"pe{number}") for number, target in enumerate(targets)]
    return [OneEndpoint(ResourceId.parse(endpoint)) for endpoint in endpoints], targets


async def approved(estate: Estate, targets: list[str]) -> int:
    """How many of the targets' connections are approved."""
    return [status for target in targets for status in await statuses(estate, target)].count(APPROVED)


async def test_events_at_once_do_not_approve_beyond_the_limit(found: Founding) -> None:
    """A burst is what the limit is for."""
    estate = await found(approvals=APPROVALS)
    scopes, targets = await waiting(estate, 4)
    await asyncio.gather(*(estate.hubwarden.run(scope) for scope in scopes))
    assert await approved(estate, targets) <= 1


async def test_a_host_whose_clock_is_behind_does_not_approve_beyond_the_limit(
    found: Founding, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It finds room for its answer; then another host approves; then it counts its own, which seems the earlier."""
    estate = await found(approvals=APPROVALS)
    [first, second], targets = await waiting(estate, 2)
    has_room, is_full = asyncio.Event(), asyncio.Event()
    settled = config(tmp_path, estate.azure.url, estate.connection_string, approvals=APPROVALS)
    async with Runtime.build(settled, now=lambda: estate.time.now() - 1, sleep=estate.time.sleep) as behind:
        note = behind.rooms.tally.note

        async def late(*told: Any) -> tuple[str, ...]:
            has_room.set()
            await is_full.wait()
            return await note(*told)

        monkeypatch.setattr(behind.rooms.tally, "note", late)
        running = asyncio.ensure_future(behind.run(second))
        await has_room.wait()
        await estate.hubwarden.run(first)
        is_full.set()
        await running
    assert await approved(estate, targets) == 1
