"""Connections where one side lies out of reach: consumers of other companies, and targets that cannot be read."""

from __future__ import annotations

from typing import Any

import pytest

from tests.azure import HUB, SPOKE, Azure, resource_id
from tests.contract.owners import ENDPOINT, connections, decide, shown, state

STRANGER = "/subscriptions/f/resourceGroups/r/providers/Microsoft.Network/privateEndpoints/p"


def stranger_at(target_id: str) -> dict[str, Any]:
    """A connection that somebody of another company asked for."""
    return {
        "id": f"{target_id}/privateEndpointConnections/stranger",
        "name": "stranger",
        "properties": {
            "privateEndpoint": {"id": STRANGER},
            "privateLinkServiceConnectionState": {"status": "Pending", "description": "we are your partner"},
        },
    }


async def indexed(azure: Azure, target_id: str) -> list[dict[str, Any]]:
    """The connections of a target, as Resource Graph has them."""
    query = f"resources | where id =~ '{target_id}' | project id, connections = properties.privateEndpointConnections"
    answer = await azure.arm("POST", "/providers/Microsoft.ResourceGraph/resources", {"query": query})
    found: list[dict[str, Any]] = answer.body["data"][0]["connections"]
    return found


async def test_a_connection_whose_endpoint_lies_elsewhere(azure: Azure, account: str) -> None:
    """Azure, a consumer in another tenant cannot be resolved by us (behaviour reference section 4.2)."""
    connection = {
        "id": f"{account}/privateEndpointConnections/foreign",
        "name": "foreign",
        "properties": {
            "privateEndpoint": {
                "id": "/subscriptions/f/resourceGroups/r/providers/Microsoft.Network/privateEndpoints/p"
            },
            "privateLinkServiceConnectionState": {"status": "Pending", "actionRequired": "None"},
        },
    }
    await azure.put(connection)

    assert await decide(azure, connection, "Approved") == 200
    (after,) = await connections(azure, account)
    assert after["properties"]["privateLinkServiceConnectionState"]["status"] == "Approved"


async def test_an_endpoint_and_a_target_of_which_little_is_known(azure: Azure, account: str) -> None:
    """Azure, the target may lie in a tenant we cannot read (behaviour reference section 2.5)."""
    target_id = resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "unread")
    await azure.target(target_id, [{"groupId": "blob", "memberName": "blob", "fqdns": ["x.example"]}])
    await azure.endpoint("pe1", target_id, manual=True)
    endpoint = (await azure.arm("GET", ENDPOINT)).body
    await azure.sim("DELETE", "resources", id=endpoint["properties"]["networkInterfaces"][0]["id"])
    (connection,) = await connections(azure, target_id)

    assert await decide(azure, connection, "Approved") == 200
    assert (await state(azure))["status"] == "Approved"
    assert (await azure.arm("DELETE", connection["id"])).status == 200
    assert (await state(azure))["status"] == "Disconnected"


async def test_a_connection_of_another_target_does_not_move_the_endpoint(azure: Azure, account: str) -> None:
    """Azure, an endpoint follows its own target only (behaviour reference section 2.2)."""
    other = await azure.storage_account("st2")
    await azure.endpoint("pe1", account, manual=True)
    connection = {
        "id": f"{other}/privateEndpointConnections/stray",
        "properties": {
            "privateEndpoint": {"id": ENDPOINT},
            "privateLinkServiceConnectionState": {"status": "Pending"},
        },
    }
    await azure.put(connection)

    await decide(azure, connection, "Approved")

    assert (await state(azure))["status"] == "Pending"


async def test_documents_from_outside_follow_the_owners_answer(azure: Azure, account: str) -> None:
    """Azure, what an interface shows is kept where the target is unknown (behaviour reference section 2.3)."""
    target_id = resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "untold")
    await azure.put({"id": target_id, "name": "untold"})
    interface_id = resource_id(SPOKE, "rg-spoke", "Microsoft.Network/networkInterfaces", "nic")
    held = {
        "privateIPAddress": "10.1.0.9",
        "privateLinkConnectionProperties": {
            "groupId": "blob",
            "requiredMemberName": "blob",
            "fqdns": ["untold.example"],
        },
    }
    pending = {"status": "Pending", "description": ""}
    asked = {"privateLinkServiceId": target_id, "groupIds": ["blob"], "privateLinkServiceConnectionState": pending}
    await azure.put(
        {"id": interface_id, "properties": {"ipConfigurations": [{"name": "c", "properties": held}]}},
        {
            "id": ENDPOINT,
            "name": "pe1",
            "properties": {
                "manualPrivateLinkServiceConnections": [{"properties": asked}],
                "networkInterfaces": [{"id": interface_id}],
                "customDnsConfigs": [],
            },
        },
    )
    connection = {
        "id": f"{target_id}/privateEndpointConnections/c",
        "properties": {"privateEndpoint": {"id": ENDPOINT}, "privateLinkServiceConnectionState": pending},
    }
    await azure.put(connection)

    await decide(azure, connection, "Approved")

    endpoint = (await azure.arm("GET", ENDPOINT)).body
    assert endpoint["properties"]["customDnsConfigs"] == [{"fqdn": "untold.example", "ipAddresses": ["10.1.0.9"]}]
    interface = (await azure.arm("GET", interface_id)).body
    link = interface["properties"]["ipConfigurations"][0]["properties"]["privateLinkConnectionProperties"]
    assert link["fqdns"] == ["untold.example"]


