"""A zone that a hub lacks is made, filled, checked and linked, in an order that takes no name from anybody."""

from __future__ import annotations

from hubwarden.model.plan import HeldReason
from hubwarden.model.report import Report, Result, Status
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.zone import LinkZone, MakeZone
from simulator.server import Simulator
from tests.azure import HUB, SPOKE, resource_id
from tests.estate import Estate, held
from tests.laws.conftest import Founding
from tests.laws.hub_zones import (
    GROUP,
    NETWORK,
    PUBLIC,
    QUEUE_ZONE,
    THE_ZONE,
    ZONE_ID,
    Client,
    endpoint,
    founded,
    hub,
    items,
    links,
    scopes,
    work_off,
    writes,
    zone,
)

OUTSIDE = "00000000-0000-0000-0000-0000000000cc"
NAMES = ("st1.queue.core.windows.net", "st2.queue.core.windows.net")


async def made(estate: Estate) -> Report:
    """The run that makes the zone."""
    return await estate.hubwarden.run(THE_ZONE)


async def test_a_missing_zone_is_reported_and_handed_on_and_not_made_by_the_run_that_finds_it(found: Founding) -> None:
    estate = await founded(found)
    report = await estate.look(await endpoint(estate))
    [missing] = report.plan.held
    assert missing.reason is HeldReason.NO_ZONE
    assert missing.detail == f"hub weu has no zone {QUEUE_ZONE}; it is handed on to be made"
    assert report.status is Status.DONE
    assert await writes(estate) == []
    assert await scopes(estate) == [THE_ZONE]


async def test_a_zone_found_missing_twice_is_one_item(found: Founding) -> None:
    estate = await founded(found, followUps=["1s", "1s"])
    for account in ("st1", "st2"):
        await estate.look(await endpoint(estate, account))
    await estate.sweep()
    waiting: list[object] = []
    await estate.until(lambda: gathered(estate, waiting))
    assert waiting == [THE_ZONE]
    assert await scopes(estate) == []


async def gathered(estate: Estate, waiting: list[object]) -> bool:
    """Collects what has become visible in the queue."""
    waiting += await scopes(estate)
    return bool(waiting)


async def test_links_come_last_after_all_records_and_a_look_at_them(found: Founding) -> None:
    """Order: the zone, all records of the estate that belong in it, the list of them, then the links."""
    estate = await founded(found, hubs=[hub(networks=[NETWORK, f"{NETWORK}2"])])
    for account in ("st1", "st2", "st3"):
        await endpoint(estate, account)
    await estate.sweep()
    await estate.forget_calls()
    report = await made(estate)
    assert report.status is Status.DONE
    written = await writes(estate)
    assert written[0] == f"PUT {QUEUE_ZONE}"
    assert sorted(written[1:4]) == [f"PUT {QUEUE_ZONE}/A/{name}" for name in ("st1", "st2", "st3")]
    assert [call.rpartition("/")[0] for call in written[4:]] == [f"PUT {QUEUE_ZONE}/virtualNetworkLinks"] * 2
    calls = await estate.calls()
    last_record = max(at for at, call in enumerate(calls) if call.startswith("PUT") and "/A/" in call)
    first_link = min(at for at, call in enumerate(calls) if call.startswith("PUT") and "Links/" in call)
    assert f"GET {ZONE_ID}/aLL" in calls[last_record:first_link]
    assert await links(estate) == {NETWORK: "NxDomainRedirect", f"{NETWORK}2": "NxDomainRedirect"}


async def test_every_write_is_told_of_and_the_zone_bears_our_tag(found: Founding) -> None:
    estate = await founded(found)
    await estate.look(await endpoint(estate))
    report = await made(estate)
    assert [type(change) for change in report.plan.zones] == [MakeZone, LinkZone]
    assert [outcome.result for outcome in report.outcomes] == [Result.DONE] * 3
    assert {outcome.key for outcome in report.outcomes} == {
        *(change.key for change in report.plan.zones),
        *(change.key for change in report.plan.changes),
    }
    assert (await zone(estate))["tags"] == {"hubwarden": "contoso"}
    assert await estate.addresses("st1", QUEUE_ZONE) == ["10.1.0.4"]


async def test_afterwards_a_sweep_changes_nothing_and_hands_nothing_on(found: Founding) -> None:
    """Law 1."""
    estate = await founded(found)
    await estate.look(await endpoint(estate))
    await work_off(estate)
    assert await links(estate) == {NETWORK: "NxDomainRedirect"}
    await estate.forget_calls()
    report = await estate.sweep()
    assert (report.plan.changes, report.plan.zones, held(report)) == ((), (), [])
    assert await writes(estate) == []
    assert await items(estate) == []


