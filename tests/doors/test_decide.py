"""A person decides on a connection: over HTTP one who is signed in and can be named, from a shell whoever is there.

Of the person nothing is kept but the object id: not in a log, a table, a queue, a run or an event.
"""

from __future__ import annotations

import asyncio
import base64
import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from handlers.people import PRINCIPAL
from tests.azure import Answer
from tests.doors.conftest import SignIn
from tests.doors.local_azure import APPROVER, APPROVERS, PERSONAL, Spoke, settings, traces
from tests.doors.rights import ADA, OPERATOR
from tests.doors.test_instances import Instance, instance
from tests.doors.test_shell import BAD_INPUT, FAILED, HELD, OK, shell

__all__ = ["instance"]

OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
SUBJECT = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"
OWN_CLAIMS = [
    {"typ": kind, "val": value} for kind, value in {**PERSONAL, "preferred_username": PERSONAL["upn"]}.items()
]
"""What Entra's token says of a person beside it."""


async def waiting(spoke: Spoke, name: str = "pe1") -> str:
    """A connection that waits; its id."""
    endpoint = await spoke.endpoint(name, manual=True)
    connection = await spoke.azure.connection(endpoint, spoke.account_id)
    return str(connection["id"])


async def shown(spoke: Spoke) -> list[tuple[str, str]]:
    """What the account shows of its connections: status and description."""
    states = [each["properties"]["privateLinkServiceConnectionState"] for each in await spoke.connections()]
    return [(state["status"], state.get("description") or "") for state in states]


async def decide(spoke: Spoke, connection: object, verdict: object = "approve", **more: Any) -> Answer:
    """What the door says."""
    return await spoke.ask("POST", "connections/decide", {"connection": connection, "verdict": verdict, **more})


async def kept(spoke: Spoke) -> str:
    """Everything that the app has said, and has in its tables and queues."""
    rows = [dict(row) for row in await spoke.storage.rows()]
    return spoke.said + json.dumps(rows, default=str) + "".join(await spoke.storage.messages())


async def test_a_person_approves_and_the_record_follows(silent: Spoke, sign_in: SignIn) -> None:
    connection = await waiting(silent)
    await sign_in(roles=["Reader", APPROVER], oid=ADA.upper(), claims=OWN_CLAIMS)
    answer = await decide(silent, connection, reason="ticket 4711")
    assert (answer.status, answer.body["status"]) == (200, "done")
    [decision] = answer.body["decisions"]
    assert (decision["verdict"], decision["rule"], decision["who"]) == ("approve", None, ADA)
    assert (decision["before"], decision["after"]) == ("Pending", "Approved")
    assert await shown(silent) == [("Approved", "ticket 4711")]
    await silent.settle()
    assert await silent.addresses() == ["10.1.0.4"], "the work queue has looked at the endpoint"

    run = await silent.ask("GET", f"runs/{answer.body['run']}")
    assert (run.status, run.body) == (200, answer.body)
    everything = await kept(silent) + json.dumps(answer.body)
    assert ADA in everything
    assert traces(everything) == []


async def test_a_person_rejects_and_nobody_takes_it_back(silent: Spoke, sign_in: SignIn) -> None:
    """A clear refusal says what it shows now, and what helps."""
    connection = await waiting(silent)
    await sign_in(groups=[APPROVERS])
    assert (await decide(silent, connection, "reject")).status == 200
    [(status, description)] = await shown(silent)
    assert (status, description) == ("Rejected", "Rejected by Hubwarden (contoso): decided by a person")
    for verdict in ("approve", "reject"):
        again = await decide(silent, connection, verdict)
        assert (again.status, again.body["type"]) == (409, "urn:hubwarden:conflict")
        assert "delete the endpoint and create it anew" in again.body["detail"]
        assert again.headers["Content-Type"].split(";")[0] == "application/problem+json"
    assert await silent.addresses() is None


