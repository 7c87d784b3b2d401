"""Law 10: only what waits is answered, on its state read just before, and the answer is read back; what cannot be
evaluated holds. Law 12: a failed answer is an Outcome, and what is to be answered is stored ahead. Law 13: one
connection can only hold itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from hubwarden.arm.connections import answer_connection, list_connections, read_connection
from hubwarden.errors import InputError, LedgerUnavailableError, NotFoundError
from hubwarden.ledger.decisions import DECISIONS_TABLE, Decisions
from hubwarden.ledger.storage import StorageAccount
from hubwarden.model.connection import Connection, Decision, Verdict
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.plan import HeldReason
from hubwarden.model.policy import Policy
from hubwarden.model.report import Result, Status
from hubwarden.model.resource_id import ResourceId
from hubwarden.reconcile.answer import close_open
from hubwarden.reconcile.approve import Approvals, approve
from tests.azure import HUB, SPOKE, resource_id
from tests.estate import IDENTITY, TENANT, Estate
from tests.laws.conftest import Founding

STORAGE, VAULT, SERVER = "Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults", "Microsoft.Sql/servers"
SERVICE = "Microsoft.Network/privateLinkServices"
STRANGER = "00000000-0000-0000-0000-0000000000cc"
APPROVED, REJECTED, PENDING = ConnectionStatus.APPROVED, ConnectionStatus.REJECTED, ConnectionStatus.PENDING
GROUP_OF = {STORAGE: "blob", VAULT: "vault", SERVER: "sqlServer"}

Rule = Mapping[str, Any]


def rule(name: str, then: str = "approve", types: list[str] | None = None, groups: Any = None, **consumer: Any) -> Rule:
    """A rule as the file has it."""
    when: dict[str, Any] = {"consumer": consumer} if consumer else {}
    when |= {"target": {"types": types}} if types else {}
    return {"name": name, "then": then, "when": when | ({"groups": groups} if groups else {})}


OWN = rule("own", types=[STORAGE, VAULT, SERVER, SERVICE], **{"in": "estate"})
OWN_BLOBS = rule("own blobs", types=[STORAGE], groups=["blob"], **{"in": "estate"})


async def guarded(found: Founding, *rules: Rule, **changes: Any) -> Estate:
    """An estate with these rules, in which waiting passes the time of Azure, too."""
    estate = await found(approvals={"rules": list(rules)}, **changes)

    async def sleep(seconds: float) -> None:
        await estate.time.sleep(seconds)
        await estate.azure.advance(seconds)

    estate.hubwarden.rooms = replace(estate.hubwarden.rooms, sleep=sleep)
    return estate


async def target_of(estate: Estate, target_type: str, name: str = "t1") -> str:
    """A resource of that type that endpoints can ask for; its id."""
    if target_type == STORAGE:
        return await estate.azure.storage_account(name)
    target = resource_id(SPOKE, "rg-spoke", target_type, name)
    document = {"id": target, "name": name, "type": target_type, "location": "westeurope"}
    await estate.azure.put({**document, "properties": {"provisioningState": "Succeeded"}})
    if group := GROUP_OF.get(target_type):
        member = {"groupId": group, "memberName": group, "fqdns": [f"{name}.example.com"]}
        await estate.azure.target(target, [member])
    return target


async def asked(estate: Estate, target: str, name: str = "pe1", **wanted: Any) -> str:
    """A private endpoint whose connection waits; its id."""
    group = GROUP_OF.get(ResourceId.parse(target).type)
    return await estate.azure.endpoint(name, target, **{"manual": True, "groups": [group] if group else [], **wanted})


async def connections_of(estate: Estate, target: str) -> tuple[Connection, ...]:
    return await list_connections(estate.hubwarden.rooms.arm, ResourceId.parse(target))


async def answered(estate: Estate, target: str, *, applies: bool = True) -> Approvals:
    """What came of the target's connections."""
    return await approve(estate.hubwarden.rooms, await connections_of(estate, target), applies=applies)


async def statuses(estate: Estate, target: str) -> list[ConnectionStatus]:
    return [each.status for each in await connections_of(estate, target)]


async def by_hand(estate: Estate, connection: Connection, status: str) -> None:
    """A person answers, at the resource."""
    body = {"properties": {"privateLinkServiceConnectionState": {"status": status, "description": "by hand"}}}
    assert (await estate.azure.arm("PUT", str(connection.id), body)).status in (200, 202)
    await estate.azure.advance(60)


async def writes(estate: Estate) -> list[dict[str, Any]]:
    """Hubwarden's own tries to change something; a fault strikes before it is seen who asks."""
    found = await estate.azure.requests()
    return [each for each in found if each["method"] != "GET" and each["principal"] in (IDENTITY, "", None)]


def fault(method: str, path: str, **more: Any) -> dict[str, Any]:
    return {"service": "arm", "method": method, "path": path, "times": 1, "when": "before", **more}


