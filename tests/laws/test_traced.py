"""A trace leads from what caused a run, through the work queue, to the write (W3C Trace Context)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from azure.functions import HttpRequest, QueueMessage
from azure.storage.queue import TextBase64DecodePolicy
from azure.storage.queue.aio import QueueClient
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode, format_span_id, format_trace_id

from handlers import api, events, sweep, work
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneEndpoint
from hubwarden.model.work import WORK_QUEUE, Cause, WorkItem
from hubwarden.telemetry.tracing import cause_now, caused_by
from tests.azure import Azure
from tests.collected import Collected
from tests.estate import Estate, config
from tests.laws.conftest import Founding, invocation
from tests.laws.test_approvals import OWN, asked, guarded
from tests.laws.test_measured import LATENCY, LONG, endpoint_of
from tests.storage import taken

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"


def trace_of(span: ReadableSpan) -> str:
    return format_trace_id(span.context.trace_id) if span.context else ""


def above(collected: Collected, span: ReadableSpan) -> list[str]:
    """The names of the spans above one, from the next one up."""
    by_id = {each.context.span_id: each for each in collected.spans if each.context}
    names = []
    while span.parent and span.parent.span_id in by_id:
        span = by_id[span.parent.span_id]
        names.append(span.name)
    return names


def puts(collected: Collected) -> list[ReadableSpan]:
    """The requests that write records."""
    return [
        span
        for span in collected.named("PUT")
        if span.attributes and "/A/st1" in str(span.attributes.get("url.full", ""))
    ]


async def item_of(estate: Estate) -> WorkItem:
    """The one item in the work queue, taken out of it."""
    policy = TextBase64DecodePolicy()
    async with QueueClient.from_connection_string(
        estate.connection_string, WORK_QUEUE, message_decode_policy=policy
    ) as client:
        [text] = await taken(client)
    return WorkItem.from_json(text)


async def test_a_write_is_in_the_trace_of_its_event(estate: Estate, collected: Collected) -> None:
    endpoint = ResourceId.parse(await endpoint_of(estate))
    looked = await estate.hubwarden.look(OneEndpoint(endpoint), within=LONG, cause=Cause(PARENT))
    assert looked.report is not None
    [put] = puts(collected)
    assert trace_of(put) == TRACE
    ours = [name for name in above(collected, put) if name.startswith("hubwarden ")]
    assert ours == ["hubwarden put record", "hubwarden apply", "hubwarden run", "hubwarden look"]
    [look] = collected.named("hubwarden look")
    assert look.parent is not None
    assert format_span_id(look.parent.span_id) == SPAN
    inside = [span for span in collected.spans if span.name.startswith("hubwarden ") and span is not look]
    assert {(span.attributes or {}).get("hubwarden.run") for span in inside} == {looked.report.run}
    assert {"hubwarden observe", "hubwarden apply"} <= {span.name for span in inside}
    assert {trace_of(span) for span in collected.spans if "hubwarden" in span.name} == {TRACE}


async def test_the_trace_goes_with_a_work_item_through_the_queue(found: Founding, collected: Collected) -> None:
    """An event comes while ARM does not answer; the follow-up's write is in its trace, and its latency the event's."""
    estate = await found(followUps=["100ms"])
    endpoint = ResourceId.parse(await endpoint_of(estate))
    fault = {"service": "arm", "method": "GET", "path": "/privateEndpoints/pe1$", "status": 500, "times": 4}
    await estate.azure.sim("POST", "faults", fault)
    await estate.hubwarden.look(OneEndpoint(endpoint), within=LONG, cause=Cause(PARENT, estate.time.now() - 3))
    assert puts(collected) == []
    item = await item_of(estate)
    assert (item.attempt, item.since) == (1, estate.time.now() - 3)
    _, trace, span, _ = item.trace.split("-")
    [look] = collected.named("hubwarden look")
    assert look.context is not None
    assert (trace, span) == (TRACE, format_span_id(look.context.span_id))
    estate.time.seconds = item.due + 4
    took = estate.time.now() - item.since
    await estate.hubwarden.work(item, within=LONG)
    assert [trace_of(put) for put in puts(collected)] == [TRACE]
    assert collected.points(LATENCY) == {(LATENCY, "true", "true", "put"): pytest.approx(took)}


async def test_a_promised_run_is_in_the_trace_of_whoever_asked(estate: Estate, collected: Collected) -> None:
    scope = OneEndpoint(ResourceId.parse(await endpoint_of(estate)))
    with caused_by(Cause(PARENT)):
        await estate.hubwarden.start(scope)
    await estate.hubwarden.work(await item_of(estate), within=LONG)
    assert [trace_of(put) for put in puts(collected)] == [TRACE]


async def test_an_answer_has_its_spans(found: Founding, collected: Collected) -> None:
    estate = await guarded(found, OWN)
    endpoint = ResourceId.parse(await asked(estate, await estate.azure.storage_account("st1")))
    await estate.hubwarden.look(OneEndpoint(endpoint), within=LONG, cause=Cause(PARENT))
    assert {trace_of(span) for name in ("decide", "answer connection") for span in collected.named(f"hubwarden {name}")}
    [answer] = collected.named("hubwarden answer connection")
    assert (trace_of(answer), above(collected, answer)) == (TRACE, ["hubwarden run", "hubwarden look"])


@pytest.fixture
def doors(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> Estate:
    """The estate, to which the doors of this process lead."""
    monkeypatch.setattr("hubwarden.runtime._process.runtime", estate.hubwarden)
    return estate


def event_of(endpoint: str, estate: Estate, **more: str) -> str:
    """A CloudEvent of two seconds ago."""
    time = datetime.fromtimestamp(estate.time.now() - 2, UTC).isoformat()
    return json.dumps({"specversion": "1.0", "id": "1", "subject": endpoint, "time": time, **more})


@pytest.mark.parametrize("own", [True, False], ids=["its own trace", "its delivery's trace"])
@pytest.mark.parametrize("queued", [True, False], ids=["from the queue", "from the webhook"])
async def test_an_event_brings_its_trace_and_its_time_through_the_door(
    doors: Estate, collected: Collected, own: bool, queued: bool
) -> None:
    """CloudEvents' own `traceparent`, where there is one; else what the worker says of the invocation."""
    endpoint = await endpoint_of(doors)
    event = event_of(endpoint, doors, **({"traceparent": PARENT} if own else {}))
    delivered = invocation(PARENT if not own else PARENT.replace(TRACE, "1" * 32))
    if queued:
        await work.work.build("").get_user_function()(QueueMessage(body=event.encode()), delivered)
    else:
        await events.events.build("").get_user_function()(event, delivered)
    assert [trace_of(put) for put in puts(collected)] == [TRACE]
    assert collected.points(LATENCY) == {(LATENCY, "false", "true", "put"): 2}


