"""Looks at Resource Graph (behaviour reference section 5)."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from tests.azure import Answer
from tests.contract.live.estate import GRAPH, AzureEstate, error_of
from tests.contract.live.sightings import Seen, observes

# More than the 15 queries in 5 s that one principal is allowed.
_TOO_MANY = 40


async def _ask(estate: AzureEstate, query: str, *, tries: int = 4, scoped: bool = True) -> Answer:
    body = {"query": query, **({"subscriptions": [estate.place.subscription]} if scoped else {})}
    path = "/providers/Microsoft.ResourceGraph/resources"
    return await estate.ask("POST", path, body, version=GRAPH, tries=tries)


async def _row(estate: AzureEstate, resource_id: str, query: str) -> dict[str, Any]:
    """The row of a resource, once the index has it."""

    async def look() -> dict[str, Any] | None:
        answer = await _ask(estate, query)
        assert answer.status == 200, answer.body
        rows: list[dict[str, Any]] = answer.body["data"]
        return next((row for row in rows if row["id"].lower() == resource_id.lower()), None)

    return await estate.until(look, f"{resource_id} in Resource Graph")


@observes(
    "whether a record's row in Resource Graph shows metadata and ttl",
    section="5.4",
    believed="shown",
    version=GRAPH,
    switch="graphMetadata",
    ways={"shown": True, "not shown": False},
)
async def columns_of_records(estate: AzureEstate) -> Seen:
    record_id = await estate.record("indexed", owner="us")
    began = time.monotonic()
    of_type = "dnsresources | where type =~ 'microsoft.network/privatednszones/a' and name =~ 'indexed'"
    row = await _row(estate, record_id, f"{of_type} | project id, managedBy, properties | order by id asc")
    took, properties = time.monotonic() - began, row["properties"]
    # What the product relies on in these rows.
    assert properties["records"] == [{"ipv4Address": "10.250.0.250"}], properties
    assert row["managedBy"].lower() == estate.place.zone.rsplit("/", 1)[1], row
    shown = {"metadata", "ttl"} & set(properties)
    ways = {2: "shown", 1: f"only {', '.join(shown)}", 0: "not shown"}
    return Seen(ways[len(shown)], f"after {took:.0f} s; properties: {', '.join(sorted(properties))}")


@observes(
    "whether a query of Resource Graph without a scope sees all that the caller can read",
    section="5.1",
    believed="sees it",
    version=GRAPH,
    ways=("sees it",),
)
async def query_without_scope(estate: AzureEstate) -> Seen:
    account = estate.place.account
    query = f"resources | where name =~ '{account.rsplit('/', 1)[1]}' | project id | order by id asc"
    await _row(estate, account, query)
    answer = await _ask(estate, query, scoped=False)
    assert answer.status == 200, answer.body
    return Seen("sees it" if answer.body["data"] else "does not see it")


@observes(
    "how Resource Graph shows truth",
    section="5.4",
    believed="true and false",
    version=GRAPH,
    switch="graphStringBooleans",
    ways={"true and false": False, "otherwise": True},
)
async def booleans_in_rows(estate: AzureEstate) -> Seen:
    of_type = "resources | where type =~ 'microsoft.storage/storageaccounts'"
    row = await _row(estate, estate.place.account, f"{of_type} | project id, properties | order by id asc")
    shown = row["properties"]["allowBlobPublicAccess"]
    return Seen("true and false" if shown is False else "otherwise", f"false is {shown!r}")


@observes(
    "whether a refusal of too many queries says how long to wait",
    section="5.2",
    believed="with Retry-After",
    version=GRAPH,
    switch="graphRetryAfter",
    ways={"with Retry-After": True, "without Retry-After": False, f"none in {_TOO_MANY} queries at once": None},
)
async def too_many_queries(estate: AzureEstate) -> Seen:
    query = "resources | project id | order by id asc"
    answers = await asyncio.gather(*(_ask(estate, query, tries=1) for _ in range(_TOO_MANY)))
    refused = [each for each in answers if each.status != 200]
    if not refused:
        return Seen(f"none in {_TOO_MANY} queries at once")
    first = refused[0]
    assert first.status == 429, first.body
    quota = {name: value for name, value in first.headers.items() if name.lower().startswith("x-ms-user-quota")}
    told = "with" if "Retry-After" in first.headers else "without"
    return Seen(f"{told} Retry-After", f"{error_of(first)['code']}; {quota}")
