"""A person's word through the doors: over HTTP for a person who is signed in, from a shell for whoever has one."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from handlers.people import PRINCIPAL
from tests.azure import HUB
from tests.doors.conftest import SignIn
from tests.doors.local_azure import APPROVER, SPOKES, Spoke, settings, traces
from tests.doors.test_shell import BAD_INPUT, FAILED, HELD, OK, shell
from tests.estate import record_id

VERBS = ("adopt", "replace", "release", "rename")


async def by_hand(spoke: Spoke, address: str, **metadata: str) -> str:
    """Somebody makes the spoke's record by hand; its public name."""
    body = {"properties": {"ttl": 3600, "aRecords": [{"ipv4Address": address}], "metadata": metadata}}
    assert (await spoke.azure.arm("PUT", record_id(spoke.account), body)).status in (200, 201)
    return f"{spoke.account}.blob.core.windows.net"


async def mark(spoke: Spoke) -> Mapping[str, Any]:
    """The metadata of the spoke's record."""
    record = (await spoke.azure.arm("GET", record_id(spoke.account))).body
    found: Mapping[str, Any] = record["properties"].get("metadata") or {}
    return found


@pytest.fixture
def variables(silent: Spoke) -> Mapping[str, str]:
    """What `up` wrote into its file, and where the settings are."""
    return {**silent.up.variables, "HUBWARDEN_CONFIG": str(silent.up.config)}


@pytest.mark.parametrize(("verb", "address"), [("adopt", "10.1.0.4"), ("replace", "10.9.9.9")])
async def test_a_person_sees_the_plan_and_applies_it_by_its_hash(
    silent: Spoke, sign_in: SignIn, verb: str, address: str
) -> None:
    endpoint = await silent.endpoint()
    name = await by_hand(silent, address)
    await sign_in(roles=[APPROVER])
    planned = await silent.ask("POST", verb, {"names": [name]})
    assert planned.status == 200
    assert (planned.body["mode"], planned.body["outcomes"]) == ("plan", [])
    assert planned.body["scope"] == {"word": {"verb": verb, "names": [name], "zone": None, "hub": None}}
    assert await silent.addresses() == [address]
    plan = planned.body["plan"]["hash"]

    other = await silent.ask("POST", verb, {"names": [name], "plan": "0" * 16})
    assert (other.status, other.body["type"]) == (409, "urn:hubwarden:plan-changed")
    assert plan in other.body["detail"]
    assert await silent.addresses() == [address]

    done = await silent.ask("POST", verb, {"names": [name], "hub": "weu", "plan": plan})
    assert (done.status, done.body["status"], done.body["plan"]["hash"]) == (200, "done", plan)
    assert await silent.addresses() == ["10.1.0.4"]
    assert (await mark(silent))["hubwarden_endpoint"] == endpoint
    run = await silent.ask("GET", f"runs/{done.body['run']}")
    assert (run.status, run.body) == (200, done.body)
    stored = json.dumps([dict(row) for row in await silent.storage.rows()], default=str)
    assert traces(silent.said + stored) == []


async def test_nobody_else_may_not_even_see_the_plan(silent: Spoke, sign_in: SignIn) -> None:
    """Not with a key alone, not with other roles, and not with a header of one's own: the platform takes it out."""
    await silent.endpoint()
    asked = {"names": [await by_hand(silent, "10.1.0.4")]}
    claims = [{"typ": "roles", "val": APPROVER}]
    forged = base64.b64encode(json.dumps({"role_typ": "roles", "claims": claims}).encode()).decode()
    for verb in VERBS:
        answers = [
            await silent.ask("POST", verb, asked),
            await silent.ask("POST", verb, asked, headers={PRINCIPAL: forged}),
            await silent.ask("POST", verb, asked, key="APP_MASTER_KEY"),
            await silent.ask("POST", verb, b"not even JSON"),
        ]
        await sign_in(roles=["Reader"], groups=["somebody"])
        answers.append(await silent.ask("POST", verb, {**asked, "plan": "0" * 16}))
        await silent.azure.sim("POST", "settings", {"principal": None})
        assert [(each.status, each.body["type"]) for each in answers] == [(403, "urn:hubwarden:forbidden")] * 5
        await sign_in(roles=[APPROVER])
        assert (await silent.ask("POST", verb, asked, key="")).status == 401, "a person needs the key as well"
        await silent.azure.sim("POST", "settings", {"principal": None})
    assert "hubwarden" not in await mark(silent)


async def test_what_is_no_word_is_a_bad_request(silent: Spoke, sign_in: SignIn) -> None:
    await sign_in(roles=[APPROVER])
    bodies: list[tuple[str, object]] = [
        ("replace", {}),
        ("rename", {"names": ["st1.blob.core.windows.net"]}),
        ("adopt", {"names": "st1.blob.core.windows.net"}),
        ("adopt", {"names": ["a b"]}),
        ("adopt", {"zone": "a b"}),
        ("adopt", {"hub": "nowhere"}),
        ("adopt", {"plan": "short"}),
        ("adopt", {"plan": None}),
        ("adopt", {"verb": "replace"}),
        ("adopt", b"[]"),
    ]
    for verb, body in bodies:
        answer = await silent.ask("POST", verb, body)
        assert (answer.status, answer.body["type"]) == (400, "urn:hubwarden:bad-request"), body


