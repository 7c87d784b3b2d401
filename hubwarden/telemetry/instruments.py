"""The instruments by which Hubwarden measures itself; docs/monitoring.md has a row for each.

While nobody collects, an instrument costs nothing. Attributes take few values: no ids of endpoints or of people, and
nothing that anybody wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from opentelemetry import metrics

NAME = "hubwarden"
OBJECTIVE = 10.0
"""Seconds from an event to its record, which 95 of 100 should keep."""

_SECONDS = (0.5, 1.0, 2.0, 5.0, OBJECTIVE, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 86400.0)
_CHANGES = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 5000.0)

_meter = metrics.get_meter(NAME)


class Gauge:
    """What was seen last, told once.

    A plain gauge repeats its last value for as long as its process lives. What one instance saw an hour ago would
    speak against what another sees now.
    """

    def __init__(self, name: str, unit: str) -> None:
        self._seen: dict[tuple[tuple[str, str], ...], float] = {}
        self.told = _meter.create_observable_gauge(name, [self._tell], unit)

    def set(self, value: float, attributes: Mapping[str, str] | None = None) -> None:
        """Notes a value, to be told with the next collection."""
        self._seen[tuple((attributes or {}).items())] = value

    def _tell(self, _: metrics.CallbackOptions) -> Iterable[metrics.Observation]:
        told = []
        while self._seen:  # one by one: another thread may note a value meanwhile
            attributes, value = self._seen.popitem()
            told.append(metrics.Observation(value, dict(attributes)))
        return told


def _histogram(name: str, unit: str, bounds: Sequence[float]) -> metrics.Histogram:
    return _meter.create_histogram(name, unit, explicit_bucket_boundaries_advisory=bounds)


latency = _histogram("hubwarden.event_to_record", "s", _SECONDS)
runs = _histogram("hubwarden.runs", "s", _SECONDS)
planned = _histogram("hubwarden.plan.changes", "{change}", _CHANGES)
changes = _meter.create_counter("hubwarden.changes", "{change}")
answers = _meter.create_counter("hubwarden.answers", "{answer}")
alerts = _meter.create_counter("hubwarden.alerts", "{item}")
sweeps = _meter.create_counter("hubwarden.sweeps", "{sweep}")
throttled = _meter.create_counter("hubwarden.throttled", "{request}")
right = Gauge("hubwarden.records.right", "{record}")
held_records = Gauge("hubwarden.held.records", "{item}")
held_connections = Gauge("hubwarden.held.connections", "{item}")
waiting = Gauge("hubwarden.waiting.connections", "{connection}")
longest_wait = Gauge("hubwarden.waiting.longest", "s")
zone_fill = Gauge("hubwarden.zone.fill", "1")
fullest_zone = Gauge("hubwarden.zone.fullest", "1")
queue_length = Gauge("hubwarden.queue.length", "{item}")
queue_age = Gauge("hubwarden.queue.age", "s")
queue_poison = Gauge("hubwarden.queue.poison", "{item}")
outbox = Gauge("hubwarden.outbox.undelivered", "{event}")
coverage = Gauge("hubwarden.coverage", "{subscription}")
