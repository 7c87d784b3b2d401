"""Quotas: what every answer tells of them, and the 429 of whoever asks too much, by a clock that stands still."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.resourcegraph.models import QueryRequest

from simulator import clock
from simulator.quotas import Admission, Quotas
from simulator.settings import Settings
from simulator.wire import Request
from simulator.world import Caller, World
from tests.azure import BLOB_ZONE, HUB, SPOKE, Answer, Azure, resource_id
from tests.contract.graph import ask

ZONE_ID = resource_id(HUB, "rg-dns", "Microsoft.Network/privateDnsZones", BLOB_ZONE)
ENDPOINTS = f"/subscriptions/{SPOKE}/providers/Microsoft.Network/privateEndpoints"
ACCOUNT = resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "st1")
REMAINING = "x-ms-ratelimit-remaining"
QUERY = "resources | project id"


@pytest.fixture(autouse=True)
def _still(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulator's clock moves only when it is put forward."""
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: 1_790_000_000.0))


@pytest.fixture
async def counted(azure: Azure) -> Azure:
    """A spoke and a hub in an Azure that counts."""
    await azure.spoke()
    await azure.hub()
    await azure.sim("POST", "settings", {"quotas": True})
    return azure


def remaining(answer: Answer) -> dict[str, str]:
    """What an answer says of ARM's quotas."""
    return {
        name.lower().removeprefix(f"{REMAINING}-"): value
        for name, value in answer.headers.items()
        if name.lower().startswith(REMAINING)
    }


@pytest.mark.parametrize("quotas", [False, True])
async def test_every_answer_tells_what_is_left(azure: Azure, quotas: bool) -> None:
    """Azure, the remaining-headers; a provider's replaces ARM's (behaviour reference sections 6.2, 6.3)."""
    await azure.spoke()
    await azure.hub()
    await azure.sim("POST", "settings", {"quotas": quotas})

    account, again = await azure.arm("GET", ACCOUNT), await azure.arm("GET", ACCOUNT)
    endpoints = await azure.arm("GET", ENDPOINTS)
    zone = await azure.arm("GET", ZONE_ID)
    record = await azure.arm("PUT", f"{ZONE_ID}/A/x", {"properties": {"ttl": 10}})
    group = await azure.arm("DELETE", f"/subscriptions/{SPOKE}/resourceGroups/nothing")
    tenant = await azure.arm("GET", "/subscriptions")

    assert remaining(account) == {"subscription-reads": "249", "subscription-global-reads": "3749"}
    assert remaining(again)["subscription-reads"] == ("248" if quotas else "249")
    assert remaining(endpoints) == {"subscription-resource-requests": "9999"}
    assert remaining(zone) == {"subscription-resource-requests": "499"}
    assert remaining(record) == {"subscription-resource-requests": "11999"}
    assert remaining(group) == {"subscription-deletes": "199", "subscription-global-deletes": "2999"}
    assert remaining(tenant) == {"tenant-reads": "249"}


async def test_what_the_gateway_refuses_is_no_request_to_the_provider(counted: Azure) -> None:
    """Azure, an error of the gateway has no header of the provider (as recorded; behaviour reference section 3.8)."""
    missing = await counted.arm("GET", f"{ZONE_ID}x")

    assert missing.status == 404
    assert remaining(missing) == {"subscription-reads": "249", "subscription-global-reads": "3749"}


async def test_nothing_is_counted_unless_asked_for(azure: Azure) -> None:
    """Azure counts; here it is a setting, so that only tests of quotas meet them (behaviour reference section 6.2)."""
    await azure.spoke()

    answers = [await ask(azure, QUERY) for _ in range(20)]

    assert {answer.status for answer in answers} == {200}
    assert {answer.headers["x-ms-user-quota-remaining"] for answer in answers} == {"14"}