async def test_without_a_former_name_there_is_nothing_to_rename(silent: Spoke, sign_in: SignIn) -> None:
    await sign_in(roles=[APPROVER])
    answer = await silent.ask("POST", "rename", {})
    assert (answer.status, answer.body["plan"]["changes"], answer.body["plan"]["held"]) == (200, [], [])
    done = await silent.ask("POST", "rename", {"plan": answer.body["plan"]["hash"]})
    assert (done.status, done.body["outcomes"]) == (200, [])


async def test_the_shell_shows_the_plan_and_how_to_apply_it(silent: Spoke, variables: Mapping[str, str]) -> None:
    endpoint = await silent.endpoint()
    name = await by_hand(silent, "10.1.0.4")
    shown = await shell("adopt", name, "--hub", "weu", **variables)
    assert shown.code == OK
    assert "a person adopts it: it was unmarked" in shown.out
    last = shown.out.splitlines()[-1]
    assert last.startswith("nothing is written yet; to apply this very plan: python -m hubwarden adopt")
    assert "hubwarden" not in await mark(silent)
    command = last.partition(": ")[2].split()[3:]

    stale = await shell(*command[:-1], "0" * 16, **variables)
    assert (stale.code, stale.out) == (HELD, "")
    assert f"is {command[-1]} now, not {'0' * 16}" in stale.errors

    done = await shell(*command, "--format", "csv", **variables)
    assert done.code == OK
    [row] = csv.DictReader(io.StringIO(done.out))
    assert (row["op"], row["name"], row["addresses"], row["result"]) == ("put", silent.account, "10.1.0.4", "done")
    assert (await mark(silent))["hubwarden_endpoint"] == endpoint

    again = await shell("adopt", name, "--format", "json", **variables)
    assert again.code == OK
    plan = json.loads(again.out)["plan"]
    assert (plan["changes"], plan["held"], plan["unchanged"]) == ([], [], 1)
    assert (await shell("adopt", name, **variables)).out.splitlines()[-1] == "there is nothing to adopt"
    listed = await shell("runs", "--top", "500", "--format", "csv", **variables)
    modes = [row["mode"] for row in csv.DictReader(io.StringIO(listed.out)) if name in row["scope"]]
    assert modes == ["apply"]


async def test_a_named_record_that_is_refused_is_told_with_its_reason(
    silent: Spoke, variables: Mapping[str, str]
) -> None:
    """And does not hold up the others."""
    await silent.endpoint()
    name = await by_hand(silent, "10.1.0.4")
    said = await shell("adopt", name, f"not-{name}", "--format", "json", **variables)
    assert said.code == HELD
    plan = json.loads(said.out)["plan"]
    assert [change["name"] for change in plan["changes"]] == [silent.account]
    assert [(each["reason"], each["name"]) for each in plan["held"]] == [("not_applicable", f"not-{name}")]


async def test_the_shell_releases_what_left_the_estate(
    silent: Spoke, variables: Mapping[str, str], tmp_path: Path
) -> None:
    assert (await shell("reconcile", await silent.endpoint(), **variables)).code == OK
    assert await silent.addresses() == ["10.1.0.4"]
    others = [spoke for spoke in SPOKES if spoke != silent.subscription]
    config = tmp_path / "hubwarden.yaml"
    config.write_text(settings(estate={"subscriptions": [HUB, *others]}))
    without = {**variables, "HUBWARDEN_CONFIG": str(config)}
    name = f"{silent.account}.privatelink.blob.core.windows.net"
    shown = await shell("release", name, "--format", "json", **without)
    assert shown.code == OK
    plan = json.loads(shown.out)["plan"]["hash"]
    done = await shell("release", name, "--apply", plan, **without)
    assert done.code == OK
    assert "drop" in done.out
    assert "to apply this very plan" not in done.out
    assert await silent.addresses() is None


async def test_exit_codes_of_what_cannot_be_done(silent: Spoke, variables: Mapping[str, str], tmp_path: Path) -> None:
    await silent.endpoint()
    name = await by_hand(silent, "10.9.9.9")
    config = tmp_path / "hubwarden.yaml"
    config.write_text(settings(mode="plan"))
    only_plans = {**variables, "HUBWARDEN_CONFIG": str(config)}
    planned = await shell("replace", name, "--format", "json", **only_plans)
    assert planned.code == OK
    plan = json.loads(planned.out)["plan"]["hash"]
    refused = await shell("replace", name, "--apply", plan, **only_plans)
    assert refused.code == HELD
    assert "mode: plan" in refused.errors
    await silent.fault(method="PUT", path=f"/A/{silent.account}$", status=403, code="AuthorizationFailed")
    failed = await shell("replace", name, "--apply", plan, **variables)
    assert failed.code == FAILED
    assert "AuthorizationFailed" in failed.out
    for words in (["replace"], ["adopt", "a b"], ["rename", name], ["release", "--hub", "nowhere"]):
        assert (await shell(*words, **variables)).code == BAD_INPUT
