"""The local Functions host does around an app what Azure Functions does around it."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue.aio import QueueClient

from simulator.azurite import Azurite
from simulator.host import ncrontab
from simulator.host.routes import Routes
from simulator.host.settings import read
from simulator.host.worker import AppError, Function
from simulator.host_process import HostProcess
from simulator.processes import ProcessError
from tests.contract.function_apps import RunningApp, event, settings, write_app

pytest_plugins = ("tests.storage",)


@pytest.fixture(scope="module")
def host(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HostProcess, str]]:
    """The sample app, started once for this module."""
    storage = azurite.connection_string("account998")
    host = HostProcess("host-7", write_app(tmp_path_factory.mktemp("app")), settings(storage))
    host.start()
    yield host, storage
    assert host.stop() == 0


@pytest.fixture
async def app(host: tuple[HostProcess, str]) -> AsyncIterator[RunningApp]:
    """That app, at rest and with empty queues."""
    running = RunningApp(*host)
    await running.rest()
    for name in ("heard", "done", "work-poison", "listed", "ticked"):
        await messages(running.storage, name)
    yield running
    await running.close()


async def messages(storage: str, name: str) -> list[str]:
    """The decoded messages of a queue, taken out of it; none if there is no such queue."""
    async with QueueClient.from_connection_string(storage, name) as queue:
        try:
            taken = [message async for message in queue.receive_messages(messages_per_page=32)]
        except ResourceNotFoundError:
            return []
        for message in taken:
            await queue.delete_message(message)
        return [base64.b64decode(message.content).decode() for message in taken]


async def put(storage: str, name: str, *contents: str) -> None:
    """Messages as somebody else writes them; the queue is made if it is missing."""
    async with QueueClient.from_connection_string(storage, name) as queue:
        try:
            await queue.get_queue_properties()
        except ResourceNotFoundError:
            await queue.create_queue()
        for content in contents:
            await queue.send_message(content)


def encoded(text: str) -> str:
    """As the queues extension writes it."""
    return base64.b64encode(text.encode()).decode()


def start(azurite: Azurite, directory: Path, **more: str) -> HostProcess:
    """A host for the app in that directory, which may not start."""
    host = HostProcess("host-0", directory, settings(azurite.connection_string("account997"), **more))
    host.start()
    return host


async def test_a_route_is_found_without_case_and_gives_its_parameters(app: RunningApp) -> None:
    """Behaviour reference section 8.4: /api/<route>, and what the worker is given of a request (host reference 3.3)."""
    path = "/API/zones/Privatelink%20X/RECORDS/12/?code=the-app-key&a=1"
    status, text, headers = await app.ask("POST", path, b"hello", X_Mine="yes")
    told = json.loads(text)
    assert (status, headers["X-Told"], headers["Content-Type"]) == (203, "all", "application/json")
    assert told["route"] == {"zone": "Privatelink X", "name": "12"}
    assert (told["query"]["a"], told["body"], told["method"]) == ("1", "hello", "POST")
    assert told["headers"]["x-mine"] == "yes"
    assert told["url"].startswith(app.host.url)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/zones/z/records/twelve"),
        ("DELETE", "/api/zones/z/records/12"),
        ("GET", "/api/nowhere"),
        ("GET", "/zones/z/records/12"),
    ],
    ids=["constraint", "method", "path", "prefix"],
)
async def test_what_no_route_covers_is_404(app: RunningApp, method: str, path: str) -> None:
    """Section 8.4; the platform has no 405."""
    assert (await app.ask(method, f"{path}?code=the-app-key"))[0] == 404


async def test_the_most_literal_route_wins_and_the_rest_of_a_path_can_be_taken(app: RunningApp) -> None:
    """ASP.NET's order of routes; a returned text is an answer of 200."""
    assert (await app.ask("GET", "/api/files/first"))[:2] == (200, "the first")
    assert (await app.ask("GET", "/api/files/a/b"))[:2] == (200, "a/b")
    assert sorted(await messages(app.storage, "listed")) == ["one", "two"]


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("/api/zones/z/records/1", "the-app-key", 203),
        ("/api/zones/z/records/1", "the-master-key", 203),
        ("/api/zones/z/records/1", "the-system-key", 401),
        ("/api/zones/z/records/1", "", 401),
        ("/api/secret", "the-master-key", 200),
        ("/api/secret", "the-app-key", 401),
        ("/admin/host/status", "the-master-key", 200),
        ("/admin/host/status", "the-app-key", 401),
    ],
)
async def test_keys_open_what_their_level_allows(app: RunningApp, path: str, key: str, status: int) -> None:
    """Section 8.4: a function key opens FUNCTION, only the master key opens ADMIN; `code` or `x-functions-key`."""
    assert (await app.ask("GET", f"{path}?code={key}"))[0] == status
    assert (await app.ask("GET", path, x_functions_key=key))[0] == status


