"""Locks: those that people put on resources, and those of operations that are still running."""

from __future__ import annotations

import pytest
from azure.core.exceptions import HttpResponseError

from tests.azure import BLOB_ZONE, HUB, SPOKE, Azure, endpoint_request, resource_id

GROUP = f"/subscriptions/{HUB}/resourceGroups/rg-dns"
ZONE_ID = f"{GROUP}/providers/Microsoft.Network/privateDnsZones/{BLOB_ZONE}"
RECORD = f"{ZONE_ID}/A/x"
ENDPOINT = resource_id(SPOKE, "rg-spoke", "Microsoft.Network/privateEndpoints", "pe1")
BODY = {"properties": {"ttl": 10}}


@pytest.fixture
async def zone(azure: Azure) -> Azure:
    """A zone with a record set."""
    await azure.hub()
    await azure.arm("PUT", RECORD, BODY)
    return azure


async def lock(azure: Azure, scope: str, level: str) -> str:
    """A management lock; its id."""
    lock_id = f"{scope}/providers/Microsoft.Authorization/locks/keep"
    await azure.put({"id": lock_id, "properties": {"level": level}})
    return lock_id


async def code(azure: Azure, method: str, path: str, body: object = None) -> tuple[int, str]:
    """The status and the code that a request is answered with."""
    answer = await azure.arm(method, path, body)
    return answer.status, answer.body.get("error", {}).get("code", "") if isinstance(answer.body, dict) else ""


@pytest.mark.parametrize("scope", [f"/subscriptions/{HUB}", GROUP, GROUP.upper(), ZONE_ID, RECORD])
async def test_a_lock_holds_where_it_lies_and_below(zone: Azure, scope: str) -> None:
    """Azure, CanNotDelete stops deletions only, ReadOnly writes too (behaviour reference section 6.1)."""
    await lock(zone, scope, "CanNotDelete")
    assert await code(zone, "DELETE", RECORD) == (409, "ScopeLocked")
    assert await code(zone, "PUT", RECORD, BODY) == (200, "")

    await lock(zone, scope, "ReadOnly")
    for method in ("PUT", "PATCH", "DELETE"):
        assert await code(zone, method, RECORD, BODY) == (409, "ScopeLocked")
    assert await code(zone, "GET", RECORD) == (200, "")


async def test_a_lock_that_stops_writes_stops_actions(zone: Azure) -> None:
    """Azure, nothing is moved out of a group that is ReadOnly (behaviour reference section 6.1)."""
    body = {"resources": [ZONE_ID], "targetResourceGroup": f"{GROUP}2"}
    await zone.resource_group("rg-dns2", HUB)
    lock_id = await lock(zone, GROUP, "ReadOnly")

    assert await code(zone, "POST", f"{GROUP}/moveResources", body) == (409, "ScopeLocked")
    await zone.sim("DELETE", "resources", id=lock_id)
    assert (await zone.arm("POST", f"{GROUP}/moveResources", body)).status == 202


async def test_a_lock_holds_nowhere_else(zone: Azure) -> None:
    """Azure, neither a sibling nor a name that begins alike is locked (behaviour reference section 6.1)."""
    await lock(zone, RECORD, "ReadOnly")

    assert await code(zone, "PUT", f"{RECORD}y", BODY) == (201, "")
    assert await code(zone, "DELETE", f"{RECORD}y") == (200, "")
    assert (await zone.arm("PUT", ZONE_ID, {"location": "global"})).status == 202


@pytest.mark.parametrize("above", [ZONE_ID, GROUP])
async def test_what_lies_above_a_lock_stays(zone: Azure, above: str) -> None:
    """Azure, nothing goes that would take a locked thing along (behaviour reference section 6.1)."""
    await lock(zone, RECORD, "CanNotDelete")

    assert await code(zone, "DELETE", above) == (409, "ScopeLocked")


async def test_a_lock_is_told_and_taken_away(zone: Azure) -> None:
    """Azure, the 409 names the scope and what is locked (behaviour reference section 6.1)."""
    lock_id = await lock(zone, GROUP, "CanNotDelete")

    with pytest.raises(HttpResponseError) as raised:
        await (await zone.private_dns()).record_sets.delete("rg-dns", BLOB_ZONE, "A", "x")

    assert raised.value.status_code == 409
    assert raised.value.error is not None
    assert raised.value.error.code == "ScopeLocked"
    assert raised.value.error.message == (
        f"The scope '{RECORD}' cannot perform delete operation because following scope(s) are locked: '{GROUP}'. "
        "Please remove the lock and try again."
    )
    await zone.sim("DELETE", "resources", id=lock_id)
    assert await code(zone, "DELETE", RECORD) == (200, "")


