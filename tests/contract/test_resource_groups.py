"""Resource groups: deleted with everything in them, and left by what moves; what events tell of both."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.server import Simulator
from simulator.world import Change
from tests.azure import BLOB_ZONE, HUB, SPOKE, Azure, resource_id

GROUP = f"/subscriptions/{SPOKE}/resourceGroups/rg-spoke"
OTHER = f"/subscriptions/{HUB}/resourceGroups/rg-new"
ENDPOINT = f"{GROUP}/providers/Microsoft.Network/privateEndpoints/pe1"
MOVED = f"{OTHER}/providers/Microsoft.Network/privateEndpoints/pe1"
DELETE = "Microsoft.Resources/subscriptions/resourceGroups/delete"
MOVE = "Microsoft.Resources/subscriptions/resourceGroups/moveResources/action"


def told(changes: list[Change]) -> list[tuple[str, str]]:
    """What listeners heard: the operation and the last name of the id."""
    return [(change.operation, change.resource_id.rsplit("/", 1)[1]) for change in changes]


async def move(azure: Azure, *resources: str, target: str = OTHER) -> Any:
    """Asks for a move; the answer."""
    body = {"resources": list(resources), "targetResourceGroup": target}
    return await azure.arm("POST", f"{GROUP}/moveResources", body)


@pytest.fixture
async def endpoint(azure: Azure, account: str) -> dict[str, Any]:
    """An endpoint to the account, and a group in another subscription that it may move to."""
    await azure.subscription(HUB)
    await azure.resource_group("rg-new", HUB)
    await azure.endpoint("pe1", account)
    found: dict[str, Any] = (await azure.arm("GET", ENDPOINT)).body
    return found


@pytest.mark.parametrize("each", [False, True])
async def test_a_deleted_group_has_one_event_and_perhaps_one_for_each_resource(
    azure: Azure, endpoint: dict[str, Any], changes: list[Change], each: bool
) -> None:
    """Section 1.2: whether the resources of a deleted group have events of their own is unverified."""
    await azure.sim("POST", "settings", {"groupDeleteEvents": each})

    assert (await azure.arm("DELETE", GROUP)).status == 202
    await azure.settle()

    heard = told(changes)
    assert heard[-1] == (DELETE, "rg-spoke")
    assert (("Microsoft.Network/privateEndpoints/delete", "pe1") in heard) is each
    assert (len(heard) > 1) is each
    assert (await azure.arm("GET", ENDPOINT)).body["error"]["code"] == "ResourceGroupNotFound"


async def test_what_goes_with_a_group_elsewhere_is_told(azure: Azure, account: str, changes: list[Change]) -> None:
    """Section 2.6: a zone group's records go with its endpoint, and theirs is another group."""
    zone = await azure.hub()
    await azure.endpoint("pe1", account)
    config = {"name": "blob", "properties": {"privateDnsZoneId": zone}}
    await azure.arm(
        "PUT", f"{ENDPOINT}/privateDnsZoneGroups/default", {"properties": {"privateDnsZoneConfigs": [config]}}
    )
    await azure.settle()
    changes.clear()

    await azure.arm("DELETE", GROUP)
    await azure.settle()

    assert told(changes) == [("Microsoft.Network/privateDnsZones/A/delete", "st1"), (DELETE, "rg-spoke")]


async def test_a_long_deletion_is_followed_and_not_begun_twice(azure: Azure, account: str) -> None:
    """Section 6.4: 202 with Location, 202 while it lasts, then 204; asked again, it is the same operation."""
    await azure.hold_operations()
    first, second = [await azure.arm("DELETE", GROUP) for _ in range(2)]
    place = first.headers["Location"]
    assert (second.status, second.headers["Location"], (await azure.arm("GET", place)).status) == (202, place, 202)

    await azure.end_operations()

    assert (await azure.arm("GET", place)).status == 204
    assert (await azure.arm("GET", f"/subscriptions/{SPOKE}/operationresults/none")).status == 404


async def test_a_move_changes_the_id_and_not_the_guid(
    azure: Azure, endpoint: dict[str, Any], account: str, changes: list[Change]
) -> None:
    """Sections 1.2 and 2.1: a POST is an action, told of the group it left; the endpoint is the same by its guid."""
    answer = await move(azure, ENDPOINT.upper())
    assert answer.status == 202
    await azure.settle()

    assert (await azure.arm("GET", answer.headers["Location"])).status == 204
    assert told(changes) == [(MOVE, "rg-spoke")]
    assert (await azure.arm("GET", ENDPOINT)).status == 404
    moved = (await azure.arm("GET", MOVED)).body
    assert moved["id"] == MOVED
    assert moved["properties"]["resourceGuid"] == endpoint["properties"]["resourceGuid"]
    (connection,) = moved["properties"]["privateLinkServiceConnections"]
    assert connection["id"].startswith(f"{MOVED}/")


async def test_everybody_names_a_moved_endpoint_by_its_new_id(azure: Azure, endpoint: dict[str, Any]) -> None:
    """Section 4.3: the target's connection follows; when the moved endpoint goes, so does its connection."""
    await move(azure, ENDPOINT)
    await azure.settle()
    connections = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/st1/privateEndpointConnections"
    (interface,) = endpoint["properties"]["networkInterfaces"]

    (listed,) = (await azure.arm("GET", connections)).body["value"]
    shown = (await azure.arm("GET", interface["id"])).body
    await azure.arm("DELETE", MOVED)
    await azure.settle()

    assert listed["properties"]["privateEndpoint"]["id"] == MOVED
    assert shown["properties"]["privateEndpoint"]["id"] == MOVED
    assert (await azure.arm("GET", connections)).body["value"] == []
    assert (await azure.arm("GET", interface["id"])).status == 404


