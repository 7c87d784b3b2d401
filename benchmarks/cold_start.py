"""How long the first event of a new instance waits: Event Grid gives an answer 30 seconds, and the imports count."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.estate import SPOKE
from benchmarks.imports import ROOT, bare_app
from benchmarks.stage import Stage
from benchmarks.table import Row, Section, text
from simulator.host_process import HostProcess

ROUNDS = 5
LATER = 4
HOW = (
    f"Fresh processes of the local Functions host (Microsoft's worker library), {ROUNDS} of each app in turn, medians; "
    "one event is posted to the webhook as soon as the host says READY, which it does after the warm-up trigger, then "
    f"{LATER} more. Each event is a new endpoint with one name; ARM answers at once. What Azure takes to find and "
    "start an instance comes on top."
)


@dataclass(slots=True)
class Figures:
    """Seconds of each round, and of all later events."""

    ready: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    later: list[float] = field(default_factory=list)


async def measure(stage: Stage, settings: Mapping[str, str]) -> Section:
    """Hubwarden beside a bare app, on the same host; to be asked when no event is sent any more."""
    ours, bare = Figures(), Figures()
    with tempfile.TemporaryDirectory(prefix="hubwarden-bench-") as directory:
        empty = bare_app(Path(directory))
        for number in range(ROUNDS):
            for app, figures in ((empty, bare), (ROOT, ours)):
                names = [f"cold-{app.name}-{number}-{event}".lower().replace("_", "-") for event in range(1 + LATER)]
                endpoints = [await stage.create(f"pe-{name}", await stage.registry(name)) for name in names]
                await _round(stage, HostProcess("bench", app, settings), endpoints, figures)
    median = statistics.median
    rows = [
        Row(what, text(median(our)), goal, f"bare app on the same host: {text(median(theirs))}")
        for what, our, goal, theirs in (
            ("process start → READY", ours.ready, "", bare.ready),
            ("READY → first event answered", ours.first, "", bare.first),
            ("a later event answered", ours.later, "", bare.later),
            ("process start → first event answered", ours.whole, "Event Grid waits 30 s", bare.whole),
        )
    ]
    return Section("Cold start", HOW, rows)


async def _round(stage: Stage, host: HostProcess, endpoints: list[str], figures: Figures) -> None:
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, host.stop)
        started = time.perf_counter()
        await asyncio.to_thread(host.start)
        ready = time.perf_counter()
        await _post(stage, host.url, endpoints[0])
        answered = time.perf_counter()
        figures.ready.append(ready - started)
        figures.first.append(answered - ready)
        figures.whole.append(answered - started)
        for endpoint in endpoints[1:]:
            begun = time.perf_counter()
            await _post(stage, host.url, endpoint)
            figures.later.append(time.perf_counter() - begun)


async def _post(stage: Stage, url: str, endpoint: str) -> None:
    event = {
        "id": endpoint,
        "topic": f"/subscriptions/{SPOKE}",
        "subject": endpoint,
        "eventType": "Microsoft.Resources.ResourceWriteSuccess",
        "eventTime": "2026-01-01T00:00:00Z",
        "data": {"operationName": "Microsoft.Network/privateEndpoints/write", "resourceUri": endpoint},
        "dataVersion": "2",
        "metadataVersion": "1",
    }
    query = {"functionName": "events", "code": stage.variables["APP_SYSTEM_KEY"]}
    headers = {"aeg-event-type": "Notification"}
    place = f"{url}/runtime/webhooks/eventgrid"
    async with stage.session.post(place, json=[event], params=query, headers=headers) as response:
        assert response.status == 202, await response.text()
