"""Private DNS zones and their links, by the stock client and on the wire."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mgmt.privatedns.models import (
    PrivateZone,
    SubResource,
    VirtualNetworkLink,
    VirtualNetworkLinkProperties,
)

from tests.azure import BLOB_ZONE, HUB, Azure, resource_id

ZONE_ID = resource_id(HUB, "rg-dns", "Microsoft.Network/privateDnsZones", BLOB_ZONE)
NETWORK = resource_id(HUB, "rg-hub", "Microsoft.Network/virtualNetworks", "vnet-hub")


@pytest.fixture
async def dns(azure: Azure) -> Azure:
    """A subscription with the resource group that zones go into."""
    await azure.subscription(HUB)
    await azure.resource_group("rg-dns", HUB)
    return azure


async def test_the_stock_client_creates_and_deletes_a_zone(dns: Azure) -> None:
    """Azure, a zone's body and numbers (behaviour reference section 3.2)."""
    client = await dns.private_dns()

    poller = await client.private_zones.begin_create_or_update("rg-dns", BLOB_ZONE, PrivateZone(location="global"))
    zone = await poller.result()

    assert (zone.id, zone.location, zone.etag) == (ZONE_ID, "global", zone.etag)
    assert zone.properties is not None
    assert zone.properties.max_number_of_record_sets == 25_000
    assert zone.properties.number_of_record_sets == 1
    assert zone.properties.provisioning_state == "Succeeded"
    assert [each.name async for each in client.private_zones.list()] == [BLOB_ZONE]
    assert [each.name async for each in client.private_zones.list_by_resource_group("rg-dns")] == [BLOB_ZONE]
    assert [each.name async for each in client.private_zones.list_by_resource_group("RG-DNS")] == [BLOB_ZONE]

    await (await client.private_zones.begin_delete("rg-dns", BLOB_ZONE)).result()
    with pytest.raises(ResourceNotFoundError) as raised:
        await client.private_zones.get("rg-dns", BLOB_ZONE)
    assert raised.value.error is not None
    assert raised.value.error.code == "ResourceNotFound"


async def test_deleting_a_zone_that_is_not_there_is_no_error(dns: Azure) -> None:
    """Azure, 204 for the DELETE of a missing zone (behaviour reference section 3.2)."""
    assert (await dns.arm("DELETE", ZONE_ID)).status == 204


async def test_a_zone_is_not_there_before_its_operation_ends(dns: Azure) -> None:
    """Azure, the status address answers 202 until the end, then the zone is there (behaviour reference section 6.7)."""
    await dns.hold_operations()
    answer = await dns.arm("PUT", ZONE_ID, {"location": "global", "tags": {"a": "b"}})
    assert (await dns.arm("GET", ZONE_ID)).status == 404
    results = answer.headers["Location"]
    assert (await dns.arm("GET", results)).status == 202

    await dns.end_operations()

    assert (await dns.arm("GET", results)).body["tags"] == {"a": "b"}
    gone = await dns.arm("DELETE", ZONE_ID)
    await dns.end_operations()
    assert (await dns.arm("GET", gone.headers["location"])).status == 204


async def test_a_second_operation_on_a_zone_conflicts(dns: Azure) -> None:
    """Azure, two concurrent PUTs of one zone: Conflict, unwrapped (behaviour reference section 3.2)."""
    await dns.hold_operations()
    await dns.arm("PUT", ZONE_ID, {"location": "global"})

    answer = await dns.arm("PUT", ZONE_ID, {"location": "global"})

    assert (answer.status, answer.body["code"]) == (409, "Conflict")
    assert "UpsertPrivateDnsZone" in answer.body["message"]
    assert "|privateDnsZones|" in answer.body["message"]


async def test_a_zone_takes_conditions_and_keeps_its_spelling(dns: Azure) -> None:
    """Azure, If-None-Match and If-Match guard zones too (behaviour reference section 3.4)."""
    await dns.zone()
    client = await dns.private_dns()

    with pytest.raises(ResourceExistsError) as raised:
        await client.private_zones.begin_create_or_update(
            "rg-dns", BLOB_ZONE, PrivateZone(location="global"), match_condition=MatchConditions.IfMissing
        )
    assert raised.value.status_code == 412
    before = await client.private_zones.get("rg-dns", BLOB_ZONE)
    again = await client.private_zones.begin_create_or_update(
        "RG-dns",
        BLOB_ZONE.upper(),
        PrivateZone(location="global"),
        etag=before.etag,
        match_condition=MatchConditions.IfNotModified,
    )
    after = await again.result()
    assert after.id == ZONE_ID
    assert after.etag != before.etag


