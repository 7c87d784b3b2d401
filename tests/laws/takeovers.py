"""What the tests of takeovers do: zone groups as Azure Policy leaves them behind, and a person who takes them over."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hubwarden.config.loading import load
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.takeover import ObstacleReason, TakeoverPlan, TakeoverReport
from hubwarden.runtime import Runtime
from tests.azure import BLOB_ZONE, HUB, SPOKE, resource_id
from tests.estate import Estate, SteeredTime
from tests.rights import at_a_shell, to_take_over

OPERATOR = "operator"
"""The client id of the person at the shell, whose rights are others than the app's."""

GROUP = f"/subscriptions/{SPOKE}/resourceGroups/rg-spoke"
CORP = "/providers/Microsoft.Management/managementGroups/corp"
COSMOS_ZONE = "privatelink.documents.azure.com"
AUTHORIZATION = "providers/Microsoft.Authorization"


@dataclass(slots=True)
class Moments:
    """What happens while the person's process waits between two looks: one thing at each wait, in this order.

    Long operations are held meanwhile, so that nothing ends unless it is meant to.
    """

    time: SteeredTime
    happening: list[Callable[[], Awaitable[object]]] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        """Passes the time at once."""
        await self.time.sleep(seconds)
        if self.happening:
            await self.happening.pop(0)()


@dataclass(slots=True)
class Takeovers:
    """An estate, and a person at its shell."""

    estate: Estate
    person: Runtime
    moments: Moments

    async def plan(self, *endpoints: str) -> TakeoverPlan:
        """What the person is shown."""
        return (await self.person.plan_takeovers([ResourceId.parse(each) for each in endpoints])).plan

    async def take_over(self, *endpoints: str, plan: str = "") -> TakeoverReport:
        """The person is shown a plan, and has it done; the zone groups go at the next wait that has nothing else."""
        await self.estate.azure.hold_operations()
        self.moments.happening = self.moments.happening or [self.estate.azure.end_operations] * 50
        named = [ResourceId.parse(each) for each in endpoints]
        return await self.person.take_over(named, plan or (await self.plan(*endpoints)).hash)

    async def why_not(self, *endpoints: str) -> list[tuple[ObstacleReason, str]]:
        """What stands in the way; and what is refused so is not done, either."""
        planned = await self.plan(*endpoints)
        assert not planned.ready
        assert (await self.take_over(*endpoints, plan=planned.hash)).done == ()
        return [(each.reason, each.detail) for takeover in planned.takeovers for each in takeover.obstacles]

    async def grouped(self, name: str = "pe1", account: str = "st1", *, zones: Iterable[str] = ()) -> str:
        """An endpoint to a storage account with a zone group, by default for the hub's zone of blobs; its id."""
        azure = self.estate.azure
        target = await azure.storage_account(account)
        endpoint = await azure.endpoint(name, target)
        await self.attach(endpoint, *(zones or (zone_id(),)))
        return endpoint

    async def cosmos(self, name: str = "pe-cosmos") -> str:
        """An endpoint with two names in one zone of the hub, and a zone group for them; its id."""
        azure = self.estate.azure
        zone = await azure.zone(COSMOS_ZONE)
        account = resource_id(SPOKE, "rg-spoke", "Microsoft.DocumentDB/databaseAccounts", "cosmos")
        await azure.put({"id": account, "name": "cosmos", "type": "Microsoft.DocumentDB/databaseAccounts"})
        names = ("cosmos", "cosmos-westeurope")
        members = [
            {"groupId": "Sql", "memberName": each, "fqdns": [f"{each}.documents.azure.com"], "zone": COSMOS_ZONE}
            for each in names
        ]
        endpoint = await azure.endpoint(name, await azure.target(account, members), groups=["Sql"])
        await self.attach(endpoint, zone)
        return endpoint

    async def attach(self, endpoint: str, *zones: str) -> None:
        """Somebody attaches a zone group."""
        configs = [{"name": ResourceId.parse(each).name, "properties": {"privateDnsZoneId": each}} for each in zones]
        body = {"properties": {"privateDnsZoneConfigs": configs}}
        answer = await self.estate.azure.arm("PUT", group_id(endpoint), body)
        assert answer.status in (200, 201), answer.body
        await self.estate.azure.settle()

    async def has_group(self, endpoint: str) -> bool:
        """Whether the endpoint has its zone group still."""
        return (await self.estate.azure.arm("GET", group_id(endpoint))).status == 200

    async def fault(self, **what: Any) -> None:
        """Something of Azure will fail."""
        await self.estate.azure.sim("POST", "faults", {"service": "arm", "times": 1000, **what})

    async def writes(self) -> list[str]:
        """What the person's process changed: method and path."""
        found = await self.estate.azure.requests()
        return [
            f"{each['method']} {each['path']}"
            for each in found
            if each["principal"] == OPERATOR and each["method"] != "GET"
        ]

    async def record(self, name: str = "st1", zone: str = BLOB_ZONE) -> dict[str, Any]:
        """The properties of a record that must be there."""
        found = await self.estate.record(name, zone)
        assert found is not None
        properties: dict[str, Any] = found["properties"]
        return properties


