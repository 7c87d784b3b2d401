"""What the product relies on in private DNS: conditions, statuses, limits, long operations."""

from __future__ import annotations

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.mgmt.privatedns.models import PrivateZone, RecordSet

from tests.azure import BLOB_ZONE
from tests.contract.live.estate import DNS, AzureEstate, Made, error_of, record_body


def a_record(*addresses: str, **metadata: str) -> RecordSet:
    """What the stock client writes."""
    return RecordSet(record_body(*addresses, **metadata))


async def test_a_record_is_created_then_changed(azure_estate: AzureEstate) -> None:
    """Azure, 201, then 200, a new etag also where nothing changed, metadata kept (behaviour reference section 3.3)."""
    path = await azure_estate.record("created", owner="us")
    first = (await azure_estate.ask("GET", path, version=DNS)).body
    again = await azure_estate.ask("PUT", path, record_body(owner="us"), version=DNS)
    fresh = f"{azure_estate.place.zone}/A/fresh"
    azure_estate.made.append(Made(fresh, DNS))

    assert (await azure_estate.ask("PUT", fresh, record_body(), version=DNS)).status == 201
    assert again.status == 200
    assert again.body["etag"] != first["etag"]
    assert again.body["properties"]["metadata"] == {"owner": "us"}
    assert again.body["properties"]["fqdn"] == f"created.{BLOB_ZONE}."
    assert again.body["properties"]["aRecords"] == [{"ipv4Address": "10.250.0.250"}]


async def test_a_record_that_is_there_is_not_created_again(azure_estate: AzureEstate) -> None:
    """Azure, If-None-Match: * on an existing set is 412 (behaviour reference section 3.4)."""
    await azure_estate.record("there")
    records = azure_estate.dns.record_sets
    group = azure_estate.place.group

    with pytest.raises(ResourceExistsError) as raised:
        await records.create_or_update(
            group, BLOB_ZONE, "A", "there", a_record(), match_condition=MatchConditions.IfMissing
        )

    assert raised.value.status_code == 412
    assert raised.value.error is not None
    assert raised.value.error.code == "PreconditionFailed"


async def test_only_what_was_read_is_changed_and_deleted(azure_estate: AzureEstate) -> None:
    """Azure, an old etag is 412 for PUT and DELETE, also of a set that is gone (reference sections 3.4, 3.9)."""
    group, same = azure_estate.place.group, MatchConditions.IfNotModified
    records = azure_estate.dns.record_sets
    await azure_estate.record("guarded")
    first = await records.get(group, BLOB_ZONE, "A", "guarded")
    second = await records.create_or_update(
        group, BLOB_ZONE, "A", "guarded", a_record("10.250.0.251"), etag=first.etag, match_condition=same
    )

    with pytest.raises(ResourceModifiedError):
        await records.create_or_update(
            group, BLOB_ZONE, "A", "guarded", a_record(), etag=first.etag, match_condition=same
        )
    with pytest.raises(ResourceModifiedError):
        await records.delete(group, BLOB_ZONE, "A", "guarded", etag=first.etag, match_condition=same)
    await records.delete(group, BLOB_ZONE, "A", "guarded", etag=second.etag, match_condition=same)
    with pytest.raises(ResourceNotFoundError):
        await records.get(group, BLOB_ZONE, "A", "guarded")
    with pytest.raises(ResourceModifiedError):
        await records.create_or_update(
            group, BLOB_ZONE, "A", "guarded", a_record(), etag=second.etag, match_condition=same
        )


async def test_a_record_set_holds_twenty_records(azure_estate: AzureEstate) -> None:
    """Azure, 20 records per set (behaviour reference section 3.7)."""
    addresses = [f"10.250.0.{n}" for n in range(1, 22)]
    path = await azure_estate.record("twenty", *addresses[:20])

    refused = await azure_estate.ask("PUT", path, record_body(*addresses), version=DNS)

    assert refused.status == 400
    assert len((await azure_estate.ask("GET", path, version=DNS)).body["properties"]["aRecords"]) == 20


async def test_a_record_needs_its_zone(azure_estate: AzureEstate) -> None:
    """Azure, a write into a missing zone is ParentResourceNotFound (behaviour reference section 3.8)."""
    missing = f"{azure_estate.place.zone}.missing"

    refused = await azure_estate.ask("PUT", f"{missing}/A/any", record_body(), version=DNS)

    assert (refused.status, error_of(refused)["code"]) == (404, "ParentResourceNotFound")
    assert (await azure_estate.ask("GET", missing, version=DNS)).status == 404


async def test_a_zone_comes_by_a_long_operation(azure_estate: AzureEstate) -> None:
    """Azure, 202, then a zone with its SOA and its numbers, listed in its group (behaviour reference section 3.2)."""
    place, zones = azure_estate.place, azure_estate.dns.private_zones
    name = f"hw{place.run}.example"
    azure_estate.made.append(Made(place.resource("Microsoft.Network/privateDnsZones", name), DNS))

    poller = await zones.begin_create_or_update(
        place.group, name, PrivateZone(location="global"), match_condition=MatchConditions.IfMissing
    )
    zone = await poller.result()

    assert zone.properties is not None
    assert zone.properties.provisioning_state == "Succeeded"
    assert (zone.properties.number_of_record_sets, zone.properties.max_number_of_record_sets) == (1, 25_000)
    assert {name, BLOB_ZONE} <= {each.name async for each in zones.list_by_resource_group(place.group)}
    with pytest.raises(HttpResponseError) as raised:
        await azure_estate.dns.record_sets.delete(place.group, name, "SOA", "@")
    assert raised.value.status_code == 400
