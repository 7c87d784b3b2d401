"""Function apps to try the host with, written where a test wants them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import aiohttp
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue.aio import QueueClient

from simulator.host_process import HostProcess
from simulator.quiet import Quiet
from tests.storage import taken

KEYS = {"APP_KEY": "the-app-key", "APP_SYSTEM_KEY": "the-system-key", "APP_MASTER_KEY": "the-master-key"}
# Its own name keeps it apart from the product's function_app.py, which coverage watches.
SCRIPT = "sample_app.py"

SAMPLE = """
import json, os, typing
import azure.functions as func

app = func.FunctionApp()
STORAGE = "AzureWebJobsStorage"

@app.event_grid_trigger(arg_name="event")
@app.queue_output(arg_name="out", queue_name="heard", connection=STORAGE)
def events(event: func.EventGridEvent, out: func.Out[str], context: func.Context) -> None:
    if event.subject.startswith("/bad"):
        raise ValueError("no such thing as " + event.subject)
    trace = context.trace_context.Traceparent
    out.set(json.dumps({"subject": event.subject, "data": event.get_json(), "trace": trace}))

@app.queue_trigger(arg_name="message", queue_name="work", connection=STORAGE)
@app.queue_output(arg_name="out", queue_name="%DONE%", connection=STORAGE)
async def work(message: func.QueueMessage, out: func.Out[str]) -> None:
    if message.get_body() == b"poison":
        raise RuntimeError("cannot be done")
    if message.get_body() == b"second time" and message.dequeue_count == 1:
        raise RuntimeError("not yet")
    out.set(json.dumps([repr(message.get_body()), message.dequeue_count, message.insertion_time is not None]))

@app.route("zones/{zone}/records/{name:int}", methods=["GET", "POST"])
async def records(req: func.HttpRequest) -> func.HttpResponse:
    told = {"route": dict(req.route_params), "query": dict(req.params), "headers": dict(req.headers),
            "body": req.get_body().decode(), "method": req.method, "url": req.url}
    return func.HttpResponse(json.dumps(told), status_code=203, mimetype="application/json", headers={"X-Told": "all"})

@app.route("files/{*rest}", auth_level=func.AuthLevel.ANONYMOUS)
def files(req: func.HttpRequest) -> str:
    return req.route_params["rest"]

@app.route("files/first", auth_level=func.AuthLevel.ANONYMOUS, methods=["GET"])
@app.queue_output(arg_name="out", queue_name="listed", connection=STORAGE)
def first(req: func.HttpRequest, out: func.Out[typing.List[str]]) -> func.HttpResponse:
    out.set(["one", "two"])
    return func.HttpResponse("the first")

@app.route("secret", auth_level=func.AuthLevel.ADMIN)
def secret(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(os.environ.get("APP_MASTER_KEY", "no key here"))

@app.route("broken", auth_level=func.AuthLevel.ANONYMOUS)
def broken(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("broken")

@app.timer_trigger(arg_name="timer", schedule="0 0 0 29 2 *")
@app.queue_output(arg_name="out", queue_name="ticked", connection=STORAGE)
def sweep(timer: func.TimerRequest, out: func.Out[bytes]) -> None:
    out.set(b"past due" if timer.past_due else b"in time")

@app.warm_up_trigger(arg_name="context")
@app.queue_output(arg_name="out", queue_name="warm", connection=STORAGE)
def warmup(context, out: func.Out[func.QueueMessage]) -> None:
    out.set(func.QueueMessage(id="1", body="warm in " + os.getcwd()))
"""


def write_app(directory: Path, code: str = SAMPLE, host: Mapping[str, Any] | None = None) -> Path:
    """An app in that directory."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / SCRIPT).write_text(code)
    (directory / "host.json").write_text(json.dumps({"version": "2.0", **(host or {})}))
    return directory


def settings(storage: str, **more: str) -> dict[str, str]:
    """The app settings and keys of a host that runs such an app."""
    return {"AzureWebJobsStorage": storage, "PYTHON_SCRIPT_FILE_NAME": SCRIPT, "DONE": "done", **KEYS, **more}


class RunningApp:
    """An app whose host is running, with a session to ask it."""

    def __init__(self, host: HostProcess, storage: str) -> None:
        self.host = host
        self.storage = storage
        self.session = aiohttp.ClientSession()
        self._quiet = Quiet([host], settings(storage))

    async def rest(self) -> None:
        """Returns when the app is at rest twice in a row: a message is invisible for the instant in which it is put."""
        quiet = 0
        while quiet < 2:
            quiet = 0 if await self._quiet.unrest() else quiet + 1

    async def status(self) -> dict[str, Any]:
        """What the host says about itself."""
        return await self.host.status(self.session)

    async def ask(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, str, Mapping[str, str]]:
        """One request: its status, body and headers; `_` in a header's name stands for `-`."""
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.request(method, f"{self.host.url}{path}", data=data, headers=sent) as response:
            return response.status, await response.text(), response.headers

    async def notify(self, *events: Mapping[str, Any], function: str = "events", **headers: str) -> tuple[int, str]:
        """One delivery of Event Grid."""
        path = f"/runtime/webhooks/EventGrid?functionName={function}&code={KEYS['APP_SYSTEM_KEY']}"
        status, text, _ = await self.ask("POST", path, list(events), aeg_event_type="Notification", **headers)
        return status, text

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes the connections, not the app."""
        await self._quiet.close()
        await self.session.close()


def event(subject: str) -> dict[str, Any]:
    """An event about something."""
    return {
        "id": "1",
        "topic": "/subscriptions/0",
        "subject": subject,
        "eventType": "Microsoft.Resources.ResourceWriteSuccess",
        "eventTime": "2020-07-06T10:33:11.3958794Z",
        "data": {"status": "Succeeded"},
        "dataVersion": "2",
        "metadataVersion": "1",
    }


async def messages(storage: str, name: str) -> list[str]:
    """The decoded messages of a queue, taken out of it; none if there is no such queue."""
    async with QueueClient.from_connection_string(storage, name) as queue:
        return [base64.b64decode(content).decode() for content in await taken(queue)]


async def make(queue: QueueClient) -> None:
    """Makes the queue if it is missing."""
    try:
        await queue.get_queue_properties()
    except ResourceNotFoundError:
        await queue.create_queue()


async def put(storage: str, name: str, *contents: str) -> None:
    """Messages as somebody else writes them; the queue is made if it is missing."""
    async with QueueClient.from_connection_string(storage, name) as queue:
        await make(queue)
        for content in contents:
            await queue.send_message(content)


def encoded(text: str) -> str:
    """As the queues extension writes it."""
    return base64.b64encode(text.encode()).decode()
