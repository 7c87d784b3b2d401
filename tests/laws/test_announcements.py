"""What is done is announced: stored ahead, published after, none lost, and nothing twice under different ids.

The design, section 3, point 6: outgoing events go to an outbox first. A topic that is down stops no record and no
answer.
"""

from __future__ import annotations

from typing import Any

import pytest

from hubwarden.ledger.outbox import State
from hubwarden.model.report import Status
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneTarget, Pending
from hubwarden.reconcile.publish import REFUSED_FOR
from hubwarden.reconcile.sweep import sweep as sweep_of_the_records
from tests.azure import BLOB_ZONE, SPOKE, Azure, resource_id
from tests.estate import IDENTITY, Estate, record_id
from tests.laws.announced import (
    APPROVED,
    FAILED,
    HELD,
    REGISTERED,
    REJECTED,
    WAITING,
    WITHDRAWN,
    announcing,
    kinds,
    told,
    topic_fails,
    topic_recovers,
)
from tests.laws.conftest import Founding, readdress

ACCOUNT = resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "st1")
OWN = {
    "name": "own",
    "when": {"consumer": {"in": "estate"}, "target": {"types": ["Microsoft.Storage/storageAccounts"]}},
}


async def in_outbox(estate: Estate) -> dict[State, int]:
    """How many announcements there are in the outbox in each state."""
    return {state: len(await estate.hubwarden.rooms.outbox.of(state, most=100)) for state in State}


NOTHING = dict.fromkeys(State, 0)


async def test_a_record_is_announced_with_its_names_and_ids(found: Founding, azure: Azure) -> None:
    """The data is what the Report says: no sentence, no word of the consumer's, no person."""
    estate = await announcing(found, azure)
    endpoint = await azure.endpoint("pe1", ACCOUNT)
    await estate.look(endpoint)

    [event] = await told(estate)
    assert event["type"] == REGISTERED
    assert event["source"] == "/hubwarden/contoso"
    assert event["specversion"] == "1.0"
    assert event["subject"] == record_id("st1")
    assert event["data"] == {
        "zone": BLOB_ZONE,
        "name": "st1",
        "type": "A",
        "addresses": await estate.addresses(),
        "was": [],
        "endpoint": endpoint,
    }
    assert await in_outbox(estate) == NOTHING


async def test_it_is_published_by_the_apps_own_identity(found: Founding, azure: Azure) -> None:
    """No key: a token for https://eventgrid.azure.net."""
    estate = await announcing(found, azure)
    await estate.look(await azure.endpoint("pe1", ACCOUNT))

    assert {each["principal"] for each in await azure.sim("GET", "topics")} == {IDENTITY}


async def test_a_withdrawal_is_announced(found: Founding, azure: Azure) -> None:
    estate = await announcing(found, azure)
    endpoint = await azure.endpoint("pe1", ACCOUNT)
    await estate.look(endpoint)
    addresses = await estate.addresses()
    await estate.delete_endpoint(endpoint)
    await estate.look(endpoint)

    events = await told(estate)
    assert [each["type"] for each in events] == [REGISTERED, WITHDRAWN]
    assert events[1]["subject"] == record_id("st1")
    assert (events[1]["data"]["addresses"], events[1]["data"]["was"]) == ([], addresses)


async def test_what_changes_nothing_announces_nothing(found: Founding, azure: Azure) -> None:
    estate = await announcing(found, azure)
    endpoint = await azure.endpoint("pe1", ACCOUNT)
    await estate.look(endpoint)
    await azure.sim("DELETE", "topics")
    await estate.look(endpoint, thorough=True)
    await estate.sweep()
    await estate.sweep()

    assert await told(estate) == []


async def test_a_record_that_comes_again_is_another_event(found: Founding, azure: Azure) -> None:
    """A receiver that drops what it knows by its id must not drop the second registration."""
    estate = await announcing(found, azure)
    for _ in range(2):
        endpoint = await azure.endpoint("pe1", ACCOUNT)
        await estate.look(endpoint)
        await estate.delete_endpoint(endpoint)
        await estate.look(endpoint)

    events = await told(estate)
    assert [each["type"] for each in events] == [REGISTERED, WITHDRAWN] * 2
    assert len({each["id"] for each in events}) == 4


