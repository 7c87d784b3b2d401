"""Private endpoints: asked for, given an interface with addresses and names, changed, deleted."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.network.models import PrivateEndpoint

from simulator.world import NETWORK_SERVICE, Change
from tests.azure import SPOKE, Azure, endpoint_request, resource_id

ENDPOINT = resource_id(SPOKE, "rg-spoke", "Microsoft.Network/privateEndpoints", "pe1")
NAME = "st1.blob.core.windows.net"


async def names_on_interface(azure: Azure, endpoint_id: str = ENDPOINT) -> list[str]:
    """What the interface of an endpoint shows."""
    endpoint = (await azure.arm("GET", endpoint_id)).body
    interface = (await azure.arm("GET", endpoint["properties"]["networkInterfaces"][0]["id"])).body
    configurations = interface["properties"]["ipConfigurations"]
    return [name for each in configurations for name in each["properties"]["privateLinkConnectionProperties"]["fqdns"]]


async def custom_dns(azure: Azure, endpoint_id: str = ENDPOINT) -> list[str]:
    """What an endpoint shows by itself."""
    configs = (await azure.arm("GET", endpoint_id)).body["properties"]["customDnsConfigs"]
    return [config["fqdn"] for config in configs]


async def test_the_stock_client_creates_reads_and_deletes(azure: Azure, account: str) -> None:
    """Azure, PUT 201 Updating, then Succeeded; DELETE 202, then 404 (behaviour reference sections 2.5, 2.6)."""
    endpoints = (await azure.network()).private_endpoints

    poller = await endpoints.begin_create_or_update("rg-spoke", "pe1", PrivateEndpoint(endpoint_request(account)))
    endpoint = await poller.result()

    assert endpoint.id == ENDPOINT
    assert endpoint.provisioning_state == "Succeeded"
    (connection,) = endpoint.private_link_service_connections or []
    assert connection.private_link_service_connection_state is not None
    assert connection.private_link_service_connection_state.status == "Approved"
    assert connection.etag == endpoint.etag
    assert endpoint.etag is not None
    assert endpoint.etag.startswith('W/"')
    assert [each.name async for each in endpoints.list("rg-spoke")] == ["pe1"]
    assert [each.name async for each in endpoints.list_by_subscription()] == ["pe1"]
    await (await endpoints.begin_delete("rg-spoke", "pe1")).result()
    with pytest.raises(ResourceNotFoundError) as raised:
        await endpoints.get("rg-spoke", "pe1")
    assert raised.value.error is not None
    assert raised.value.error.code == "ResourceNotFound"
    await (await endpoints.begin_delete("rg-spoke", "pe1")).result()
    assert [each["status"] for each in await azure.requests() if each["method"] == "DELETE"] == [202, 204]


async def test_an_endpoint_on_its_way(azure: Azure, account: str) -> None:
    """Azure, a GET right after the PUT: Updating, Pending, an interface without addresses (reference section 2.6)."""
    await azure.hold_operations()
    await azure.endpoint("pe1", account, wait=False)

    endpoint = (await azure.arm("GET", ENDPOINT)).body
    interface = (await azure.arm("GET", endpoint["properties"]["networkInterfaces"][0]["id"])).body

    assert endpoint["properties"]["provisioningState"] == "Updating"
    state = endpoint["properties"]["privateLinkServiceConnections"][0]["properties"][
        "privateLinkServiceConnectionState"
    ]
    assert state["status"] == "Pending"
    assert endpoint["properties"]["customDnsConfigs"] == []
    assert interface["properties"]["ipConfigurations"] == []


async def test_the_interface_of_an_endpoint(azure: Azure, account: str) -> None:
    """Azure, names and addresses of an interface (behaviour reference section 2.7)."""
    await azure.endpoint("pe1", account)
    client = await azure.network()
    endpoint = await client.private_endpoints.get("rg-spoke", "pe1", expand="networkInterfaces")
    (expanded,) = endpoint.network_interfaces or []

    assert expanded.id is not None
    interface = await client.network_interfaces.get("rg-spoke", expanded.id.rsplit("/", 1)[1])

    assert interface.name is not None
    assert interface.name.startswith("pe1.nic.")
    assert interface.private_endpoint is not None
    assert interface.private_endpoint.id == ENDPOINT
    (configuration,) = interface.ip_configurations or []
    assert configuration.name == "blob-blob.privateEndpoint"
    assert configuration.private_ip_address == "10.1.0.4"
    assert configuration.private_ip_allocation_method == "Dynamic"
    assert configuration.primary is True
    link = configuration.private_link_connection_properties
    assert link is not None
    assert (link.group_id, link.required_member_name, link.fqdns) == ("blob", "blob", [NAME])
    assert expanded.as_dict() == interface.as_dict()
    assert [each.name async for each in client.network_interfaces.list("rg-spoke")] == [interface.name]
    assert [each.name async for each in client.network_interfaces.list_all()] == [interface.name]


@pytest.mark.parametrize(("shows", "more"), [("full", True), ("ids", False)])
async def test_how_much_the_expansion_shows(azure: Azure, account: str, shows: str, more: bool) -> None:
    """Azure, how much of the interface $expand shows is unverified, so a switch (behaviour reference section 2)."""
    await azure.sim("POST", "settings", {"expandNics": shows})
    await azure.endpoint("pe1", account)

    expanded = await azure.arm("GET", ENDPOINT, query={"$expand": "networkInterfaces"})
    plain = await azure.arm("GET", ENDPOINT)

    assert ("properties" in expanded.body["properties"]["networkInterfaces"][0]) is more
    assert set(plain.body["properties"]["networkInterfaces"][0]) == {"id"}


@pytest.mark.parametrize("shown", [True, False])
async def test_the_resource_guid(azure: Azure, account: str, shown: bool) -> None:
    """Azure, GET shows resourceGuid; the model does not have it, so a switch (behaviour reference section 2.1)."""
    await azure.sim("POST", "settings", {"resourceGuidOnGet": shown})
    await azure.endpoint("pe1", account)

    assert ("resourceGuid" in (await azure.arm("GET", ENDPOINT)).body["properties"]) is shown


async def test_one_address_per_member_and_one_name_for_several(azure: Azure, account: str) -> None:
    """Azure, one interface configuration per member, each with its names (behaviour reference section 2.7)."""
    target_id = resource_id(SPOKE, "rg-spoke", "Microsoft.MachineLearningServices/workspaces", "ml")
    api, notebooks = "privatelink.api.azureml.ms", "privatelink.notebooks.azure.net"
    members = [
        {
            "groupId": "amlworkspace",
            "memberName": "default",
            "fqdns": ["x.api.azureml.ms", "y.api.azureml.ms"],
            "zone": api,
        },
        {"groupId": "amlworkspace", "memberName": "default", "fqdns": ["z.notebooks.azure.net"], "zone": notebooks},
        {"groupId": "amlworkspace", "memberName": "inference", "fqdns": ["*.inference.azureml.ms"], "zone": api},
        {"groupId": "other", "memberName": "other", "fqdns": ["other.azureml.ms"], "zone": api},
    ]
    await azure.target(target_id, members)

    await azure.endpoint("pe1", target_id, groups=["AmlWorkspace"])

    configs = (await azure.arm("GET", ENDPOINT)).body["properties"]["customDnsConfigs"]
    assert [(config["fqdn"], config["ipAddresses"]) for config in configs] == [
        ("x.api.azureml.ms", ["10.1.0.4"]),
        ("y.api.azureml.ms", ["10.1.0.4"]),
        ("z.notebooks.azure.net", ["10.1.0.4"]),
        ("*.inference.azureml.ms", ["10.1.0.5"]),
    ]
    assert len(await names_on_interface(azure)) == 4


async def test_one_name_may_belong_to_several_endpoints(azure: Azure, account: str) -> None:
    """Azure, two endpoints to one target show the same name (behaviour reference section 2.4)."""
    first = await azure.endpoint("pe1", account)
    second = await azure.endpoint("pe2", account)

    assert await names_on_interface(azure, first) == await names_on_interface(azure, second) == [NAME]


async def test_addresses_are_the_next_free_ones_of_the_subnet(azure: Azure, account: str) -> None:
    """Azure, an address is the endpoint's for life, and free after it (behaviour reference section 2.5)."""

    async def address(name: str, **wanted: Any) -> str:
        endpoint_id = await azure.endpoint(name, account, **wanted)
        configs = (await azure.arm("GET", endpoint_id)).body["properties"]["customDnsConfigs"]
        return str(configs[0]["ipAddresses"][0])

    static = [
        {"name": "other", "properties": {"groupId": "file", "memberName": "file", "privateIPAddress": "10.1.0.9"}},
        {"name": "c", "properties": {"groupId": "blob", "memberName": "blob", "privateIPAddress": "10.1.0.5"}},
    ]
    assert await address("pe1") == "10.1.0.4"
    assert await address("pe2", ipConfigurations=static, customNetworkInterfaceName="my-nic") == "10.1.0.5"
    assert await address("pe3") == "10.1.0.6"
    await azure.arm("DELETE", ENDPOINT)
    await azure.settle()
    assert await address("pe4") == "10.1.0.4"
    nic = resource_id(SPOKE, "rg-spoke", "Microsoft.Network/networkInterfaces", "my-nic")
    held = (await azure.arm("GET", nic)).body["properties"]["ipConfigurations"][0]["properties"]
    assert held["privateIPAllocationMethod"] == "Static"
    assert await address("pe5", network="unknown") == "10.100.0.4"
    assert await address("pe6", network="unknown") == "10.100.0.5"
    assert await address("pe7", network="unknown-too") == "10.101.0.4"


