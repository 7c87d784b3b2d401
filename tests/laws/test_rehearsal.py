"""A policy is tried on what waits with the very facts that a decision would have; nothing is changed by that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hubwarden.approval.decide import judge
from hubwarden.approval.rehearse import compare, judge_each
from hubwarden.config.snapshot import read_snapshot, write_snapshot
from hubwarden.model.connection import Verdict
from hubwarden.model.endpoint import Tenancy
from hubwarden.model.facts import FACTS
from hubwarden.model.judgement import Asking
from hubwarden.model.policy import Policy
from hubwarden.reconcile.approve import approve
from tests.azure import SPOKE
from tests.estate import Estate
from tests.laws.conftest import Founding
from tests.laws.test_approvals import OWN, STORAGE, asked, connections_of, fault, target_of, writes
from tests.laws.test_policy_facts import MATCHING, OTHER, rule, waiting


async def learnt(estate: Estate, *policies: Policy, wholly: bool = False) -> tuple[Asking, ...]:
    """What waits in the estate, with what is known of it."""
    return await estate.hubwarden.asking(policies or (estate.hubwarden.rooms.policy,), wholly=wholly)


@pytest.mark.parametrize("wholly", [False, True])
@pytest.mark.parametrize("when", [*MATCHING, *OTHER], ids=str)
async def test_what_is_tried_comes_out_as_it_would_be_decided(
    found: Founding, when: dict[str, object], wholly: bool
) -> None:
    """Also after it was written down and read again, where all was learnt."""
    estate, target = await waiting(found, rule(when))
    rooms = estate.hubwarden.rooms
    [asking] = await learnt(estate, wholly=wholly)
    if wholly:
        [asking] = read_snapshot(write_snapshot([asking]), "snapshot.yaml")
    [judged] = judge_each(rooms.policy, [asking])
    [decision] = (await approve(rooms, await connections_of(estate, target), applies=False)).decisions
    assert (judged.asking.connection, judged.asking.endpoint) == (decision.connection.id, decision.connection.endpoint)
    said = judged.judgement
    assert (said.verdict, said.rule, said.reason) == (decision.verdict, decision.rule, decision.reason)


async def test_nothing_is_answered_and_nothing_noted(found: Founding) -> None:
    """A person who may only read can try a policy."""
    estate, _ = await waiting(found, rule({"age": "1d"}), OWN)
    [asking] = await learnt(estate, wholly=True)
    assert asking.facts.age == 0.0, "it was never seen before, and is not noted now"
    assert await writes(estate) == []
    assert (await estate.hubwarden.rooms.sights.all()).known == {}
    assert await estate.hubwarden.rooms.decisions.open() == ()


async def test_all_that_can_be_learnt_is_learnt_for_a_snapshot(found: Founding) -> None:
    estate, _ = await waiting(found)
    [asking] = await learnt(estate, wholly=True)
    unknown = {name for name, fact in FACTS.items() if fact.read(asking.facts) is None}
    assert unknown == set()
    assert (asking.facts.tenancy, asking.facts.managers, asking.facts.consumer) == (Tenancy.OURS, (), SPOKE)


async def test_two_policies_ask_for_each_fact_once(found: Founding) -> None:
    by_target = rule({"target": {"tags": {"env": "prod"}}})
    estate, _ = await waiting(found, by_target)
    one = estate.hubwarden.rooms.policy
    other = Policy(tuple(replace(each, then=Verdict.REJECT) for each in one.rules))
    for policies in ([one], [one, other]):
        await estate.forget_calls()
        [asking] = await learnt(estate, *policies)
        calls = [call for call in await estate.calls() if call.startswith("GET")]
        assert len([call for call in calls if call.endswith("/storageAccounts/t1")]) == 1
    comparison = compare(one, other, [asking])
    assert [(each.before.verdict, each.after.verdict) for each in comparison.changes] == [
        (Verdict.APPROVE, Verdict.REJECT)
    ]


async def test_what_only_one_of_two_policies_asks_is_learnt_for_it(found: Founding) -> None:
    estate, _ = await waiting(found, rule({"target": {"names": ["t*"]}}))
    one = estate.hubwarden.rooms.policy
    [first] = one.rules
    other = Policy((replace(first, target_names=(), target_locations=("westeurope",)),))
    [alone] = await learnt(estate, one)
    assert alone.facts.target_location is None
    [asking] = await learnt(estate, one, other)
    assert judge(other, asking.facts).verdict is Verdict.APPROVE


async def test_what_cannot_be_read_of_one_leaves_that_one_unknown(found: Founding) -> None:
    """Law 13."""
    estate, _ = await waiting(found, rule({"consumer": {"tags": {"owner": "orders"}}}))
    unread = await asked(estate, await target_of(estate, STORAGE, "t2"), "pe2")
    await estate.azure.sim("POST", "faults", fault("GET", f"{unread}$", status=403, code="AuthorizationFailed"))
    judged = judge_each(estate.hubwarden.rooms.policy, await learnt(estate))
    assert {str(each.asking.endpoint): each.judgement.reason for each in judged}[unread] == (
        "rule r cannot be judged; not known: the endpoint's tags"
    )
    assert sorted(each.judgement.verdict for each in judged) == [Verdict.APPROVE, Verdict.HOLD]


async def test_only_what_waits_is_tried(found: Founding) -> None:
    estate, target = await waiting(found, OWN)
    await approve(estate.hubwarden.rooms, await connections_of(estate, target), applies=True)
    assert await learnt(estate) == ()
