"""Laws 12 and 13 where Azure does not even refuse: what hangs keeps nobody else from an answer or a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from hubwarden.model.connection import Verdict
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.report import Result, Status
from hubwarden.model.scope import Pending
from tests.laws.conftest import Founding
from tests.laws.test_approvals import (
    OWN,
    SERVER,
    STORAGE,
    VAULT,
    answered,
    asked,
    connections_of,
    fault,
    guarded,
    statuses,
    target_of,
)

APPROVED, PENDING = ConnectionStatus.APPROVED, ConnectionStatus.PENDING
TAGGED: Mapping[str, Any] = {
    "name": "tagged",
    "then": "approve",
    "when": {"consumer": {"in": "estate"}, "target": {"types": [STORAGE, VAULT], "tags": {"env": "prod"}}},
}


def hanging(path: str, **more: Any) -> dict[str, Any]:
    """ARM does not answer to that path, however often it is asked."""
    return fault("GET", path, times=99, delayMs=3_600_000, **more)


@pytest.mark.parametrize(("path", "rule"), [("/privateEndpoints/pe-odd$", "words"), ("/vaults/odd$", "tagged")])
async def test_a_fact_that_azure_hangs_about_keeps_nobody_else_waiting(
    found: Founding, monkeypatch: pytest.MonkeyPatch, path: str, rule: str
) -> None:
    """However many depend on it: each minute's run would be ended before it answered anybody."""
    monkeypatch.setattr("hubwarden.reconcile.facts.ANSWERED_WITHIN", 0.5)
    when = {"target": {"names": ["odd"]}, "consumer": {"endpoints": ["pe-odd"], "tags": {"owner": "orders"}}}
    estate = await guarded(found, {"name": "words", "then": "hold", "when": when}, TAGGED, OWN)
    fine, odd = await target_of(estate, STORAGE, "fine"), await target_of(estate, VAULT, "odd")
    for name in ("pe-odd", *(f"pe{number}" for number in range(7))):
        await asked(estate, odd, name)
    await asked(estate, fine, "pe-fine")
    await estate.azure.sim("POST", "faults", hanging(path))
    report = await estate.hubwarden.run(Pending())
    await estate.azure.sim("DELETE", "faults")
    decided = {each.connection.endpoint.name: each for each in report.decisions if each.connection.endpoint}
    assert (decided["pe-odd"].verdict, decided["pe-odd"].rule) == (Verdict.HOLD, rule)
    assert await statuses(estate, fine) == [APPROVED]


async def test_what_azure_hangs_about_is_asked_once_a_run(found: Founding, monkeypatch: pytest.MonkeyPatch) -> None:
    """And so is a target's document, however many wait there."""
    monkeypatch.setattr("hubwarden.reconcile.facts.ANSWERED_WITHIN", 0.5)
    estate = await guarded(found, TAGGED)
    target = await target_of(estate, STORAGE)
    for number in range(3):
        await asked(estate, target, f"pe{number}")
    await estate.azure.sim("POST", "faults", {**hanging("/storageAccounts/t1$"), "times": 1})
    report = await estate.hubwarden.run(Pending())
    assert [each.verdict for each in report.decisions] == [Verdict.HOLD] * 3
    assert all("not known: the target's tags" in each.reason for each in report.decisions)
    await estate.forget_calls()
    await estate.hubwarden.run(Pending())
    assert [each for each in await estate.calls() if each == f"GET {target}"] == [f"GET {target}"]


async def test_more_than_a_run_can_learn_of_leaves_the_rest_to_the_next(
    found: Founding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not asked any more is not known, and holds (law 10)."""
    monkeypatch.setattr("hubwarden.reconcile.approve.LEARNT_WITHIN", 0.0)
    estate = await guarded(found, OWN)
    target = await target_of(estate, STORAGE)
    await asked(estate, target)
    [decision] = (await answered(estate, target)).decisions
    assert (decision.verdict, decision.rule) == (Verdict.HOLD, "own")
    monkeypatch.undo()
    assert [each.result for each in (await answered(estate, target)).outcomes] == [Result.DONE]


@pytest.mark.parametrize("step", ["what was left open", "a list", "what waits no longer", "an answer", "the index"])
async def test_a_sweep_makes_the_records_right_though_azure_hangs_about_connections(
    found: Founding, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """One provider that is ill must not keep the records of all from being made right for as long as that lasts."""
    for limit in ("answer.CLOSED_WITHIN", "waiting.LISTED_WITHIN", "since.LOOKED_WITHIN"):
        monkeypatch.setattr(f"hubwarden.reconcile.{limit}", 0.5)
    monkeypatch.setattr("hubwarden.reconcile.run.APPROVALS_LAST", 5.0)
    estate = await guarded(found, OWN)
    vault, odd = await target_of(estate, VAULT), await target_of(estate, SERVER, "odd")
    await asked(estate, vault, "pe-vault")
    account = await estate.azure.storage_account("st1")
    await estate.azure.endpoint("pe1", account)
    connection = (await connections_of(estate, vault))[0].id
    if step == "what was left open":
        await estate.azure.sim("POST", "faults", fault("PUT", str(connection), status=500))
        await answered(estate, vault)
    elif step == "a list":
        await estate.azure.sim("POST", "settings", {"graphConnections": False})
    elif step == "what waits no longer":
        await estate.hubwarden.run(Pending(), applies=True)
        await asked(estate, odd, "pe-odd")
    path = {"a list": "/servers/odd", "an answer": f"{connection}$"}.get(step, "/privateEndpointConnections")
    service = "graph" if step == "the index" else "arm"
    if step == "the index":
        refused = {"service": "graph", "times": 1, "status": 400, "code": "BadRequest"}
        await estate.azure.sim("POST", "faults", refused)
    else:
        await estate.azure.sim("POST", "faults", hanging(path, service=service))
    report = await estate.sweep()
    await estate.azure.sim("DELETE", "faults")
    assert await estate.addresses("st1")
    assert report.status in (Status.DONE, Status.PARTIAL)
    await estate.sweep()
    estate.time.seconds += 700
    await estate.sweep()
    assert await statuses(estate, vault) == [APPROVED]
