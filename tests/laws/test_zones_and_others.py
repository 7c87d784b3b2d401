"""What a zone's making has to do with others: a second hub, a person who deletes it, one endpoint among many."""

from __future__ import annotations

from hubwarden.model.plan import HeldReason
from hubwarden.model.report import Status
from hubwarden.model.scope import Pending
from simulator.server import Simulator
from tests.estate import Estate, held
from tests.laws.conftest import Founding
from tests.laws.hub_zones import (
    NETWORK,
    PUBLIC,
    QUEUE_ZONE,
    THE_ZONE,
    ZONE_ID,
    answer,
    endpoint,
    founded,
    hub,
    items,
    links,
    work_off,
    zone,
)
from tests.laws.test_zones_of_hubs import made, start_over
from tests.laws.test_zones_unfinished import both_missing, fail

ST3 = "st3.queue.core.windows.net"


async def gets(estate: Estate, what: str) -> list[str]:
    """What was read of that kind since the calls were last forgotten."""
    return [call for call in await estate.calls() if call.startswith("GET") and what in call]


async def test_a_hub_whose_network_cannot_be_linked_does_not_keep_another_from_its_link(found: Founding) -> None:
    """Two hubs with one resource group have one zone, and each its own networks: each is a matter of its own."""
    estate = await founded(found, hubs=[hub(), hub(name="neu", networks=[f"{NETWORK}2"])])
    await estate.look(await endpoint(estate))
    await fail(estate, 403, "LinkedAuthorizationFailed", "virtualNetworkLinks/hubwarden-vnet-hub-", times=99)
    await work_off(estate)
    for _ in range(2):
        estate.time.seconds += 1000
        await estate.sweep()
        await work_off(estate)
    assert await links(estate) == {f"{NETWORK}2": "NxDomainRedirect"}


async def test_a_zone_that_a_person_deletes_is_made_anew_by_a_sweep_and_whole(found: Founding) -> None:
    """The claims of the records that went with it are of no use any more; nobody asks for it between two sweeps."""
    estate = await both_missing(found)
    await estate.hubwarden.look(THE_ZONE, within=1000)
    await items(estate)
    for link in (await estate.azure.arm("GET", f"{ZONE_ID}/virtualNetworkLinks")).body["value"]:
        await estate.azure.arm("DELETE", link["id"])
    await estate.azure.settle()
    await estate.azure.arm("DELETE", ZONE_ID)
    await estate.azure.settle()
    assert await zone(estate) is None
    estate.time.seconds += 60
    await estate.hubwarden.run(Pending())
    assert await items(estate) == []
    await estate.sweep()
    await work_off(estate)
    assert [await estate.addresses(name, QUEUE_ZONE) for name in ("st1", "st2")] == [["10.1.0.4"], ["10.1.0.5"]]
    assert await links(estate) == {NETWORK: "NxDomainRedirect"}


async def test_a_zone_that_answers_for_more_than_private_links_is_never_made(
    found: Founding, simulator: Simulator
) -> None:
    """Linked, it would take all its other names from the clients: nothing redirects there (reference section 3.6)."""
    row = {"type": "Microsoft.Storage/storageAccounts", "group": "queue", "suffix": "queue.core.windows.net"}
    estate = await founded(found, catalog={"rows": [{**row, "zone": "core.windows.net"}]})
    report = await estate.look(await endpoint(estate))
    assert report.plan.held[0].detail.endswith("which is one that Hubwarden never makes")
    await work_off(estate)
    assert answer(simulator.world, "st1.blob.core.windows.net") == PUBLIC


async def test_a_zone_is_not_linked_while_azure_is_at_work_on_an_endpoint_with_names_in_it(
    found: Founding, simulator: Simulator
) -> None:
    """The index shows what it wants; without its record, the link would take the name from everybody."""
    estate = await both_missing(found, hubs=[hub(nxDomainRedirect=False)])
    at_work = (await estate.azure.arm("GET", await endpoint(estate, "st3"))).body
    settled = {**at_work, "properties": dict(at_work["properties"])}
    await estate.azure.sim("POST", "settings", {"graphLagMs": 3_600_000})
    at_work["properties"]["provisioningState"] = "Updating"
    await estate.azure.put(at_work)
    report = await made(estate)
    assert ([warning.name for warning in report.plan.warnings], report.look_again) == ([ST3], True)
    assert answer(simulator.world, ST3) == PUBLIC
    await estate.azure.put(settled)
    assert (await made(estate)).status is Status.DONE
    assert answer(simulator.world, ST3) == "10.1.0.6"


async def test_another_try_looks_only_at_what_is_left(found: Founding) -> None:
    estate = await both_missing(found)
    await fail(estate, 403, "AuthorizationFailed", "/A/st2$")
    await made(estate)
    await estate.forget_calls()
    assert (await made(estate)).status is Status.DONE
    assert await gets(estate, "privateEndpoints/pe-st1") == []
    assert await gets(estate, "privateEndpoints/pe-st2") != []


async def test_a_name_that_an_owner_protects_stands_as_it_is_and_holds_up_no_link(found: Founding) -> None:
    estate = await both_missing(found, records={"protected": ["st1.queue.core.windows.net"]})
    await fail(estate, 403, "LinkedAuthorizationFailed", "virtualNetworkLinks/")
    await made(estate)
    record = await estate.record("st1", QUEUE_ZONE)
    assert record is not None
    record["properties"]["aRecords"] = [{"ipv4Address": "10.9.9.9"}]
    await estate.azure.arm("PUT", record["id"], {"properties": record["properties"]})
    assert held(await made(estate)) == [HeldReason.PROTECTED]
    assert await links(estate) == {NETWORK: "NxDomainRedirect"}
    assert await estate.addresses("st1", QUEUE_ZONE) == ["10.9.9.9"]


async def test_a_policy_that_forbids_the_zone_is_not_told_as_a_right_that_is_missing(found: Founding) -> None:
    """Azure Policy answers 403 as well, whatever roles the identity has."""
    estate = await both_missing(found)
    await fail(estate, 403, "RequestDisallowedByPolicy", f"{QUEUE_ZONE}$")
    [outcome] = (await made(estate)).outcomes
    assert "exempt the resource group from the policy" in outcome.error
    assert not {"needed", "roles"} & set(outcome.error.split())


async def test_what_was_done_is_told_even_where_azure_then_falls_silent(found: Founding) -> None:
    """Law 12: the zone and the records are there, so the Report says so, and why the zone is not linked."""
    for call in ("virtualNetworkLinks$", "aLL$"):
        estate = await both_missing(found)
        fault = {"service": "arm", "method": "GET", "path": call, "times": 9, "status": 429, "retryAfter": 600}
        await estate.azure.sim("POST", "faults", fault)
        report = await made(estate)
        assert [type(outcome.change).__name__ for outcome in report.outcomes][:1] == ["MakeZone"]
        [warning] = report.plan.warnings
        assert "429" in warning.detail
        assert (warning.zone, report.status, report.look_again) == (THE_ZONE.zone, Status.PARTIAL, True)
        await estate.azure.sim("DELETE", "faults")
        assert (await made(estate)).status is Status.DONE
        assert await links(estate) == {NETWORK: "NxDomainRedirect"}
        await start_over(estate)


async def test_a_log_counts_zones_and_links_among_the_changes(found: Founding) -> None:
    estate = await both_missing(found)
    looked = await estate.hubwarden.look(THE_ZONE, within=1000)
    assert looked.summary == "apply: done, 4 of 4 changes done, 0 unchanged"
