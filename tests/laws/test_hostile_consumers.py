"""Consumers and owners of spokes who mean harm, with what is theirs: names, words, moments. They come no further."""

from __future__ import annotations

import pytest

from hubwarden.arm.connections import list_connections
from hubwarden.errors import InputError
from hubwarden.model.connection import Verdict
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.person import Ruling
from hubwarden.model.plan import HeldReason
from hubwarden.model.report import Result, Status
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneTarget, Pending
from hubwarden.reconcile.approve import approve
from tests.azure import SPOKE, resource_id
from tests.contract import owners
from tests.estate import TENANT, Estate
from tests.laws.conftest import Founding
from tests.laws.hub_zones import work_off
from tests.laws.test_approvals import (
    OWN,
    STORAGE,
    STRANGER,
    VAULT,
    Rule,
    answered,
    asked,
    connections_of,
    fault,
    guarded,
    pending,
    rule,
    statuses,
    target_of,
)
from tests.laws.test_hostile_requests import showing
from tests.laws.test_providers import COSMOS

APPROVED, PENDING = ConnectionStatus.APPROVED, ConnectionStatus.PENDING
OWN_COSMOS = rule("own", types=[COSMOS], **{"in": "estate"})
ODD_GROUPS = ("rg-\u0e17\u0e35\u0e48", "rg-\u0915\u093f", "rg-cafe\u0301", "rg with a blank")
"""Resource groups in Thai, in Hindi and with an accent of its own, and one that Azure would not have."""


# Law 13: a name that cannot be read costs only what bears it.


@pytest.mark.parametrize("group", ODD_GROUPS)
@pytest.mark.parametrize("kind", ["Microsoft.Network/privateEndpoints", VAULT])
async def test_a_sweep_goes_on_beside_a_resource_whose_id_is_odd(
    found: Founding, caplog: pytest.LogCaptureFixture, group: str, kind: str
) -> None:
    """Whoever may make resource groups in one spoke must not stop the sweeps of all."""
    estate = await guarded(found, OWN)
    await estate.azure.sim("POST", "settings", {"graphConnections": False})
    await asked(estate, await target_of(estate, STORAGE))
    odd = resource_id(SPOKE, group, kind, "odd")
    await estate.azure.put({"id": odd, "name": "odd", "type": kind, "location": "westeurope", "properties": {}})
    report = await estate.sweep()
    assert [each.result for each in report.outcomes if each.result is not Result.DONE] == []
    assert report.status is Status.DONE
    assert await estate.addresses("t1")
    told = [each for each in report.plan.warnings if "its id cannot be read" in each.detail and group in each.detail]
    assert len(told) == (" " in group), "told by the Report, and among the alerts of the status"
    assert ("a row is left out" in caplog.text) == (" " in group)


@pytest.mark.parametrize("group", ODD_GROUPS[:3])
async def test_a_group_with_marks_among_its_letters_is_served_like_any_other(found: Founding, group: str) -> None:
    """Microsoft's pages differ in whether it may be called so; what Azure has made is asked for, told of and stored."""
    estate = await guarded(found, OWN)
    await estate.azure.resource_group(group)
    account = resource_id(SPOKE, group, STORAGE, "t1")
    await estate.azure.put({"id": account, "name": "t1", "type": STORAGE, "location": "westeurope", "properties": {}})
    await estate.azure.target(
        account, [{"groupId": "blob", "memberName": "blob", "fqdns": ["t1.blob.core.windows.net"]}]
    )
    endpoint = await asked(estate, account)
    await estate.hubwarden.run(OneTarget(ResourceId.parse(account)))
    assert await statuses(estate, account) == [APPROVED]
    await estate.look(endpoint)
    assert await estate.addresses("t1")


# Law 9: whoever comes again under the same name counts again.


async def cosmos(estate: Estate) -> str:
    """An account that names its connections after the endpoints (approval notes, "Cosmos DB")."""
    return await owners.target(estate.azure, COSMOS, group="Sql")


@pytest.mark.parametrize("late", [False, True])
async def test_an_endpoint_that_is_made_anew_again_and_again_does_not_pass_the_limit(
    found: Founding, late: bool
) -> None:
    """The connection has the same id each time; be the answer shown at once, or followed by a later run."""
    estate = await found(approvals={"rules": [OWN_COSMOS], "limits": {"approve": 2}})
    target, done, held = await cosmos(estate), 0, 0
    for _ in range(4):
        endpoint = await asked(estate, target, groups=["Sql"])
        if late:
            await estate.azure.hold_operations()
        for _ in range(2):
            approvals = await answered(estate, target)
            done += sum(each.result is Result.DONE for each in approvals.outcomes)
            held += sum(each.reason is HeldReason.OVER_LIMIT for each in approvals.held)
            estate.time.seconds += 60
            await estate.azure.end_operations()
        await estate.azure.sim("POST", "settings", {"operationMs": 0})
        await estate.delete_endpoint(endpoint)
    assert (done, held) == (2, 4)


async def test_an_endpoint_that_goes_before_its_answer_is_read_back_counts_all_the_same(found: Founding) -> None:
    """Azure took the answer; the consumer, who deletes it at once and makes it anew, gets no more of them by that."""
    estate = await found(approvals={"rules": [OWN_COSMOS], "limits": {"approve": 1}})
    target = await cosmos(estate)
    endpoint = await asked(estate, target, groups=["Sql"])
    waiting = await connections_of(estate, target)
    gone = fault("GET", f"{waiting[0].id}$", status=404, code="ResourceNotFound", skip=1)
    await estate.azure.sim("POST", "faults", gone)
    assert [each.result for each in (await approve(estate.hubwarden.rooms, waiting, applies=True)).outcomes] == [
        "raced"
    ]
    await estate.delete_endpoint(endpoint)
    await asked(estate, target, groups=["Sql"])
    assert [each.reason for each in (await answered(estate, target)).held] == [HeldReason.OVER_LIMIT]