@pytest.mark.parametrize("target_type", [STORAGE, VAULT, SERVER, SERVICE])
@pytest.mark.parametrize(("then", "status"), [("approve", APPROVED), ("reject", REJECTED)])
async def test_a_rule_answers_and_the_answer_is_read_back(
    found: Founding, target_type: str, then: str, status: ConnectionStatus
) -> None:
    """Approval notes: four providers, one of them with its own client, two that answer late, one with other words."""
    estate = await guarded(found, {**OWN, "then": then})
    target = await target_of(estate, target_type)
    endpoint = await asked(estate, target, message="let me in")
    approvals = await answered(estate, target)
    [outcome] = approvals.outcomes
    [decision] = approvals.decisions
    assert (outcome.result, outcome.change, outcome.error) == (Result.DONE, decision, "")
    assert (decision.verdict, decision.rule, decision.before, decision.after) == (Verdict(then), "own", PENDING, status)
    assert decision.connection.endpoint == ResourceId.parse(endpoint)
    assert approvals.held == ()
    [shown] = await connections_of(estate, target)
    assert (shown.status, shown.settled) == (status, True)
    assert shown.message == f"{status} by Hubwarden (contoso): rule own"
    assert await estate.hubwarden.rooms.decisions.open() == ()


@pytest.mark.parametrize("target_type", [STORAGE, SERVICE])
async def test_all_but_the_state_goes_back_as_it_came(found: Founding, target_type: str) -> None:
    """Approval notes, storage: the field's name differs (actionRequired), and sending the whole avoids the question."""
    estate = await guarded(found, OWN)
    target = await target_of(estate, target_type)
    await asked(estate, target, message="let me in")
    [before] = (await estate.azure.arm("GET", f"{target}/privateEndpointConnections")).body["value"]
    await answered(estate, target)
    [after] = (await estate.azure.arm("GET", f"{target}/privateEndpointConnections")).body["value"]
    state = "privateLinkServiceConnectionState"
    kept = {"status": "Approved", "description": "Approved by Hubwarden (contoso): rule own"}
    assert after["properties"].pop(state) == {**before["properties"].pop(state), **kept}
    assert after["properties"] == before["properties"]


async def test_what_no_rule_matches_is_held_and_nobody_is_asked(found: Founding) -> None:
    estate = await guarded(found)
    target = await target_of(estate, STORAGE)
    await asked(estate, target)
    waiting = await connections_of(estate, target)
    await estate.forget_calls()
    approvals = await approve(estate.hubwarden.rooms, waiting, applies=True)
    assert [(each.verdict, each.rule, each.after) for each in approvals.decisions] == [(Verdict.HOLD, "", None)]
    assert (approvals.outcomes, approvals.held) == ((), ())
    assert await estate.calls() == []
    assert await statuses(estate, target) == [PENDING]


async def test_in_mode_plan_it_is_decided_and_not_answered(found: Founding) -> None:
    estate = await guarded(found, OWN)
    target = await target_of(estate, STORAGE)
    await asked(estate, target)
    approvals = await answered(estate, target, applies=False)
    assert [(each.verdict, each.after) for each in approvals.decisions] == [(Verdict.APPROVE, None)]
    assert approvals.outcomes == ()
    assert await writes(estate) == []
    assert await estate.hubwarden.rooms.decisions.open() == ()


async def test_only_what_waits_is_decided_on(found: Founding) -> None:
    estate = await guarded(found, OWN)
    target = await target_of(estate, STORAGE)
    for name in ("pe1", "pe2", "pe3"):
        await asked(estate, target, name)
    first, second, third = await connections_of(estate, target)
    await by_hand(estate, first, "Rejected")
    await by_hand(estate, second, "Approved")
    approvals = await answered(estate, target)
    assert [each.connection.id for each in approvals.decisions] == [third.id]
    assert sorted(await statuses(estate, target)) == [APPROVED, APPROVED, REJECTED]


@pytest.mark.parametrize("status", [APPROVED, REJECTED])
async def test_a_person_who_was_faster_is_respected(found: Founding, status: ConnectionStatus) -> None:
    estate = await guarded(found, OWN)
    target = await target_of(estate, STORAGE)
    await asked(estate, target)
    waiting = await connections_of(estate, target)
    await by_hand(estate, waiting[0], status)
    approvals = await approve(estate.hubwarden.rooms, waiting, applies=True)
    [outcome] = approvals.outcomes
    assert (outcome.result, outcome.temporary) == (Result.RACED, True)
    assert f"it is {status}" in outcome.error
    assert await writes(estate) == []
    [shown] = await connections_of(estate, target)
    assert (shown.status, shown.message) == (status, "by hand")
    assert await estate.hubwarden.rooms.decisions.open() == ()


async def test_a_person_whose_answer_is_under_way_is_respected(found: Founding) -> None:
    """Approval notes: an answered connection may still show Pending, and that it is Updating."""
    estate = await guarded(found, OWN)
    target = await target_of(estate, VAULT)
    await asked(estate, target)
    waiting = await connections_of(estate, target)
    await estate.azure.hold_operations()
    body = {"properties": {"privateLinkServiceConnectionState": {"status": "Rejected", "description": "no"}}}
    assert (await estate.azure.arm("PUT", str(waiting[0].id), body)).status in (200, 202)
    [outcome] = (await approve(estate.hubwarden.rooms, waiting, applies=True)).outcomes
    assert outcome.result is Result.RACED
    assert "Pending and changing" in outcome.error
    assert await writes(estate) == []


