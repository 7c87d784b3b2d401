"""Law 10 for requests from networks of Microsoft's: a resource of ours that shows one, and none other beside it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hubwarden.arm.connections import list_connections
from hubwarden.arm.session import ArmSession
from hubwarden.model.connection import Connection, Decision, Verdict
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import Pending
from hubwarden.reconcile import managed
from hubwarden.reconcile.approve import approve, judge
from tests.azure import SPOKE, resource_id
from tests.contract import test_managed_endpoints as owners
from tests.contract.test_managed_endpoints import FACTORY, LISTS, NETWORK, ORIGINS, PROFILE, made
from tests.estate import Estate
from tests.laws.conftest import Founding
from tests.laws.test_announced_after_a_crash import rows_of_answers
from tests.laws.test_approvals import (
    STORAGE,
    STRANGER,
    VAULT,
    answered,
    asked,
    connections_of,
    fault,
    guarded,
    of_subscription,
    pending,
    rule,
    statuses,
    target_of,
)
from tests.laws.test_hostile_requests import document, showing

APPROVED, REJECTED, PENDING = ConnectionStatus.APPROVED, ConnectionStatus.REJECTED, ConnectionStatus.PENDING
THEIRS = "00000000-0000-0000-0000-00000000cccc"
THEIR_ENDPOINT = resource_id(STRANGER, "rg", "Microsoft.Network/privateEndpoints", "pe")
COGNITIVE, WORKSPACE = "Microsoft.CognitiveServices/accounts", "Microsoft.Synapse/workspaces"
MANAGERS = {
    "factory": "Microsoft.DataFactory/factories",
    "search": "Microsoft.Search/searchServices",
    "grafana": "Microsoft.Dashboard/grafana",
    "front door": "Microsoft.Cdn/profiles",
}
NOT_KNOWN = "rule managed cannot be judged; not known: which resource of the estate manages it"


@pytest.fixture(autouse=True)
def long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    """The index has long heard of all that there is, but where a test says otherwise."""
    monkeypatch.setattr(managed, "INDEX_LASTS", 0.0)


def managed_by(*types: str, **when: Any) -> dict[str, Any]:
    """A rule that approves what resources of these types have made."""
    named = {"types": list(types or MANAGERS.values()), "in": "estate"}
    return {"name": "managed", "then": "approve", "when": {"consumer": {"managedBy": named}, **when}}


FOREIGN = rule("strangers", "reject", foreign=True)
OURS = {"name": "ours", "then": "hold", "when": {"consumer": {"in": "tenant"}}}
OWN = {"name": "own", "then": "approve", "when": {"consumer": {"in": "estate"}}}


async def with_managers(found: Founding, *rules: Any, target_type: str = STORAGE) -> tuple[Estate, str]:
    """An estate with these rules, a resource of each kind that has endpoints made, and a target."""
    estate = await guarded(found, *rules)
    await owners.managers(estate.azure)
    profile = {"id": PROFILE, "name": "afd1", "location": "global", "sku": {"name": "Premium_AzureFrontDoor"}}
    await estate.azure.put({**profile, "properties": {}})
    return estate, await target_of(estate, target_type)


async def a_strangers(estate: Estate, target: str, **group: Any) -> None:
    """A connection that waits for somebody of another company; a target that shows groups shows this one's."""
    await estate.azure.subscription(STRANGER, tenant=THEIRS, readable=False)
    document = pending(target, THEIR_ENDPOINT, "strangers")
    await estate.azure.put({**document, "properties": {**document["properties"], **group}})


async def decided(estate: Estate, target: str) -> Decision:
    """What is decided on the only connection of the target that waits."""
    [decision] = (await answered(estate, target)).decisions
    return decision


async def shows(estate: Estate, properties: dict[str, Any], name: str = "mpe1") -> None:
    """The factory shows this managed endpoint, whatever stands at the target."""
    endpoint = f"{LISTS['factory']}/{name}"
    await estate.azure.put({"id": endpoint, "name": name, "properties": properties})


def waiting(target: str, made: str = "Succeeded", status: str = "Pending", group: str = "blob") -> dict[str, Any]:
    """What a factory shows of a managed endpoint."""
    state = {"status": status, "description": "", "actionsRequired": "None"}
    leads = {"privateLinkResourceId": target, "groupId": group}
    return {**leads, "provisioningState": made, "connectionState": state}


