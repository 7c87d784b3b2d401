"""What ARM does before any provider: ids, versions, subscriptions, resource groups, errors, and what it cannot do."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.server import Simulator
from simulator.world import NETWORK_SERVICE, Change
from tests.azure import BLOB_ZONE, HUB, SPOKE, Azure, resource_id

ENDPOINT = resource_id(SPOKE, "rg-spoke", "Microsoft.Network/privateEndpoints", "pe1")
GROUP = f"/subscriptions/{SPOKE}/resourceGroups/rg-spoke"


@pytest.mark.parametrize("path", ["/subscriptions", ENDPOINT, f"{GROUP}/providers/Microsoft.Network/privateEndpoints"])
async def test_every_request_needs_a_version(azure: Azure, path: str) -> None:
    """Azure, 400 MissingApiVersionParameter (behaviour reference section 6.8)."""
    await azure.spoke()

    answer = await azure.arm("GET", path, version="")

    assert (answer.status, answer.body["error"]["code"]) == (400, "MissingApiVersionParameter")


@pytest.mark.parametrize("version", ["2018-09-01", "2026-03-01", "2099-01-01-preview"])
async def test_any_version_will_do(azure: Azure, version: str) -> None:
    """Azure, clients differ in their versions, the simulator does not (behaviour reference section 7.3)."""
    await azure.subscription()

    assert (await azure.arm("GET", f"/subscriptions/{SPOKE}", version=version)).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/SUBSCRIPTIONS/{spoke}/RESOURCEGROUPS/RG-SPOKE/PROVIDERS/MICROSOFT.STORAGE/STORAGEACCOUNTS/ST1",
        "/subscriptions/{spoke}/resourcegroups/rg-spoke/providers/microsoft.storage/storageaccounts/st1/",
        "/subscriptions/{hub}/resourcegroups/rg-dns/providers/microsoft.network/privatednszones/{zone}/a",
        "/subscriptions/{hub}/resourcegroups/rg-dns/providers/microsoft.network/privatednszones/{zone}/aLL",
    ],
)
async def test_paths_are_matched_without_regard_to_case(azure: Azure, path: str) -> None:
    """Azure, resource ids and paths are case-insensitive (behaviour reference section 6.5)."""
    await azure.spoke()
    await azure.hub()

    assert (await azure.arm("GET", path.format(spoke=SPOKE, hub=HUB, zone=BLOB_ZONE))).status == 200


async def test_what_is_missing(azure: Azure) -> None:
    """Azure, which 404 tells what is missing (behaviour reference sections 3.8, 6.1)."""
    await azure.subscription(SPOKE)

    async def code(path: str) -> Any:
        answer = await azure.arm("GET", path)
        assert answer.status == 404
        assert answer.headers["x-ms-failure-cause"] == "gateway"
        return answer.body["error"]["code"]

    assert await code(ENDPOINT.replace(SPOKE, HUB)) == "SubscriptionNotFound"
    assert await code(ENDPOINT) == "ResourceGroupNotFound"
    assert await code(GROUP) == "ResourceGroupNotFound"
    await azure.resource_group()
    assert await code(ENDPOINT) == "ResourceNotFound"
    message = (await azure.arm("GET", ENDPOINT)).body["error"]["message"]
    assert message.startswith("The Resource 'Microsoft.Network/privateEndpoints/pe1' under resource group 'rg-spoke'")


async def test_a_hidden_subscription_is_forbidden(azure: Azure) -> None:
    """Azure, 403 AuthorizationFailed names the action and the scope (behaviour reference section 6.1)."""
    account = await azure.spoke()
    await azure.endpoint("pe1", account)
    await azure.subscription(SPOKE, readable=False)

    for method, path, action in (
        ("GET", ENDPOINT, "Microsoft.Network/privateEndpoints/read"),
        ("DELETE", ENDPOINT, "Microsoft.Network/privateEndpoints/delete"),
        ("PUT", ENDPOINT, "Microsoft.Network/privateEndpoints/write"),
        ("GET", f"{GROUP}/providers/Microsoft.Network/privateEndpoints", "Microsoft.Network/privateEndpoints/read"),
        ("GET", f"/subscriptions/{SPOKE}", "Microsoft.Resources/subscriptions/read"),
    ):
        answer = await azure.arm(method, path, {} if method == "PUT" else None)
        assert (answer.status, answer.body["error"]["code"]) == (403, "AuthorizationFailed")
        assert f"'{action}' over scope '{path}'" in answer.body["error"]["message"]
    await azure.subscription(SPOKE, readable=True)
    assert (await azure.arm("GET", ENDPOINT)).status == 200


async def test_subscriptions(azure: Azure) -> None:
    """Azure, a subscription tells its tenant; hidden ones are not listed (behaviour reference section 6.1)."""
    await azure.subscription(SPOKE, tenant="t-1")
    await azure.subscription(HUB, readable=False)

    shown = (await azure.arm("GET", f"/subscriptions/{SPOKE.upper()}")).body

    assert (shown["subscriptionId"], shown["tenantId"], shown["state"]) == (SPOKE, "t-1", "Enabled")
    assert [each["subscriptionId"] for each in (await azure.arm("GET", "/subscriptions")).body["value"]] == [SPOKE]


async def test_resource_groups(azure: Azure, simulator: Simulator) -> None:
    """Azure, a group is made at once, and deleted with everything in it (behaviour reference section 3.8)."""
    account = await azure.spoke()
    await azure.hub()
    await azure.endpoint("pe1", account)
    elsewhere = await azure.storage_account("st2", subscription=HUB, group="rg-other")
    other = await azure.endpoint("pe2", elsewhere)
    await azure.sim("POST", "settings", {"groupDeleteEvents": True})
    changes: list[Change] = []
    simulator.world.listeners.append(changes.append)

    made = await azure.arm("PUT", f"/subscriptions/{SPOKE}/resourceGroups/new", {"location": "westeurope"})
    again = await azure.arm("PUT", f"/subscriptions/{SPOKE}/resourceGroups/NEW", {"location": "x", "tags": {"a": "b"}})
    assert (made.status, again.status) == (201, 200)
    assert again.body["id"] == made.body["id"]
    listed = (await azure.arm("GET", f"/subscriptions/{SPOKE}/resourceGroups")).body["value"]
    assert [each["name"] for each in listed] == ["new", "rg-spoke"]
    assert (await azure.arm("PUT", f"/subscriptions/{SPOKE}/resourceGroups/no", {})).status == 400
    changes.clear()

    deleted = await azure.arm("DELETE", f"/subscriptions/{HUB}/resourceGroups/rg-other")
    assert deleted.status == 202
    await azure.settle()
    properties = (await azure.arm("GET", other)).body["properties"]["privateLinkServiceConnections"][0]["properties"]
    assert properties["privateLinkServiceConnectionState"]["status"] == "Disconnected"
    await azure.arm("DELETE", GROUP)
    await azure.settle()

    assert (await azure.arm("GET", ENDPOINT)).body["error"]["code"] == "ResourceGroupNotFound"
    assert (await azure.arm("DELETE", GROUP)).status == 404
    operations = [change.operation for change in changes]
    assert operations.count("Microsoft.Network/privateEndpoints/delete") == 2
    assert operations.count("Microsoft.Network/networkInterfaces/delete") == 2
    deleted_interfaces = [change for change in changes if change.operation.endswith("networkInterfaces/delete")]
    assert {change.principal for change in deleted_interfaces} == {NETWORK_SERVICE}
    assert operations.count("Microsoft.Storage/storageAccounts/delete") == 2
    assert operations[-1] == "Microsoft.Resources/subscriptions/resourceGroups/delete"


async def test_stored_documents_are_answered_as_given(azure: Azure) -> None:
    """Azure, any resource has a GET (behaviour reference section 6.5)."""
    account = await azure.spoke()

    assert (await azure.arm("GET", account)).body["kind"] == "StorageV2"
    missing = await azure.arm("GET", f"{account}x")
    assert (missing.status, missing.body["error"]["code"]) == (404, "ResourceNotFound")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/providers/Microsoft.Network/operations"),
        ("POST", f"{ENDPOINT}/frobnicate"),
        ("GET", f"{ENDPOINT}/unheardOf/x"),
        ("DELETE", f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm1"),
        ("PATCH", ENDPOINT),
        ("GET", f"/subscriptions/{SPOKE}/providers/Microsoft.Storage/storageAccounts"),
        ("GET", f"/subscriptions/{SPOKE}/frobnicate/x/y"),
        ("DELETE", f"/subscriptions/{SPOKE}/resourceGroups/rg-spoke/frobnicate"),
    ],
)
async def test_an_unknown_request_fails_loudly(
    azure: Azure, method: str, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Azure does more than this simulator, which never guesses (behaviour reference section 10)."""
    await azure.spoke()

    answer = await azure.arm(method, path, version="2024-01-01")

    assert answer.status == 501
    assert f"{method} {path} (api-version 2024-01-01)" in answer.body["error"]["message"]
    assert path in capsys.readouterr().err