async def test_a_person_who_overtakes_our_answer_is_told_of(found: Founding) -> None:
    estate = await guarded(found, OWN)
    target = await target_of(estate, VAULT)
    await asked(estate, target)
    [waiting] = await connections_of(estate, target)
    rejected = (await estate.azure.arm("GET", str(waiting.id))).body
    rejected["properties"]["privateLinkServiceConnectionState"]["status"] = "Rejected"
    await estate.azure.hold_operations()

    async def overtaken(seconds: float) -> None:
        await estate.time.sleep(seconds)
        await estate.azure.put(rejected)

    rooms = replace(estate.hubwarden.rooms, sleep=overtaken)
    [outcome] = (await approve(rooms, [waiting], applies=True)).outcomes
    assert outcome.result is Result.RACED
    assert "answered by somebody else, too: it is Rejected" in outcome.error


async def test_a_connection_that_is_gone_is_raced(found: Founding) -> None:
    """Behaviour reference section 4.3: a 404 on the child."""
    estate = await guarded(found, OWN)
    target = await target_of(estate, STORAGE)
    endpoint = await asked(estate, target)
    waiting = await connections_of(estate, target)
    await estate.delete_endpoint(endpoint)
    [outcome] = (await approve(estate.hubwarden.rooms, waiting, applies=True)).outcomes
    assert (outcome.result, outcome.temporary) == (Result.RACED, True)
    assert "404" in outcome.error
    assert await writes(estate) == []


@pytest.mark.parametrize("before", [True, False])
async def test_a_connection_that_became_anothers_is_not_taken_for_the_one_decided_on(
    found: Founding, before: bool
) -> None:
    estate = await guarded(found, OWN)
    target = await target_of(estate, VAULT)
    await asked(estate, target)
    [waiting] = await connections_of(estate, target)
    shown = (await estate.azure.arm("GET", str(waiting.id))).body
    shown["properties"]["privateEndpoint"]["id"] += "-other"
    await estate.azure.hold_operations()

    async def exchanged(seconds: float) -> None:
        await estate.time.sleep(seconds)
        await estate.azure.put(shown)

    if before:
        await estate.azure.put(shown)
    rooms = replace(estate.hubwarden.rooms, sleep=exchanged)
    [outcome] = (await approve(rooms, [waiting], applies=True)).outcomes
    assert outcome.result is (Result.RACED if before else Result.FAILED)
    assert "is another's now" in outcome.error
    assert len(await writes(estate)) == (0 if before else 1)


async def test_groups_that_the_target_shows_must_be_those_decided_on(found: Founding) -> None:
    estate = await guarded(found, OWN_BLOBS)
    target = await target_of(estate, STORAGE)
    await asked(estate, target)
    [waiting] = await connections_of(estate, target)
    shown = (await estate.azure.arm("GET", str(waiting.id))).body
    shown["properties"]["groupIds"] = ["file"]
    await estate.azure.put(shown)
    [outcome] = (await approve(estate.hubwarden.rooms, [waiting], applies=True)).outcomes
    assert outcome.result is Result.RACED
    shown["properties"]["groupIds"] = ["Blob"]
    await estate.azure.put(shown)
    [outcome] = (await approve(estate.hubwarden.rooms, [waiting], applies=True)).outcomes
    assert outcome.result is Result.DONE


@pytest.mark.parametrize("target_type", [STORAGE, SERVICE])
@pytest.mark.parametrize(
    ("status", "code", "temporary"),
    [
        (409, "AnotherOperationInProgress", True),
        (429, "SubscriptionRequestsThrottled", True),
        (500, "InternalServerError", True),
        (400, "BadRequest", False),
        (403, "LinkedAuthorizationFailed", False),
        (409, "ScopeLocked", False),
    ],
)
async def test_a_failed_answer_is_an_outcome_and_is_not_sent_again_unread(
    found: Founding, target_type: str, status: int, code: str, temporary: bool
) -> None:
    estate = await guarded(found, OWN)
    target = await target_of(estate, target_type)
    await asked(estate, target)
    path = "/privateEndpointConnections/"
    await estate.azure.sim("POST", "faults", fault("PUT", path, status=status, code=code, retryAfter=2))
    [outcome] = (await answered(estate, target)).outcomes
    assert (outcome.result, outcome.temporary) == (Result.FAILED, temporary)
    assert code in outcome.error
    assert outcome.retry_after == (2.0 if temporary else None)
    assert len(await writes(estate)) == 1
    assert await statuses(estate, target) == [PENDING]
    assert len(await estate.hubwarden.rooms.decisions.open()) == (1 if temporary else 0)
    [again] = (await answered(estate, target)).outcomes
    assert again.result is Result.DONE