# What is proven is approved, and only that.


@pytest.mark.parametrize("answer", ["401", "404"])
@pytest.mark.parametrize("kind", MANAGERS)
async def test_what_a_resource_of_ours_has_made_is_approved(found: Founding, kind: str, answer: str) -> None:
    """Whether ARM proves Microsoft's subscription to be of another tenant, or says nothing, is the same."""
    estate, target = await with_managers(found, FOREIGN, managed_by())
    await estate.azure.sim("POST", "settings", {"foreignSubscriptions": answer})
    endpoint = await made(estate.azure, kind, target)
    decision = await decided(estate, target)
    assert (decision.verdict, decision.rule, decision.after) == (Verdict.APPROVE, "managed", APPROVED)
    manager = endpoint["id"].partition(MANAGERS[kind])[2].split("/")[1]
    assert decision.reason.endswith(f"it is managed by {resource_id(SPOKE, 'rg-spoke', MANAGERS[kind], manager)}")
    assert decision.facts is not None
    assert [each.name for each in decision.facts.managers or ()] == [manager]
    [shown] = await owners.listed(estate.azure, LISTS[kind])
    assert owners.status(kind, shown["properties"]) == "Approved"


async def test_the_timer_finds_it_for_no_event_tells_of_it(found: Founding) -> None:
    estate, target = await with_managers(found, managed_by())
    await made(estate.azure, "factory", target)
    report = await estate.hubwarden.run(Pending())
    assert [(each.verdict, each.after) for each in report.decisions] == [(Verdict.APPROVE, APPROVED)]


async def test_a_resource_of_another_type_is_not_asked_and_proves_nothing(found: Founding) -> None:
    estate, target = await with_managers(found, managed_by(MANAGERS["grafana"]))
    await made(estate.azure, "factory", target)
    decision = await decided(estate, target)
    assert (decision.verdict, decision.reason) == (
        Verdict.HOLD,
        "no rule matches, and what no rule matches waits for a person",
    )
    assert not any("factories" in call for call in await estate.calls())


async def test_what_one_type_manages_no_other_does(found: Founding) -> None:
    """So two rules for two types stand one after the other."""
    grafana = {**managed_by(MANAGERS["grafana"]), "name": "grafana"}
    estate, target = await with_managers(found, grafana, managed_by(MANAGERS["factory"]))
    await made(estate.azure, "factory", target)
    assert (await decided(estate, target)).rule == "managed"


async def test_a_stranger_is_still_rejected_where_none_of_ours_could_have_made_it(found: Founding) -> None:
    estate, target = await with_managers(found, FOREIGN, managed_by())
    await a_strangers(estate, target)
    assert (await decided(estate, target)).rule == "strangers"
    assert await statuses(estate, target) == [REJECTED]


