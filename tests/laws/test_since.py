"""Since when a connection waits: the ledger's first sight, and never younger, whoever looks and however often.

The policy page has it: `age` counts from the first time that Hubwarden saw it waiting.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from azure.core.pipeline.transport import AioHttpTransport

from hubwarden.errors import LedgerUnavailableError
from hubwarden.ledger.sights import SIGHT_FORMAT, SIGHTS_TABLE, Sight
from hubwarden.model.connection import Verdict
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneEndpoint, OneTarget, Pending
from hubwarden.reconcile.since import since_when
from hubwarden.runtime import Runtime
from tests.azure import SPOKE, resource_id
from tests.collected import Collected
from tests.estate import Estate, config
from tests.laws.conftest import Founding, restarted
from tests.laws.test_approvals import OWN, STORAGE, asked, by_hand, connections_of, fault, guarded, statuses, target_of
from tests.laws.test_hostile_consumers import cosmos
from tests.laws.test_killed import Killer

DAY = 86400.0
APPROVED, PENDING, REJECTED = ConnectionStatus.APPROVED, ConnectionStatus.PENDING, ConnectionStatus.REJECTED
WEEK, MOMENT = "7d", "1ms"


def older(age: str) -> dict[str, Any]:
    """A rule that rejects what has waited for longer."""
    return {"name": "old", "then": "reject", "when": {"target": {"types": [STORAGE]}, "age": age}}


OLD = older(WEEK)


async def sights(estate: Estate) -> list[Sight]:
    """What the ledger knows of those that wait."""
    return list((await estate.hubwarden.rooms.sights.all()).known.values())


async def waiting(found: Founding, *rules: Any, **wanted: Any) -> tuple[Estate, str, str]:
    """An estate with these rules, a target, and an endpoint that asks for it."""
    estate = await guarded(found, *rules)
    target = await target_of(estate, STORAGE)
    return estate, target, await asked(estate, target, **wanted)


async def test_what_has_waited_for_longer_is_rejected_and_not_before(found: Founding) -> None:
    """The first sight counts, by whichever run; what is answered waits no more."""
    estate, target, endpoint = await waiting(found, OLD)
    began = estate.time.now()
    await estate.look(endpoint)
    for moment in (began + 1, began + 7 * DAY):
        estate.time.seconds = moment
        assert [each.verdict for each in (await estate.hubwarden.run(Pending())).decisions] == [Verdict.HOLD]
    assert [sight.first for sight in await sights(estate)] == [began]
    assert await statuses(estate, target) == [PENDING]

    estate.time.seconds = began + 7 * DAY + 1
    [decision] = (await estate.hubwarden.run(Pending())).decisions
    assert (decision.verdict, decision.rule, decision.after) == (Verdict.REJECT, "old", REJECTED)
    assert decision.reason.endswith("it has been waiting for more than 604800 s")
    assert await sights(estate) == []


async def test_age_never_matches_in_the_first_run_however_long_that_takes(found: Founding) -> None:
    estate, target, _ = await waiting(found, older(MOMENT))
    steady = estate.hubwarden.rooms

    def ticking() -> float:
        estate.time.seconds += 10
        return estate.time.now()

    estate.hubwarden.rooms = replace(steady, now=ticking)
    assert [each.verdict for each in (await estate.hubwarden.run(Pending())).decisions] == [Verdict.HOLD]
    await estate.hubwarden.run(Pending())
    assert await statuses(estate, target) == [REJECTED]


async def test_without_a_word_of_age_nothing_is_younger_than_it_was_seen(found: Founding) -> None:
    """It is noted whatever the rules ask: they may ask tomorrow."""
    estate, target, _ = await waiting(found)
    began = estate.time.now()
    await estate.hubwarden.run(OneTarget(ResourceId.parse(target)))
    estate.time.seconds += 30 * DAY
    await estate.sweep()
    assert [sight.first for sight in await sights(estate)] == [began]
    [shown] = await estate.hubwarden.connections(PENDING)
    assert shown.since == began


async def test_two_instances_agree_though_their_clocks_differ(found: Founding, tmp_path: Path) -> None:
    """A first sight in the future is none of long ago: it is 0 seconds old."""
    estate, *_ = await waiting(found, OLD)
    began = estate.time.now()
    settings = config(tmp_path, estate.azure.url, estate.connection_string, approvals={"rules": [OLD]})
    async with Runtime.build(settings, now=lambda: estate.time.now() - 3600, sleep=estate.time.sleep) as slow:
        await estate.hubwarden.run(Pending())
        [decision] = (await slow.run(Pending())).decisions
        assert (decision.facts and decision.facts.age, decision.since) == (0.0, began)
        estate.time.seconds = began + 7 * DAY + 3600
        assert [each.verdict for each in (await slow.run(Pending())).decisions] == [Verdict.HOLD]
        estate.time.seconds += 1
        [decision] = (await slow.run(Pending())).decisions
        assert (decision.verdict, decision.since) == (Verdict.REJECT, began)


async def test_a_plan_notes_nothing(found: Founding) -> None:
    estate, *_ = await waiting(found, OLD)
    await estate.sweep(applies=False)
    [shown] = await estate.hubwarden.connections(PENDING)
    assert (await sights(estate), shown.since) == ([], None)


async def test_in_mode_plan_whoever_waits_waits_for_a_person(found: Founding, collected: Collected) -> None:
    """During the rollout nobody else answers, whatever a rule would: it is noted, counted and warned of, and forgotten.

    So rules with `age` say in mode plan what they would do (docs/events.md, "Reminders").
    """
    estate = await guarded(found, OLD, OWN, mode="plan")
    endpoint = await asked(estate, target := await target_of(estate, STORAGE))
    began = estate.time.now()
    report = await estate.hubwarden.run(Pending())
    assert [(each.verdict, each.since) for each in report.decisions] == [(Verdict.APPROVE, began)]
    estate.time.seconds += 7 * DAY + 1
    report = await estate.hubwarden.run(Pending())
    assert [(each.verdict, each.rule) for each in report.decisions] == [(Verdict.REJECT, "old")], "as it would be"
    assert [each.endpoint for each in report.plan.warnings] == [ResourceId.parse(endpoint)]
    points = collected.points("hubwarden.waiting.connections", "hubwarden.waiting.longest")
    assert list(points.values()) == [1, 7 * DAY + 1]
    assert await statuses(estate, target) == [PENDING], "nobody is answered"

    [connection] = await connections_of(estate, target)
    await by_hand(estate, connection, "Approved")
    await estate.sweep()
    assert await sights(estate) == []


@contextmanager
def calls_to_the_table(patch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The methods of all requests to the table of sights while this lasts."""
    made: list[str] = []
    sends = AioHttpTransport.send

    async def send(transport: Any, request: Any, **options: Any) -> Any:
        if SIGHTS_TABLE in request.url or SIGHTS_TABLE in str(request.body or ""):
            made.append(request.method)
        return await sends(transport, request, **options)

    with patch.context() as patched:
        patched.setattr(AioHttpTransport, "send", send)
        yield made


