"""The sweep: what no event told of is put right, what is right costs no call, and an index's word withdraws nothing."""

from __future__ import annotations

import pytest

from hubwarden.errors import LedgerUnavailableError, TemporaryError
from hubwarden.model.plan import Drop, HeldReason
from hubwarden.model.report import Status
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import Everything
from tests.azure import SPOKE, resource_id
from tests.estate import TENANT, Estate, held, record_id, written
from tests.laws.test_contest import OTHER

ACCOUNT = resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "st1")


async def served(estate: Estate, name: str = "pe1") -> str:
    """An endpoint to st1 with its record in place."""
    endpoint = await estate.azure.endpoint(name, ACCOUNT)
    await estate.look(endpoint)
    assert await estate.addresses() is not None
    return endpoint


async def test_a_first_sweep_writes_what_no_event_told_of_and_a_second_changes_nothing(estate: Estate) -> None:
    """Laws 1 and 2."""
    await estate.azure.endpoint("pe1", ACCOUNT)
    first = await estate.sweep()
    assert (first.status, set(written(first))) == (Status.DONE, {"st1"})
    assert await estate.addresses() is not None
    await estate.forget_calls()
    second = await estate.sweep()
    assert (second.plan.changes, len(second.plan.unchanged)) == ((), 1)
    assert [call for call in await estate.calls() if "privateEndpoints" in call or "/A/" in call] == []


async def test_a_record_deleted_by_hand_is_restored(estate: Estate) -> None:
    await served(estate)
    addresses = await estate.addresses()
    await estate.delete_by_hand()
    await estate.sweep()
    assert await estate.addresses() == addresses


async def test_an_address_changed_by_hand_is_corrected(estate: Estate) -> None:
    await served(estate)
    addresses = await estate.addresses()
    record = await estate.record()
    assert record is not None
    await estate.write_by_hand(addresses=["10.9.9.9"], **record["properties"]["metadata"])
    report = await estate.sweep()
    assert await estate.addresses() == addresses
    assert [change.why for change in report.plan.changes] == ["the addresses differ"]


async def test_a_record_whose_endpoint_went_unheard_is_withdrawn_on_arms_word(estate: Estate) -> None:
    """Law 5: the index raises the suspicion, a direct 404 proves it."""
    endpoint = await served(estate)
    await estate.delete_endpoint(endpoint)
    await estate.forget_calls()
    report = await estate.sweep()
    assert [type(change) for change in report.plan.changes] == [Drop]
    assert await estate.record() is None
    assert any(call.startswith("GET") and call.endswith("/pe1") for call in await estate.calls())
    assert await estate.hubwarden.rooms.claims.all() == await estate.hubwarden.rooms.claims.all()
    assert not (await estate.hubwarden.rooms.claims.all()).claims


@pytest.mark.every_right  # the reader of the estate does not see that it lives elsewhere
async def test_a_record_whose_endpoint_was_moved_out_of_the_estate_is_kept(estate: Estate) -> None:
    """Law 5: it lives elsewhere, and the address is still its own."""
    endpoint = await served(estate)
    document = (await estate.azure.arm("GET", endpoint)).body
    await estate.azure.subscription(OTHER, tenant=TENANT)
    await estate.azure.resource_group("rg-spoke", OTHER)
    await estate.azure.put({**document, "id": endpoint.replace(SPOKE, OTHER)})
    await estate.azure.sim("DELETE", "resources", id=endpoint)
    report = await estate.sweep()
    assert (report.plan.changes, held(report)) == ((), [HeldReason.UNCERTAIN])
    assert await estate.addresses() == ["10.1.0.4"]


async def test_a_connection_rejected_by_its_owner_takes_its_record_along(estate: Estate) -> None:
    endpoint = await served(estate)
    await estate.azure.answer(endpoint, ACCOUNT, "Rejected")
    await estate.sweep()
    assert await estate.record() is None


async def test_nothing_is_withdrawn_where_arm_says_403(estate: Estate) -> None:
    endpoint = await served(estate)
    await estate.delete_endpoint(endpoint)
    await estate.azure.sim(
        "POST", "faults", {"service": "arm", "method": "GET", "path": "/pe1$", "times": 9, "status": 403}
    )
    report = await estate.sweep()
    assert held(report) == [HeldReason.UNCERTAIN]
    assert await estate.record() is not None
    await estate.azure.sim("DELETE", "faults")