async def test_a_client_sees_the_public_address_and_then_the_private_one_and_never_nothing(
    found: Founding, simulator: Simulator
) -> None:
    """Behaviour reference section 3.6: a linked zone without a record would answer NXDOMAIN."""
    for policy in (True, False):
        estate = await founded(found, hubs=[hub(nxDomainRedirect=policy)])
        for account in ("st1", "st2"):
            await endpoint(estate, account)
        client = Client(simulator.world, NAMES)
        with client.asking():
            await estate.sweep()
            await work_off(estate)
        [before, after] = client.heard
        assert before == (PUBLIC, PUBLIC)
        assert after == ("10.1.0.4", "10.1.0.5")
        assert await links(estate) == {NETWORK: "NxDomainRedirect" if policy else "Default"}
        await start_over(estate)


async def start_over(estate: Estate) -> None:
    """The hub and the spoke as they were."""
    for link in (await estate.azure.arm("GET", f"{ZONE_ID}/virtualNetworkLinks")).body["value"]:
        await estate.azure.sim("DELETE", "resources", id=link["id"])
    await estate.azure.sim("DELETE", "resources", id=ZONE_ID)
    for account in ("st1", "st2"):
        group = GROUP.replace(HUB, SPOKE).replace("rg-dns", "rg-spoke")
        await estate.azure.arm("DELETE", f"{group}/providers/Microsoft.Network/privateEndpoints/pe-{account}")
    await estate.azure.settle()


async def test_an_endpoint_that_the_index_does_not_show_yet_is_served_before_the_link(found: Founding) -> None:
    """Whoever found the zone missing is remembered: it may be newer than what Resource Graph shows (section 5.3)."""
    estate = await founded(found)
    await estate.azure.sim("POST", "settings", {"graphLagMs": 3_600_000})
    await estate.look(await endpoint(estate))
    report = await made(estate)
    assert [type(outcome.change).__name__ for outcome in report.outcomes] == ["MakeZone", "Put", "LinkZone"]
    assert await estate.addresses("st1", QUEUE_ZONE) == ["10.1.0.4"]


async def test_only_endpoints_of_the_estate_with_names_in_the_zone_are_looked_at(found: Founding) -> None:
    estate = await founded(found)
    missing = await endpoint(estate)
    other = await estate.azure.endpoint("pe-blob", await estate.azure.storage_account("st9"))
    await estate.look(missing)
    await items(estate)
    left = await endpoint(estate, "st2")
    await estate.hubwarden.rooms.claims.wait_for(THE_ZONE.zone, ResourceId.parse(left.replace(SPOKE, OUTSIDE)))
    await estate.forget_calls()
    await made(estate)
    looked_at = {call.rpartition("/")[2] for call in await estate.calls() if "/privateEndpoints/" in call}
    assert looked_at == {missing.rpartition("/")[2], left.rpartition("/")[2]}
    assert other.rpartition("/")[2] not in looked_at


async def test_a_zone_that_is_complete_is_left_as_it_is(found: Founding) -> None:
    estate = await founded(found)
    await estate.look(await endpoint(estate))
    await work_off(estate)
    await estate.forget_calls()
    report = await made(estate)
    assert (report.plan.zones, report.plan.changes, report.status) == ((), (), Status.DONE)
    assert await writes(estate) == []


async def test_what_is_left_of_a_zone_is_planned_without_being_done(found: Founding) -> None:
    estate = await founded(found)
    await estate.azure.arm("PUT", ZONE_ID, {"location": "global", "tags": {"hubwarden": "contoso"}})
    await estate.azure.settle()
    await endpoint(estate)
    planned = await estate.hubwarden.run(THE_ZONE, applies=False)
    assert [type(change) for change in planned.plan.zones] == [LinkZone]
    assert [change.key.name for change in planned.plan.changes] == ["st1"]
    assert await writes(estate) == []


async def test_two_hubs_make_a_zone_each(found: Founding) -> None:
    """Every hub that publishes the endpoint serves it."""
    other = f"/subscriptions/{HUB}/resourceGroups/rg-dns-neu"
    network = resource_id(HUB, "rg-hub", "Microsoft.Network/virtualNetworks", "vnet-neu")
    estate = await founded(found, hubs=[hub(), hub(name="neu", zones=[other], networks=[network])])
    await estate.azure.resource_group("rg-dns-neu", HUB)
    report = await estate.look(await endpoint(estate))
    assert held(report) == [HeldReason.NO_ZONE] * 2
    await work_off(estate)
    there = f"{other}/providers/Microsoft.Network/privateDnsZones/{QUEUE_ZONE}"
    assert (await links(estate), await links(estate, there)) == (
        {NETWORK: "NxDomainRedirect"},
        {network: "NxDomainRedirect"},
    )
    assert (await estate.azure.arm("GET", f"{there}/A/st1")).status == 200


