"""Making a zone, interrupted, refused, raced: nobody loses a name by it, and the next try finishes what is left."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from hubwarden.errors import LedgerUnavailableError
from hubwarden.model.report import Report, Result, Status
from hubwarden.runtime import Runtime
from simulator.server import Simulator
from tests.azure import HUB, SPOKE
from tests.contract.test_roles import DNS_CONTRIBUTOR, READER, assign
from tests.estate import IDENTITY, Estate, config
from tests.laws.conftest import Founding, restarted
from tests.laws.hub_zones import (
    GROUP,
    NETWORK,
    PUBLIC,
    QUEUE_ZONE,
    THE_ZONE,
    ZONE_ID,
    Client,
    before,
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
from tests.laws.test_killed import Killer, killer
from tests.laws.test_zones_of_hubs import NAMES, link_to, made, start_over

__all__ = ["killer"]

MOST_WRITES = 40
PRIVATE = ("10.1.0.4", "10.1.0.5")


async def fail(estate: Estate, status: int, code: str, path: str, times: int = 1) -> None:
    """The next writes to such a path are refused so."""
    body = {"error": {"code": code, "message": "because of a test"}}
    fault = {"service": "arm", "method": "PUT", "path": path, "times": times, "status": status, "body": body}
    await estate.azure.sim("POST", "faults", fault)


async def both_missing(found: Founding, **changes: Any) -> Estate:
    """Two endpoints that miss the zone."""
    estate = await founded(found, **changes)
    for account in ("st1", "st2"):
        await estate.look(await endpoint(estate, account))
    await items(estate)
    return estate


async def test_whatever_the_last_write_was_the_next_sweep_finishes_it_and_no_name_was_lost(
    found: Founding, killer: Killer, simulator: Simulator, tmp_path: Path
) -> None:
    two = {"hubs": [hub(networks=[NETWORK, f"{NETWORK}2"])], "followUps": ["1ms", "1ms", "1ms"]}
    for after in range(1, MOST_WRITES):
        estate = await both_missing(found, **two)
        client = Client(simulator.world, NAMES)
        with client.asking():
            killed = await killer.kills(estate.hubwarden.look(THE_ZONE, within=1000), after)
            await restarted(estate, tmp_path, **two)
            estate.time.seconds += 1000
            await estate.sweep()
            await work_off(estate)
        assert client.heard[-1] == PRIVATE, f"killed after write {after}"
        assert {each for heard in client.heard for each in heard} == {PUBLIC, *PRIVATE}, f"killed after write {after}"
        assert set(await links(estate)) == {NETWORK, f"{NETWORK}2"}
        report = await estate.sweep()
        assert (report.plan.changes, await items(estate)) == ((), [])
        await start_over(estate)
        if not killed:
            assert after > 6, "there was something to kill"
            return
    raise AssertionError("the run has more writes than were tried")


async def test_two_hosts_at_once_make_one_zone(found: Founding, tmp_path: Path) -> None:
    estate = await both_missing(found)
    settled = {"hubs": [hub()], "followUps": ["1ms", "1ms", "1ms"]}
    settings = config(tmp_path, estate.azure.url, estate.connection_string, **settled)
    other = Runtime.build(settings, now=estate.time.now, sleep=estate.time.sleep)
    async with other:
        await asyncio.gather(*(each.look(THE_ZONE, within=1000) for each in (estate.hubwarden, other)))
    await work_off(estate)
    assert (await zone(estate))["tags"] == {"hubwarden": "contoso"}
    assert await links(estate) == {NETWORK: "NxDomainRedirect"}
    assert await estate.addresses("st1", QUEUE_ZONE) == ["10.1.0.4"]
    assert await estate.addresses("st2", QUEUE_ZONE) == ["10.1.0.5"]


async def test_a_zone_that_somebody_makes_meanwhile_is_left_to_them(found: Founding) -> None:
    """If-None-Match: nothing of theirs is overwritten (behaviour reference section 3.4)."""
    estate = await both_missing(found)
    with before(f"PUT .*{QUEUE_ZONE}$", lambda: estate.azure.zone(QUEUE_ZONE)):
        report = await made(estate)
    assert (report.outcomes, await links(estate)) == ((), {})
    assert await writes(estate) == [f"PUT {QUEUE_ZONE}"]


async def test_a_zone_is_not_linked_while_a_record_could_not_be_written(
    found: Founding, simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    estate = await both_missing(found)
    await fail(estate, 403, "AuthorizationFailed", "/A/st2$")
    caplog.set_level(logging.WARNING, "hubwarden")
    client = Client(simulator.world, NAMES)
    with client.asking():
        report = await made(estate)
        assert report.status is Status.PARTIAL
        assert report.look_again
        [warning] = report.plan.warnings
        assert (warning.name, warning.zone) == (NAMES[1], THE_ZONE.zone)
        assert warning.detail == "the zone is not linked yet: the name has no right record"
        assert f"{ZONE_ID} is not linked yet: 1 names have no right record in it" in caplog.text
        assert await links(estate) == {}
        assert (await made(estate)).status is Status.DONE
    assert client.heard == [(PUBLIC, PUBLIC), PRIVATE]


async def test_a_zone_is_not_linked_while_an_endpoint_gives_no_answer(found: Founding) -> None:
    """The index shows what it wants; what ARM says of it is not known (law 5)."""
    estate = await both_missing(found)
    for status in (403, 404):
        fault = {"service": "arm", "method": "GET", "path": "privateEndpoints/pe-st2$", "times": 9, "status": status}
        body = {"error": {"code": "AuthorizationFailed", "message": "because of a test"}}
        await estate.azure.sim("POST", "faults", {**fault, "body": body})
        report = await made(estate)
        assert [warning.name for warning in report.plan.warnings] == [NAMES[1]]
        assert await links(estate) == {}
        await estate.azure.sim("DELETE", "faults")
    assert (await made(estate)).status is Status.DONE


async def test_a_record_of_ours_with_another_address_is_put_right_before_the_link(found: Founding) -> None:
    estate = await both_missing(found)
    await fail(estate, 403, "LinkedAuthorizationFailed", "virtualNetworkLinks/")
    await made(estate)
    record = await estate.record("st1", QUEUE_ZONE)
    assert record is not None
    record["properties"]["aRecords"] = [{"ipv4Address": "10.9.9.9"}]
    await estate.azure.arm("PUT", record["id"], {"properties": record["properties"]})
    report = await made(estate)
    assert report.status is Status.DONE
    assert await estate.addresses("st1", QUEUE_ZONE) == ["10.1.0.4"]
    assert await links(estate) == {NETWORK: "NxDomainRedirect"}


async def test_a_record_that_a_person_wrote_answers_and_does_not_hold_up_the_link(found: Founding) -> None:
    estate = await both_missing(found)
    await fail(estate, 403, "LinkedAuthorizationFailed", "virtualNetworkLinks/")
    await made(estate)
    await estate.write_by_hand("st1", QUEUE_ZONE)
    assert (await made(estate)).status is Status.DONE
    assert await estate.addresses("st1", QUEUE_ZONE) == ["10.9.9.9"]
    assert await links(estate) == {NETWORK: "NxDomainRedirect"}


async def failed(report: Report) -> str:
    """The one error of a run, all of which is told."""
    [outcome] = [outcome for outcome in report.outcomes if outcome.result is Result.FAILED]
    assert report.status in (Status.FAILED, Status.PARTIAL)
    assert report.look_again
    return outcome.error


@pytest.mark.parametrize(
    ("status", "code", "path", "what"),
    [
        (403, "AuthorizationFailed", f"{QUEUE_ZONE}$", "needed is Microsoft.Network/privateDnsZones/write"),
        (403, "LinkedAuthorizationFailed", "virtualNetworkLinks/", "virtualNetworks/join/action on the network"),
        (409, "ScopeLocked", f"{QUEUE_ZONE}$", "take the lock away"),
        (409, "ScopeLocked", "virtualNetworkLinks/", "take the lock away"),
        (409, "Conflict", f"{QUEUE_ZONE}$", "Azure answered 409 Conflict"),
        (503, "ServiceUnavailable", "virtualNetworkLinks/", "Azure answered 503"),
    ],
)
async def test_what_azure_refuses_is_an_outcome_that_says_what_to_do(
    found: Founding, status: int, code: str, path: str, what: str
) -> None:
    """Law 12."""
    estate = await both_missing(found)
    await fail(estate, status, code, path, times=9)
    assert what in await failed(await made(estate))
    assert await links(estate) == {}
    await estate.azure.sim("DELETE", "faults")
    assert (await made(estate)).status is Status.DONE
    assert await links(estate) == {NETWORK: "NxDomainRedirect"}


@pytest.mark.every_right  # until it takes them away itself
async def test_with_roles_that_only_write_records_the_missing_right_is_named(found: Founding) -> None:
    """Behaviour reference section 6.1: 403 for the zone, and 403 for a network that may not be joined."""
    estate = await both_missing(found)
    for subscription in (HUB, SPOKE):
        await assign(estate.azure, f"/subscriptions/{subscription}", READER, IDENTITY)
    await estate.azure.sim("POST", "settings", {"rbac": True})
    assert "privateDnsZones/write in the resource group" in await failed(await made(estate))
    await assign(estate.azure, GROUP, DNS_CONTRIBUTOR, IDENTITY)
    assert "virtualNetworks/join/action on the network" in await failed(await made(estate))
    await assign(estate.azure, NETWORK, DNS_CONTRIBUTOR, IDENTITY)
    assert (await made(estate)).status is Status.DONE
    await estate.azure.sim("POST", "settings", {"rbac": False})
    assert await links(estate) == {NETWORK: "NxDomainRedirect"}


async def test_a_network_that_sees_another_zone_of_that_name_is_told(found: Founding) -> None:
    """Azure, BadRequest: one network, one zone of a name (MicrosoftDocs/azure-aks-docs#212)."""
    estate = await both_missing(found, hubs=[hub(networks=[NETWORK, f"{NETWORK}2"])])
    await estate.azure.link(await estate.azure.zone(QUEUE_ZONE, group="rg-elsewhere"), NETWORK)
    assert "add its group to hubs[].zones" in await failed(await made(estate))
    assert await links(estate) == {f"{NETWORK}2": "NxDomainRedirect"}, "one network's trouble is its own"


async def test_a_link_of_our_name_that_leads_elsewhere_is_told(found: Founding) -> None:
    estate = await both_missing(found)
    await fail(estate, 403, "LinkedAuthorizationFailed", "virtualNetworkLinks/")
    report = await made(estate)
    ours = report.plan.zones[-1].key
    await estate.azure.arm("PUT", str(ours), link_to(f"{NETWORK}9"))
    await estate.azure.settle()
    assert "if it leads to another network, delete it" in await failed(await made(estate))
    assert list(await links(estate)) == [f"{NETWORK}9"]


async def test_a_link_that_somebody_makes_meanwhile_is_taken_as_it_is(found: Founding) -> None:
    estate = await both_missing(found)
    await fail(estate, 403, "LinkedAuthorizationFailed", "virtualNetworkLinks/")
    ours = str((await made(estate)).plan.zones[-1].key)

    async def link() -> None:
        await estate.azure.arm("PUT", ours, link_to(NETWORK))
        await estate.azure.settle()

    with before("PUT .*virtualNetworkLinks/", link):
        report = await made(estate)
    assert (report.outcomes, report.status) == ((), Status.DONE)
    assert await links(estate) == {NETWORK: "Default"}, "a link that stands is not changed"


async def test_a_race_for_a_link_whose_outcome_is_not_shown_is_told(found: Founding) -> None:
    estate = await both_missing(found)
    await fail(estate, 403, "LinkedAuthorizationFailed", "virtualNetworkLinks/")
    ours = str((await made(estate)).plan.zones[-1].key)

    async def link() -> None:
        await estate.azure.arm("PUT", ours, link_to(NETWORK))
        await estate.azure.settle()
        fault = {"service": "arm", "method": "GET", "path": "virtualNetworkLinks$", "times": 1, "status": 403}
        await estate.azure.sim("POST", "faults", {**fault, "code": "AuthorizationFailed"})

    with before("PUT .*virtualNetworkLinks/", link):
        assert "403 AuthorizationFailed" in await failed(await made(estate))
    assert (await made(estate)).status is Status.DONE


@pytest.mark.parametrize("times", [1, 2])
async def test_an_answer_that_never_comes_is_tried_again(found: Founding, times: int) -> None:
    """The zone or the link may have been made, or not: the next try looks."""
    estate = await both_missing(found)
    fault = {"service": "arm", "method": "PUT", "path": QUEUE_ZONE, "times": times, "when": "after", "reset": True}
    await estate.azure.sim("POST", "faults", fault)
    await estate.hubwarden.look(THE_ZONE, within=1000)
    await work_off(estate)
    await estate.sweep()
    await work_off(estate)
    assert await links(estate) == {NETWORK: "NxDomainRedirect"}


async def test_an_operation_that_does_not_end_is_left_to_the_next_try_within_the_time_of_a_run(
    found: Founding,
) -> None:
    """No Retry-After: private DNS names none (behaviour reference section 3.2); the run's own patience ends it."""
    estate = await both_missing(found)
    await estate.azure.hold_operations()
    began = estate.time.seconds
    assert "did not end within 120 s" in await failed(await made(estate))
    assert estate.time.seconds - began < 130
    assert "409 Conflict" in await failed(await made(estate)), "it is still being made"
    await estate.azure.end_operations()
    await estate.azure.sim("POST", "settings", {"operationMs": 0})
    assert (await made(estate)).status is Status.DONE
    assert await links(estate) == {NETWORK: "NxDomainRedirect"}


async def test_an_operation_that_fails_in_the_end_is_told_with_its_code(found: Founding) -> None:
    """Behaviour reference section 6.4: the status address answers 200, and says Failed."""
    estate = await both_missing(found)
    await fail(estate, 403, "LinkedAuthorizationFailed", "virtualNetworkLinks/")
    await made(estate)
    await estate.azure.hold_operations()

    async def fail_at_the_end() -> None:
        await estate.azure.sim("DELETE", "resources", id=ZONE_ID)
        await estate.azure.end_operations()

    with before("GET .*privateDnsOperationStatuses", fail_at_the_end):
        assert "Azure began, and failed: ParentResourceNotFound" in await failed(await made(estate))
    assert await zone(estate) is None


async def test_a_hub_whose_zones_are_not_shown_makes_none(found: Founding) -> None:
    estate = await both_missing(found)
    estate.time.seconds += 1
    fault = {"service": "arm", "method": "GET", "path": "privateDnsZones$", "times": 9, "status": 403}
    body = {"error": {"code": "AuthorizationFailed", "message": "because of a test"}}
    await estate.azure.sim("POST", "faults", {**fault, "body": body})
    looked = await estate.hubwarden.look(THE_ZONE, within=1000)
    assert (looked.report, await writes(estate)) == (None, [])
    assert await scopes(estate) == [THE_ZONE]


async def test_what_cannot_be_handed_on_leaves_the_run_unfinished(
    found: Founding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 12: the door that was told nothing was made fails, or tries again."""
    estate = await founded(found)
    missing = await endpoint(estate)

    async def refuse(*_: object, **__: object) -> None:
        raise LedgerUnavailableError("storage is silent")

    monkeypatch.setattr(estate.hubwarden.rooms.work, "send", refuse)
    report = await estate.look(missing)
    assert not report.complete
    assert report.look_again
    assert not (await estate.sweep()).complete


async def test_links_that_are_not_shown_are_looked_at_by_the_next_sweep(found: Founding) -> None:
    estate = await both_missing(found)
    await work_off(estate)
    await estate.hubwarden.look(THE_ZONE, within=1000)
    fault = {"service": "arm", "method": "GET", "path": "virtualNetworkLinks$", "times": 1, "status": 403}
    body = {"error": {"code": "AuthorizationFailed", "message": "because of a test"}}
    await estate.azure.sim("POST", "faults", {**fault, "body": body})
    assert (await estate.sweep()).complete
    assert await scopes(estate) == []
    assert set(await links(estate)) == {NETWORK}


async def test_a_zone_of_ours_that_lost_its_link_is_linked_again(found: Founding) -> None:
    estate = await both_missing(found)
    await estate.hubwarden.look(THE_ZONE, within=1000)
    [link] = (await estate.azure.arm("GET", f"{ZONE_ID}/virtualNetworkLinks")).body["value"]
    await estate.azure.arm("DELETE", link["id"])
    await estate.azure.settle()
    estate.time.seconds += 1000
    await estate.sweep()
    await work_off(estate)
    assert await links(estate) == {NETWORK: "NxDomainRedirect"}


async def test_what_is_not_known_of_one_endpoint_holds_only_itself(found: Founding) -> None:
    """Law 13: whose its target's subscription is, is not shown now."""
    estate = await founded(found)
    for account in ("st1", "st2"):
        await endpoint(estate, account)
    await estate.sweep()
    elsewhere = "00000000-0000-0000-0000-0000000000dd"
    document = (await estate.azure.arm("GET", await endpoint(estate, "st3"))).body
    connection = document["properties"]["privateLinkServiceConnections"][0]["properties"]
    connection["privateLinkServiceId"] = connection["privateLinkServiceId"].replace(SPOKE, elsewhere)
    await estate.azure.put(document)
    fault = {"service": "arm", "method": "GET", "path": f"/subscriptions/{elsewhere}$", "status": 400, "times": 99}
    await estate.azure.sim("POST", "faults", fault)
    assert (await made(estate)).status is Status.DONE
    assert [await estate.addresses(name, QUEUE_ZONE) for name in ("st1", "st3")] == [["10.1.0.4"], None]
    assert await links(estate) == {NETWORK: "NxDomainRedirect"}
