"""Who is signed in at the app is said by the platform, never by the caller; here a setting says it to the platform."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from simulator.host_process import HostProcess
from tests.azure import Azure
from tests.contract.function_apps import RunningApp, settings, write_app

ADA = {"name": "ada@contoso.example", "roles": ["Approver", "Reader"], "groups": ["0f0e"]}
OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
FORGED = {"X_MS_CLIENT_PRINCIPAL": "e30=", "x_ms_client_principal_NAME": "eve", "X_MS_CLIENT_PRINCIPAL_ID": "1"}


@pytest.fixture
async def app(azure: Azure, storage: str, tmp_path: Path) -> AsyncIterator[RunningApp]:
    """The sample app in a host that knows its simulator."""
    variables = settings(storage, SSL_CERT_FILE=os.environ["SSL_CERT_FILE"])
    host = HostProcess("host-0", write_app(tmp_path / "app"), variables, simulator=azure.url)
    host.start()
    async with RunningApp(host, storage) as running:
        yield running
    assert host.stop() == 0


async def seen(app: RunningApp) -> dict[str, str]:
    """What an HTTP function is told of the principal, whatever the caller claims."""
    _, text, _ = await app.ask("GET", "/api/zones/z/records/1", None, x_functions_key="the-app-key", **FORGED)
    return {name: value for name, value in json.loads(text)["headers"].items() if "principal" in name}


async def test_the_principal_is_the_settings(azure: Azure, app: RunningApp) -> None:
    """Design of App Service's authentication: headers of the caller never get through, those of the platform do."""
    assert await seen(app) == {}

    await azure.sim("POST", "settings", {"principal": ADA})
    told = await seen(app)
    claims = json.loads(base64.b64decode(told["x-ms-client-principal"]))
    await azure.sim("POST", "settings", {"principal": {"name": "ben"}})
    other = await seen(app)
    await azure.sim("POST", "settings", {"principal": None})

    assert set(told) == {f"x-ms-client-principal{part}" for part in ("", "-id", "-idp", "-name")}
    assert (told["x-ms-client-principal-name"], told["x-ms-client-principal-idp"]) == (ADA["name"], "aad")
    assert (claims["auth_typ"], claims["name_typ"], claims["role_typ"]) == ("aad", "name", "roles")
    assert [(claim["typ"], claim["val"]) for claim in claims["claims"]] == [
        ("name", ADA["name"]),
        (OBJECT_ID, told["x-ms-client-principal-id"]),
        ("roles", "Approver"),
        ("roles", "Reader"),
        ("groups", "0f0e"),
    ]
    assert other["x-ms-client-principal-name"] == "ben"
    assert other["x-ms-client-principal-id"] != told["x-ms-client-principal-id"]
    assert await seen(app) == {}


async def test_the_object_id_and_other_claims_are_the_settings_too(azure: Azure, app: RunningApp) -> None:
    """Microsoft, "Work with user identities": some names of claims are mapped, others come as the token has them."""
    oid = "0b1d0000-0000-4000-8000-000000000001"
    more = {"typ": "oid", "val": ["x"]}
    await azure.sim("POST", "settings", {"principal": {"name": "ada", "oid": oid, "claims": [more]}})
    told = await seen(app)
    await azure.sim("POST", "settings", {"principal": {"name": "ada", "oid": None}})
    without = await seen(app)
    assert told["x-ms-client-principal-id"] == oid
    assert json.loads(base64.b64decode(told["x-ms-client-principal"]))["claims"] == [
        {"typ": "name", "val": "ada"},
        {"typ": OBJECT_ID, "val": oid},
        more,
    ]
    assert json.loads(base64.b64decode(without["x-ms-client-principal"]))["claims"] == [{"typ": "name", "val": "ada"}]


async def test_who_is_signed_in_lasts_over_a_restart(azure: Azure, app: RunningApp) -> None:
    """An instance that comes back is told again."""
    await azure.sim("POST", "settings", {"principal": ADA})
    app.host.kill()
    app.host.start()
    assert (await seen(app))["x-ms-client-principal-name"] == ADA["name"]


@pytest.mark.parametrize(
    "principal",
    [
        "ada",
        {},
        {"name": 1},
        {"name": "a", "roles": "Reader"},
        {"name": "a", "groups": [1]},
        {"id": "a"},
        {"name": "a", "oid": 1},
        {"name": "a", "claims": ["oid"]},
    ],
)
async def test_what_is_no_principal_is_refused(azure: Azure, principal: Any) -> None:
    """With what is allowed."""
    answer = await azure.ask("POST", "/_sim/settings", {"principal": principal})
    assert answer.status == 400
    assert (
        'it is an object with "name", and perhaps "oid" and lists of "roles", "groups" and "claims", or null'
        in answer.body["error"]
    )
