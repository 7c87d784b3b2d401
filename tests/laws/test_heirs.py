"""An endpoint deleted and made anew under the same name, with looks at the one and the other under way at once."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from hubwarden.model.plan import Drop, HeldReason
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneEndpoint
from hubwarden.model.work import WorkItem
from hubwarden.runtime.looked import Looked
from tests.azure import SPOKE
from tests.estate import Estate, held, written
from tests.laws.conftest import Founding
from tests.laws.test_contest import ACCOUNT
from tests.laws.test_failure import waiting
from tests.laws.test_scopes import moved
from tests.laws.test_withdrawal import published


async def look(estate: Estate, endpoint: str, *, thorough: bool = False) -> Looked:
    """As a door does it, with what is left handed on."""
    return await estate.hubwarden.look(OneEndpoint(ResourceId.parse(endpoint), thorough), within=100)


async def slow(estate: Estate, path: str) -> None:
    """The next answer under that path takes its time."""
    fault = {"service": "arm", "method": "GET", "path": path, "times": 1, "when": "before", "delayMs": 700}
    await estate.azure.sim("POST", "faults", fault)
    await estate.forget_calls()


async def asked(estate: Estate, path: str) -> None:
    """Waits until Hubwarden has asked for that path."""

    async def is_asked() -> bool:
        return any(each["path"].endswith(path) for each in await estate.azure.requests())

    await estate.until(is_asked)


async def follow_up(estate: Estate) -> None:
    """The work queue's items are done when they are due."""
    items: list[dict[str, Any]] = await waiting(estate)
    for each in items:
        estate.time.seconds = max(estate.time.seconds, each["due"])
        await estate.hubwarden.work(WorkItem.from_json(json.dumps(each)), within=100)


@pytest.mark.parametrize("shows_guid", [True, False])
@pytest.mark.parametrize("thorough", [True, False])
async def test_a_deletions_look_leaves_the_record_of_the_endpoint_made_anew(
    estate: Estate, thorough: bool, shows_guid: bool
) -> None:
    await estate.azure.sim("POST", "settings", {"resourceGuidOnGet": shows_guid, "operationMs": 0})
    endpoint = await published(estate)
    account = endpoint.split("/providers")[0] + "/providers/Microsoft.Storage/storageAccounts/st1"
    await estate.delete_endpoint(endpoint)
    await slow(estate, f"/subscriptions/{SPOKE}$")
    deletion = asyncio.create_task(look(estate, endpoint, thorough=thorough))
    await asked(estate, f"/subscriptions/{SPOKE}")
    await estate.azure.endpoint("pe1", account, wait=False)

    async def is_ready() -> bool:
        document = (await estate.azure.arm("GET", endpoint)).body
        return bool(document["properties"]["provisioningState"] == "Succeeded")

    await estate.until(is_ready)
    await look(estate, endpoint)
    assert await estate.addresses() == ["10.1.0.4"]
    await deletion
    assert await estate.addresses() == ["10.1.0.4"], "the heir keeps its name"


async def test_a_creation_that_a_deletion_overtook_before_its_claim_is_found(found: Founding) -> None:
    estate = await found(followUps=["10ms"])
    await estate.azure.sim("POST", "settings", {"operationMs": 0})
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    await slow(estate, f"/subscriptions/{SPOKE}$")
    creation = asyncio.create_task(look(estate, endpoint))
    await asked(estate, f"/subscriptions/{SPOKE}")
    await estate.delete_endpoint(endpoint)
    deletion = await look(estate, endpoint)
    assert deletion.report is not None
    assert not deletion.report.plan.changes
    assert deletion.next_look is not None
    await creation
    await follow_up(estate)
    assert await estate.addresses() is None


async def test_what_was_seen_too_long_ago_is_looked_at_again_before_it_is_written_on(estate: Estate) -> None:
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    await slow(estate, f"/subscriptions/{SPOKE}$")
    creation = asyncio.create_task(look(estate, endpoint))
    await asked(estate, f"/subscriptions/{SPOKE}")
    await estate.delete_endpoint(endpoint)
    estate.time.seconds += 6
    await creation
    assert await estate.addresses() is None
    assert not [call for call in await estate.calls() if call.startswith("PUT")]


