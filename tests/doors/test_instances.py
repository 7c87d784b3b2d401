"""Instances of the app with settings of their own: faulty ones, mode plan, no storage, no identity.

Each is a functions host beside the shared one, over the same simulated Azure, with a storage account of its own.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest

from simulator.host_process import HostProcess
from simulator.up import PLATFORM
from tests.doors.local_azure import APPROVER, PERSONAL, Spoke, Storage, settings
from tests.doors.rights import of_an_app
from tests.doors.test_sweep import due

NOBODY = (
    "DefaultEndpointsProtocol=http;AccountName=test;AccountKey=dGVzdA==;"
    "QueueEndpoint=http://127.0.0.1:9/test;TableEndpoint=http://127.0.0.1:9/test;"
)
BROKEN = """
instance: contoso
mode: sometimes
estate: {subscriptions: [contoso]}
hubs: []
colour: blue
"""
FAULTS = ("line 3: mode:", "line 4: estate.subscriptions.0:", "line 5: hubs:", "line 6: colour:")


class Instance(Protocol):
    """Runs an app with these settings, and more variables, for a spoke, until the end of the block."""

    def __call__(self, spoke: Spoke, text: str, storage: str, **more: str) -> AbstractAsyncContextManager[Spoke]: ...


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    """One more instance of the app; it ends in good order."""

    @asynccontextmanager
    async def started(spoke: Spoke, text: str, storage: str, **more: str) -> AsyncIterator[Spoke]:
        config = tmp_path / "hubwarden.yaml"
        config.write_text(text)
        variables = {
            **{name: spoke.up.variables[name] for name in PLATFORM},
            **{name: spoke.up.variables[name] for name in ("APP_KEY", "APP_SYSTEM_KEY", "APP_MASTER_KEY")},
            "AzureWebJobsStorage": storage,
            "AZURE_CLIENT_ID": tmp_path.name,
            "HUBWARDEN_CONFIG": str(config),
            **more,
        }
        await spoke.azure.put(*of_an_app(tmp_path.name))
        lines: list[str] = []
        simulator = spoke.up.variables["SIM_URL"]
        host = HostProcess("one-more", spoke.up.app, variables, simulator=simulator, echo=lines.append)
        try:
            url = host.start()
            yield replace(spoke, url=url, storage=Storage(storage), lines=lines, said_before=0, principal=tmp_path.name)
        finally:
            assert host.stop() == 0

    return started


async def status(app: Spoke) -> dict[str, list[str]]:
    """What an instance says of itself."""
    headers = {"x-functions-key": app.up.variables["APP_MASTER_KEY"]}
    async with app.azure.session.get(f"{app.url}/admin/host/status", headers=headers) as answer:
        found: dict[str, list[str]] = await answer.json()
        return found


async def test_with_faulty_settings_it_starts_says_so_and_does_nothing(
    silent: Spoke, instance: Instance, storage: str
) -> None:
    """Every trigger fails with the reason, the log has the faults once, the messages are kept."""
    endpoint = await silent.endpoint()
    item = json.dumps({"version": 1, "scope": {"endpoint": endpoint}, "attempt": 1, "due": 0})
    async with instance(silent, BROKEN, storage) as app:
        health = await app.ask("GET", "health", key="")
        assert (health.status, health.body) == (503, {"ready": False})
        assert await app.happened(endpoint) == 500
        assert await app.happened(endpoint) == 500
        for answer in (
            await app.ask("POST", "reconcile", {"endpoint": endpoint}),
            await app.ask("POST", "reconcile", {}),
            await app.ask("GET", "explain", query={"endpoint": endpoint}),
            await app.ask("GET", "runs"),
            await app.ask("GET", "connections"),
        ):
            assert (answer.status, answer.body["type"]) == (503, "urn:hubwarden:config")
            assert answer.body["detail"] == "faults in the settings: 4; GET /api/status lists them"
        standing = await app.ask("GET", "status")
        assert (standing.status, standing.body["ready"], len(standing.body["faults"])) == (200, False, 4)
        for fault, told in zip(FAULTS, standing.body["faults"], strict=True):
            assert fault in told
        await app.storage.send(item)

        async def is_kept() -> bool:
            return await app.storage.poison() == [item]

        await app.until(is_kept)
        errors = (await status(app))["errors"]
        assert any(error.startswith("function 'warmup' failed: ConfigError") for error in errors)
        assert any(error.startswith("function 'work' failed") and "ConfigError" in error for error in errors)
        assert await app.calls() == []
        assert await app.storage.rows() == []
        for fault in FAULTS:
            await app.hears(fault)
        assert app.said.count("ERROR hubwarden.runtime: config:") == 1


async def test_in_mode_plan_it_looks_and_writes_nothing(silent: Spoke, instance: Instance, storage: str) -> None:
    endpoint = await silent.endpoint()
    async with instance(silent, settings(mode="plan"), storage) as app:
        assert await app.happened(endpoint) == 202
        for body in ({"endpoint": endpoint}, {"endpoint": endpoint, "apply": True}):
            answer = await app.ask("POST", "reconcile", body)
            assert (answer.status, answer.body["mode"], answer.body["outcomes"]) == (200, "plan", [])
            assert [change["addresses"] for change in answer.body["plan"]["changes"]] == [["10.1.0.4"]]
        runs = (await app.ask("GET", "runs")).body["value"]
        assert [run["mode"] for run in runs] == ["plan"] * 3
        assert (await app.ask("GET", "status")).body["mode"] == "plan"
        assert f"GET {endpoint}" in await app.calls()
        assert {call.split()[0] for call in await app.calls()} == {"GET"}
        assert await app.addresses() is None
        assert {row["PartitionKey"] for row in await app.storage.rows()} == {"runs"}, "no claim"
        assert await app.storage.count() == 0


@pytest.fixture
async def approver(silent: Spoke) -> AsyncIterator[None]:
    """Somebody is signed in who may decide."""
    await silent.azure.sim("POST", "settings", {"principal": {"name": PERSONAL["name"], "roles": [APPROVER]}})
    yield
    await silent.azure.sim("POST", "settings", {"principal": None})


@pytest.mark.usefixtures("approver")
async def test_where_the_platform_signs_nobody_in_nobody_is_believed(
    silent: Spoke, instance: Instance, storage: str
) -> None:
    """The header is there, and right; but without the platform's authentication anybody could have written it."""
    endpoint = await silent.endpoint()
    async with instance(silent, settings(), storage) as app:
        planned = await app.ask("POST", "reconcile", {"endpoint": endpoint, "apply": False})
        asked = {"endpoint": endpoint, "plan": planned.body["plan"]["hash"]}
        for answer in (await app.ask("POST", "reconcile", asked), await app.ask("POST", "adopt", {})):
            assert (answer.status, answer.body["type"]) == (403, "urn:hubwarden:forbidden")
        assert await app.addresses() is None