async def test_a_lock_is_no_row_of_the_index(zone: Azure) -> None:
    """Azure, locks and roles are not in the table `resources` (behaviour reference section 5.4)."""
    await lock(zone, ZONE_ID, "CanNotDelete")
    body = {"query": "resources | where type has 'authorization'"}

    found = await zone.arm("POST", "/providers/Microsoft.ResourceGraph/resources", body, version="2021-03-01")

    assert found.body["totalRecords"] == 0


@pytest.fixture
async def busy(azure: Azure, account: str) -> Azure:
    """An endpoint and its zone group, and an operation on the endpoint that does not end."""
    await azure.endpoint("pe1", account)
    await azure.hold_operations()
    await azure.arm("PUT", ENDPOINT, endpoint_request(account))
    return azure


async def test_operations_beside_each_other(busy: Azure, account: str) -> None:
    """Azure, without lock conflicts only the very resource is busy (behaviour reference section 6.1)."""
    group = f"/subscriptions/{SPOKE}/resourceGroups/rg-spoke"

    assert await code(busy, "PUT", ENDPOINT, endpoint_request(account)) == (409, "AnotherOperationInProgress")
    assert await code(busy, "PUT", f"{ENDPOINT}2", endpoint_request(account)) == (201, "")
    assert await code(busy, "PUT", group, {"location": "westeurope"}) == (200, "")


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        (ENDPOINT, "RetryableErrorDueToAnotherOperation"),
        (f"{ENDPOINT}/privateDnsZoneGroups/default", "ReferencedResourceNotProvisioned"),
        (f"/subscriptions/{SPOKE}/resourceGroups/rg-spoke", "ReferencedResourceNotProvisioned"),
    ],
)
async def test_a_write_beside_an_operation(busy: Azure, path: str, detail: str) -> None:
    """Azure, 409 AnotherOperationInProgress, or 429 RetryableError, which is no quota (reference section 6.1)."""
    await busy.sim("POST", "settings", {"lockConflicts": "409"})
    assert await code(busy, "DELETE", path) == (409, "AnotherOperationInProgress")

    await busy.sim("POST", "settings", {"lockConflicts": "429"})
    answer = await busy.arm("DELETE", path)

    assert (answer.status, answer.body["error"]["code"]) == (429, "RetryableError")
    (found,) = answer.body["error"]["details"]
    assert found["code"] == detail
    assert ENDPOINT in found["message"]
    assert "PutPrivateEndpointsOperation" in found["message"]
    assert "Retry-After" not in answer.headers
    assert (await busy.arm("GET", ENDPOINT)).status == 200
    await busy.end_operations()
    assert (await busy.arm("DELETE", path)).status in (202, 204)


async def test_what_is_apart_is_free(busy: Azure, account: str) -> None:
    """Azure, only this or a dependent resource is locked (behaviour reference section 6.1)."""
    await busy.sim("POST", "settings", {"lockConflicts": "409"})

    assert await code(busy, "PUT", f"{ENDPOINT}2", endpoint_request(account)) == (201, "")


@pytest.mark.parametrize("path", [f"{ENDPOINT}/privateEndpointConnections", f"{ENDPOINT}/frobnicate/x/y/z"])
async def test_what_is_no_resource_is_not_locked(busy: Azure, path: str) -> None:
    """Azure does more than this simulator, which never guesses, whatever its settings (reference section 10)."""
    await busy.sim("POST", "settings", {"lockConflicts": "409"})

    assert (await busy.arm("PUT", path, {})).status == 501


@pytest.mark.parametrize("conflicts", ["off", "409", "429"])
async def test_private_dns_has_a_conflict_of_its_own(zone: Azure, conflicts: str) -> None:
    """Azure, two PUTs of one zone at once: Conflict, whatever the network service says (reference section 3.2)."""
    await zone.sim("POST", "settings", {"lockConflicts": conflicts})
    await zone.hold_operations()

    first, second = [await zone.arm("PUT", ZONE_ID, {"location": "global"}) for _ in range(2)]

    assert (first.status, second.status) == (202, 409)
    assert second.body["code"] == "Conflict"
    assert "'/operations/type/UpsertPrivateDnsZone/id/" in second.body["message"]
    assert await code(zone, "PUT", RECORD, BODY) == (200, "")  # record sets know no such operations