async def test_a_condition_that_does_not_hold_is_raced(found: Founding) -> None:
    estate = await guarded(found, OWN)
    target = await target_of(estate, VAULT)
    await asked(estate, target)
    await estate.azure.sim("POST", "faults", fault("PUT", "Connections/", status=412, code="PreconditionFailed"))
    [outcome] = (await answered(estate, target)).outcomes
    assert outcome.result is Result.RACED


async def test_an_answer_that_was_taken_though_it_seemed_to_fail_stays_open_for_a_look(found: Founding) -> None:
    estate = await guarded(found, OWN)
    target = await target_of(estate, STORAGE)
    await asked(estate, target)
    fails = fault("PUT", "/privateEndpointConnections/", status=500, code="InternalServerError")
    await estate.azure.sim("POST", "faults", {**fails, "when": "after"})
    [outcome] = (await answered(estate, target)).outcomes
    assert (outcome.result, outcome.temporary) == (Result.FAILED, True)
    [left] = await estate.hubwarden.rooms.decisions.open()
    assert (await read_connection(estate.hubwarden.rooms.arm, left.connection)).status is APPROVED
    assert (await answered(estate, target)).decisions == (), "it waits no longer"


async def test_an_answer_that_azure_does_not_show_in_time_is_followed(found: Founding) -> None:
    """Approval notes, "response lags": accepted, and Pending for a while."""
    estate = await guarded(found, OWN)
    target = await target_of(estate, SERVER)
    await asked(estate, target)
    await estate.azure.sim("POST", "settings", {"operationMs": 60_000})
    began = estate.time.now()
    approvals = await answered(estate, target)
    assert approvals.outcomes == ()
    [held] = approvals.held
    assert (held.reason, held.waits) == (HeldReason.NOT_READY, True)
    assert [(each.verdict, each.after) for each in approvals.decisions] == [(Verdict.APPROVE, PENDING)]
    assert estate.time.now() - began <= 8.0
    [left] = await estate.hubwarden.rooms.decisions.open()
    assert left.taken_at
    await estate.azure.advance(60)
    [outcome] = (await answered(estate, target)).outcomes
    assert outcome.result is Result.DONE
    assert await estate.hubwarden.rooms.decisions.open() == ()
    assert len(await writes(estate)) == 1
    assert await statuses(estate, target) == [APPROVED]


async def test_a_run_that_is_killed_leaves_its_word_open(found: Founding) -> None:
    estate = await guarded(found, OWN)
    target = await target_of(estate, STORAGE)
    endpoint = await asked(estate, target)
    waiting = await connections_of(estate, target)
    rooms = estate.hubwarden.rooms
    await estate.azure.sim("POST", "faults", fault("GET", str(waiting[0].id), delayMs=60_000))
    running = asyncio.create_task(approve(rooms, waiting, applies=True))
    await estate.until(rooms.decisions.open)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    [left] = await rooms.decisions.open()
    assert (left.connection, left.endpoint) == (waiting[0].id, ResourceId.parse(endpoint))
    assert (left.verdict, left.rule) == (Verdict.APPROVE, "own")
    assert left.at == pytest.approx(estate.time.now())
    assert await writes(estate) == []
    await rooms.decisions.close(left, Result.FAILED, rooms.now())
    await rooms.decisions.close(left, Result.FAILED, rooms.now())
    assert await rooms.decisions.open() == (), "closed twice is closed"


async def test_with_storage_down_nothing_is_answered(found: Founding) -> None:
    estate = await guarded(found, OWN)
    target = await target_of(estate, STORAGE)
    await asked(estate, target)
    nobody = StorageAccount(
        connection_string="DefaultEndpointsProtocol=http;AccountName=test;AccountKey=dGVzdA==;"
        "QueueEndpoint=http://127.0.0.1:9/test;TableEndpoint=http://127.0.0.1:9/test;"
    )
    rooms = replace(estate.hubwarden.rooms, decisions=Decisions(nobody))
    with pytest.raises(LedgerUnavailableError):
        await approve(rooms, await connections_of(estate, target), applies=True)
    await nobody.close()
    assert await writes(estate) == []


async def test_an_answer_is_done_though_the_ledger_fails_after_it(found: Founding) -> None:
    class Failing(Decisions):
        async def close(self, *_given: object, **_named: object) -> None:
            raise LedgerUnavailableError("storage went down")

    estate = await guarded(found, OWN)
    target = await target_of(estate, STORAGE)
    await asked(estate, target)
    rooms = estate.hubwarden.rooms
    failing = replace(rooms, decisions=Failing(rooms.account))
    [outcome] = (await approve(failing, await connections_of(estate, target), applies=True)).outcomes
    assert outcome.result is Result.DONE
    assert len(await rooms.decisions.open()) == 1