@pytest.mark.parametrize(("switch", "shown"), [(True, "1"), (False, None)])
async def test_a_subscription_is_asked_too_much(counted: Azure, switch: bool, shown: str | None) -> None:
    """Azure, 429 SubscriptionRequestsThrottled, with Retry-After or without (behaviour reference sections 6.1, 6.2)."""
    await counted.sim("POST", "settings", {"throttleRetryAfter": switch})

    answers = [await counted.arm("GET", ACCOUNT) for _ in range(251)]

    assert {answer.status for answer in answers[:250]} == {200}
    refused = answers[250]
    assert (refused.status, refused.body["error"]["code"]) == (429, "SubscriptionRequestsThrottled")
    assert refused.body["error"]["message"] == (
        f"Number of 'read' requests for subscription '{SPOKE}' actor 'system' exceeded. "
        "Please try again after '1' seconds."
    )
    assert refused.headers.get("Retry-After") == shown
    assert refused.headers["x-ms-failure-cause"] == "gateway"
    assert remaining(refused)["subscription-reads"] == "0"
    assert (await counted.arm("PUT", f"{ZONE_ID}/A/x", {"properties": {"ttl": 10}})).status == 201
    assert (await counted.arm("GET", ZONE_ID)).status == 200  # in another subscription

    async with Azure(counted.url, "somebody-else") as other:
        assert (await other.arm("GET", ACCOUNT)).status == 200
    await counted.advance(2)
    assert remaining(await counted.arm("GET", ACCOUNT))["subscription-reads"] == "49"  # twenty-five a second


@pytest.mark.parametrize(("switch", "shown"), [(True, "5"), (False, None)])
async def test_the_index_is_asked_too_much(counted: Azure, switch: bool, shown: str | None) -> None:
    """Azure, 15 queries in 5 s for each principal, then 429 (code unverified; behaviour reference section 5.2)."""
    await counted.sim("POST", "settings", {"graphRetryAfter": switch})

    answers = [await ask(counted, QUERY) for _ in range(16)]

    assert [answer.headers["x-ms-user-quota-remaining"] for answer in answers[:15]] == [str(14 - n) for n in range(15)]
    assert {answer.status for answer in answers[:15]} == {200}
    refused = answers[15]
    assert (refused.status, refused.body["error"]["code"]) == (429, "RateLimiting")
    assert refused.headers.get("Retry-After") == shown
    assert refused.headers["x-ms-user-quota-remaining"] == "0"
    assert refused.headers["x-ms-user-quota-resets-after"] == "00:00:05"
    async with Azure(counted.url, "somebody-else") as other:
        assert (await ask(other, QUERY)).status == 200
    await counted.advance(3)
    assert (await ask(counted, QUERY)).headers["x-ms-user-quota-resets-after"] == "00:00:02"
    await counted.advance(2)
    assert (await ask(counted, QUERY)).headers["x-ms-user-quota-remaining"] == "14"


async def test_a_query_that_is_wrong_counts(counted: Azure) -> None:
    """Azure, the headers are on every response (behaviour reference section 5.2)."""
    wrong, right = await ask(counted, "frobnicate"), await ask(counted, QUERY)

    assert (wrong.status, wrong.headers["x-ms-user-quota-remaining"]) == (400, "14")
    assert right.headers["x-ms-user-quota-remaining"] == "13"


async def test_the_stock_clients_see_the_refusals(counted: Azure) -> None:
    """Azure, the client does not try a query again without Retry-After (behaviour reference sections 5.2, 7.5)."""
    await counted.sim("POST", "settings", {"graphRetryAfter": False, "throttleRetryAfter": False})
    graph, zones = await counted.graph(), (await counted.private_dns()).private_zones
    for _ in range(15):
        await graph.resources(QueryRequest(query=QUERY))
    for _ in range(250):
        await counted.arm("GET", ZONE_ID)
    await counted.sim("DELETE", "requests")

    with pytest.raises(HttpResponseError) as query:
        await graph.resources(QueryRequest(query=QUERY))
    with pytest.raises(HttpResponseError) as read:
        await zones.get("rg-dns", BLOB_ZONE, retry_total=0)

    for raised, code in ((query, "RateLimiting"), (read, "SubscriptionRequestsThrottled")):
        assert raised.value.status_code == 429
        assert raised.value.error is not None
        assert raised.value.error.code == code
    assert len(await counted.requests("graph")) == 1