async def test_a_timer_runs_in_the_trace_of_its_invocation(doors: Estate, collected: Collected) -> None:
    await endpoint_of(doors)
    timer = SimpleNamespace(past_due=False)
    await sweep.sweep.build("").get_user_function()(timer, invocation(PARENT))
    assert [trace_of(put) for put in puts(collected)] == [TRACE]
    await sweep.pending.build("").get_user_function()(timer, invocation(PARENT))
    points = collected.points("hubwarden.runs", "hubwarden.queue.length")
    assert {point[:2] for point in points} == {
        ("hubwarden.runs", "everything"),
        ("hubwarden.runs", "pending"),
        ("hubwarden.queue.length",),
    }


async def test_a_request_runs_in_the_trace_of_whoever_asked(
    doors: Estate, collected: Collected, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, azure: Azure
) -> None:
    settled = config(tmp_path, azure.url, doors.connection_string)
    monkeypatch.setattr("hubwarden.runtime._process.config", settled)
    body = json.dumps({"endpoint": await endpoint_of(doors)}).encode()
    asked = HttpRequest("POST", "https://app/api/reconcile", headers={"traceparent": PARENT}, body=body)
    answer = await api.api_reconcile.build("").get_user_function()(asked)
    assert answer.status_code == 200
    assert [trace_of(put) for put in puts(collected)] == [TRACE]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("nonsense", id="a word"),
        pytest.param(f"00-{'0' * 32}-{SPAN}-01", id="the trace that is none"),
        pytest.param(f"00-{TRACE}-{'0' * 16}-01", id="the span that is none"),
        pytest.param(f"ff-{TRACE}-{SPAN}-01", id="a version that will never be"),
        pytest.param(f"00-{TRACE.upper()}-{SPAN}", id="no flags"),
        pytest.param(f"00-{TRACE}-{SPAN}-01\r\nx: y", id="a line end"),
    ],
)
async def test_a_traceparent_that_is_none_is_ignored(estate: Estate, collected: Collected, text: str) -> None:
    """W3C Trace Context section 3.2.2: who gets a traceparent that is none begins a trace of its own."""
    endpoint = ResourceId.parse(await endpoint_of(estate))
    await estate.hubwarden.look(OneEndpoint(endpoint), within=LONG, cause=Cause(text))
    [put] = puts(collected)
    assert trace_of(put) not in ("", TRACE, "0" * 32)
    [look] = collected.named("hubwarden look")
    assert look.parent is None
    assert trace_of(look) == trace_of(put)


async def test_a_failed_write_bears_the_type_of_its_error_and_nothing_of_its_text(
    estate: Estate, collected: Collected
) -> None:
    endpoint = await endpoint_of(estate)
    body = {"error": {"code": "AuthorizationFailed", "message": "Jane Doe may not"}}
    fault = {"service": "arm", "method": "PUT", "path": "/A/st1$", "status": 403, "times": 1, "body": body}
    await estate.azure.sim("POST", "faults", fault)
    report = await estate.look(endpoint)
    assert "Jane Doe" in report.outcomes[0].error
    [put] = collected.named("hubwarden put record")
    assert (put.status.status_code, put.status.description) == (StatusCode.ERROR, "DeniedError")
    spans = json.dumps(
        [[str(span.attributes), str(span.events), str(span.status.description)] for span in collected.spans]
    )
    assert "Jane Doe" not in spans


def test_outside_of_any_trace_nothing_is_handed_on() -> None:
    assert cause_now() == Cause()
    with caused_by(Cause("nonsense", 5.0, again=True)):
        assert cause_now() == Cause("", 5.0, again=True)
    assert cause_now() == Cause()