async def test_at_rest_a_pending_run_reads_once_and_writes_nothing(
    found: Founding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many wait; and where none does it is not even read."""
    estate, *_ = await waiting(found)
    await asked(estate, await target_of(estate, STORAGE, "t2"), "pe2")
    await estate.hubwarden.run(Pending())
    with calls_to_the_table(monkeypatch) as made:
        await estate.hubwarden.run(Pending())
        assert made == ["GET"]
    for each in ("t1", "t2"):
        [connection] = await connections_of(estate, resource_id(SPOKE, "rg-spoke", STORAGE, each))
        await by_hand(estate, connection, "Rejected")
    with calls_to_the_table(monkeypatch) as made:
        await estate.hubwarden.run(Pending())
        assert made == []


async def test_one_made_anew_under_the_same_id_is_another(found: Founding) -> None:
    """By another endpoint, or by one of another resourceGuid where that is known; where it was not, it is learnt."""
    estate, target, _ = await waiting(found)
    rooms = estate.hubwarden.rooms
    [connection] = await connections_of(estate, target)
    assert connection.endpoint is not None

    async def age(guid: str = "", **changes: Any) -> float | None:
        estate.time.seconds += DAY
        asking = replace(connection, **changes)
        assert asking.endpoint is not None
        since = await since_when(rooms, [asking], notes=True, guids={asking.endpoint: guid})
        return since.age(asking)

    assert [await age(), await age(), await age("g1"), await age(), await age("g1")] == [n * DAY for n in range(5)]
    assert [await age("g2"), await age("g2"), await age()] == [0.0, DAY, 2 * DAY]
    other = ResourceId.parse(resource_id(SPOKE, "rg-spoke", "Microsoft.Network/privateEndpoints", "other"))
    assert [await age(endpoint=other), await age(endpoint=other)] == [0.0, DAY]


async def test_an_endpoints_own_run_knows_its_guid(found: Founding) -> None:
    estate, _, endpoint = await waiting(found)
    await estate.hubwarden.run(Pending())
    await estate.hubwarden.run(OneEndpoint(ResourceId.parse(endpoint)))
    guid = (await estate.azure.arm("GET", endpoint)).body["properties"]["resourceGuid"]
    assert [sight.guid for sight in await sights(estate)] == [guid]


@pytest.mark.parametrize("knows", [True, False])
async def test_a_sweep_learns_that_one_was_made_anew_whose_events_are_lost(found: Founding, knows: bool) -> None:
    """The account names its connections after the endpoints (approval notes, "Cosmos DB"), so that the id is the same.

    Of a sight that was noted without a resourceGuid that is learnt first: it keeps its age.
    """
    estate = await guarded(found)
    target = await cosmos(estate)
    endpoint = await asked(estate, target, groups=["Sql"])
    began = estate.time.now()
    if knows:
        await estate.sweep()
    else:
        await estate.hubwarden.run(Pending())
    assert [bool(sight.guid) for sight in await sights(estate)] == [knows]

    await estate.delete_endpoint(endpoint)
    await asked(estate, target, groups=["Sql"])
    estate.time.seconds += DAY
    await estate.sweep()
    guid = (await estate.azure.arm("GET", endpoint)).body["properties"]["resourceGuid"]
    [sight] = await sights(estate)
    assert (sight.first, sight.guid) == (began + DAY if knows else began, guid)
    [shown] = await estate.hubwarden.connections(PENDING)
    assert shown.since == sight.first


async def test_what_only_a_newer_version_knows_is_not_known(found: Founding) -> None:
    """Then the rule holds, and ends the search; the row stays as it is."""
    estate, target, _ = await waiting(found, OLD, OWN)
    table = estate.hubwarden.rooms.account.table(SIGHTS_TABLE).client
    await since_when(estate.hubwarden.rooms, await connections_of(estate, target), notes=True)
    [row] = [dict(each) async for each in table.list_entities()]
    newer = {**row, "Format": SIGHT_FORMAT + 1, "FirstSeen": "long ago"}
    await table.upsert_entity(newer)
    [decision] = (await estate.hubwarden.run(OneTarget(ResourceId.parse(target)))).decisions
    assert decision.reason == "rule old cannot be judged; not known: for how long it has been waiting"
    assert [dict(each) async for each in table.list_entities()] == [newer]


async def test_a_sweep_forgets_what_waits_no_longer_and_asks_arm_about_each(found: Founding) -> None:
    """Law 5's caution: an index that lags, or may not see, proves nothing."""
    estate, target, _ = await waiting(found)
    await estate.hubwarden.run(Pending())
    [connection] = await connections_of(estate, target)
    await by_hand(estate, connection, "Approved")
    await estate.azure.sim(
        "POST", "faults", fault("GET", str(connection.id), status=403, code="AuthorizationFailed", times=9)
    )
    await estate.sweep()
    assert len(await sights(estate)) == 1
    await estate.azure.sim("DELETE", "faults")
    await estate.hubwarden.run(Pending())
    assert len(await sights(estate)) == 1
    await estate.sweep(applies=False)
    assert len(await sights(estate)) == 1
    await estate.sweep()
    assert await sights(estate) == []


async def test_what_the_index_does_not_show_yet_is_not_forgotten(found: Founding) -> None:
    estate = await guarded(found)
    target = await target_of(estate, STORAGE)
    await estate.azure.sim("POST", "settings", {"graphLagMs": 3_600_000})
    await asked(estate, target)
    await estate.hubwarden.run(OneTarget(ResourceId.parse(target)))
    before = await sights(estate)
    await estate.sweep()
    assert await sights(estate) == before != []


async def test_what_is_gone_or_of_another_now_or_outside_the_estate_is_forgotten(found: Founding) -> None:
    estate, target, _ = await waiting(found)
    [connection] = await connections_of(estate, target)
    other = ResourceId.parse(resource_id(SPOKE, "rg-spoke", "Microsoft.Network/privateEndpoints", "other"))
    stranger = resource_id("00000000-0000-0000-0000-0000000000cc", "rg", STORAGE, "t9")
    unknown = resource_id(SPOKE, "rg", "Contoso.Things/things", "t9")
    left = [Sight(ResourceId.parse(f"{each}/privateEndpointConnections/c"), other, 1.0) for each in (stranger, unknown)]
    gone = Sight(ResourceId.parse(f"{target}/privateEndpointConnections/gone"), other, 1.0)
    await estate.hubwarden.rooms.sights.note([*left, gone, Sight(connection.id, other, 1.0)])
    await estate.sweep()
    assert [(sight.connection, sight.endpoint) for sight in await sights(estate)] == [
        (connection.id, connection.endpoint)
    ]


async def test_a_storage_that_fails_at_the_end_of_a_sweep_only_costs_the_forgetting(
    found: Founding, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    estate, target, _ = await waiting(found, OWN)

    async def fails(self: object) -> None:
        raise LedgerUnavailableError("storage is down")

    monkeypatch.setattr("hubwarden.ledger.sights.Sights.all", fails)
    report = await estate.sweep()
    assert (report.complete, await statuses(estate, target)) == (True, [APPROVED])
    assert "what waits no longer is forgotten later: storage is down" in caplog.text


async def test_killed_between_the_note_and_the_answer_it_is_as_old_as_it_was(
    found: Founding, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    estate, target, _ = await waiting(found, OLD, OWN)
    began = estate.time.now()
    killer = Killer(monkeypatch)
    writes = 0
    while not await sights(estate):
        writes += 1
        assert await killer.kills(estate.hubwarden.run(OneTarget(ResourceId.parse(target))), writes)
    assert await statuses(estate, target) == [PENDING]
    await restarted(estate, tmp_path, approvals={"rules": [OLD, OWN]})
    estate.time.seconds = began + 7 * DAY + 1
    [decision] = (await estate.hubwarden.run(OneTarget(ResourceId.parse(target)))).decisions
    assert (decision.rule, decision.since) == ("old", began)
    assert await sights(estate) == []
