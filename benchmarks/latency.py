"""How long a name is missing, and how much of that is ours: NXDOMAIN is what people see of us being slow."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import aiohttp
import dns.asyncquery
import dns.message
import dns.rdatatype

from benchmarks.stage import Stage
from benchmarks.table import Row, Section, spread, text
from hubwarden.config.loading import load
from hubwarden.model.report import Status
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneEndpoint
from hubwarden.runtime import Runtime

ENDPOINTS = 20
LATENCY_MS = 100
WARM_UP, OWN = 5, 60
KINDS = ("new endpoint", "repeated event", "deleted endpoint")
STEP = 0.003
SECONDS = 30.0

POLICY = (
    "Azure Policy with zone groups: 10 min before the policy is even evaluated (evaluationDelay, by default PT10M: "
    "Microsoft Learn, 'deployIfNotExists effect'); 'near zero' for owners who clone each definition and change that "
    "(a user's report, GitHub Azure-Landing-Zones 203)"
)
RESOLVABLE = (
    f"Real events through the real function app, ARM answering after {LATENCY_MS} ms. From the last look at the local "
    "Azure's log that did not show the delivery yet, to the first answer of its DNS server with the private address "
    f"(both are asked every {STEP * 1000:.0f} ms, which makes the figures larger, not smaller). One new name costs two "
    f"ARM calls one after the other, so {2 * LATENCY_MS} ms of it are ARM's. What Event Grid itself takes to deliver "
    "is not in it."
)
OURS = (
    "`Runtime.look` alone in this process, ARM answering at once, nothing else under way. CPU: processor time of the "
    "process, so our code, the Azure SDKs and TLS together, and no waiting. Outside of requests: wall time less the "
    "time during which at least one HTTP request was in flight, so what a run adds to what Azure and storage take."
)


async def resolvable(stage: Stage) -> Section:
    """From the delivery of an event to the first right answer of the hub's resolver."""
    await stage.configure(latencyMs=LATENCY_MS)
    took = [await _one_after_another(stage, f"seen{number}") for number in range(ENDPOINTS)]
    together = await _together(stage, [f"burst{number}" for number in range(ENDPOINTS)])
    await stage.configure(latencyMs=0)
    rows = [
        Row("event delivered → name resolvable", spread(took, worst=True), "under 0.5 s", POLICY),
        Row(f"{ENDPOINTS} endpoints at once: first event delivered → last name resolvable", text(together)),
    ]
    return Section(f"Event to name, ARM latency {LATENCY_MS} ms", RESOLVABLE, rows)


async def _one_after_another(stage: Stage, name: str) -> float:
    target = await stage.registry(name)
    await stage.settle()
    await stage.forget()
    delivered, answered = asyncio.create_task(_delivered(stage)), asyncio.create_task(_answered(stage, name))
    await stage.create(f"pe-{name}", target)
    return await answered - await delivered


async def _together(stage: Stage, names: list[str]) -> float:
    targets = [await stage.registry(name) for name in names]
    await stage.settle()
    await stage.forget()
    delivered = asyncio.create_task(_delivered(stage))
    answers = [asyncio.create_task(_answered(stage, name)) for name in names]
    await asyncio.gather(*(stage.create(f"pe-{name}", target) for name, target in zip(names, targets, strict=True)))
    return max(await asyncio.gather(*answers)) - await delivered


async def _delivered(stage: Stage) -> float:
    """The last moment at which no delivery had begun for sure."""
    not_yet = time.perf_counter()
    async with asyncio.timeout(SECONDS):
        while True:
            asked = time.perf_counter()
            if await stage.deliveries():
                return not_yet
            not_yet = asked
            await asyncio.sleep(STEP)


async def _answered(stage: Stage, name: str) -> float:
    host, port = stage.variables["SIM_DNS"].rsplit(":", 1)
    question = dns.message.make_query(f"{name}.azurecr.io", "A")
    async with asyncio.timeout(SECONDS):
        while True:
            answer = await dns.asyncquery.udp(question, host, port=int(port), timeout=5)
            found = [str(item) for rrset in answer.answer if rrset.rdtype == dns.rdatatype.A for item in rrset]
            if any(address.startswith("10.") for address in found):
                return time.perf_counter()
            await asyncio.sleep(STEP)


class Flights(ExitStack):
    """While open, adds up the time during which this process waits for at least one HTTP request or its answer."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self._count = 0
        self._since = 0.0
        for subject, method in ((aiohttp.ClientSession, "_request"), (aiohttp.ClientResponse, "read")):
            self.enter_context(patch.object(subject, method, self._watched(getattr(subject, method))))

    def _watched(self, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def watched(*args: Any, **kwargs: Any) -> Any:
            if self._count == 0:
                self._since = time.perf_counter()
            self._count += 1
            try:
                return await call(*args, **kwargs)
            finally:
                self._count -= 1
                if self._count == 0:
                    self.seconds += time.perf_counter() - self._since

        return watched


async def own_time(stage: Stage) -> Section:
    """What a run adds to the time that Azure takes; to be asked when no event is sent any more."""
    await stage.configure(operationMs=0)
    lives: list[list[tuple[float, float]]] = []
    with Flights() as flights:
        async with Runtime.build(load()) as hubwarden:
            for number in range(WARM_UP + OWN):
                lives.append(await _life(stage, hubwarden, f"own{number}", flights))
    rows = []
    for what, figures in zip(KINDS, zip(*lives[WARM_UP:], strict=True), strict=True):
        rows.append(Row(f"{what}, 1 name: CPU", spread(cpu for cpu, _ in figures)))
        rows.append(Row(f"{what}, 1 name: outside of requests", spread(outside for _, outside in figures)))
    return Section("Time that our own code adds to an event", OURS, rows)


async def _life(stage: Stage, hubwarden: Runtime, name: str, flights: Flights) -> list[tuple[float, float]]:
    scope = OneEndpoint(ResourceId.parse(await stage.create(f"pe-{name}", await stage.registry(name))))

    async def look(changes: int) -> None:
        report = (await hubwarden.look(scope, within=20)).report
        assert report is not None
        assert report.status is Status.DONE
        assert len(report.plan.changes) == changes

    seen = [await _measured(lambda: look(1), flights), await _measured(lambda: look(0), flights)]
    await stage.delete(f"pe-{name}")
    return [*seen, await _measured(lambda: look(1), flights)]


async def _measured(run: Callable[[], Awaitable[None]], flights: Flights) -> tuple[float, float]:
    flown, wall, cpu = flights.seconds, time.perf_counter(), time.process_time()
    await run()
    return time.process_time() - cpu, time.perf_counter() - wall - (flights.seconds - flown)