async def test_without_a_topic_there_is_no_call_and_no_row(found: Founding, azure: Azure) -> None:
    estate = await found()
    await estate.look(await azure.endpoint("pe1", ACCOUNT))
    await azure.endpoint("pe2", ACCOUNT, manual=True)
    await estate.sweep()

    assert await azure.requests("topic") == []
    assert await in_outbox(estate) == NOTHING


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503},
        {"status": 429, "retryAfter": 3600},
        {"status": 401, "code": "Unauthorized"},
        {"status": 403},
        {"status": 404},
        {"reset": True},
        {"service": "identity", "path": "token", "skip": 0},
    ],
    ids=str,
)
async def test_the_topic_down_stops_nothing_and_nothing_is_lost(
    found: Founding, azure: Azure, fault: dict[str, Any]
) -> None:
    """Records and answers go on; the minute's timer sends what is left, in its order, each once."""
    estate = await announcing(found, azure)
    endpoint = await azure.endpoint("pe1", ACCOUNT)
    await estate.warm()
    await topic_fails(estate, **fault)
    report = await estate.look(endpoint)
    await estate.delete_endpoint(endpoint)
    await estate.look(endpoint)
    assert report.status is Status.DONE
    assert await told(estate) == []
    assert (await in_outbox(estate))[State.DUE] == 2

    await topic_recovers(estate)
    await estate.hubwarden.run(Pending())

    assert await kinds(estate) == [REGISTERED, WITHDRAWN]
    assert await in_outbox(estate) == NOTHING


async def test_an_event_that_the_topic_took_without_an_answer_comes_again_under_its_id(
    found: Founding, azure: Azure
) -> None:
    estate = await announcing(found, azure)
    await topic_fails(estate, when="after", reset=True, times=2)  # aiohttp itself sends it again on an old connection
    await estate.look(await azure.endpoint("pe1", ACCOUNT))
    await topic_recovers(estate)
    await estate.hubwarden.run(Pending())

    events = await told(estate)
    assert len(events) > 1
    assert len({each["id"] for each in events}) == 1


async def test_a_silent_topic_holds_up_one_events_run_only(found: Founding, azure: Azure) -> None:
    """After a failure only timers try for a minute."""
    estate = await announcing(found, azure)
    await topic_fails(estate)
    for name in ("pe1", "pe2"):
        await estate.look(await azure.endpoint(name, await azure.storage_account(f"of{name}")))
    assert len(await azure.requests("topic")) == 1

    await topic_recovers(estate)
    await estate.time.sleep(60)
    await estate.look(await azure.endpoint("pe3", ACCOUNT))
    assert await kinds(estate) == [REGISTERED] * 3


async def test_one_refused_event_does_not_hold_up_the_others(
    found: Founding, azure: Azure, caplog: pytest.LogCaptureFixture
) -> None:
    """400 for a batch: each goes by itself; the refused one is kept, tried by each sweep, and dropped after a day."""
    estate = await announcing(found, azure)
    await topic_fails(estate, status=503, times=1)
    first = await azure.endpoint("pe1", await azure.storage_account("of1"))
    await estate.look(first)
    await estate.time.sleep(60)
    await topic_fails(estate, status=400, code="BadRequest", times=2)  # the batch, and the first of it
    await estate.look(await azure.endpoint("pe2", ACCOUNT))

    assert [each["subject"] for each in await told(estate)] == [record_id("st1")]
    assert await in_outbox(estate) == {**NOTHING, State.REFUSED: 1}
    assert f"{REGISTERED} of {record_id('of1')} is refused" in caplog.text

    await topic_fails(estate, status=413, times=1)
    await estate.sweep()
    assert (await in_outbox(estate))[State.REFUSED] == 1
    await estate.time.sleep(REFUSED_FOR)
    await estate.sweep()
    assert await in_outbox(estate) == NOTHING
    assert len(await told(estate)) == 1


async def test_a_refused_event_that_is_taken_later_is_not_lost(found: Founding, azure: Azure) -> None:
    estate = await announcing(found, azure)
    await topic_fails(estate, status=400, times=2)
    await estate.look(await azure.endpoint("pe1", ACCOUNT))
    assert await told(estate) == []

    await estate.sweep()

    assert await kinds(estate) == [REGISTERED]


