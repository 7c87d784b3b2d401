"""Faults strike exactly what they are meant for, so often as they say, and the stock clients take them for Azure's."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.resourcegraph.models import QueryRequest

from simulator.faults import Faults
from tests.azure import BLOB_ZONE, HUB, Azure, resource_id

ZONE_ID = resource_id(HUB, "rg-dns", "Microsoft.Network/privateDnsZones", BLOB_ZONE)
RECORD = f"{ZONE_ID}/A/x"
BODY = {"properties": {"ttl": 10}}


@pytest.fixture
async def zone(azure: Azure) -> Azure:
    """A zone to ask for, and a token, so that every request counts."""
    await azure.hub()
    await azure.arm("GET", ZONE_ID)
    return azure


async def statuses(azure: Azure, count: int, path: str = ZONE_ID) -> list[int]:
    """The statuses of as many GETs."""
    return [(await azure.arm("GET", path)).status for _ in range(count)]


async def test_a_fault_is_spent(zone: Azure) -> None:
    """Azure, any request may fail once (behaviour reference section 10, point 11)."""
    await zone.sim("POST", "faults", {"service": "arm", "method": "GET", "status": 503})

    assert await statuses(zone, 3) == [503, 200, 200]


async def test_skip_and_times(zone: Azure) -> None:
    """Azure, any request may fail later, and more than once (behaviour reference section 10, point 11)."""
    await zone.sim("POST", "faults", {"service": "arm", "status": 500, "skip": 1, "times": 2})

    assert await statuses(zone, 5) == [200, 500, 500, 200, 200]


async def test_only_what_is_meant(zone: Azure) -> None:
    """A fault is for one service, one method, one path (behaviour reference section 10, point 11)."""
    await zone.sim("POST", "faults", {"service": "arm", "method": "PUT", "path": "/a/X$", "status": 500})
    await zone.sim("POST", "faults", {"service": "graph", "status": 500})

    assert await statuses(zone, 1) == [200]
    assert (await zone.arm("PUT", f"{ZONE_ID}/A/y", BODY)).status == 201
    assert (await zone.arm("PUT", RECORD, BODY)).status == 500
    assert (await zone.arm("PUT", RECORD, BODY)).status == 201


@pytest.mark.parametrize(("when", "written"), [("before", False), ("after", True)])
async def test_before_and_after(zone: Azure, when: str, written: bool) -> None:
    """Azure, a write may be done although its answer is an error (behaviour reference section 10, point 11)."""
    await zone.sim("POST", "faults", {"service": "arm", "method": "PUT", "status": 500, "when": when})

    assert (await zone.arm("PUT", RECORD, BODY)).status == 500

    assert ((await zone.arm("GET", RECORD)).status == 200) is written


@pytest.mark.parametrize(("when", "written"), [("before", False), ("after", True)])
async def test_a_dropped_connection(zone: Azure, when: str, written: bool) -> None:
    """Azure, a connection may break before or after the write (behaviour reference section 10, point 11).

    Twice, because aiohttp by itself sends a PUT again when a connection it kept open breaks.
    """
    fault = {"service": "arm", "method": "PUT", "reset": True, "when": when, "times": 2}
    await zone.sim("POST", "faults", fault)

    with pytest.raises(aiohttp.ClientError):
        await zone.arm("PUT", RECORD, BODY)

    assert ((await zone.arm("GET", RECORD)).status == 200) is written
    assert [each["status"] for each in await zone.requests()][-2] is None


async def test_throttling_as_the_stock_client_sees_it(zone: Azure) -> None:
    """Azure, 429 with Retry-After is tried again after it (behaviour reference sections 6.2, 7.5)."""
    await zone.sim("POST", "faults", {"service": "arm", "status": 429, "retryAfter": 0})

    found = await (await zone.private_dns()).private_zones.get("rg-dns", BLOB_ZONE)

    assert found.name == BLOB_ZONE
    assert [each["status"] for each in await zone.requests()][-2:] == [429, 200]


async def test_a_throttled_query_is_not_tried_again(zone: Azure) -> None:
    """Azure, the client does not retry a POST on 429 without Retry-After (behaviour reference section 5.2)."""
    fault = {"service": "graph", "status": 429, "code": "RateLimiting"}
    await zone.sim("POST", "faults", fault)

    with pytest.raises(HttpResponseError) as raised:
        await (await zone.graph()).resources(QueryRequest(query="resources | project id"))

    assert raised.value.error is not None
    assert raised.value.error.code == "RateLimiting"
    assert len(await zone.requests("graph")) == 1


async def test_code_body_and_headers(zone: Azure) -> None:
    """Azure, errors come wrapped, or in a body of their own (behaviour reference section 6.1)."""
    fault = {"service": "arm", "status": 409}
    coded, bodied = {**fault, "code": "AnotherOperationInProgress"}, {**fault, "body": {"code": "Conflict"}}
    await zone.sim("POST", "faults", [coded, bodied])
    await zone.sim("POST", "faults", {"service": "arm", "status": 429, "retryAfter": "Wed, 21 Oct 2026 07:28:00 GMT"})

    wrapped, bare, dated = [await zone.arm("GET", ZONE_ID) for _ in range(3)]

    assert wrapped.body["error"]["code"] == "AnotherOperationInProgress"
    assert bare.body == {"code": "Conflict"}
    assert dated.headers["Retry-After"].startswith("Wed")
    assert dated.body["error"]["code"] == "TooManyRequests"


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_delay(zone: Azure, when: str) -> None:
    """Azure, any request may be slow (behaviour reference section 10, point 11)."""
    await zone.sim("POST", "faults", {"service": "arm", "delayMs": 20, "when": when})

    assert await statuses(zone, 2) == [200, 200]

    slow, _ = (await zone.requests())[-2:]
    assert slow["ms"] >= 20


async def test_unspent_faults_are_told(zone: Azure) -> None:
    """A test can see whether its fault ever struck (behaviour reference section 10, point 11)."""
    fault = {"service": "arm", "status": 500, "path": "never"}
    await zone.sim("POST", "faults", fault)

    assert await zone.sim("DELETE", "faults") == {"unspent": [fault]}
    assert await zone.sim("DELETE", "faults") == {"unspent": []}


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ({"status": 500}, "service"),
        ({"service": "dns", "status": 500}, "service"),
        ({"service": "arm"}, "status"),
        ({"service": "arm", "killHost": 0}, "there are 0 hosts"),
        ({"service": "arm", "killHost": True}, "there are 0 hosts"),
        ({"service": "arm", "killHost": False}, "killHost"),
        ({"service": "arm", "killHost": -1}, "killHost"),
        ({"service": "eventgrid", "killHost": 0}, "arm or graph or identity or topic"),
        ({"service": "arm", "status": 200}, "status"),
        ({"service": "arm", "status": 600}, "status"),
        ({"service": "arm", "status": 500, "method": "get"}, "method"),
        ({"service": "arm", "status": 500, "path": "("}, "path"),
        ({"service": "arm", "status": 500, "path": 1}, "path"),
        ({"service": "arm", "status": 500, "skip": -1}, "skip"),
        ({"service": "arm", "status": 500, "times": 0}, "times"),
        ({"service": "arm", "status": 500, "when": "later"}, "when"),
        ({"service": "arm", "status": 500, "code": 5}, "code"),
        ({"service": "arm", "status": 500, "retryAfter": -1}, "retryAfter"),
        ({"service": "arm", "delayMs": True}, "delayMs"),
        ({"service": "arm", "reset": 1}, "reset"),
        ("arm", "JSON object"),
    ],
)
async def test_what_is_no_fault_is_refused(azure: Azure, fault: Any, named: str) -> None:
    """A fault that would never strike as meant is a mistake of the test (behaviour reference section 10, point 11)."""
    answer = await azure.ask("POST", "/_sim/faults", fault)

    assert answer.status == 400
    assert named in answer.body["error"]


def test_faults_for_event_delivery() -> None:
    """Other services of the simulator take their faults in the same way (behaviour reference section 10, point 11)."""
    faults = Faults()
    faults.add({"service": "eventgrid", "status": 503})
    faults.add({"service": "eventgrid", "status": 500})

    first, second = (faults.take("eventgrid", "post", "/runtime/webhooks/eventgrid") for _ in range(2))

    assert first is not None
    assert second is not None
    assert (first.status, second.status) == (503, 500)
    assert faults.take("eventgrid", "POST", "/") is None
