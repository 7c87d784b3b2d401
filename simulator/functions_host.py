"""One function app in a process of its own, run as Azure Functions runs it: `python -m simulator.functions_host`.

Microsoft's worker library runs the app's code; this host does what the platform does around it: keys, routes, the Event
Grid webhook, queues, timers, administration. It prints `READY <url>` when it answers, and ends with 0 on SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web

from simulator.host.activity import Activity
from simulator.host.queues import LEASE_SECONDS, QueueListener, Queues
from simulator.host.routes import Routes
from simulator.host.settings import read
from simulator.host.sign_in import SignIn
from simulator.host.timers import Timer, tick
from simulator.host.web import Keys, Web
from simulator.host.worker import AppError, Function, FunctionFailedError, Trace, Worker, follow
from simulator.worker_protocol import TypedData

log = logging.getLogger(__name__)

# How long invocations in hand may still take once the platform takes the instance away, and then their answers.
DRAIN_SECONDS, ANSWER_SECONDS = 10.0, 1.0


class Host:
    """An app that is running."""

    def __init__(
        self, name: str, directory: Path, worker: Worker, keys: Keys, sign_in: SignIn, *, lease: int = LEASE_SECONDS
    ) -> None:
        settings = read(directory)
        functions = worker.functions
        self._name = name
        self._worker = worker
        self._sign_in = sign_in
        self._activity = Activity()
        self._queues = Queues(settings.queues)
        self._listeners = [
            QueueListener(function, self._queues, self._on_message, self._activity, lease)
            for function in functions.values()
            if function.kind == "queueTrigger"
        ]
        self._timers = [
            Timer(function, self._on_its_own) for function in functions.values() if function.kind == "timerTrigger"
        ]
        routes = Routes(functions.values(), settings.route_prefix)
        self._web = Web(functions, routes, keys, sign_in, self._on_request, self._on_admin, self._status)
        self._started: set[asyncio.Task[None]] = set()

    async def serve(self, port: int, *, timers: bool, stop: asyncio.Event) -> None:
        """Warms the app up, answers requests and polls queues until told to stop."""
        for function in self._worker.functions.values():
            if function.kind == "warmupTrigger":
                await self._on_its_own(function, TypedData(json="{}"))
        runner = web.AppRunner(self._web.application(), access_log=None, shutdown_timeout=ANSWER_SECONDS)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        polling = [asyncio.create_task(listener.run()) for listener in self._listeners]
        ticking = [asyncio.create_task(timer.run()) for timer in self._timers if timers]
        print(f"READY http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
        stopped = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait({stopped, *polling, *ticking}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        for task in done - {stopped}:
            task.result()
        for timer in ticking:
            timer.cancel()
        for listener in self._listeners:
            listener.stop()
        await site.stop()
        await asyncio.gather(*polling, self._drain())
        await runner.cleanup()
        await self._queues.close()
        await self._sign_in.close()

    async def _drain(self) -> None:
        try:
            await asyncio.wait_for(self._activity.quiet(), DRAIN_SECONDS)
        except TimeoutError:
            log.warning("%d invocations are cut off", self._activity.in_flight)

    async def _invoke(
        self, function: Function, value: TypedData, metadata: Mapping[str, TypedData], trace: Trace
    ) -> TypedData | None:
        result = await self._worker.invoke(function, value, metadata=metadata, trace=trace)
        for name, output in result.outputs.items():
            binding = function.outputs[name]
            await self._queues.put(
                str(binding.get("connection") or "AzureWebJobsStorage"), binding["queueName"], output
            )
        return result.returned

    async def _on_request(
        self, function: Function, value: TypedData, metadata: Mapping[str, TypedData], trace: Trace
    ) -> TypedData | None:
        with self._activity.piece():
            return await self._invoke(function, value, metadata, trace)

    async def _on_message(self, function: Function, value: TypedData, metadata: Mapping[str, TypedData]) -> object:
        return await self._invoke(function, value, metadata, follow({}))

    async def _on_its_own(self, function: Function, value: TypedData) -> None:
        """An invocation that nobody waits for: its failure is kept for the status."""
        with self._activity.piece():
            try:
                await self._invoke(function, value, {}, follow({}))
            except FunctionFailedError as error:
                self._activity.errors.append(f"function '{function.name}' failed: {error}")

    def _on_admin(self, function: Function, given: object) -> None:
        text = given if isinstance(given, str) else json.dumps(given)
        value = {
            "timerTrigger": tick(),
            "eventGridTrigger": TypedData(json=text),
            "warmupTrigger": TypedData(json="{}"),
        }.get(function.kind, TypedData(string=text))
        task = asyncio.create_task(self._on_its_own(function, value))
        self._started.add(task)
        task.add_done_callback(self._started.discard)

    async def _status(self) -> dict[str, Any]:
        for listener in self._listeners:
            async with listener.receiving:
                pass
        functions = sorted(self._worker.functions.values(), key=lambda function: function.name)
        return {
            "id": self._name,
            "state": "Running",
            "functions": [{"name": function.name, "bindings": function.bindings} for function in functions],
            "invocations": {"inFlight": self._activity.in_flight, "total": self._activity.total},
            "queues": [
                {"queueName": listener.client.queue_name, "connection": listener.connection}
                for listener in self._listeners
            ],
            "errors": list(self._activity.errors),
        }


def keys() -> Keys:
    """The app's keys, taken out of the environment, where the app must not find them.

    Raises AppError if one is missing: an app without keys would be open to all.
    """
    found = {name: os.environ.pop(name, "") for name in ("APP_KEY", "APP_SYSTEM_KEY", "APP_MASTER_KEY")}
    if missing := [name for name, key in found.items() if not key]:
        raise AppError(f"missing in the environment: {', '.join(missing)}")
    return Keys(*found.values())


async def run(options: argparse.Namespace) -> None:
    """Loads the app and serves it until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if options.with_parent:
        asyncio.get_running_loop().add_reader(sys.stdin, stop.set)
    directory = options.app.resolve()
    found = keys()
    os.chdir(directory)
    worker, sign_in = await Worker.load(directory), SignIn(options.simulator)
    host = Host(options.name, directory, worker, found, sign_in, lease=options.lease)
    await host.serve(options.port, timers=options.timers, stop=stop)


def main(arguments: Sequence[str]) -> int:
    """Serves the app; 1 if it cannot be run."""
    parser = argparse.ArgumentParser(prog="python -m simulator.functions_host", description=__doc__)
    parser.add_argument("--app", type=Path, required=True, help="the app's directory")
    parser.add_argument("--port", type=int, default=0, help="loopback port; by default a free one")
    parser.add_argument("--name", default="host-0", help="what the instance is called in its status")
    parser.add_argument("--lease", type=int, default=LEASE_SECONDS, help="seconds a message is a lost host's")
    parser.add_argument("--simulator", default="", help="whom to ask who is signed in; without it nobody is")
    parser.add_argument("--timers", action="store_true", help="start timers by their schedules too, not only by /admin")
    parser.add_argument("--with-parent", action="store_true", help="end too when standard input, a pipe, is closed")
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    try:
        asyncio.run(run(parser.parse_args(arguments)))
    except AppError as error:
        print(f"functions host: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