async def test_nothing_that_a_stranger_wrote_is_stored_or_sent(found: Founding) -> None:
    estate = await guarded(found, OWN)
    target = await target_of(estate, STORAGE)
    await asked(estate, target, message="call 555-0100")
    await answered(estate, target)
    table = estate.hubwarden.rooms.account.table(DECISIONS_TABLE).client
    rows = [dict(each) async for each in table.query_entities("PartitionKey eq 'closed'")]
    [row] = rows
    assert (row["Verdict"], row["Rule"], row["Result"]) == ("approve", "own", "done")
    assert "555" not in str(row)


async def test_a_description_is_never_too_long(found: Founding) -> None:
    long = {**OWN, "name": "r" * 60}
    estate = await guarded(found, long, instance="i" * 63)
    target = await target_of(estate, SERVER)
    await asked(estate, target)
    await answered(estate, target)
    [shown] = await connections_of(estate, target)
    assert (shown.status, len(shown.message)) == (APPROVED, 140)


async def test_a_sweep_closes_what_was_left_open_by_looking_at_azure(found: Founding) -> None:
    """Design, write ahead: whatever came of the answer, the ledger learns it from Azure."""
    estate = await guarded(found, OWN)
    rooms = estate.hubwarden.rooms
    target = await target_of(estate, STORAGE)
    endpoint = await asked(estate, await target_of(estate, STORAGE, "t2"))
    await estate.azure.put(
        *(pending(target, f"{endpoint}-{name}", name) for name in ("gone", "done", "other", "waits", "hidden"))
    )
    waiting = await connections_of(estate, target)
    # What `by_hand` writes is what the decision was to write: so it is known for its own.
    decisions = [Decision(each, Verdict.APPROVE, "own", "", note="by hand") for each in waiting]
    await rooms.decisions.intend(decisions, rooms.now(), lasts=600.0)
    by_name = {each.id.name: each for each in waiting}
    await by_hand(estate, by_name["done"], "Approved")
    await by_hand(estate, by_name["other"], "Rejected")
    assert (await estate.azure.arm("DELETE", str(by_name["gone"].id))).status == 200
    await close_open(rooms)
    assert len(await rooms.decisions.open()) == 5, "somebody may still be at them"
    estate.time.seconds += 601
    await estate.azure.sim("POST", "faults", fault("GET", "/hidden", status=403, code="AuthorizationFailed"))
    await close_open(rooms)
    [left] = await rooms.decisions.open()
    assert left.connection == by_name["hidden"].id
    table = rooms.account.table(DECISIONS_TABLE).client
    rows = [dict(each) async for each in table.query_entities("PartitionKey eq 'closed'")]
    results = {ResourceId.parse(row["Connection"]).name: row["Result"] for row in rows}
    assert results == {"gone": "raced", "done": "done", "other": "raced", "waits": "failed"}


# Law 9: answers by rule have limits of their own.


async def limited(found: Founding, then: str, limits: dict[str, int], count: int) -> tuple[Estate, str]:
    """An estate with these limits, and a target with so many connections that wait."""
    estate = await found(approvals={"rules": [{**OWN, "then": then}], "limits": limits})
    target = await target_of(estate, STORAGE)
    endpoint = await asked(estate, await target_of(estate, STORAGE, "t2"))
    await estate.azure.put(*(pending(target, f"{endpoint}-{number}", f"c{number}") for number in range(count)))
    return estate, target


@pytest.mark.parametrize("then", ["approve", "reject"])
async def test_answers_over_the_limit_of_an_hour_are_held_and_go_on_after_it(found: Founding, then: str) -> None:
    estate, target = await limited(found, then, {"approve": 2, "reject": 2}, 3)
    approvals = await answered(estate, target)
    assert [each.result for each in approvals.outcomes] == [Result.DONE] * 2
    [held] = approvals.held
    assert held.reason is HeldReason.OVER_LIMIT
    assert held.detail.startswith(f"{then} by rule own: ")
    assert held.detail.endswith(f"; but approvals.limits.{then} allows no more in this hour")
    [left] = [each for each in approvals.decisions if each.verdict is Verdict.HOLD]
    assert (left.connection.id, left.rule) == (held.connection, "own")
    estate.time.seconds += 3599
    assert [each.reason for each in (await answered(estate, target)).held] == [HeldReason.OVER_LIMIT]
    estate.time.seconds += 2
    assert [each.result for each in (await answered(estate, target)).outcomes] == [Result.DONE]


async def test_approvals_and_rejections_have_limits_of_their_own(found: Founding) -> None:
    estate, target = await limited(found, "approve", {"approve": 1, "reject": 0}, 1)
    assert [each.result for each in (await answered(estate, target)).outcomes] == [Result.DONE]


async def test_a_plan_counts_nothing(found: Founding) -> None:
    estate, target = await limited(found, "approve", {"approve": 1}, 1)
    for _ in range(2):
        assert (await answered(estate, target, applies=False)).held == ()
    assert [each.result for each in (await answered(estate, target)).outcomes] == [Result.DONE]


