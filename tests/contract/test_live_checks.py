"""The checks for Azure itself can tell the ways apart, leave nothing behind, and write down what they saw."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, STDOUT
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from simulator.authority import Authority
from simulator.settings import Settings
from tests.azure import Azure
from tests.contract.live.checks import CHECKS
from tests.contract.live.estate import CONNECTIONS, DNS, AzureEstate, Place, place_from, prepared
from tests.contract.live.sightings import Seen, Sightings
from tests.contract.live.simulated import RUN, simulated
from tests.house.sources import ROOT

# What the Makefile's target runs.
_ARGUMENTS = "-m pytest -v -p no:randomly tests/contract/live --on-azure"
# What else must be set for a switch to show.
_BESIDE = {"graphRetryAfter": {"quotas": True}}
SWITCHED = {name: check for name, check in CHECKS.items() if check.switch}
WAYS = [(name, way) for name, check in SWITCHED.items() for way, value in check.ways.items() if value is not None]


@pytest.mark.parametrize(("name", "way"), WAYS)
async def test_a_check_sees_which_way_the_switch_is(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, name: str, way: str
) -> None:
    check = CHECKS[name]
    settings = {check.switch: check.ways[way], **_BESIDE.get(check.switch, {})}
    async with simulated(authority, monkeypatch, settings) as place, prepared(place) as estate:
        assert (await check.observe(estate)).way == way


@pytest.mark.parametrize("name", SWITCHED)
def test_what_is_believed_is_the_switchs_default(name: str) -> None:
    check = CHECKS[name]
    assert check.ways[check.believed] == Settings().document()[check.switch]
    assert len({value for value in check.ways.values() if value is not None}) > 1


@pytest.mark.parametrize("name", CHECKS)
def test_what_is_believed_is_one_of_the_ways(name: str) -> None:
    check = CHECKS[name]
    assert not check.ways or check.believed in check.ways


def test_connections_are_asked_for_as_the_product_does() -> None:
    providers = (ROOT / "hubwarden" / "arm" / "providers.csv").read_text(encoding="utf-8")
    assert f"\nMicrosoft.Storage/storageAccounts,{CONNECTIONS},PUT," in providers


async def test_what_neither_way_covers_fails(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    check = CHECKS["missing_record"]
    gone = {"code": "Gone", "message": "no more"}
    async with simulated(authority, monkeypatch) as place, prepared(place) as estate, Azure(place.arm) as azure:
        await azure.sim(
            "POST", "faults", {"service": "arm", "path": "/A/missing", "times": 1, "status": 404, "body": gone}
        )
        with pytest.raises(AssertionError, match="Gone"):
            await check.observe(estate)
        again = {"service": "arm", "method": "DELETE", "path": "/A/missing", "times": 1, "status": 418, "body": gone}
        await azure.sim("POST", "faults", again)
        with pytest.raises(AssertionError, match="418"):
            await CHECKS["delete_of_missing_record"].observe(estate)


async def test_nothing_is_left_also_when_a_check_fails(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(place: Place) -> None:
        async with prepared(place) as estate:
            await estate.request_endpoint("more", manual=True)
            await estate.record("more")
            raise RuntimeError("in the middle")

    async with simulated(authority, monkeypatch) as place, Azure(place.arm) as azure:
        before = await azure.world()
        with pytest.raises(RuntimeError, match="in the middle"):
            await fails(place)
        assert (await azure.world())["resources"] == before["resources"]


async def test_a_zone_that_was_there_stays_and_nothing_is_made(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with simulated(authority, monkeypatch) as place, Azure(place.arm) as azure:
        await azure.zone(group=place.group, subscription=place.subscription)
        before = await azure.world()
        with pytest.raises(AssertionError, match="was there before"):
            async with prepared(place):
                pass
        assert (await azure.world())["resources"] == before["resources"]
        assert not [each for each in await azure.requests() if each["method"] in ("PUT", "DELETE")]


async def test_what_would_not_go_is_named(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    async with simulated(authority, monkeypatch) as place, Azure(place.arm) as azure:
        await azure.zone(group=place.group, subscription=place.subscription)
        async with AzureEstate(replace(place, patience=0)) as estate:
            stays, goes = await estate.record("stays"), await estate.record("goes")
            await azure.sim("POST", "faults", {"service": "arm", "method": "DELETE", "path": "/stays", "status": 403})
            with pytest.raises(AssertionError, match=r"delete them by hand: [^ ]*/A/stays"):
                await estate.clear()
            assert [(await azure.arm("GET", each)).status for each in (stays, goes)] == [200, 404]


def test_the_page_has_a_row_for_each_sighting() -> None:
    check = CHECKS["missing_record"]
    page = Sightings("westeurope", date(2030, 1, 2), [(check, Seen("bare", "NotFound: a | b\n c"))]).page()
    assert page.endswith(
        "| the body of the 404 of a missing record set | `recordNotFoundWrapped` | bare | bare "
        f"| NotFound: a \\| b c | 2030-01-02 | {DNS} |\n"
    )
    assert "westeurope" in page


async def test_a_run_on_azure(authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The whole of `make contract-live`, with the simulator in Azure's place."""
    page = tmp_path / "seen.md"
    async with simulated(authority, monkeypatch) as place, Azure(place.arm) as azure:
        before = await azure.world()
        monkeypatch.setenv("HUBWARDEN_LIVE_RESOURCE_GROUP", place.group_id)
        told = [*_ARGUMENTS.split(), "--run", RUN, "--pause", "0", "--seen", str(page), "-p", "no:cacheprovider"]
        run = await asyncio.create_subprocess_exec(sys.executable, *told, cwd=ROOT, stdout=PIPE, stderr=STDOUT)
        output, _ = await run.communicate()
        assert run.returncode == 0, output.decode()
        assert (await azure.world())["resources"] == before["resources"]
    written = page.read_text(encoding="utf-8")
    assert all(f"| {check.rule} |" in written for check in CHECKS.values())
    assert place.subscription not in written


async def test_without_a_resource_group_make_says_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUBWARDEN_LIVE_RESOURCE_GROUP", raising=False)
    asked = await asyncio.create_subprocess_exec("make", "contract-live", cwd=ROOT, stdout=PIPE, stderr=STDOUT)
    output, _ = await asked.communicate()
    assert asked.returncode == 2
    assert b"HUBWARDEN_LIVE_RESOURCE_GROUP must be" in output
    assert f"\t$(BIN)/python {_ARGUMENTS}\n" in (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.mark.parametrize("named", ["", "rg", "/subscriptions/x/resourceGroups/y/providers/z"])
async def test_what_is_no_resource_group_is_refused(named: str) -> None:
    with pytest.raises(ValueError, match="id of a resource group"):
        await place_from({"GROUP": named}, "GROUP", RUN, 0)
