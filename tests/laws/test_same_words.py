"""Whoever asks about a connection that waits hears the same, whichever way it is asked for."""

from __future__ import annotations

import pytest

from hubwarden.approval.rehearse import judge_each
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.resource_id import ResourceId
from hubwarden.report.as_json import connection_data, explanation_data
from hubwarden.report.as_text import explanation_text
from tests.laws.conftest import Founding
from tests.laws.test_approvals import OWN, OWN_BLOBS, STORAGE, VAULT, asked, guarded, rule, target_of, writes

FOREIGNERS = rule("strangers", "reject", foreign=True)
HELD = {"name": "quarantine", "then": "hold", "when": {"target": {"tags": {"quarantine": "*"}}}}


@pytest.mark.parametrize("rules", [(), (OWN,), (OWN_BLOBS,), (FOREIGNERS, OWN), (HELD, OWN)], ids=len)
async def test_explain_connections_and_try_say_the_same_of_one_that_waits(
    found: Founding, rules: tuple[dict[str, object], ...]
) -> None:
    estate = await guarded(found, *rules)
    hubwarden = estate.hubwarden
    endpoint = ResourceId.parse(await asked(estate, await target_of(estate, STORAGE)))
    explained = await hubwarden.explain(endpoint)
    [decision] = explained.decisions
    [listed] = await hubwarden.connections(ConnectionStatus.PENDING)
    [tried] = judge_each(hubwarden.rooms.policy, await hubwarden.asking([hubwarden.rooms.policy], wholly=False))
    told = [(each.verdict, each.rule, each.reason) for each in (decision, listed, tried.judgement)]
    assert told[0] == told[1] == told[2]
    shared = ("connection", "verdict", "rule", "reason")
    [shown] = explanation_data(explained)["decisions"]
    assert [shown[key] for key in shared] == [connection_data(listed)[key] for key in shared]
    assert f"connection: {listed.verdict}: {listed.reason}" in explanation_text(explained).splitlines()
    assert await writes(estate) == []


async def test_what_waits_nowhere_of_ours_or_not_at_all_is_not_decided_on(found: Founding) -> None:
    estate = await guarded(found, OWN)
    target = await target_of(estate, VAULT)
    approved = await estate.azure.endpoint("pe1", target, groups=["vault"], manual=False)
    explained = await estate.hubwarden.explain(ResourceId.parse(approved))
    assert explained.decisions == ()
    gone = await estate.hubwarden.explain(ResourceId.parse(f"{approved}-gone"))
    assert gone.decisions == ()


async def test_one_whose_target_does_not_show_it_is_not_decided_on(found: Founding) -> None:
    estate = await guarded(found, OWN)
    target = await target_of(estate, STORAGE)
    endpoint = await asked(estate, target)
    for document in (await estate.azure.arm("GET", f"{target}/privateEndpointConnections")).body["value"]:
        await estate.azure.sim("DELETE", "resources", id=document["id"])
    explained = await estate.hubwarden.explain(ResourceId.parse(endpoint))
    assert explained.decisions == ()
