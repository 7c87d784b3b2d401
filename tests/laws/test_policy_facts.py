"""Each fact that a rule can ask about is learnt from Azure, once, and only where it could matter (law 10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from hubwarden.model.connection import Decision, Verdict
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.reconcile.approve import judge
from tests.azure import HUB, SPOKE, resource_id
from tests.estate import TENANT, Estate
from tests.laws.conftest import Founding
from tests.laws.test_approvals import STORAGE, answered, asked, connections_of, fault, guarded, target_of

APPROVED, PENDING = ConnectionStatus.APPROVED, ConnectionStatus.PENDING
ELSEWHERE = "00000000-0000-0000-0000-00000000bbbb"


def rule(when: Mapping[str, Any], **more: Any) -> Mapping[str, Any]:
    """A rule that approves the estate's own where this holds, too."""
    consumer = {"in": "estate", **when.get("consumer", {})}
    return {"name": "r", "then": "approve", "when": {**when, "consumer": consumer}, **more}


async def waiting(found: Founding, *rules: Mapping[str, Any], message: str = "let me in") -> tuple[Estate, str]:
    """An estate with these rules; a tagged endpoint asks for a tagged storage account under management groups."""
    estate = await guarded(found, *rules)
    await estate.azure.subscription(SPOKE, tenant=TENANT, managementGroups=["corp", "root"])
    target = await target_of(estate, STORAGE)
    await tagged(estate, target, {"Env": "Prod"})
    endpoint = await asked(estate, target, message=message)
    await tagged(estate, endpoint, {"Owner": "orders"})
    return estate, target


async def tagged(estate: Estate, resource: str, tags: Mapping[str, str]) -> None:
    """The resource's owner tags it."""
    document = (await estate.azure.arm("GET", resource)).body
    await estate.azure.put({**document, "tags": tags})


async def decided(estate: Estate, target: str) -> Decision:
    """What was decided on the only connection of the target."""
    [decision] = (await answered(estate, target)).decisions
    return decision


MATCHING = [
    {"consumer": {"subscriptions": [SPOKE]}},
    {"consumer": {"managementGroups": ["CORP"]}},
    {"consumer": {"resourceGroups": ["rg-*"]}},
    {"consumer": {"endpoints": ["PE?"]}},
    {"consumer": {"locations": ["westeurope"]}},
    {"consumer": {"tags": {"owner": "ord*"}}},
    {"target": {"types": [STORAGE]}},
    {"target": {"subscriptions": [SPOKE]}},
    {"target": {"managementGroups": ["root"]}},
    {"target": {"resourceGroups": ["rg-spoke"]}},
    {"target": {"names": ["t*"]}},
    {"target": {"locations": ["westeurope"]}},
    {"target": {"tags": {"env": "prod"}}},
    {"groups": ["blob"]},
    {"message": "^let me"},
    {"cel": "consumer.tenancy == 'ours' && consumer.tags.owner == 'orders' && target.location == 'westeurope'"},
]
OTHER = [
    {"consumer": {"subscriptions": [HUB]}},
    {"consumer": {"managementGroups": ["online"]}},
    {"consumer": {"resourceGroups": ["rg"]}},
    {"consumer": {"endpoints": ["pe"]}},
    {"consumer": {"locations": ["northeurope"]}},
    {"consumer": {"tags": {"owner": "billing"}}},
    {"target": {"managementGroups": ["online"]}},
    {"target": {"resourceGroups": ["rg-hub"]}},
    {"target": {"names": ["x*"]}},
    {"target": {"locations": ["northeurope"]}},
    {"target": {"tags": {"env": "dev"}}},
    {"groups": ["file"]},
    {"message": "^please"},
    {"cel": "target.tags.env == 'Dev'"},
]


@pytest.mark.parametrize("when", MATCHING, ids=str)
async def test_a_rule_approves_by_each_fact(found: Founding, when: Mapping[str, Any]) -> None:
    estate, target = await waiting(found, rule(when))
    decision = await decided(estate, target)
    assert (decision.verdict, decision.rule, decision.after) == (Verdict.APPROVE, "r", APPROVED)


@pytest.mark.parametrize("when", OTHER, ids=str)
async def test_a_fact_that_is_another_does_not_match(found: Founding, when: Mapping[str, Any]) -> None:
    estate, target = await waiting(found, rule(when))
    decision = await decided(estate, target)
    assert (decision.verdict, decision.rule) == (Verdict.HOLD, ""), "known, and false: no rule matches"
    assert [each.status for each in await connections_of(estate, target)] == [PENDING]


@pytest.mark.parametrize(
    ("when", "path", "asks"),
    [
        ({"target": {"tags": {"env": "prod"}}}, "/storageAccounts/t1$", "the target's tags"),
        ({"consumer": {"tags": {"owner": "orders"}}}, "/privateEndpoints/pe1$", "the endpoint's tags"),
        ({"target": {"locations": ["westeurope"]}}, "/storageAccounts/t1$", "the target's location"),
    ],
)
async def test_a_fact_that_cannot_be_read_holds(found: Founding, when: Mapping[str, Any], path: str, asks: str) -> None:
    estate, target = await waiting(found, rule(when), rule({}, name="later"))
    await estate.azure.sim("POST", "faults", fault("GET", path, status=403, code="AuthorizationFailed"))
    decision = await decided(estate, target)
    assert (decision.verdict, decision.rule) == (Verdict.HOLD, "r"), "a later rule is not reached"
    assert decision.reason == f"rule r cannot be judged; not known: {asks}"