async def test_the_app_does_not_see_the_keys(app: RunningApp) -> None:
    """The keys are the host's; an app of Azure does not find them in its environment."""
    assert (await app.ask("GET", "/api/secret", x_functions_key="the-master-key"))[1] == "no key here"


async def test_nobody_can_name_himself_principal(app: RunningApp) -> None:
    """The platform's front end takes x-ms-client-principal headers out of what comes from outside."""
    names = {"X_MS_CLIENT_PRINCIPAL": "e30=", "X_MS_CLIENT_PRINCIPAL_NAME": "eve", "x_functions_key": "the-app-key"}
    _, text, _ = await app.ask("GET", "/api/zones/z/records/1", None, **names)
    assert not [name for name in json.loads(text)["headers"] if "principal" in name]


async def test_an_exception_in_an_http_function_is_500(app: RunningApp) -> None:
    """Section 8.4; the body does not tell what happened."""
    assert (await app.ask("GET", "/api/broken"))[:2] == (500, "")


async def test_event_grid_gets_202_when_all_events_are_taken(app: RunningApp) -> None:
    """Section 8.3: one invocation for each event of the array, 202 if all succeed; the date keeps its 7 digits."""
    assert await app.notify(event("/a"), event("/b")) == (202, "")
    heard = [json.loads(text) for text in await messages(app.storage, "heard")]
    assert sorted(each["subject"] for each in heard) == ["/a", "/b"]
    assert heard[0]["data"] == {"status": "Succeeded"}


async def test_event_grid_gets_500_with_the_reason_when_one_event_fails(app: RunningApp) -> None:
    """Section 8.3: one failure fails the delivery, and what succeeded is delivered again."""
    assert await app.notify(event("/a"), event("/bad")) == (500, "ValueError: no such thing as /bad")
    assert len(await messages(app.storage, "heard")) == 1


async def test_a_trace_is_followed(app: RunningApp) -> None:
    """The worker is given the caller's trace with a span of its own (W3C trace context); else a new trace."""
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    await app.notify(event("/a"), traceparent=f"00-{trace}-00f067aa0ba902b7-01")
    await app.notify(event("/b"), traceparent="nonsense")
    first, second = (json.loads(text)["trace"] for text in await messages(app.storage, "heard"))
    assert first.startswith(f"00-{trace}-")
    assert "00f067aa0ba902b7" not in first
    assert trace not in second


@pytest.mark.parametrize("body", ["array", "object"])
async def test_the_handshake_is_answered_with_the_code(app: RunningApp, body: str) -> None:
    """Section 1.9: 200 with the code; from a CloudEvents subscription `data` is JSON within JSON."""
    path = "/runtime/webhooks/eventgrid?functionName=EVENTS&code=the-system-key"
    data = {"validationCode": "512d38b6"}
    asked: Any = [{"data": data}] if body == "array" else {"data": json.dumps(data)}
    status, text, _ = await app.ask("POST", path, asked, aeg_event_type="SubscriptionValidation")
    assert (status, json.loads(text)) == (200, {"validationResponse": "512d38b6"})


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [("eventgrid.azure.us", "eventgrid.azure.us"), ("evil.example", "eventgrid.azure.net")],
)
async def test_only_event_grid_may_subscribe_by_options(app: RunningApp, origin: str, allowed: str) -> None:
    """Section 1.9, CloudEvents: the origin is echoed only if it is Event Grid's (host reference 3.3)."""
    path = "/runtime/webhooks/eventgrid?functionName=events&code=the-system-key"
    status, _, headers = await app.ask("OPTIONS", path, WebHook_Request_Origin=origin)
    assert (status, headers["Webhook-Allowed-Origin"]) == (200, allowed)