@pytest.mark.parametrize("thorough", [True, False])
async def test_an_heir_whose_write_failed_leaves_no_orphan_of_its_forebear(estate: Estate, thorough: bool) -> None:
    endpoint = await published(estate)
    account = endpoint.split("/providers")[0] + "/providers/Microsoft.Storage/storageAccounts/st1"
    await estate.delete_endpoint(endpoint)
    await estate.azure.endpoint("pe1", account)
    fault = {"service": "arm", "method": "PUT", "path": "/A/st1$", "times": 1, "when": "before", "status": 429}
    await estate.azure.sim("POST", "faults", {**fault, "code": "TooMany", "retryAfter": 99})
    assert (await estate.look(endpoint)).unfinished
    await estate.delete_endpoint(endpoint)
    await estate.look(endpoint, thorough=thorough)
    assert await estate.addresses() is None


async def test_an_endpoint_made_anew_that_waits_proves_its_forebears_end(estate: Estate) -> None:
    """Law 2: a dead address is not kept because somebody of the same name waits for an answer."""
    endpoint = await published(estate)
    account = endpoint.split("/providers")[0] + "/providers/Microsoft.Storage/storageAccounts/st1"
    await estate.delete_endpoint(endpoint)
    await estate.azure.endpoint("pe1", account, manual=True)
    report = await estate.look(endpoint)
    assert [type(change) for change in report.plan.changes] == [Drop]
    assert await estate.record() is None


async def test_a_forebears_name_goes_to_the_next_that_wants_it(estate: Estate) -> None:
    endpoint = await published(estate)
    account = endpoint.split("/providers")[0] + "/providers/Microsoft.Storage/storageAccounts/st1"
    second = await estate.azure.endpoint("pe2", account)
    await estate.look(second)
    await estate.delete_endpoint(endpoint)
    await estate.azure.endpoint("pe1", account, manual=True)
    await estate.sweep()
    record = await estate.record()
    assert record is not None
    assert record["properties"]["metadata"]["hubwarden_endpoint"] == second
    assert (await estate.sweep()).plan.changes == ()


async def holder(estate: Estate) -> str:
    """The endpoint that the record says it is of."""
    record = await estate.record()
    assert record is not None
    return str(record["properties"]["metadata"]["hubwarden_endpoint"])


@pytest.mark.parametrize("heir", ["waits", "is rejected", "wants another name"])
async def test_a_forebear_that_was_moved_keeps_its_record(estate: Estate, heir: str) -> None:
    """Law 5: whatever becomes of somebody else of the same name that stands where it was."""
    endpoint = await published(estate)
    group = await moved(estate, endpoint)
    if heir == "wants another name":
        await estate.azure.endpoint("pe1", await estate.azure.storage_account("st2"))
    else:
        await estate.azure.endpoint("pe1", ACCOUNT, manual=True)
    if heir == "is rejected":
        await estate.azure.answer(endpoint, ACCOUNT, "Rejected")
    report = await estate.look(endpoint)
    assert [change for change in report.plan.changes if change.key.name == "st1"] == []
    assert await holder(estate) == endpoint
    await estate.sweep()
    assert (await holder(estate)).startswith(group)


async def test_a_forebear_whose_move_the_index_does_not_show_yet_keeps_its_record(estate: Estate) -> None:
    """Law 5: the index still shows it where somebody else of the same name stands, and so proves nothing."""
    endpoint = await published(estate)
    await estate.azure.sim("POST", "settings", {"graphLagMs": 3_600_000})
    group = await moved(estate, endpoint)
    await estate.azure.endpoint("pe1", ACCOUNT, manual=True)
    report = await estate.look(endpoint)
    assert report.plan.changes == ()
    assert HeldReason.UNCERTAIN in held(report)
    assert await holder(estate) == endpoint
    await estate.azure.sim("POST", "settings", {"graphLagMs": 0})
    await estate.sweep()
    assert (await holder(estate)).startswith(group)


async def test_an_endpoint_made_anew_that_wants_the_same_name_waits_for_no_index(estate: Estate) -> None:
    """Law 2: where nothing is left over, nobody has to say where the one before it is."""
    endpoint = await published(estate)
    await estate.delete_endpoint(endpoint)
    await estate.azure.endpoint("decoy", ACCOUNT)
    await estate.azure.endpoint("pe1", ACCOUNT)
    fault = {"service": "graph", "method": "POST", "times": 99, "status": 429, "code": "RateLimiting"}
    await estate.azure.sim("POST", "faults", fault)
    await estate.forget_calls()
    assert written(await estate.look(endpoint)) == {"st1": ["10.1.0.5"]}
    assert await estate.addresses() == ["10.1.0.5"]
    assert await estate.calls("graph") == []
