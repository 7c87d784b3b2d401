"""Puts the local Azure together: the services, Azurite, DNS, Event Grid and the instances of the function app.

Must be imported only after SSL_CERT_FILE is set; `simulator.__main__` sees to that.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import signal
import sys
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
from azure.eventgrid import SystemEventNames

from simulator import ids, snapshot
from simulator.authority import Authority
from simulator.azurite import Azurite
from simulator.dns_server import DnsServer
from simulator.event_subscriptions import TOPICS, EventGridError
from simulator.events import EventGrid
from simulator.host_process import HostProcess
from simulator.processes import ProcessError
from simulator.quiet import Quiet
from simulator.server import Simulator
from simulator.wire import Reply, Request
from simulator.world import Change, World

# What the platform sets for an app, beside the app's own settings.
PLATFORM = ("ARM_ENDPOINT", "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
# What whoever runs it may set for the app, beside HUBWARDEN_*.
PASSED = ("WEBSITE_AUTH_ENABLED",)
# The changes that a Private Link estate is about, as an event subscription's filter says it.
FILTER = {
    "includedEventTypes": [
        SystemEventNames.ResourceWriteSuccessEventName.value,
        SystemEventNames.ResourceDeleteSuccessEventName.value,
        SystemEventNames.ResourceActionSuccessEventName.value,
    ],
    "advancedFilters": [
        {
            "operatorType": "StringContains",
            "key": "data.operationName",
            "values": [
                "/privateEndpoints/",
                "/privateEndpointConnections/",
                "/moveResources/",
                "/resourceGroups/delete",
            ],
        }
    ],
}


class StartError(Exception):
    """Something did not start; the message says what, and what it said."""


async def run(options: argparse.Namespace, authority: Authority) -> None:
    """Starts everything, waits for SIGTERM or SIGINT, and ends everything.

    Raises StartError.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        up = Up(options, authority, stack)
        starting, stopped = asyncio.create_task(up.start()), asyncio.create_task(stop.wait())
        await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        while stop.is_set() and not starting.done():
            await asyncio.to_thread(up.give_up)
            await asyncio.wait({starting}, timeout=0.1)
        try:
            await starting
        except (ProcessError, EventGridError, aiohttp.ClientError, OSError, ValueError) as error:
            stopped.cancel()
            if not stop.is_set():
                raise StartError(str(error)) from error
        else:
            await stopped


