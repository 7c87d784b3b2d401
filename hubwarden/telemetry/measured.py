"""What is measured of a run, its writes, the zones, the queues: everything by its kind, nobody by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import assert_never

from hubwarden.model.connection import POLICY, Decision, Verdict
from hubwarden.model.coverage import Finding
from hubwarden.model.hub import HubZones
from hubwarden.model.plan import Change, Drop, Held, HeldReason, Put
from hubwarden.model.report import Outcome, Report, Result
from hubwarden.model.scope import Everything, OneEndpoint, OneGroup, OneTarget, OneZone, Pending, Scope
from hubwarden.model.word import Word
from hubwarden.model.zone import LinkZone, MakeZone, ZoneChange
from hubwarden.telemetry import instruments
from hubwarden.telemetry.tracing import cause_now

ALERTS = (HeldReason.FOREIGN_CONFLICT, HeldReason.OVER_LIMIT)
"""What is held for a person, and worth to be told at once."""

LONGEST = 86400.0
"""Seconds; an event's time is Event Grid's word, and one that is older, or still to come, is not believed further."""

NO_ANSWER = "no_answer"


@contextmanager
def unanswered(scope: Scope, now: Callable[[], float]) -> Iterator[None]:
    """Measures a run that ends without a Report, because Azure or the ledger gave no answer, or none in time."""
    began = now()
    try:
        yield
    except BaseException:
        instruments.runs.record(now() - began, {"scope": kind_of(scope), "status": NO_ANSWER})
        raise


def measure(report: Report, *, answers: bool = True) -> None:
    """Everything that a Report tells of its run, be it done or only planned.

    `answers` says whether the settings let connections be answered: in mode plan each of them waits for a person.
    """
    plan, scope = report.plan, {"scope": kind_of(report.scope)}
    lasted = (report.finished_at - report.started_at).total_seconds()
    instruments.runs.record(lasted, {**scope, "status": report.status.value})
    instruments.planned.record(len(plan.changes) + len(plan.zones), scope)
    for outcome in report.outcomes:
        _count(outcome)
    for held in plan.held:
        if held.reason in ALERTS:
            instruments.alerts.add(1, {"reason": held.reason.value})
    if isinstance(report.scope, Everything) and report.complete:
        made = [each for each in report.outcomes if isinstance(each.change, Put) and each.result is Result.DONE]
        instruments.right.set(len(plan.unchanged) + len(made))
        _gauge(instruments.held_records, (held for held in plan.held if held.connection is None))
    if isinstance(report.scope, Everything | Pending) and report.complete:
        _gauge(instruments.held_connections, (held for held in plan.held if held.connection is not None))
        _measure_waiting(report, answers=answers)


def swept() -> None:
    """A sweep that looked at everything has ended, in the mode that the settings say."""
    instruments.sweeps.add(1)


def brought(change: Change, now: float) -> None:
    """How long it took from an event to a record that it has brought or taken away just now."""
    cause = cause_now()
    if not cause.at:
        return
    took = min(max(now - cause.at, 0.0), LONGEST)
    known = {"in_time": _word(took <= instruments.OBJECTIVE), "follow_up": _word(cause.again)}
    instruments.latency.record(took, {"op": _op(change), **known})


def measure_zones(hubs: Iterable[HubZones], *, full_soon: float) -> None:
    """How full the fullest zone is, and each that is `full_soon` or fuller."""
    zones = [(hub.hub.name, zone) for hub in hubs for zone in hub.zones.values()]
    instruments.fullest_zone.set(max((zone.fill for _, zone in zones), default=0.0))
    for hub, zone in zones:
        if zone.fill >= full_soon:
            instruments.zone_fill.set(zone.fill, {"hub": hub, "zone": str(zone.name)})


def measure_backlog(*, length: int, age: float, poison: int, undelivered: int) -> None:
    """What waits in the work queue (`age` in seconds), lies in its poison queue, and was not announced yet."""
    instruments.queue_length.set(length)
    instruments.queue_age.set(age)
    instruments.queue_poison.set(poison)
    instruments.outbox.set(undelivered)


def measure_coverage(counts: Mapping[Finding, int]) -> None:
    """How many subscriptions of the estate there are of each finding, be it none."""
    for finding, count in counts.items():
        instruments.coverage.set(count, {"finding": finding.value})


def was_throttled(service: str) -> None:
    """Azure refused a request as one too many: ARM and Resource Graph by 429, Storage by 503, too."""
    instruments.throttled.add(1, {"service": service})


def kind_of(scope: Scope) -> str:
    """What sort of scope it is."""
    match scope:
        case Everything():
            return "everything"
        case Pending():
            return "pending"
        case OneEndpoint():
            return "endpoint"
        case OneTarget():
            return "target"
        case OneGroup():
            return "group"
        case OneZone():
            return "zone"
        case Word():
            return "word"
        case _ as never:
            assert_never(never)


def _count(outcome: Outcome) -> None:
    if isinstance(outcome.change, Decision):
        by = "policy" if outcome.change.who == POLICY else "person"
        told = {"verdict": outcome.change.verdict.value, "by": by, "result": outcome.result.value}
        instruments.answers.add(1, told)
    else:
        instruments.changes.add(1, {"op": _op(outcome.change), "result": outcome.result.value})


def _op(change: Change | ZoneChange) -> str:
    match change:
        case Put():
            return "put"
        case Drop():
            return "drop"
        case MakeZone():
            return "make_zone"
        case LinkZone():
            return "link_zone"
        case _ as never:
            assert_never(never)


def _gauge(gauge: instruments.Gauge, held: Iterable[Held]) -> None:
    """Every reason, also those that there are none of: what is not told is not known."""
    counted = Counter(each.reason for each in held)
    for reason in HeldReason:
        gauge.set(counted[reason], {"reason": reason.value})


def _measure_waiting(report: Report, *, answers: bool) -> None:
    holding = [decision for decision in report.decisions if decision.verdict is Verdict.HOLD or not answers]
    since = [decision.since for decision in holding if decision.since is not None]
    instruments.waiting.set(len(holding))
    instruments.longest_wait.set(max((report.finished_at.timestamp() - each for each in since), default=0.0))


def _word(value: bool) -> str:
    return "true" if value else "false"
