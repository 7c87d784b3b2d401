"""The work queue's door: what was handed on is done, and what cannot be done ends where people find it."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.doors.local_azure import Spoke, traces


def item(endpoint: object, **more: Any) -> str:
    """A work item that is due."""
    scope = {"endpoint": endpoint, "thorough": False}
    return json.dumps({"version": 1, "scope": scope, "attempt": 1, "due": time.time(), "trace": "", **more})


async def test_what_was_handed_on_is_done(silent: Spoke) -> None:
    endpoint = await silent.endpoint()
    await silent.storage.send(item(endpoint))
    await silent.settle()
    assert await silent.addresses() == ["10.1.0.4"]
    await silent.hears("apply: done, 1 of 1 changes done")


async def test_an_event_may_come_through_the_queue_as_well(silent: Spoke) -> None:
    """Event Grid puts an event into a storage queue as base64 (behaviour reference section 1.3)."""
    endpoint = await silent.endpoint()
    await silent.storage.send(json.dumps(silent.event(endpoint)))
    await silent.settle()
    assert await silent.addresses() == ["10.1.0.4"]
    await silent.delete(endpoint)
    await silent.storage.send(json.dumps([silent.event(endpoint)]), json.dumps(silent.event(silent.account_id)))
    await silent.settle()
    assert await silent.addresses() is None


async def test_an_event_about_nothing_is_ignored_and_left_nowhere(silent: Spoke) -> None:
    """It tells of people, who have no business in the poison queue."""
    await silent.storage.send(json.dumps(silent.event("pe1")), json.dumps(silent.event(None)))
    await silent.settle()
    assert await silent.storage.poison() == []
    await silent.hears("work: an event is ignored, for it is about nothing", 2)
    assert traces(silent.said) == []


async def test_a_run_that_nobody_was_promised_is_not_begun(silent: Spoke) -> None:
    """What a run may do stands in the ledger, never in the queue."""
    endpoint = await silent.endpoint()
    await silent.storage.send(item(endpoint, attempt=0, run="20261122T022000123Z-1a2b3c4d"))
    await silent.settle()
    assert await silent.calls() == []
    assert await silent.addresses() is None


async def test_what_is_no_work_item_ends_in_the_poison_queue_as_it_came(silent: Spoke) -> None:
    """After five tries, with what stands behind it done meanwhile."""
    endpoint = await silent.endpoint()
    cut = item(endpoint).removesuffix("}")
    bad = [
        "no work item",
        "[]",
        "{}",
        item(endpoint, version="1"),
        item(endpoint, scope=None),
        item(endpoint, attempt=-1),
        item(endpoint, due="soon"),
        item(f"{endpoint}/../pe2"),
        cut,
        cut + " " * 40_000,
        json.dumps([silent.event(endpoint), silent.event(endpoint)]),
    ]
    await silent.storage.send(*bad, item(endpoint))
    await silent.settle()
    assert sorted(await silent.storage.poison()) == sorted(bad)
    assert await silent.storage.count() == 0
    assert await silent.addresses() == ["10.1.0.4"]
    await silent.hears("failed 5 times: moved to 'hubwarden-work-poison'", len(bad))


async def test_an_item_of_a_newer_format_is_kept_for_whoever_can_read_it(silent: Spoke) -> None:
    endpoint = await silent.endpoint()
    newer = json.dumps({"version": 2, "what": {"nobody": ["knows", "yet"]}, "endpoint": endpoint})
    await silent.storage.send(newer)
    await silent.settle()
    assert await silent.storage.poison() == [newer]
    await silent.hears("NewerFormatError: a work item of format 2; this version knows 1")
    assert await silent.addresses() is None


async def test_a_manual_request_gets_its_name_once_its_owner_has_said_yes(silent: Spoke) -> None:
    """No event tells of the approval: the work queue looks again by itself."""
    endpoint = await silent.endpoint(manual=True)
    assert await silent.happened(endpoint) == 202
    assert await silent.storage.follow_up(endpoint) is not None
    assert await silent.addresses() is None

    connections = (await silent.azure.storage(silent.subscription)).private_endpoint_connections
    [connection] = [each async for each in connections.list("rg-spoke", silent.account)]
    assert connection.properties is not None
    state = connection.properties.private_link_service_connection_state
    assert state.status == "Pending"
    state.status, state.description = "Approved", "by its owner"
    await connections.put("rg-spoke", silent.account, str(connection.name), connection)

    await silent.settle()
    assert await silent.addresses() == ["10.1.0.4"]
    assert await silent.storage.follow_up(endpoint) is None


async def test_a_request_that_nobody_answers_is_left_to_itself_in_the_end(silent: Spoke) -> None:
    """It waits for a person, so it is no failure, and no message of it remains."""
    endpoint = await silent.endpoint(manual=True)
    assert await silent.happened(endpoint) == 202
    await silent.settle()
    assert await silent.storage.count() == 0
    assert await silent.storage.follow_up(endpoint) is None
    await silent.hears("held: not_approved, connections waiting: 1\n")


async def test_what_azure_refuses_to_the_last_ends_in_the_poison_queue(silent: Spoke) -> None:
    """A right that is missing: each look fails, the last one loudly, and a person can send it again."""
    endpoint = await silent.endpoint()
    await silent.fault(method="PUT", path=f"/A/{silent.account}$", status=403, code="AuthorizationFailed")
    assert await silent.happened(endpoint) == 202
    await silent.settle()
    [left] = await silent.storage.poison()
    assert json.loads(left)["scope"]["endpoint"] == endpoint
    await silent.hears("not done after 4 tries: apply: failed")
    await silent.hears("AuthorizationFailed")

    await silent.no_faults()
    await silent.storage.send(left)
    await silent.settle()
    assert await silent.addresses() == ["10.1.0.4"]


async def test_while_azure_does_not_answer_the_work_is_handed_on_and_done_later(silent: Spoke) -> None:
    """The webhook still says yes; when ARM is back the record appears without another event."""
    endpoint = await silent.endpoint()
    await silent.fault(method="GET", path="privateEndpoints/pe1", status=503, code="ServerBusy")
    assert await silent.happened(endpoint) == 202
    assert await silent.storage.count() > 0
    assert await silent.storage.follow_up(endpoint) is not None
    assert await silent.addresses() is None
    await silent.no_faults()
    await silent.settle()
    assert await silent.addresses() == ["10.1.0.4"]
    assert await silent.storage.follow_up(endpoint) is None
