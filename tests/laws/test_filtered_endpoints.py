"""An endpoint that a hub does not publish: whoever asks that hub's zone for its name gets NXDOMAIN, and it is said so.

Behaviour reference section 3.6: only a link with NxDomainRedirect asks the public DNS then, and only for privatelink.
"""

from __future__ import annotations

import pytest

from hubwarden.model.plan import HeldReason
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneTarget
from hubwarden.report.as_json import report_data
from hubwarden.report.as_text import report_csv, report_text
from simulator.server import Simulator
from tests.azure import BLOB_ZONE, HUB, SPOKE, Azure, resource_id
from tests.estate import Estate, held
from tests.laws.conftest import Founding
from tests.laws.hub_zones import GROUP, NETWORK, NXDOMAIN, PUBLIC, answer

NORTH = f"/subscriptions/{HUB}/resourceGroups/rg-dns-neu"
BLOB = "st1.blob.core.windows.net"
ZONE_ID = resource_id(HUB, "rg-dns", "Microsoft.Network/privateDnsZones", BLOB_ZONE)


async def filtered(
    found: Founding, policy: str | None = "Default", *, networks: tuple[str, ...] = (NETWORK,)
) -> Estate:
    """A hub that serves the north only, whose zone is linked so, over a spoke in the west; and the endpoint there."""
    weu = {"name": "weu", "zones": [GROUP], "networks": list(networks), "publishes": {"locations": ["northeurope"]}}
    estate = await found(hubs=[weu])
    if policy:
        await estate.azure.link(ZONE_ID, NETWORK, policy=policy)
    await estate.azure.sim("POST", "settings", {"dnsNetwork": NETWORK})
    return estate


async def endpoint(azure: Azure, name: str = "pe1") -> str:
    """An endpoint in the west."""
    return await azure.endpoint(name, resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "st1"))


async def test_a_plan_warns_of_a_name_that_the_hubs_clients_cannot_resolve(
    found: Founding, simulator: Simulator
) -> None:
    estate = await filtered(found)
    west = await endpoint(estate.azure)
    report = await estate.look(west, applies=False)
    assert held(report) == [HeldReason.NO_HUB]
    [warning] = report.plan.warnings
    assert (warning.hub, warning.zone, warning.name) == ("weu", ResourceId.parse(ZONE_ID), BLOB)
    assert warning.endpoint == ResourceId.parse(west)
    assert warning.detail == (
        f"hub weu does not publish it, and zone {BLOB_ZONE} is linked to vnet-hub without NxDomainRedirect: "
        "clients there get NXDOMAIN"
    )
    assert answer(simulator.world, BLOB) == NXDOMAIN, "and that is true"


@pytest.mark.parametrize(("policy", "heard"), [("NxDomainRedirect", PUBLIC), (None, PUBLIC)])
async def test_there_is_no_warning_where_clients_get_the_public_answer(
    found: Founding, simulator: Simulator, policy: str | None, heard: str
) -> None:
    estate = await filtered(found, policy)
    report = await estate.look(await endpoint(estate.azure), applies=False)
    assert report.plan.warnings == ()
    assert answer(simulator.world, BLOB) == heard


async def test_a_sweep_warns_whether_it_writes_or_not(found: Founding) -> None:
    estate = await filtered(found)
    await endpoint(estate.azure)
    for applies in (True, False):
        report = await estate.sweep(applies=applies)
        assert [warning.name for warning in report.plan.warnings] == [BLOB]
        assert (report.plan.changes, report.complete) == ((), True)


async def test_an_event_pays_nothing_for_warnings(found: Founding) -> None:
    """Design section 3.3: an event costs 1 + k calls; links are no business of its."""
    estate = await filtered(found)
    west = await endpoint(estate.azure)
    await estate.warm()
    report = await estate.look(west)
    assert (report.plan.warnings, len(await estate.calls())) == ((), 1)


async def test_a_sweep_reads_links_only_of_zones_that_lack_a_name_and_remembers_them(found: Founding) -> None:
    estate = await filtered(found)
    await estate.azure.zone("privatelink.queue.core.windows.net")
    await estate.sweep()
    assert not [call for call in await estate.calls() if "virtualNetworkLinks" in call]
    await endpoint(estate.azure)
    for _ in range(2):
        await estate.sweep()
    assert [call for call in await estate.calls() if "virtualNetworkLinks" in call] == [
        f"GET {ZONE_ID}/virtualNetworkLinks"
    ]


async def test_a_name_that_has_a_record_in_the_zone_all_the_same_is_no_cause_for_a_warning(
    found: Founding, simulator: Simulator
) -> None:
    """As in estates of several regions: each hub publishes the endpoint that is near to it."""
    estate = await filtered(found)
    west = await endpoint(estate.azure)
    document = (await estate.azure.arm("GET", await endpoint(estate.azure, "pe2"))).body
    await estate.azure.put({**document, "location": "northeurope"})
    await estate.sweep()
    assert await estate.addresses() is not None
    for report in (await estate.look(west, applies=False), await estate.sweep()):
        assert report.plan.warnings == ()
    assert answer(simulator.world, BLOB) == "10.1.0.5"


async def test_only_links_to_the_hubs_own_networks_count_unless_it_names_none(found: Founding) -> None:
    estate = await filtered(found, networks=(f"{NETWORK}2",))
    west = await endpoint(estate.azure)
    assert (await estate.look(west, applies=False)).plan.warnings == ()
    estate = await filtered(found, networks=())
    assert len((await estate.look(west, applies=False)).plan.warnings) == 1


