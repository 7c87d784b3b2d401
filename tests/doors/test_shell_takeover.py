"""`takeover` at the shell: the plan, the hash, the work, what it prints; over the app that runs beside it."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from functools import partial

import pytest

from simulator.processes import environment
from tests.doors.local_azure import ROOT, Spoke, settings
from tests.doors.rights import MOVER
from tests.doors.test_shell import BAD_INPUT, FAILED, HELD, OK, shell
from tests.estate import record_id


@pytest.fixture
async def variables(silent: Spoke) -> AsyncIterator[Mapping[str, str]]:
    """What `up` wrote into its file, for a person's own process; the looks that it sent the app go in the end."""
    yield {**silent.up.variables, "AZURE_CLIENT_ID": MOVER, "HUBWARDEN_CONFIG": str(silent.up.config)}
    if await silent.storage.count():
        await silent.storage.clear()


async def grouped(spoke: Spoke, name: str = "pe1") -> str:
    """An endpoint of the spoke with a zone group, of which nobody told the app; its id."""
    endpoint = await spoke.endpoint(name)
    zone = record_id(spoke.account).partition("/A/")[0]
    body = {"properties": {"privateDnsZoneConfigs": [{"name": "c", "properties": {"privateDnsZoneId": zone}}]}}
    answer = await spoke.azure.arm("PUT", f"{endpoint}/privateDnsZoneGroups/default", body)
    assert answer.status == 201
    await spoke.azure.settle()
    return endpoint


async def test_the_plan_that_is_shown_is_done_by_its_hash(silent: Spoke, variables: Mapping[str, str]) -> None:
    endpoint = await grouped(silent)
    shown = await shell("takeover", endpoint, **variables)
    assert shown.code == OK
    assert "1 to take over, 0 refused" in shown.out
    assert "Terraform" in shown.out
    command = shown.out.splitlines()[-1].partition(": ")[2].split()
    assert command[:4] == ["python", "-m", "hubwarden", "takeover"]

    stale = await shell("takeover", endpoint, "--apply", "0" * 16, **variables)
    assert (stale.code, stale.out) == (HELD, "")
    assert f"the plan is {command[-1]} now" in stale.errors

    done = await shell(*command[3:], **variables)
    assert done.code == OK, done.errors
    assert "taken over: 1" in done.out
    assert f"({silent.account}.privatelink.blob.core.windows.net)" in done.out
    record = (await silent.azure.arm("GET", record_id(silent.account))).body["properties"]
    assert record["metadata"]["hubwarden_endpoint"] == endpoint

    again = await shell("takeover", endpoint, **variables)
    assert again.code == HELD
    assert "no_group" in again.out
    told = await shell("runs", "--top", "500", "--format", "csv", **variables)
    modes = {row["mode"] for row in csv.DictReader(io.StringIO(told.out)) if row["scope"] == endpoint}
    assert modes == {"takeover"}


async def test_it_speaks_json_and_csv(silent: Spoke, variables: Mapping[str, str]) -> None:
    endpoint = await grouped(silent)
    as_json = await shell("takeover", endpoint, "--format", "json", **variables)
    plan = json.loads(as_json.out)["plan"]
    [takeover] = plan["takeovers"]
    assert [change["name"] for change in takeover["changes"]] == [silent.account]
    done = await shell("takeover", endpoint, "--apply", plan["hash"], "--format", "csv", **variables)
    assert done.code == OK
    [row] = csv.DictReader(io.StringIO(done.out))
    assert (row["endpoint"], row["group"], row["name"]) == (endpoint, "default", silent.account)
    assert (row["addresses"], row["result"], row["error"]) == ("10.1.0.4", "done", "")
    assert float(row["gap"]) > 0


async def test_a_failure_says_how_to_get_back(silent: Spoke, variables: Mapping[str, str]) -> None:
    endpoint = await grouped(silent)
    shown = json.loads((await shell("takeover", endpoint, "--format", "json", **variables)).out)
    await silent.fault(method="PUT", path=f"/A/{silent.account}$", skip=1, status=403, code="AuthorizationFailed")
    failed = await shell("takeover", endpoint, "--apply", shown["plan"]["hash"], **variables)
    assert failed.code == FAILED
    assert "AuthorizationFailed" in failed.out
    assert "az network private-endpoint dns-zone-group create" in failed.out
    assert "--endpoint-name pe1" in failed.out
    assert "taken over before that: 0; not begun: 0" in failed.out


async def test_whoever_interrupts_it_is_told_where_to_look(silent: Spoke, variables: Mapping[str, str]) -> None:
    """Its run does not stay under way for ever."""
    endpoint = await grouped(silent)
    shown = json.loads((await shell("takeover", endpoint, "--format", "json", **variables)).out)
    await silent.fault(method="PUT", path=f"/A/{silent.account}$", delayMs=600_000, status=503)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hubwarden", "takeover", endpoint, "--apply", shown["plan"]["hash"]),
        cwd=ROOT,
        env=environment(variables),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        # Whoever started the tests in the background has its children ignore the signal.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )

    async def states() -> list[str]:
        """Asked of the app: a shell would take longer to start than the write takes to give up."""
        told = await silent.ask("GET", "runs?top=100")
        return [run["status"] for run in told.body["value"] if run["scope"].get("endpoint") == endpoint]

    async with asyncio.timeout(60):
        while await states() != ["running"]:
            assert process.returncode is None
    process.send_signal(signal.SIGINT)
    out, errors = await process.communicate()
    assert (process.returncode, out) == (FAILED, b"")
    assert b"interrupted" in errors
    assert b"Traceback" not in errors
    assert await states() == ["failed"]


async def test_what_is_refused_has_an_exit_code_of_its_own(silent: Spoke, variables: Mapping[str, str]) -> None:
    endpoint = await grouped(silent)
    lock = f"{endpoint}/providers/Microsoft.Authorization/locks/keep"
    await silent.azure.put({"id": lock, "properties": {"level": "CanNotDelete"}})
    refused = await shell("takeover", endpoint, **variables)
    assert refused.code == HELD
    assert f"refused: {endpoint}: locked: the lock {lock}" in refused.out
    nothing = await shell("takeover", "nowhere", **variables)
    assert (nothing.code, nothing.out) == (BAD_INPUT, "")


async def test_in_mode_plan_it_only_plans(silent: Spoke, variables: Mapping[str, str]) -> None:
    endpoint, file = await grouped(silent), silent.up.config.with_name("planning.yaml")
    file.write_text(settings(mode="plan"))
    planning = {**variables, "HUBWARDEN_CONFIG": str(file)}
    shown = json.loads((await shell("takeover", endpoint, "--format", "json", **planning)).out)
    refused = await shell("takeover", endpoint, "--apply", shown["plan"]["hash"], **planning)
    assert (refused.code, refused.out) == (HELD, "")
    assert "mode: plan" in refused.errors
