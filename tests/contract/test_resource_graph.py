"""Resource Graph: scopes, pages, and a query language of which everything else is refused."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

from tests.azure import HUB, SPOKE, Answer, Azure

PATH = "/providers/Microsoft.ResourceGraph/resources"
SUBSCRIPTIONS = (
    "resourcecontainers | where type =~ 'microsoft.resources/subscriptions' "
    "| project subscriptionId | order by subscriptionId asc"
)


@pytest.fixture
async def estate(azure: Azure) -> Azure:
    """Two subscriptions, one of them under a management group."""
    await azure.spoke()
    await azure.hub()
    await azure.subscription(SPOKE, managementGroups=["corp", "root"], tenant="t-1")
    return azure


async def ask(azure: Azure, query: str, **body: Any) -> Answer:
    """A query as it goes over the wire."""
    return await azure.arm("POST", PATH, {"query": query, **body}, version="2021-03-01")


async def ids(azure: Azure, query: str, **body: Any) -> list[str]:
    """The last parts of the ids a query gives."""
    answer = await ask(azure, query, **body)
    assert answer.status == 200, answer.body
    return [str(row.get("id") or row["subscriptionId"]).rsplit("/", 1)[-1] for row in answer.body["data"]]


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
    query = "resources | where type =~ 'microsoft.network/virtualnetworks' | project properties, missing"

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
    ("condition", "found"),
    [
        ("name == 'st1'", ["st1"]),
        ("name == 'ST1'", []),
        ("name =~ 'ST1'", ["st1"]),
        ('name =~ "st1"', ["st1"]),
        ("name != 'st1' and type =~ 'microsoft.storage/storageaccounts'", ["st2"]),
        ("name !~ 'ST2' and type =~ 'microsoft.storage/storageaccounts'", ["st1"]),
        ("name == 'st1' or name == 'st2'", ["st1", "st2"]),
        ("(name == 'st1' or name == 'st2') and kind == 'StorageV2'", ["st1", "st2"]),
        ("name == 'st1' or name == 'st2' and kind == 'none'", ["st1"]),
        ("properties.provisioningState == 'Succeeded' and kind == 'StorageV2'", ["st1", "st2"]),
        ("properties.no.such.thing == '' and name == 'st1'", ["st1"]),
    ],
)
async def test_where(estate: Azure, condition: str, found: list[str]) -> None:
    """Azure, the comparisons its documented queries use (behaviour reference section 5.6)."""
    await estate.storage_account("st2")

    assert await ids(estate, f"resources | where {condition} | order by name asc | project id") == found


async def test_project_and_order(estate: Azure) -> None:
    """Azure, columns may be paths and have other names; the order is descending by default (reference section 5.6)."""
    await estate.storage_account("st2")
    of_type = "resources | where kind == 'StorageV2'"

    renamed = "project n = name, state = properties.provisioningState"
    rows = (await ask(estate, f"{of_type} | order by name | {renamed}")).body["data"]
    plain = "project name, properties.provisioningState"
    both = (await ask(estate, f"{of_type} | order by kind asc, name desc | {plain}")).body["data"]

    assert rows == [{"n": "st2", "state": "Succeeded"}, {"n": "st1", "state": "Succeeded"}]
    assert both == [
        {"name": "st2", "properties_provisioningState": "Succeeded"},
        {"name": "st1", "properties_provisioningState": "Succeeded"},
    ]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("dnsresources | project id", "dnsresources"),
        ("resources | summarize count() by type", "summarize"),
        ("resources | extend a = b", "extend"),
        ("resources | where name startswith 'x'", "startswith"),
        ("resources | where name == 5", "5"),
        ("resources | where name == other", "other"),
        ("resources | where name =~", "too early"),
        ("resources | where (name == 'a'", "too early"),
        ("resources | where (name == 'a' | project id", "|"),
        ("resources | project", "too early"),
        ("resources | project =", "="),
        ("resources | order name", "name"),
        ("resources ; drop", ";"),
        ("", "too early"),
    ],
)
async def test_other_queries_are_refused_by_name(estate: Azure, query: str, named: str) -> None:
    """Azure knows far more; a query it would answer otherwise must not pass here (behaviour reference section 5.6)."""
    answer = await ask(estate, query)

    assert (answer.status, answer.body["error"]["code"]) == (400, "BadRequest")
    assert named in answer.body["error"]["message"]
    assert answer.body["error"]["details"][0]["code"] == "InvalidQuery"


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
