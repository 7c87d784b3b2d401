"""Resource Graph's query language: what is known of it does as Kusto does, and everything else is refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.azure import HUB, SPOKE, Azure, resource_id
from tests.contract.graph import ask, ids, rows

ENDPOINTS = "resources | where type =~ 'microsoft.network/privateendpoints'"


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
        ("kind == 'StorageV2' | where name == 'st2'", ["st2"]),
        ("not(name == 'st1') and kind == 'StorageV2'", ["st2"]),
        ("name in ('st1', 'ST2')", ["st1"]),
        ("name in~ ('ST1', 'st2', 'st3')", ["st1", "st2"]),
        ("name in~ ('st3')", []),
        ("properties.nothing in ('')", []),
        ("name startswith 'ST' and kind endswith 'v2'", ["st1", "st2"]),
        ("id contains 'RG-SPOKE' and name endswith '2'", ["st2"]),
        ("type has 'STORAGE' and name has 'st1'", ["st1"]),
        ("type has 'storag'", []),
        ("tolower(kind) == 'storagev2' and name == tolower('ST1')", ["st1"]),
        ("properties.provisioningState == 'Succeeded' and kind == 'StorageV2'", ["st1", "st2"]),
        ("properties['provisioningState'] =~ 'SUCCEEDED' and name =~ 'st1'", ["st1"]),
        ("tostring(properties.flags) contains '\"deep\":[1,' and name == 'st2'", ["st2"]),
        ("properties.flags.on == true", ["st2"]),
        ("properties.flags.on == false", []),
        ("tostring(properties.flags.on) == 'true'", ["st2"]),
        ("properties.flags.deep[1] == 2", ["st2"]),
        ("properties.flags.deep[2] == 2", []),
        ("properties.flags.deep[0] < 2 and properties.flags.deep[0] >= 1", ["st2"]),
        ("properties.flags.deep[0] > 1 or properties.flags.deep[0] <= 0", []),
        ("array_length(properties.flags.deep) == 2", ["st2"]),
        ("isnull(properties.flags) and kind == 'StorageV2'", ["st1"]),
        ("isnotnull(properties.flags.deep)", ["st2"]),
        ("isempty(properties.flags.none) and kind == 'StorageV2'", ["st1", "st2"]),
        ("isnotempty(properties.privateEndpointConnections)", ["st1", "st2"]),  # an empty list is not empty
        ("isnotempty(properties.flags)", ["st2"]),
        ("properties.no.such.thing == '' and kind == 'StorageV2'", []),  # nothing equals null
        ("properties.no.such.thing != 'x' and kind == 'StorageV2'", ["st1", "st2"]),
        ("properties.no.such.thing contains '' and kind == 'StorageV2'", []),
        ("properties.quote == 'it\\'s' or properties.quote == \"a\\\\b\"", ["st1"]),
    ],
)
async def test_where(estate: Azure, condition: str, found: list[str]) -> None:
    """Azure, the comparisons its documented queries use (behaviour reference section 5.6)."""
    st1, st2 = await estate.storage_account("st1"), await estate.storage_account("st2")
    plain = {"provisioningState": "Succeeded", "privateEndpointConnections": []}
    await estate.put(
        {"id": st1, "kind": "StorageV2", "properties": {**plain, "quote": "it's"}},
        {"id": st2, "kind": "StorageV2", "properties": {**plain, "flags": {"on": True, "deep": [1, 2]}}},
    )

    assert await ids(estate, f"resources | where {condition} | order by name asc | project id") == found


async def test_project_and_order(estate: Azure) -> None:
    """Azure, columns may be paths and have other names; the order is descending by default (reference section 5.6)."""
    await estate.storage_account("st2")
    of_type = "resources | where kind == 'StorageV2'"

    renamed = await rows(estate, f"{of_type} | order by name | project n = name, state = properties.provisioningState")
    both = await rows(estate, f"{of_type} | order by kind asc, name desc | project name, properties.provisioningState")

    assert renamed == [{"n": "st2", "state": "Succeeded"}, {"n": "st1", "state": "Succeeded"}]
    assert both == [
        {"name": "st2", "properties_provisioningState": "Succeeded"},
        {"name": "st1", "properties_provisioningState": "Succeeded"},
    ]


async def test_extend(estate: Azure) -> None:
    """Azure, columns are added, or take the place of others (behaviour reference section 5.6)."""
    query = (
        "resources | where name == 'st1' | extend name = tolower(kind), n = array_length(properties.none), properties.x"
    )

    (row,) = await rows(estate, f"{query} | project name, n, kind, properties_x")

    assert row == {"name": "storagev2", "n": None, "kind": "StorageV2", "properties_x": None}


async def test_summarize(estate: Azure) -> None:
    """Azure, count() by columns, by expressions, or of everything (behaviour reference section 5.6)."""
    await estate.storage_account("st2")
    storage = "resources | where kind == 'StorageV2'"

    state = "state = tostring(properties.provisioningState)"
    by_both = await rows(estate, f"{storage} | summarize n = count() by type, {state}")

    assert by_both == [{"type": "microsoft.storage/storageaccounts", "state": "Succeeded", "n": 2}]
    assert await rows(estate, f"{storage} | summarize count()") == [{"count_": 2}]
    assert await rows(estate, "resources | where name == 'x' | summarize count()") == [{"count_": 0}]
    assert await rows(estate, "resources | where name == 'x' | summarize count() by type") == []
    largest = "resources | summarize count() by kind | where count_ > 1 | order by count_ desc"
    assert [each["kind"] for each in await rows(estate, largest)] == ["", "StorageV2"]


async def test_nulls_come_first(estate: Azure) -> None:
    """Azure, a length of what is no list is null, which comes before all numbers (behaviour reference section 5.6)."""
    await estate.put(
        {"id": await estate.storage_account("st2"), "kind": "StorageV2", "properties": {"list": [1]}},
        {"id": await estate.storage_account("st3"), "kind": "StorageV2", "properties": {"list": []}},
    )
    by_length = "extend n = array_length(properties.list) | order by n asc | project id"

    assert await ids(estate, f"resources | where kind == 'StorageV2' | {by_length}") == ["st1", "st3", "st2"]


async def test_mv_expand(estate: Azure) -> None:
    """Azure, a row for each element; none for an empty list, one for what is no list (reference section 5.6)."""
    st2, st3 = await estate.storage_account("st2"), await estate.storage_account("st3")
    await estate.put(
        {"id": st2, "kind": "StorageV2", "properties": {"a": [{"n": 1}], "b": [{"n": 2}, {"n": 3}]}},
        {"id": st3, "kind": "StorageV2", "properties": {"a": []}},
    )
    query = "resources | where kind == 'StorageV2' | order by name asc"

    joined = await rows(
        estate, f"{query} | mv-expand c = array_concat(properties.a, properties.b) | project name, n = c.n"
    )
    plain = await rows(estate, f"{query} | mv-expand properties.a | project name, properties_a")

    assert joined == [{"name": "st2", "n": 1}, {"name": "st2", "n": 2}, {"name": "st2", "n": 3}]
    assert plain == [{"name": "st1", "properties_a": None}, {"name": "st2", "properties_a": {"n": 1}}]


async def test_mv_expand_cuts_silently(estate: Azure) -> None:
    """Azure, 128 rows of one at most, and no word about the others (behaviour reference section 5.5)."""
    account = await estate.storage_account("st2")
    await estate.put({"id": account, "properties": {"list": list(range(200))}})

    answer = await ask(estate, "resources | where name == 'st2' | mv-expand n = properties.list | project id, n")

    assert [each["n"] for each in answer.body["data"]] == list(range(128))
    assert (answer.body["totalRecords"], answer.body["resultTruncated"]) == (128, "false")


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("networkresources | project id", "networkresources"),
        ("resources | join kind=leftouter (resources) on id", "join"),
        ("resources | summarize dcount(id)", "dcount"),
        ("resources | summarize n = dcount(id)", "dcount"),
        ("resources | summarize count() by properties", "as 'properties' is"),
        ("resources | order by properties.x", "say tostring"),
        ("resources | extend a = b", "'b'"),
        ("resources | project missing", "'missing'"),
        ("resources | project tostring(name)", "without a name"),
        ("resources | project properties.x[0]", "without a name"),
        ("resources | project split(name, 'x')", "split"),
        ("resources | extend a = tostring(name, 'x')", "takes 1"),
        ("resources | mv-expand a = name", "'a' is not"),
        ("resources | mv-expand a = properties.x limit 400", "'limit'"),
        ("resources | take many", "many"),
        ("resources | where name startswith_cs 'x'", "startswith_cs"),
        ("resources | where name", "not a text such as 'name'"),
        ("resources | where name == 'x' or name", "not a text"),
        ("resources | where name == 5", "a text with a number"),
        ("resources | where name < 'x'", "'<'"),
        ("resources | where name.x == 'y'", "not dynamic"),
        ("resources | where properties[name] == 'y'", "'name'"),
        ("resources | where properties[0 == 'y'", "'=='"),
        ("resources | where name == other", "other"),
        ("resources | where name == 'a\\nb'", "\\n"),
        ("resources | where name =~", "too early"),
        ("resources | where (name == 'a'", "too early"),
        ("resources | where (name == 'a' | project id", "|"),
        ("resources | where name in ('a'", "too early"),
        ("resources | project", "too early"),
        ("resources | project =", "="),
        ("resources | order name", "name"),
        ("resources ; drop", ";"),
        ("resources where", "where"),
        ("'resources'", "A name is needed"),
        ("", "too early"),
    ],
)
async def test_other_queries_are_refused_by_name(estate: Azure, query: str, named: str) -> None:
    """Azure knows far more; a query it would answer otherwise must not pass here (behaviour reference section 5.6)."""
    answer = await ask(estate, query)

    assert (answer.status, answer.body["error"]["code"]) == (400, "BadRequest")
    assert named in answer.body["error"]["message"]
    assert answer.body["error"]["details"][0]["code"] == "InvalidQuery"


CONNECTIONS = "privateLinkServiceConnections"


async def test_endpoints_by_their_columns(estate: Azure) -> None:
    """Azure, rows of endpoints have what a GET shows (behaviour reference section 5.4)."""
    account = await estate.storage_account("st1")
    for name in ("pe1", "pe2"):
        await estate.endpoint(name, account, manual=name == "pe2")
    query = (
        f"{ENDPOINTS} | project id, location, provisioningState = tostring(properties.provisioningState), "
        "resourceGuid = tostring(properties.resourceGuid), connections = properties.privateLinkServiceConnections, "
        "manualConnections = properties.manualPrivateLinkServiceConnections, "
        "customDnsConfigs = properties.customDnsConfigs | order by id asc"
    )

    for scope in ({"subscriptions": [SPOKE]}, {"managementGroups": ["corp"]}):
        pe1, pe2 = await rows(estate, query, **scope)
        shown = (await estate.arm("GET", pe1["id"])).body
        assert pe1 == {
            "id": shown["id"],
            "location": shown["location"],
            "provisioningState": "Succeeded",
            "resourceGuid": shown["properties"]["resourceGuid"],
            "connections": shown["properties"][CONNECTIONS],
            "manualConnections": [],
            "customDnsConfigs": shown["properties"]["customDnsConfigs"],
        }
        assert (pe2["connections"], len(pe2["manualConnections"]), pe2["customDnsConfigs"]) == ([], 1, [])
    assert await rows(estate, query, subscriptions=[HUB]) == []


async def test_endpoints_interfaces_and_targets(estate: Azure) -> None:
    """Azure, what belongs together can be found from each side (behaviour reference sections 5.4, 5.5)."""
    account, other = await estate.storage_account("st1"), await estate.storage_account("st2")
    pe1 = await estate.endpoint("pe1", account, manual=True)
    pe2 = await estate.endpoint("pe2", other)
    free = resource_id(SPOKE, "rg-spoke", "Microsoft.Network/networkInterfaces", "nic-free")
    await estate.put({"id": free, "properties": {"ipConfigurations": []}})

    interfaces = await rows(
        estate,
        "resources | where type =~ 'microsoft.network/networkinterfaces' and isnotempty(properties.privateEndpoint.id) "
        "| project id, endpoint = tostring(properties.privateEndpoint.id), "
        "ipConfigurations = properties.ipConfigurations | order by id asc",
    )
    waiting = await rows(
        estate,
        "resources | where tostring(properties.privateEndpointConnections) contains 'Pending' "
        "| project id, type, connections = properties.privateEndpointConnections | order by id asc",
    )
    to_account = await ids(
        estate,
        f"{ENDPOINTS} | where tostring(properties.privateLinkServiceConnections) contains '{account}' "
        f"or tostring(properties.manualPrivateLinkServiceConnections) contains '{account}' "
        "| project id | order by id asc",
    )

    assert [each["endpoint"] for each in interfaces] == [pe1, pe2]
    assert [len(each["ipConfigurations"]) for each in interfaces] == [1, 1]
    assert [(each["id"], each["type"]) for each in waiting] == [(account, "microsoft.storage/storageaccounts")]
    assert waiting[0]["connections"][0]["properties"]["privateEndpoint"]["id"] == pe1
    assert to_account == ["pe1"]


async def test_thousands_of_rows_come_page_by_page(azure: Azure) -> None:
    """Azure, at most 1,000 rows at a time (behaviour reference section 5.1)."""
    await azure.subscription()

    def endpoint(n: int) -> dict[str, Any]:
        endpoint_id = resource_id(SPOKE, "rg-spoke", "Microsoft.Network/privateEndpoints", f"pe{n:05}")
        return {"id": endpoint_id, "properties": {CONNECTIONS: [{"properties": {"groupIds": ["blob"]}}]}}

    await azure.put(*map(endpoint, reversed(range(2_500))))
    query = f"{ENDPOINTS} | project id, connections = properties.{CONNECTIONS} | order by id asc"

    found, options, pages = [], dict[str, Any](), 0
    while pages == 0 or options:
        body = (await ask(azure, query, options=options)).body
        assert (body["totalRecords"], body["resultTruncated"]) == (2_500, "false")
        found += [row["id"] for row in body["data"]]
        options, pages = {"$skipToken": body["$skipToken"]} if "$skipToken" in body else {}, pages + 1

    assert pages == 3
    assert found == [endpoint(n)["id"] for n in range(2_500)]
