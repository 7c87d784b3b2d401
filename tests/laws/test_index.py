"""What Resource Graph may do to a sweep: lag, cut, throttle, leave out. It may do too little, never wrong."""

from __future__ import annotations

import pytest

from hubwarden.errors import HubwardenError
from hubwarden.model.plan import HeldReason
from tests.azure import SPOKE, resource_id
from tests.estate import Estate, held, written
from tests.laws.test_limits import names

ACCOUNT = resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "st1")


async def test_a_page_that_would_be_too_large_is_asked_for_in_smaller_ones(estate: Estate) -> None:
    for number in range(6):
        await estate.azure.endpoint(f"pe{number}", await estate.azure.storage_account(f"acct{number}"))
    await estate.azure.sim("POST", "settings", {"graphPayloadBytes": 3000})
    await estate.sweep()
    assert await names(estate) == {f"acct{number}" for number in range(6)}


async def test_a_quota_that_is_spent_is_waited_for(estate: Estate) -> None:
    """The SDK does not repeat a POST after a 429 without Retry-After (behaviour reference section 5.2)."""
    await estate.azure.endpoint("pe1", ACCOUNT)
    fault = {"service": "graph", "method": "POST", "times": 2, "status": 429, "code": "RateLimiting"}
    await estate.azure.sim("POST", "faults", fault)
    began = estate.time.seconds
    await estate.sweep()
    assert await estate.addresses() == ["10.1.0.4"]
    assert estate.time.seconds > began, "it waited, on the clock that it was given"


async def test_an_index_that_is_throttled_for_long_fails_the_sweep_and_changes_nothing(estate: Estate) -> None:
    await estate.azure.endpoint("pe1", ACCOUNT)
    fault = {"service": "graph", "method": "POST", "times": 99, "status": 429, "code": "RateLimiting"}
    await estate.azure.sim("POST", "faults", fault)
    with pytest.raises(HubwardenError):
        await estate.sweep()
    assert await estate.record() is None
    await estate.azure.sim("DELETE", "faults")


@pytest.mark.parametrize("setting", ["graphMetadata", "graphStringBooleans"])
async def test_what_the_index_does_not_show_is_asked_of_arm(estate: Estate, setting: str) -> None:
    """Whether dnsresources shows metadata, and how it shows truth, is not verified: both ways end the same."""
    await estate.azure.sim("POST", "settings", {setting: setting != "graphMetadata"})
    first = await estate.azure.endpoint("pe1", ACCOUNT)
    second = await estate.azure.endpoint("pe2", await estate.azure.storage_account("st2"))
    await estate.write_by_hand("st2", addresses=["10.9.9.9"])
    report = await estate.sweep()
    assert (written(report), held(report)) == ({"st1": ["10.1.0.4"]}, [HeldReason.FOREIGN_CONFLICT])
    assert (await estate.sweep()).plan.changes == ()
    await estate.delete_endpoint(first)
    await estate.delete_endpoint(second)
    await estate.sweep()
    assert await names(estate) == {"st2"}


async def test_on_a_stale_index_a_sweep_does_nothing_wrong(estate: Estate) -> None:
    """The index shows the world as it was: an endpoint that has gone, and none that came."""
    first = await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.look(first)
    await estate.azure.sim("POST", "settings", {"graphLagMs": 3_600_000})
    await estate.azure.endpoint("pe2", await estate.azure.storage_account("st2"))
    await estate.azure.endpoint("pe3", await estate.azure.storage_account("st3"))
    await estate.delete_by_hand()
    assert (await estate.sweep()).plan.changes == ()
    await estate.azure.sim("POST", "settings", {"graphLagMs": 0})
    await estate.sweep()
    assert await names(estate) == {"st1", "st2", "st3"}


async def test_an_endpoint_that_the_index_does_not_show_yet_loses_nothing(estate: Estate) -> None:
    await estate.azure.sim("POST", "settings", {"graphLagMs": 3_600_000})
    endpoint = await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.look(endpoint)
    report = await estate.sweep()
    assert report.plan.changes == ()
    assert await estate.addresses() == ["10.1.0.4"]


async def test_an_empty_index_withdraws_nothing(estate: Estate) -> None:
    """A role that is missing looks like an empty answer."""
    endpoint = await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.look(endpoint)
    await estate.azure.subscription(SPOKE, readable=False)
    report = await estate.sweep()
    assert report.plan.changes == ()
    assert set(held(report)) == {HeldReason.UNCERTAIN}
    assert await estate.addresses() == ["10.1.0.4"]