async def test_a_subnet_may_be_a_document_of_its_own(azure: Azure, account: str) -> None:
    """Azure, addresses come from the subnet's prefix, or prefixes (behaviour reference section 2.5)."""
    network = resource_id(SPOKE, "rg-spoke", "Microsoft.Network/virtualNetworks", "other")
    await azure.put(
        {"id": f"{network}/subnets/snet", "properties": {"addressPrefixes": ["10.9.0.0/24", "10.8.0.0/24"]}}
    )

    await azure.put({"id": f"{network}2/subnets/snet", "properties": {}})

    await azure.endpoint("pe1", account, network="other")

    endpoint = (await azure.arm("GET", ENDPOINT)).body
    assert endpoint["properties"]["customDnsConfigs"][0]["ipAddresses"] == ["10.9.0.4"]
    second = await azure.endpoint("pe2", account, network="other2")
    endpoint = (await azure.arm("GET", second)).body
    assert endpoint["properties"]["customDnsConfigs"][0]["ipAddresses"] == ["10.100.0.4"]


async def test_a_full_subnet_fails_the_endpoint(azure: Azure, account: str) -> None:
    """Azure, a long operation that fails says so in its status, and in provisioningState (reference section 6.4)."""
    await azure.vnet("tiny", prefix="10.2.0.0/29")
    for n in range(3):
        await azure.endpoint(f"fits{n}", account, network="tiny")
    endpoints = (await azure.network()).private_endpoints
    body = PrivateEndpoint(endpoint_request(account, network="tiny"))

    poller = await endpoints.begin_create_or_update("rg-spoke", "pe1", body)
    with pytest.raises(HttpResponseError) as raised:
        await poller.result()

    assert raised.value.error is not None
    assert raised.value.error.code == "SubnetIsFull"
    assert (await endpoints.get("rg-spoke", "pe1")).provisioning_state == "Failed"