async def test_of_two_at_once_one_wins(silent: Spoke, sign_in: SignIn) -> None:
    connection = await waiting(silent)
    await sign_in(roles=[APPROVER])
    answers = await asyncio.gather(*(decide(silent, connection, verdict) for verdict in ("approve", "reject")))
    assert sorted(answer.status for answer in answers) == [200, 409]
    [(status, _)] = await shown(silent)
    [won] = [answer for answer in answers if answer.status == 200]
    assert won.body["decisions"][0]["after"] == status
    await silent.settle()


FORGED = {
    "role_typ": "roles",
    "auth_typ": "aad",
    "claims": [{"typ": "roles", "val": APPROVER}, {"typ": "oid", "val": ADA}],
}
HEADERS = [
    base64.b64encode(json.dumps(FORGED).encode()).decode(),
    "%%% no base64",
    base64.b64encode(b"not JSON").decode(),
    base64.b64encode(b"[" * 3000).decode(),
    base64.b64encode(json.dumps({**FORGED, "note": "x" * 5000}).encode()).decode(),
]
NOBODIES: list[dict[str, Any] | None] = [
    None,
    {"roles": []},
    {"roles": ["Reader"], "groups": ["somebody"]},
    {"roles": [], "groups": [APPROVER], "oid": ADA},
    {"roles": [APPROVER], "oid": None},
    {"roles": [APPROVER], "oid": "ada"},
    {"roles": [APPROVER], "oid": ADA, "claims": [{"typ": "oid", "val": ADA[:-1] + "0"}]},
    {"roles": [APPROVER], "oid": ADA, "claims": [{"typ": OBJECT_ID, "val": ADA[:-1] + "0"}]},
    {"roles": [APPROVER], "oid": None, "claims": [{"typ": OBJECT_ID, "val": [ADA]}]},
    {"roles": [APPROVER], "oid": ADA, "claims": [{"typ": "oid", "val": None}]},
    {"roles": [], "oid": ADA, "claims": [{"typ": "roles", "val": [APPROVER]}]},
    {"roles": [APPROVER], "oid": ADA, "claims": [{"typ": "idtyp", "val": "app"}]},
    {"roles": [APPROVER], "oid": ADA, "claims": [{"typ": SUBJECT, "val": ADA}]},
    {"roles": [APPROVER], "oid": ADA, "groups": [f"0f0e{number:032d}" for number in range(900)]},
]
"""Nobody, without the role, in a group that is called like it, without an object id or with two, arrays, an app, and
more than a header may hold."""


async def test_nobody_else_decides(silent: Spoke, sign_in: SignIn) -> None:
    """Not with a key alone, a header of one's own, or a sign-in that names nobody: 403, and nothing is written."""
    connection = await waiting(silent)
    before = len(await silent.storage.rows())
    answers = [await decide(silent, connection)]
    for header in HEADERS:
        asked = {"connection": connection, "verdict": "approve", "reason": ""}
        answers.append(await silent.ask("POST", "connections/decide", asked, headers={PRINCIPAL: header}))
        answers.append(await silent.ask("POST", "connections/decide", b"no JSON", headers={PRINCIPAL.lower(): header}))
    answers.append(await silent.ask("POST", "connections/decide", {"connection": connection}, key="APP_MASTER_KEY"))
    for nobody in NOBODIES:
        if nobody is None:
            await silent.azure.sim("POST", "settings", {"principal": None})
        else:
            await sign_in(**nobody)
        answers.append(await decide(silent, connection))
    assert {(answer.status, answer.body["type"]) for answer in answers} == {(403, "urn:hubwarden:forbidden")}
    await sign_in(roles=[APPROVER])
    asked = {"connection": connection, "verdict": "approve"}
    assert (await silent.ask("POST", "connections/decide", asked, key="")).status == 401, "the key is needed as well"
    assert [status for status, _ in await shown(silent)] == ["Pending"]
    assert len(await silent.storage.rows()) == before
    assert [call for call in await silent.calls() if connection in call] == []


