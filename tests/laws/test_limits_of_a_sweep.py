"""Law 9: withdrawals are judged as a whole, of however many parts a run is; what counts is what was withdrawn.

A try that failed, a second one, and a doubt are no withdrawals, and release none that wait for a person.
"""

from __future__ import annotations

import asyncio

import pytest

from hubwarden.model.plan import HeldReason
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneGroup
from tests.azure import SPOKE
from tests.estate import held
from tests.laws.conftest import Founding, note_by_hand
from tests.laws.test_failure import fault
from tests.laws.test_limits import estate_of, names, over


async def test_a_mass_deletion_is_held_as_a_whole_in_a_sweep_of_several_parts(
    found: Founding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hubwarden.reconcile.sweep.AT_ONCE", 2)
    estate, endpoints = await estate_of(found, 6, perZone=3)
    for endpoint in endpoints[:5]:
        await estate.delete_endpoint(endpoint)
    report = await estate.sweep()
    assert over(report) == 5
    assert await names(estate) == {f"acct{number}" for number in range(6)}


async def test_a_deleted_group_is_judged_as_a_whole(found: Founding, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubwarden.reconcile.run.AT_ONCE", 2)
    estate, _ = await estate_of(found, 1, perZone=3)
    group = await estate.azure.resource_group("rg-gone")
    for number in range(1, 6):
        account = await estate.azure.storage_account(f"acct{number}")
        await estate.azure.endpoint(f"pe{number}", account, group="rg-gone")
    await estate.sweep()
    all_names = {f"acct{number}" for number in range(6)}
    assert await names(estate) == all_names
    assert (await estate.azure.arm("DELETE", group)).status in (200, 202)
    await estate.azure.settle()
    report = await estate.hubwarden.run(OneGroup(ResourceId.parse(group)))
    assert over(report) == 5
    assert await names(estate) == all_names


async def test_what_a_sweep_cannot_see_is_not_among_what_it_would_withdraw(found: Founding) -> None:
    """Law 2, a reason is true: one endpoint is gone; of four the index shows nothing, and ARM proves nothing."""
    estate, endpoints = await estate_of(found, 6, perZone=3)
    await estate.delete_endpoint(endpoints[0])
    hidden = [(await estate.azure.arm("GET", endpoint)).body for endpoint in endpoints[1:5]]
    for endpoint in endpoints[1:5]:
        await estate.azure.sim("DELETE", "resources", id=endpoint)
        denied = fault("GET", f"{endpoint}$", times=9, status=403, code="AuthorizationFailed")
        await estate.azure.sim("POST", "faults", denied)
    reports = [await estate.sweep()]
    await estate.azure.sim("DELETE", "faults")
    await estate.azure.put(*hidden)
    reports.append(await estate.sweep())
    assert [over(report) for report in reports] == [0, 0]
    assert await names(estate) == {f"acct{number}" for number in range(1, 6)}


async def test_tries_that_withdrew_nothing_use_up_nothing(found: Founding) -> None:
    """A lock on the zone, for as long as an event's look and a follow-up's."""
    estate, endpoints = await estate_of(found, 3, perZone=2)
    await estate.delete_endpoint(endpoints[0])
    locked = fault("DELETE", "/A/acct0$", times=2, status=409, code="ScopeLocked")
    await estate.azure.sim("POST", "faults", locked)
    for _ in range(2):
        assert held(await estate.look(endpoints[0])) == [HeldReason.LOCKED]
    assert over(await estate.look(endpoints[0])) == 0
    assert await names(estate) == {"acct1", "acct2"}


async def test_one_raced_withdrawal_counts_once(found: Founding) -> None:
    """Somebody notes something at our record: the second look after a 412 is about the same withdrawal."""
    estate, endpoints = await estate_of(found, 3, perZone=1)
    await estate.delete_endpoint(endpoints[0])
    await note_by_hand(estate, "acct0")
    assert over(await estate.look(endpoints[0])) == 0
    assert await names(estate) == {"acct1", "acct2"}


async def test_one_raced_withdrawal_among_those_of_a_sweep_counts_once(found: Founding) -> None:
    """What the first look withdrew is counted by the second, and no longer to come."""
    estate, endpoints = await estate_of(found, 4, perZone=3)
    for endpoint in endpoints[:3]:
        await estate.delete_endpoint(endpoint)
    await note_by_hand(estate, "acct0")
    assert [over(await estate.sweep()) for _ in range(2)] == [0, 0]
    assert await names(estate) == {"acct3"}


async def test_withdrawals_whose_answers_are_lost_count(found: Founding) -> None:
    """They may have struck."""
    estate, endpoints = await estate_of(found, 5, perZone=2)
    lost = fault("DELETE", "/A/acct", times=99, when="after", status=500, code="InternalServerError")
    await estate.azure.sim("POST", "faults", lost)
    withheld = []
    for endpoint in endpoints[:4]:
        await estate.delete_endpoint(endpoint)
        withheld.append(over(await estate.look(endpoint)))
    assert withheld == [0, 0, 1, 1]
    assert await names(estate) == {"acct2", "acct3", "acct4"}


async def test_a_deletion_told_of_twice_at_once_is_one_withdrawal(found: Founding) -> None:
    """Event Grid tells of the endpoint, of its connection, and of each again (behaviour reference section 1)."""
    estate, endpoints = await estate_of(found, 3, perZone=1)
    await estate.delete_endpoint(endpoints[0])
    reports = await asyncio.gather(*(estate.look(endpoints[0]) for _ in range(3)))
    assert [over(report) for report in reports] == [0, 0, 0]
    assert await names(estate) == {"acct1", "acct2"}


async def test_a_sweep_in_doubt_releases_nothing(found: Founding) -> None:
    """What is over a limit waits for a person, also after a sweep that is shown nothing."""
    estate, endpoints = await estate_of(found, 3, perZone=1)
    for endpoint in endpoints[:2]:
        await estate.delete_endpoint(endpoint)
    assert over(await estate.sweep()) == 2
    await estate.azure.subscription(SPOKE, readable=False)
    assert over(await estate.sweep()) == 0, "it is uncertain instead"
    await estate.azure.subscription(SPOKE, readable=True)
    assert over(await estate.look(endpoints[0])) == 1, "no person has let it through"
    assert await names(estate) == {"acct0", "acct1", "acct2"}


async def test_a_sweep_on_an_index_that_lags_releases_nothing(found: Founding) -> None:
    """The index shows the held one's endpoint as it was: that is no person's word either."""
    estate, endpoints = await estate_of(found, 3, perZone=1)
    await estate.delete_endpoint(endpoints[0])
    assert over(await estate.look(endpoints[0])) == 0
    estate.time.seconds += 3300
    await estate.azure.sim("POST", "settings", {"graphLagMs": 3_600_000})
    await estate.delete_endpoint(endpoints[1])
    assert over(await estate.look(endpoints[1])) == 1
    await estate.sweep()
    await estate.azure.sim("POST", "settings", {"graphLagMs": 0})
    estate.time.seconds += 900
    assert over(await estate.sweep()) == 1, "the hour is over, and no person has let it through"
    assert await names(estate) == {"acct1", "acct2"}