async def test_interfaces_from_outside_hold_their_addresses(azure: Azure, account: str) -> None:
    """Azure, an address is given out once (behaviour reference section 2.5)."""
    subnet = resource_id(SPOKE, "rg-spoke", "Microsoft.Network/virtualNetworks", "vnet-spoke") + "/subnets/snet"
    nic = resource_id(SPOKE, "rg-spoke", "Microsoft.Network/networkInterfaces", "vm-nic")
    held = [
        {"properties": {"privateIPAddress": address, "subnet": {"id": subnet}}} for address in ("10.1.0.4", "fd00::4")
    ]
    await azure.put({"id": nic, "properties": {"ipConfigurations": held}})

    await azure.endpoint("pe1", account)

    assert (await azure.arm("GET", ENDPOINT)).body["properties"]["customDnsConfigs"][0]["ipAddresses"] == ["10.1.0.5"]
    await azure.sim("DELETE", "resources", id=nic)
    other = await azure.endpoint("pe2", account)
    assert (await azure.arm("GET", other)).body["properties"]["customDnsConfigs"][0]["ipAddresses"] == ["10.1.0.4"]


@pytest.mark.parametrize("on_endpoint", [False, True])
@pytest.mark.parametrize("on_interface", [False, True])
async def test_names_while_pending(azure: Azure, account: str, on_endpoint: bool, on_interface: bool) -> None:
    """Azure, names while Pending are unverified, so two switches (behaviour reference section 2.2)."""
    await azure.sim("POST", "settings", {"customDnsWhilePending": on_endpoint, "nicWhilePending": on_interface})

    await azure.endpoint("pe1", account, manual=True)

    assert await custom_dns(azure) == [NAME] * on_endpoint
    assert await names_on_interface(azure) == [NAME] * on_interface
    assert (await azure.arm("GET", ENDPOINT)).body["properties"]["provisioningState"] == "Succeeded"