@pytest.mark.parametrize(
    ("query", "kind", "body", "expected"),
    [
        ("functionName=events", "Notification", b"[]", (401, "")),
        ("functionName=events&code=the-app-key", "Notification", b"[]", (401, "")),
        ("functionName=gone&code=the-system-key", "Notification", b"[]", (404, "cannot find function: 'gone'")),
        ("functionName=work&code=the-system-key", "Notification", b"[]", (404, "cannot find function: 'work'")),
        ("functionName=events&code=the-system-key", "Unsubscribe", b"", (202, "")),
        ("functionName=events&code=the-system-key", "SubscriptionDeletion", b"", (400, "")),
        ("functionName=events&code=the-system-key", "Notification", b"[", (400, "the body is not JSON")),
        ("functionName=events&code=the-master-key", "Notification", b"[]", (202, "")),
    ],
    ids=["no key", "app key", "unknown", "other trigger", "unsubscribe", "unknown type", "not json", "master key"],
)
async def test_the_webhook_refuses_as_the_extension_does(
    app: RunningApp, query: str, kind: str, body: bytes, expected: tuple[int, str]
) -> None:
    """Section 8.3."""
    found = await app.ask("POST", f"/runtime/webhooks/eventgrid?{query}", body, aeg_event_type=kind)
    assert found[:2] == expected


async def test_a_message_is_decoded_handled_and_deleted(app: RunningApp) -> None:
    """Section 8.4: base64 by default; an output's queue is made when it is missing, its name may be a setting."""
    await put(app.storage, "work", encoded("häuser"), base64.b64encode(b"\xff").decode())
    await app.rest()
    done = {json.loads(text)[0] for text in await messages(app.storage, "done")}
    assert done == {repr("häuser".encode()), repr(b"\xff")}
    assert await messages(app.storage, "work") == []


async def test_a_message_that_fails_comes_back_and_at_the_fifth_time_is_poison(app: RunningApp) -> None:
    """Section 8.4: maxDequeueCount 5, then `<queue>-poison` with the same content."""
    before = (await app.status())["invocations"]["total"]
    await put(app.storage, "work", encoded("poison"), encoded("second time"))
    await app.rest()
    assert await messages(app.storage, "work-poison") == ["poison"]
    assert await messages(app.storage, "done") == [json.dumps([repr(b"second time"), 2, True])]
    status = await app.status()
    assert status["invocations"] == {"inFlight": 0, "total": before + 5 + 2}
    assert status["errors"][-1].endswith("of 'work' failed 5 times: moved to 'work-poison'")
    assert "attempt 5: RuntimeError: cannot be done" in status["errors"][-2]


async def test_a_message_that_is_not_base64_is_poison_at_once(app: RunningApp) -> None:
    """The extension cannot decode it, so no attempt would help."""
    await put(app.storage, "work", "plain text!")
    await app.rest()
    async with QueueClient.from_connection_string(app.storage, "work-poison") as queue:
        message = await queue.receive_message()
        assert message is not None
        assert message.content == "plain text!"
        await queue.delete_message(message)


async def test_a_message_whose_last_attempt_ended_with_the_host_is_poison(app: RunningApp) -> None:
    """The extension does not run a message a sixth time whose fifth attempt never reported."""
    async with QueueClient.from_connection_string(app.storage, "later") as queue:
        await queue.create_queue()
        await queue.send_message(encoded("unlucky"))
        for _ in range(5):
            taken = await queue.receive_message(visibility_timeout=600)
            assert taken is not None
            await queue.update_message(taken, visibility_timeout=0)
    code = """
import azure.functions as func
app = func.FunctionApp()
@app.queue_trigger(arg_name="message", queue_name="later", connection="AzureWebJobsStorage")
def work(message: func.QueueMessage) -> None:
    raise AssertionError("must not run")
"""
    directory = write_app(Path(os.environ["SSL_CERT_FILE"]).parent / "later", code)
    host = HostProcess("host-0", directory, settings(app.storage))
    host.start()
    running = RunningApp(host, app.storage)
    await running.rest()
    while not (await running.status())["errors"]:
        await running.rest()
    assert "was taken 6 times: moved to 'later-poison'" in (await running.status())["errors"][0]
    await running.close()
    host.stop()