async def test_an_answer_that_is_refused_again_and_again_uses_up_nothing(found: Founding) -> None:
    """Law 13: one connection can only hold itself."""
    estate, target = await limited(found, "approve", {"approve": 1}, 1)
    await estate.azure.sim(
        "POST", "faults", fault("PUT", "/privateEndpointConnections/", status=403, code="AuthorizationFailed", times=3)
    )
    for _ in range(3):
        assert [each.result for each in (await answered(estate, target)).outcomes] == [Result.FAILED]
    assert [each.result for each in (await answered(estate, target)).outcomes] == [Result.DONE]


@pytest.mark.parametrize(("status", "code"), [(403, "AuthorizationFailed"), (500, "InternalServerError")])
async def test_answers_that_fail_again_and_again_hold_up_no_others(found: Founding, status: int, code: str) -> None:
    """Law 13: with room for one, it is another's turn in each run, and who can be answered is."""
    estate, target = await limited(found, "approve", {"approve": 1}, 3)
    *failing, well = await connections_of(estate, target)
    for each in failing:
        broken = fault("PUT", f"/{each.id.name}$", status=status, code=code, times=99)
        await estate.azure.sim("POST", "faults", broken)
    for _ in range(40):
        await answered(estate, target)
        if (await read_connection(estate.hubwarden.rooms.arm, well.id)).status is APPROVED:
            return
        estate.time.seconds += 3601 if status == 500 else 60
    raise AssertionError("it never had its turn")


async def test_an_answer_that_is_tried_again_and_again_counts_once(found: Founding) -> None:
    """One without a clear answer may have been taken, and counts; but not against itself."""
    estate, target = await limited(found, "approve", {"approve": 1}, 1)
    failing = fault("PUT", "/privateEndpointConnections/", status=500, code="InternalServerError", times=99)
    await estate.azure.sim("POST", "faults", failing)
    for _ in range(2):
        assert [each.result for each in (await answered(estate, target)).outcomes] == [Result.FAILED]
        estate.time.seconds += 60
    await estate.azure.sim("DELETE", "faults")
    assert [each.result for each in (await answered(estate, target)).outcomes] == [Result.DONE]


# Whose request it is.


async def of_subscription(estate: Estate, target: str, subscription: str, name: str = "foreign") -> None:
    """A connection that waits for an endpoint in a subscription that is not looked at here."""
    endpoint = resource_id(subscription, "rg", "Microsoft.Network/privateEndpoints", "pe")
    await estate.azure.put(pending(target, endpoint, name))


def pending(target: str, endpoint: str, name: str) -> dict[str, Any]:
    return {
        "id": f"{target}/privateEndpointConnections/{name}",
        "name": name,
        "properties": {
            "privateEndpoint": {"id": endpoint},
            "privateLinkServiceConnectionState": {"status": "Pending", "description": "", "actionRequired": "None"},
            "provisioningState": "Succeeded",
        },
    }


@pytest.mark.parametrize("within", ["estate", "tenant"])
@pytest.mark.parametrize("foreign", [True, False])
async def test_a_foreign_or_unreadable_consumer_is_never_approved_as_ours(
    found: Founding, within: str, foreign: bool
) -> None:
    """A subscription that went to another tenant stays foreign, though the settings still name it."""
    mine = rule("mine", types=[STORAGE], **{"in": within})
    anybody = rule("anybody", types=[STORAGE], subscriptions=[STRANGER])
    estate = await guarded(found, mine, anybody, estate={"subscriptions": [HUB, SPOKE, STRANGER]})
    target = await target_of(estate, STORAGE)
    await estate.azure.subscription(STRANGER, tenant=STRANGER if foreign else TENANT, readable=foreign)
    await of_subscription(estate, target, STRANGER)
    [decision] = (await answered(estate, target, applies=False)).decisions
    if foreign:
        assert (decision.verdict, decision.rule) == (Verdict.APPROVE, "anybody"), "'mine' is false, and not unknown"
    else:
        assert (decision.verdict, decision.rule) == (Verdict.HOLD, "mine"), "not known, and the search ends there"
        assert f"not known: whether the consumer is in the {within}" in decision.reason


@pytest.mark.every_right  # Azure shows a subscription of another tenant to guests only
async def test_a_stranger_is_rejected_only_where_azure_shows_it_in_another_tenant(found: Founding) -> None:
    estate = await guarded(found, rule("strangers", "reject", foreign=True), OWN)
    target = await target_of(estate, STORAGE)
    await of_subscription(estate, target, STRANGER)
    [decision] = (await answered(estate, target)).decisions
    assert (decision.verdict, decision.rule) == (Verdict.HOLD, "strangers")
    await estate.azure.subscription(STRANGER, tenant=STRANGER)
    [outcome] = (await answered(estate, target)).outcomes
    assert outcome.result is Result.DONE
    assert await statuses(estate, target) == [REJECTED]


async def test_whose_a_subscription_is_is_asked_afresh(found: Founding) -> None:
    """Design: a subscription's tenancy is remembered for an hour, and not for a decision."""
    estate = await guarded(found, rule("ours", types=[STORAGE], **{"in": "tenant"}))
    target = await target_of(estate, STORAGE)
    await asked(estate, target)
    await estate.warm()
    await estate.azure.subscription(SPOKE, tenant=STRANGER)
    [decision] = (await answered(estate, target)).decisions
    assert (decision.verdict, decision.rule) == (Verdict.HOLD, "")


