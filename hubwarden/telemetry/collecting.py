"""Where what is measured goes: to Application Insights, if there is one. Until then nothing but the API is imported."""

from __future__ import annotations

import logging

from opentelemetry import metrics, trace

from hubwarden.telemetry.instruments import NAME

EVERY = 5.0
"""Seconds between two tellings of metrics, as of spans.

Without work an instance on Flex Consumption may be gone after half a minute, and perhaps not in good order: with a
minute, which is OpenTelemetry's default, nobody might ever hear what a sweep has measured.
"""

log = logging.getLogger(__name__)


def is_collected() -> bool:
    """Whether anybody collects what is measured: only an SDK's provider can flush."""
    return hasattr(metrics.get_meter_provider(), "force_flush")


def collect(connection_string: str) -> bool:
    """Sends metrics and spans to this Application Insights from now on; whether it does.

    Not where there is none, nor where the platform's worker has begun to collect already. A connection string that is
    none is logged: nobody's records wait for what is measured.
    """
    if not connection_string or is_collected():
        return False
    from azure.monitor.opentelemetry.exporter import AzureMonitorMetricExporter, AzureMonitorTraceExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ALWAYS_ON, DEFAULT_ON

    try:
        measurements = AzureMonitorMetricExporter(connection_string=connection_string)
        spans = AzureMonitorTraceExporter(connection_string=connection_string)
    except ValueError as error:
        log.error("telemetry: nothing is sent: %s", error)
        return False
    resource = Resource.create({"service.name": NAME})
    reader = PeriodicExportingMetricReader(measurements, export_interval_millis=1000 * EVERY)
    metrics.set_meter_provider(MeterProvider([reader], resource))
    tracing = TracerProvider(resource=resource)
    if tracing.sampler is DEFAULT_ON:
        # It obeys the traceparent: whoever delivers an event would decide whether what we write because of it is told.
        tracing.sampler = ALWAYS_ON
    tracing.add_span_processor(BatchSpanProcessor(spans))
    trace.set_tracer_provider(tracing)
    return True