async def test_the_interface_may_lag(azure: Azure, account: str) -> None:
    """Azure, an endpoint may be Succeeded and its interface without names (behaviour reference section 2.6)."""
    await azure.sim("POST", "settings", {"nicLagMs": 60_000})
    await azure.endpoint("pe1", account)

    assert await custom_dns(azure) == [NAME]
    assert await names_on_interface(azure) == []
    await azure.advance(61)
    assert await names_on_interface(azure) == [NAME]


@pytest.mark.parametrize("stored", [True, False])
async def test_a_callers_own_names(azure: Azure, account: str, stored: bool) -> None:
    """Azure, customDnsConfigs is writable; whether it is kept is unverified, so a switch (reference section 2)."""
    await azure.sim("POST", "settings", {"storeCustomDns": stored})
    own = [{"fqdn": "bank.example", "ipAddresses": ["10.1.0.4"]}]

    await azure.endpoint("pe1", account, customDnsConfigs=own)

    assert await custom_dns(azure) == (["bank.example"] if stored else [NAME])
    assert await names_on_interface(azure) == [NAME]
    endpoint = (await azure.arm("GET", ENDPOINT)).body
    await azure.arm("PUT", ENDPOINT, endpoint)
    await azure.settle()
    assert await custom_dns(azure) == (["bank.example"] if stored else [NAME])
    await azure.endpoint("pe1", account)
    assert await custom_dns(azure) == [NAME]


async def test_an_update_keeps_what_is_azures(azure: Azure, account: str, changes: list[Change]) -> None:
    """Azure, PUT on an existing one is 200; guid, interface and approval stay (behaviour reference section 2.5)."""
    await azure.endpoint("pe1", account)
    before = (await azure.arm("GET", ENDPOINT)).body
    changes.clear()

    answer = await azure.arm("PUT", ENDPOINT, {**endpoint_request(account), "tags": {"a": "b"}})
    await azure.settle()

    assert answer.status == 200
    after = (await azure.arm("GET", ENDPOINT)).body
    assert after["tags"] == {"a": "b"}
    assert after["etag"] != before["etag"]
    for name in ("resourceGuid", "networkInterfaces", "customDnsConfigs"):
        assert after["properties"][name] == before["properties"][name]
    assert [change.operation for change in changes] == ["Microsoft.Network/privateEndpoints/write"]


async def test_another_target_is_not_simulated(azure: Azure, account: str) -> None:
    """Azure, nobody has told what it says to an endpoint that changes its target (behaviour reference section 10)."""
    await azure.endpoint("pe1", account)
    other = await azure.storage_account("st2")

    assert (await azure.arm("PUT", ENDPOINT, endpoint_request(other))).status == 501


async def test_one_operation_at_a_time(azure: Azure, account: str) -> None:
    """Azure, 409 AnotherOperationInProgress (behaviour reference section 6.1)."""
    await azure.hold_operations()
    await azure.endpoint("pe1", account, wait=False)

    for method, body in (("PUT", endpoint_request(account)), ("DELETE", None)):
        answer = await azure.arm(method, ENDPOINT, body)
        assert (answer.status, answer.body["error"]["code"]) == (409, "AnotherOperationInProgress")


async def test_creation_and_deletion_are_two_changes_each(azure: Azure, account: str, changes: list[Change]) -> None:
    """Azure, the interface is the network service's, the endpoint the user's (behaviour reference section 1.2)."""
    await azure.endpoint("pe1", account)
    await azure.hold_operations()
    await azure.arm("DELETE", ENDPOINT)
    assert (await azure.arm("GET", ENDPOINT)).body["properties"]["provisioningState"] == "Deleting"
    await azure.end_operations()

    assert [(change.operation.removeprefix("Microsoft.Network/"), change.principal) for change in changes] == [
        ("networkInterfaces/write", NETWORK_SERVICE),
        ("privateEndpoints/write", "system"),
        ("networkInterfaces/delete", NETWORK_SERVICE),
        ("privateEndpoints/delete", "system"),
    ]
    assert all(change.succeeded for change in changes)
    assert changes[1].resource_id == ENDPOINT
    assert len({change.correlation_id for change in changes}) == 4
    assert all(not each["id"].startswith(f"{account}/") for each in (await azure.world())["resources"])


