"""What a sweep of the whole estate costs: while nothing differs, hardly more for many endpoints than for few."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Any

from benchmarks.calls import counted
from benchmarks.estate import Served, documents
from benchmarks.stage import Stage
from benchmarks.table import Row, Section, spread
from hubwarden.config.loading import Config, load
from hubwarden.model.plan import Plan
from hubwarden.model.record import Owner
from hubwarden.model.report import Status
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import Everything
from hubwarden.runtime import Runtime

SIZES = (100, 1000)
ROUNDS = 5
DIFFERENCES = 5
HARMED = 4  # the fifth difference is a new endpoint
PAGE = 1000
HOUR, WITHIN = 3600.0, 540.0
AT_ONCE = 200
WRONG_ADDRESS = "10.9.9.9"

HOW = (
    "`Runtime.look` at everything in this process, as the timer does it every 15 min, ARM and Resource Graph answering "
    f"at once, nothing else under way; {ROUNDS} sweeps at rest and {ROUNDS} with differences in turn: 2 records "
    "deleted by hand, 1 edited, 1 endpoint gone unheard, 1 new. One hub with one zone, two subscriptions, one name for "
    "each endpoint. Endpoints, interfaces and records are put in as documents, but for the records that come to harm "
    "later: Hubwarden has written those itself. Calls are told by their principal in the local Azure's log; those to "
    "storage are not in it. The clock is put forward an hour before each sweep, so nothing that Hubwarden remembers of "
    "zones and subscriptions saves it a call: most sweeps make fewer. Wall time has in it what the local Azure and its "
    "storage take to answer; CPU is processor time of this process alone."
)
AT_REST = (
    "external-dns: 'refreshes all the records of a zone using API calls' every minute (--interval, by default 1m0s); "
    "with 200,000 records in Route 53 about 70 calls each time (kubernetes-sigs/external-dns, "
    "docs/advanced/rate-limits.md)"
)
FOUND = (
    "Azure Policy: 'Once every 24 hours, assignments are automatically reevaluated', with 'no pre-defined expectation "
    "of when the evaluation cycle completes' (Microsoft Learn, 'Get compliance data of Azure resources')"
)
ALWAYS = "3 = 1 zone list + 2 subscriptions, for any number of endpoints"
EACH = "15 = 3 at rest + 5 GET of endpoints + 1 of the edited record + 1 of the gone one's subscription + 5 writes"


@dataclass(slots=True)
class Clock:
    """The time as Hubwarden has it."""

    ahead: float = 0.0

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time() + self.ahead


@dataclass(slots=True)
class Figures:
    """The calls, in words, and the seconds of each sweep of a kind."""

    calls: set[str] = field(default_factory=set)
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def rows(self, what: str, goal: str, peers: str) -> list[Row]:
        """What was measured, as lines of the table."""
        return [
            Row(f"{what}: calls to ARM", " or ".join(sorted(self.calls)), goal, peers),
            Row(f"{what}: wall", spread(self.wall)),
            Row(f"{what}: CPU", spread(self.cpu)),
        ]


class Estate:
    """A growing number of endpoints; the records of the last few are Hubwarden's own work, and come to harm."""

    def __init__(self, stage: Stage, config: Config) -> None:
        self._stage = stage
        self._config = config
        self._served: list[Served] = []
        self._made = 0

    async def grow(self, size: int) -> None:
        """Adds endpoints with their records, until there are so many; the last few without."""
        added = self._more(size - len(self._served))
        resources = [document for each in added for document in each.documents()]
        resources += [self._record(each, each.address) for each in added[:-HARMED]]
        for start in range(0, len(resources), AT_ONCE):
            await self._put(resources[start : start + AT_ONCE])

    async def differ(self) -> None:
        """Two records deleted by hand, one edited, one endpoint gone unheard, and a new one: no event tells of it."""
        *_, first, second, edited, gone = self._served
        for lost in (first.record, second.record, gone.id, gone.interface):
            await self._stage.sim("DELETE", f"resources?id={lost}")
        self._served.remove(gone)
        (new,) = self._more(1)
        await self._put([self._record(edited, WRONG_ADDRESS), *new.documents()])

    def _more(self, count: int) -> list[Served]:
        added = [Served(self._made + number) for number in range(count)]
        self._made += count
        self._served += added
        return added

    def _record(self, served: Served, address: str) -> dict[str, Any]:
        owner = Owner(self._config.instance, ResourceId.parse(served.id), served.guid)
        return served.record_set(address, self._config.ttl, owner.to_metadata())

    async def _put(self, resources: list[dict[str, Any]]) -> None:
        await self._stage.sim("POST", "resources", {"resources": resources, "emit": False})


async def measure(stage: Stage) -> Section:
    """Over a growing estate; to be asked at the end, for the estate is emptied first, and the clock never put back."""
    await _empty(stage)
    config, clock = load(), Clock()
    estate, rows = Estate(stage, config), list[Row]()
    async with Runtime.build(config, now=clock.now) as hubwarden:
        for size in SIZES:
            await estate.grow(size)
            await _sweep(stage, hubwarden, clock, Figures())
            at_rest, found = Figures(), Figures()
            for _ in range(ROUNDS):
                plan = await _sweep(stage, hubwarden, clock, at_rest)
                assert (len(plan.changes), len(plan.unchanged)) == (0, size)
                await estate.differ()
                plan = await _sweep(stage, hubwarden, clock, found)
                assert len(plan.changes) == DIFFERENCES
            what, asked = f"{size:,} endpoints", 4 + 3 * math.ceil(size / PAGE)
            at_rest_goal = f"{ALWAYS}; {asked} of Resource Graph (4, and 3 for each {PAGE:,})"
            rows += at_rest.rows(f"{what}, at rest", at_rest_goal, AT_REST)
            found_goal = f"{EACH}; {asked + 1} of Resource Graph (1 for where the gone one may be)"
            rows += found.rows(f"{what}, {DIFFERENCES} differences", found_goal, FOUND)
    return Section("The sweep", HOW, rows)


async def _empty(stage: Stage) -> None:
    """Nothing is left of what was measured before."""
    picture = await stage.sim("GET", "snapshot")
    await stage.sim("POST", "snapshot", {**picture, "targets": [], "resources": documents()})


async def _sweep(stage: Stage, hubwarden: Runtime, clock: Clock, figures: Figures) -> Plan:
    clock.ahead += HOUR
    await stage.forget()
    wall, cpu = time.perf_counter(), time.process_time()
    report = (await hubwarden.look(Everything(), within=WITHIN)).report
    figures.cpu.append(time.process_time() - cpu)
    figures.wall.append(time.perf_counter() - wall)
    assert report is not None
    assert report.status is Status.DONE
    figures.calls.add(await counted(stage))
    return report.plan
