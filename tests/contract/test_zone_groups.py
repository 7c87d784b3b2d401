"""Zone groups: what Azure itself writes into zones, overwrites, and takes away."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.network.models import PrivateDnsZoneGroup

from simulator.server import Simulator
from simulator.world import Change
from simulator.zone_groups import record_name
from tests.azure import BLOB_ZONE, HUB, SPOKE, Azure, resource_id
from tests.contract.owners import connections, decide
from tests.unit.services import CLOUDS, lines

ENDPOINT = resource_id(SPOKE, "rg-spoke", "Microsoft.Network/privateEndpoints", "pe1")
ZONE_ID = resource_id(HUB, "rg-dns", "Microsoft.Network/privateDnsZones", BLOB_ZONE)
RECORD = f"{ZONE_ID}/A/st1"


def group(*zone_ids: str) -> dict[str, Any]:
    """The body of a zone group."""
    configs = [{"name": f"c{n}", "properties": {"privateDnsZoneId": each}} for n, each in enumerate(zone_ids)]
    return {"properties": {"privateDnsZoneConfigs": configs}}


@pytest.fixture
async def account(azure: Azure) -> str:
    """A storage account in a spoke, and a hub with its zone."""
    await azure.hub()
    return await azure.spoke()


async def attach(azure: Azure, endpoint_id: str = ENDPOINT, name: str = "default") -> None:
    """Attaches the hub's zone to an endpoint."""
    answer = await azure.arm("PUT", f"{endpoint_id}/privateDnsZoneGroups/{name}", group(ZONE_ID))
    assert answer.status == 201, answer.body
    await azure.settle()


async def addresses(azure: Azure) -> list[str]:
    """Where the hub's record points; nowhere if it is not there."""
    answer = await azure.arm("GET", RECORD)
    if answer.status == 404:
        return []
    return [each["ipv4Address"] for each in answer.body["properties"]["aRecords"]]


async def record_sets(azure: Azure, endpoint_id: str) -> list[dict[str, Any]]:
    """The record sets that an endpoint's zone group says it has."""
    shown = (await azure.arm("GET", f"{endpoint_id}/privateDnsZoneGroups/default")).body["properties"]
    return [each for config in shown["privateDnsZoneConfigs"] for each in config["properties"]["recordSets"]]


async def test_the_stock_client_attaches_and_detaches(azure: Azure, account: str, simulator: Simulator) -> None:
    """Azure, ttl 10, metadata creator, customDnsConfigs emptied (behaviour reference sections 2.3, 2.4)."""
    await azure.endpoint("pe1", account)
    guid = (await azure.arm("GET", ENDPOINT)).body["properties"]["resourceGuid"]
    groups = (await azure.network()).private_dns_zone_groups
    changes: list[Change] = []
    simulator.world.listeners.append(changes.append)

    poller = await groups.begin_create_or_update("rg-spoke", "pe1", "default", PrivateDnsZoneGroup(group(ZONE_ID)))
    attached = await poller.result()

    (config,) = attached.private_dns_zone_configs or []
    (record_set,) = config.record_sets or []
    assert (record_set.record_set_name, record_set.ttl, record_set.ip_addresses) == ("st1", 10, ["10.1.0.4"])
    record = (await azure.arm("GET", RECORD)).body["properties"]
    assert record["ttl"] == 10
    assert record["metadata"] == {"creator": f"created by private endpoint pe1 with resource guid {guid}"}
    endpoint = (await azure.arm("GET", ENDPOINT, query={"$expand": "networkInterfaces"})).body["properties"]
    assert endpoint["customDnsConfigs"] == []
    held = endpoint["networkInterfaces"][0]["properties"]["ipConfigurations"][0]["properties"]
    assert held["privateLinkConnectionProperties"]["fqdns"] == ["st1.blob.core.windows.net"]
    assert [change.operation.removeprefix("Microsoft.Network/") for change in changes] == [
        "privateDnsZones/A/write",
        "privateEndpoints/privateDnsZoneGroups/write",
    ]
    assert [each.name async for each in groups.list("pe1", "rg-spoke")] == ["default"]
    assert (await groups.get("rg-spoke", "pe1", "default")).id == f"{ENDPOINT}/privateDnsZoneGroups/default"

    await (await groups.begin_delete("rg-spoke", "pe1", "default")).result()
    assert await addresses(azure) == []
    assert len((await azure.arm("GET", ENDPOINT)).body["properties"]["customDnsConfigs"]) == 1
    assert (await azure.arm("DELETE", f"{ENDPOINT}/privateDnsZoneGroups/default")).status == 204