async def test_the_master_key_starts_what_has_no_address(app: RunningApp) -> None:
    """Section 8.4: POST /admin/functions/{name} with {"input"}; 202 at once, for any trigger but HTTP."""
    for name, body in (
        ("sweep", {}),
        ("work", {"input": "by hand"}),
        ("events", {"input": event("/by-hand")}),
        ("warmup", []),
    ):
        assert (await app.ask("POST", f"/admin/functions/{name}", body, x_functions_key="the-master-key"))[0] == 202
    await app.rest()
    assert await messages(app.storage, "ticked") == ["in time"]
    assert [json.loads(text)["subject"] for text in await messages(app.storage, "heard")] == ["/by-hand"]
    status = await app.status()
    assert "function 'work' failed: " not in status["errors"][-1:]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/admin/functions/nothing", b"{}", 404),
        ("GET", "/admin/functions/sweep", None, 404),
        ("POST", "/admin/functions/records", b"{}", 400),
        ("POST", "/admin/functions/sweep", b"{", 400),
    ],
)
async def test_administration_refuses_what_it_cannot_start(
    app: RunningApp, method: str, path: str, body: bytes | None, status: int
) -> None:
    """Each with a status that says why."""
    assert (await app.ask(method, path, body, x_functions_key="the-master-key"))[0] == status


async def test_a_failure_nobody_waits_for_is_in_the_status(app: RunningApp) -> None:
    """What /admin starts is answered before it ends."""
    await app.ask("POST", "/admin/functions/events", {"input": event("/bad")}, x_functions_key="the-master-key")
    await app.rest()
    assert (await app.status())["errors"][-1] == "function 'events' failed: ValueError: no such thing as /bad"


async def test_the_status_names_functions_and_queues(app: RunningApp) -> None:
    """GET /admin/host/status."""
    status = await app.status()
    assert (status["id"], status["state"]) == ("host-7", "Running")
    assert [each["name"] for each in status["functions"]] == [
        *("broken", "events", "files", "first", "records", "secret", "sweep", "warmup", "work"),
    ]
    assert {"direction": "IN", "type": "eventGridTrigger", "name": "event"} in status["functions"][1]["bindings"]
    assert status["queues"] == [{"queueName": "work", "connection": "AzureWebJobsStorage"}]


async def test_the_app_is_warmed_up_once_in_its_own_directory(azurite: Azurite, storage: str, tmp_path: Path) -> None:
    """Section 8.2: the warm-up trigger runs before the instance takes requests, in the app's directory."""
    host = HostProcess("host-0", write_app(tmp_path / "app"), settings(storage))
    host.start()
    assert await messages(storage, "warm") == [f"warm in {tmp_path / 'app'}"]
    pid = host.pid
    assert pid is not None
    assert host.stop() == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


HOST_JSON = {
    "extensions": {
        "http": {"routePrefix": "v1/api"},
        "queues": {
            "maxDequeueCount": 2,
            "messageEncoding": "none",
            "visibilityTimeout": "00:00:00",
            "batchSize": 1,
            "newBatchThreshold": 0,
            "maxPollingInterval": "00:00:00.010",
        },
    }
}


async def test_host_json_is_honoured(storage: str, tmp_path: Path) -> None:
    """Sections 8.4 and 8.5: routePrefix, and the settings of extensions.queues."""
    host = HostProcess("host-0", write_app(tmp_path / "app", host=HOST_JSON), settings(storage))
    host.start()
    running = RunningApp(host, storage)
    assert (await running.ask("GET", "/v1/api/files/first"))[0] == 200
    assert (await running.ask("GET", "/api/files/first"))[0] == 404
    await put(storage, "work", "poison", "plain", "more")
    await running.rest()
    async with QueueClient.from_connection_string(storage, "work-poison") as queue:
        message = await queue.receive_message()
        assert message is not None
        assert (message.content, "failed 2 times" in (await running.status())["errors"][-1]) == ("poison", True)
    await running.close()
    assert host.stop() == 0


TIMERS = """
import azure.functions as func
app = func.FunctionApp()
@app.timer_trigger(arg_name="timer", schedule="%EVERY%", run_on_startup=True)
@app.queue_output(arg_name="out", queue_name="ticks", connection="AzureWebJobsStorage")
def tick(timer: func.TimerRequest, out: func.Out[str]) -> None:
    out.set("tick")
@app.queue_trigger(arg_name="message", queue_name="ticks", connection="AzureWebJobsStorage")
def ticks(message: func.QueueMessage) -> None:
    pass
"""


