"""`python -m hubwarden zones`: the catalogue without any settings, and a hub's zones with them."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import sys
from pathlib import Path

import pytest

from hubwarden.catalog import catalogue
from simulator.processes import environment
from tests.azure import BLOB_ZONE, HUB
from tests.doors.local_azure import ROOT, Spoke, settings
from tests.doors.rights import OPERATOR
from tests.doors.test_shell import BAD_INPUT, FAILED, OK, Said, shell

COLUMNS = ["type", "group", "zone", "suffix", "notes"]
KUSTO = ["privatelink.eastus.kusto.windows.net", "privatelink.westeurope.kusto.windows.net"]
ROW = {"type": "Contoso.Things/things", "group": "thing", "zone": BLOB_ZONE, "suffix": "things.contoso.com"}
NO_STORAGE = {"AzureWebJobsStorage": "", "HUBWARDEN_CONFIG": "/nowhere/hubwarden.yaml"}


def table(said: Said) -> list[dict[str, str]]:
    """The rows of a CSV."""
    assert (said.code, said.errors) == (OK, "")
    return list(csv.DictReader(io.StringIO(said.out)))


@pytest.mark.parametrize("cloud", ["public", "usgov", "china"])
async def test_the_zones_of_a_cloud_are_listed_without_any_settings(cloud: str) -> None:
    rows = table(await shell("zones", "--cloud", cloud, "--format", "csv", **NO_STORAGE))
    assert list(rows[0]) == COLUMNS
    assert [(row["type"], row["group"], row["zone"], row["suffix"]) for row in rows] == [
        (row.type, row.group, row.zone, row.suffix) for row in catalogue(cloud).rows
    ]


async def test_the_public_clouds_zones_are_listed_unless_one_says_otherwise() -> None:
    as_table, as_json, help_text = await asyncio.gather(
        shell("zones"), shell("zones", "--format", "json"), shell("zones", "--help")
    )
    lines = as_table.out.splitlines()
    assert lines[0].split() == COLUMNS
    assert len(lines) == 1 + len(catalogue("public").rows)
    rows = json.loads(as_json.out)["value"]
    portal = next(row for row in rows if row["group"] == "portal")
    assert (portal["zone"], portal["traits"]) == ("privatelink.adf.azure.com", ["shared", "apex"])
    assert "exists" not in portal
    assert "{public,usgov,china}" in help_text.out


async def test_a_hub_tells_which_of_the_zones_it_has_and_the_owners_rows_stand_over_ours(
    silent: Spoke, tmp_path: Path
) -> None:
    for zone in KUSTO:
        await silent.azure.zone(zone, group="rg-zones", subscription=HUB)
    file = tmp_path / "hubwarden.yaml"
    hubs = [
        {"name": name, "zones": [f"/subscriptions/{HUB}/resourceGroups/{group}"]}
        for name, group in (("weu", "rg-dns"), ("other", "rg-zones"))
    ]
    file.write_text(settings(hubs=hubs, catalog={"rows": [ROW]}))
    variables = {**silent.up.variables, "HUBWARDEN_CONFIG": str(file)}
    weu, other, as_json, as_table = await asyncio.gather(
        shell("zones", "--hub", "weu", "--format", "csv", **variables),
        shell("zones", "--hub", "other", "--cloud", "public", "--format", "csv", **variables),
        shell("zones", "--hub", "other", "--format", "json", **variables),
        shell("zones", "--hub", "other", **variables),
    )
    rows = table(weu)
    assert list(rows[0]) == [*COLUMNS, "exists"]
    assert {row["exists"] for row in rows if row["zone"] == BLOB_ZONE} == {"yes"}
    assert {row["exists"] for row in rows if "kusto" in row["zone"]} == {"no"}
    assert rows[-1] == {**ROW, "notes": "", "exists": "yes"}

    rows = table(other)
    assert {row["zone"]: row["exists"] for row in rows if row["exists"] != "no"} == {
        "privatelink.{regionName}.kusto.windows.net": ";".join(KUSTO)
    }
    found = [row["exists"] for row in json.loads(as_json.out)["value"] if row["exists"]]
    assert found == [KUSTO]
    assert ", ".join(KUSTO) in as_table.out


async def test_a_group_that_is_not_there_is_named_with_what_mends_it(silent: Spoke, tmp_path: Path) -> None:
    group = f"/subscriptions/{HUB}/resourceGroups/rg-nowhere"
    file = tmp_path / "hubwarden.yaml"
    file.write_text(settings(hubs=[{"name": "weu", "zones": [group]}]))
    said = await shell("zones", "--hub", "weu", **{**silent.up.variables, "HUBWARDEN_CONFIG": str(file)})
    assert (said.code, said.out) == (FAILED, "")
    assert f"listing the zones of {group}: Azure answered 404 ResourceGroupNotFound" in said.errors
    assert said.errors.endswith("What to do: make it, or correct weu.zones in hubs.\n")


async def test_a_hub_that_cannot_be_asked_about_is_refused_with_a_reason(silent: Spoke) -> None:
    variables = {**silent.up.variables, "HUBWARDEN_CONFIG": str(silent.up.config)}
    unknown, cloud, none, nowhere = await asyncio.gather(
        shell("zones", "--hub", "neu", **variables),
        shell("zones", "--hub", "weu", "--cloud", "usgov", **variables),
        shell("zones", "--cloud", "germany", **variables),
        shell("zones", "--hub", "weu", **{**variables, "HUBWARDEN_CONFIG": "/nowhere/hubwarden.yaml"}),
    )
    assert [said.code for said in (unknown, cloud, none, nowhere)] == [BAD_INPUT] * 4
    assert [said.out for said in (unknown, cloud, none, nowhere)] == [""] * 4
    assert unknown.errors == "--hub neu: it is not one of the hubs: weu\n"
    assert "the cloud of the settings, which is public" in cloud.errors
    assert "germany" in none.errors
    assert "/nowhere/hubwarden.yaml" in nowhere.errors
    assert await silent.calls(OPERATOR) == []


async def test_a_hub_whose_zones_azure_does_not_list_is_a_failure_that_says_so(silent: Spoke) -> None:
    await silent.fault(method="GET", path="/privateDnsZones$", status=403, code="AuthorizationFailed")
    variables = {**silent.up.variables, "HUBWARDEN_CONFIG": str(silent.up.config)}
    said = await shell("zones", "--hub", "weu", **variables)
    assert (said.code, said.out) == (FAILED, "")
    assert "the zones of hub weu could not be listed" in said.errors


async def test_whoever_has_seen_enough_may_stop_reading() -> None:
    """As `head` does: no traceback, and an exit code that tells of it."""
    reading, writing = os.pipe()
    os.close(reading)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hubwarden", "zones"),
        cwd=ROOT,
        env=environment(NO_STORAGE),
        stdout=writing,
        stderr=asyncio.subprocess.PIPE,
    )
    os.close(writing)
    _, errors = await process.communicate()
    assert (process.returncode, errors) == (FAILED, b"")
