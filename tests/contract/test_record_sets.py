"""Record sets: created, guarded by etags, listed and deleted."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.mgmt.privatedns.models import ARecord, RecordSet, RecordSetProperties

from tests.azure import BLOB_ZONE, HUB, Azure, resource_id

ZONE_ID = resource_id(HUB, "rg-dns", "Microsoft.Network/privateDnsZones", BLOB_ZONE)


def a_record(address: str = "10.0.0.4", **metadata: str) -> RecordSet:
    """What the stock client writes."""
    properties = RecordSetProperties(ttl=10, a_records=[ARecord(ipv4_address=address)], metadata=metadata)
    return RecordSet(properties=properties)


def body(*addresses: str, ttl: Any = 10, **more: Any) -> dict[str, Any]:
    """What goes over the wire."""
    return {"properties": {"ttl": ttl, "aRecords": [{"ipv4Address": each} for each in addresses], **more}}


@pytest.fixture
async def zone(azure: Azure) -> Azure:
    """A zone to write into."""
    await azure.hub()
    return azure


async def test_the_stock_client_writes_reads_and_deletes(zone: Azure) -> None:
    """Azure, 201 then 200, a trailing dot, metadata kept (behaviour reference section 3.3)."""
    records = (await zone.private_dns()).record_sets

    created = await records.create_or_update("rg-dns", BLOB_ZONE, "A", "st1", a_record(owner="us"))
    again = await records.create_or_update("rg-dns", BLOB_ZONE, "A", "st1", a_record(owner="us"))

    assert created.id == f"{ZONE_ID}/A/st1"
    assert created.properties is not None
    assert created.properties.fqdn == f"st1.{BLOB_ZONE}."
    assert created.properties.metadata == {"owner": "us"}
    assert created.etag != again.etag  # also where nothing changed
    assert (await records.get("rg-dns", BLOB_ZONE, "A", "ST1")).etag == again.etag
    assert [each["status"] for each in await zone.requests()][:2] == [201, 200]
    await records.delete("rg-dns", BLOB_ZONE, "A", "st1")
    await records.delete("rg-dns", BLOB_ZONE, "A", "st1")
    assert [each["status"] for each in await zone.requests()][-2:] == [200, 204]


async def test_create_only(zone: Azure) -> None:
    """Azure, IfMissing on an existing set is ResourceExistsError with status 412 (behaviour reference section 3.4)."""
    records = (await zone.private_dns()).record_sets
    missing = MatchConditions.IfMissing
    await records.create_or_update("rg-dns", BLOB_ZONE, "A", "st1", a_record(), match_condition=missing)

    with pytest.raises(ResourceExistsError) as raised:
        await records.create_or_update("rg-dns", BLOB_ZONE, "A", "st1", a_record(), match_condition=missing)

    assert raised.value.status_code == 412
    assert raised.value.error is not None
    assert raised.value.error.code == "PreconditionFailed"


async def test_change_only_what_was_read(zone: Azure) -> None:
    """Azure, an old etag is ResourceModifiedError; the client quotes it (behaviour reference section 3.4)."""
    records = (await zone.private_dns()).record_sets
    same = MatchConditions.IfNotModified
    first = await records.create_or_update("rg-dns", BLOB_ZONE, "A", "st1", a_record())
    second = await records.create_or_update(
        "rg-dns", BLOB_ZONE, "A", "st1", a_record("10.0.0.5"), etag=first.etag, match_condition=same
    )

    with pytest.raises(ResourceModifiedError):
        await records.create_or_update(
            "rg-dns", BLOB_ZONE, "A", "st1", a_record(), etag=first.etag, match_condition=same
        )
    with pytest.raises(ResourceModifiedError):
        await records.delete("rg-dns", BLOB_ZONE, "A", "st1", etag=first.etag, match_condition=same)
    await records.delete("rg-dns", BLOB_ZONE, "A", "st1", etag=second.etag, match_condition=same)


async def test_an_etag_alone_sends_no_header(zone: Azure) -> None:
    """Azure, etag without a match condition is an unconditional write (behaviour reference section 3.4)."""
    records = (await zone.private_dns()).record_sets

    written = await records.create_or_update("rg-dns", BLOB_ZONE, "A", "st1", a_record(), etag="made up")

    assert written.name == "st1"


async def test_change_only_what_is_there(zone: Azure) -> None:
    """Azure, IfPresent on a missing set is ResourceNotFoundError with status 412 (behaviour reference section 3.4)."""
    records = (await zone.private_dns()).record_sets

    with pytest.raises(ResourceNotFoundError) as raised:
        await records.create_or_update(
            "rg-dns", BLOB_ZONE, "A", "st1", a_record(), match_condition=MatchConditions.IfPresent
        )
    assert raised.value.status_code == 412
    assert (await zone.arm("PUT", f"{ZONE_ID}/A/st1", body(), headers={"If-Match": "x"})).status == 412


@pytest.mark.parametrize("quote", ["", '"'])
async def test_an_etag_may_come_bare_or_quoted(zone: Azure, quote: str) -> None:
    """Azure, old clients sent it bare, new ones quote it (behaviour reference section 3.4)."""
    written = await zone.arm("PUT", f"{ZONE_ID}/A/st1", body("10.0.0.4"))
    etag = written.body["etag"]

    answer = await zone.arm("PUT", f"{ZONE_ID}/A/st1", body(), headers={"If-Match": f"{quote}{etag}{quote}"})

    assert answer.status == 200
    assert answer.body["properties"]["aRecords"] == []


@pytest.mark.parametrize(("insists", "status"), [(False, 204), (True, 412)])
async def test_deleting_a_missing_set_with_an_etag(zone: Azure, insists: bool, status: int) -> None:
    """Azure, the answer to this is unverified, so a switch (behaviour reference section 3.4)."""
    await zone.sim("POST", "settings", {"missingDeleteInsists": insists})

    assert (await zone.arm("DELETE", f"{ZONE_ID}/A/st1", headers={"If-Match": "x"})).status == status
    assert (await zone.arm("DELETE", f"{ZONE_ID}/A/st1")).status == 204


@pytest.mark.parametrize(("wrapped", "path"), [(False, ["code"]), (True, ["error", "code"])])
async def test_a_missing_set(zone: Azure, wrapped: bool, path: list[str]) -> None:
    """Azure, the shape of this 404 is unverified, so a switch (behaviour reference section 3.8)."""
    await zone.sim("POST", "settings", {"recordNotFoundWrapped": wrapped})

    answer = await zone.arm("GET", f"{ZONE_ID}/A/st1")

    assert answer.status == 404
    assert answer.body[path[0]] if len(path) == 1 else answer.body["error"]["code"] == "ResourceNotFound"
    with pytest.raises(ResourceNotFoundError):
        await (await zone.private_dns()).record_sets.get("rg-dns", BLOB_ZONE, "A", "st1")


async def test_put_replaces_and_patch_merges(zone: Azure) -> None:
    """Azure, PUT drops what is left out; PATCH replaces the metadata it names (behaviour reference section 3.3)."""
    path = f"{ZONE_ID}/A/st1"
    await zone.arm("PUT", path, body("10.0.0.4", metadata={"a": "1"}))

    patched = await zone.arm("PATCH", path, {"properties": {"metadata": {"b": "2"}}})
    assert patched.status == 200
    assert patched.body["properties"]["metadata"] == {"b": "2"}
    assert patched.body["properties"]["aRecords"] == [{"ipv4Address": "10.0.0.4"}]
    assert "metadata" not in (await zone.arm("PATCH", path, {"properties": {"metadata": {}}})).body["properties"]
    assert (await zone.arm("PATCH", path, {}, headers={"If-Match": "x"})).status == 412
    assert (await zone.arm("PATCH", f"{ZONE_ID}/A/other", {})).status == 404
    await zone.arm("PUT", path, body("10.0.0.4", metadata={"a": "1"}))
    assert "metadata" not in (await zone.arm("PUT", path, body("10.0.0.4"))).body["properties"]


async def test_the_type_is_spelt_in_upper_case_and_the_name_as_given(zone: Azure) -> None:
    """Azure, /a/ is accepted and answered as /A/ (behaviour reference section 3.3)."""
    created = await zone.arm("PUT", f"{ZONE_ID}/a/App.Scm", body())
    again = await zone.arm("PUT", f"{ZONE_ID.upper().replace('/SUBSCRIPTIONS', '/subscriptions')}/A/app.scm", body())

    assert created.body["id"] == f"{ZONE_ID}/A/App.Scm"
    assert created.body["type"] == "Microsoft.Network/privateDnsZones/A"
    assert (again.status, again.body["id"], again.body["name"]) == (200, created.body["id"], "App.Scm")


@pytest.mark.parametrize(
    ("name", "fqdn"), [("@", f"{BLOB_ZONE}."), ("*", f"*.{BLOB_ZONE}."), ("*.a", f"*.a.{BLOB_ZONE}.")]
)
async def test_names_go_over_the_wire_as_they_are(zone: Azure, name: str, fqdn: str) -> None:
    """Azure, @ is the apex, * a wildcard, neither is quoted (behaviour reference section 3.3)."""
    records = (await zone.private_dns()).record_sets

    written = await records.create_or_update("rg-dns", BLOB_ZONE, "A", name, a_record())

    assert written.properties is not None
    assert (written.name, written.properties.fqdn) == (name, fqdn)


@pytest.mark.parametrize(
    ("record_type", "properties"),
    [
        pytest.param("A", {"aRecords": []}, id="no ttl"),
        pytest.param("A", {"ttl": 0}, id="ttl too small"),
        pytest.param("A", {"ttl": 2_147_483_648}, id="ttl too large"),
        pytest.param("A", {"ttl": "10"}, id="ttl a text"),
        pytest.param("A", {"ttl": 10, "aRecords": [{"ipv4Address": "10.0.0.256"}]}, id="no address"),
        pytest.param("A", {"ttl": 10, "aRecords": [{}]}, id="address left out"),
        pytest.param("A", {"ttl": 10, "aRecords": ["10.0.0.4"]}, id="no record"),
        pytest.param("A", {"ttl": 10, "aRecords": {}, "x": 1} | {"aRecords": {"ipv4Address": "1"}}, id="no list"),
        pytest.param(
            "A", {"ttl": 10, "aRecords": [{"ipv4Address": f"10.0.0.{n}"} for n in range(21)]}, id="21 records"
        ),
        pytest.param("CNAME", {"ttl": 10}, id="no cname"),
        pytest.param("SOA", {"ttl": 10, "soaRecord": {}}, id="a second SOA"),
    ],
)
async def test_what_is_no_record_set_is_refused(zone: Azure, record_type: str, properties: dict[str, Any]) -> None:
    """Azure, ttl 1 to 2147483647, at most 20 records, addresses of the type (behaviour reference sections 3.3, 3.7)."""
    answer = await zone.arm("PUT", f"{ZONE_ID}/{record_type}/x", {"properties": properties})

    assert (answer.status, answer.body["code"]) == (400, "BadRequest")


async def test_twenty_records_are_allowed(zone: Azure) -> None:
    """Azure, 20 records per set (behaviour reference section 3.7)."""
    assert (await zone.arm("PUT", f"{ZONE_ID}/A/x", body(*(f"10.0.0.{n}" for n in range(20))))).status == 201


async def test_a_cname_is_alone_at_its_name(zone: Azure) -> None:
    """Azure, CNAME coexists with nothing and is never at the apex (behaviour reference section 3.3)."""
    cname = {"properties": {"ttl": 10, "cnameRecord": {"cname": "other.example"}}}
    text = {"properties": {"ttl": 10, "txtRecords": [{"value": ["x"]}]}}

    assert (await zone.arm("PUT", f"{ZONE_ID}/CNAME/@", cname)).status == 400
    assert (await zone.arm("PUT", f"{ZONE_ID}/CNAME/x", cname)).status == 201
    assert (await zone.arm("PUT", f"{ZONE_ID}/CNAME/x", cname)).status == 200
    assert (await zone.arm("PUT", f"{ZONE_ID}/A/x", body())).status == 400
    assert (await zone.arm("PUT", f"{ZONE_ID}/A/y", body())).status == 201
    assert (await zone.arm("PUT", f"{ZONE_ID}/CNAME/y", cname)).status == 400
    assert (await zone.arm("PUT", f"{ZONE_ID}/TXT/y", text)).status == 201


async def test_the_soa_is_there_and_stays(zone: Azure) -> None:
    """Azure, the SOA comes with the zone and cannot be deleted (behaviour reference section 3.3)."""
    client = await zone.private_dns()

    soa = await client.record_sets.get("rg-dns", BLOB_ZONE, "SOA", "@")
    assert soa.properties is not None
    assert soa.properties.soa_record is not None
    assert soa.properties.soa_record.minimum_ttl == 10
    with pytest.raises(HttpResponseError) as raised:
        await client.record_sets.delete("rg-dns", BLOB_ZONE, "SOA", "@")
    assert raised.value.status_code == 400


async def test_the_zone_counts_its_record_sets(zone: Azure) -> None:
    """Azure, numberOfRecordSets, 1 being the SOA, without a new etag (behaviour reference section 3.2)."""
    before = (await zone.arm("GET", ZONE_ID)).body
    await zone.arm("PUT", f"{ZONE_ID}/A/a", body())
    await zone.arm("PUT", f"{ZONE_ID}/A/b", body())
    await zone.arm("DELETE", f"{ZONE_ID}/A/a")

    after = (await zone.arm("GET", ZONE_ID)).body

    assert before["properties"]["numberOfRecordSets"] == 1
    assert after["properties"]["numberOfRecordSets"] == 2
    assert before["etag"] == after["etag"]


async def test_a_zone_holds_25000_record_sets(zone: Azure) -> None:
    """Azure, 25000 record sets per zone (behaviour reference section 3.7)."""
    await zone.put(*({"id": f"{ZONE_ID}/A/n{n}", "name": f"n{n}", "etag": "e"} for n in range(24_999)))

    assert (await zone.arm("PUT", f"{ZONE_ID}/A/more", body())).status == 400
    assert (await zone.arm("PUT", f"{ZONE_ID}/A/n0", body())).status == 200


async def test_lists_by_the_stock_client(zone: Azure) -> None:
    """Azure, /aLL, by type, with a suffix, ordered by name (behaviour reference section 3.5)."""
    for name in ("b", "a", "C", "x.b"):
        await zone.arm("PUT", f"{ZONE_ID}/A/{name}", body())
    records = (await zone.private_dns()).record_sets

    assert [each.name async for each in records.list("rg-dns", BLOB_ZONE)] == ["@", "a", "b", "C", "x.b"]
    assert [each.name async for each in records.list_by_type("rg-dns", BLOB_ZONE, "A")] == ["a", "b", "C", "x.b"]
    assert [each.name async for each in records.list("rg-dns", BLOB_ZONE, recordsetnamesuffix="B")] == ["b", "x.b"]
    assert "/aLL" in (await zone.requests())[-1]["path"]


async def test_lists_come_in_pages(zone: Azure) -> None:
    """Azure, $top, nextLink on the same host, its escapes in lower case (behaviour reference sections 2.5, 3.5)."""
    for n in range(5):
        await zone.arm("PUT", f"{ZONE_ID}/A/n{n}", body())
    records = (await zone.private_dns()).record_sets

    assert [each.name async for each in records.list_by_type("rg-dns", BLOB_ZONE, "A", top=2)] == [
        f"n{n}" for n in range(5)
    ]
    assert len([each for each in await zone.requests() if each["path"].endswith("/A")]) == 3
    first = await zone.arm("GET", f"{ZONE_ID}/A", query={"$top": "2"})
    assert first.body["nextLink"].startswith(f"{zone.url}/")
    assert "$top=2" in first.body["nextLink"]
    assert "%3d" in first.body["nextLink"]
    empty = await zone.arm("GET", f"{ZONE_ID}/TXT")
    assert empty.body == {"value": []}


async def test_a_page_holds_100_unless_told_otherwise(zone: Azure) -> None:
    """Azure, $top is 100 by default (behaviour reference section 3.5)."""
    await zone.put(*({"id": f"{ZONE_ID}/A/n{n}", "name": f"n{n}", "etag": "e"} for n in range(150)))

    answer = await zone.arm("GET", f"{ZONE_ID}/ALL")

    assert len(answer.body["value"]) == 100
    assert len((await zone.arm("GET", answer.body["nextLink"])).body["value"]) == 51


@pytest.mark.parametrize("query", [{"$top": "0"}, {"$top": "x"}, {"$skiptoken": "x"}])
async def test_a_page_that_does_not_exist(zone: Azure, query: dict[str, str]) -> None:
    """Azure, $top is a positive number, a skip token one that was given out (behaviour reference section 3.5)."""
    assert (await zone.arm("GET", f"{ZONE_ID}/ALL", query=query)).status == 400


async def test_lists_and_deletes_need_the_zone(azure: Azure) -> None:
    """Azure, a child without its parent is ParentResourceNotFound (behaviour reference section 3.8)."""
    await azure.subscription(HUB)
    await azure.resource_group("rg-dns", HUB)

    for method, path in (("GET", "A/x"), ("DELETE", "A/x"), ("GET", "ALL"), ("GET", "A")):
        answer = await azure.arm(method, f"{ZONE_ID}/{path}")
        assert (answer.status, answer.body["error"]["code"]) == (404, "ParentResourceNotFound")


async def test_a_zone_takes_its_records_along(zone: Azure) -> None:
    """Azure, with the zone go its record sets (behaviour reference section 3.2)."""
    await zone.arm("PUT", f"{ZONE_ID}/A/x", body())

    await zone.arm("DELETE", ZONE_ID)
    await zone.settle()

    assert all(not each["id"].startswith(ZONE_ID) for each in (await zone.world())["resources"])


async def test_other_conditions_are_not_simulated(zone: Azure) -> None:
    """Azure, only If-None-Match: * is documented for record sets (behaviour reference section 3.4)."""
    answer = await zone.arm("PUT", f"{ZONE_ID}/A/x", body(), headers={"If-None-Match": "abc"})

    assert answer.status == 501
    assert "If-None-Match: abc" in answer.body["error"]["message"]
