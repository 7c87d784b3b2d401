"""Connections of private link services: across subscriptions, and by alias."""

from __future__ import annotations

from typing import Any

import pytest
from azure.mgmt.network.models import PrivateEndpointConnection as ServiceConnection

from simulator.world import Change
from tests.azure import HUB, SPOKE, Azure, endpoint_request, resource_id
from tests.contract.owners import ENDPOINT, connections, decide, state

SERVICE = resource_id(HUB, "rg-svc", "Microsoft.Network/privateLinkServices", "pls1")
ALIAS = "pls1.6b3ee6e7-0000-0000-0000-000000000000.westeurope.azure.privatelinkservice"


async def service(azure: Azure, **properties: Any) -> str:
    """A private link service in another subscription; its id."""
    await azure.subscription(SPOKE)
    await azure.resource_group()
    await azure.subscription(HUB)
    await azure.put(
        {
            "id": SERVICE,
            "name": "pls1",
            "type": "Microsoft.Network/privateLinkServices",
            "location": "westeurope",
            "properties": {
                "provisioningState": "Succeeded",
                "alias": ALIAS,
                "privateEndpointConnections": [],
                **properties,
            },
        }
    )
    return SERVICE


async def test_the_stock_client_approves_on_a_private_link_service(azure: Azure, changes: list[Change]) -> None:
    """Azure, a plain PUT 200, across subscriptions, with linkIdentifier (behaviour reference section 4.2)."""
    await service(azure)
    await azure.endpoint("pe1", SERVICE, groups=[], manual=True)
    services = (await azure.network(HUB)).private_link_services
    changes.clear()

    (waiting,) = [each async for each in services.list_private_endpoint_connections("rg-svc", "pls1")]
    assert waiting.name is not None
    assert waiting.name.startswith("pe1.")
    assert waiting.link_identifier is not None
    assert waiting.link_identifier.isdecimal()
    assert waiting.private_endpoint_location == "westeurope"
    wanted = ServiceConnection({"properties": {"privateLinkServiceConnectionState": {"status": "Approved"}}})
    approved = await services.update_private_endpoint_connection("rg-svc", "pls1", waiting.name, wanted)
    again = await services.update_private_endpoint_connection("rg-svc", "pls1", waiting.name, wanted)

    for each in (approved, again):
        assert each.private_link_service_connection_state is not None
        assert each.private_link_service_connection_state.status == "Approved"
    assert (await state(azure))["status"] == "Approved"
    assert {change.operation for change in changes} == {
        "Microsoft.Network/privateLinkServices/privateEndpointConnections/write"
    }
    got = await services.get_private_endpoint_connection("rg-svc", "pls1", waiting.name)
    assert got.id == waiting.id
    assert [each.name async for each in services.list("rg-svc")] == ["pls1"]
    assert [each.name async for each in services.list_by_subscription()] == ["pls1"]


async def test_deleting_a_services_connection_is_a_long_operation(azure: Azure, changes: list[Change]) -> None:
    """Azure, begin_delete on a service, after which the endpoint is Disconnected (behaviour reference section 4.2)."""
    await service(azure)
    await azure.endpoint("pe1", SERVICE, groups=[])
    (connection,) = await connections(azure, SERVICE)
    services = (await azure.network(HUB)).private_link_services
    changes.clear()

    poller = await services.begin_delete_private_endpoint_connection("rg-svc", "pls1", connection["name"])
    await poller.result()

    assert (await state(azure))["status"] == "Disconnected"
    assert [change.operation for change in changes] == [
        "Microsoft.Network/privateLinkServices/privateEndpointConnections/delete"
    ]
    assert (await azure.arm("DELETE", connection["id"])).status == 204


@pytest.mark.parametrize(("listed", "status"), [([SPOKE], "Approved"), ([], "Pending")])
async def test_a_service_approves_listed_subscriptions(azure: Azure, listed: list[str], status: str) -> None:
    """Azure, autoApproval of a private link service (behaviour reference section 4.1)."""
    await service(azure, autoApproval={"subscriptions": listed})

    await azure.endpoint("pe1", SERVICE, groups=[], manual=True)

    assert (await state(azure))["status"] == status


async def test_a_service_can_be_named_by_its_alias(azure: Azure) -> None:
    """Azure, privateLinkServiceId may be an alias (behaviour reference section 2.5)."""
    await service(azure)

    await azure.endpoint("pe1", ALIAS.upper(), groups=[], manual=True)

    (connection,) = await connections(azure, SERVICE)
    assert await decide(azure, connection, "Approved") == 200
    assert (await state(azure))["status"] == "Approved"
    endpoint = (await azure.arm("GET", ENDPOINT)).body["properties"]["manualPrivateLinkServiceConnections"][0]
    assert endpoint["properties"]["privateLinkServiceId"] == ALIAS.upper()
    assert (await azure.arm("PUT", f"{ENDPOINT}x", endpoint_request("no.such.alias", groups=[]))).status == 400


@pytest.mark.parametrize(("shown", "names"), [(True, ["a.contoso.com"]), (False, [])])
async def test_names_of_a_service(azure: Azure, shown: bool, names: list[str]) -> None:
    """Azure, a service's fqdns at its endpoints are unverified, so a switch (behaviour reference section 2.3)."""
    await service(azure, fqdns=["a.contoso.com"])
    await azure.sim("POST", "settings", {"plsFqdns": shown})

    await azure.endpoint("pe1", SERVICE, groups=[])

    endpoint = (await azure.arm("GET", ENDPOINT, query={"$expand": "networkInterfaces"})).body
    assert [each["fqdn"] for each in endpoint["properties"]["customDnsConfigs"]] == names
    (configuration,) = endpoint["properties"]["networkInterfaces"][0]["properties"]["ipConfigurations"]
    assert configuration["properties"]["privateLinkConnectionProperties"]["fqdns"] == names
    assert configuration["properties"]["privateIPAddress"].startswith("10.")


async def test_a_service_without_names_has_none(azure: Azure) -> None:
    """Azure, an endpoint to a service usually brings no name at all (behaviour reference section 2.3)."""
    await service(azure)

    await azure.endpoint("pe1", SERVICE, groups=[])

    assert (await azure.arm("GET", ENDPOINT)).body["properties"]["customDnsConfigs"] == []