async def test_what_callers_wrote_down_of_a_moved_endpoint_stays_as_they_wrote_it(
    azure: Azure, endpoint: dict[str, Any]
) -> None:
    """Section 3.3: the metadata of a record set is its writer's own."""
    zone = await azure.zone(subscription=SPOKE)
    properties = {"ttl": 10, "aRecords": [{"ipv4Address": "10.1.0.4"}], "metadata": {"note": ENDPOINT}}
    await azure.arm("PUT", f"{zone}/A/st1", {"properties": properties})
    await move(azure, ENDPOINT)
    await azure.settle()

    record = (await azure.arm("GET", f"{zone}/A/st1")).body
    assert record["properties"]["metadata"] == {"note": ENDPOINT}


async def test_an_interface_moves_when_it_is_listed(
    azure: Azure, endpoint: dict[str, Any], simulator: Simulator
) -> None:
    """Section 2.3: the endpoint names its interface; whether Azure takes it along is unverified, so it is the caller's.

    Its address stays taken.
    """
    (interface,) = endpoint["properties"]["networkInterfaces"]
    await move(azure, ENDPOINT, interface["id"])
    await azure.settle()

    moved = (await azure.arm("GET", MOVED)).body
    (named,) = moved["properties"]["networkInterfaces"]
    assert named["id"].startswith(f"{OTHER}/")
    assert (await azure.arm("GET", named["id"])).body["properties"]["ipConfigurations"][0]["id"].startswith(named["id"])
    account = resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "st1")
    await azure.endpoint("pe2", account)
    addresses = [
        each["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"]
        for each in simulator.world.documents("Microsoft.Network/networkInterfaces")
    ]
    assert len(set(addresses)) == 2


async def test_a_moved_target_keeps_its_endpoints(azure: Azure, endpoint: dict[str, Any], account: str) -> None:
    """Section 2.1: the endpoint's privateLinkServiceId names the target where it is now; its names stay known."""
    await move(azure, account)
    await azure.settle()
    moved = account.replace(GROUP, OTHER)

    shown = (await azure.arm("GET", ENDPOINT)).body["properties"]["privateLinkServiceConnections"][0]["properties"]
    assert shown["privateLinkServiceId"] == moved
    assert (await azure.arm("GET", moved)).status == 200
    again = await azure.endpoint("pe2", moved)
    configs = (await azure.arm("GET", again)).body["properties"]["customDnsConfigs"]
    assert [each["fqdn"] for each in configs] == ["st1.blob.core.windows.net"]


async def test_what_an_endpoint_keeps_unseen_moves_too(azure: Azure, account: str) -> None:
    """Sections 2 and 2.6: names that its owner wrote, and names that its interface does not show yet."""
    await azure.subscription(HUB)
    await azure.resource_group("rg-new", HUB)
    own = [{"fqdn": "own.example", "ipAddresses": ["10.1.0.4"]}]
    await azure.sim("POST", "settings", {"nicLagMs": 60_000})
    await azure.endpoint("pe1", account, customDnsConfigs=own)
    await move(azure, ENDPOINT)
    await azure.settle()
    await azure.advance(60)

    shown = (await azure.arm("GET", MOVED)).body["properties"]
    interface = (await azure.arm("GET", shown["networkInterfaces"][0]["id"])).body["properties"]
    assert shown["customDnsConfigs"] == own
    link = interface["ipConfigurations"][0]["properties"]["privateLinkConnectionProperties"]
    assert link["fqdns"] == ["st1.blob.core.windows.net"]


@pytest.mark.parametrize(
    ("resources", "target", "code"),
    [
        ([f"{ENDPOINT}x"], OTHER, "ResourceNotFound"),
        ([ENDPOINT], f"{OTHER}x", "ResourceGroupNotFound"),
        ([ENDPOINT], OTHER.replace(HUB, "none"), "SubscriptionNotFound"),
        ([ENDPOINT], ENDPOINT, "InvalidRequestContent"),
        ([ENDPOINT], GROUP, "Conflict"),
        ([resource_id(HUB, "rg-dns", "Microsoft.Network/privateDnsZones", BLOB_ZONE)], OTHER, "InvalidRequestContent"),
        ([], OTHER, "InvalidRequestContent"),
        (["pe1"], OTHER, "InvalidRequestContent"),
        ([7], OTHER, "InvalidRequestContent"),
        ([ENDPOINT], None, "InvalidRequestContent"),
    ],
)
async def test_a_move_that_cannot_be_is_refused(
    azure: Azure, endpoint: dict[str, Any], resources: list[Any], target: Any, code: str
) -> None:
    """Section 6.1: nothing is moved; the codes are unverified."""
    await azure.hub()

    answer = await move(azure, *resources, target=target)

    assert answer.body["error"]["code"] == code
    assert (await azure.arm("GET", ENDPOINT)).status == 200


async def test_what_is_busy_neither_moves_nor_loses_its_group(azure: Azure, endpoint: dict[str, Any]) -> None:
    """Section 6.1: one operation at a time."""
    await azure.hold_operations()
    await azure.arm("PUT", ENDPOINT, {"location": endpoint["location"], "properties": endpoint["properties"]})
    assert (await move(azure, ENDPOINT)).body["error"]["code"] == "AnotherOperationInProgress"
    await azure.end_operations()
    assert (await move(azure, ENDPOINT)).status == 202

    again, gone = await move(azure, ENDPOINT), await azure.arm("DELETE", GROUP)

    assert {again.body["error"]["code"], gone.body["error"]["code"]} == {"AnotherOperationInProgress"}
    await azure.end_operations()
    assert (await azure.arm("GET", MOVED)).status == 200
