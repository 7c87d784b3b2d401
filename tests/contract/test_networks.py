"""Virtual networks and load balancers, made through ARM for private endpoints and services to lie in."""

from __future__ import annotations

import pytest

from simulator.world import Change
from tests.azure import SPOKE, Azure, resource_id


@pytest.mark.parametrize("resource_type", ["virtualNetworks", "loadBalancers"])
async def test_made_changed_and_deleted(azure: Azure, changes: list[Change], resource_type: str) -> None:
    """Azure, 201, then 200, and 204 for what is gone (behaviour reference sections 2.5 and 6.4)."""
    await azure.subscription()
    await azure.resource_group()
    path = resource_id(SPOKE, "rg-spoke", f"Microsoft.Network/{resource_type}", "one")

    made = await azure.arm("PUT", path, {"location": "westeurope", "properties": {"subnets": [{"name": "a"}]}})
    again = await azure.arm("PUT", path.upper().replace("/SUBSCRIPTIONS", "/subscriptions"), {"tags": {"a": "b"}})

    assert (made.status, made.body["id"], made.body["properties"]["provisioningState"]) == (201, path, "Succeeded")
    assert (again.status, again.body["id"], again.body["tags"]) == (200, path, {"a": "b"})
    assert "subnets" not in (await azure.arm("GET", path)).body["properties"]
    assert [(await azure.arm("DELETE", path)).status for _ in range(2)] == [200, 204]
    assert [change.operation for change in changes] == [
        *[f"Microsoft.Network/{resource_type}/write"] * 2,
        f"Microsoft.Network/{resource_type}/delete",
    ]


async def test_endpoints_lie_in_a_network_that_was_made_so(azure: Azure, account: str) -> None:
    """Azure, an endpoint's address is of its subnet (behaviour reference section 2.5)."""
    network = resource_id(SPOKE, "rg-spoke", "Microsoft.Network/virtualNetworks", "made")
    subnet = {"name": "snet", "properties": {"addressPrefix": "10.77.0.0/24"}}
    await azure.arm("PUT", network, {"location": "westeurope", "properties": {"subnets": [subnet]}})

    endpoint = await azure.endpoint("pe1", account, network="made")

    shown = (await azure.arm("GET", endpoint)).body["properties"]["customDnsConfigs"]
    assert shown == [{"fqdn": "st1.blob.core.windows.net", "ipAddresses": ["10.77.0.4"]}]
