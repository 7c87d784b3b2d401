"""An estate in a simulator with Hubwarden looking after it: what every test of the product's rules stands on."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml

from hubwarden.config.loading import Config, load
from hubwarden.model.plan import HeldReason, Put
from hubwarden.model.report import Report
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import Everything, OneEndpoint
from hubwarden.runtime import Runtime
from tests.azure import BLOB_ZONE, HUB, SPOKE, Azure, resource_id
from tests.rights import grant

TENANT = "00000000-0000-0000-0000-00000000aaaa"
IDENTITY = "hubwarden-identity"
"""The client id of Hubwarden's own identity, so that its requests are told from everybody else's."""


@dataclass(slots=True)
class SteeredTime:
    """A clock that only a test moves; sleeping moves it."""

    seconds: float = 1_800_000_000.0

    def now(self) -> float:
        """Seconds since 1970."""
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        """Passes the time at once."""
        self.seconds += seconds
        await asyncio.sleep(0)


@dataclass(slots=True)
class Estate:
    """A hub and a spoke, and Hubwarden in this process over them."""

    azure: Azure
    hubwarden: Runtime
    time: SteeredTime
    connection_string: str
    """Of the storage account that the test has for itself."""
    roles: bool = True
    """Whether Hubwarden has the rights that infra gives it, and no others."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.hubwarden.close()

    async def look(self, endpoint: str, *, thorough: bool = False, applies: bool = True) -> Report:
        """One run over an endpoint, as an event (or, thorough, a person) causes it."""
        return await self.hubwarden.run(OneEndpoint(ResourceId.parse(endpoint), thorough), applies=applies)

    async def sweep(self, *, applies: bool = True, plan: str = "") -> Report:
        """One run over everything, as the timer causes it."""
        return await self.hubwarden.run(Everything(), applies=applies, plan=plan)

    async def delete_endpoint(self, endpoint: str) -> None:
        """Its owner deletes it; the simulator finishes."""
        assert (await self.azure.arm("DELETE", endpoint)).status in (200, 202)
        await self.azure.settle()

    async def record(self, name: str = "st1", zone: str = BLOB_ZONE, kind: str = "A") -> dict[str, Any] | None:
        """What stands in the zone now, as ARM shows it."""
        answer = await self.azure.arm("GET", f"{record_id(name, zone)}".replace("/A/", f"/{kind}/"))
        return answer.body if answer.status == 200 else None

    async def addresses(self, name: str = "st1", zone: str = BLOB_ZONE) -> list[str] | None:
        """The addresses of an A record, or None for no record."""
        record = await self.record(name, zone)
        return [item["ipv4Address"] for item in record["properties"]["aRecords"]] if record else None

    async def write_by_hand(
        self, name: str = "st1", zone: str = BLOB_ZONE, addresses: Iterable[str] = ("10.9.9.9",), **metadata: str
    ) -> None:
        """Somebody else writes a record, with or without metadata."""
        body = {
            "properties": {
                "ttl": 3600,
                "aRecords": [{"ipv4Address": address} for address in addresses],
                "metadata": metadata,
            }
        }
        assert (await self.azure.arm("PUT", record_id(name, zone), body)).status in (200, 201)

    async def delete_by_hand(self, name: str = "st1", zone: str = BLOB_ZONE) -> None:
        """Somebody else deletes a record."""
        assert (await self.azure.arm("DELETE", record_id(name, zone))).status == 200

    async def until(self, condition: Callable[[], Awaitable[object]], within: float = 120.0) -> None:
        """Asks again and again until something is so; each question is a request, so others get their turn."""
        async with asyncio.timeout(within):
            while not await condition():  # noqa: ASYNC110 - what is waited for happens behind https
                await asyncio.sleep(0)

    async def calls(self, service: str = "arm") -> list[str]:
        """Hubwarden's own requests since the log was last emptied: method and the last part of the path."""
        found = await self.azure.requests(service)
        return [f"{each['method']} {each['path']}" for each in found if each["principal"] == IDENTITY]

    async def forget_calls(self) -> None:
        """Empties the log of requests."""
        await self.azure.sim("DELETE", "requests")

    async def warm(self) -> None:
        """Reads what a running app remembers: the zones, and the tenants of hub and spoke."""
        await self.hubwarden.rooms.estate.hubs()
        await self.hubwarden.rooms.estate.tenancy(SPOKE)
        await self.forget_calls()


async def found_estate(azure: Azure, storage: str, directory: Path, *, roles: bool = True, **changes: Any) -> Estate:
    """Founds the estate, with settings of a test's own; whoever asks closes its Hubwarden.

    Hubwarden has the rights that infra gives it for these settings, and no others; without `roles`, every right.
    """
    time = SteeredTime()
    settled = config(directory, azure.url, storage, **changes)
    hubwarden = Runtime.build(settled, now=time.now, sleep=time.sleep)
    await azure.spoke()
    await azure.hub()
    for subscription in (SPOKE, HUB):
        await azure.subscription(subscription, tenant=TENANT)
    if roles:
        for subscription in settled.subscriptions - {SPOKE, HUB}:  # where a role is assigned there is a subscription
            await azure.subscription(subscription, tenant=TENANT)
        await grant(azure, settled, IDENTITY)
    return Estate(azure, hubwarden, time, storage, roles)


def record_id(name: str, zone: str = BLOB_ZONE) -> str:
    """The id of an A record in the hub."""
    return f"{resource_id(HUB, 'rg-dns', 'Microsoft.Network/privateDnsZones', zone)}/A/{name}"


def settings(**changes: Any) -> str:
    """A hubwarden.yaml for the estate of hub and spoke, with some keys changed."""
    document: dict[str, Any] = {
        "instance": "contoso",
        "estate": {"subscriptions": [HUB, SPOKE]},
        "hubs": [{"name": "weu", "zones": [f"/subscriptions/{HUB}/resourceGroups/rg-dns"]}],
    }
    return yaml.safe_dump({**document, **changes})


def config(directory: Path, arm: str, storage: str, **changes: Any) -> Config:
    """The settings as the app reads them from its environment and its file."""
    file = directory / "hubwarden.yaml"
    file.write_text(settings(**changes))
    return load(
        {
            "ARM_ENDPOINT": arm,
            "AzureWebJobsStorage": storage,
            "AZURE_CLIENT_ID": IDENTITY,
            "HUBWARDEN_CONFIG": str(file),
            "IDENTITY_ENDPOINT": os.environ["IDENTITY_ENDPOINT"],
        }
    )


def held(report: Report) -> list[HeldReason]:
    """The reasons in a report, sorted."""
    return sorted(each.reason for each in report.plan.held)


def written(report: Report) -> dict[str, list[str]]:
    """The records that a report's Puts write, with their addresses."""
    return {
        change.key.name: [str(address) for address in change.addresses]
        for change in report.plan.changes
        if isinstance(change, Put)
    }
