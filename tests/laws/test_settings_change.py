"""Law 14: a change of the settings withdraws nothing by itself; what is protected is neither changed nor dropped."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from hubwarden.model.plan import HeldReason
from hubwarden.model.resource_id import ResourceId
from tests.azure import BLOB_ZONE, HUB, SPOKE, resource_id
from tests.estate import Estate, held
from tests.laws.conftest import readdress, restarted

ACCOUNT = resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "st1")
HUBS = {"name": "weu", "zones": [f"/subscriptions/{HUB}/resourceGroups/rg-dns"]}
Changing = Callable[..., Awaitable[None]]


@pytest.fixture
async def changed(estate: Estate, tmp_path: Path) -> AsyncIterator[Changing]:
    """Hubwarden starts anew with other settings, on the same ledger."""

    async def change(**changes: Any) -> None:
        await restarted(estate, tmp_path, **changes)

    yield change
    await estate.hubwarden.close()


@pytest.fixture
async def served(estate: Estate) -> str:
    """An endpoint with its record."""
    endpoint = await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.sweep()
    assert await estate.addresses() == ["10.1.0.4"]
    return endpoint


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"estate": {"subscriptions": [HUB]}}, id="the spoke left the estate"),
        pytest.param({"estate": {"subscriptions": [HUB, SPOKE], "exclude": [SPOKE]}}, id="the spoke is excluded"),
        pytest.param({"hubs": [{**HUBS, "publishes": {"locations": ["northeurope"]}}]}, id="the hub publishes others"),
        pytest.param(
            {"hubs": [{**HUBS, "zones": [f"/subscriptions/{HUB}/resourceGroups/rg-other"]}]}, id="the zones moved away"
        ),
        pytest.param({"records": {"addresses": ["192.168.0.0/16"]}}, id="the addresses are not allowed any more"),
        pytest.param(
            {
                "catalog": {
                    "rows": [
                        {
                            "type": "Microsoft.Storage/storageAccounts",
                            "group": "blob",
                            "zone": "privatelink.blob.other.example",
                            "suffix": "blob.core.windows.net",
                        }
                    ]
                }
            },
            id="the catalogue has another zone",
        ),
    ],
)
async def test_a_living_endpoint_keeps_its_record(
    estate: Estate, served: str, changed: Changing, change: dict[str, Any]
) -> None:
    await estate.azure.resource_group("rg-other", HUB)
    await changed(**change)
    for _ in range(2):
        report = await estate.sweep()
        assert report.plan.changes == ()
        await estate.look(served)
    assert await estate.addresses() == ["10.1.0.4"]


async def test_it_is_told_that_the_settings_cover_the_record_no_longer(
    estate: Estate, served: str, changed: Changing
) -> None:
    await changed(estate={"subscriptions": [HUB]})
    report = await estate.sweep()
    assert held(report) == [HeldReason.NO_LONGER_COVERED]
    assert report.plan.held[0].key is not None
    assert report.plan.held[0].key.zone.name == BLOB_ZONE


async def test_a_catalogue_row_that_went_withdraws_nothing_where_a_claim_was_lost(
    estate: Estate, changed: Changing
) -> None:
    """The public name is not in the mark; to take it for another, which the endpoint does not have, proves nothing."""
    row = {
        "type": "Microsoft.Storage/storageAccounts",
        "group": "blob",
        "zone": BLOB_ZONE,
        "suffix": "blob.example.net",
    }
    await changed(catalog={"rows": [row]})
    member = {"groupId": "blob", "memberName": "blob", "fqdns": ["st1.blob.example.net"], "zone": BLOB_ZONE}
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.target(ACCOUNT, [member]))
    await estate.azure.endpoint("pe2", await estate.azure.storage_account("st2"))
    await estate.sweep()
    assert await estate.addresses() == ["10.1.0.4"]
    claims = estate.hubwarden.rooms.claims
    for claim in await claims.of(ResourceId.parse(endpoint)):
        await claims.forget(claim)
    await changed()
    report = await estate.sweep()
    assert report.plan.changes == ()
    assert HeldReason.NO_LONGER_COVERED in held(report)
    assert await estate.addresses() == ["10.1.0.4"]


async def test_a_renamed_hub_leaves_a_sweep_at_rest(estate: Estate, served: str, changed: Changing) -> None:
    """A claim of the hub's old name is one of the record that the hub serves under the new."""
    await changed(hubs=[{**HUBS, "name": "aaa"}])
    await readdress(estate, served, "10.1.0.99")
    for _ in range(3):
        estate.time.seconds += 950
        await estate.sweep()
    assert await estate.addresses() == ["10.1.0.99"]
    await estate.forget_calls()
    estate.time.seconds += 60
    assert (await estate.sweep()).plan.changes == ()
    assert [call for call in await estate.calls() if not call.endswith("privateDnsZones")] == []


async def test_a_protected_name_is_not_withdrawn_by_a_sweep(estate: Estate, served: str, changed: Changing) -> None:
    await changed(records={"protected": ["st1.blob.core.windows.net"]})
    await estate.delete_endpoint(served)
    assert held(await estate.sweep()) == [HeldReason.PROTECTED]
    assert await estate.addresses() == ["10.1.0.4"]


async def test_in_mode_plan_a_sweep_changes_nothing(estate: Estate, served: str, changed: Changing) -> None:
    await changed(mode="plan")
    await estate.delete_by_hand()
    report = await estate.sweep()
    assert (report.mode, len(report.plan.changes), report.outcomes) == ("plan", 1, ())
    assert await estate.record() is None
