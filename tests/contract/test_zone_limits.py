"""How much a zone takes, which zones a network may see, and who may link them."""

from __future__ import annotations

import pytest

from tests.azure import BLOB_ZONE, HUB, Azure, resource_id
from tests.contract.test_roles import DNS_CONTRIBUTOR, READER, assign
from tests.contract.test_zones import NETWORK, ZONE_ID

RECORD = {"properties": {"ttl": 10, "aRecords": [{"ipv4Address": "10.0.0.4"}]}}
LINK = {"location": "global", "properties": {"virtualNetwork": {"id": NETWORK}}}


@pytest.fixture
async def dns(azure: Azure) -> Azure:
    """A subscription with a zone."""
    await azure.hub()
    return azure


@pytest.mark.parametrize(("refusal", "code"), [("400", "BadRequest"), ("409", "Conflict")])
async def test_a_zone_takes_so_many_record_sets_and_no_more(dns: Azure, refusal: str, code: str) -> None:
    """Azure, 25,000 (behaviour reference section 3.7); its SOA counts. How one more is refused is not verified."""
    await dns.sim("POST", "settings", {"maxRecordSets": 3, "zoneFullRefusal": refusal})
    for name in ("a", "b"):
        assert (await dns.arm("PUT", f"{ZONE_ID}/A/{name}", RECORD)).status == 201

    answer = await dns.arm("PUT", f"{ZONE_ID}/A/c", RECORD)

    assert (answer.status, answer.body["code"]) == (int(refusal), code)
    zone = (await dns.arm("GET", ZONE_ID)).body["properties"]
    assert (zone["numberOfRecordSets"], zone["maxNumberOfRecordSets"]) == (3, 3)
    assert (await dns.arm("PUT", f"{ZONE_ID}/A/b", RECORD)).status == 200, "what stands there is changed all the same"
    await dns.arm("DELETE", f"{ZONE_ID}/A/b")
    assert (await dns.arm("PUT", f"{ZONE_ID}/A/c", RECORD)).status == 201


async def test_a_zone_takes_twenty_five_thousand_unless_told_otherwise(dns: Azure) -> None:
    """Azure, limits of private zones (behaviour reference section 3.7)."""
    await dns.arm("PUT", f"{ZONE_ID}/A/a", RECORD)
    assert (await dns.arm("GET", ZONE_ID)).body["properties"]["maxNumberOfRecordSets"] == 25_000


async def test_a_network_sees_one_zone_of_a_name(dns: Azure) -> None:
    """Azure, BadRequest where it is linked to another zone of that name (MicrosoftDocs/azure-aks-docs#212)."""
    other = await dns.zone(group="rg-elsewhere")
    await dns.link(other, NETWORK)

    answer = await dns.arm("PUT", f"{ZONE_ID}/virtualNetworkLinks/hub", LINK)

    assert (answer.status, answer.body["code"]) == (400, "BadRequest")
    assert answer.body["message"] == (
        "A virtual network cannot be linked to multiple zones with overlapping namespaces. "
        f"You tried to link virtual network with '{BLOB_ZONE}' and '{BLOB_ZONE}' zones."
    )
    elsewhere = {**LINK, "properties": {"virtualNetwork": {"id": f"{NETWORK}2"}}}
    assert (await dns.arm("PUT", f"{ZONE_ID}/virtualNetworkLinks/hub", elsewhere)).status == 202


async def test_whoever_links_a_network_must_be_allowed_to_join_it(dns: Azure) -> None:
    """Azure, the built-in Private DNS Zone Contributor has virtualNetworks/join/action for that."""
    for scope, role in ((f"/subscriptions/{HUB}", READER), (ZONE_ID, DNS_CONTRIBUTOR)):
        await assign(dns, scope, role, "guest")
    await dns.sim("POST", "settings", {"rbac": True})
    async with Azure(dns.url, "guest") as guest:
        refused = await guest.arm("PUT", f"{ZONE_ID}/virtualNetworkLinks/hub", LINK)
        await assign(dns, NETWORK, DNS_CONTRIBUTOR, "guest")
        taken = await guest.arm("PUT", f"{ZONE_ID}/virtualNetworkLinks/hub", LINK)

    assert (refused.status, refused.body["error"]["code"]) == (403, "LinkedAuthorizationFailed")
    assert NETWORK in refused.body["error"]["message"]
    assert taken.status == 202


async def test_a_zone_keeps_the_tags_that_it_was_made_with(dns: Azure) -> None:
    """Azure, tags are those of the last PUT (behaviour reference section 3.2); the list shows them, too."""
    name = "privatelink.queue.core.windows.net"
    queue = resource_id(HUB, "rg-dns", "Microsoft.Network/privateDnsZones", name)
    await dns.arm("PUT", queue, {"location": "global", "tags": {"hubwarden": "contoso"}})
    await dns.settle()
    await dns.arm("PUT", f"{queue}/A/x", RECORD)

    listed = await dns.arm("GET", ZONE_ID.rpartition("/")[0])

    assert {each["name"]: each.get("tags") for each in listed.body["value"]} == {
        BLOB_ZONE: None,
        name: {"hubwarden": "contoso"},
    }
