"""Law 1: what ended has ended. Connections, zones and holders that are gone leave nothing to be done anew each time."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubwarden.model.plan import HeldReason
from hubwarden.model.resource_id import ResourceId
from tests.azure import BLOB_ZONE, HUB, SPOKE, resource_id
from tests.estate import Estate, held
from tests.laws.conftest import Founding, restarted
from tests.laws.test_contest import ACCOUNT, OTHER, other_spoke
from tests.laws.test_limits import over

QUEUE_ZONE = "privatelink.queue.core.windows.net"


@pytest.mark.parametrize("status", ["Rejected", "Disconnected"])
async def test_an_ended_connection_is_withdrawn_once(estate: Estate, status: str) -> None:
    """Also where the expansion shows no names of an interface (UNVERIFIED: the simulator's switch expandNics)."""
    await estate.azure.sim("POST", "settings", {"expandNics": "ids"})
    endpoint = await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.look(endpoint)
    if status == "Rejected":
        await estate.azure.answer(endpoint, ACCOUNT, status)
    else:
        await estate.azure.remove_connection(endpoint, ACCOUNT)
    assert len((await estate.look(endpoint)).plan.changes) == 1
    assert await estate.record() is None
    assert (await estate.look(endpoint)).plan.changes == ()
    await estate.sweep()
    await estate.forget_calls()
    assert (await estate.sweep()).plan.changes == ()
    assert [call for call in await estate.calls() if not call.endswith("privateDnsZones")] == []
    assert await estate.hubwarden.rooms.claims.of(ResourceId.parse(endpoint)) == ()


async def test_a_zone_that_went_with_its_endpoints_uses_up_no_withdrawals(found: Founding) -> None:
    """Law 9: in a zone that is gone nothing is left to withdraw."""
    estate = await found(records={"limits": {"withdrawals": 6}})
    await estate.azure.zone(QUEUE_ZONE)
    queues = await estate.azure.storage_account("other", services=("queue",))
    other = await estate.azure.endpoint("other", queues, groups=["queue"])
    gone = [
        await estate.azure.endpoint(f"gone{number}", await estate.azure.storage_account(f"acct{number}"))
        for number in range(2)
    ]
    await estate.sweep()
    for endpoint in gone:
        await estate.delete_endpoint(endpoint)
    zone = resource_id(HUB, "rg-dns", "Microsoft.Network/privateDnsZones", BLOB_ZONE)
    await estate.azure.sim("DELETE", "resources", id=zone)
    for _ in range(4):
        estate.time.seconds += 900
        await estate.sweep()
    await estate.delete_endpoint(other)
    assert over(await estate.look(other)) == 0
    assert await estate.addresses("other", QUEUE_ZONE) is None
    claims = [await estate.hubwarden.rooms.claims.of(ResourceId.parse(endpoint)) for endpoint in gone]
    assert claims == [(), ()]


async def test_a_holder_that_left_the_estate_keeps_a_name_no_longer_than_it_lives(
    found: Founding, tmp_path: Path
) -> None:
    """Law 2, the reason is true: it is contested while its holder lives, and is not looked at for its own sake."""
    estate = await found(estate={"subscriptions": [HUB, SPOKE, OTHER]})
    await other_spoke(estate)
    first = await estate.azure.endpoint("pe1", ACCOUNT, subscription=OTHER)
    await estate.look(first)
    second = await estate.azure.endpoint("pe2", ACCOUNT)
    assert held(await estate.look(second)) == [HeldReason.CONTESTED]
    await restarted(estate, tmp_path, estate={"subscriptions": [HUB, SPOKE]})
    assert HeldReason.CONTESTED in held(await estate.sweep())
    assert await estate.addresses() == ["10.7.0.4"]
    await estate.delete_endpoint(first)
    await estate.sweep()
    assert held(await estate.sweep()) == []
    assert await estate.addresses() == ["10.1.0.4"]


async def test_an_endpoint_that_was_made_anew_and_waits_leaves_nothing_of_the_one_before_it(estate: Estate) -> None:
    """Its record is withdrawn once and its claim forgotten; no sweep looks for either again."""
    endpoint = await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.look(endpoint)
    await estate.delete_endpoint(endpoint)
    await estate.azure.endpoint("pe1", ACCOUNT, manual=True)
    assert len((await estate.sweep()).plan.changes) == 1
    assert await estate.record() is None
    estate.time.seconds += 1000
    assert (await estate.sweep()).plan.changes == ()
    assert await estate.hubwarden.rooms.claims.of(ResourceId.parse(endpoint)) == ()
    estate.time.seconds += 1000
    await estate.forget_calls()
    assert (await estate.sweep()).plan.changes == ()
    assert [call for call in await estate.calls() if "/privateEndpoints" in call or "/A/" in call] == []
