"""The shell's door: `python -m hubwarden`, in a process of its own, with what the platform would set."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.doors.local_azure import Spoke, settings
from tests.doors.prepared_shell import run
from tests.doors.rights import OPERATOR

OK, FAILED, BAD_INPUT, HELD = 0, 1, 2, 3
BROKEN = "instance: contoso\nmode: sometimes\nestate: {subscriptions: [contoso]}\nhubs: []\ncolour: blue\n"
FAULTS = ("line 2: mode:", "line 3: estate.subscriptions.0:", "line 4: hubs:", "line 5: colour:")
LATER = yaml.safe_load(settings())
LATER["hubs"][0]["dns"] = {"servers": ["10.0.0.4"]}


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    errors: str


async def shell(*arguments: str, **variables: str) -> Said:
    """Runs a command to its end, as the operator unless the variables say who."""
    code, out, errors = await run(arguments, {"AZURE_CLIENT_ID": OPERATOR, **variables})
    assert b"Traceback" not in errors, errors.decode()
    return Said(code, out.decode(), errors.decode())


@pytest.fixture
def variables(silent: Spoke) -> Mapping[str, str]:
    """What `up` wrote into its file, and where the settings are."""
    return {**silent.up.variables, "HUBWARDEN_CONFIG": str(silent.up.config)}


async def test_what_it_plans_it_does_and_can_explain(silent: Spoke, variables: Mapping[str, str]) -> None:
    endpoint, fqdn = await silent.endpoint(), f"{silent.account}.blob.core.windows.net"
    planned = await shell("reconcile", endpoint, "--plan", "--format", "json", **variables)
    assert planned.code == OK
    report = json.loads(planned.out)
    assert (report["mode"], report["outcomes"]) == ("plan", [])
    assert [change["addresses"] for change in report["plan"]["changes"]] == [["10.1.0.4"]]
    assert await silent.addresses() is None

    done = await shell("reconcile", endpoint, "--format", "csv", **variables)
    assert done.code == OK
    [row] = csv.DictReader(io.StringIO(done.out))
    assert (row["op"], row["name"], row["addresses"], row["result"]) == ("put", silent.account, "10.1.0.4", "done")
    assert await silent.addresses() == ["10.1.0.4"]

    by_name, by_id = await asyncio.gather(
        shell("explain", fqdn, **variables), shell("explain", endpoint, "--format", "json", **variables)
    )
    assert (by_name.code, by_id.code) == (OK, OK)
    assert f"  name: {fqdn} -> 10.1.0.4 (from its nic)" in by_name.out
    assert "10.1.0.4 (hubwarden); served" in by_name.out
    explained = json.loads(by_id.out)
    assert (explained["endpoint"], explained["changes"]) == (endpoint, [])


async def test_past_runs_can_be_listed_and_shown(silent: Spoke, variables: Mapping[str, str]) -> None:
    done = await shell("reconcile", await silent.endpoint(), "--format", "json", **variables)
    report = json.loads(done.out)
    listed, as_csv, as_json, one = await asyncio.gather(
        shell("runs", "--top", "1", **variables),
        shell("runs", "--format", "csv", **variables),
        shell("runs", "--format", "json", **variables),
        shell("runs", report["run"], "--format", "json", **variables),
    )
    assert (listed.code, as_csv.code, as_json.code, one.code) == (OK, OK, OK, OK)
    assert listed.out.splitlines()[1].startswith(report["run"])
    [newest, *_] = csv.DictReader(io.StringIO(as_csv.out))
    assert (newest["run"], newest["mode"], newest["status"]) == (report["run"], "apply", "done")
    assert json.loads(as_json.out)["value"][0]["run"] == report["run"]
    assert json.loads(one.out) == report


async def test_without_an_id_the_whole_estate_is_reconciled(silent: Spoke, variables: Mapping[str, str]) -> None:
    """What waits for a person is held, and the exit code says so."""
    await silent.endpoint()
    waiting = await silent.endpoint("pe-waiting", manual=True)
    swept = await shell("reconcile", "--format", "json", **variables)
    assert swept.code == HELD
    report = json.loads(swept.out)
    assert (report["scope"], report["status"]) == ({"everything": True}, "done")
    assert "not_approved" in [each["reason"] for each in report["plan"]["held"] if each["endpoint"] == waiting]
    assert await silent.addresses() == ["10.1.0.4"]

    listed = await shell("connections", "--format", "csv", **variables)
    assert listed.code == OK
    [row] = [row for row in csv.DictReader(io.StringIO(listed.out)) if row["endpoint"] == waiting]
    assert (row["status"], row["verdict"]) == ("Pending", "hold")


async def test_the_exit_code_tells_what_was_held_from_what_failed(silent: Spoke, variables: Mapping[str, str]) -> None:
    held, failing = await silent.endpoint("pe-held", manual=True), await silent.endpoint("pe-failing")
    await silent.fault(method="PUT", path=f"/A/{silent.account}$", status=403, code="AuthorizationFailed")
    await silent.fault(method="GET", path="privateEndpoints/pe-silence", status=503, code="ServerBusy")
    waits, fails, silence = await asyncio.gather(
        shell("reconcile", held, **variables),
        shell("reconcile", failing, **variables),
        shell("reconcile", silent.endpoint_id("pe-silence"), **variables),
    )
    assert waits.code == HELD
    assert waits.out.startswith("apply: done, 0 unchanged, plan ")
    assert "held: not_approved" in waits.out
    assert fails.code == FAILED
    assert "AuthorizationFailed" in fails.out
    assert (silence.code, silence.out) == (FAILED, "")
    assert "ServerBusy" in silence.errors


async def test_a_run_that_could_not_look_at_everything_is_no_success(
    silent: Spoke, variables: Mapping[str, str]
) -> None:
    await silent.endpoint()
    await silent.fault(method="GET", path="/privateDnsZones$", status=403, code="AuthorizationFailed")
    swept = await shell("reconcile", **variables)
    assert (swept.code, swept.out.partition(",")[0]) == (FAILED, "apply: partial")
    assert "could not be listed" in swept.out


async def test_what_cannot_be_asked_is_refused_with_a_reason(silent: Spoke, variables: Mapping[str, str]) -> None:
    commands = (
        ("reconcile", ""),
        ("reconcile", silent.account_id.partition("/providers")[0]),
        ("runs", "last"),
        ("runs", "20200101T000000000Z-00000000"),
        ("runs", "--top", "0"),
        ("connections", "--status", "pending"),
        ("reconcile", f"{silent.endpoint_id('pe1')}/../pe2"),
        ("explain", "a b.blob.core.windows.net"),
        ("config", "check", "/nowhere/hubwarden.yaml"),
    )
    said = await asyncio.gather(*(shell(*command, **variables) for command in commands))
    assert {" ".join(command): each.code for command, each in zip(commands, said, strict=True)} == {
        " ".join(command): BAD_INPUT for command in commands
    }
    assert [each.out for each in said] == [""] * len(commands)
    assert all(each.errors.strip() for each in said)
    assert await silent.calls(OPERATOR) == []


async def test_what_is_not_among_the_choices_is_refused_in_plain_words() -> None:
    many, word, status = await asyncio.gather(
        shell("runs", "--top", "501"), shell("runs", "--top", "ten"), shell("connections", "--status", "pending")
    )
    assert [many.code, word.code, status.code] == [BAD_INPUT] * 3
    assert "'501' is not a whole number from 1 to 500" in many.errors
    assert "'ten' is not a whole number from 1 to 500" in word.errors
    assert "Pending" in status.errors
    assert "ConnectionStatus" not in status.errors


async def test_settings_are_checked_before_they_are_deployed(tmp_path: Path) -> None:
    """Every fault with its line, at once; what is not in force yet is a warning; no Azure is asked."""
    files = {}
    for name, text in {"good": settings(), "broken": BROKEN, "later": yaml.safe_dump(LATER)}.items():
        files[name] = tmp_path / f"{name}.yaml"
        files[name].write_text(text)
    good, broken, own, later, schema = await asyncio.gather(
        shell("config", "check", str(files["good"])),
        shell("config", "check", str(files["broken"])),
        shell(
            "config",
            "check",
            HUBWARDEN_CONFIG=str(files["broken"]),
            AzureWebJobsStorage="AccountName=x;AccountKey=eA==",
        ),
        shell("config", "check", str(files["later"])),
        shell("config", "schema"),
    )
    assert (good.code, good.out) == (OK, "no faults, no warnings\n")
    for told in (broken, own):
        assert (told.code, told.out) == (BAD_INPUT, "")
        places = [line.partition(".yaml: ")[2] for line in told.errors.splitlines()]
        assert [place[: len(fault)] for place, fault in zip(places, FAULTS, strict=True)] == list(FAULTS)
    assert later.code == OK
    assert "this version does not look at what clients ask" in later.out
    assert schema.code == OK
    assert json.loads(schema.out)["properties"]["instance"]


async def test_without_storage_or_settings_a_run_is_refused_before_it_begins(silent: Spoke) -> None:
    endpoint = silent.endpoint_id("pe1")
    nothing = {"HUBWARDEN_CONFIG": "/nowhere/hubwarden.yaml", "ARM_ENDPOINT": "http://127.0.0.1"}
    said = await shell("reconcile", endpoint, **nothing)
    assert (said.code, said.out) == (BAD_INPUT, "")
    assert [line.partition(":")[0] for line in said.errors.splitlines()] == [
        "ARM_ENDPOINT",
        "AzureWebJobsStorage",
        "/nowhere/hubwarden.yaml",
    ]