@pytest.mark.parametrize("timers", [False, True])
async def test_timers_run_by_their_schedule_only_where_they_are_asked_for(
    storage: str, tmp_path: Path, timers: bool
) -> None:
    """Section 8.4: NCRONTAB with seconds, perhaps from a setting; without --timers only /admin starts them."""
    variables = settings(storage, EVERY="* * * * * *" if timers else "0 0 0 1 1 *")
    host = HostProcess("host-0", write_app(tmp_path / "app", TIMERS), variables, timers=timers)
    host.start()
    running = RunningApp(host, storage)
    while timers and (await running.status())["invocations"]["total"] < 4:
        await running.rest()
    if not timers:
        assert (await running.status())["invocations"]["total"] == 0
    await running.close()
    assert host.stop() == 0


SLOW = """
import asyncio, azure.functions as func
app = func.FunctionApp()
@app.route("slow", auth_level=func.AuthLevel.ANONYMOUS)
async def slow(req: func.HttpRequest) -> func.HttpResponse:
    print("begun", flush=True)
    await asyncio.sleep(0.3)
    return func.HttpResponse("done")
"""


async def test_sigterm_lets_invocations_end(storage: str, tmp_path: Path) -> None:
    """An instance that is taken away finishes what it has in hand, and ends with 0."""
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hear(line: str) -> None:
        if "begun" in line:
            loop.call_soon_threadsafe(begun.set)

    host = HostProcess("host-0", write_app(tmp_path / "app", SLOW), settings(storage), echo=hear)
    host.start()
    running = RunningApp(host, storage)
    asked = asyncio.create_task(running.ask("GET", "/api/slow"))
    await begun.wait()
    ended = asyncio.create_task(asyncio.to_thread(host.stop))
    assert (await asked)[:2] == (200, "done")
    assert await ended == 0
    await running.close()


async def test_a_lost_host_comes_back_at_its_address(storage: str, tmp_path: Path) -> None:
    """An instance that is killed is started again where its callers know it."""
    host = HostProcess("host-0", write_app(tmp_path / "app", SLOW), settings(storage))
    url = host.start()
    host.kill()
    assert host.pid is None
    assert host.start() == url
    assert host.stop() == 0


BINDING = "import azure.functions as func\napp = func.FunctionApp()\n"
QUEUE = f'{BINDING}@app.queue_trigger(arg_name="m", queue_name="%NO_SUCH%", connection="Elsewhere")\n'
TIMER = f'{BINDING}@app.timer_trigger(arg_name="t", schedule="{{}}")\ndef t(t: func.TimerRequest) -> None: ...\n'
RETRY = '@app.retry(strategy="fixed_delay", max_retry_count="3", delay_interval="00:00:01")\n'

BROKEN = {
    "import": ("import nowhere_to_be_found", "No module named 'nowhere_to_be_found'"),
    "no app": ("x = 1", "Could not find top level function app instances"),
    "no functions": (BINDING, "no functions found in"),
    "parameter": (f'{BINDING}@app.event_grid_trigger("event")\ndef f(other): ...', "FunctionLoadError"),
    "binding": (
        f'{BINDING}@app.blob_trigger(arg_name="b", path="c/x", connection="C")\ndef f(b: func.InputStream): ...',
        "function 'f': binding type 'blobTrigger' is not simulated",
    ),
    "connection": (f"{QUEUE.replace('%NO_SUCH%', 'q')}def f(m: str): ...", "no app setting 'Elsewhere' holds"),
    "setting": (f"{QUEUE}def f(m: str): ...", "'%NO_SUCH%' does not resolve to a value"),
    "retry": (
        TIMER.format("0 0 * * * *").replace("@app.t", f"{RETRY}@app.t"),
        "a retry policy on a timerTrigger is not",
    ),
}


@pytest.mark.parametrize("code", BROKEN.values(), ids=BROKEN)
def test_an_app_that_cannot_be_run_ends_the_host_with_the_reason(
    azurite: Azurite, tmp_path: Path, code: tuple[str, str]
) -> None:
    """Host reference 1.4 and 1.5: what the real worker rejects is rejected, and what is not simulated."""
    with pytest.raises(ProcessError) as raised:
        start(azurite, write_app(tmp_path, code[0]))
    assert "host-0 ended with 1 before it was ready" in str(raised.value)
    assert code[1] in str(raised.value).replace("\\'", "'")


