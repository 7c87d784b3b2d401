"""Who waits for a person for longer than `remindAfter` is warned of by every run, and told of again once in that time.

docs/events.md has what a reminder says. Two instances, or a run that ends halfway, make no second one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hubwarden.model.plan import PlanWarning
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import Pending
from hubwarden.report.times import written_seconds
from hubwarden.runtime import Runtime
from tests.azure import SPOKE, Azure, resource_id
from tests.estate import Estate, config
from tests.laws.announced import WAITING, announcing, told, topic_of
from tests.laws.conftest import Founding, restarted
from tests.laws.test_killed import MOST_WRITES, Killer, start_over

ACCOUNT = resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "st1")
DAY = 86400.0
PERIOD = 2 * DAY


async def waits(estate: Estate, name: str = "pe1") -> str:
    """The id of an endpoint that waits for a person, and was just seen by the timer."""
    endpoint = await estate.azure.endpoint(name, ACCOUNT, manual=True)
    await estate.hubwarden.run(Pending())
    return endpoint


async def reminders(estate: Estate) -> list[Mapping[str, Any]]:
    """The data of the reminders that the topic took, in their order."""
    return [each["data"] for each in await told(estate) if each["data"].get("reminder")]


async def after(estate: Estate, seconds: float) -> tuple[PlanWarning, ...]:
    """What the timer's next run warns of."""
    estate.time.seconds += seconds
    return (await estate.hubwarden.run(Pending())).plan.warnings


async def test_it_is_told_of_again_once_in_each_period(found: Founding, azure: Azure) -> None:
    """As when it was held first, with since when it waits, and when it was told of last."""
    estate = await announcing(found, azure)
    began = estate.time.now()
    endpoint = await waits(estate)
    [first] = await told(estate)
    assert await after(estate, PERIOD - 1) == ()
    assert await reminders(estate) == []

    for _ in range(2):
        [warning] = await after(estate, 1)
        await estate.sweep()
    [reminder] = await reminders(estate)
    since = {"reminder": True, "waitingSince": written_seconds(began)}
    assert reminder == {**first["data"], **since, "lastReminder": None}
    assert (warning.endpoint, str(warning.connection)) == (ResourceId.parse(endpoint), first["subject"])
    assert warning.detail == f"{first['subject']} has waited for a person for 2 days, since {written_seconds(began)}"

    await after(estate, PERIOD - 2)
    assert len(await reminders(estate)) == 1
    await after(estate, 1)
    assert [each["lastReminder"] for each in await reminders(estate)] == [None, written_seconds(began + PERIOD)]
    assert {each["type"] for each in await told(estate)} == {WAITING}


async def test_every_sweep_lists_who_waits_for_long_the_longest_first(found: Founding) -> None:
    """Without a topic, too; the log tells of each once in a period."""
    estate = await found(approvals={"remindAfter": "3h"})
    for name in ("pe1", "pe2", "pe3"):
        await waits(estate, name)
        estate.time.seconds += 3600
    for _ in range(2):
        warnings = (await estate.sweep()).plan.warnings
        assert [warning.endpoint and warning.endpoint.name for warning in warnings] == ["pe1"]
    estate.time.seconds += 3600
    warnings = (await estate.sweep()).plan.warnings
    assert [warning.endpoint and warning.endpoint.name for warning in warnings] == ["pe1", "pe2"]
    assert [warning.detail.partition(", since")[0].rpartition(" for ")[2] for warning in warnings] == [
        "4 hours",
        "3 hours",
    ]


async def test_the_log_tells_of_it_once_in_a_period(found: Founding, caplog: pytest.LogCaptureFixture) -> None:
    estate = await found()
    await waits(estate)
    for _ in range(3):
        await after(estate, PERIOD / 2)
    assert caplog.text.count("has waited for a person since") == 1
    await after(estate, PERIOD / 2)
    assert caplog.text.count("has waited for a person since") == 2


async def test_a_plan_warns_and_raises_nothing(found: Founding, azure: Azure) -> None:
    estate = await announcing(found, azure)
    await waits(estate)
    before = await estate.hubwarden.rooms.sights.all()
    estate.time.seconds += PERIOD
    assert len((await estate.sweep(applies=False)).plan.warnings) == 1
    assert await estate.hubwarden.rooms.sights.all() == before
    assert await reminders(estate) == []


async def test_whoever_wants_no_reminders_says_0s(found: Founding, azure: Azure) -> None:
    estate = await announcing(found, azure, approvals={"remindAfter": "0s"})
    await waits(estate)
    assert await after(estate, 100 * DAY) == ()
    assert await reminders(estate) == []


async def test_what_a_rule_answers_is_not_waited_for(found: Founding, azure: Azure) -> None:
    """Only what is held waits for a person."""
    rule = {"name": "own", "then": "approve", "when": {"consumer": {"in": "estate"}, "age": "2d"}}
    estate = await announcing(found, azure, approvals={"rules": [rule]})
    await waits(estate)
    assert await after(estate, PERIOD + 1) == ()
    assert await reminders(estate) == []


async def test_two_instances_remind_once(found: Founding, azure: Azure, tmp_path: Path) -> None:
    estate = await announcing(found, azure)
    for name in ("pe1", "pe2", "pe3"):
        await waits(estate, name)
    settings = config(tmp_path, azure.url, estate.connection_string, events={"topic": topic_of(azure)})
    async with Runtime.build(settings, now=estate.time.now, sleep=estate.time.sleep) as second:
        for number in (1, 2):
            estate.time.seconds += PERIOD
            await asyncio.gather(*(each.run(Pending()) for each in (estate.hubwarden, second) * 2))
            await estate.sweep()
            assert len({each["id"] for each in await told(estate)}) == 3 + 3 * number
    assert len({each["endpoint"] for each in await reminders(estate)}) == 3


async def test_killed_after_any_write_it_reminds_once(
    found: Founding, azure: Azure, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One that the topic took twice bears one id."""
    killer = Killer(monkeypatch)
    for nth in range(1, MOST_WRITES):
        estate = await announcing(found, azure)
        await waits(estate)
        estate.time.seconds += PERIOD
        killed = await killer.kills(estate.hubwarden.run(Pending()), nth)
        await restarted(estate, tmp_path, events={"topic": topic_of(azure)})
        estate.time.seconds += 1000
        await estate.sweep()
        await after(estate, 1000)
        ids = {each["id"] for each in await told(estate) if each["data"].get("reminder")}
        assert len(ids) == 1, f"killed after write {nth}"
        await start_over(estate)
        await azure.sim("DELETE", "topics")
        if not killed:
            return
    raise AssertionError("the run has more writes than were tried")
