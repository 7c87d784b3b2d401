"""Laws 12 and 13 over many endpoints: what Azure gives no answer about holds only itself, and what was done is told."""

from __future__ import annotations

from typing import Any

import pytest

from hubwarden.errors import LedgerUnavailableError
from hubwarden.model.report import Result, Status
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import Everything, OneGroup
from tests.laws.conftest import Founding
from tests.laws.test_failure import fault
from tests.laws.test_limits import estate_of, names, over


def silent(path: str) -> dict[str, Any]:
    """ARM gives no answer about that path, however often it is asked."""
    return fault("GET", path, times=99, status=500, code="InternalServerError")


async def test_an_endpoint_that_arm_gives_no_answer_about_costs_the_others_nothing(
    found: Founding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the only one of the last part that is looked at: an event about it would fail, the sweep goes on."""
    monkeypatch.setattr("hubwarden.reconcile.sweep.AT_ONCE", 2)
    estate, endpoints = await estate_of(found, 3)
    for name in ("acct0", "acct1", "acct2"):
        await estate.delete_by_hand(name)
    await estate.azure.sim("POST", "faults", silent(f"{endpoints[2]}$"))
    report = await estate.sweep()
    await estate.azure.sim("DELETE", "faults")
    assert await names(estate) == {"acct0", "acct1"}
    assert [outcome.result for outcome in report.outcomes] == [Result.DONE] * 2, "so much is told"
    await estate.sweep()
    assert await names(estate) == {"acct0", "acct1", "acct2"}


async def test_a_record_that_arm_gives_no_answer_about_costs_the_others_nothing(found: Founding) -> None:
    """Somebody else's record in place of ours is read before it is judged."""
    estate, _ = await estate_of(found, 3)
    for name in ("acct0", "acct1"):
        await estate.delete_by_hand(name)
        await estate.write_by_hand(name)
    await estate.delete_by_hand("acct2")
    await estate.azure.sim("POST", "faults", silent("/A/acct0$"))
    estate.time.seconds += 1000
    report = await estate.sweep()
    await estate.azure.sim("DELETE", "faults")
    assert await names(estate) == {"acct0", "acct1", "acct2"}
    assert over(report) == 0


async def test_a_sweep_that_arm_gave_no_answers_to_is_not_whole(found: Founding) -> None:
    """Else nobody would know that it put nothing right."""
    estate, _ = await estate_of(found, 3)
    for name in ("acct0", "acct1", "acct2"):
        await estate.delete_by_hand(name)
    await estate.azure.sim("POST", "faults", {**silent("/privateEndpoints/"), "times": 999})
    report = await estate.sweep()
    assert (report.complete, report.status) == (False, Status.PARTIAL)
    await estate.azure.sim("DELETE", "faults")
    assert (await estate.sweep()).complete
    assert await names(estate) == {"acct0", "acct1", "acct2"}


@pytest.mark.parametrize("sweeps", [True, False])
async def test_a_part_that_the_ledger_fails_under_costs_the_others_nothing(
    found: Founding, monkeypatch: pytest.MonkeyPatch, sweeps: bool
) -> None:
    """The ledger fails for a moment, between the first part and the last."""
    for module in ("sweep", "run"):
        monkeypatch.setattr(f"hubwarden.reconcile.{module}.AT_ONCE", 1)
    estate, endpoints = await estate_of(found, 4)
    for endpoint in endpoints[:3]:
        await estate.delete_endpoint(endpoint)
    note = estate.hubwarden.rooms.tally.note
    notes = iter([True, False, True])

    async def noted(*told: Any) -> tuple[str, ...]:
        if not next(notes):
            raise LedgerUnavailableError("for a moment")
        return await note(*told)

    with monkeypatch.context() as patched:
        patched.setattr(estate.hubwarden.rooms.tally, "note", noted)
        scope = Everything() if sweeps else OneGroup(ResourceId.parse(endpoints[0]).parent)
        report = await estate.hubwarden.run(scope)
    assert await names(estate) == {"acct1", "acct3"}
    told = {change.key.name for change in report.plan.changes}
    assert (told, [outcome.result for outcome in report.outcomes]) == ({"acct0", "acct2"}, [Result.DONE] * 2)
    assert (report.complete, report.status) == (False, Status.PARTIAL)
    await estate.sweep()
    assert await names(estate) == {"acct3"}