async def test_the_last_writer_wins_and_the_first_to_go_takes_the_record_along(azure: Azure, account: str) -> None:
    """Azure, no ownership check by content, neither on write nor on delete (behaviour reference section 2.4)."""
    await azure.endpoint("pe1", account)
    second = await azure.endpoint("pe2", account)
    await attach(azure)
    await attach(azure, second)
    assert await addresses(azure) == ["10.1.0.5"]

    await azure.arm("DELETE", ENDPOINT)
    await azure.settle()

    assert await addresses(azure) == []


async def test_rejecting_takes_the_record_away(azure: Azure, account: str) -> None:
    """Azure, approval writes the records of zone groups, rejection removes them (behaviour reference section 2.4)."""
    await azure.endpoint("pe1", account, manual=True)
    await attach(azure)
    assert await addresses(azure) == []
    (connection,) = (await azure.arm("GET", f"{account}/privateEndpointConnections")).body["value"]

    for status, expected in (("Approved", ["10.1.0.4"]), ("Rejected", [])):
        body = {"properties": {"privateLinkServiceConnectionState": {"status": status, "description": ""}}}
        await azure.arm("PUT", connection["id"], body)
        assert await addresses(azure) == expected


async def test_one_group_of_five_zones(azure: Azure, account: str) -> None:
    """Azure, one group per endpoint, five zones per group (behaviour reference section 2.4)."""
    await azure.endpoint("pe1", account)
    zones = [ZONE_ID, *[await azure.zone(f"privatelink.z{n}.example") for n in range(5)]]

    too_many = await azure.arm("PUT", f"{ENDPOINT}/privateDnsZoneGroups/default", group(*zones))
    assert too_many.status == 400
    missing = await azure.arm("PUT", f"{ENDPOINT}/privateDnsZoneGroups/default", group(f"{ZONE_ID}x"))
    assert missing.body["error"]["code"] == "InvalidResourceReference"
    await attach(azure)
    other = await azure.arm("PUT", f"{ENDPOINT}/privateDnsZoneGroups/other", group(ZONE_ID))
    assert other.status == 400
    again = await azure.arm("PUT", f"{ENDPOINT}/privateDnsZoneGroups/default", group(*zones[:5]))
    assert again.status == 200
    await azure.settle()
    configs = (await azure.arm("GET", f"{ENDPOINT}/privateDnsZoneGroups/default")).body["properties"]
    written = [config["properties"]["recordSets"] for config in configs["privateDnsZoneConfigs"]]
    assert [len(sets) for sets in written] == [1, 0, 0, 0, 0]


async def test_groups_take_one_operation_at_a_time(azure: Azure, account: str) -> None:
    """Azure, deleting a zone group twice is 409 AnotherOperationInProgress (behaviour reference section 2.4)."""
    await azure.endpoint("pe1", account)
    await attach(azure)
    groups = (await azure.network()).private_dns_zone_groups
    await azure.hold_operations()
    await azure.arm("DELETE", f"{ENDPOINT}/privateDnsZoneGroups/default")
    shown = await groups.get("rg-spoke", "pe1", "default")
    assert shown.provisioning_state == "Deleting"

    with pytest.raises(HttpResponseError) as raised:
        await groups.begin_delete("rg-spoke", "pe1", "default")

    assert raised.value.status_code == 409
    assert raised.value.error is not None
    assert raised.value.error.code == "AnotherOperationInProgress"


async def test_what_a_zone_refuses_stays_unwritten(azure: Azure, account: str) -> None:
    """Azure, a CNAME coexists with nothing, not even with a zone group's record (behaviour reference section 3.3)."""
    cname = {"properties": {"ttl": 10, "cnameRecord": {"cname": "other.example"}}}
    await azure.arm("PUT", f"{ZONE_ID}/CNAME/st1", cname)
    await azure.endpoint("pe1", account)

    await attach(azure)

    assert await addresses(azure) == []


async def test_a_group_outlives_its_zone(azure: Azure, account: str) -> None:
    """Azure, the zone is another team's, and may go first (behaviour reference section 2.4)."""
    await azure.endpoint("pe1", account)
    await attach(azure)
    await azure.arm("DELETE", ZONE_ID)
    await azure.settle()

    await azure.arm("DELETE", ENDPOINT)
    await azure.settle()

    assert (await azure.arm("GET", ENDPOINT)).status == 404


