"""What the product relies on in private endpoints, their connections, subscriptions and Resource Graph."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.mgmt.network.models import PrivateEndpoint
from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

from tests.contract.live.estate import DNS, NETWORK, RESOURCES, AzureEstate, Made, status_of


async def test_the_life_of_an_endpoint(azure_estate: AzureEstate) -> None:
    """Azure, ready with an interface, 404 when deleted, another guid when made anew (reference sections 2.6, 2.7)."""
    place, endpoints = azure_estate.place, azure_estate.network.private_endpoints
    endpoint_id = place.endpoint("life")
    name = endpoint_id.rsplit("/", 1)[1]
    azure_estate.made.append(Made(endpoint_id, NETWORK))
    wanted = PrivateEndpoint(azure_estate.endpoint_body())

    made = await (await endpoints.begin_create_or_update(place.group, name, wanted)).result()

    assert (made.id, made.provisioning_state) == (endpoint_id, "Succeeded")
    shown = await azure_estate.endpoint(endpoint_id)
    assert status_of(shown) == "Approved"
    (interface,) = made.network_interfaces or []
    assert interface.id is not None
    held = (await azure_estate.ask("GET", interface.id, version=NETWORK)).body["properties"]
    (configuration,) = held["ipConfigurations"]
    assert configuration["properties"]["privateIPAddress"].startswith("10.250.0.")
    assert configuration["properties"]["privateLinkConnectionProperties"]["groupId"] == "blob"
    assert held["privateEndpoint"]["id"].lower() == endpoint_id.lower()
    await (await endpoints.begin_delete(place.group, name)).result()
    with pytest.raises(ResourceNotFoundError) as raised:
        await endpoints.get(place.group, name)
    assert raised.value.error is not None
    assert raised.value.error.code == "ResourceNotFound"
    await (await endpoints.begin_create_or_update(place.group, name, wanted)).result()
    again = (await azure_estate.endpoint(endpoint_id)).get("resourceGuid")
    assert again is None or again != shown["resourceGuid"]


async def test_names_appear_with_the_approval_and_the_owner_can_end_it(azure_estate: AzureEstate) -> None:
    """Azure, Pending, Approved with names on the interface, Disconnected (behaviour reference sections 2.2, 2.3)."""
    place = azure_estate.place
    endpoint_id = await azure_estate.request_endpoint("waits", manual=True)
    assert status_of(await azure_estate.endpoint(endpoint_id)) == "Pending"
    connection = await azure_estate.connection_of(endpoint_id)
    assert connection["properties"]["privateLinkServiceConnectionState"]["status"] == "Pending"
    assert connection["properties"]["provisioningState"] == "Succeeded", "it would never be answered"

    assert (await azure_estate.decide(connection, "Approved")).status in (200, 201, 202)
    await azure_estate.follows(endpoint_id, "Approved")

    async def named() -> bool | None:
        return True if await azure_estate.interface_names(endpoint_id) == [place.fqdn] else None

    assert await azure_estate.until(named, "names on the interface")
    connections = azure_estate.storage.private_endpoint_connections
    account = place.account.rsplit("/", 1)[1]
    assert connection["name"] in {each.name async for each in connections.list(place.group, account)}
    await connections.delete(place.group, account, connection["name"])
    await azure_estate.follows(endpoint_id, "Disconnected")


async def test_a_zone_group_marks_its_record_and_takes_it_along(azure_estate: AzureEstate) -> None:
    """Azure, no customDnsConfigs, a record that tells whose it is and goes along (reference sections 2.3, 2.4)."""
    place = azure_estate.place
    endpoint_id = await azure_estate.request_endpoint("grouped")
    config = {"name": "blob", "properties": {"privateDnsZoneId": place.zone}}
    record_id = f"{place.zone}/A/hw{place.run}"
    azure_estate.made.insert(0, Made(record_id, DNS))

    await azure_estate.make(
        f"{endpoint_id}/privateDnsZoneGroups/default", {"properties": {"privateDnsZoneConfigs": [config]}}
    )

    shown = await azure_estate.endpoint(endpoint_id)
    assert not shown.get("customDnsConfigs")
    assert await azure_estate.interface_names(endpoint_id) == [place.fqdn]
    record = (await azure_estate.ask("GET", record_id, version=DNS)).body["properties"]
    assert record["metadata"]["creator"].startswith("created by private endpoint")
    assert shown.get("resourceGuid", "") in record["metadata"]["creator"]
    await azure_estate.remove(endpoint_id)

    async def gone() -> bool | None:
        return True if (await azure_estate.ask("GET", record_id, version=DNS)).status == 404 else None

    assert await azure_estate.until(gone, "the zone group's record gone")


async def test_a_subscription_tells_its_tenant(azure_estate: AzureEstate) -> None:
    """Azure, by tenantId the product knows whose an endpoint is (behaviour reference section 6.1)."""
    answer = await azure_estate.ask("GET", f"/subscriptions/{azure_estate.place.subscription}", version=RESOURCES)

    assert answer.status == 200
    assert answer.body["tenantId"]


async def test_resource_graph_answers_in_pages(azure_estate: AzureEstate) -> None:
    """Azure, truth in strings, a token as long as there is more (behaviour reference section 5.1)."""
    place = azure_estate.place
    query = f"resources | where resourceGroup =~ '{place.group}' | project id | order by id asc"

    async def ask(token: str | None = None) -> tuple[list[str], str | None]:
        options = QueryRequestOptions(top=1, skip_token=token, result_format="objectArray")
        request = QueryRequest(query=query, subscriptions=[place.subscription], options=options)
        page = await azure_estate.graph.resources(request)
        assert page.result_truncated == "false"
        rows: Any = page.data
        return [row["id"] for row in rows], page.skip_token

    async def second() -> str | None:
        return (await ask())[1]

    assert await azure_estate.until(second, "two rows in Resource Graph")
    found, token = await ask()
    while token:
        rows, token = await ask(token)
        found += rows
    assert len(found) > 1
    assert len(found) == len(set(found))
