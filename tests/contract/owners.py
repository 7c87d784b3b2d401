"""What contract tests do on both sides of a connection: have an endpoint ask, look at what waits, and answer it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.azure import SPOKE, Answer, Azure, resource_id

ENDPOINT = resource_id(SPOKE, "rg-spoke", "Microsoft.Network/privateEndpoints", "pe1")


async def target(azure: Azure, resource_type: str, name: str = "t1", group: str = "g1") -> str:
    """A resource of that type, in a spoke, that endpoints can point at; its id."""
    await azure.spoke()
    target_id = resource_id(SPOKE, "rg-spoke", resource_type, name)
    await azure.put({"id": target_id, "name": name, "type": resource_type, "location": "westeurope", "properties": {}})
    return await azure.target(
        target_id,
        [{"groupId": group, "memberName": group, "fqdns": [f"{name}.example"], "zone": "privatelink.example"}],
    )


async def asked(azure: Azure, resource_type: str, group: str = "g1", message: str = "let me in") -> dict[str, Any]:
    """The connection that waits at such a resource after an endpoint asked for it."""
    target_id = await target(azure, resource_type, group=group)
    await azure.endpoint("pe1", target_id, groups=[group], manual=True, message=message)
    (waiting,) = await shown(azure, target_id)
    return waiting


async def connections(azure: Azure, target_id: str) -> list[dict[str, Any]]:
    """The connections of a target, as the list shows them."""
    found: list[dict[str, Any]] = (await azure.arm("GET", f"{target_id}/privateEndpointConnections")).body["value"]
    return found


async def shown(azure: Azure, target_id: str) -> list[dict[str, Any]]:
    """The connections of a target, as the target itself shows them."""
    found: list[dict[str, Any]] = (await azure.arm("GET", target_id)).body["properties"]["privateEndpointConnections"]
    return found


async def answer(
    azure: Azure,
    connection: Mapping[str, Any],
    status: str | None,
    description: str | None = "because",
    *,
    method: str = "PUT",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Sends a connection back with another state, as azure-cli does."""
    state = {"status": status, "description": description}
    properties = {**connection["properties"], "privateLinkServiceConnectionState": state}
    return await azure.arm(method, connection["id"], {**connection, "properties": properties}, headers=headers)


async def decide(azure: Azure, connection: Mapping[str, Any], status: str, description: str = "because") -> int:
    """The status of the answer, after which all is over."""
    told = (await answer(azure, connection, status, description)).status
    await azure.settle()
    return told


async def read(azure: Azure, connection: Mapping[str, Any]) -> tuple[str, str]:
    """What a connection shows now: its status, and its provisioningState."""
    properties = (await azure.arm("GET", connection["id"])).body["properties"]
    return properties["privateLinkServiceConnectionState"]["status"], properties["provisioningState"]


async def state(azure: Azure, endpoint_id: str = ENDPOINT) -> dict[str, Any]:
    """The state of an endpoint's own connection."""
    properties = (await azure.arm("GET", endpoint_id)).body["properties"]
    lists = properties["privateLinkServiceConnections"] + properties["manualPrivateLinkServiceConnections"]
    found: dict[str, Any] = lists[0]["properties"]["privateLinkServiceConnectionState"]
    return found
