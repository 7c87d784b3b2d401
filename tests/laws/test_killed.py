"""Killed after any write, to Azure or to the ledger: the next sweep finishes it, and nothing stands without a claim."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from azure.core.pipeline.transport import AioHttpTransport

from hubwarden.model.plan import ClaimState
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneEndpoint, OneTarget, Pending, Scope
from tests.azure import SPOKE, resource_id
from tests.estate import Estate, record_id
from tests.laws.conftest import Founding, restarted

ACCOUNT = resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "st1")
RULE = {"name": "own", "when": {"consumer": {"in": "estate"}}, "then": "approve"}
MOST_WRITES = 40


class Killer:
    """Ends a run right after its n-th write; nothing of the run goes on."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.left = MOST_WRITES
        self.run: asyncio.Task[Any] | None = None
        sends = AioHttpTransport.send

        async def send(transport: Any, request: Any, **options: Any) -> Any:
            answer = await sends(transport, request, **options)
            if self.run and request.method != "GET" and "ResourceGraph" not in request.url:
                self.left -= 1
                if not self.left:
                    self.run.cancel()
                    await asyncio.Event().wait()
            return answer

        patch.setattr(AioHttpTransport, "send", send)

    async def kills(self, run: Awaitable[object], after: int) -> bool:
        """Whether the run was killed; it may have fewer writes."""
        self.left, self.run = after, asyncio.ensure_future(run)
        try:
            await self.run
        except asyncio.CancelledError:
            return True
        finally:
            self.run = None
        return False


@pytest.fixture
def killer(monkeypatch: pytest.MonkeyPatch) -> Killer:
    """Waits for its run."""
    return Killer(monkeypatch)


async def creation(estate: Estate) -> Scope:
    """A new endpoint."""
    return OneEndpoint(ResourceId.parse(await estate.azure.endpoint("pe1", ACCOUNT)))


async def deletion(estate: Estate) -> Scope:
    """An endpoint that is gone, with its record left."""
    endpoint = await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.look(endpoint)
    await estate.delete_endpoint(endpoint)
    return OneEndpoint(ResourceId.parse(endpoint))


async def succession(estate: Estate) -> Scope:
    """A holder that is gone, and an heir."""
    first, second = [await estate.azure.endpoint(name, ACCOUNT) for name in ("pe1", "pe2")]
    await estate.look(first)
    await estate.look(second)
    await estate.delete_endpoint(first)
    return OneEndpoint(ResourceId.parse(first))


async def request(estate: Estate) -> Scope:
    """A connection that waits for an answer."""
    await estate.azure.endpoint("pe1", ACCOUNT, manual=True)
    return OneTarget(ResourceId.parse(ACCOUNT))


async def all_requests(estate: Estate) -> Scope:
    """The same, found by the timer."""
    await request(estate)
    return Pending()


@pytest.mark.parametrize(
    ("prepare", "addresses"),
    [
        (creation, ["10.1.0.4"]),
        (deletion, None),
        (succession, ["10.1.0.5"]),
        (request, ["10.1.0.4"]),
        (all_requests, ["10.1.0.4"]),
    ],
)
async def test_whatever_the_last_write_was_the_next_sweep_finishes_it(
    found: Founding,
    killer: Killer,
    tmp_path: Path,
    prepare: Callable[[Estate], Awaitable[Scope]],
    addresses: list[str] | None,
) -> None:
    approvals = {"rules": [RULE]}
    for after in range(1, MOST_WRITES):
        estate = await found(approvals=approvals)
        await estate.azure.sim("POST", "settings", {"operationMs": 0})
        scope = await prepare(estate)
        killed = await killer.kills(estate.hubwarden.look(scope, within=1000), after)
        await restarted(estate, tmp_path, approvals=approvals)
        await nothing_stands_unclaimed(estate)
        estate.time.seconds += 1000
        await estate.sweep()
        await estate.sweep()
        assert await estate.addresses() == addresses, f"killed after write {after}"
        assert (await estate.sweep()).plan.changes == ()
        claims = [claim for each in (await estate.hubwarden.rooms.claims.all()).claims.values() for claim in each]
        assert [claim.state for claim in claims] == ([ClaimState.SERVED] if addresses else [])
        assert await estate.hubwarden.rooms.decisions.open() == ()
        await start_over(estate)
        if not killed:
            assert after > 2, "there was something to kill"
            return
    raise AssertionError("the run has more writes than were tried")


async def nothing_stands_unclaimed(estate: Estate) -> None:
    """Law: a claim is stored before its record is written, and removed after it is gone."""
    record = await estate.record()
    if record is None:
        return
    owner = record["properties"]["metadata"]["hubwarden_endpoint"]
    claims = await estate.hubwarden.rooms.claims.of(ResourceId.parse(owner))
    assert [claim.key.name for claim in claims] == ["st1"]


async def start_over(estate: Estate) -> None:
    """The zone and the spoke as they were."""
    if await estate.record():
        await estate.azure.arm("DELETE", record_id("st1"))
    for name in ("pe1", "pe2"):
        await estate.azure.arm("DELETE", resource_id(SPOKE, "rg-spoke", "Microsoft.Network/privateEndpoints", name))
    await estate.azure.settle()