class Up:
    """Everything that `up` starts; each thing started is ended by the stack, the last first."""

    def __init__(self, options: argparse.Namespace, authority: Authority, stack: AsyncExitStack) -> None:
        self._options = options
        self._stack = stack
        self._simulator = Simulator(authority)
        self._events = EventGrid(self._simulator.world, self._simulator.faults, self._simulator.log)
        self._azurite = Azurite()
        self._hosts = self._simulator.hosts
        self._given_up = False
        self._keys = {name: secrets.token_urlsafe(30) for name in ("APP_KEY", "APP_SYSTEM_KEY", "APP_MASTER_KEY")}

    async def start(self) -> None:
        """Returns when all answers and the environment file is there."""
        options, simulator, stack = self._options, self._simulator, self._stack
        if options.env_file is not None:
            options.env_file.unlink(missing_ok=True)  # who waits for it must not find that of an earlier run
        stack.callback(self._azurite.stop)
        await asyncio.to_thread(self._azurite.start)
        if options.world is not None:
            snapshot.load(simulator.world, json.loads(options.world.read_text(encoding="utf-8")))
        stack.push_async_callback(simulator.stop)
        await simulator.start(options.port)
        dns = DnsServer(simulator.world)
        await dns.start()
        stack.push_async_callback(dns.stop)
        if not options.no_app:
            await self._start_hosts()
        simulator.control.router.add("POST", "/_sim/hosts/{n}", self._post_host)
        await self._start_events()
        variables = {
            **simulator.environment(),
            "AzureWebJobsStorage": self._azurite.connection_string(),
            "SIM_DNS": dns.address,
            "APP_URL": self._hosts[0].url if self._hosts else "",
            **self._keys,
        }
        if self._given_up:
            return
        if options.env_file is not None:
            write(options.env_file, variables)
        print("READY", flush=True)

    def give_up(self) -> None:
        """Ends the processes while they are starting: whoever waits for them then hears so."""
        self._given_up = True
        for host in self._hosts:
            host.stop()
        self._azurite.stop()

    async def _start_hosts(self) -> None:
        environment = self._simulator.environment()
        settings = {
            **{name: value for name, value in os.environ.items() if name.startswith("HUBWARDEN_") or name in PASSED},
            **{name: environment[name] for name in PLATFORM},
            "AzureWebJobsStorage": self._azurite.connection_string(),
            "FUNCTIONS_WORKER_RUNTIME": "python",
        }
        self._hosts += [
            HostProcess(
                f"host-{number}",
                self._options.app,
                {**settings, **self._keys},
                # Azure runs a timer on one instance of the app only.
                timers=self._options.timers and number == 0,
                simulator=environment["SIM_URL"],
                lease=self._options.lease,
                echo=_echo(f"host-{number}"),
            )
            for number in range(self._options.hosts)
        ]
        self._stack.push_async_callback(self._stop_hosts)
        # All are waited for, also when one fails: none may be starting still while the others are ended.
        for failure in await asyncio.gather(
            *(asyncio.to_thread(host.start) for host in self._hosts), return_exceptions=True
        ):
            if isinstance(failure, BaseException):
                raise failure
        quiet = Quiet(self._hosts, settings)
        self._stack.push_async_callback(quiet.close)
        await quiet.unrest()  # it learns of the queues from the instances, which may be gone when it is asked
        self._simulator.idle_checks.append(quiet.unrest)

    async def _stop_hosts(self) -> None:
        await asyncio.gather(*(asyncio.to_thread(host.stop) for host in self._hosts))

    async def _start_events(self) -> None:
        world, subscriber = self._simulator.world, None
        self._events.destinations.storage = self._azurite.connection_string()
        if self._hosts:
            self._events.destinations.functions = await self._webhooks()
        if self._hosts and not self._options.no_subscribe:
            subscriber = Subscriber(world, self._events)
            # It listens before Event Grid does: the first event of a subscription must find its event subscription.
            world.listeners.append(subscriber.see)
        self._stack.push_async_callback(self._events.stop)
        await self._events.start()
        if subscriber is not None:
            await subscriber.start()
        self._simulator.idle_checks.append(self._undelivered)
        self._simulator.control.router.add("GET", "/_sim/events", self._get_events)
        self._simulator.control.router.add("DELETE", "/_sim/events", self._delete_events)

    async def _webhooks(self) -> dict[str, str]:
        """The address of each of the app's functions that take events."""
        async with aiohttp.ClientSession() as session:
            status = await self._hosts[0].status(session)
        return {
            function["name"]: f"{self._hosts[0].url}/runtime/webhooks/eventgrid?"
            + urlencode({"functionName": function["name"], "code": self._keys["APP_SYSTEM_KEY"]})
            for function in status["functions"]
            if any(binding["type"] == "eventGridTrigger" for binding in function["bindings"])
        }

    async def _undelivered(self) -> list[str]:
        return self._events.undelivered()

    def _get_events(self, _request: Request) -> Reply:
        return Reply(200, {"deadLetters": self._events.dead_letters, "lost": self._events.lost})

    def _delete_events(self, _request: Request) -> Reply:
        self._events.dead_letters.clear()
        self._events.lost.clear()
        return Reply(200, {})

    async def _post_host(self, request: Request) -> Reply:
        number, body = request.values["n"], request.body
        if not number.isdecimal() or int(number) >= len(self._hosts):
            return Reply(404, {"error": f"There is no host {number}; there are {len(self._hosts)}."})
        host = self._hosts[int(number)]
        wanted = body.get("do") if isinstance(body, dict) else None
        if wanted not in ("kill", "start"):
            raise ValueError('The body is {"do": "kill"} or {"do": "start"}.')
        if wanted == "kill":
            await asyncio.to_thread(host.kill)
        else:
            await asyncio.to_thread(host.revive)
        return Reply(200, {"name": host.name, "running": host.pid is not None})


class Subscriber:
    """Makes event subscriptions, one for each function that takes events, in each subscription there is."""

    def __init__(self, world: World, events: EventGrid) -> None:
        self._world = world
        self._events = events

    async def start(self) -> None:
        """Makes them for the subscriptions there are now.

        Raises EventGridError if a webhook does not agree.
        """
        for subscription in self._unseen(self._world.subscriptions):
            for name, url in self._events.destinations.functions.items():
                await self._events.subscribe(subscription, name, url, FILTER)

    def see(self, change: Change) -> None:
        """Makes them for a subscription that came later, when something first changes in it."""
        for subscription in self._unseen([ids.parse(change.resource_id).subscription.lower()]):
            for name, url in self._events.destinations.functions.items():
                self._events.declare(subscription, name, url, FILTER)

    def _unseen(self, keys: Iterable[str]) -> list[str]:
        """Those that have no system topic yet: who takes an event subscription away does not get it back."""
        topics = {ids.key(topic["properties"]["source"]) for topic in self._world.documents(TOPICS)}
        known = (self._world.subscriptions[key].id for key in keys if key in self._world.subscriptions)
        return [subscription for subscription in known if ids.key(f"/subscriptions/{subscription}") not in topics]


def write(path: Path, variables: dict[str, str]) -> None:
    """Writes KEY=value lines; the file appears whole or not at all."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text("".join(f"{name}={value}\n" for name, value in variables.items()), encoding="utf-8")
    draft.replace(path)


def _echo(name: str) -> Callable[[str], None]:
    def echo(line: str) -> None:
        print(f"[{name}] {line}", end="", file=sys.stderr)

    return echo
