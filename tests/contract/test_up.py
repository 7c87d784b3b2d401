"""`python -m simulator up`: one command starts a whole local Azure with an app in it, and one signal ends it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import urllib.request
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import dns.asyncquery
import dns.message
import pytest
from azure.storage.queue.aio import QueueClient

from tests.contract.function_apps import make
from tests.contract.running_up import APP, HOME, SLOW, Running, alive, below, endpoint, refuses, write_app

KEYS = [
    *("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "ARM_ENDPOINT", "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "SIM_URL"),
    *("AzureWebJobsStorage", "SIM_DNS", "APP_URL", "APP_KEY", "APP_SYSTEM_KEY", "APP_MASTER_KEY"),
]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One `up` for this module, with an app."""
    room = tmp_path_factory.mktemp("up")
    world = room / "world.json"
    world.write_text(json.dumps({"subscriptions": [{"id": HOME}]}))
    options = ("--app", str(write_app(room / "app")), "--world", str(world))
    told = {"HUBWARDEN_COLOUR": "blue", "WEBSITE_AUTH_ENABLED": "true"}
    running = Running(room / "up.env", *options, echo=None, SECRET_OF_PARENT="none", **told)
    try:
        url = f"{running.wait()['SIM_URL']}/_sim/snapshot"
        with urllib.request.urlopen(url, context=running.trust()) as answer:  # noqa: S310 - https on loopback
            running.first = json.load(answer)
        yield running
    finally:
        assert running.process.stop(60) == 0


@pytest.fixture
async def up(started: Running) -> AsyncIterator[Running]:
    """That `up`, with an empty world."""
    await started.open()
    try:
        await started.sim("POST", "snapshot", {})
        await started.sim("DELETE", "requests")
        yield started
        await started.sim("POST", "settle", {})
        await started.done()
    finally:
        await started.session.close()


def test_the_file_has_all_that_a_client_needs_and_is_for_its_owner_only(started: Running) -> None:
    """these names, KEY=value, nothing to unquote but for the shell."""
    assert list(started.variables) == KEYS
    assert all(value and not re.search(r"[\s'\"]", value) for value in started.variables.values())
    assert started.file.stat().st_mode & 0o077 == 0
    assert [each.name for each in started.file.parent.glob("up.env*")] == ["up.env"]