async def test_two_hubs_with_one_group_share_the_zone_and_link_it_to_the_networks_of_both(found: Founding) -> None:
    estate = await founded(found, hubs=[hub(), hub(name="neu", networks=[f"{NETWORK}2"])])
    await estate.look(await endpoint(estate))
    await work_off(estate)
    await estate.sweep()
    await work_off(estate)
    assert set(await links(estate)) == {NETWORK, f"{NETWORK}2"}


async def test_a_network_that_joins_the_hub_later_is_linked_by_a_sweep(found: Founding) -> None:
    estate = await founded(found)
    await estate.look(await endpoint(estate))
    await work_off(estate)
    await estate.azure.arm("PUT", f"{ZONE_ID}/virtualNetworkLinks/by-hand", link_to(f"{NETWORK}9"))
    await estate.azure.settle()
    later = await founded(found, hubs=[hub(networks=[NETWORK, f"{NETWORK}2"])])
    await later.sweep()
    await work_off(later)
    assert set(await links(later)) == {NETWORK, f"{NETWORK}2", f"{NETWORK}9"}


def link_to(network: str) -> dict[str, object]:
    """The body of a link."""
    return {"location": "global", "properties": {"virtualNetwork": {"id": network}}}


async def test_a_zone_without_our_tag_is_never_linked(found: Founding) -> None:
    estate = await founded(found)
    await estate.azure.zone(QUEUE_ZONE)
    await estate.look(await endpoint(estate))
    await estate.sweep()
    assert await scopes(estate) == []
    report = await made(estate)
    assert (report.plan.zones, report.outcomes, report.status) == ((), (), Status.DONE)
    assert await links(estate) == {}


async def test_a_zone_that_another_instance_made_is_never_linked(found: Founding) -> None:
    estate = await founded(found)
    await estate.azure.arm("PUT", ZONE_ID, {"location": "global", "tags": {"hubwarden": "fabrikam"}})
    await estate.azure.settle()
    await estate.sweep()
    assert await scopes(estate) == []


async def test_mode_plan_makes_nothing_and_says_what_would_be_made(found: Founding) -> None:
    estate = await founded(found, mode="plan")
    report = await estate.look(await endpoint(estate))
    assert report.plan.held[0].detail.endswith("; createZones would make it")
    await estate.sweep()
    assert await scopes(estate) == []
    planned = await made(estate)
    assert [type(change) for change in planned.plan.zones] == [MakeZone, LinkZone]
    assert (planned.outcomes, await writes(estate)) == ((), [])
    assert planned.plan.hash != report.plan.hash


async def test_a_hub_that_makes_no_zones_hands_nothing_on(found: Founding) -> None:
    estate = await founded(found, hubs=[hub(createZones=False)])
    report = await estate.look(await endpoint(estate))
    assert report.plan.held[0].detail == f"hub weu has no zone {QUEUE_ZONE}"
    assert await scopes(estate) == []
    assert (await made(estate)).plan.zones == ()
    assert await writes(estate) == []


async def test_a_zone_that_nobody_misses_any_more_is_not_made(found: Founding) -> None:
    """A work item says where to look, never what to do (design section 3.7)."""
    estate = await founded(found)
    missing = await endpoint(estate)
    await estate.look(missing)
    await estate.delete_endpoint(missing)
    report = await made(estate)
    assert (report.plan.zones, report.status) == ((), Status.DONE)
    assert await zone(estate) is None


async def test_a_zone_that_answers_for_many_targets_is_never_made(found: Founding) -> None:
    """The Azure Monitor zones: linked, they would change how every scope's names resolve."""
    target = resource_id(HUB, "rg-dns", "Microsoft.Insights/privateLinkScopes", "scope1")
    estate = await founded(found, records={"shared": [target]})
    names = {"groupId": "azuremonitor", "memberName": "api", "fqdns": ["api.monitor.azure.com"]}
    await estate.azure.target(target, [{**names, "zone": "privatelink.monitor.azure.com", "publicAddress": PUBLIC}])
    report = await estate.look(await estate.azure.endpoint("pe1", target, groups=["azuremonitor"]))
    [missing] = report.plan.held
    assert missing.reason is HeldReason.NO_ZONE
    assert missing.detail.endswith("which is one that Hubwarden never makes")
    assert await scopes(estate) == []