async def test_a_zone_with_links_cannot_be_deleted(dns: Azure) -> None:
    """Azure, a zone with links stays (behaviour reference section 3.2)."""
    await dns.link(await dns.zone(), NETWORK)

    answer = await dns.arm("DELETE", ZONE_ID)

    assert (answer.status, answer.body["error"]["code"]) == (409, "CannotDeleteResource")


async def test_the_stock_client_links_a_zone_to_a_network(dns: Azure) -> None:
    """Azure, a link's properties, by a long operation (behaviour reference sections 3.6, 3.10)."""
    await dns.zone()
    client = await dns.private_dns()
    properties = VirtualNetworkLinkProperties(
        virtual_network=SubResource(id=NETWORK), resolution_policy="NxDomainRedirect"
    )
    wanted = VirtualNetworkLink(location="global", properties=properties, tags={"a": "b"})

    link = await (
        await client.virtual_network_links.begin_create_or_update("rg-dns", BLOB_ZONE, "hub", wanted)
    ).result()

    assert link.id == f"{ZONE_ID}/virtualNetworkLinks/hub"
    assert link.properties is not None
    assert link.properties.virtual_network is not None
    assert link.properties.virtual_network.id == NETWORK
    assert link.properties.resolution_policy == "NxDomainRedirect"
    assert link.properties.registration_enabled is False
    assert link.properties.virtual_network_link_state == "Completed"
    assert [each.name async for each in client.virtual_network_links.list("rg-dns", BLOB_ZONE)] == ["hub"]
    zone = await client.private_zones.get("rg-dns", BLOB_ZONE)
    assert zone.properties is not None
    assert zone.properties.number_of_virtual_network_links == 1

    await (await client.virtual_network_links.begin_delete("rg-dns", BLOB_ZONE, "hub")).result()
    zone = await client.private_zones.get("rg-dns", BLOB_ZONE)
    assert zone.properties is not None
    assert zone.properties.number_of_virtual_network_links == 0


@pytest.mark.parametrize(("version", "shown"), [("2020-06-01", False), ("2018-09-01", False), ("2024-06-01", True)])
async def test_older_versions_do_not_show_the_resolution_policy(dns: Azure, version: str, shown: bool) -> None:
    """Azure, resolutionPolicy came with 2024-06-01 (behaviour reference section 3.10)."""
    link = await dns.link(await dns.zone(), NETWORK)

    one = await dns.arm("GET", link, version=version)
    many = await dns.arm("GET", f"{ZONE_ID}/virtualNetworkLinks", version=version)

    assert ("resolutionPolicy" in one.body["properties"]) is shown
    assert ("resolutionPolicy" in many.body["value"][0]["properties"]) is shown


async def test_a_link_can_be_changed_but_not_twice_at_once(dns: Azure) -> None:
    """Azure, links are written like zones (behaviour reference section 3.6)."""
    link = await dns.link(await dns.zone(), NETWORK)
    body = {"properties": {"virtualNetwork": {"id": NETWORK}, "registrationEnabled": True}}

    await dns.hold_operations()
    assert (await dns.arm("PUT", link, body, headers={"If-None-Match": "*"})).status == 412
    assert (await dns.arm("PUT", link.upper().replace("/SUBSCRIPTIONS", "/subscriptions"), body)).status == 202
    assert (await dns.arm("PUT", link, body)).status == 409
    assert (await dns.arm("DELETE", link)).status == 409
    await dns.end_operations()
    changed = await dns.arm("GET", link)
    assert changed.body["id"] == link
    assert changed.body["properties"]["registrationEnabled"] is True
    zone = await dns.arm("GET", ZONE_ID)
    assert zone.body["properties"]["numberOfVirtualNetworkLinksWithRegistration"] == 1