async def test_where_the_platform_signs_nobody_in_nobody_decides(
    silent: Spoke, sign_in: SignIn, instance: Instance, storage: str
) -> None:
    """Without WEBSITE_AUTH_ENABLED the header may be anybody's; in mode plan nobody answers either."""
    connection = await waiting(silent)
    await sign_in(roles=[APPROVER], oid=ADA)
    async with instance(silent, settings(), storage) as app:
        answer = await decide(app, connection)
        assert (answer.status, answer.body["type"]) == (403, "urn:hubwarden:forbidden")
    async with instance(silent, settings(mode="plan"), storage, WEBSITE_AUTH_ENABLED="True") as app:
        answer = await decide(app, connection)
        assert (answer.status, answer.body["type"]) == (409, "urn:hubwarden:mode-plan")
        assert await app.storage.rows() == []
    assert [status for status, _ in await shown(silent)] == ["Pending"]


async def test_what_is_no_decision_is_a_bad_request(silent: Spoke, sign_in: SignIn) -> None:
    connection = await waiting(silent)
    await sign_in(roles=[APPROVER])
    bodies: list[object] = [
        {},
        {"connection": connection},
        {"verdict": "approve"},
        {"connection": connection, "verdict": "hold"},
        {"connection": connection, "verdict": "Approve"},
        {"connection": connection, "verdict": ["approve"]},
        {"connection": connection, "verdict": "approve", "reason": None},
        {"connection": connection, "verdict": "approve", "reason": "x" * 501},
        {"connection": connection, "verdict": "approve", "who": ADA},
        {"connection": silent.account_id, "verdict": "approve"},
        {"connection": f"{connection}/../x", "verdict": "approve"},
        {"connection": 1, "verdict": "approve"},
        {"connection": connection.replace("storageAccounts", "nothings"), "verdict": "approve"},
        {
            "connection": connection.replace(silent.subscription, "0" * 8 + silent.subscription[8:]),
            "verdict": "approve",
        },
        b"[]",
        b"no JSON",
    ]
    for body in bodies:
        answer = await silent.ask("POST", "connections/decide", body)
        assert (answer.status, answer.body["type"]) == (400, "urn:hubwarden:bad-request"), body
    assert answer.body["detail"] == "the body is a JSON object; allowed in it: connection, verdict, reason, endpoint"
    gone = await decide(silent, f"{connection}0")
    assert (gone.status, gone.body["type"]) == (409, "urn:hubwarden:conflict")
    assert [status for status, _ in await shown(silent)] == ["Pending"]


# From a shell.


@pytest.fixture
def variables(silent: Spoke) -> Mapping[str, str]:
    """What `up` wrote into its file, without the identity that the platform gives, and where the settings are."""
    own = {name: value for name, value in silent.up.variables.items() if not name.startswith("IDENTITY_")}
    return {**own, "HUBWARDEN_CONFIG": str(silent.up.config), "AZURE_TOKEN_CREDENTIALS": "AzureCliCredential"}


async def signed_in(spoke: Spoke, variables: Mapping[str, str], directory: Path, token: str = "") -> Mapping[str, str]:
    """The variables of a shell where `az login` was done: an `az` that prints the person's token."""
    printed = await spoke.azure.sim("POST", "tokens", {"oid": ADA, "name": PERSONAL["upn"]})
    printed = {**printed, "accessToken": token} if token else printed
    az = directory / "az"
    az.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(printed)}\nEND\n")
    az.chmod(0o700)
    return {**variables, "PATH": f"{directory}:/usr/bin:/bin"}


