"""How a local Functions host starts and ends, what it reads first, and which apps it refuses."""

from __future__ import annotations

import asyncio
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from azure.storage.queue.aio import QueueClient

from simulator.azurite import Azurite
from simulator.host import ncrontab
from simulator.host.routes import Routes
from simulator.host.settings import read
from simulator.host.worker import AppError, Function
from simulator.host_process import HostProcess
from simulator.processes import Process, ProcessError
from tests.contract.function_apps import RunningApp, encoded, messages, put, settings, write_app


def start(azurite: Azurite, directory: Path, **more: str) -> HostProcess:
    """A host for the app in that directory, which may not start."""
    host = HostProcess("host-0", directory, settings(azurite.connection_string("account997"), **more))
    host.start()
    return host


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
    async with RunningApp(host, storage) as running:
        assert (await running.ask("GET", "/v1/api/files/first"))[0] == 200
        assert (await running.ask("GET", "/api/files/first"))[0] == 404
        await put(storage, "work", "poison", "plain", "more")
        await running.rest()
        async with QueueClient.from_connection_string(storage, "work-poison") as queue:
            message = await queue.receive_message()
            assert message is not None
            assert (message.content, "failed 2 times" in (await running.status())["errors"][-1]) == ("poison", True)
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
    async with RunningApp(host, storage) as running:
        while timers and (await running.status())["invocations"]["total"] < 4:
            await running.rest()
        if not timers:
            assert (await running.status())["invocations"]["total"] == 0
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
    async with RunningApp(host, storage) as running:
        asked = asyncio.create_task(running.ask("GET", "/api/slow"))
        await begun.wait()
        ended = asyncio.create_task(asyncio.to_thread(host.stop))
        assert (await asked)[:2] == (200, "done")
        assert await ended == 0


async def test_a_lost_host_comes_back_at_its_address(storage: str, tmp_path: Path) -> None:
    """An instance that is killed is started again where its callers know it."""
    host = HostProcess("host-0", write_app(tmp_path / "app", SLOW), settings(storage))
    url = host.start()
    host.kill()
    assert host.pid is None
    assert host.start() == url
    assert host.stop() == 0


async def test_who_revives_a_host_waits_for_the_end_of_the_one_before(
    storage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is killed closes its sockets first, so that callers may know of its end before it has ended."""
    host = HostProcess("host-0", write_app(tmp_path / "app"), settings(storage))
    host.start()
    first, kill, dying, goes_on = host.pid, Process.kill, threading.Event(), threading.Event()

    def slow_kill(process: Process) -> int:
        dying.set()
        goes_on.wait()
        return kill(process)

    monkeypatch.setattr(Process, "kill", slow_kill)
    killed = asyncio.create_task(asyncio.to_thread(host.kill))
    await asyncio.to_thread(dying.wait)
    revived = asyncio.create_task(asyncio.to_thread(host.revive))
    assert await asyncio.wait({revived}, timeout=0.1) == (set(), {revived})
    goes_on.set()
    await asyncio.gather(killed, revived)
    assert host.pid not in (None, first)
    assert host.stop() == 0


LOST = """
import asyncio, azure.functions as func
app = func.FunctionApp()
@app.queue_trigger(arg_name="message", queue_name="work", connection="AzureWebJobsStorage")
@app.queue_output(arg_name="out", queue_name="done", connection="AzureWebJobsStorage")
async def work(message: func.QueueMessage, out: func.Out[str]) -> None:
    if message.dequeue_count == 1:
        print("begun", flush=True)
        await asyncio.Event().wait()
    await asyncio.sleep(5)
    out.set(f"attempt {message.dequeue_count}")
"""


async def test_a_message_comes_back_from_a_lost_host_and_never_from_a_slow_one(storage: str, tmp_path: Path) -> None:
    """Section 8.4: a message in hand is leased, and the lease renewed, so that only who is lost lets go of it.

    The lease is long enough for a busy machine to renew it in time, and the second attempt is longer than the lease.
    """
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hear(line: str) -> None:
        if "begun" in line:
            loop.call_soon_threadsafe(begun.set)

    host = HostProcess("host-0", write_app(tmp_path / "app", LOST), settings(storage), lease=4, echo=hear)
    host.start()
    await put(storage, "work", encoded("look"))
    await begun.wait()
    host.kill()
    host.start()
    async with RunningApp(host, storage) as running:
        while not (done := await messages(storage, "done")):
            await running.status()
        await running.rest()
        assert done == ["attempt 2"]
        assert (await running.status())["invocations"] == {"inFlight": 0, "total": 1}
        assert await messages(storage, "done") == []
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
    async with RunningApp(host, nowhere) as running:
        while not (errors := (await running.status())["errors"]):
            pass
        assert errors[0].startswith("queue 'q' cannot be read")
    assert host.stop() == 0