async def test_a_write_that_azure_refuses_is_not_announced(found: Founding, azure: Azure) -> None:
    estate = await announcing(found, azure)
    endpoint = await azure.endpoint("pe1", ACCOUNT)
    fault = {"service": "arm", "method": "PUT", "path": "/A/st1", "status": 403, "code": "AuthorizationFailed"}
    await azure.sim("POST", "faults", fault)
    report = await estate.look(endpoint)

    assert report.unfinished
    assert await told(estate) == []
    assert await in_outbox(estate) == NOTHING


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_write_without_an_answer_is_announced_once_if_it_struck(
    found: Founding, azure: Azure, when: str
) -> None:
    """Law 12: it may have been done. The sweep looks: what stands as announced is due, under the id of its etag."""
    estate = await announcing(found, azure)
    endpoint = await azure.endpoint("pe1", ACCOUNT)
    fault = {"service": "arm", "method": "PUT", "path": "/A/st1", "when": when, "status": 500, "times": 9}
    await azure.sim("POST", "faults", fault)
    await estate.look(endpoint)
    await azure.sim("DELETE", "faults")
    assert await told(estate) == []
    await estate.time.sleep(600)
    await estate.sweep()
    await estate.sweep()

    assert len({each["id"] for each in await told(estate)}) == 1
    assert set(await kinds(estate)) == {REGISTERED}
    assert await in_outbox(estate) == NOTHING


async def test_what_was_overtaken_before_anybody_looked_is_not_made_up(found: Founding, azure: Azure) -> None:
    """A drop without an answer, and the record is there again: nobody knows whether it was ever gone."""
    estate = await announcing(found, azure)
    endpoint = await azure.endpoint("pe1", ACCOUNT)
    await estate.look(endpoint)
    await readdress(estate, endpoint, "10.1.0.77")
    fault = {"service": "arm", "method": "PUT", "path": "/A/st1", "status": 500, "times": 9}
    await azure.sim("POST", "faults", fault)
    await estate.look(endpoint, thorough=True)
    await azure.sim("DELETE", "faults")
    await estate.delete_endpoint(endpoint)
    await estate.look(endpoint)
    await estate.time.sleep(600)
    await estate.sweep()

    assert await kinds(estate) == [REGISTERED, WITHDRAWN]
    assert await in_outbox(estate) == NOTHING


async def test_what_cannot_be_looked_at_stays_for_a_day(found: Founding, azure: Azure) -> None:
    estate = await announcing(found, azure)
    endpoint = await azure.endpoint("pe1", ACCOUNT)
    fault = {"service": "arm", "path": "/A/st1", "status": 500, "times": 99}
    await azure.sim("POST", "faults", fault)
    await estate.look(endpoint)
    await estate.time.sleep(600)
    await azure.sim("POST", "faults", {**fault, "status": 403, "code": "AuthorizationFailed"})
    await estate.sweep()
    assert (await in_outbox(estate))[State.INTENDED] >= 1

    await estate.time.sleep(REFUSED_FOR)
    await estate.sweep()
    await azure.sim("DELETE", "faults")
    assert await told(estate) == []


async def test_a_record_that_is_held_is_announced_once_until_it_is_held_no_more(found: Founding, azure: Azure) -> None:
    """Not at every sweep again; held anew, it is told anew, under another id."""
    estate = await announcing(found, azure)
    await estate.write_by_hand()
    endpoint = await azure.endpoint("pe1", ACCOUNT)
    for _ in range(3):
        await estate.sweep()
    [event] = await told(estate)
    assert (event["type"], event["subject"]) == (HELD, record_id("st1"))
    assert event["data"] == {
        "zone": BLOB_ZONE,
        "name": "st1",
        "type": "A",
        "endpoint": endpoint,
        "reason": "foreign_conflict",
    }

    await estate.delete_by_hand()
    await estate.sweep()
    await estate.write_by_hand()
    await estate.time.sleep(3600)  # what was written just now is believed for a while
    await estate.sweep()

    assert (await kinds(estate)).count(HELD) == 2
    assert len({each["id"] for each in await told(estate)}) == len(await told(estate))


