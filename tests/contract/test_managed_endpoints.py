"""Managed private endpoints: what their owner sees at the resource, and what the target's owner sees."""

from __future__ import annotations

from typing import Any

import pytest

from tests.azure import SPOKE, Azure, resource_id

FACTORY = resource_id(SPOKE, "rg-spoke", "Microsoft.DataFactory/factories", "adf1")
NETWORK = f"{FACTORY}/managedVirtualNetworks/default"
SEARCH = resource_id(SPOKE, "rg-spoke", "Microsoft.Search/searchServices", "srch1")
GRAFANA = resource_id(SPOKE, "rg-spoke", "Microsoft.Dashboard/grafana", "graf1")
PROFILE = resource_id(SPOKE, "rg-spoke", "Microsoft.Cdn/profiles", "afd1")
ORIGINS = f"{PROFILE}/originGroups/og1/origins"
LISTS = {
    "factory": f"{NETWORK}/managedPrivateEndpoints",
    "search": f"{SEARCH}/sharedPrivateLinkResources",
    "grafana": f"{GRAFANA}/managedPrivateEndpoints",
    "front door": ORIGINS,
}


def wanted(kind: str, target: str) -> dict[str, Any]:
    """What the owner asks for, in the resource's own words."""
    match kind:
        case "factory":
            return {"privateLinkResourceId": target, "groupId": "blob", "fqdns": []}
        case "search":
            return {"privateLinkResourceId": target, "groupId": "blob", "requestMessage": "please"}
        case "grafana":
            return {"privateLinkResourceId": target, "groupIds": ["blob"], "privateLinkResourceRegion": "westeurope"}
        case _:
            link = {"privateLink": {"id": target}, "groupId": "blob", "privateLinkLocation": "westeurope"}
            return {"hostName": "st1.blob.core.windows.net", "sharedPrivateLinkResource": link}


def status(kind: str, properties: dict[str, Any]) -> Any:
    """The state, where that kind of resource shows it."""
    match kind:
        case "search":
            return properties.get("status")
        case "front door":
            return properties["sharedPrivateLinkResource"].get("status")
        case _:
            return properties["connectionState"]["status"]


async def managers(azure: Azure) -> None:
    """One resource of each kind."""
    for each in (FACTORY, NETWORK, SEARCH, GRAFANA, PROFILE, f"{PROFILE}/originGroups/og1"):
        await azure.put({"id": each, "name": each.rsplit("/", 1)[1], "location": "westeurope", "properties": {}})


async def made(azure: Azure, kind: str, target: str, name: str = "mpe1") -> dict[str, Any]:
    """A managed endpoint of that kind of resource, as its owner has it made."""
    answer = await azure.arm("PUT", f"{LISTS[kind]}/{name}", {"properties": wanted(kind, target)})
    assert answer.status == 200
    body: dict[str, Any] = answer.body
    return body


async def listed(azure: Azure, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await azure.arm("GET", path)).body["value"]
    return found


@pytest.mark.parametrize("kind", LISTS)
async def test_it_waits_at_the_target_and_follows_the_answer(azure: Azure, account: str, kind: str) -> None:
    """Azure, Microsoft's page on managed private endpoints: Pending until the target's owner approves it."""
    await managers(azure)

    endpoint = await made(azure, kind, account)

    assert (status(kind, endpoint["properties"]), endpoint["properties"]["provisioningState"]) == (
        "Pending",
        "Succeeded",
    )
    assert await listed(azure, LISTS[kind]) == [endpoint]
    (waiting,) = await listed(azure, f"{account}/privateEndpointConnections")
    waiting["properties"]["privateLinkServiceConnectionState"]["status"] = "Approved"
    assert (await azure.arm("PUT", waiting["id"], waiting)).status < 300
    await azure.settle()
    assert [status(kind, each["properties"]) for each in await listed(azure, LISTS[kind])] == ["Approved"]


async def test_its_endpoint_lies_in_a_subscription_that_answers_nobody(azure: Azure, account: str) -> None:
    """Azure, the endpoint is Microsoft's: neither ARM nor the index shows it to the estate."""
    await managers(azure)
    await made(azure, "factory", account)

    (waiting,) = await listed(azure, f"{account}/privateEndpointConnections")

    endpoint = waiting["properties"]["privateEndpoint"]["id"]
    assert not endpoint.startswith(f"/subscriptions/{SPOKE}")
    assert (await azure.arm("GET", endpoint)).status == 401
    query = "resources | where type =~ 'microsoft.network/privateendpoints' | project id"
    answer = await azure.arm("POST", "/providers/Microsoft.ResourceGraph/resources", {"query": query})
    assert answer.body["data"] == []


async def test_what_is_made_again_keeps_its_endpoint(azure: Azure, account: str) -> None:
    await managers(azure)
    await made(azure, "factory", account)
    await made(azure, "factory", account)
    assert len(await listed(azure, f"{account}/privateEndpointConnections")) == 1


async def test_a_profile_has_one_endpoint_for_all_origins_of_one_place(azure: Azure, account: str) -> None:
    """Azure, Microsoft's page on Private Link in Azure Front Door Premium: same target, group and location."""
    await managers(azure)
    for name in ("one", "two"):
        await made(azure, "front door", account, name)
    plain = {"properties": {"hostName": "example.com"}}
    assert (await azure.arm("PUT", f"{ORIGINS}/plain", plain)).status == 200

    assert len(await listed(azure, f"{account}/privateEndpointConnections")) == 1
    private = [each["properties"] for each in await listed(azure, ORIGINS) if each["name"] != "plain"]
    assert [status("front door", each) for each in private] == ["Pending", "Pending"]


async def test_whether_an_origin_shows_how_far_it_is(azure: Azure, account: str) -> None:
    await azure.sim("POST", "settings", {"originStatusShown": False})
    await managers(azure)
    assert status("front door", (await made(azure, "front door", account))["properties"]) is None


async def test_what_is_listed_first(azure: Azure, account: str) -> None:
    await managers(azure)
    assert [each["id"] for each in await listed(azure, f"{FACTORY}/managedVirtualNetworks")] == [NETWORK]
    assert [each["name"] for each in await listed(azure, f"{PROFILE}/originGroups")] == ["og1"]


async def test_a_document_that_was_put_in_is_shown_as_it_is(azure: Azure, account: str) -> None:
    await managers(azure)
    document = {"id": f"{SEARCH}/sharedPrivateLinkResources/s", "name": "s", "properties": {"status": "Timeout"}}
    await azure.put(document)
    assert await listed(azure, LISTS["search"]) == [document]


async def test_nothing_leads_nowhere(azure: Azure, account: str) -> None:
    await managers(azure)
    body = {"properties": wanted("factory", f"{account}x")}
    answer = await azure.arm("PUT", f"{LISTS['factory']}/mpe1", body)
    assert (answer.status, answer.body["error"]["code"]) == (400, "InvalidResourceReference")
    await azure.put({"id": f"{FACTORY}2", "name": "adf12", "location": "westeurope", "properties": {}})
    assert (await azure.arm("GET", f"{FACTORY}2/managedVirtualNetworks/default/managedPrivateEndpoints")).status == 404