async def may_take_over(estate: Estate) -> None:
    """The person at the shell has the rights that docs/takeover.md names, and no others."""
    scopes = [f"/subscriptions/{HUB}", f"/subscriptions/{SPOKE}"]
    zones = f"/subscriptions/{HUB}/resourceGroups/rg-dns"
    await estate.azure.put(*at_a_shell(OPERATOR, scopes, zones), *to_take_over(OPERATOR, GROUP))


def person_at(
    estate: Estate, directory: Path, moments: Moments, *, storage: str = "", identity: str = OPERATOR
) -> Runtime:
    """Hubwarden at the shell of somebody who has rights of their own."""
    settings = load(
        {
            "ARM_ENDPOINT": estate.azure.url,
            "AzureWebJobsStorage": storage or estate.connection_string,
            "AZURE_CLIENT_ID": identity,
            "HUBWARDEN_CONFIG": str(directory / "hubwarden.yaml"),
            "IDENTITY_ENDPOINT": os.environ["IDENTITY_ENDPOINT"],
        }
    )
    return Runtime.build(settings, now=estate.time.now, sleep=moments.sleep)


def zone_id(name: str = BLOB_ZONE, group: str = "rg-dns") -> str:
    """The id of a zone in the hub's subscription."""
    return resource_id(HUB, group, "Microsoft.Network/privateDnsZones", name)


def group_id(endpoint: str) -> str:
    """The id of the zone group that the tests give an endpoint."""
    return f"{endpoint}/privateDnsZoneGroups/default"


def policy(effect: str = "[parameters('effect')]", default: str = "DeployIfNotExists") -> dict[str, Any]:
    """A definition like those that landing zones have for each service, as its document."""
    return {
        "id": f"{CORP}/{AUTHORIZATION}/policyDefinitions/dns-blob",
        "name": "dns-blob",
        "properties": {
            "mode": "Indexed",
            "parameters": {"effect": {"type": "String", "defaultValue": default}},
            "policyRule": {
                "if": {"field": "type", "equals": "Microsoft.Network/privateEndpoints"},
                "then": {
                    "effect": effect,
                    "details": {"type": "Microsoft.Network/privateEndpoints/privateDnsZoneGroups"},
                },
            },
        },
    }


def assignment(definition: str, scope: str = CORP, **properties: Any) -> dict[str, Any]:
    """An assignment of a definition or of a set, as its document."""
    return {
        "id": f"{scope}/{AUTHORIZATION}/policyAssignments/dns",
        "name": "dns",
        "properties": {"policyDefinitionId": definition, "enforcementMode": "Default", **properties},
    }