async def test_a_consumer_of_our_own_tenant_is_managed_by_no_resource_in_microsofts(found: Founding) -> None:
    when = {"consumer": {"managedBy": {"types": ["Microsoft.DataFactory/factories"], "in": "estate"}}}
    estate, target = await waiting(found, rule(when))
    decision = await decided(estate, target)
    assert decision.verdict is Verdict.HOLD
    assert decision.reason.endswith("waits for a person")


async def test_management_groups_of_another_tenant_are_not_ours(found: Founding) -> None:
    """Whoever delegates a subscription to us may call its management groups as ours are called."""
    corp = {"name": "corp", "then": "approve", "when": {"consumer": {"managementGroups": ["corp"]}}}
    estate, target = await waiting(found, corp)
    await estate.azure.subscription(SPOKE, tenant=ELSEWHERE, managementGroups=["corp", "root"])
    decision = await decided(estate, target)
    assert (decision.verdict, decision.rule) == (Verdict.HOLD, "")


async def test_a_fact_is_read_once_and_only_if_a_rule_that_is_reached_asks_for_it(found: Founding) -> None:
    """One GET of the target for its tags and location; none of what only a later rule asks."""
    by_tags = rule({"target": {"tags": {"env": "dev"}, "locations": ["westeurope"]}}, name="dev")
    last = rule({"consumer": {"tags": {"owner": "x"}}}, name="owner")
    estate, target = await waiting(found, by_tags, rule({"groups": ["blob"]}), last)
    connections = await connections_of(estate, target)
    await estate.forget_calls()
    [decision] = await judge(estate.hubwarden.rooms, connections)
    assert (decision.verdict, decision.rule) == (Verdict.APPROVE, "r")
    calls = [call for call in await estate.calls() if call != f"GET /subscriptions/{HUB}"]
    endpoint = resource_id(SPOKE, "rg-spoke", "Microsoft.Network/privateEndpoints", "pe1")
    assert calls == [f"GET /subscriptions/{SPOKE}", f"GET {target}", f"GET {endpoint}"]


async def test_the_note_of_a_rule_is_the_connections_description(found: Founding) -> None:
    note = "for {consumer.name} to {target.name}: {message} ({age})"
    estate, target = await waiting(found, rule({}, note=note), message="\x1b[31mhi\u202e {target.type}")
    await decided(estate, target)
    [shown] = await connections_of(estate, target)
    assert (shown.status, shown.message) == (APPROVED, "for pe1 to t1: [31mhi {target.type} (?)")


async def test_a_note_of_which_nothing_can_be_seen_gives_way_to_the_usual_words(found: Founding) -> None:
    estate, target = await waiting(found, rule({}, note="{message}"), message="\u202e\u202d")
    await decided(estate, target)
    [shown] = await connections_of(estate, target)
    assert shown.message == "Approved by Hubwarden (contoso): rule r"


@pytest.mark.parametrize("message", ["x" * 100_000, "a\x00INC1", "\u202eINC1" * 2000, "a" * 4000 + "!"])
async def test_a_message_of_any_length_or_kind_costs_nobody_else_anything(found: Founding, message: str) -> None:
    """Azure takes 140 characters; a document that shows more is looked at no further than is sure."""
    urgent = rule({"message": "(a+)+INC$"}, name="urgent")
    estate, target = await waiting(found, urgent)
    [document] = (await estate.azure.arm("GET", f"{target}/privateEndpointConnections")).body["value"]
    document["properties"]["privateLinkServiceConnectionState"]["description"] = message
    await estate.azure.put(document)
    decision = await decided(estate, target)
    assert decision.verdict is Verdict.HOLD
    assert decision.connection.message == message
    assert len(decision.reason) < 200


async def test_a_subscription_that_left_the_estate_is_not_approved_on_an_answer_that_is_remembered(
    found: Founding,
) -> None:
    """Law 10: what is remembered of the estate's members is enough for a look, and not for a decision."""
    of_corp = {"managementGroups": ["corp"], "subscriptions": [HUB]}
    estate = await guarded(found, rule({}), estate=of_corp)
    await estate.azure.subscription(SPOKE, tenant=TENANT, managementGroups=["corp", "root"])
    target = await target_of(estate, STORAGE)
    assert await estate.hubwarden.rooms.estate.includes(SPOKE)
    await asked(estate, target)
    connections = await connections_of(estate, target)
    await estate.azure.subscription(SPOKE, tenant=TENANT, managementGroups=["sandbox", "root"])
    estate.time.seconds += 60
    [decision] = await judge(estate.hubwarden.rooms, connections)
    assert decision.verdict is Verdict.HOLD
