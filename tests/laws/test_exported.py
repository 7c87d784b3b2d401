"""What arrives at Application Insights is what the queries of alerts ask for (infra/queries, docs/monitoring.md).

A span of a client becomes a row of AppDependencies with its address in Data, a metric one of AppMetrics with Sum and
ItemCount: Microsoft's exporter makes them, and what it sends is read here.
"""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from azure.monitor.opentelemetry.exporter import AzureMonitorMetricExporter, AzureMonitorTraceExporter

from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneEndpoint
from hubwarden.model.work import Cause
from tests.azure import BLOB_ZONE
from tests.collected import Collected
from tests.estate import Estate
from tests.laws.conftest import Founding
from tests.laws.test_approvals import OWN, asked, guarded
from tests.laws.test_measured import LATENCY, LONG, TRACE, endpoint_of, happened

Envelopes = list[dict[str, Any]]


class Ingestion:
    """Application Insights' endpoint, as far as the exporter talks to it: it takes all, and keeps it."""

    def __init__(self) -> None:
        self.taken: Envelopes = []
        taken = self.taken

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                items = json.loads(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
                taken.extend(items)
                answer = json.dumps({"itemsReceived": len(items), "itemsAccepted": len(items), "errors": []}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing: the test says what it saw."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        key = "InstrumentationKey=00000000-0000-0000-0000-000000000000"
        self.connection_string = f"{key};IngestionEndpoint=http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Ingestion:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def ingestion(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ingestion]:
    """An endpoint on loopback, and an exporter that speaks to no other."""
    for name in ("STATSBEAT_DISABLED_ALL", "SDKSTATS_DISABLED", "CONTROLPLANE_DISABLED"):  # it would ask Microsoft
        monkeypatch.setenv(f"APPLICATIONINSIGHTS_{name}", "true")
    with Ingestion() as ingestion:
        yield ingestion


def sent(ingestion: Ingestion, collected: Collected) -> Envelopes:
    """The spans that were collected, as they arrive."""
    exporter = AzureMonitorTraceExporter(connection_string=ingestion.connection_string, disable_offline_storage=True)
    exporter.export(collected.spans)
    exporter.shutdown()
    return [item["data"]["baseData"] for item in ingestion.taken if item["data"]["baseType"] == "RemoteDependencyData"]


def writes(rows: Envelopes) -> list[tuple[str, str]]:
    """What alerts/unknown-write.kql makes of the rows: successful requests that are no GET, by the resource's id."""
    told = [row for row in rows if not row["name"].startswith("GET ") and row["resultCode"].startswith("2")]
    paths = [(row["name"].split(" ")[0], unquote(urlsplit(row.get("data", "")).path).lower()) for row in told]
    return [(verb, path) for verb, path in paths if path.startswith("/subscriptions/")]


async def test_a_write_arrives_with_the_records_id(estate: Estate, ingestion: Ingestion, collected: Collected) -> None:
    """So that the activity log's own row of it has its like (alerts/unknown-write.kql)."""
    endpoint = await endpoint_of(estate)
    await happened(estate, endpoint, ago=1.0)
    await estate.delete_endpoint(endpoint)
    await happened(estate, endpoint, ago=1.0)
    record = f"/privatednszones/{BLOB_ZONE}/a/st1"
    arrived = writes(sent(ingestion, collected))
    assert [(verb, path.endswith(record)) for verb, path in arrived] == [("PUT", True), ("DELETE", True)]


async def test_a_refused_write_is_none(estate: Estate, ingestion: Ingestion, collected: Collected) -> None:
    """The exporter calls it a success all the same: only its code tells."""
    endpoint = await endpoint_of(estate)
    fault = {"service": "arm", "method": "PUT", "path": "/A/st1$", "status": 403, "times": 1}
    await estate.azure.sim("POST", "faults", fault)
    await happened(estate, endpoint, ago=1.0)
    assert writes(sent(ingestion, collected)) == []


async def test_an_answer_arrives_with_the_connections_id(
    found: Founding, ingestion: Ingestion, collected: Collected
) -> None:
    estate = await guarded(found, OWN)
    endpoint = ResourceId.parse(await asked(estate, await estate.azure.storage_account("st1")))
    looked = await estate.hubwarden.look(OneEndpoint(endpoint), within=LONG, cause=Cause(TRACE))
    assert looked.report is not None
    [decision] = looked.report.decisions
    assert ("PUT", decision.connection.id.key) in writes(sent(ingestion, collected))


async def test_every_span_of_ours_arrives_with_its_run(
    estate: Estate, ingestion: Ingestion, collected: Collected
) -> None:
    """docs/operations.md asks for a run by this property."""
    await happened(estate, await endpoint_of(estate), ago=1.0)
    ours = {row["name"]: row["properties"] for row in sent(ingestion, collected) if row["type"] == "InProc"}
    assert ours["hubwarden put record"]["hubwarden.run"]


async def test_a_metric_arrives_with_sum_count_and_attributes(
    estate: Estate, ingestion: Ingestion, collected: Collected
) -> None:
    await happened(estate, await endpoint_of(estate), ago=4.0)
    measured = collected.reader.get_metrics_data()
    assert measured is not None
    exporter = AzureMonitorMetricExporter(connection_string=ingestion.connection_string, disable_offline_storage=True)
    exporter.export(measured)
    exporter.shutdown()
    [row] = [item["data"]["baseData"] for item in ingestion.taken if LATENCY in json.dumps(item)]
    [metric] = row["metrics"]
    assert {key: metric[key] for key in ("name", "value", "count", "max")} == {
        "name": LATENCY,
        "value": 4.0,
        "count": 1,
        "max": 4.0,
    }
    assert row["properties"] == {"op": "put", "in_time": "true", "follow_up": "false"}
