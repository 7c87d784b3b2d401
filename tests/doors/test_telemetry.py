"""What one instance tells Application Insights, from the event through the queue to the write, as it arrives there.

Nothing is replaced but the endpoint: Microsoft's library for workers gives the doors their traces, and its exporter
sends what there is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from simulator.host_process import HostProcess
from simulator.up import PLATFORM
from tests.doors.local_azure import Spoke, Storage
from tests.doors.test_events import cloud_event
from tests.ingestion import ALONE, Envelopes, Ingestion

KEYS = ("APP_KEY", "APP_SYSTEM_KEY", "APP_MASTER_KEY")
EVENTS, DELIVERYS = "0af7651916cd43dd8448eb211c80319c", "4bf92f3577b34da6a3ce929d0e0e4736"
"""The trace that an event bears, and that of its delivery."""


@asynccontextmanager
async def telling(spoke: Spoke, storage: str, ingestion: Ingestion) -> AsyncIterator[Spoke]:
    """One more instance of the app, which tells it all there; when it has ended, it has told everything."""
    variables = {
        **{name: spoke.up.variables[name] for name in (*PLATFORM, *KEYS)},
        **ALONE,
        "AzureWebJobsStorage": storage,
        "HUBWARDEN_CONFIG": str(spoke.up.config),
        "APPLICATIONINSIGHTS_CONNECTION_STRING": ingestion.connection_string,
    }
    host = HostProcess("telling", spoke.up.app, variables, simulator=spoke.up.variables["SIM_URL"])
    try:
        yield replace(spoke, url=host.start(), storage=Storage(storage))
    finally:
        assert host.stop() == 0


def metric(ingestion: Ingestion, name: str) -> list[tuple[dict[str, str], int]]:
    """The attributes and the number of what was measured, row by row."""
    rows = [(row.get("properties", {}), each) for row in ingestion.rows("MetricData") for each in row["metrics"]]
    return [(attributes, each["count"]) for attributes, each in rows if each["name"] == name]


def spans(ingestion: Ingestion, name: str) -> Envelopes:
    """The spans whose name begins so."""
    told = [item for item in ingestion.taken if item["data"]["baseType"] == "RemoteDependencyData"]
    return [item for item in told if item["data"]["baseData"]["name"].startswith(name)]


@pytest.mark.parametrize("own", [True, False], ids=["the event's trace", "its delivery's trace"])
async def test_a_write_that_waited_in_the_queue_arrives_in_the_trace_of_its_event(
    silent: Spoke, storage: str, own: bool
) -> None:
    """A CloudEvent comes while ARM does not answer; neither its sender nor its delivery has recorded its trace."""
    endpoint = await silent.endpoint()
    bears = {"traceparent": f"00-{EVENTS}-b7ad6b7169203331-00"} if own else {}
    event = cloud_event(silent, endpoint, time=(datetime.now(UTC) - timedelta(hours=1)).isoformat(), **bears)
    with Ingestion() as ingestion:
        async with telling(silent, storage, ingestion) as app:
            await app.fault(method="GET", path=f"{endpoint}$", status=500, times=4)
            assert await app.deliver(event, traceparent=f"00-{DELIVERYS}-00f067aa0ba902b7-00") == 202

            async def is_done() -> bool:
                return await app.storage.count() == 0

            await app.until(is_done)
            assert await app.addresses() == ["10.1.0.4"]
    [put] = spans(ingestion, "PUT ")
    assert put["data"]["baseData"]["resultCode"] == "201"
    assert put["tags"]["ai.operation.id"] == (EVENTS if own else DELIVERYS)
    assert len(spans(ingestion, "hubwarden look")) == 2
    assert metric(ingestion, "hubwarden.event_to_record") == [
        ({"op": "put", "in_time": "false", "follow_up": "true"}, 1)
    ]
    assert metric(ingestion, "hubwarden.changes") == [({"op": "put", "result": "done"}, 1)]