@pytest.mark.usefixtures("approver")
async def test_in_mode_plan_a_person_is_told_that_nothing_is_applied(
    silent: Spoke, instance: Instance, storage: str
) -> None:
    endpoint = await silent.endpoint()
    async with instance(silent, settings(mode="plan"), storage, WEBSITE_AUTH_ENABLED="True") as app:
        planned = await app.ask("POST", "reconcile", {"endpoint": endpoint})
        word = await app.ask("POST", "rename", {})
        for answer in (
            await app.ask("POST", "reconcile", {"endpoint": endpoint, "plan": planned.body["plan"]["hash"]}),
            await app.ask("POST", "rename", {"plan": word.body["plan"]["hash"]}),
        ):
            assert (answer.status, answer.body["type"]) == (409, "urn:hubwarden:mode-plan")
        assert await app.addresses() is None


async def test_with_storage_down_an_event_comes_again_and_nothing_is_written(silent: Spoke, instance: Instance) -> None:
    """Nothing is acknowledged that could not be noted: Event Grid keeps the event."""
    endpoint = await silent.endpoint()
    async with instance(silent, settings(), NOBODY) as app:
        assert (await app.ask("GET", "health", key="")).body == {"ready": True}
        assert await app.happened(endpoint) == 500
        answer = await app.ask("POST", "reconcile", {"endpoint": endpoint})
        assert (answer.status, answer.body["type"]) == (503, "urn:hubwarden:unavailable")
        assert "Azure Storage does not answer" in answer.body["detail"]
        assert {call.split()[0] for call in await app.calls()} <= {"GET"}
        assert await app.addresses() is None


async def test_without_a_token_the_work_is_handed_on_and_done_later(
    silent: Spoke, instance: Instance, storage: str
) -> None:
    """An instance that has just begun, while the identity endpoint gives none."""
    endpoint = await silent.endpoint()
    async with instance(silent, settings(), storage) as app:
        assert (await status(app))["errors"] == [], "warmed up, which needs no token"
        await app.fault(service="identity", status=400)
        assert await app.happened(endpoint) == 202
        assert await app.storage.follow_up(endpoint) is not None
        assert await app.addresses() is None
        await app.no_faults()

        async def is_done() -> bool:
            return await app.addresses() == ["10.1.0.4"]

        await app.until(is_done)


async def test_with_a_topic_it_tells_what_it_did_and_a_topic_that_is_down_stops_nothing(
    silent: Spoke, instance: Instance, storage: str
) -> None:
    """The design, section 3, point 6: what the topic did not take is sent by the minute's timer."""
    topic = f"{silent.up.variables['SIM_URL']}/topics/doors/api/events"
    endpoint = await silent.endpoint()
    async with instance(silent, settings(events={"topic": topic}), storage) as app:
        await app.fault(service="topic", status=503)
        assert await app.happened(endpoint) == 202
        assert await app.addresses() == ["10.1.0.4"]
        await app.hears("publish: what was done is announced later")
        await app.no_faults()
        await due(app, "pending")

        async def is_told() -> bool:
            received = await app.azure.sim("GET", "topics")
            told = [each["event"]["type"] for each in received if each["principal"] == app.principal]
            # Other tests' connections may wait in the estate; the timer tells of them as well.
            return [each for each in told if "Record" in each] == ["Hubwarden.Record.Registered"]

        await app.until(is_told)