async def test_every_hub_whose_filter_matches_serves_the_endpoint_and_the_others_are_warned_of(found: Founding) -> None:
    west = {"name": "weu", "zones": [GROUP], "publishes": {"locations": ["westeurope"]}}
    also = {"name": "also", "zones": [f"{NORTH}-2"], "publishes": {"subscriptions": [SPOKE]}}
    north = {"name": "neu", "zones": [NORTH], "publishes": {"locations": ["northeurope"]}}
    estate = await found(hubs=[west, also, north])
    await estate.azure.zone(group="rg-dns-neu-2")
    await estate.azure.link(await estate.azure.zone(group="rg-dns-neu"), NETWORK)
    report = await estate.sweep()
    report = await estate.look(await endpoint(estate.azure))
    assert sorted(change.key.zone.group for change in report.plan.changes) == ["rg-dns", "rg-dns-neu-2"]
    assert [warning.hub for warning in (await estate.sweep()).plan.warnings] == ["neu"]


async def test_a_target_and_its_endpoints_are_warned_of_as_well(found: Founding) -> None:
    estate = await filtered(found)
    await endpoint(estate.azure)
    target = OneTarget(ResourceId.parse(resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "st1")))
    report = await estate.hubwarden.run(target, applies=False)
    assert [warning.name for warning in report.plan.warnings] == [BLOB]


async def test_what_is_not_approved_is_not_warned_of(found: Founding) -> None:
    """Its name leads to no private address anywhere."""
    estate = await filtered(found)
    account = resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "st1")
    waiting = await estate.azure.endpoint("pe1", account, manual=True)
    assert (await estate.look(waiting, applies=False)).plan.warnings == ()


async def test_links_that_are_not_shown_are_warned_of_as_not_known(found: Founding) -> None:
    estate = await filtered(found)
    west = await endpoint(estate.azure)
    fault = {"service": "arm", "method": "GET", "path": "virtualNetworkLinks$", "status": 403}
    await estate.azure.sim("POST", "faults", {**fault, "code": "AuthorizationFailed"})
    [warning] = (await estate.look(west, applies=False)).plan.warnings
    assert "is not shown" in warning.detail
    assert "403 AuthorizationFailed" in warning.detail


async def test_a_hub_whose_zones_are_not_shown_is_warned_of_by_its_own_trouble_only(found: Founding) -> None:
    estate = await filtered(found)
    west = await endpoint(estate.azure)
    fault = {"service": "arm", "method": "GET", "path": "privateDnsZones$", "status": 403, "times": 9}
    await estate.azure.sim("POST", "faults", {**fault, "code": "AuthorizationFailed"})
    assert (await estate.look(west, applies=False)).plan.warnings == ()


async def test_warnings_are_told_in_every_form_and_change_no_hash(found: Founding) -> None:
    estate = await filtered(found)
    west = await endpoint(estate.azure)
    planned, plain = await estate.look(west, applies=False), await estate.look(west)
    assert planned.plan.hash == plain.plan.hash
    [told] = report_data(planned)["plan"]["warnings"]
    assert (told["hub"], told["zone"], told["name"], told["endpoint"]) == ("weu", BLOB_ZONE, BLOB, west)
    assert f"warning: hub weu: {BLOB}: hub weu does not publish it" in report_text(planned)
    assert f"warning,{BLOB_ZONE},{BLOB}," in report_csv(planned)


async def test_what_is_not_known_of_one_endpoint_costs_no_sweep(found: Founding) -> None:
    """Law 13: whose the target's subscription is, is not shown now."""
    estate = await filtered(found)
    await endpoint(estate.azure)
    fault = {"service": "arm", "method": "GET", "path": f"/subscriptions/{SPOKE}$", "status": 400, "times": 9}
    await estate.azure.sim("POST", "faults", fault)
    report = await estate.sweep()
    assert (report.complete, report.plan.warnings) == (False, ())
    assert HeldReason.UNCERTAIN in held(report)


async def test_a_zone_that_two_hubs_share_lacks_no_name_that_either_publishes(found: Founding) -> None:
    """The record is about to be written for the one, and the other's clients ask the same zone."""
    west = {"name": "weu", "zones": [GROUP], "publishes": {"locations": ["westeurope"]}}
    north = {"name": "neu", "zones": [GROUP], "publishes": {"locations": ["northeurope"]}}
    estate = await found(hubs=[west, north])
    await estate.azure.link(ZONE_ID, NETWORK)
    for report in (await estate.look(await endpoint(estate.azure), applies=False), await estate.sweep()):
        assert (len(report.plan.changes), report.plan.warnings) == (1, ())


async def test_a_zone_that_a_hub_has_twice_is_told_for_only_one_is_written_to(found: Founding) -> None:
    hub = {"name": "weu", "zones": [GROUP, f"{NORTH}-2"]}
    estate = await found(hubs=[hub])
    await estate.azure.zone(group="rg-dns-neu-2")
    [warning] = (await estate.sweep()).plan.warnings
    assert (warning.zone and warning.zone.group, warning.endpoint) == ("rg-dns-neu-2", None)
    assert warning.detail.endswith("in resource group rg-dns-neu-2 as well as in rg-dns, and writes to the latter only")