@pytest.mark.parametrize("body", ["[]", "{", '"x"', '{"properties": []}', '{"properties": "x"}'])
async def test_a_body_must_be_an_object(azure: Azure, body: str) -> None:
    """Azure, 400 for what cannot be read (behaviour reference section 6.1)."""
    await azure.spoke()
    token = await azure.credential.get_token("https://management.azure.com/.default")
    headers = {"Authorization": f"Bearer {token.token}", "Content-Type": "application/json"}

    async with azure.session.put(f"{azure.url}{ENDPOINT}?api-version=1", data=body, headers=headers) as response:
        assert response.status == 400
        assert (await response.json())["error"]["code"] == "InvalidRequestContent"


async def test_answers_carry_the_request_ids(azure: Azure, simulator: Simulator) -> None:
    """Azure, x-ms-request-id, and the correlation id events will have (behaviour reference sections 1.3, 6.5)."""
    await azure.hub()
    changes: list[Change] = []
    simulator.world.listeners.append(changes.append)
    record = resource_id(HUB, "rg-dns", "Microsoft.Network/privateDnsZones", BLOB_ZONE) + "/A/x"

    given = {"x-ms-correlation-request-id": "abc"}
    answer = await azure.arm("PUT", record, {"properties": {"ttl": 10}}, headers=given)
    other = await azure.arm("PUT", record, {"properties": {"ttl": 10}})

    assert answer.headers["x-ms-correlation-request-id"] == "abc"
    assert answer.headers["x-ms-request-id"]
    assert [change.correlation_id for change in changes] == ["abc", other.headers["x-ms-correlation-request-id"]]
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