async def test_a_link_needs_a_network_and_a_zone(dns: Azure) -> None:
    """Azure, a child without its parent is ParentResourceNotFound (behaviour reference section 3.8)."""
    link = f"{ZONE_ID}/virtualNetworkLinks/hub"
    body = {"properties": {"virtualNetwork": {"id": NETWORK}}}

    for method, path in (("PUT", link), ("GET", link), ("GET", f"{ZONE_ID}/virtualNetworkLinks")):
        answer = await dns.arm(method, path, body if method == "PUT" else None)
        assert (answer.status, answer.body["error"]["code"]) == (404, "ParentResourceNotFound")
    await dns.zone()
    assert (await dns.arm("PUT", link, {"properties": {}})).status == 400
    assert (await dns.arm("GET", link)).body["error"]["code"] == "ResourceNotFound"


async def test_a_link_whose_zone_goes_meanwhile_fails(dns: Azure) -> None:
    """Azure, a long operation can fail; its status says why (behaviour reference section 6.4)."""
    await dns.zone()
    await dns.hold_operations()
    client = await dns.private_dns()
    properties = VirtualNetworkLinkProperties(virtual_network=SubResource(id=NETWORK))
    wanted = VirtualNetworkLink(location="global", properties=properties)
    poller = await client.virtual_network_links.begin_create_or_update("rg-dns", BLOB_ZONE, "hub", wanted)
    await dns.sim("DELETE", "resources", id=ZONE_ID)
    await dns.end_operations()

    with pytest.raises(HttpResponseError) as raised:
        await poller.result()
    assert raised.value.error is not None
    assert raised.value.error.code == "ParentResourceNotFound"


async def test_the_result_of_a_failed_operation_is_its_refusal(dns: Azure) -> None:
    """Azure, the Location address tells the same end as the status address (behaviour reference section 6.4)."""
    await dns.zone()
    body = {"properties": {"virtualNetwork": {"id": NETWORK}}}
    await dns.hold_operations()
    started = await dns.arm("PUT", f"{ZONE_ID}/virtualNetworkLinks/hub", body)
    await dns.sim("DELETE", "resources", id=ZONE_ID)
    await dns.end_operations()

    answer = await dns.arm("GET", started.headers["Location"])

    assert (answer.status, answer.body["error"]["code"]) == (404, "ParentResourceNotFound")


@pytest.mark.parametrize("registration", [False, True])
async def test_links_are_limited(dns: Azure, registration: bool) -> None:
    """Azure, 1000 links per zone, 100 of them with registration (behaviour reference section 3.7)."""
    zone_id = await dns.zone()
    links: list[dict[str, Any]] = [
        {
            "id": f"{zone_id}/virtualNetworkLinks/link{n}",
            "name": f"link{n}",
            "properties": {"registrationEnabled": registration, "virtualNetwork": {"id": f"{NETWORK}{n}"}},
        }
        for n in range(100 if registration else 1000)
    ]
    await dns.put(*links)
    body = {"properties": {"virtualNetwork": {"id": NETWORK}, "registrationEnabled": registration}}

    assert (await dns.arm("PUT", f"{zone_id}/virtualNetworkLinks/more", body)).status == 400
    assert (await dns.arm("PUT", f"{zone_id}/virtualNetworkLinks/link0", body)).status == 202


@pytest.mark.parametrize(("lower", "group"), [(True, "rg-dns"), (False, "RG-Dns")])
async def test_zone_and_record_ids_may_spell_the_group_in_lower_case(dns: Azure, lower: bool, group: str) -> None:
    """Azure, captured zone and record ids have the group in lower case (behaviour reference section 6.5)."""
    await dns.sim("POST", "settings", {"lowerCaseDnsGroups": lower})
    asked = ZONE_ID.replace("rg-dns", "RG-Dns")
    await dns.arm("PUT", asked, {"location": "global"})
    await dns.settle()

    record = await dns.arm("PUT", f"{asked}/A/x", {"properties": {"ttl": 10}})

    assert f"/resourceGroups/{group}/" in (await dns.arm("GET", asked)).body["id"]
    assert f"/resourceGroups/{group}/" in record.body["id"]


async def test_an_operation_nobody_started_is_not_found(dns: Azure) -> None:
    """Azure, 404 on the status address raises in the client (behaviour reference section 6.4)."""
    base = f"/subscriptions/{HUB}/resourceGroups/rg-dns/providers/Microsoft.Network"
    for token in ("bm90LW9uZQ==", "not-base64!"):
        assert (await dns.arm("GET", f"{base}/privateDnsOperationStatuses/{token}")).status == 404
