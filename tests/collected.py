"""What is measured and traced, collected in this process by OpenTelemetry's own SDK.

The SDK's providers are the process's for good, so they stay; what is collected is read as a difference, and spans are
kept only while a test asks for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

Point = tuple[str, ...]
"""A metric's name and the values of its attributes, in the order of their names."""


class _Kept(SpanProcessor):
    """Keeps the spans that end while somebody asks for them."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] | None = None

    def on_end(self, span: ReadableSpan) -> None:
        if self.spans is not None:
            self.spans.append(span)


@cache
def _sdk() -> tuple[InMemoryMetricReader, _Kept]:
    reader = InMemoryMetricReader({Counter: AggregationTemporality.DELTA, Histogram: AggregationTemporality.DELTA})
    metrics.set_meter_provider(MeterProvider([reader], shutdown_on_exit=False))
    kept, provider = _Kept(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(kept)
    trace.set_tracer_provider(provider)
    return reader, kept


@dataclass(slots=True)
class Collected:
    """What was measured and traced since the test began."""

    reader: InMemoryMetricReader
    spans: list[ReadableSpan]
    attributes: dict[str, set[str]] = field(default_factory=dict)
    """Of each metric that was read: the names of its attributes."""

    def points(self, *names: str) -> dict[Point, float]:
        """What was measured since it was read last: sums, and the last values of gauges; some metrics, or all."""
        return {point: value for point, (value, _) in self._read(names).items()}

    def counts(self, *names: str) -> dict[Point, int]:
        """How often histograms were measured since they were read last."""
        return {point: count for point, (_, count) in self._read(names).items()}

    def _read(self, names: tuple[str, ...]) -> dict[Point, tuple[float, int]]:
        data = self.reader.get_metrics_data()
        found: dict[Point, tuple[float, int]] = {}
        for metric in [
            each for of in (data.resource_metrics if data else ()) for s in of.scope_metrics for each in s.metrics
        ]:
            for point in metric.data.data_points:
                given = dict(point.attributes or {})
                self.attributes.setdefault(metric.name, set()).update(given)
                name = (metric.name, *(str(given[key]) for key in sorted(given)))
                if names and metric.name not in names:
                    continue
                if isinstance(point, HistogramDataPoint):
                    found[name] = (point.sum, point.count)
                else:
                    assert not hasattr(point, "scale")
                    found[name] = (point.value, 1)
        return found

    def named(self, name: str) -> list[ReadableSpan]:
        """The spans of that name, in the order of their ends."""
        return [span for span in self.spans if span.name == name]


@pytest.fixture
def collected() -> Iterator[Collected]:
    """What is measured and traced while the test runs, requests to Azure among it."""
    reader, kept = _sdk()
    reader.get_metrics_data()
    kept.spans = []
    yield Collected(reader, kept.spans)
    kept.spans = None
    reader.get_metrics_data()