@pytest.mark.parametrize("host", [None, "{", "[]", '{"extensions": {"queues": {"messageEncoding": "utf-16"}}}'])
def test_a_directory_without_a_good_host_json_is_no_app(tmp_path: Path, host: str | None) -> None:
    """Section 8.5."""
    if host is not None:
        (tmp_path / "host.json").write_text(host)
    with pytest.raises(AppError, match=r"host\.json cannot be read"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("schedule", "after", "due"),
    [
        ("0 */15 * * * *", "2026-11-21T23:50:00", "2026-11-22T00:00:00"),
        ("*/15 * * * *", "2026-11-21T23:59:59", "2026-11-22T00:00:00"),
        ("30 5/20 8-9,22 * * *", "2026-11-21T09:25:31", "2026-11-21T09:45:30"),
        ("0 0 0 29 2 *", "2026-11-21T00:00:00", "2028-02-29T00:00:00"),
        ("0 0 6 * Dec Mon-Fri", "2026-11-21T00:00:00", "2026-12-01T06:00:00"),
        ("* * * * * *", "2026-11-21T00:00:00.5", "2026-11-21T00:00:01"),
        ("0 30 9 1-7/2 * sunday", "2026-11-21T00:00:00", "2027-01-03T09:30:00"),
    ],
)
def test_a_schedule_says_when_it_is_due(schedule: str, after: str, due: str) -> None:
    """Section 8.4: NCRONTAB has seconds in front; five fields are cron's own."""
    found = ncrontab.parse(schedule).after(datetime.fromisoformat(after).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(due).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "schedule",
    ["0 61 * * * *", "a * * * * *", "* * *", "0 0 0 30 2 *", "0 0 0 1 13 *", "0 0 0 5-1 * *", "*/0 * * * * *"],
)
def test_a_schedule_that_never_comes_due_is_refused(schedule: str) -> None:
    """The platform puts such a function in error; here the host does not start."""
    with pytest.raises(AppError, match="the schedule"):
        ncrontab.parse(schedule).after(datetime(2026, 11, 21, tzinfo=UTC))


@pytest.mark.parametrize("template", ["a/{b?}", "a/{b:range(1,2)}", "{b:long}", "x{y}z"])
def test_a_route_that_is_not_simulated_is_refused(template: str) -> None:
    """What ASP.NET would take and this host does not know must not be guessed."""
    function = Function("f", "1", {"type": "httpTrigger", "route": template}, {}, [])
    with pytest.raises(AppError, match="is not simulated"):
        Routes([function], "api")


def test_an_app_without_keys_is_not_run(azurite: Azurite, tmp_path: Path) -> None:
    """Without keys it would be open to all."""
    with pytest.raises(ProcessError, match="missing in the environment: APP_SYSTEM_KEY"):
        start(azurite, write_app(tmp_path, SLOW), APP_SYSTEM_KEY="")


def test_a_retry_policy_that_the_platform_ignores_is_pointed_out(azurite: Azurite, tmp_path: Path) -> None:
    """Host reference 1.5: Event Grid and the queue retry by their own means."""
    said: list[str] = []
    code = f'{BINDING}{RETRY}@app.event_grid_trigger("event")\ndef f(event: func.EventGridEvent): ...'
    host = HostProcess(
        "host-0", write_app(tmp_path, code), settings(azurite.connection_string("account997")), echo=said.append
    )
    host.start()
    host.stop()
    assert any("the platform ignores a retry policy on a eventGridTrigger" in line for line in said)


async def test_a_host_that_cannot_read_its_queue_says_so(tmp_path: Path) -> None:
    """The platform goes on trying; the status tells."""
    nowhere = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;QueueEndpoint=http://127.0.0.1:9/a;"
    code = f'{BINDING}@app.queue_trigger(arg_name="m", queue_name="q", connection="Bad")\ndef f(m: str): ...'
    host = HostProcess("host-0", write_app(tmp_path, code), settings(nowhere, Bad=nowhere))
    host.start()
    running = RunningApp(host, nowhere)
    while not (errors := (await running.status())["errors"]):
        pass
    assert errors[0].startswith("queue 'q' cannot be read")
    await running.close()
    assert host.stop() == 0