async def test_the_app_sees_the_platforms_settings_and_its_own_and_no_others(up: Running) -> None:
    """Section 7.1 of the behaviour reference: the identity endpoint; nothing leaks from whoever runs `up`."""
    url = f"{up.variables['APP_URL']}/api/environment?code={up.variables['APP_KEY']}"
    status, seen = await up.ask("GET", url)
    assert status == 200
    for name in ("ARM_ENDPOINT", "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "SSL_CERT_FILE", "AzureWebJobsStorage"):
        assert seen[name] == up.variables[name]
    assert (seen["HUBWARDEN_COLOUR"], seen["FUNCTIONS_WORKER_RUNTIME"]) == ("blue", "python")
    assert seen["WEBSITE_AUTH_ENABLED"] == "true"
    assert not {"SECRET_OF_PARENT", "APP_KEY", "APP_SYSTEM_KEY", "APP_MASTER_KEY", "SIM_URL"} & set(seen)


async def test_a_change_reaches_the_app_and_settle_waits_for_the_end_of_it(up: Running) -> None:
    """settle waits for events, visible messages and invocations, wherever the work is just now."""
    await up.sim("POST", "subscriptions", {"id": HOME})
    for number in range(5):
        await up.happens(endpoint(name=f"pe{number}"))
        await up.sim("POST", "settle", {"timeout": 20})
        assert await up.done() == [endpoint(name=f"pe{number}").lower()]


async def test_a_subscription_that_comes_later_gets_its_event_subscription(up: Running) -> None:
    """Section 1.1: one system topic for each subscription, with the filter of an estate's event subscription."""
    other = str(uuid.uuid4())
    for subscription in (HOME, other):
        await up.sim("POST", "subscriptions", {"id": subscription})
        await up.happens(endpoint(subscription))
    await up.happens(f"/subscriptions/{HOME}/resourceGroups/rg/providers/Microsoft.Network/networkInterfaces/nic")
    await up.sim("POST", "settle", {})
    assert sorted(await up.done()) == sorted([endpoint(HOME).lower(), endpoint(other).lower()])
    found = [each for each in (await up.sim("GET", "snapshot"))["resources"] if "eventSubscriptions" in each["id"]]
    assert [each["name"] for each in found] == ["events", "events"]
    wanted = ["/privateEndpoints/", "/privateEndpointConnections/", "/moveResources/", "/resourceGroups/delete"]
    for each in found:
        filters = each["properties"]["filter"]["advancedFilters"]
        assert filters == [{"operatorType": "StringContains", "key": "data.operationName", "values": wanted}]


async def test_an_event_subscription_of_ones_own_can_name_a_queue_or_a_function(up: Running) -> None:
    """Sections 1.6 and 8.3: the queue lies in AzureWebJobsStorage, the function is one of the app's."""
    topics = f"/subscriptions/{HOME}/resourceGroups/rg/providers/Microsoft.EventGrid/systemTopics/own"
    site = f"/subscriptions/{HOME}/resourceGroups/rg/providers/Microsoft.Web/sites/app/functions/events"
    account = f"/subscriptions/{HOME}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/st"
    destinations = {"AzureFunction": {"resourceId": site}, "StorageQueue": {"resourceId": account, "queueName": "seen"}}
    resources = [{"id": topics, "location": "global", "properties": {"source": f"/subscriptions/{HOME}"}}]
    for kind, properties in destinations.items():
        told = {"destination": {"endpointType": kind, "properties": properties}}
        told["filter"] = {"includedEventTypes": ["Microsoft.Resources.ResourceDeleteSuccess"]}
        resources.append({"id": f"{topics}/eventSubscriptions/{kind}", "properties": told})
    await up.sim("POST", "subscriptions", {"id": HOME})
    await up.sim("POST", "resources", {"resources": [*resources, {"id": endpoint()}], "emit": False})
    async with QueueClient.from_connection_string(up.variables["AzureWebJobsStorage"], "seen") as queue:
        await make(queue)  # Event Grid makes none, and tries again after five minutes
    await up.sim("DELETE", f"resources?id={endpoint()}")
    await up.sim("POST", "settle", {})
    by_function, by_queue = sorted(await up.done(), key=len)
    assert by_function == endpoint().lower()
    assert json.loads(by_queue)["subject"] == endpoint().lower()


async def test_dead_and_lost_events_can_be_looked_at(up: Running) -> None:
    """Sections 1.6 and 1.10: GET /_sim/events lists them, DELETE empties the lists."""
    await up.sim("POST", "subscriptions", {"id": HOME})
    await up.sim("POST", "settings", {"eventLoss": 2})
    await up.sim("POST", "faults", {"service": "eventgrid", "status": 400})
    for name in ("pe1", "pe2"):
        await up.happens(endpoint(name=name))
    await up.sim("POST", "settle", {})
    found = await up.sim("GET", "events")
    assert [each["subject"].lower() for each in found["deadLetters"]] == [endpoint(name="pe1").lower()]
    assert [each["subject"].lower() for each in found["lost"]] == [endpoint(name="pe2").lower()]
    await up.sim("DELETE", "events")
    assert await up.sim("GET", "events") == {"deadLetters": [], "lost": []}


async def test_settle_tells_what_is_left(up: Running) -> None:
    """408 with what is."""
    await up.sim("POST", "subscriptions", {"id": HOME})
    await up.sim("POST", "settings", {"eventDelayMs": 200})
    await up.happens(endpoint())
    status, answer = await up.ask("POST", f"{up.variables['SIM_URL']}/_sim/settle", {"timeout": 0})
    assert status == 408
    assert any("for events, attempt 0" in line for line in answer["left"])


async def test_a_message_nobody_takes_keeps_it_from_settling(up: Running) -> None:
    """A visible work item is work; one that is due later is not."""
    await up.sim("POST", "hosts/0", {"do": "kill"})
    async with QueueClient.from_connection_string(up.variables["AzureWebJobsStorage"], "seen") as queue:
        await up.sim("POST", "settle", {})
        await make(queue)
        await queue.send_message("bGF0ZXI=", visibility_timeout=3600)
        await up.sim("POST", "settle", {})
        await queue.send_message("bm93")
        status, _ = await up.ask("POST", f"{up.variables['SIM_URL']}/_sim/settle", {"timeout": 0})
        await up.sim("POST", "hosts/0", {"do": "start"})
        assert status == 408
        await up.sim("POST", "settle", {})
        assert await up.done() == ["now"]
        await queue.clear_messages()


async def test_an_instance_can_be_lost_and_come_back(up: Running) -> None:
    """POST /_sim/hosts/{n}; the event that found nobody is delivered when somebody is there."""
    assert await up.sim("POST", "hosts/0", {"do": "kill"}) == {"name": "host-0", "running": False}
    assert await refuses(up.variables["APP_URL"])
    for _ in range(2):
        assert await up.sim("POST", "hosts/0", {"do": "start"}) == {"name": "host-0", "running": True}
    assert not await refuses(up.variables["APP_URL"])


@pytest.mark.parametrize(
    ("service", "when", "host", "made"),
    [("arm", "before", 0, False), ("arm", "after", True, True), ("identity", "before", 0, False)],
)
async def test_an_instance_can_be_lost_in_the_middle_of_a_request(
    up: Running, service: str, when: str, host: int, made: bool
) -> None:
    """Section 10, point 11: the host dies just when it asks; its write is done or not, and it never hears which."""
    await up.sim("POST", "subscriptions", {"id": HOME})
    fault = {"service": service, "when": when, "killHost": host}
    await up.sim("POST", "faults", fault)

    with pytest.raises(aiohttp.ClientError):
        await up.ask("GET", f"{up.variables['APP_URL']}/api/group?code={up.variables['APP_KEY']}&in={HOME}")

    assert (await up.sim("GET", "requests"))[-1]["status"] is None
    assert await up.sim("DELETE", "faults") == {"unspent": []}
    resources = (await up.sim("GET", "snapshot"))["resources"]
    assert (f"/subscriptions/{HOME}/resourceGroups/made" in [each["id"] for each in resources]) is made
    assert await refuses(up.variables["APP_URL"])
    assert await up.sim("POST", "hosts/0", {"do": "start"}) == {"name": "host-0", "running": True}


async def test_only_a_host_that_is_there_can_be_killed(up: Running) -> None:
    """A fault that would strike nobody is a mistake of the test."""
    status, answer = await up.ask("POST", f"{up.variables['SIM_URL']}/_sim/faults", {"service": "arm", "killHost": 1})
    assert (status, answer["error"]) == (400, "killHost cannot be 1: there are 1 hosts, counted from 0.")


@pytest.mark.parametrize(("call", "body", "status"), [("hosts/7", {"do": "kill"}, 404), ("hosts/0", {"do": "x"}, 400)])
async def test_a_call_to_no_instance_is_refused(up: Running, call: str, body: object, status: int) -> None:
    """With what is allowed."""
    found, answer = await up.ask("POST", f"{up.variables['SIM_URL']}/_sim/{call}", body)
    assert (found, "error" in answer) == (status, True)


async def test_names_are_answered_from_the_same_world(up: Running) -> None:
    """SIM_DNS is a resolver of that world."""
    target = f"/subscriptions/{HOME}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/st1"
    member = {"groupId": "blob", "memberName": "blob", "fqdns": ["st1.blob.core.windows.net"], "zone": "x"}
    await up.sim("POST", "targets", {"id": target, "members": [{**member, "publicAddress": "20.1.1.1"}]})
    host, _, port = up.variables["SIM_DNS"].partition(":")
    query = dns.message.make_query("st1.blob.core.windows.net", "A")
    answer = await dns.asyncquery.udp(query, host, port=int(port), timeout=30)
    assert answer.answer[0].to_text().endswith("A 20.1.1.1")


async def test_sigterm_ends_everything_and_leaves_no_process(tmp_path: Path) -> None:
    """exit 0; two instances share the queue, one has the timers (section 8.4); without subscriptions none is told."""
    world = tmp_path / "world.json"
    world.write_text(json.dumps({"subscriptions": [{"id": HOME}]}))
    options = ("--hosts", "2", "--no-subscribe", "--world", str(world), "--timers")
    running = Running(tmp_path / "f.env", "--app", str(write_app(tmp_path / "app")), *options)
    variables = running.wait()
    await running.open()
    await running.happens(endpoint())
    await running.sim("POST", "settle", {})
    assert await running.sim("GET", "requests") == []
    assert await running.done("ticks") == ["tick"]
    status = f"{variables['APP_URL']}/admin/host/status?code={variables['APP_MASTER_KEY']}"
    assert (await running.ask("GET", status))[1]["id"] == "host-0"
    assert await running.sim("POST", "hosts/1", {"do": "start"}) == {"name": "host-1", "running": True}
    await running.session.close()
    processes = below(running.process.pid)
    assert len(processes) in (0, 3)
    assert running.process.stop(60) == 0
    assert not alive(processes)
    queue = re.search(r"QueueEndpoint=([^;]+)", variables["AzureWebJobsStorage"])
    assert queue is not None
    for address in (variables["APP_URL"], variables["SIM_URL"], queue[1]):
        assert await refuses(address)
    assert not os.path.exists(variables["SSL_CERT_FILE"])  # noqa: ASYNC240


def test_a_world_can_be_given_and_its_webhooks_agree_before_it_is_ready(started: Running) -> None:
    """Section 1.9: the handshake is part of making an event subscription."""
    made = [each for each in started.first["resources"] if each["type"].endswith("/eventSubscriptions")]
    assert [each["name"] for each in made] == ["events"]
    assert made[0]["id"].startswith(f"/subscriptions/{HOME}/")


def test_without_an_app_there_are_only_the_services(tmp_path: Path) -> None:
    """--no-app, for those who bring their own process."""
    running = Running(tmp_path / "f.env", "--no-app")
    variables = running.wait()
    assert list(variables) == KEYS
    assert variables["APP_URL"] == ""
    assert running.process.stop(60) == 0


FAILURES = {
    "app": (["--app", "APP"], "host-0 ended with 1 before it was ready"),
    "world": (["--no-app", "--world", "WORLD"], "A snapshot has no 'version'"),
    "port": (["--no-app", "--port", "PORT"], "address already in use"),
}


@pytest.mark.parametrize(("options", "reason"), FAILURES.values(), ids=FAILURES)
async def test_what_does_not_start_is_said_and_leaves_no_file(tmp_path: Path, options: list[str], reason: str) -> None:
    """Whoever waits for the file must not find one, not even that of an earlier run."""
    app = write_app(tmp_path / "app", "import nowhere_to_be_found")
    file = tmp_path / "f.env"
    file.write_text("APP_URL=http://127.0.0.1:1\n")
    said: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as taken:
        places = {"APP": str(app), "PORT": str(taken.getsockname()[1]), "WORLD": str(app / "host.json")}
        running = Running(file, *(places.get(option, option) for option in options), echo=said.append)
        assert await asyncio.to_thread(running.process.wait) == 1
    assert reason in "".join(said)
    assert "simulator: " in "".join(said)
    assert not file.exists()


async def test_sigterm_while_it_starts_is_no_failure(tmp_path: Path) -> None:
    """It ends with 0 and leaves no process, however far it had come."""
    importing = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hear(line: str) -> None:
        if "importing" in line:
            loop.call_soon_threadsafe(importing.set)

    running = Running(tmp_path / "f.env", "--app", str(write_app(tmp_path / "app", SLOW + APP)), echo=hear)
    await importing.wait()
    processes = below(running.process.pid)
    assert await asyncio.to_thread(running.process.stop) == 0
    assert not alive(processes)
    assert not running.file.exists()
