"""The simulator answers as the examples in Microsoft's specifications do: same status, keys and kinds of values."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from azure.mgmt.network.models import PrivateEndpointConnection

from tests.azure import HUB, Azure, resource_id
from tests.contract.owners import ENDPOINT, decide

RECORDED = Path(__file__).parent / "recorded"
STATE = "privateLinkServiceConnectionState"


def documented(name: str) -> Any:
    """An example."""
    return json.loads((RECORDED / name).read_text())


def pending(connection: dict[str, Any]) -> dict[str, Any]:
    """The same connection before it was answered."""
    before = copy.deepcopy(connection)
    before["properties"][STATE].update(status="Pending", description="")
    return before


def lacking(example: Any, shown: Any, path: str = "") -> list[str]:
    """What an example has and the simulator does not show, or shows as another kind of value."""
    if type(example) is not type(shown):
        return [path]
    if isinstance(example, dict):
        found = [lacking(value, shown.get(key), f"{path}/{key}") for key, value in example.items()]
        return [each for some in found for each in some]
    if isinstance(example, list) and example:
        return lacking(example[0], shown[0], f"{path}/0") if shown else [path]
    return []


@pytest.mark.parametrize("long", [True, False])
async def test_approving_at_a_key_vault(azure: Azure, long: bool) -> None:
    """Azure, 200; headers tell where to look while it is not over (behaviour reference section 4.3)."""
    example = documented("key-vault-approval.json")
    connection = example["response"]
    await azure.subscription(connection["id"].split("/")[2])
    await azure.sim("POST", "settings", {"longConnections": long})
    await azure.put({"id": connection["id"].rsplit("/", 2)[0]}, pending(connection))

    told = await azure.arm("PUT", connection["id"], example["request"], version="2023-07-01")
    await azure.settle()

    assert told.status == 200
    assert ({"Retry-After", "Azure-AsyncOperation"} <= set(told.headers)) is long
    shown = told.body if not long else (await azure.arm("GET", connection["id"], version="2023-07-01")).body
    assert {**shown, "etag": connection["etag"]} == connection
    assert lacking(connection, told.body) == []


async def test_approving_at_a_private_link_service(azure: Azure) -> None:
    """Azure, a plain 200 with the connection as it is now (behaviour reference section 4.2)."""
    example = documented("service-approval.json")
    connection = example["response"]
    await azure.subscription("subId")
    await azure.put({"id": connection["id"].rsplit("/", 2)[0]}, pending(connection))
    services = (await azure.network("subId")).private_link_services

    wanted = PrivateEndpointConnection(example["request"])
    told = await services.update_private_endpoint_connection("rg1", "testPls", "testPlePeConnection", wanted)

    assert told.as_dict() == connection


async def test_a_private_link_service(azure: Azure, account: str) -> None:
    """Azure, alias, lists and connections of a service (behaviour reference section 4.1)."""
    example = documented("service.json")
    await azure.subscription(HUB)
    await azure.resource_group("rg1", HUB)
    service_id = resource_id(HUB, "rg1", "Microsoft.Network/privateLinkServices", "testPls")
    properties = {key: value for key, value in example["properties"].items() if key != "alias"}
    await azure.arm("PUT", service_id, {"location": "eastus", "properties": properties})
    await azure.endpoint("pe1", service_id, groups=[], manual=True)
    services = (await azure.network(HUB)).private_link_services
    (waiting,) = [each async for each in services.list_private_endpoint_connections("rg1", "testPls")]
    await decide(azure, waiting.as_dict(), "Approved", "approved it for some reason.")

    shown = (await azure.arm("GET", service_id, version="2025-05-01")).body

    assert lacking(example, shown) == []
    assert (await services.get("rg1", "testPls")).as_dict()["properties"]["fqdns"] == example["properties"]["fqdns"]


async def test_a_zone_group(azure: Azure, account: str) -> None:
    """Azure, a group's zones with the records in each (behaviour reference section 2.4)."""
    example = documented("zone-group.json")
    zone_id = await azure.hub()
    await azure.endpoint("pe1", account)
    config = {"name": "blob", "properties": {"privateDnsZoneId": zone_id}}
    path = f"{ENDPOINT}/privateDnsZoneGroups/testPdnsgroup"
    await azure.arm("PUT", path, {"properties": {"privateDnsZoneConfigs": [config]}}, version="2025-05-01")
    await azure.settle()

    shown = await azure.arm("GET", path, version="2025-05-01")

    assert shown.status == 200
    assert lacking(example, shown.body) == []