# Law 10: what was judged is what is answered.


@pytest.mark.parametrize("verdict", ["approve", "reject"])
async def test_other_words_under_the_same_name_are_judged_anew(found: Founding, verdict: str) -> None:
    """The index still shows the words of its predecessor, which no rule minded."""
    minds: Rule = {"name": "mind", "then": "hold", "when": {"message": "do not touch"}}
    estate = await guarded(found, minds, {**OWN_COSMOS, "then": verdict})
    target = await cosmos(estate)
    endpoint = await asked(estate, target, groups=["Sql"], message="please")
    stale = await connections_of(estate, target)
    await estate.delete_endpoint(endpoint)
    await asked(estate, target, groups=["Sql"], message="do not touch")
    approvals = await approve(estate.hubwarden.rooms, stale, applies=True)
    assert [each.result for each in approvals.outcomes] == [Result.RACED]
    assert await statuses(estate, target) == [PENDING]
    [decision] = (await answered(estate, target)).decisions
    assert (decision.verdict, decision.rule) == (Verdict.HOLD, "mind")


async def test_who_is_judged_by_old_words_is_judged_by_what_its_target_shows(found: Founding) -> None:
    """However long the index shows other words: a timer's race is followed by a look at the target."""
    minds: Rule = {"name": "mind", "then": "hold", "when": {"message": "do not touch"}}
    estate = await guarded(found, minds, OWN)
    target = await target_of(estate, STORAGE)
    await asked(estate, target, message="please")
    await estate.azure.sim("POST", "settings", {"graphLagMs": 3_600_000})
    [shown] = await owners.shown(estate.azure, target)
    shown["properties"]["privateLinkServiceConnectionState"]["description"] = "let me in"
    await estate.azure.put(shown)
    assert [each.result for each in (await estate.hubwarden.run(Pending())).outcomes] == [Result.RACED]
    await work_off(estate)
    assert await statuses(estate, target) == [APPROVED]


async def test_a_connection_that_another_resource_lists_is_not_answered_as_that_ones(
    found: Founding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the estate has a target is asked of the one that is listed; so nothing else may come with its list."""
    estate = await guarded(found, OWN)
    listed, other = await target_of(estate, VAULT, "v1"), await target_of(estate, VAULT, "v10")
    await asked(estate, other)
    [shown] = (await estate.azure.arm("GET", other)).body["properties"]["privateEndpointConnections"]
    showing(monkeypatch, estate, listed, [shown])
    assert await connections_of(estate, listed) == ()
    with pytest.raises(InputError, match="is none of its own"):
        await list_connections(estate.hubwarden.rooms.arm, ResourceId.parse(listed), whole=True)
    assert await statuses(estate, other) == [PENDING]


@pytest.mark.every_right  # also in a subscription that has just left
async def test_a_target_that_left_the_estate_is_not_answered_on_an_answer_that_is_remembered(found: Founding) -> None:
    """Design, section 3: what is remembered is never enough for a decision, be it a rule's or a person's."""
    other = "00000000-0000-0000-0000-0000000000dd"
    by_id = rule("by id", types=[VAULT], subscriptions=[SPOKE])
    estate = await guarded(found, by_id, estate={"managementGroups": ["corp"]})
    for subscription in (SPOKE, other):
        await estate.azure.subscription(subscription, tenant=TENANT, managementGroups=["corp"])
    target = resource_id(other, "rg", VAULT, "v1")
    endpoint = resource_id(SPOKE, "rg-spoke", "Microsoft.Network/privateEndpoints", "pe1")
    await estate.azure.put({"id": target, "name": "v1", "type": VAULT, "location": "westeurope", "properties": {}})
    await estate.azure.put(pending(target, endpoint, "c1"))
    assert await estate.hubwarden.rooms.estate.includes(other)
    await estate.azure.subscription(other, tenant=TENANT, managementGroups=[])
    estate.time.seconds += 60
    report = await estate.hubwarden.run(OneTarget(ResourceId.parse(target)))
    assert [held.reason for held in report.plan.held] == [HeldReason.OUTSIDE_ESTATE]
    ruling = Ruling.read(f"{target}/privateEndpointConnections/c1", "approve", "", None)
    with pytest.raises(InputError, match="not part of the estate"):
        await estate.hubwarden.decide(ruling, "00000000-0000-0000-0000-0000000000ee")
    assert await statuses(estate, target) == [PENDING]


@pytest.mark.parametrize("asks", ['consumer.tenancy != "ours"', 'consumer.tenancy != "microsoft"'])
async def test_a_stranger_who_says_the_right_words_is_not_let_in_by_being_of_another_tenant(
    found: Founding, asks: str
) -> None:
    """ARM proves whose the stranger is; that is true of any stranger, and the rest are the consumer's own words."""
    words = {"name": "words", "then": "approve", "when": {"cel": f'{asks} && message == "please"'}}
    estate = await guarded(found, words)
    target = await target_of(estate, STORAGE)
    await estate.azure.subscription(STRANGER, tenant="00000000-0000-0000-0000-00000000bbbb", readable=False)
    endpoint = resource_id(STRANGER, "rg", "Microsoft.Network/privateEndpoints", "pe")
    document = pending(target, endpoint, "strangers")
    document["properties"]["privateLinkServiceConnectionState"]["description"] = "please"
    await estate.azure.put(document)
    [decision] = (await estate.hubwarden.run(Pending())).decisions
    assert decision.reason == "rule words would approve on the consumer's own words alone"
    assert await statuses(estate, target) == [PENDING]