async def test_a_failed_operation_is_a_failed_change(azure: Azure, account: str, changes: list[Change]) -> None:
    """Azure, the event is of the end of the operation, whichever it is (behaviour reference section 1.2)."""
    await azure.vnet("tiny", prefix="10.2.0.0/30")

    await azure.endpoint("pe1", account, network="tiny")

    assert [(change.operation, change.succeeded) for change in changes] == [
        ("Microsoft.Network/privateEndpoints/write", False)
    ]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        pytest.param({"subnet": None}, "InvalidRequestFormat", id="no subnet"),
        pytest.param({"privateLinkServiceConnections": []}, "InvalidRequestFormat", id="no connection"),
        pytest.param({"privateLinkServiceConnections": ["x"]}, "InvalidRequestFormat", id="no object"),
        pytest.param({"privateLinkServiceConnections": [{"name": "x"}]}, "InvalidRequestFormat", id="no target"),
        pytest.param({"manualPrivateLinkServiceConnections": [{}]}, "InvalidRequestFormat", id="two connections"),
    ],
)
async def test_what_is_no_endpoint_is_refused(azure: Azure, account: str, changed: dict[str, Any], code: str) -> None:
    """Azure, a connection stands in exactly one of two lists (behaviour reference section 2.1)."""
    body = endpoint_request(account)
    body["properties"].update(changed)

    answer = await azure.arm("PUT", ENDPOINT, body)

    assert (answer.status, answer.body["error"]["code"]) == (400, code)


async def test_what_points_nowhere_is_refused(azure: Azure, account: str) -> None:
    """Azure, target and group must exist; a message has 140 characters (behaviour reference section 2.1)."""
    for body, code in (
        (endpoint_request(f"{account}x"), "InvalidResourceReference"),
        (endpoint_request(account, groups=["file"]), "InvalidGroupId"),
        (endpoint_request(account, groups=[]), "InvalidGroupId"),
        (endpoint_request(account, manual=True, message="x" * 141), "InvalidRequestFormat"),
    ):
        answer = await azure.arm("PUT", ENDPOINT, body)
        assert (answer.status, answer.body["error"]["code"]) == (400, code)
    assert (await azure.arm("PUT", ENDPOINT, endpoint_request(account, manual=True, message="x" * 140))).status == 201


async def test_ids_are_spelt_as_the_request_spells_them(azure: Azure, account: str) -> None:
    """Azure, the network service echoes the request's casing (behaviour reference section 6.5)."""
    await azure.endpoint("pe1", account)
    asked = ENDPOINT.replace("/resourceGroups/rg-spoke/", "/resourcegroups/RG-SPOKE/")

    endpoint = (await azure.arm("GET", asked)).body

    assert endpoint["id"] == asked
    assert endpoint["properties"]["privateLinkServiceConnections"][0]["id"].startswith(f"{asked}/")
    interface_id = endpoint["properties"]["networkInterfaces"][0]["id"]
    interface = (await azure.arm("GET", interface_id.upper().replace("/SUBSCRIPTIONS", "/subscriptions"))).body
    assert interface["properties"]["ipConfigurations"][0]["id"].startswith(interface["id"])
    assert interface["id"] != interface_id


async def test_operation_addresses(azure: Azure, account: str) -> None:
    """Azure, status and result of a network operation (behaviour reference section 6.4)."""
    await azure.hold_operations()
    put = await azure.arm("PUT", ENDPOINT, endpoint_request(account))
    assert "Location" not in put.headers
    status = put.headers["Azure-AsyncOperation"]
    assert "/providers/Microsoft.Network/locations/" in status
    assert (await azure.arm("GET", status)).body == {"status": "InProgress"}
    await azure.end_operations()
    assert (await azure.arm("GET", status)).body == {"status": "Succeeded"}
    delete = await azure.arm("DELETE", ENDPOINT)
    assert (await azure.arm("GET", delete.headers["Location"])).status == 202
    await azure.end_operations()
    assert (await azure.arm("GET", delete.headers["Location"])).status == 204
    missing = f"/subscriptions/{SPOKE}/providers/Microsoft.Network/locations/westeurope/operations/none"
    assert (await azure.arm("GET", missing)).status == 404


async def test_documents_from_outside_come_as_they_are(azure: Azure, account: str) -> None:
    """Azure, whatever an owner or another version wrote is answered as it stands (behaviour reference section 2.7)."""
    odd = {"id": ENDPOINT, "name": "pe1", "properties": {"customDnsConfigs": None, "surprise": 1}}
    await azure.put(odd)

    assert (await azure.arm("GET", ENDPOINT)).body == odd
    assert (await azure.arm("GET", ENDPOINT, query={"$expand": "networkInterfaces"})).status == 200
    assert (await azure.arm("DELETE", ENDPOINT)).status == 202
    await azure.settle()
    assert (await azure.arm("GET", ENDPOINT)).status == 404