async def test_a_strangers_connection_shows_at_the_target(azure: Azure, account: str) -> None:
    """Azure, consumers of other companies show in list, resource and index alike (behaviour reference section 4.3)."""
    await azure.endpoint("pe1", account, manual=True)
    stranger = stranger_at(account)
    await azure.put(stranger)

    assert stranger in await connections(azure, account)
    assert stranger in await shown(azure, account)
    assert stranger in await indexed(azure, account)
    assert len(await shown(azure, account)) == 2
    assert await decide(azure, stranger, "Rejected") == 200
    for found in (await shown(azure, account), await indexed(azure, account)):
        (after,) = [each for each in found if each["name"] == "stranger"]
        assert after["properties"]["privateLinkServiceConnectionState"]["status"] == "Rejected"
    await azure.sim("DELETE", "resources", id=stranger["id"])
    (left,) = await shown(azure, account)
    assert left["properties"]["privateEndpoint"] == {"id": ENDPOINT}


async def test_a_strangers_connection_may_come_before_its_target(azure: Azure, account: str) -> None:
    """Documents are put in in any order (behaviour reference section 4.3)."""
    vault_id = resource_id(SPOKE, "rg-spoke", "Microsoft.KeyVault/vaults", "kv1")
    stranger = stranger_at(vault_id)

    await azure.put(stranger, {"id": vault_id, "name": "kv1"})
    assert await shown(azure, vault_id) == [stranger]
    await azure.put({"id": vault_id, "name": "kv1", "properties": {"sku": "standard"}})

    assert await shown(azure, vault_id) == [stranger]
    assert await decide(azure, stranger, "Approved") == 200


async def test_a_connection_beneath_a_target_nobody_put_in(azure: Azure, account: str) -> None:
    """A type nobody told of answers as most do once there is a connection (behaviour reference section 4.3)."""
    target_id = resource_id(SPOKE, "rg-spoke", "Contoso.Unheard/of", "x")
    stranger = stranger_at(target_id)
    await azure.put(stranger)

    assert await connections(azure, target_id) == [stranger]
    assert await decide(azure, stranger, "Approved") == 202
    assert (await azure.arm("GET", stranger["id"])).body["properties"]["privateEndpoint"] == {"id": STRANGER}
    assert (await azure.arm("DELETE", stranger["id"])).status == 202
    await azure.settle()
    assert (await azure.arm("GET", f"{target_id}/privateEndpointConnections")).status == 501


@pytest.mark.parametrize("told", [True, False])
async def test_an_endpoint_to_a_target_that_cannot_be_read_waits(azure: Azure, account: str, told: bool) -> None:
    """Azure, the target may lie in a tenant we cannot read: Pending, no names (behaviour reference section 2.5)."""
    if told:
        await azure.subscription(HUB, tenant="22222222-2222-2222-2222-222222222222", readable=False)
    theirs = resource_id(HUB, "rg-theirs", "Microsoft.Sql/servers", "sql1")

    await azure.endpoint("pe1", theirs, groups=["sqlServer"], manual=True)

    endpoint = (await azure.arm("GET", ENDPOINT, query={"$expand": "networkInterfaces"})).body["properties"]
    assert (endpoint["provisioningState"], endpoint["customDnsConfigs"]) == ("Succeeded", [])
    (configuration,) = endpoint["networkInterfaces"][0]["properties"]["ipConfigurations"]
    assert configuration["properties"]["privateIPAddress"] == "10.1.0.4"
    assert configuration["properties"]["privateLinkConnectionProperties"]["fqdns"] == []
    assert (await state(azure))["status"] == "Pending"
    assert (await azure.arm("GET", f"{theirs}/privateEndpointConnections")).status == (401 if told else 404)
    await azure.arm("DELETE", ENDPOINT)
    await azure.settle()
    assert (await azure.arm("GET", ENDPOINT)).status == 404


async def test_its_owner_answers_all_the_same(azure: Azure, account: str) -> None:
    """Azure, approval across tenants reaches the consumer's endpoint (behaviour reference sections 2.5, 4.1)."""
    await azure.subscription(HUB, readable=False)
    theirs = resource_id(HUB, "rg-theirs", "Microsoft.Sql/servers", "sql1")
    await azure.endpoint("pe1", theirs, groups=["sqlServer"], manual=True)
    await azure.subscription(HUB, readable=True)
    (waiting,) = await connections(azure, theirs)

    assert await decide(azure, waiting, "Approved") == 202

    assert (await state(azure))["status"] == "Approved"


@pytest.mark.parametrize("shown", [True, False])
async def test_whether_the_index_shows_connections(azure: Azure, account: str, shown: bool) -> None:
    """Azure, nobody states of which types; unverified, so a switch (behaviour reference section 5.4)."""
    await azure.sim("POST", "settings", {"graphConnections": shown})
    await azure.endpoint("pe1", account, manual=True)
    untold = resource_id(SPOKE, "rg-spoke", "Microsoft.Maps/accounts", "untold")
    await azure.put({"id": untold, "name": "untold"})

    (row,) = [await indexed(azure, account)]

    assert (row is not None) is shown
    assert await indexed(azure, untold) is None
    assert len(await connections(azure, account)) == 1
