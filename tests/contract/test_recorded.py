"""The simulator answers what Azure answered when the exchanges in `recorded/` were recorded."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.azure import Answer, Azure, endpoint_request

RECORDED = Path(__file__).parent / "recorded"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
EXCHANGES: list[dict[str, Any]] = json.loads((RECORDED / "private-dns.json").read_text())["interactions"]
HEADERS = ("etag", "azure-asyncoperation", "location", "x-ms-failure-cause")
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def read(name: str) -> Any:
    """A recorded body."""
    return json.loads((RECORDED / name).read_text())


def shape(body: Any) -> Any:
    """A body without what differs from call to call: its guids, but for the subscription's."""
    text = json.dumps(body).replace(SUBSCRIPTION, "<subscription>")
    return json.loads(GUID.sub("<guid>", text))


async def replay(azure: Azure, exchange: dict[str, Any], **changed: str) -> Answer:
    """Sends a recorded request, perhaps with other headers, and sees to it that the answer is the recorded one."""
    asked, recorded = exchange["request"], exchange["response"]
    uri = urlsplit(asked["uri"])
    headers = {**asked["headers"], **changed}
    answer = await azure.arm(asked["method"], uri.path, asked["body"], headers=headers, version="2018-09-01")
    same_answer(answer, recorded)
    return answer


def same_answer(answer: Answer, recorded: dict[str, Any]) -> None:
    """Status, body and the headers that clients use."""
    assert answer.status == recorded["status"]
    assert shape(answer.body) == shape(recorded["body"])
    if isinstance(answer.body, dict):
        assert list(answer.body.get("properties", [])) == list(recorded["body"].get("properties", []))
    given = {name for name in HEADERS if name in answer.headers}
    assert given == {name for name in HEADERS if name in recorded["headers"]}


@pytest.fixture
async def clitest(azure: Azure) -> Azure:
    """The subscription and the resource group the recordings were made in."""
    await azure.subscription(SUBSCRIPTION)
    await azure.resource_group("clitest_privatedns000001", SUBSCRIPTION)
    return azure


async def test_a_zone_is_created_by_a_long_operation(clitest: Azure) -> None:
    """Azure, PUT 202 {}, status 202 InProgress, status 200 Succeeded, GET (behaviour reference section 6.7)."""
    await clitest.hold_operations()
    started = await replay(clitest, EXCHANGES[0])

    status_url = started.headers["azure-asyncoperation"]
    same_answer(await clitest.arm("GET", status_url), EXCHANGES[1]["response"])
    await clitest.end_operations()
    same_answer(await clitest.arm("GET", status_url), EXCHANGES[2]["response"])
    zone = await replay(clitest, EXCHANGES[3])
    assert zone.headers["etag"] == zone.body["etag"]  # bare, without quotes


async def test_a_record_set_is_written_and_guarded_at_once(clitest: Azure) -> None:
    """Azure, 201, 200 and unwrapped 412 for record sets (behaviour reference sections 3.3, 3.4)."""
    await replay(clitest, EXCHANGES[0])
    await clitest.settle()

    created = await replay(clitest, EXCHANGES[4])
    assert (await replay(clitest, EXCHANGES[5])).headers["etag"] == created.headers["etag"]
    updated = await replay(clitest, EXCHANGES[6])
    assert updated.headers["etag"] != created.headers["etag"]
    await replay(clitest, EXCHANGES[7])
    await replay(clitest, EXCHANGES[8])

    body = {"properties": EXCHANGES[9]["response"]["body"]["properties"]}
    uri = urlsplit(EXCHANGES[9]["request"]["uri"])
    await clitest.arm("PUT", uri.path, body)
    await replay(clitest, EXCHANGES[9])
    await replay(clitest, EXCHANGES[10])


async def test_a_record_set_needs_its_zone(clitest: Azure) -> None:
    """Azure, 404 ParentResourceNotFound and ResourceNotFound by the gateway (behaviour reference section 3.8)."""
    await replay(clitest, EXCHANGES[11])
    await replay(clitest, EXCHANGES[12])


async def test_deleting_a_link_that_is_not_there_is_no_error(clitest: Azure) -> None:
    """Azure, 204 for the DELETE of a missing link (behaviour reference section 3.2)."""
    await replay(clitest, EXCHANGES[13])


