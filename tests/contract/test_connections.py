"""The target's side: who waits, approval, rejection and removal, and what the consumer's endpoint shows of it."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.network.models import PrivateEndpointConnection as ServiceConnection
from azure.mgmt.storage.models import PrivateEndpointConnection

from simulator.world import Change
from tests.azure import HUB, SPOKE, Azure, endpoint_request, resource_id

ENDPOINT = resource_id(SPOKE, "rg-spoke", "Microsoft.Network/privateEndpoints", "pe1")
SERVICE = resource_id(HUB, "rg-svc", "Microsoft.Network/privateLinkServices", "pls1")
ALIAS = "pls1.6b3ee6e7-0000-0000-0000-000000000000.westeurope.azure.privatelinkservice"
NAME = "st1.blob.core.windows.net"


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


async def state(azure: Azure, endpoint_id: str = ENDPOINT) -> dict[str, Any]:
    """The state of an endpoint's connection."""
    properties = (await azure.arm("GET", endpoint_id)).body["properties"]
    lists = properties["privateLinkServiceConnections"] + properties["manualPrivateLinkServiceConnections"]
    found: dict[str, Any] = lists[0]["properties"]["privateLinkServiceConnectionState"]
    return found


async def connections(azure: Azure, target_id: str) -> list[dict[str, Any]]:
    """The connections of a target."""
    found: list[dict[str, Any]] = (await azure.arm("GET", f"{target_id}/privateEndpointConnections")).body["value"]
    return found


async def decide(azure: Azure, connection: dict[str, Any], status: str, description: str = "because") -> int:
    """Answers a connection as its owner; the status of the answer."""
    body = {"properties": {"privateLinkServiceConnectionState": {"status": status, "description": description}}}
    return (await azure.arm("PUT", connection["id"], body)).status


async def test_an_automatic_connection_is_approved_at_once(azure: Azure, account: str) -> None:
    """Azure, Auto-Approved for a caller with the right to it (behaviour reference section 2.2)."""
    await azure.endpoint("pe1", account)

    assert await state(azure) == {"status": "Approved", "description": "Auto-Approved", "actionsRequired": "None"}
    (connection,) = await connections(azure, account)
    assert connection["properties"]["privateLinkServiceConnectionState"]["status"] == "Approved"


@pytest.mark.parametrize(("listed", "status"), [([SPOKE.upper()], "Approved"), (["*"], "Approved"), ([HUB], "Pending")])
async def test_a_manual_connection_waits_unless_the_target_knows_the_subscription(
    azure: Azure, account: str, listed: list[str], status: str
) -> None:
    """Azure, manual requests may be auto-approved by subscription (behaviour reference sections 2.2, 4.1)."""
    await azure.storage_account(auto_approve=listed)

    await azure.endpoint("pe1", account, manual=True)

    assert (await state(azure))["status"] == status


async def test_the_stock_client_approves_on_a_storage_account(
    azure: Azure, account: str, changes: list[Change]
) -> None:
    """Azure, a synchronous 200; a write of the target's child only (behaviour reference section 1.2)."""
    await azure.endpoint("pe1", account, manual=True, message="let me in")
    client = await azure.storage()
    changes.clear()

    (waiting,) = [each async for each in client.private_endpoint_connections.list("rg-spoke", "st1")]
    assert waiting.name is not None
    assert waiting.private_endpoint is not None
    assert waiting.private_endpoint.id == ENDPOINT
    state_then = waiting.private_link_service_connection_state
    assert state_then is not None
    assert (state_then.status, state_then.description, state_then.action_required) == ("Pending", "let me in", "None")
    state_then.status, state_then.description = "Approved", "by policy"
    approved = await client.private_endpoint_connections.put("rg-spoke", "st1", waiting.name, waiting)

    assert approved.provisioning_state == "Succeeded"
    assert approved.private_link_service_connection_state is not None
    assert approved.private_link_service_connection_state.status == "Approved"
    read = await client.private_endpoint_connections.get("rg-spoke", "st1", waiting.name)
    assert read.private_link_service_connection_state is not None
    assert read.private_link_service_connection_state.description == "by policy"
    assert await state(azure) == {"status": "Approved", "description": "by policy", "actionsRequired": "None"}
    assert [(change.operation, change.resource_id) for change in changes] == [
        ("Microsoft.Storage/storageAccounts/privateEndpointConnections/write", waiting.id)
    ]


async def test_names_come_with_the_approval(azure: Azure, account: str) -> None:
    """Azure, an endpoint shows its names after approval and a fresh GET (behaviour reference section 2.2)."""
    await azure.endpoint("pe1", account, manual=True)
    before = (await azure.arm("GET", ENDPOINT)).body
    (connection,) = await connections(azure, account)

    await decide(azure, connection, "Approved")

    after = (await azure.arm("GET", ENDPOINT, query={"$expand": "networkInterfaces"})).body
    assert before["properties"]["customDnsConfigs"] == []
    assert [each["fqdn"] for each in after["properties"]["customDnsConfigs"]] == [NAME]
    (configuration,) = after["properties"]["networkInterfaces"][0]["properties"]["ipConfigurations"]
    assert configuration["properties"]["privateLinkConnectionProperties"]["fqdns"] == [NAME]
    assert after["etag"] != before["etag"]
    await decide(azure, connection, "Rejected")
    assert (await azure.arm("GET", ENDPOINT)).body["properties"]["customDnsConfigs"] == []


