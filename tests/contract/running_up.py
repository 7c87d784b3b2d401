"""A running `python -m simulator up` with an app in it, as tests start, ask and end it."""

from __future__ import annotations

import asyncio
import re
import ssl
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp

from simulator.processes import Process
from tests.contract.function_apps import messages

ROOT = Path(__file__).parents[2]
READY = re.compile("READY$")
HOME = "aaaaaaaa-0000-0000-0000-000000000001"

APP = """
import json, os, urllib.request
import azure.functions as func

app = func.FunctionApp()

@app.event_grid_trigger(arg_name="event")
@app.queue_output(arg_name="out", queue_name="seen", connection="AzureWebJobsStorage")
def events(event: func.EventGridEvent, out: func.Out[str]) -> None:
    out.set(event.subject)

@app.queue_trigger(arg_name="message", queue_name="seen", connection="AzureWebJobsStorage")
@app.queue_output(arg_name="out", queue_name="done", connection="AzureWebJobsStorage")
def work(message: func.QueueMessage, out: func.Out[str]) -> None:
    out.set(message.get_body().decode())

@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *", run_on_startup=True)
@app.queue_output(arg_name="out", queue_name="ticks", connection="AzureWebJobsStorage")
def tick(timer: func.TimerRequest, out: func.Out[str]) -> None:
    out.set("tick")

@app.route("environment")
def environment(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(dict(os.environ)))

def ask(url, headers, **more):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers, **more)) as answer:
        return json.load(answer)

@app.route("group")
def group(req: func.HttpRequest) -> func.HttpResponse:
    place, header = os.environ["IDENTITY_ENDPOINT"], {"X-IDENTITY-HEADER": os.environ["IDENTITY_HEADER"]}
    token = ask(f"{place}?api-version=2019-08-01&resource=https://management.azure.com", header)["access_token"]
    url = f"{os.environ['ARM_ENDPOINT']}/subscriptions/{req.params['in']}/resourceGroups/made?api-version=1"
    told = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return func.HttpResponse(json.dumps(ask(url, told, method="PUT", data=b'{"location": "here"}')))
"""
SLOW = "import sys, time\nprint('importing', flush=True)\ntime.sleep(0.5)\n"


def write_app(directory: Path, code: str = APP) -> Path:
    """A function app in that directory; its code has a name of its own, for coverage watches the product's."""
    directory.mkdir()
    (directory / "sample_app.py").write_text(code)
    (directory / "function_app.py").write_text("from sample_app import app")
    (directory / "host.json").write_text('{"version": "2.0"}')
    return directory


class Running:
    """An `up` that is running, and what it wrote into its file."""

    def __init__(self, file: Path, *options: str, echo: Callable[[str], None] | None = None, **variables: str) -> None:
        self.file = file
        self.first: dict[str, Any] = {}
        self.process = Process(
            "up",
            [sys.executable, "-m", "simulator", "up", "--env-file", str(file), *options],
            directory=ROOT,
            variables=variables,
            echo=echo,
        )

    def wait(self) -> Mapping[str, str]:
        """Returns the variables as soon as it is ready."""
        self.process.wait_for(READY, 180)
        self.variables = dict(line.split("=", 1) for line in self.file.read_text().splitlines())
        return self.variables

    def trust(self) -> ssl.SSLContext:
        """Trusts its throw-away authority."""
        return ssl.create_default_context(cafile=self.variables["SSL_CERT_FILE"])

    async def open(self) -> None:
        """Makes a session that trusts this `up`; it ends with close()."""
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=self.trust()))

    async def sim(self, method: str, call: str, body: object = None) -> Any:
        """A call under /_sim, which must succeed."""
        status, answer = await self.ask(method, f"{self.variables['SIM_URL']}/_sim/{call}", body)
        assert status == 200, answer
        return answer

    async def ask(self, method: str, url: str, body: object = None) -> tuple[int, Any]:
        """Any request; the answer is JSON."""
        async with self.session.request(method, url, json=body) as response:
            return response.status, await response.json(content_type=None)

    async def happens(self, resource_id: str) -> None:
        """A document is written; its event goes out."""
        document = {"id": resource_id, "location": "westeurope", "properties": {}}
        await self.sim("POST", "resources", {"resources": [document]})

    async def done(self, name: str = "done") -> list[str]:
        """What has gone through webhook and queue, in lower case."""
        return [message.lower() for message in await messages(self.variables["AzureWebJobsStorage"], name)]


def endpoint(subscription: str = HOME, name: str = "pe1") -> str:
    """The id of a private endpoint."""
    return f"/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/{name}"


def below(pid: int) -> set[int]:
    """The processes that this one started, as far as the system tells (Linux)."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.add(int(status.parent.name))
    return found


def alive(pids: set[int]) -> list[int]:
    """Those of them that have not ended."""
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


async def refuses(address: str) -> bool:
    """Whether nobody listens there any more."""
    host, _, port = address.removeprefix("https://").removeprefix("http://").partition("/")[0].rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except ConnectionError:
        return True
    writer.close()
    return False
