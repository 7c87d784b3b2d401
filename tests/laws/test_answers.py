"""A minute's look at what waits: what it costs, and what it makes of an index that shows the minute before."""

from __future__ import annotations

from hubwarden.model.report import Status
from hubwarden.model.scope import Pending
from tests.laws.conftest import Founding
from tests.laws.test_approvals import APPROVED, OWN_BLOBS, STORAGE, asked, guarded, statuses, target_of


async def test_what_was_just_answered_is_no_failure_while_the_index_lags(found: Founding) -> None:
    """The index still shows Pending a minute later (behaviour reference section 5): nothing was left undone."""
    estate = await guarded(found, OWN_BLOBS)
    target = await target_of(estate, STORAGE)
    await asked(estate, target)
    await estate.azure.sim("POST", "settings", {"graphLagMs": 600_000})
    assert (await estate.hubwarden.run(Pending())).status is Status.DONE
    assert await statuses(estate, target) == [APPROVED]
    estate.time.seconds += 60
    looked = await estate.hubwarden.look(Pending(), within=100)
    assert looked.report is not None
    assert looked.report.status is Status.DONE
    assert not looked.gave_up, "its timer does not fail"


async def test_a_connection_that_waits_costs_one_read_each_minute(found: Founding) -> None:
    """Of its endpoint, for its groups, which storage does not show (approval notes); whose it is is asked once."""
    estate = await guarded(found, OWN_BLOBS)
    target = await estate.azure.storage_account("t1", services=("blob", "file"))
    endpoints = [await asked(estate, target, f"pe{number}", groups=["file"]) for number in range(3)]
    await estate.hubwarden.run(Pending())
    estate.time.seconds += 60
    await estate.forget_calls()
    report = await estate.hubwarden.run(Pending())
    assert [decision.verdict for decision in report.decisions] == ["hold"] * 3
    subscription = endpoints[0].split("/resourceGroups")[0]
    assert sorted(await estate.calls()) == sorted(f"GET {place}" for place in (subscription, *endpoints))
