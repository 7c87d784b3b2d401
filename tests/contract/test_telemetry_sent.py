"""What `collect` sends is such as the queries of alerts and of the workbook take it for (infra/queries).

They add a counter's rows up, take a gauge's newest, and look for a span of each write. So a row must be what came since
the row before it, nothing may be told again, and no span may be left out: read here as Microsoft's exporter sends it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hubwarden.telemetry.collecting import EVERY
from tests.ingestion import ALONE, Ingestion

ROOT = Path(__file__).parents[2]
TRACE = "0af7651916cd43dd8448eb211c80319c"
PATIENCE = 120.0
"""Seconds that a test waits for what must come: no measure of speed."""

NOT_SAMPLED = f"00-{TRACE}-b7ad6b7169203331-00"

MEASURING = """
import sys
from opentelemetry import metrics
from hubwarden.model.work import Cause
from hubwarden.telemetry import instruments
from hubwarden.telemetry.collecting import collect
from hubwarden.telemetry.tracing import caused_by, span

assert collect(sys.argv[1])
flush = metrics.get_meter_provider().force_flush
instruments.changes.add(1, {"op": "put", "result": "failed"})
instruments.queue_poison.set(5)
instruments.queue_poison.set(7)
instruments.latency.record(4.0, {"in_time": "true"})
instruments.latency.record(9.0, {"in_time": "true"})
assert flush()
instruments.changes.add(2, {"op": "put", "result": "failed"})
instruments.latency.record(3.0, {"in_time": "true"})
assert flush()
assert flush()
with caused_by(Cause(sys.argv[2])), span("look"):
    pass
instruments.sweeps.add(1)
"""


IDLE = """
import sys
from hubwarden.telemetry import instruments
from hubwarden.telemetry.collecting import collect

assert collect(sys.argv[1])
instruments.sweeps.add(1)
sys.stdin.read()
"""


def environment(**variables: str) -> dict[str, str]:
    """That of a process of its own."""
    return {**os.environ, **ALONE, "PYTHONPATH": str(ROOT), **variables}


def measured(ingestion: Ingestion, **variables: str) -> Ingestion:
    """What arrives of a process of its own that measures this, and ends."""
    command = [sys.executable, "-c", MEASURING, ingestion.connection_string, NOT_SAMPLED]
    subprocess.run(command, cwd=ROOT, env=environment(**variables), check=True)
    return ingestion


@pytest.fixture(scope="module")
def arrived() -> Iterator[Ingestion]:
    """What arrives with the settings that `infra` makes."""
    with Ingestion() as ingestion:
        yield measured(ingestion)


def told(ingestion: Ingestion, name: str) -> list[dict[str, Any]]:
    """A metric's rows, in the order in which they arrive."""
    rows = [metric for row in ingestion.rows("MetricData") for metric in row["metrics"]]
    return [{key: row.get(key) for key in ("value", "count", "max")} for row in rows if row["name"] == name]


def test_a_counter_tells_what_was_added_since_and_is_silent_when_nothing_was(arrived: Ingestion) -> None:
    """`sum(Sum)` over the rows of all instances is what happened; one that starts again tells nothing twice."""
    assert [row["value"] for row in told(arrived, "hubwarden.changes")] == [1, 2]


def test_a_gauge_tells_what_was_seen_last_and_only_once(arrived: Ingestion) -> None:
    """`arg_max(TimeGenerated, Sum)` is the newest look of any instance, not the last of one that looks no more."""
    assert told(arrived, "hubwarden.queue.poison") == [{"value": 7, "count": 1, "max": None}]


def test_a_histogram_tells_sum_number_and_longest_since_it_told_last(arrived: Ingestion) -> None:
    assert told(arrived, "hubwarden.event_to_record") == [
        {"value": 13.0, "count": 2, "max": 9.0},
        {"value": 3.0, "count": 1, "max": 3.0},
    ]


def test_a_process_that_ends_tells_what_it_had_not_told_yet(arrived: Ingestion) -> None:
    assert [row["value"] for row in told(arrived, "hubwarden.sweeps")] == [1]


def test_an_instance_that_is_idle_has_told_all_before_it_may_be_gone() -> None:
    """On Flex Consumption after half a minute, however it ends: a sweep that nobody tells of is an alert (no-sweep)."""
    assert EVERY < 30 / 2
    with Ingestion() as ingestion:
        command = [sys.executable, "-c", IDLE, ingestion.connection_string]
        with subprocess.Popen(command, cwd=ROOT, env=environment(), stdin=subprocess.PIPE) as idle:
            assert ingestion.arrived.wait(PATIENCE)
            idle.kill()
        assert [row["value"] for row in told(ingestion, "hubwarden.sweeps")] == [1]


def test_a_trace_that_its_cause_did_not_record_is_told_all_the_same(arrived: Ingestion) -> None:
    """Azure's front ends say so in the traceparents that they make up, and so may anybody who sends one.

    Else none of the writes in it had a span, and each would be another's (alerts/unknown-write.kql).
    """
    [span] = arrived.rows("RemoteDependencyData")
    [tags] = [item["tags"] for item in arrived.taken if item["data"]["baseType"] == "RemoteDependencyData"]
    assert span["name"] == "hubwarden look"
    assert (tags["ai.operation.id"], tags["ai.cloud.role"]) == (TRACE, "hubwarden")


@pytest.mark.parametrize("sampler", ["always_off", "parentbased_traceidratio"])
def test_an_owner_may_have_fewer_traces_sent(sampler: str) -> None:
    """docs/monitoring.md, "Traces"."""
    with Ingestion() as ingestion:
        assert measured(ingestion, OTEL_TRACES_SAMPLER=sampler).rows("RemoteDependencyData") == []
        assert told(ingestion, "hubwarden.sweeps") != []