async def test_an_approved_endpoint_shows_what_was_recorded(azure: Azure) -> None:
    """Azure, an approved endpoint with two members (behaviour reference section 2.1)."""
    recorded = read("endpoint-approved.json")
    asked = recorded["properties"]["privateLinkServiceConnections"][0]["properties"]
    await azure.subscription(SUBSCRIPTION)
    await azure.resource_group("cli_test_cosmosdb_pe000001", SUBSCRIPTION)
    members = [
        {"groupId": "Sql", "memberName": f"member{n}", "fqdns": [each["fqdn"]]}
        for n, each in enumerate(recorded["properties"]["customDnsConfigs"])
    ]
    await azure.target(asked["privateLinkServiceId"], members)
    subnet = recorded["properties"]["subnet"]["id"]
    await azure.put({"id": subnet, "properties": {"addressPrefix": "10.0.0.0/24"}})
    body = endpoint_request(asked["privateLinkServiceId"], groups=["Sql"])
    body["properties"]["subnet"]["id"] = subnet
    body["properties"]["privateLinkServiceConnections"][0]["name"] = "cli-pec-000006"
    await azure.arm("PUT", recorded["id"], {**body, "location": "eastus"})
    await azure.settle()

    shown = shape((await azure.arm("GET", recorded["id"])).body)

    # The recording is of 2020, before these three were there; and the description is of the provider's choosing.
    assert shown.pop("tags") == {}
    assert shown["properties"].pop("customNetworkInterfaceName") == ""
    assert shown["properties"].pop("ipConfigurations") == []
    connection = shown["properties"]["privateLinkServiceConnections"][0]["properties"]
    connection["privateLinkServiceConnectionState"]["description"] = ""
    assert shown == shape(recorded)


async def test_a_pending_endpoint_and_its_connection_show_what_was_recorded(azure: Azure) -> None:
    """Azure, Pending: endpoint Succeeded, with an interface, without names (behaviour reference sections 2.2, 4.3)."""
    recorded = read("endpoint-pending.json")
    request = recorded["properties"]["manualPrivateLinkServiceConnections"][0]
    target_id = request["properties"]["privateLinkServiceId"]
    await azure.subscription(SUBSCRIPTION)
    await azure.resource_group("clitest.rg000001", SUBSCRIPTION)
    await azure.target(target_id, [{"groupId": "registry", "memberName": "registry", "fqdns": ["x.azurecr.io"]}])
    body = endpoint_request(target_id, groups=["registry"], manual=True)
    body["properties"]["subnet"] = recorded["properties"]["subnet"]
    body["properties"]["manualPrivateLinkServiceConnections"][0]["name"] = request["name"]
    await azure.arm("PUT", recorded["id"], {**body, "location": "eastus2"})
    await azure.settle()

    shown = shape((await azure.arm("GET", recorded["id"])).body)
    assert shown.pop("tags") == {}
    assert shown == shape(recorded)

    world = await azure.world()
    listed = [each for each in world["resources"] if each["id"].startswith(f"{target_id}/privateEndpointConnections/")]
    expected = read("connections-pending.json")["value"][0]
    assert len(listed) == 1
    assert listed[0]["type"] == expected["type"]
    assert re.fullmatch(r"testreg000002\.[0-9a-f]{32}", listed[0]["name"])
    assert listed[0]["properties"]["privateEndpoint"] == expected["properties"]["privateEndpoint"]
    assert listed[0]["properties"]["privateLinkServiceConnectionState"]["status"] == "Pending"
    assert listed[0]["properties"]["provisioningState"] == "Succeeded"


async def test_a_registry_still_shows_the_old_state_after_an_approval(azure: Azure) -> None:
    """Azure, the answer to an approval: Pending, Updating, Azure-AsyncOperation (behaviour reference section 4.3)."""
    listed, recorded = read("connections-pending.json"), read("registry-approval.json")
    request, response = recorded["request"], recorded["response"]
    await azure.subscription(SUBSCRIPTION)
    await azure.put({"id": request["path"].rsplit("/", 2)[0]}, *listed["value"])

    assert (await azure.arm("GET", request["path"].rsplit("/", 1)[0])).body == listed
    answer = await azure.arm(request["method"], request["path"], request["body"], version=request["api-version"])

    assert answer.body == response["body"]
    assert {name for name in HEADERS if name in answer.headers} >= set(response["headers_of_interest"])
    await azure.settle()
    after = (await azure.arm("GET", request["path"])).body["properties"]
    state = request["body"]["properties"]["privateLinkServiceConnectionState"]
    assert after == {**request["body"]["properties"], "provisioningState": "Succeeded"}
    assert after["privateLinkServiceConnectionState"] == state


async def test_a_page_of_the_index_looks_like_the_recorded_one(azure: Azure) -> None:
    """Azure, Resource Graph's body and quota headers (behaviour reference section 5.1)."""
    recorded = read("resource-graph.json")["response"]
    await azure.subscription()
    for n in range(4):
        await azure.vnet(f"vnet-{n}")

    body = {"query": "resources | project id", "options": {"$top": 3, "resultFormat": "objectArray"}}
    answer = await azure.arm("POST", "/providers/Microsoft.ResourceGraph/resources", body, version="2021-03-01")

    assert answer.status == recorded["status"]
    assert list(answer.body) == list(recorded["body"])
    assert {name: type(value) for name, value in answer.body.items()} == {
        name: type(value) for name, value in recorded["body"].items()
    }
    assert answer.body["resultTruncated"] == recorded["body"]["resultTruncated"]
    for name in ("x-ms-user-quota-remaining", "x-ms-user-quota-resets-after"):
        assert answer.headers[name] == recorded["headers"][name]