async def test_the_interface_may_lag_behind_the_approval(azure: Azure, account: str) -> None:
    """Azure, Approved and no names on the interface yet (behaviour reference section 2.6)."""
    await azure.sim("POST", "settings", {"nicLagMs": 60_000})
    await azure.endpoint("pe1", account, manual=True)
    (connection,) = await connections(azure, account)
    await decide(azure, connection, "Approved")

    async def shown() -> list[str]:
        endpoint = (await azure.arm("GET", ENDPOINT, query={"$expand": "networkInterfaces"})).body
        (configuration,) = endpoint["properties"]["networkInterfaces"][0]["properties"]["ipConfigurations"]
        found: list[str] = configuration["properties"]["privateLinkConnectionProperties"]["fqdns"]
        return found

    assert await shown() == []
    await azure.advance(61)
    assert await shown() == [NAME]


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [
        ("Approved", "Approved", 400),
        ("Rejected", "Approved", 400),
        ("Approved", "Rejected", 200),
        ("Rejected", "Rejected", 200),
    ],
)
async def test_a_storage_account_refuses_to_approve_twice(
    azure: Azure, account: str, before: str, after: str, status: int
) -> None:
    """Azure, storage answers 400 to Approved and Rejected becoming Approved (behaviour reference section 4.3)."""
    await azure.endpoint("pe1", account, manual=True)
    (connection,) = await connections(azure, account)
    assert await decide(azure, connection, before) == 200

    assert await decide(azure, connection, after) == status

    assert (await state(azure))["status"] == (after if status == 200 else before)


async def test_the_stock_client_sees_the_refusal(azure: Azure, account: str) -> None:
    """Azure, a rejected connection cannot be approved any more (behaviour reference section 4.3)."""
    await azure.endpoint("pe1", account, manual=True)
    (connection,) = await connections(azure, account)
    await decide(azure, connection, "Rejected")
    wanted = PrivateEndpointConnection(
        {"properties": {"privateLinkServiceConnectionState": {"status": "Approved", "description": "x"}}}
    )

    with pytest.raises(HttpResponseError) as raised:
        await (await azure.storage()).private_endpoint_connections.put("rg-spoke", "st1", connection["name"], wanted)

    assert raised.value.status_code == 400


@pytest.mark.parametrize("status", ["Pending", "approve", None])
async def test_only_two_answers_are_known(azure: Azure, account: str, status: str | None) -> None:
    """Azure, an owner approves or rejects (behaviour reference section 4.3)."""
    await azure.endpoint("pe1", account, manual=True)
    (connection,) = await connections(azure, account)

    body = {"properties": {"privateLinkServiceConnectionState": {"status": status}}}
    assert (await azure.arm("PUT", connection["id"], body)).status == 400


async def test_the_target_shows_its_connections_too(azure: Azure, account: str) -> None:
    """Azure, the target's own document holds its connections (behaviour reference section 4.3)."""
    await azure.endpoint("pe1", account, manual=True)
    await azure.endpoint("pe2", account, manual=True)
    first, second = await connections(azure, account)
    await decide(azure, first, "Approved")

    shown = (await azure.arm("GET", account)).body["properties"]["privateEndpointConnections"]

    assert {each["id"]: each["properties"]["privateLinkServiceConnectionState"]["status"] for each in shown} == {
        first["id"]: "Approved",
        second["id"]: "Pending",
    }
    await azure.arm("DELETE", second["id"])
    shown = (await azure.arm("GET", account)).body["properties"]["privateEndpointConnections"]
    assert [each["id"] for each in shown] == [first["id"]]


async def test_removing_a_connection_disconnects_the_endpoint(
    azure: Azure, account: str, changes: list[Change]
) -> None:
    """Azure, the endpoint stays, Disconnected (behaviour reference section 2.2)."""
    await azure.endpoint("pe1", account)
    (connection,) = await connections(azure, account)
    changes.clear()
    client = await azure.storage()

    await client.private_endpoint_connections.delete("rg-spoke", "st1", connection["name"])

    assert (await state(azure))["status"] == "Disconnected"
    assert await connections(azure, account) == []
    assert [change.operation for change in changes] == [
        "Microsoft.Storage/storageAccounts/privateEndpointConnections/delete"
    ]
    assert (await azure.arm("DELETE", connection["id"])).status == 204
    assert (await azure.arm("PUT", connection["id"], {"properties": {}})).status == 404
    assert (await azure.arm("DELETE", ENDPOINT)).status == 202


@pytest.mark.parametrize("shown", [True, False])
async def test_the_request_message(azure: Azure, account: str, shown: bool) -> None:
    """Azure, whether the owner sees the message as description is unverified, so a switch (reference section 4.2)."""
    await azure.sim("POST", "settings", {"requestMessageShown": shown})

    await azure.endpoint("pe1", account, manual=True, message="let me in")

    (connection,) = await connections(azure, account)
    description = connection["properties"]["privateLinkServiceConnectionState"]["description"]
    assert description == ("let me in" if shown else "")
    manual = (await azure.arm("GET", ENDPOINT)).body["properties"]["manualPrivateLinkServiceConnections"]
    assert manual[0]["properties"]["requestMessage"] == "let me in"


async def test_a_target_nobody_knows_has_no_connections(azure: Azure, account: str) -> None:
    """Azure, a child needs its target (behaviour reference section 3.8)."""
    missing = f"{account}x/privateEndpointConnections"

    for method, path in (
        ("GET", missing),
        ("GET", f"{missing}/c"),
        ("PUT", f"{missing}/c"),
        ("DELETE", f"{missing}/c"),
    ):
        assert (await azure.arm(method, path, {} if method == "PUT" else None)).status == 404


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
    (shown,) = await connections(azure, account)
    assert shown["properties"]["privateLinkServiceConnectionState"]["status"] == "Approved"


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
