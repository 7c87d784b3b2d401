"""Laws 12 and 13 in a sweep: what ARM gives no answer about holds only itself, and what was done is told."""

from __future__ import annotations

from typing import Any

import pytest

from hubwarden.model.report import Result
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