async def test_a_group_needs_its_endpoint(azure: Azure, account: str) -> None:
    """Azure, no endpoint, no group (behaviour reference section 2.4)."""
    path = f"{ENDPOINT}/privateDnsZoneGroups"
    for method, asked in (("PUT", f"{path}/default"), ("GET", path), ("GET", f"{path}/default")):
        assert (await azure.arm(method, asked, group() if method == "PUT" else None)).status == 404


@pytest.mark.parametrize(
    ("fqdn", "zone", "name"),
    [
        ("st1.blob.core.windows.net", "privatelink.blob.core.windows.net", "st1"),
        ("kv.vault.azure.net", "privatelink.vaultcore.azure.net", "kv"),
        ("app.scm.azurewebsites.net", "privatelink.azurewebsites.net", "app.scm"),
        ("reg.weu.data.azurecr.io", "privatelink.azurecr.io", "reg.weu.data"),
        ("b.weu.batch.azure.com", "weu.privatelink.batch.azure.com", "b"),
        ("*.x.inference.weu.api.azureml.ms", "privatelink.api.azureml.ms", "*.x.inference.weu"),
        ("agentsvc.azure-automation.net", "privatelink.agentsvc.azure-automation.net", "@"),
        ("rdweb.wvd.microsoft.com", "privatelink-global.wvd.microsoft.com", "rdweb"),
        ("7-ab-pod01-rec2.we.backup.windowsazure.com", "privatelink.we.backup.windowsazure.com", "7-ab-pod01-rec2"),
        ("7-id1.privatelink.we.backup.windowsazure.com.", "privatelink.we.backup.windowsazure.com", "7-id1"),
        ("7-id1.PrivateLink.we.backup.windowsazure.com", "privatelink.WE.backup.windowsazure.com", "7-id1"),
        ("es-1.z36.blob.storage.azure.net", "privatelink.blob.core.windows.net", "es-1.z36"),
    ],
)
def test_the_name_of_a_record(fqdn: str, zone: str, name: str) -> None:
    """Azure, the relative name is not always the first label (behaviour reference section 2.3)."""
    assert record_name(fqdn, zone) == name


# Of this one name the zone lacks a label that the public suffix has; what Azure makes of it is not known.
UNKNOWN_RECORD = "sigr-orders.service.signalr.azure.cn"


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_record_of_every_service_is_named_as_it_was_written_by_hand(cloud: str) -> None:
    """Section 2.3, for all services of Microsoft's table; the simulator has no catalogue to read it from."""
    known = [line for line in lines(cloud) if line.fqdn != UNKNOWN_RECORD]
    assert [(line.fqdn, record_name(line.fqdn, line.zone)) for line in known] == [
        (line.fqdn, line.record) for line in known
    ]


async def test_a_group_overwrites_what_somebody_wrote(azure: Azure, account: str) -> None:
    """Azure, an unconditional write replaces content and metadata of any record (reference sections 2.4, 3.9)."""
    by_hand = {"ttl": 3600, "aRecords": [{"ipv4Address": "10.9.9.9"}], "metadata": {"owner": "us"}}
    await azure.arm("PUT", RECORD, {"properties": by_hand})
    await azure.endpoint("pe1", account)

    await attach(azure)

    record = (await azure.arm("GET", RECORD)).body["properties"]
    assert (record["ttl"], await addresses(azure)) == (10, ["10.1.0.4"])
    assert list(record["metadata"]) == ["creator"]


@pytest.mark.parametrize("end", ["rejection", "removal", "group"])
async def test_whoever_goes_takes_the_others_record_along(azure: Azure, account: str, end: str) -> None:
    """Azure, no look at what the record says, also on rejection (behaviour reference section 2.4)."""
    await azure.endpoint("pe1", account)
    second = await azure.endpoint("pe2", account)
    await attach(azure)
    await attach(azure, second)
    assert await addresses(azure) == ["10.1.0.5"]
    first = next(
        each for each in await connections(azure, account) if each["properties"]["privateEndpoint"]["id"] == ENDPOINT
    )

    if end == "rejection":
        await decide(azure, first, "Rejected")
    else:
        gone = first["id"] if end == "removal" else f"{ENDPOINT}/privateDnsZoneGroups/default"
        await azure.arm("DELETE", gone)
        await azure.settle()

    assert await addresses(azure) == []
    assert len(await record_sets(azure, second)) == 1