async def test_the_shell_decides_with_the_operators_own_sign_in(
    silent: Spoke, variables: Mapping[str, str], tmp_path: Path
) -> None:
    """Who decided is the object id of the token that ARM is asked with (`az login`); nothing else of the person's."""
    connection = await waiting(silent)
    own = await signed_in(silent, variables, tmp_path)
    done = await shell("approve", connection, "--reason", "ticket 4711", "--format", "json", **own)
    assert done.code == OK, done.errors
    report = json.loads(done.out)
    assert [(each["who"], each["after"]) for each in report["decisions"]] == [(ADA, "Approved")]
    assert await shown(silent) == [("Approved", "ticket 4711")]
    asked = {each["principal"] for each in await silent.azure.requests() if each["path"] == connection}
    assert asked == {ADA}, "with the operator's own rights"

    again = await shell("reject", connection, "--reason", "no", **own)
    assert (again.code, again.out) == (HELD, "")
    assert "waits no longer: it is Approved" in again.errors
    await silent.settle()
    assert await silent.addresses() == ["10.1.0.4"]
    assert traces(await kept(silent) + done.out + done.errors + again.errors) == []


async def test_the_shell_rejects_with_a_reason(silent: Spoke, variables: Mapping[str, str], tmp_path: Path) -> None:
    connection = await waiting(silent)
    own = await signed_in(silent, variables, tmp_path)
    without = await shell("reject", connection, **own)
    assert (without.code, "--reason" in without.errors) == (BAD_INPUT, True)
    done = await shell("reject", connection, "--reason", "not ours", "--format", "csv", **own)
    assert done.code == OK, done.errors
    [row] = csv.DictReader(io.StringIO(done.out))
    assert (row["op"], row["connection"], row["result"]) == ("reject", connection, "done")
    assert row["why"] == f"decided by person {ADA}: not ours"
    assert await shown(silent) == [("Rejected", "not ours")]
    listed = await shell("connections", "--status", "Rejected", "--format", "csv", **own)
    assert [row["status"] for row in csv.DictReader(io.StringIO(listed.out)) if row["connection"] == connection] == [
        "Rejected"
    ]


async def test_the_shell_refuses_whoever_is_no_person(
    silent: Spoke, variables: Mapping[str, str], tmp_path: Path
) -> None:
    """A managed identity, or an app that is signed in to `az`; and an `az` where nobody is."""
    connection = await waiting(silent)
    identity = {name: silent.up.variables[name] for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER")}
    apps = (await silent.azure.credential.get_token("https://management.azure.com/.default")).token
    as_app = await signed_in(silent, variables, tmp_path, token=apps)
    for environment in ({**variables, **identity}, as_app):
        said = await shell("approve", connection, **environment)
        assert (said.code, said.out) == (HELD, "")
        assert "az login" in said.errors
    (tmp_path / "az").write_text("#!/bin/sh\necho 'ERROR: Please run az login' >&2\nexit 1\n")
    nobody = await shell("approve", connection, **as_app)
    assert (nobody.code, "az login" in nobody.errors) == (FAILED, True)
    assert [status for status, _ in await shown(silent)] == ["Pending"]
    assert [call for call in await silent.calls(OPERATOR) if connection in call] == []


async def test_exit_codes_of_what_the_shell_cannot_do(
    silent: Spoke, variables: Mapping[str, str], tmp_path: Path
) -> None:
    connection = await waiting(silent)
    own = await signed_in(silent, variables, tmp_path)
    config = tmp_path / "hubwarden.yaml"
    config.write_text(settings(mode="plan"))
    planned = await shell("approve", connection, **{**own, "HUBWARDEN_CONFIG": str(config)})
    assert (planned.code, "mode: plan" in planned.errors) == (HELD, True)
    for words in ((silent.account_id,), (connection, "--reason", "x" * 501), (f"{connection}/x/y",)):
        assert (await shell("approve", *words, **own)).code == BAD_INPUT
    path = "/privateEndpointConnections/"
    await silent.fault(method="PUT", path=path, status=403, code="LinkedAuthorizationFailed")
    failed = await shell("approve", connection, **own)
    assert (failed.code, "LinkedAuthorizationFailed" in failed.out) == (FAILED, True)
    assert [status for status, _ in await shown(silent)] == ["Pending"]
