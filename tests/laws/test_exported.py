"""What arrives at Application Insights is what the queries of alerts ask for (infra/queries, docs/monitoring.md).

A span of a client becomes a row of AppDependencies with its address in Data, a metric one of AppMetrics with Sum and
ItemCount: Microsoft's exporter makes them, and what it sends is read here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

import pytest
from azure.monitor.opentelemetry.exporter import AzureMonitorMetricExporter, AzureMonitorTraceExporter

from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneEndpoint
from hubwarden.model.work import Cause
from tests.azure import BLOB_ZONE
from tests.collected import Collected
from tests.estate import Estate
from tests.house.test_infra_queries import QUERIES
from tests.ingestion import ALONE, Envelopes, Ingestion
from tests.laws.conftest import Founding
from tests.laws.test_approvals import OWN, asked, guarded
from tests.laws.test_measured import LATENCY, LONG, TRACE, endpoint_of, happened

UNKNOWN_WRITE = (QUERIES / "alerts" / "unknown-write.kql").read_text(encoding="utf-8")


@pytest.fixture
def ingestion(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ingestion]:
    """An endpoint on loopback, and an exporter that speaks to no other."""
    for name, value in ALONE.items():
        monkeypatch.setenv(name, value)
    with Ingestion() as ingestion:
        yield ingestion


def sent(ingestion: Ingestion, collected: Collected) -> Envelopes:
    """The spans that were collected, as they arrive."""
    exporter = AzureMonitorTraceExporter(connection_string=ingestion.connection_string, disable_offline_storage=True)
    exporter.export(collected.spans)
    exporter.shutdown()
    return ingestion.rows("RemoteDependencyData")


def writes(rows: Envelopes) -> list[tuple[str, str]]:
    """What alerts/unknown-write.kql makes of the rows: requests that may have written, by the resource's id."""
    assert 'Name !startswith "GET " and (ResultCode !startswith "4" or ResultCode == "412")' in UNKNOWN_WRITE
    may = [row for row in rows if not row["resultCode"].startswith("4") or row["resultCode"] == "412"]
    told = [row for row in may if not row["name"].startswith("GET ")]
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


@pytest.mark.parametrize(
    ("answer", "codes"),
    [
        pytest.param({"reset": True}, ["412"], id="no answer"),
        pytest.param({"status": 503}, ["503", "412"], id="an answer that is wrong"),
    ],
)
async def test_a_write_that_azure_did_without_saying_so_arrives(
    estate: Estate, ingestion: Ingestion, collected: Collected, answer: dict[str, object], codes: list[str]
) -> None:
    """The activity log tells of it as of any other. It is sent again, by aiohttp or azure-core, and found there."""
    endpoint = await endpoint_of(estate)
    fault = {"service": "arm", "method": "PUT", "path": "/A/st1$", "when": "after", "times": 1, **answer}
    await estate.azure.sim("POST", "faults", fault)
    await happened(estate, endpoint, ago=1.0)
    assert await estate.addresses()
    rows = sent(ingestion, collected)
    assert [row["resultCode"] for row in rows if row["name"].startswith("PUT ")] == codes
    assert [verb for verb, _ in writes(rows)] == ["PUT"] * len(codes)


async def test_a_write_whose_run_is_cut_short_before_the_answer_arrives(
    estate: Estate, ingestion: Ingestion, collected: Collected
) -> None:
    """A door has so many seconds: what it does not wait for, Azure does all the same."""
    endpoint = await endpoint_of(estate)
    slow = {"service": "arm", "method": "PUT", "path": "/A/st1$", "when": "after", "delayMs": 60_000}
    await estate.azure.sim("POST", "faults", slow)
    run = asyncio.create_task(happened(estate, endpoint, ago=1.0))
    await estate.until(estate.addresses)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert [verb for verb, _ in writes(sent(ingestion, collected))] == ["PUT"]


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