async def test_a_connection_that_waits_is_announced_once_within_a_minute(found: Founding, azure: Azure) -> None:
    """The timer that looks at waiting connections tells, and no sweep after it again; the message stays unsaid."""
    estate = await announcing(found, azure)
    endpoint = await azure.endpoint("pe1", ACCOUNT, manual=True, message="please <b>let me in</b>")
    for _ in range(2):
        await estate.hubwarden.run(Pending())
    await estate.sweep()

    events = [each for each in await told(estate) if each["type"] == WAITING]
    [event] = events
    connection = await azure.connection(endpoint, ACCOUNT)
    assert event["subject"].lower() == connection["id"].lower()
    assert event["data"] == {"target": ACCOUNT, "endpoint": endpoint, "verdict": "hold", "rule": None, "reason": None}
    assert "let me in" not in str(event)


async def test_what_came_while_a_sweep_looked_is_announced_once_all_the_same(
    found: Founding, azure: Azure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep has not seen it, so that it is not held any more is nothing that it can say."""
    estate = await announcing(found, azure)
    sweeps = sweep_of_the_records

    async def slow(*told: Any, **options: Any) -> Any:
        part = await sweeps(*told, **options)
        await estate.time.sleep(60)
        await azure.endpoint("pe1", ACCOUNT, manual=True)
        await estate.hubwarden.run(Pending())
        return part

    monkeypatch.setattr("hubwarden.reconcile.run.sweep", slow)
    await estate.sweep()
    await estate.hubwarden.run(Pending())
    assert [each["type"] for each in await told(estate)] == [WAITING]


@pytest.mark.parametrize(("then", "kind"), [("approve", APPROVED), ("reject", REJECTED)])
async def test_an_answer_is_announced(found: Founding, azure: Azure, then: str, kind: str) -> None:
    estate = await announcing(found, azure, approvals={"rules": [{**OWN, "then": then}]})
    endpoint = await azure.endpoint("pe1", ACCOUNT, manual=True)
    await estate.hubwarden.run(Pending())
    await estate.hubwarden.run(Pending())

    [event] = await told(estate)
    assert event["type"] == kind
    assert event["data"] == {
        "target": ACCOUNT,
        "endpoint": endpoint,
        "verdict": then,
        "rule": "own",
        "who": "policy",
        "before": "Pending",
        "after": "Approved" if then == "approve" else "Rejected",
    }


async def test_an_answer_that_fails_is_announced_once(found: Founding, azure: Azure) -> None:
    """It is tried again each minute, and told of once."""
    estate = await announcing(found, azure, approvals={"rules": [{**OWN, "then": "approve"}]})
    await azure.endpoint("pe1", ACCOUNT, manual=True)
    fault = {"service": "arm", "method": "PUT", "path": "privateEndpointConnections", "status": 403, "times": 99}
    await azure.sim("POST", "faults", {**fault, "code": "AuthorizationFailed"})
    for _ in range(3):
        await estate.hubwarden.run(Pending())
    await azure.sim("DELETE", "faults")
    await estate.hubwarden.run(Pending())

    assert await kinds(estate) == [FAILED, APPROVED]


async def test_a_run_announces_in_one_request(found: Founding, azure: Azure) -> None:
    """With a topic: one publication for a run, whatever it did."""
    estate = await announcing(found, azure)
    for number in range(3):
        await azure.endpoint(f"pe{number}", await azure.storage_account(f"acc{number}"))
    await estate.sweep()

    assert len(await told(estate)) == 3
    assert len(await azure.requests("topic")) == 1


async def test_one_target_announces_like_any_run(found: Founding, azure: Azure) -> None:
    estate = await announcing(found, azure, approvals={"rules": [{**OWN, "then": "approve"}]})
    await azure.endpoint("pe1", ACCOUNT, manual=True)
    await estate.hubwarden.run(OneTarget(ResourceId.parse(ACCOUNT)))

    assert await kinds(estate) == [APPROVED, REGISTERED]
    assert len(await azure.requests("topic")) == 1


async def test_what_is_only_planned_is_not_announced(found: Founding, azure: Azure) -> None:
    estate = await announcing(found, azure)
    await estate.look(await azure.endpoint("pe1", ACCOUNT), applies=False)
    await estate.sweep(applies=False)

    assert await azure.requests("topic") == []
