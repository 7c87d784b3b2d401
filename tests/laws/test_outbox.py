"""The outbox: shared by all instances, in order, and no dearer than docs/events.md says."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import AioHttpTransport

from hubwarden.errors import LedgerUnavailableError
from hubwarden.ledger.outbox import OUTBOX_FORMAT, OUTBOX_TABLE, Outbox, State
from hubwarden.model.announcement import Announcement, Kind
from hubwarden.model.scope import Everything, Pending, Scope
from hubwarden.reconcile import publish
from hubwarden.runtime import Runtime
from tests.azure import SPOKE, Azure, resource_id
from tests.estate import Estate, config
from tests.laws.announced import (
    APPROVED,
    REGISTERED,
    WAITING,
    announcing,
    kinds,
    told,
    topic_fails,
    topic_of,
    topic_recovers,
)
from tests.laws.conftest import Founding

ACCOUNT = resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "st1")
MANY = 120


def held(number: int, time: float = 1.0) -> Announcement:
    """Something that is held."""
    return Announcement(Kind.RECORD_HELD, f"record {number}", {"reason": "no_zone"}, time)


def outbox_of(estate: Estate) -> Outbox:
    """Another instance's, on the same table."""
    return Outbox(estate.hubwarden.rooms.account)


@pytest.fixture
def requests(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many requests went to storage and to the topic."""
    counted: Counter[str] = Counter()
    sends = AioHttpTransport.send

    async def send(transport: Any, request: Any, **options: Any) -> Any:
        if not request.url.startswith(azure.url):
            counted["storage"] += 1
        elif "/topics/" in request.url:
            counted["topic"] += 1
        return await sends(transport, request, **options)

    monkeypatch.setattr(AioHttpTransport, "send", send)
    return counted


async def test_the_cost_of_a_topic_is_as_documented(
    found: Founding, azure: Azure, requests: Counter[str], tmp_path: Path
) -> None:
    """For an event's run with a record: a write ahead, one behind, a read, a publication, and a write that empties."""
    spent: list[dict[str, int]] = []
    for number, changes in enumerate(({}, {"events": {"topic": topic_of(azure)}})):
        estate = await found(**changes)
        for name in ("warm", "cold"):
            account = await azure.storage_account(f"{name}{number}")
            endpoint = await azure.endpoint(f"pe-{name}{number}", account)
            requests.clear()
            await estate.look(endpoint)
        spent.append(dict(requests))
    without, with_topic = spent
    assert "topic" not in without
    assert with_topic == {"storage": without["storage"] + 4, "topic": 1}


@pytest.mark.parametrize(("scope", "more"), [(Pending(), 1), (Everything(), 4)])
async def test_a_timers_run_that_has_nothing_to_tell_costs_a_few_reads(
    found: Founding, azure: Azure, requests: Counter[str], scope: Scope, more: int
) -> None:
    spent = []
    for changes in ({}, {"events": {"topic": topic_of(azure)}}):
        estate = await found(**changes)
        await estate.hubwarden.run(scope)
        requests.clear()
        await estate.hubwarden.run(scope)
        spent.append(requests["storage"])
    assert spent[1] == spent[0] + more
    assert requests["topic"] == 0


async def test_with_storage_down_nothing_is_written_and_nothing_is_told(
    found: Founding, azure: Azure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 12: what is to be announced is stored before the record is written."""
    estate = await announcing(found, azure)
    endpoint = await azure.endpoint("pe1", ACCOUNT)

    async def down(*_: Any, **__: Any) -> Any:
        raise ServiceRequestError("storage is down")

    monkeypatch.setattr(estate.hubwarden.rooms.outbox._table, "submit_transaction", down)
    with pytest.raises(LedgerUnavailableError):
        await estate.look(endpoint)

    assert await estate.record() is None
    assert await told(estate) == []


async def test_what_could_not_be_noted_after_the_deed_is_told_after_a_sweep(
    found: Founding, azure: Azure, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate = await announcing(found, azure)
    endpoint = await azure.endpoint("pe1", ACCOUNT)

    async def down(*_: Any, **__: Any) -> None:
        raise LedgerUnavailableError("storage is down")

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "settle", down)
        report = await estate.look(endpoint)
    assert not report.unfinished
    assert await estate.addresses() is not None
    assert await told(estate) == []

    await estate.time.sleep(600)
    await estate.sweep()
    assert await kinds(estate) == [REGISTERED]


async def test_an_answer_that_cannot_be_noted_stays_open_and_is_told_later(
    found: Founding, azure: Azure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The decision is closed only after its announcement is due."""
    rule = {"name": "own", "when": {"consumer": {"in": "estate"}}, "then": "approve"}
    estate = await announcing(found, azure, approvals={"rules": [rule]})
    await azure.endpoint("pe1", ACCOUNT, manual=True)

    async def down(*_: Any, **__: Any) -> None:
        raise LedgerUnavailableError("storage is down")

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "add", down)
        await estate.hubwarden.run(Pending())
    assert len(await estate.hubwarden.rooms.decisions.open()) == 1

    await estate.time.sleep(600)
    await estate.sweep()
    assert (await kinds(estate)).count(APPROVED) == 1
    assert await estate.hubwarden.rooms.decisions.open() == ()


async def test_what_is_held_is_told_by_a_later_run_if_the_ledger_is_silent(
    found: Founding, azure: Azure, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate = await announcing(found, azure)
    await azure.endpoint("pe1", ACCOUNT, manual=True)

    async def down(*_: Any, **__: Any) -> None:
        raise LedgerUnavailableError("storage is down")

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "tell_once", down)
        await estate.hubwarden.run(Pending())
    assert await told(estate) == []

    await estate.hubwarden.run(Pending())
    assert await kinds(estate) == [WAITING]


async def test_a_slow_topic_holds_up_nobody_for_long(
    found: Founding, azure: Azure, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(publish, "WITHIN", 0.1)
    estate = await announcing(found, azure)
    endpoint = await azure.endpoint("pe1", ACCOUNT)
    await azure.sim("POST", "faults", {"service": "topic", "delayMs": 3_600_000})
    report = await estate.look(endpoint)

    assert not report.unfinished
    assert "announced later" in caplog.text
    monkeypatch.undo()
    await estate.hubwarden.run(Pending())
    assert await kinds(estate) == [REGISTERED]


async def test_two_instances_that_publish_at_once_send_the_same_ids(
    found: Founding, azure: Azure, tmp_path: Path
) -> None:
    estate = await announcing(found, azure)
    await topic_fails(estate)
    for number in range(3):
        await estate.look(await azure.endpoint(f"pe{number}", await azure.storage_account(f"acc{number}")))
    await topic_recovers(estate)
    settled = config(tmp_path, azure.url, estate.connection_string, events={"topic": topic_of(azure)})
    async with Runtime.build(settled, now=estate.time.now, sleep=estate.time.sleep) as other:
        await asyncio.gather(estate.hubwarden.run(Pending()), other.run(Pending()))

    events = await told(estate)
    assert {each["type"] for each in events} == {REGISTERED}
    assert len({each["id"] for each in events}) == len({each["subject"] for each in events}) == 3
    assert await estate.hubwarden.rooms.outbox.of(State.DUE, most=9) == []


async def test_a_backlog_goes_out_in_its_order_a_hundred_at_a_time(found: Founding, azure: Azure) -> None:
    estate = await announcing(found, azure)
    outbox = outbox_of(estate)
    backlog = [
        Announcement(Kind.RECORD_HELD, f"r{number}", {}, float(number), f"id{number}") for number in range(MANY * 2)
    ]
    await outbox.add(backlog[MANY:], State.DUE)
    await outbox.add(backlog[:MANY], State.DUE)
    await estate.hubwarden.run(Pending())

    assert [each["subject"] for each in await told(estate)] == [each.subject for each in backlog]
    assert len(await azure.requests("topic")) == 3


async def test_two_instances_that_find_the_same_held_tell_of_each_once(estate: Estate) -> None:
    """Who is second finds it told; what only it has found is told all the same."""
    first, second = outbox_of(estate), outbox_of(estate)
    mine, others = [held(number) for number in range(MANY)], [held(number, 2.0) for number in range(1, MANY + 1)]
    await asyncio.gather(
        first.tell_once(mine, among="Hubwarden."),
        second.tell_once(others, among="Hubwarden."),
    )
    due = await first.of(State.DUE, most=3 * MANY)
    assert Counter(each.announcement.subject for each in due) == Counter(f"record {n}" for n in range(MANY + 1))


async def test_what_is_told_is_remembered_by_its_kind_until_it_ends(estate: Estate) -> None:
    outbox = outbox_of(estate)
    connection = Announcement(Kind.CONNECTION_HELD, "c", {}, 1.0)
    assert await outbox.tell_once([held(1), held(2), connection], among="Hubwarden.") == 3
    assert await outbox.tell_once([held(2), connection], among="Hubwarden.", looked=2.0) == 0
    assert await outbox.tell_once([held(1)], among="Hubwarden.") == 1, "it had ended"
    assert await outbox.tell_once([], among="Hubwarden.Connection.", looked=2.0) == 0
    assert await outbox.tell_once([held(2), connection], among="Hubwarden.") == 1, "only the connection"


async def test_settling_what_another_instance_settled_is_no_fault(estate: Estate) -> None:
    outbox = outbox_of(estate)
    first, second = await outbox.add([held(1), held(2)], State.DUE)
    await outbox.settle(void=[first])
    await outbox.settle(void=[first, second])
    assert await outbox.of(State.DUE, most=9) == []


async def test_what_a_newer_version_has_stored_is_neither_told_nor_changed(estate: Estate) -> None:
    """It is announced by whoever can read it; what this version stores goes on beside it."""
    outbox = outbox_of(estate)
    table = estate.hubwarden.rooms.account.table(OUTBOX_TABLE).client
    [theirs, ours] = await outbox.add([held(1), held(2)], State.DUE)
    row = dict(await table.get_entity("outbox", theirs.name))
    newer = {**row, "Format": OUTBOX_FORMAT + 1, "Kind": "Hubwarden.Moon.Landed", "Data": "of another shape"}
    await table.upsert_entity(newer)
    assert await outbox.of(State.DUE, most=9) == [ours]
    assert dict(await table.get_entity("outbox", theirs.name)) == newer
