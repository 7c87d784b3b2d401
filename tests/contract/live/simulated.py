"""The simulator as a resource group for the checks: the only module here that knows it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from simulator.authority import Authority
from tests.azure import BLOB_ZONE, SPOKE, Azure
from tests.contract.live.estate import Place

RUN = "5e1f7e57"


@asynccontextmanager
async def simulated(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, settings: Mapping[str, Any] | None = None
) -> AsyncIterator[Place]:
    """A simulator of one's own with an empty resource group, whose long operations end almost at once."""
    from simulator.server import Simulator

    async with Simulator(authority) as simulator, Azure(simulator.url) as azure:
        # Of all that DefaultAzureCredential tries, only what the simulator answers: the machine may be signed in.
        for name, value in {**simulator.environment(), "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential"}.items():
            monkeypatch.setenv(name, value)
        place = Place(
            arm=simulator.url,
            subscription=SPOKE,
            group="rg-Live",
            location="westeurope",
            run=RUN,
            pause=0,
            patience=20,
        )
        await azure.sim("POST", "settings", {"operationMs": 0, **(settings or {})})
        await azure.subscription(SPOKE)
        await azure.resource_group(place.group)
        member = {"groupId": "blob", "memberName": "blob", "fqdns": [place.fqdn], "zone": BLOB_ZONE}
        await azure.target(place.account, [member])
        yield place