async def test_a_later_update_rewrites_the_record(azure: Azure, account: str, changes: list[Change]) -> None:
    """Azure, a group that is written again writes its records again (behaviour reference section 2.4)."""
    await azure.endpoint("pe1", account)
    await attach(azure)
    await azure.arm("PUT", RECORD, {"properties": {"ttl": 10, "aRecords": [{"ipv4Address": "10.9.9.9"}]}})
    changes.clear()

    await azure.arm("PUT", f"{ENDPOINT}/privateDnsZoneGroups/default", group(ZONE_ID))
    await azure.settle()

    assert await addresses(azure) == ["10.1.0.4"]
    assert [change.operation.removeprefix("Microsoft.Network/") for change in changes] == [
        "privateDnsZones/A/write",
        "privateEndpoints/privateDnsZoneGroups/write",
    ]


async def test_a_group_leaves_the_zone_it_is_taken_from(azure: Azure, account: str) -> None:
    """Azure, a group has the records of the zones it names, no others (behaviour reference section 2.4)."""
    await azure.endpoint("pe1", account)
    await attach(azure)
    other = await azure.zone(group="rg-other")

    await azure.arm("PUT", f"{ENDPOINT}/privateDnsZoneGroups/default", group(other))
    await azure.settle()

    assert await addresses(azure) == []
    assert (await azure.arm("GET", f"{other}/A/st1")).status == 200


async def test_a_configuration_needs_a_name(azure: Azure, account: str) -> None:
    """Azure, without a name in it no record is made (behaviour reference section 2.4)."""
    await azure.endpoint("pe1", account)
    body = {"properties": {"privateDnsZoneConfigs": [{"properties": {"privateDnsZoneId": ZONE_ID}}]}}

    assert (await azure.arm("PUT", f"{ENDPOINT}/privateDnsZoneGroups/default", body)).status == 201
    await azure.settle()

    assert await addresses(azure) == []
    assert await record_sets(azure, ENDPOINT) == []


async def test_a_zone_of_another_name_gets_no_record(azure: Azure, account: str) -> None:
    """Azure, records are made only in zones named as recommended (behaviour reference section 2.4)."""
    await azure.endpoint("pe1", account)
    other = await azure.zone("blob.contoso.com")

    await azure.arm("PUT", f"{ENDPOINT}/privateDnsZoneGroups/default", group(other))
    await azure.settle()

    assert [each["name"] for each in (await azure.arm("GET", f"{other}/A")).body["value"]] == []
    assert (await azure.arm("GET", ENDPOINT)).body["properties"]["customDnsConfigs"] == []


@pytest.mark.parametrize("then", ["PUT", "DELETE", "DELETE endpoint"])
async def test_a_group_that_is_being_written_is_locked(azure: Azure, account: str, then: str) -> None:
    """Azure, 409 AnotherOperationInProgress for the group and what depends on it (reference sections 2.4, 6.1)."""
    await azure.endpoint("pe1", account)
    await azure.hold_operations()
    path = f"{ENDPOINT}/privateDnsZoneGroups/default"
    await azure.arm("PUT", path, group(ZONE_ID))

    method, _, endpoint = then.partition(" ")
    refused = await azure.arm(method, ENDPOINT if endpoint else path, group(ZONE_ID) if method == "PUT" else None)

    assert (refused.status, refused.body["error"]["code"]) == (409, "AnotherOperationInProgress")
    await azure.end_operations()
    assert await addresses(azure) == ["10.1.0.4"]


async def test_the_records_of_a_deleted_group_may_outlive_it(azure: Azure, account: str) -> None:
    """Azure, a group's deletion takes its records (behaviour reference section 2.4); when is not verified: a switch."""
    await azure.endpoint("pe1", account)
    await attach(azure)
    await azure.sim("POST", "settings", {"zoneGroupLingerMs": 60_000})

    await azure.arm("DELETE", f"{ENDPOINT}/privateDnsZoneGroups/default")
    await azure.settle()

    assert (await azure.arm("GET", f"{ENDPOINT}/privateDnsZoneGroups/default")).status == 404
    assert await addresses(azure) == ["10.1.0.4"]
    await azure.advance(60)
    assert await addresses(azure) == []
