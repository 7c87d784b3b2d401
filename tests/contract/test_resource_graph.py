"""Resource Graph: scopes, pages, rows, and how large an answer may be."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

from tests.azure import BLOB_ZONE, HUB, SPOKE, Azure, resource_id
from tests.contract.graph import PATH, ask, ids, rows

SUBSCRIPTIONS = (
    "resourcecontainers | where type =~ 'microsoft.resources/subscriptions' "
    "| project subscriptionId | order by subscriptionId asc"
)


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        ({}, [SPOKE, HUB]),
        ({"subscriptions": [SPOKE.upper()]}, [SPOKE]),
        ({"managementGroups": ["CORP"]}, [SPOKE]),
        ({"managementGroups": ["corp"], "subscriptions": [HUB]}, [SPOKE, HUB]),
        ({"managementGroups": ["unknown"]}, []),
    ],
)
async def test_scopes(estate: Azure, scope: dict[str, list[str]], found: list[str]) -> None:
    """Azure, subscriptions and management groups in the body; none is all that can be read (reference section 5.1)."""
    assert await ids(estate, SUBSCRIPTIONS, **scope) == found


async def test_what_cannot_be_read_is_simply_not_there(estate: Azure) -> None:
    """Azure, a missing role looks like an empty result (behaviour reference section 2.8)."""
    await estate.subscription(SPOKE, readable=False)

    assert await ids(estate, SUBSCRIPTIONS) == [HUB]
    assert await ids(estate, "resources | where type =~ 'microsoft.storage/storageaccounts' | project id") == []


async def test_the_stock_client_finds_an_endpoint_by_its_guid(estate: Azure) -> None:
    """Azure, rows have the properties of an ARM GET (behaviour reference section 5.4)."""
    account = await estate.storage_account()
    endpoint_id = await estate.endpoint("pe1", account)
    guid = (await estate.arm("GET", endpoint_id)).body["properties"]["resourceGuid"]
    of_type = "resources | where type =~ 'Microsoft.Network/privateEndpoints'"
    query = f"{of_type} and properties.resourceGuid =~ '{guid.upper()}' | project id"

    found = await (await estate.graph()).resources(QueryRequest(query=query, management_groups=["corp"]))

    assert (found.count, found.total_records, found.result_truncated) == (1, 1, "false")
    assert found.skip_token is None
    rows: Any = found.data
    assert rows == [{"id": endpoint_id}]
    (request,) = await estate.requests("graph")
    assert request["method"] == "POST"


async def test_the_stock_client_pages(estate: Azure) -> None:
    """Azure, resultTruncated "false" with a token means more pages (behaviour reference section 5.1)."""
    for n in range(5):
        await estate.vnet(f"vnet{n}")
    client = await estate.graph()
    query = "resources | where type == 'microsoft.network/virtualnetworks' | project id, name | order by id asc"

    names, token, pages = [], None, 0
    while True:
        options = QueryRequestOptions(top=4, skip_token=token)
        page = await client.resources(QueryRequest(query=query, options=options))
        assert (page.total_records, page.result_truncated) == (6, "false")
        names += [row["name"] for row in page.data]  # type: ignore[index]
        token, pages = page.skip_token, pages + 1
        if token is None:
            break

    assert pages == 2
    assert names == ["vnet-spoke", "vnet0", "vnet1", "vnet2", "vnet3", "vnet4"]


async def test_rows_without_a_plain_column_are_lost(estate: Azure) -> None:
    """Azure, all columns dynamic: no token, and "true" for lost rows (behaviour reference section 5.1)."""
    await estate.vnet("vnet0")
    query = "resources | where type =~ 'microsoft.network/virtualnetworks' | project properties, tags"

    answer = await ask(estate, query, options={"$top": 1})

    assert answer.body["resultTruncated"] == "true"
    assert "$skipToken" not in answer.body
    assert (answer.body["count"], answer.body["totalRecords"]) == (1, 2)


async def test_rows(estate: Azure) -> None:
    """Azure, type and resourceGroup are in lower case; the rest is as stored (behaviour reference section 5.4)."""
    zone_id = await estate.zone("Privatelink.X.example", "RG-Dns")
    await estate.link(zone_id, "/subscriptions/x/resourceGroups/y/providers/Microsoft.Network/virtualNetworks/z")

    (row,) = (await ask(estate, "resources | where name == 'Privatelink.X.example'")).body["data"]
    links = await ids(estate, "resources | where type =~ 'microsoft.network/privatednszones/virtualnetworklinks'")
    groups = await ask(estate, "resourcecontainers | where type == 'microsoft.resources/subscriptions/resourcegroups'")
    subscription = (await ask(estate, f"resourcecontainers | where name =~ '{SPOKE}'")).body["data"][0]

    assert (row["id"], row["type"], row["resourceGroup"]) == (zone_id, "microsoft.network/privatednszones", "rg-dns")
    assert (row["subscriptionId"], row["location"]) == (HUB, "global")
    assert links == ["hub"]
    assert [each["name"] for each in groups.body["data"]] == ["rg-spoke", "rg-dns"]
    assert subscription["tenantId"] == "t-1"
    chain = subscription["properties"]["managementGroupAncestorsChain"]
    assert [each["name"] for each in chain] == ["corp", "root"]
    assert not [name for name in await ids(estate, "resources | project id") if name == "@"]  # no record sets


@pytest.mark.parametrize(
    "body",
    [
        {"query": 1},
        {"facets": []},
        {"options": {"$orderby": "x"}},
        {"options": {"resultFormat": "table"}},
        {"options": {"$top": 0}},
        {"options": {"$top": 1001}},
        {"options": {"$top": "5"}},
        {"options": {"$skip": -1}},
        {"options": {"$skipToken": "x"}},
        {"options": {"$skipToken": "e30="}},
    ],
)
async def test_what_is_no_request_is_refused(estate: Azure, body: dict[str, Any]) -> None:
    """Azure, $top is 1 to 1000 (behaviour reference section 5.1)."""
    assert (await estate.arm("POST", PATH, {"query": "resources | project id", **body})).status == 400


async def test_skip_and_a_body_that_is_none(estate: Azure) -> None:
    """Azure, $skip leaves out rows; the query is required (behaviour reference section 5.1)."""
    query = "resources | where kind == 'StorageV2' | project id"

    assert await ids(estate, query, options={"$skip": 1}) == []
    assert (await estate.arm("POST", PATH, [])).status == 400


async def test_the_stock_client_sees_the_refusal(estate: Azure) -> None:
    """Azure, errors of the index are wrapped like others (behaviour reference section 6.1)."""
    with pytest.raises(HttpResponseError) as raised:
        await (await estate.graph()).resources(QueryRequest(query="resources | frobnicate"))

    assert raised.value.status_code == 400
    assert raised.value.error is not None
    assert raised.value.error.code == "BadRequest"


async def test_a_query_with_a_limit_has_one_page(estate: Azure) -> None:
    """Azure, no token for a query with limit or take (behaviour reference section 5.1)."""
    for n in range(4):
        await estate.vnet(f"vnet{n}")
    networks = "resources | where type =~ 'microsoft.network/virtualnetworks' | project id"

    cut = await ask(estate, f"{networks} | take 4", options={"$top": 2})
    whole = await ask(estate, f"{networks} | limit 2", options={"$top": 2})

    assert (cut.body["count"], cut.body["totalRecords"], cut.body["resultTruncated"]) == (2, 4, "true")
    assert (whole.body["count"], whole.body["totalRecords"], whole.body["resultTruncated"]) == (2, 2, "false")
    assert not {"$skipToken"} & {*cut.body, *whole.body}


async def test_a_path_without_a_cast_makes_no_page(estate: Azure) -> None:
    """Azure, a column is dynamic by its kind, whatever its values are (behaviour reference section 5.1)."""
    await estate.storage_account("st2")
    accounts = "resources | where kind == 'StorageV2'"

    plain = await ask(estate, f"{accounts} | project s = tostring(properties.provisioningState)", options={"$top": 1})
    dynamic = await ask(estate, f"{accounts} | project s = properties.provisioningState", options={"$top": 1})

    assert (plain.body["resultTruncated"], "$skipToken" in plain.body) == ("false", True)
    assert (dynamic.body["resultTruncated"], "$skipToken" in dynamic.body) == ("true", False)


async def test_an_answer_can_be_too_large(estate: Azure) -> None:
    """Azure, ResponsePayloadTooLarge in the details of a 400; fewer rows at a time fit (section 5.4)."""
    for n in range(6):
        await estate.vnet(f"vnet{n}")
    await estate.sim("POST", "settings", {"graphPayloadBytes": 1_000})
    query = "resources | project id | order by id asc"

    refused = await ask(estate, query)
    fits = await ask(estate, query, options={"$top": 3})

    assert (refused.status, refused.body["error"]["code"]) == (400, "BadRequest")
    (detail,) = refused.body["error"]["details"]
    assert detail["code"] == "ResponsePayloadTooLarge"
    assert "has exceeded the limit of 1000." in detail["message"]
    assert (fits.status, fits.body["count"]) == (200, 3)


async def test_an_answer_is_at_most_sixteen_mebibytes(azure: Azure) -> None:
    """Azure, the limit is 16,777,216 bytes (behaviour reference section 5.4)."""
    assert (await azure.sim("GET", "settings"))["graphPayloadBytes"] == 16_777_216


async def test_the_index_is_exact_without_a_lag(estate: Azure) -> None:
    """Azure, an index beside the truth; here it has no lag unless told (behaviour reference section 5.3)."""
    accounts = "resources | where kind == 'StorageV2' | project id"
    account = await estate.storage_account("st2")
    assert await ids(estate, accounts) == ["st1", "st2"]

    await estate.sim("DELETE", "resources", id=account)

    assert await ids(estate, accounts) == ["st1"]


async def test_answers_do_not_outlive_the_world(estate: Azure) -> None:
    """Azure, each page is found anew: rows may shift between pages (behaviour reference section 5.1)."""
    queries = [f"resources | where name startswith 'vnet' | limit {n} | project id" for n in range(1, 11)]
    for n, query in enumerate(queries):
        await estate.vnet(f"vnet{n}")
        assert len(await ids(estate, query)) == n + 1

    assert [len(await ids(estate, query)) for query in queries] == list(range(1, 11))


async def test_the_index_lags(estate: Azure) -> None:
    """Azure, the index is late with what came and with what went (behaviour reference section 5.3)."""
    await estate.sim("POST", "settings", {"graphLagMs": 60_000})
    accounts = "resources | where kind == 'StorageV2' | project id"
    account = await estate.storage_account("st2")
    await estate.settle()  # does not wait for the index
    assert await ids(estate, accounts) == ["st1"]

    await estate.advance(30)
    await estate.sim("DELETE", "resources", id=account)
    await estate.advance(31)
    assert await ids(estate, accounts) == ["st1", "st2"]

    await estate.advance(30)
    assert await ids(estate, accounts) == ["st1"]


async def test_the_index_catches_up_when_it_no_longer_lags(estate: Azure) -> None:
    """Azure, the lag has no bound and no rule; here it ends with the setting (behaviour reference section 5.3)."""
    await estate.sim("POST", "settings", {"graphLagMs": 60_000})
    await estate.storage_account("st2")
    await estate.sim("POST", "settings", {"graphLagMs": 0})

    assert await ids(estate, "resources | where kind == 'StorageV2' | project id") == ["st1", "st2"]


async def test_a_snapshot_is_known_to_the_index_at_once(estate: Azure) -> None:
    """A rehearsal starts from an index that has caught up, and forgets the world before (section 5.3)."""
    before = await estate.world()
    await estate.storage_account("st2")
    before["settings"]["graphLagMs"] = 60_000
    await estate.sim("POST", "snapshot", before)

    accounts = "resources | where kind == 'StorageV2' | project id"
    assert await ids(estate, accounts) == ["st1"]
    await estate.storage_account("st3")
    assert await ids(estate, accounts) == ["st1"]


ZONE_ID = resource_id(HUB, "rg-dns", "Microsoft.Network/privateDnsZones", BLOB_ZONE)
RECORDS = (
    "dnsresources | where type in~ ('microsoft.network/privatednszones/a', 'microsoft.network/privatednszones/aaaa')"
)


async def test_record_sets_are_in_a_table_of_their_own(estate: Azure) -> None:
    """Azure, dnsresources: the zone is managedBy, the addresses are records, not aRecords (section 5.4)."""
    body = {"properties": {"ttl": 10, "aRecords": [{"ipv4Address": "10.0.0.4"}], "metadata": {"owner": "x"}}}
    await estate.arm("PUT", f"{ZONE_ID}/A/st1", body)
    await estate.arm("PUT", f"{ZONE_ID}/AAAA/st1", {"properties": {"ttl": 20, "aaaaRecords": [{"ipv6Address": "::1"}]}})

    a, aaaa = await rows(estate, f"{RECORDS} | order by type asc")
    types = await rows(estate, "dnsresources | summarize count() by type | order by type asc")
    (soa,) = await rows(estate, "dnsresources | where type has 'soa' | project n = array_length(properties.records)")

    assert (a["id"], a["name"], a["managedBy"]) == (f"{ZONE_ID}/A/st1", "st1", BLOB_ZONE)
    assert (a["type"], a["resourceGroup"], a["subscriptionId"]) == (
        "microsoft.network/privatednszones/a",
        "rg-dns",
        HUB,
    )
    etag = (await estate.arm("GET", f"{ZONE_ID}/A/st1")).body["etag"]
    assert a["properties"] == {
        "records": [{"ipv4Address": "10.0.0.4"}],
        "isAutoRegistered": False,
        "fqdn": f"st1.{BLOB_ZONE}.",
        "ttl": 10,
        "metadata": {"owner": "x"},
        "etag": etag,
    }
    assert aaaa["properties"]["records"] == [{"ipv6Address": "::1"}]
    assert "metadata" not in aaaa["properties"]
    assert [(each["type"].rsplit("/", 1)[-1], each["count_"]) for each in types] == [("a", 1), ("aaaa", 1), ("soa", 1)]
    assert soa == {"n": 1}
    assert await ids(estate, "resources | where type startswith 'microsoft.network/privatednszones/a'") == []


async def test_record_sets_may_show_less(estate: Azure) -> None:
    """Azure, whether the index has metadata, ttl, fqdn and etag is unverified (behaviour reference section 5.4)."""
    await estate.sim("POST", "settings", {"graphMetadata": False})
    await estate.arm("PUT", f"{ZONE_ID}/A/st1", {"properties": {"ttl": 10, "aRecords": [], "metadata": {"owner": "x"}}})

    (found,) = await rows(
        estate, f"{RECORDS} | project id, records = properties.records, ttl = properties.ttl, m = properties.metadata"
    )

    assert found == {"id": f"{ZONE_ID}/A/st1", "records": [], "ttl": None, "m": None}


async def test_registered_record_sets_tell_their_network(estate: Azure) -> None:
    """Azure, auto-registered rows have virtualNetworkId and virtualNetworkLinkName (section 5.4)."""
    network = resource_id(HUB, "rg-hub", "Microsoft.Network/virtualNetworks", "vnet-hub")
    await estate.put(
        {
            "id": f"{ZONE_ID}/virtualNetworkLinks/hub",
            "properties": {"registrationEnabled": True, "virtualNetwork": {"id": network}},
        },
        {"id": f"{ZONE_ID}/A/vm1", "properties": {"ttl": 10, "isAutoRegistered": True, "aRecords": []}},
        {"id": f"{ZONE_ID}/A/vm2", "properties": {"isAutoRegistered": True, "virtualNetworkLinkName": "other"}},
    )
    await estate.arm("PUT", f"{ZONE_ID}/A/st1", {"properties": {"ttl": 10, "aRecords": []}})

    query = f"{RECORDS} | order by name asc | project properties"
    st1, vm1, vm2 = [each["properties"] for each in await rows(estate, query)]

    assert (vm1["virtualNetworkId"], vm1["virtualNetworkLinkName"]) == (network, "hub")
    assert vm2["virtualNetworkLinkName"] == "other"
    assert (st1["isAutoRegistered"], "virtualNetworkId" in st1) == (False, False)


@pytest.mark.parametrize(("switch", "shown"), [(False, True), (True, "true")])
async def test_truth_values(estate: Azure, switch: bool, shown: object) -> None:
    """Azure, truth values in rows may not be true ones (unverified; behaviour reference sections 1.5 and 5.4)."""
    await estate.sim("POST", "settings", {"graphStringBooleans": switch})
    properties = {"ttl": 10, "isAutoRegistered": True, "aRecords": [{"up": True}]}
    await estate.put({"id": f"{ZONE_ID}/A/vm1", "properties": properties})

    (found,) = await rows(estate, f"{RECORDS} | project id, a = properties.isAutoRegistered, r = properties.records")

    assert (found["a"], found["r"]) == (shown, [{"up": shown}])
    assert (await estate.world())["resources"][-1]["properties"]["isAutoRegistered"] is True