# What the target does not show is read from the consumer's endpoint, where that is ours to read.


@pytest.mark.parametrize(("group", "verdict"), [("blob", Verdict.APPROVE), ("file", Verdict.HOLD)])
async def test_groups_are_read_from_the_estates_own_endpoint(found: Founding, group: str, verdict: Verdict) -> None:
    estate = await guarded(found, OWN_BLOBS)
    target = await estate.azure.storage_account("t1", services=["blob", "file"])
    await asked(estate, target, groups=[group])
    [decision] = (await answered(estate, target)).decisions
    assert decision.verdict is verdict
    assert decision.connection.groups == (group,)


async def test_the_endpoint_is_read_only_where_its_groups_matter(found: Founding) -> None:
    estate = await guarded(found, OWN, OWN_BLOBS)
    target = await target_of(estate, STORAGE)
    await asked(estate, target)
    await estate.forget_calls()
    await answered(estate, target)
    assert not [call for call in await estate.calls() if "/privateEndpoints/" in call]


async def test_groups_of_an_endpoint_that_is_not_ours_are_not_known(found: Founding) -> None:
    estate = await guarded(found, rule("named", types=[STORAGE], groups=["blob"], subscriptions=[STRANGER]))
    target = await target_of(estate, STORAGE)
    await estate.azure.subscription(STRANGER, tenant=TENANT)
    await of_subscription(estate, target, STRANGER)
    [decision] = (await answered(estate, target)).decisions
    assert (decision.verdict, decision.reason) == (
        Verdict.HOLD,
        "rule named cannot be judged; not known: the connection's groups",
    )


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_an_endpoint_that_cannot_be_read_holds_only_its_own_connection(found: Founding, status: int) -> None:
    estate = await guarded(found, OWN_BLOBS)
    target = await target_of(estate, STORAGE)
    first = await asked(estate, target, "pe1")
    second = await asked(estate, target, "pe2")
    await estate.azure.sim("POST", "faults", fault("GET", first, status=status, code="Trouble", times=9))
    approvals = await answered(estate, target)
    verdicts = {str(each.connection.endpoint): each.verdict for each in approvals.decisions}
    assert verdicts == {first: Verdict.HOLD, second: Verdict.APPROVE}
    assert [each.result for each in approvals.outcomes] == [Result.DONE]


async def test_an_endpoint_that_leads_elsewhere_tells_nothing_of_this_connection(found: Founding) -> None:
    estate = await guarded(found, OWN_BLOBS)
    target = await target_of(estate, STORAGE)
    endpoint = await asked(estate, await target_of(estate, STORAGE, "t2"))
    await estate.azure.put(pending(target, endpoint, "claims-to-be"))
    [decision] = (await answered(estate, target)).decisions
    assert (decision.verdict, decision.rule) == (Verdict.HOLD, "own blobs")


# One connection can only hold itself.


async def test_a_connection_without_an_endpoint_that_can_be_named_holds_only_itself(found: Founding) -> None:
    estate = await guarded(found, OWN)
    target = await target_of(estate, STORAGE)
    await asked(estate, target)
    await estate.azure.put(pending(target, "https://evil.example/privateEndpoints/pe", "nameless"))
    approvals = await answered(estate, target)
    assert sorted((each.verdict, each.rule) for each in approvals.decisions) == [("approve", "own"), ("hold", "own")]
    assert [each.result for each in approvals.outcomes] == [Result.DONE]


async def test_a_connection_that_cannot_be_read_costs_only_itself(found: Founding) -> None:
    estate = await guarded(found, OWN)
    target = await target_of(estate, VAULT)
    await asked(estate, target)
    vault = (await estate.azure.arm("GET", target)).body
    vault["properties"]["privateEndpointConnections"] += [{"id": "x"}, {}]
    await estate.azure.put(vault)
    [outcome] = (await answered(estate, target)).outcomes
    assert outcome.result is Result.DONE


async def test_a_connection_that_cannot_be_read_is_told_of_by_the_sweep(found: Founding) -> None:
    """Nobody can answer it before somebody hears of it."""
    estate = await guarded(found, OWN)
    target = await target_of(estate, VAULT)
    state = {"status": "Pending", "actionsRequired": "Recreate"}
    connection = {"id": f"{target}/x", "properties": {"privateLinkServiceConnectionState": state}}
    vault = (await estate.azure.arm("GET", target)).body
    vault["properties"]["privateEndpointConnections"] = [connection]
    await estate.azure.put(vault)
    report = await estate.sweep()
    assert report.status is Status.DONE
    [told] = [each.detail for each in report.plan.warnings]
    assert told.startswith(f"Resource Graph shows a connection of {target} that cannot be read:")
    assert f"{target}/x" in told