async def test_a_record_of_ours_that_the_ledger_forgot_is_claimed_again(estate: Estate) -> None:
    endpoint = await served(estate)
    claims = estate.hubwarden.rooms.claims
    for claim in await claims.of(ResourceId.parse(endpoint)):
        await claims.forget(claim)
    await estate.sweep()
    assert len((await claims.all()).claims) == 1
    await estate.delete_endpoint(endpoint)
    await estate.sweep()
    assert await estate.record() is None


async def test_with_an_empty_ledger_a_sweep_rebuilds_and_withdraws_nothing(estate: Estate) -> None:
    endpoint = await served(estate)
    await estate.delete_endpoint(endpoint)
    claims = estate.hubwarden.rooms.claims
    for claim in await claims.of(ResourceId.parse(endpoint)):
        await claims.forget(claim)
    first = await estate.sweep()
    assert held(first) == [HeldReason.UNCERTAIN]
    assert await estate.record() is not None
    await estate.sweep()
    assert await estate.record() is None


async def test_with_storage_down_a_sweep_writes_nothing(estate: Estate, azurite_down: str) -> None:
    """Law 12."""
    assert azurite_down
    await estate.azure.endpoint("pe1", ACCOUNT)
    with pytest.raises(LedgerUnavailableError):
        await estate.sweep()
    assert await estate.record() is None


async def test_without_a_token_a_sweep_writes_nothing(estate: Estate) -> None:
    await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.azure.sim("POST", "faults", {"service": "identity", "times": 999, "status": 503})
    with pytest.raises(TemporaryError):
        await estate.sweep()
    assert await estate.record() is None
    await estate.azure.sim("DELETE", "faults")
    await estate.sweep()
    assert await estate.addresses() == ["10.1.0.4"]


async def test_with_arm_down_a_sweep_writes_nothing_and_says_that_it_is_not_whole(estate: Estate) -> None:
    endpoint = await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.look(endpoint)
    await estate.delete_by_hand()
    estate.time.seconds += 7200
    await estate.azure.sim("POST", "faults", {"service": "arm", "path": "^/subscriptions", "times": 999, "status": 503})
    report = await estate.sweep()
    assert (report.plan.changes, report.complete, report.status) == ((), False, Status.PARTIAL)
    assert set(held(report)) == {HeldReason.UNCERTAIN}
    assert (await estate.hubwarden.look(Everything(), within=600)).gave_up, "its timer fails"
    await estate.azure.sim("DELETE", "faults")
    estate.time.seconds += 60
    await estate.sweep()
    assert await estate.addresses() == ["10.1.0.4"]


async def test_a_locked_zone_is_told_and_a_person_takes_the_lock_away(estate: Estate) -> None:
    await estate.azure.endpoint("pe1", ACCOUNT)
    group = record_id("st1").split("/providers")[0]
    lock = f"{group}/providers/Microsoft.Authorization/locks/keep"
    kind = {"name": "keep", "type": "Microsoft.Authorization/locks", "properties": {"level": "ReadOnly"}}
    await estate.azure.put({"id": lock, **kind})
    report = await estate.sweep()
    assert (report.status, held(report)) == (Status.FAILED, [HeldReason.LOCKED])
    assert "ScopeLocked" in report.outcomes[0].error
    await estate.azure.sim("DELETE", "resources", id=lock)
    await estate.sweep()
    assert await estate.addresses() == ["10.1.0.4"]


async def test_a_sweep_that_runs_out_of_time_says_so_and_the_next_goes_on(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hubwarden.reconcile.sweep.LASTS", 0.0)
    await estate.azure.endpoint("pe1", ACCOUNT)
    report = await estate.sweep()
    assert (report.complete, report.status) == (False, Status.PARTIAL)
    assert await estate.record() is None
    monkeypatch.undo()
    assert (await estate.sweep()).complete
    assert await estate.addresses() == ["10.1.0.4"]