async def test_what_the_index_may_not_have_heard_of_yet_is_waited_for(
    found: Founding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new factory's request must not be rejected because the index lags (section 5.3): a rejection is final."""
    monkeypatch.setattr(managed, "INDEX_LASTS", 600.0)
    estate, target = await with_managers(found, FOREIGN, managed_by())
    await a_strangers(estate, target)
    assert (await decided(estate, target)).verdict is Verdict.HOLD
    estate.time.seconds += 599
    assert (await decided(estate, target)).verdict is Verdict.HOLD
    estate.time.seconds += 1
    assert (await decided(estate, target)).verdict is Verdict.REJECT


async def test_a_stranger_whom_nobody_proves_foreign_is_held(found: Founding) -> None:
    estate, target = await with_managers(found, FOREIGN, managed_by())
    await estate.azure.sim("POST", "settings", {"foreignSubscriptions": "404"})
    await a_strangers(estate, target)
    assert (await decided(estate, target)).verdict is Verdict.HOLD


# What could be another's is held, and never rejected.


@pytest.mark.parametrize("answer", ["401", "404"])
async def test_a_stranger_beside_it_holds_both(found: Founding, answer: str) -> None:
    """Whoever asks for the same can delay a request of ours, and cannot pass for it."""
    estate, target = await with_managers(found, FOREIGN, managed_by())
    await estate.azure.sim("POST", "settings", {"foreignSubscriptions": answer})
    await made(estate.azure, "factory", target)
    await a_strangers(estate, target)
    decisions = (await answered(estate, target)).decisions
    assert [each.verdict for each in decisions] == [Verdict.HOLD, Verdict.HOLD]
    assert await statuses(estate, target) == [PENDING, PENDING]


async def test_the_stranger_that_came_after_it_was_read_is_seen(found: Founding) -> None:
    """The target is listed anew after the resources: what the run began with is not enough."""
    estate, target = await with_managers(found, managed_by())
    await made(estate.azure, "factory", target)
    before = await connections_of(estate, target)
    await a_strangers(estate, target)
    [decision] = (await approve(estate.hubwarden.rooms, before, applies=True)).decisions
    assert (decision.verdict, decision.reason) == (Verdict.HOLD, NOT_KNOWN)


async def test_one_that_was_made_anew_under_its_name_is_another(found: Founding) -> None:
    estate, target = await with_managers(found, managed_by())
    await made(estate.azure, "factory", target)
    before = await connections_of(estate, target)
    [document] = await owners.listed(estate.azure, f"{target}/privateEndpointConnections")
    other = resource_id(STRANGER, "rg", "Microsoft.Network/privateEndpoints", "pe")
    await estate.azure.put({**document, "properties": {**document["properties"], "privateEndpoint": {"id": other}}})
    [decision] = (await approve(estate.hubwarden.rooms, before, applies=True)).decisions
    assert (decision.verdict, decision.reason) == (Verdict.HOLD, NOT_KNOWN)


async def test_a_request_of_our_own_tenant_does_not_stand_in_its_way(found: Founding) -> None:
    """ARM shows whose it is, so it is none that Microsoft made."""
    estate, target = await with_managers(found, managed_by())
    await made(estate.azure, "factory", target)
    await asked(estate, target)
    verdicts = {each.connection.endpoint: each.verdict for each in (await answered(estate, target)).decisions}
    own = ResourceId.parse(resource_id(SPOKE, "rg-spoke", "Microsoft.Network/privateEndpoints", "pe1"))
    assert verdicts.pop(own) is Verdict.HOLD
    assert list(verdicts.values()) == [Verdict.APPROVE]


async def standing(estate: Estate, target: str, name: str, status: str) -> None:
    """A connection of a subscription that is not ours, which somebody has answered."""
    other = resource_id(STRANGER, "rg", "Microsoft.Network/privateEndpoints", name)
    document = pending(target, other, name)
    state = {"status": status, "description": ""}
    shown = {**document["properties"], "privateLinkServiceConnectionState": state}
    await estate.azure.put({**document, "properties": shown})


@pytest.mark.parametrize("status", ["Approved", "Rejected", "Disconnected"])
async def test_a_stranger_does_not_come_after_what_our_resource_still_shows_as_waiting(
    found: Founding, status: str
) -> None:
    """Grafana shows what it was when it was last refreshed: its connection may be the one that was answered since."""
    estate, target = await with_managers(found, managed_by())
    await shows(estate, waiting(target))
    await standing(estate, target, "grafanas", status)
    await a_strangers(estate, target)
    assert (await decided(estate, target)).reason == NOT_KNOWN


async def test_what_our_other_resources_show_as_answered_does_not_stand_in_its_way(found: Founding) -> None:
    estate, target = await with_managers(found, managed_by())
    await shows(estate, waiting(target, status="Approved", group="dfs"), "earlier")
    await standing(estate, target, "earlier", "Approved")
    await made(estate.azure, "search", target)
    assert (await decided(estate, target)).verdict is Verdict.APPROVE


@pytest.mark.parametrize("readable", [True, False])
async def test_a_resource_whose_subscription_went_to_another_tenant_proves_nothing(
    found: Founding, readable: bool
) -> None:
    """Law 10: it is a stranger's now, though the settings name it, and though it may let us read (Azure Lighthouse)."""
    estate, target = await with_managers(found, managed_by())
    await shows(estate, waiting(target))
    await a_strangers(estate, target)
    waiting_ones = await connections_of(estate, target)
    await estate.warm()
    await estate.azure.subscription(SPOKE, tenant=THEIRS, readable=readable)
    [decision] = await judge(estate.hubwarden.rooms, waiting_ones)
    assert decision.verdict is Verdict.HOLD


async def test_a_connection_that_cannot_be_read_may_be_its(found: Founding, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere it costs only itself; here the stranger's beside it would pass for it."""
    estate, target = await with_managers(found, managed_by(), target_type=VAULT)
    await shows(estate, waiting(target, group="vault"))
    asks = document(target, "asks", privateEndpoint={"id": THEIR_ENDPOINT})
    broken = {**document(target, "broken"), "id": None}
    showing(monkeypatch, estate, target, [asks, broken])
    assert (await decided(estate, target)).reason == NOT_KNOWN
    showing(monkeypatch, estate, target, [asks])
    assert (await decided(estate, target)).rule == "managed"


@pytest.mark.parametrize("meanwhile", ["deleted", "rejected", "unreadable"])
async def test_a_resource_that_takes_its_endpoint_away_meanwhile_proves_nothing(
    found: Founding, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    """What it showed early in the run may be gone before the target is listed: who is left there is another."""
    estate, target = await with_managers(found, managed_by())
    await shows(estate, waiting(target))
    await a_strangers(estate, target)

    async def listed_late(session: ArmSession, listed: ResourceId, *, whole: bool) -> tuple[Connection, ...]:
        if meanwhile == "deleted":
            await estate.azure.sim("DELETE", "resources", id=f"{LISTS['factory']}/mpe1")
        elif meanwhile == "rejected":
            await shows(estate, waiting(target, status="Rejected"))
        else:
            refused = fault("GET", f"{LISTS['factory']}$", status=403, code="AuthorizationFailed")
            await estate.azure.sim("POST", "faults", refused)
        return await list_connections(session, listed, whole=whole)

    monkeypatch.setattr(managed, "list_connections", listed_late)
    assert (await decided(estate, target)).reason == NOT_KNOWN


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param({"made": "Provisioning"}, id="being made"),
        pytest.param({"made": "Failed"}, id="failed"),
        pytest.param({"made": ""}, id="not shown whether it is made"),
        pytest.param({"status": "Timeout"}, id="no state that is known"),
    ],
)
async def test_one_that_is_not_clear_may_have_made_it(found: Founding, shown: dict[str, str]) -> None:
    """A stranger who is there first does not pass for it, and ours that is slow to show it is not rejected."""
    estate, target = await with_managers(found, FOREIGN, managed_by())
    await shows(estate, waiting(target, **shown))
    await a_strangers(estate, target)
    assert (await decided(estate, target)).verdict is Verdict.HOLD


@pytest.mark.parametrize("status", ["Approved", "Rejected", "Disconnected"])
async def test_one_that_was_answered_has_made_another(found: Founding, status: str) -> None:
    estate, target = await with_managers(found, FOREIGN, managed_by())
    await shows(estate, waiting(target, status=status))
    await a_strangers(estate, target)
    assert (await decided(estate, target)).rule == "strangers"


async def test_two_of_ours_that_could_have_made_it_are_one_too_many(found: Founding) -> None:
    estate, target = await with_managers(found, FOREIGN, managed_by())
    await made(estate.azure, "factory", target)
    await made(estate.azure, "search", target)
    assert [each.verdict for each in (await answered(estate, target)).decisions] == [Verdict.HOLD, Verdict.HOLD]
    assert await statuses(estate, target) == [PENDING, PENDING]


# What cannot be read could be it.


@pytest.mark.parametrize("status", [403, 500, 404])
async def test_one_resource_that_does_not_tell_makes_it_unknown(found: Founding, status: int) -> None:
    """A 404 with another code than ResourceNotFound proves no absence (law 5)."""
    estate, target = await with_managers(found, FOREIGN, managed_by())
    await made(estate.azure, "factory", target)
    code = {403: "AuthorizationFailed", 500: "InternalServerError", 404: "ParentResourceNotFound"}[status]
    refused = fault("GET", "/sharedPrivateLinkResources$", status=status, code=code)
    await estate.azure.sim("POST", "faults", {**refused, "times": 9})
    decision = await decided(estate, target)
    assert (decision.verdict, decision.rule) == (Verdict.HOLD, "strangers")


async def test_a_resource_that_only_the_index_still_shows_is_gone(found: Founding) -> None:
    estate, target = await with_managers(found, managed_by())
    await made(estate.azure, "factory", target)
    gone = fault("GET", "/sharedPrivateLinkResources$", status=404, code="ResourceNotFound")
    await estate.azure.sim("POST", "faults", gone)
    assert (await decided(estate, target)).verdict is Verdict.APPROVE


@pytest.mark.parametrize(
    "properties",
    [
        pytest.param({"privateLinkResourceId": "/subscriptions/x", "groupId": "blob"}, id="no id"),
        pytest.param({"groupId": "blob"}, id="no target"),
    ],
)
async def test_what_cannot_be_read_could_be_the_one(found: Founding, properties: dict[str, Any]) -> None:
    estate, target = await with_managers(found, managed_by())
    await made(estate.azure, "factory", target)
    await shows(estate, properties, "odd")
    assert (await decided(estate, target)).reason == NOT_KNOWN


async def test_an_index_that_does_not_answer_leaves_it_unknown(found: Founding) -> None:
    estate, target = await with_managers(found, FOREIGN, managed_by())
    await a_strangers(estate, target)
    failing = {**fault("POST", "resources$", status=400, code="BadRequest"), "service": "graph", "times": 9}
    await estate.azure.sim("POST", "faults", failing)
    assert (await decided(estate, target)).verdict is Verdict.HOLD


async def test_more_resources_than_are_asked_in_a_run_leave_it_unknown(
    found: Founding, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate, target = await with_managers(found, FOREIGN, managed_by())
    await made(estate.azure, "factory", target)
    await estate.forget_calls()
    monkeypatch.setattr(managed, "MOST_ASKED", 3)
    assert (await decided(estate, target)).verdict is Verdict.HOLD
    assert not any("managedVirtualNetworks" in call for call in await estate.calls())


@pytest.mark.parametrize(("there", "verdict"), [(True, Verdict.HOLD), (False, Verdict.APPROVE)])
async def test_a_synapse_workspace_does_not_tell_through_arm(found: Founding, there: bool, verdict: Verdict) -> None:
    """REST reference, Synapse data plane: only the workspace's own address lists them, and that is not asked."""
    estate, target = await with_managers(found, managed_by(MANAGERS["factory"], WORKSPACE))
    await made(estate.azure, "factory", target)
    if there:
        workspace = resource_id(SPOKE, "rg-spoke", WORKSPACE, "syn1")
        await estate.azure.put({"id": workspace, "name": "syn1", "location": "westeurope", "properties": {}})
    assert (await decided(estate, target)).verdict is verdict


# Groups, and what else a rule asks of it.


@pytest.mark.parametrize(("group", "verdict"), [("blob", Verdict.APPROVE), ("file", Verdict.HOLD)])
async def test_its_groups_are_those_that_our_own_resource_asked_for(
    found: Founding, group: str, verdict: Verdict
) -> None:
    """Storage shows none, and the endpoint in Microsoft's subscription nobody can read."""
    estate, target = await with_managers(found, managed_by(groups=[group]))
    await made(estate.azure, "factory", target)
    assert (await decided(estate, target)).verdict is verdict


@pytest.mark.parametrize(
    ("theirs", "verdict"),
    [
        ({"groupIds": ["account"]}, Verdict.HOLD),
        ({"groupIds": ["other"]}, Verdict.APPROVE),
        ({}, Verdict.HOLD),
    ],
)
async def test_where_groups_are_shown_only_those_who_ask_for_the_same_stand_in_its_way(
    found: Founding, theirs: dict[str, Any], verdict: Verdict
) -> None:
    estate, target = await with_managers(found, managed_by(), target_type=COGNITIVE)
    await estate.azure.target(target, [{"groupId": "account", "memberName": "account", "fqdns": ["t1.example.com"]}])
    body = {"properties": {"privateLinkResourceId": target, "groupId": "Account"}}
    assert (await estate.azure.arm("PUT", f"{LISTS['factory']}/mpe1", body)).status == 200
    await a_strangers(estate, target, **theirs)
    decisions = (await answered(estate, target)).decisions
    [own] = [each for each in decisions if each.connection.endpoint != ResourceId.parse(THEIR_ENDPOINT)]
    assert own.verdict is verdict


async def test_a_cel_asks_for_microsofts_tenancy_where_a_rule_says_who_can_prove_it(found: Founding) -> None:
    by_cel = {"name": "cel", "then": "approve", "when": {"cel": "consumer.tenancy == 'microsoft'"}}
    estate, target = await with_managers(found, by_cel, managed_by(MANAGERS["factory"]))
    await made(estate.azure, "factory", target)
    assert (await decided(estate, target)).rule == "cel"


async def test_a_connection_that_shows_no_endpoint_is_nobodys(found: Founding) -> None:
    estate, target = await with_managers(found, FOREIGN, managed_by())
    await made(estate.azure, "factory", target)
    [document] = await owners.listed(estate.azure, f"{target}/privateEndpointConnections")
    await estate.azure.put({**document, "properties": {**document["properties"], "privateEndpoint": None}})
    assert (await decided(estate, target)).verdict is Verdict.HOLD


# Front Door.


async def test_origins_that_share_an_endpoint_count_once(found: Founding) -> None:
    """Microsoft's page on Private Link in Azure Front Door Premium: one endpoint for a target, group and location."""
    estate, target = await with_managers(found, managed_by())
    for name in ("one", "two"):
        await made(estate.azure, "front door", target, name)
    plain = {"id": f"{ORIGINS}/plain", "name": "plain", "properties": {"hostName": "example.com"}}
    await estate.azure.put(plain)
    assert (await decided(estate, target)).verdict is Verdict.APPROVE


async def test_origins_that_contradict_each_other_are_not_clear(found: Founding) -> None:
    estate, target = await with_managers(found, FOREIGN, managed_by())
    await made(estate.azure, "front door", target, "one")
    link = {"privateLink": {"id": target}, "groupId": "blob", "privateLinkLocation": "westeurope", "status": "Approved"}
    shown = {"hostName": "a", "sharedPrivateLinkResource": link, "provisioningState": "Succeeded"}
    await estate.azure.sim("POST", "settings", {"originStatusShown": False})
    await estate.azure.put({"id": f"{ORIGINS}/two", "name": "two", "properties": shown})
    assert (await decided(estate, target)).verdict is Verdict.HOLD


async def test_an_origin_that_does_not_show_how_far_it_is_holds(found: Founding) -> None:
    """Whether it does is unverified; and not every stranger at its target is rejected then."""
    estate, target = await with_managers(found, FOREIGN, managed_by())
    await estate.azure.sim("POST", "settings", {"originStatusShown": False})
    await made(estate.azure, "front door", target)
    assert (await decided(estate, target)).verdict is Verdict.HOLD


async def test_profiles_that_have_no_private_origins_are_not_asked(found: Founding) -> None:
    estate, target = await with_managers(found, managed_by(MANAGERS["front door"]))
    standard = {"id": PROFILE, "name": "afd1", "location": "global", "sku": {"name": "Standard_AzureFrontDoor"}}
    await estate.azure.put({**standard, "properties": {}})
    await a_strangers(estate, target)
    await answered(estate, target)
    assert not any("originGroups" in call for call in await estate.calls())


# What it costs.


async def both(estate: Estate, target: str) -> list[Connection]:
    """Two connections of strangers to two targets."""
    other = await target_of(estate, STORAGE, "t2")
    await a_strangers(estate, target)
    await of_subscription(estate, other, STRANGER)
    return [*await connections_of(estate, target), *await connections_of(estate, other)]


async def test_a_policy_without_it_costs_no_call_more(found: Founding) -> None:
    estate, target = await with_managers(found, FOREIGN, OURS)
    waiting_ones = await both(estate, target)
    await estate.warm()
    await judge(estate.hubwarden.rooms, waiting_ones)
    assert await estate.calls() == [f"GET /subscriptions/{STRANGER}"]
    assert await estate.calls("graph") == []


async def test_each_resource_is_asked_once_in_a_run_and_only_where_it_matters(found: Founding) -> None:
    estate, target = await with_managers(found, OWN, managed_by(MANAGERS["factory"]))
    await asked(estate, target, "own")
    own = await connections_of(estate, target)
    await estate.warm()
    await judge(estate.hubwarden.rooms, own)
    assert await estate.calls() == [f"GET /subscriptions/{SPOKE}"]
    waiting_ones = await both(estate, target)
    await estate.forget_calls()
    await judge(estate.hubwarden.rooms, waiting_ones)
    asked_for = [call for call in await estate.calls() if "/subscriptions/" in call and "managed" in call]
    assert asked_for == [f"GET {FACTORY}/managedVirtualNetworks", f"GET {NETWORK}/managedPrivateEndpoints"]
    assert len(await estate.calls("graph")) == 1


async def test_the_ledger_keeps_who_manages_it(found: Founding) -> None:
    estate, target = await with_managers(found, managed_by())
    await made(estate.azure, "factory", target)
    await answered(estate, target)
    [row] = await rows_of_answers(estate)
    assert json.loads(row["Facts"])["managers"] == [FACTORY]