async def test_a_connection_told_of_twice_is_answered_once(found: Founding) -> None:
    estate = await guarded(found, OWN)
    target = await target_of(estate, STORAGE)
    await asked(estate, target)
    waiting = await connections_of(estate, target)
    approvals = await approve(estate.hubwarden.rooms, [*waiting, *waiting], applies=True)
    assert len(approvals.decisions) == len(approvals.outcomes) == 1


async def test_a_long_list_of_connections_is_read_to_its_end(found: Founding) -> None:
    """Behaviour reference section 3.5: a page names the next one."""
    estate = await guarded(found, OWN)
    target = await target_of(estate, STORAGE)
    endpoint = await asked(estate, await target_of(estate, STORAGE, "t2"))
    await estate.azure.put(*(pending(target, f"{endpoint}-{number}", f"c{number}") for number in range(101)))
    assert len({each.id for each in await connections_of(estate, target)}) == 101


async def test_many_are_answered_and_each_has_its_outcome(found: Founding) -> None:
    estate = await guarded(found, OWN)
    target = await target_of(estate, STORAGE)
    endpoint = await asked(estate, await target_of(estate, STORAGE, "t2"))
    await estate.azure.put(*(pending(target, f"{endpoint}-{number}", f"c{number}") for number in range(12)))
    await estate.azure.sim("POST", "faults", fault("PUT", "/c7", status=400, code="BadRequest"))
    approvals = await answered(estate, target)
    results = {outcome.key: outcome.result for outcome in approvals.outcomes}
    failed = [key for key, result in results.items() if isinstance(key, ResourceId) and result is Result.FAILED]
    assert (len(results), [key.name for key in failed]) == (12, ["c7"])
    assert [
        each for each in approvals.decisions if each.after is not APPROVED and each.connection.id.name != "c7"
    ] == []


async def test_a_provider_that_is_not_known_is_left_to_a_person(found: Founding) -> None:
    attestation = "Microsoft.Attestation/attestationProviders"
    estate = await guarded(found, rule("attestation", types=[attestation], **{"in": "estate"}))
    target = ResourceId.parse(resource_id(SPOKE, "rg-spoke", attestation, "a1"))
    endpoint = ResourceId.parse(resource_id(SPOKE, "rg-spoke", "Microsoft.Network/privateEndpoints", "pe"))
    connection = Connection(
        ResourceId.parse(f"{target}/privateEndpointConnections/a1.1"),
        endpoint,
        ("standard",),
        PENDING,
        "",
        settled=True,
    )
    rooms = estate.hubwarden.rooms
    approvals = await approve(rooms, [connection], applies=True)
    [held] = approvals.held
    assert (held.reason, held.connection, held.endpoint) == (HeldReason.UNKNOWN_PROVIDER, connection.id, endpoint)
    assert [(each.verdict, each.rule) for each in approvals.decisions] == [(Verdict.HOLD, "attestation")]
    assert approvals.outcomes == ()
    by_nothing = replace(rooms, policy=Policy())
    assert (await approve(by_nothing, [connection], applies=True)).held == (), "it would be held anyway"
    with pytest.raises(InputError, match="cannot be answered"):
        await list_connections(rooms.arm, target)
    with pytest.raises(InputError, match="cannot be answered"):
        await read_connection(rooms.arm, connection.id)


async def test_a_target_that_is_gone_says_so(found: Founding) -> None:
    estate = await guarded(found, OWN)
    gone = ResourceId.parse(resource_id(SPOKE, "rg-spoke", STORAGE, "gone"))
    with pytest.raises(NotFoundError):
        await list_connections(estate.hubwarden.rooms.arm, gone)


async def test_to_hold_is_no_answer(found: Founding) -> None:
    estate = await guarded(found)
    target = await target_of(estate, STORAGE)
    await asked(estate, target)
    [waiting] = await connections_of(estate, target)
    rooms = estate.hubwarden.rooms
    with pytest.raises(InputError):
        await answer_connection(rooms.arm, Decision(waiting, Verdict.HOLD, "", ""), "x")
    assert await writes(estate) == []


# The whole way: from what is asked for to the record in the hub.


async def test_a_look_at_an_endpoint_answers_its_connection_and_writes_its_record(found: Founding) -> None:
    estate = await guarded(found, OWN_BLOBS)
    target = await target_of(estate, STORAGE)
    report = await estate.look(await asked(estate, target))
    [decision] = report.decisions
    assert (decision.verdict, decision.rule, decision.after) == (Verdict.APPROVE, "own blobs", APPROVED)
    assert report.status is Status.DONE
    assert await statuses(estate, target) == [APPROVED]
    assert await estate.addresses("t1") == ["10.1.0.4"]


async def test_in_mode_plan_a_look_answers_nothing(found: Founding) -> None:
    estate = await guarded(found, OWN_BLOBS, mode="plan")
    target = await target_of(estate, STORAGE)
    report = await estate.look(await asked(estate, target))
    assert [(each.verdict, each.after) for each in report.decisions] == [(Verdict.APPROVE, None)]
    assert await writes(estate) == []