# Longer counts, without the wire


@pytest.fixture
def world() -> World:
    """A world that counts."""
    counting = World(clock.Clock())
    counting.settings = Settings(quotas=True)
    return counting


def request(world: World, method: str, path: str, principal: str = "p") -> Request:
    """A request as the quotas see it."""
    told: dict[str, Any] = {"query": {}, "headers": {}, "base_url": "", "caller": Caller(principal)}
    return Request(world=world, method=method, path=path, **told)


async def after(world: World, quotas: Quotas, count: int, method: str, path: str) -> Admission:
    """The admission after so many others, put so far apart that ARM's own bucket is full again."""
    for n in range(count):
        assert quotas.admit(request(world, method, path, f"p{n % 20}")).refusal is None
        if n % 2_000 == 1_999:
            world.clock.advance(20)
    return quotas.admit(request(world, method, path, "p0"))


@pytest.mark.parametrize(
    ("method", "path", "count", "code_by"),
    [
        ("GET", ZONE_ID, 500, "privateDns"),
        ("GET", f"{ZONE_ID}/ALL", 500, "privateDns"),
        ("GET", f"{ZONE_ID.split('/privateDnsZones')[0]}/privateDnsOperationStatuses/x", 500, "privateDns"),
        ("GET", ENDPOINTS, 10_000, "provider"),
        ("PUT", f"{ENDPOINTS}/pe1", 1_000, "provider"),
        ("DELETE", f"{ENDPOINTS}/pe1", 1_000, "provider"),
    ],
)
async def test_a_provider_is_asked_too_much(world: World, method: str, path: str, count: int, code_by: str) -> None:
    """Azure, 500 GETs of private DNS, 1,000 writes and 10,000 GETs of the network in five minutes (section 6.3)."""
    quotas = Quotas(world.clock)

    refused = (await after(world, quotas, count, method, path)).refusal

    assert refused is not None
    assert (refused.code, refused.by.value) == ("TooManyRequests", code_by)
    assert refused.retry_after is not None
    assert 200 <= refused.retry_after <= 300
    world.clock.advance(refused.retry_after)
    admitted = quotas.admit(request(world, method, path, "p0"))
    assert admitted.refusal is None
    assert admitted.provider_headers == {f"{REMAINING}-subscription-resource-requests": str(count - 1)}


async def test_all_callers_together(world: World) -> None:
    """Azure, a subscription takes fifteen times as many of all callers as of one (behaviour reference section 6.2)."""
    quotas = Quotas(world.clock)
    for n in range(3_000):
        assert quotas.admit(request(world, "DELETE", ACCOUNT, f"p{n % 30}")).refusal is None

    refused = quotas.admit(request(world, "DELETE", ACCOUNT, "one-more"))

    assert refused.refusal is not None
    assert refused.refusal.code == "SubscriptionRequestsThrottled"
    assert refused.headers[f"{REMAINING}-subscription-deletes"] == "200"  # its own are not spent
    assert refused.headers[f"{REMAINING}-subscription-global-deletes"] == "0"


async def test_the_tenant_is_asked_too_much(world: World) -> None:
    """Azure, 250 reads of the tenant, 25 more each second (the code is unverified; behaviour reference section 6.2)."""
    quotas = Quotas(world.clock)
    for _ in range(250):
        assert quotas.admit(request(world, "GET", "/subscriptions")).refusal is None

    refused = quotas.admit(request(world, "GET", "/subscriptions")).refusal

    assert refused is not None
    assert refused.code == "TenantRequestsThrottled"


async def test_counting_starts_anew(world: World) -> None:
    """A test that turns counting off and on again starts with full buckets (behaviour reference section 6.2)."""
    quotas = Quotas(world.clock)
    for _ in range(100):
        quotas.admit(request(world, "GET", ACCOUNT))
    world.settings = Settings(quotas=False)
    quotas.admit(request(world, "GET", ACCOUNT))
    world.settings = Settings(quotas=True)

    assert quotas.admit(request(world, "GET", ACCOUNT)).headers[f"{REMAINING}-subscription-reads"] == "249"
