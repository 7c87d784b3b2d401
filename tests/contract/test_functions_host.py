"""The local Functions host does around a running app what Azure Functions does around it."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.storage.queue.aio import QueueClient

from simulator.azurite import Azurite
from simulator.host_process import HostProcess
from tests.contract.function_apps import RunningApp, encoded, event, messages, put, settings, write_app


@pytest.fixture(scope="module")
def host(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HostProcess, str]]:
    """The sample app, started once for this module."""
    storage = azurite.connection_string("account998")
    host = HostProcess("host-7", write_app(tmp_path_factory.mktemp("app")), settings(storage))
    host.start()
    yield host, storage
    assert host.stop() == 0


@pytest.fixture
async def app(host: tuple[HostProcess, str]) -> AsyncIterator[RunningApp]:
    """That app, at rest and with empty queues."""
    async with RunningApp(*host) as running:
        await running.rest()
        for name in ("heard", "done", "work-poison", "listed", "ticked"):
            await messages(running.storage, name)
        yield running


async def test_a_route_is_found_without_case_and_gives_its_parameters(app: RunningApp) -> None:
    """Behaviour reference section 8.4: /api/<route>, and what the worker is given of a request (host reference 3.3)."""
    path = "/API/zones/Privatelink%20X/RECORDS/12/?code=the-app-key&a=1"
    status, text, headers = await app.ask("POST", path, b"hello", X_Mine="yes")
    told = json.loads(text)
    assert (status, headers["X-Told"], headers["Content-Type"]) == (203, "all", "application/json")
    assert told["route"] == {"zone": "Privatelink X", "name": "12"}
    assert (told["query"]["a"], told["body"], told["method"]) == ("1", "hello", "POST")
    assert told["headers"]["x-mine"] == "yes"
    assert told["url"].startswith(app.host.url)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/zones/z/records/twelve"),
        ("DELETE", "/api/zones/z/records/12"),
        ("GET", "/api/nowhere"),
        ("GET", "/zones/z/records/12"),
    ],
    ids=["constraint", "method", "path", "prefix"],
)
async def test_what_no_route_covers_is_404(app: RunningApp, method: str, path: str) -> None:
    """Section 8.4; the platform has no 405."""
    assert (await app.ask(method, f"{path}?code=the-app-key"))[0] == 404


async def test_the_most_literal_route_wins_and_the_rest_of_a_path_can_be_taken(app: RunningApp) -> None:
    """ASP.NET's order of routes; a returned text is an answer of 200."""
    assert (await app.ask("GET", "/api/files/first"))[:2] == (200, "the first")
    assert (await app.ask("GET", "/api/files/a/b"))[:2] == (200, "a/b")
    assert sorted(await messages(app.storage, "listed")) == ["one", "two"]


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("/api/zones/z/records/1", "the-app-key", 203),
        ("/api/zones/z/records/1", "the-master-key", 203),
        ("/api/zones/z/records/1", "the-system-key", 401),
        ("/api/zones/z/records/1", "", 401),
        ("/api/secret", "the-master-key", 200),
        ("/api/secret", "the-app-key", 401),
        ("/admin/host/status", "the-master-key", 200),
        ("/admin/host/status", "the-app-key", 401),
    ],
)
async def test_keys_open_what_their_level_allows(app: RunningApp, path: str, key: str, status: int) -> None:
    """Section 8.4: a function key opens FUNCTION, only the master key opens ADMIN; `code` or `x-functions-key`."""
    assert (await app.ask("GET", f"{path}?code={key}"))[0] == status
    assert (await app.ask("GET", path, x_functions_key=key))[0] == status


async def test_the_app_does_not_see_the_keys(app: RunningApp) -> None:
    """The keys are the host's; an app of Azure does not find them in its environment."""
    assert (await app.ask("GET", "/api/secret", x_functions_key="the-master-key"))[1] == "no key here"


async def test_nobody_can_name_himself_principal(app: RunningApp) -> None:
    """The platform's front end takes x-ms-client-principal headers out of what comes from outside."""
    names = {"X_MS_CLIENT_PRINCIPAL": "e30=", "X_MS_CLIENT_PRINCIPAL_NAME": "eve", "x_functions_key": "the-app-key"}
    _, text, _ = await app.ask("GET", "/api/zones/z/records/1", None, **names)
    assert not [name for name in json.loads(text)["headers"] if "principal" in name]


async def test_an_exception_in_an_http_function_is_500(app: RunningApp) -> None:
    """Section 8.4; the body does not tell what happened."""
    assert (await app.ask("GET", "/api/broken"))[:2] == (500, "")


async def test_event_grid_gets_202_when_all_events_are_taken(app: RunningApp) -> None:
    """Section 8.3: one invocation for each event of the array, 202 if all succeed; the date keeps its 7 digits."""
    assert await app.notify(event("/a"), event("/b")) == (202, "")
    heard = [json.loads(text) for text in await messages(app.storage, "heard")]
    assert sorted(each["subject"] for each in heard) == ["/a", "/b"]
    assert heard[0]["data"] == {"status": "Succeeded"}


async def test_event_grid_gets_500_with_the_reason_when_one_event_fails(app: RunningApp) -> None:
    """Section 8.3: one failure fails the delivery, and what succeeded is delivered again."""
    assert await app.notify(event("/a"), event("/bad")) == (500, "ValueError: no such thing as /bad")
    assert len(await messages(app.storage, "heard")) == 1


async def test_a_trace_is_followed(app: RunningApp) -> None:
    """The worker is given the caller's trace with a span of its own (W3C trace context); else a new trace."""
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    await app.notify(event("/a"), traceparent=f"00-{trace}-00f067aa0ba902b7-01")
    await app.notify(event("/b"), traceparent="nonsense")
    first, second = (json.loads(text)["trace"] for text in await messages(app.storage, "heard"))
    assert first.startswith(f"00-{trace}-")
    assert "00f067aa0ba902b7" not in first
    assert trace not in second


@pytest.mark.parametrize("body", ["array", "object"])
async def test_the_handshake_is_answered_with_the_code(app: RunningApp, body: str) -> None:
    """Section 1.9: 200 with the code; from a CloudEvents subscription `data` is JSON within JSON."""
    path = "/runtime/webhooks/eventgrid?functionName=EVENTS&code=the-system-key"
    data = {"validationCode": "512d38b6"}
    asked: Any = [{"data": data}] if body == "array" else {"data": json.dumps(data)}
    status, text, _ = await app.ask("POST", path, asked, aeg_event_type="SubscriptionValidation")
    assert (status, json.loads(text)) == (200, {"validationResponse": "512d38b6"})


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [("eventgrid.azure.us", "eventgrid.azure.us"), ("evil.example", "eventgrid.azure.net")],
)
async def test_only_event_grid_may_subscribe_by_options(app: RunningApp, origin: str, allowed: str) -> None:
    """Section 1.9, CloudEvents: the origin is echoed only if it is Event Grid's (host reference 3.3)."""
    path = "/runtime/webhooks/eventgrid?functionName=events&code=the-system-key"
    status, _, headers = await app.ask("OPTIONS", path, WebHook_Request_Origin=origin)
    assert (status, headers["Webhook-Allowed-Origin"]) == (200, allowed)


@pytest.mark.parametrize(
    ("query", "kind", "body", "expected"),
    [
        ("functionName=events", "Notification", b"[]", (401, "")),
        ("functionName=events&code=the-app-key", "Notification", b"[]", (401, "")),
        ("functionName=gone&code=the-system-key", "Notification", b"[]", (404, "cannot find function: 'gone'")),
        ("functionName=work&code=the-system-key", "Notification", b"[]", (404, "cannot find function: 'work'")),
        ("functionName=events&code=the-system-key", "Unsubscribe", b"", (202, "")),
        ("functionName=events&code=the-system-key", "SubscriptionDeletion", b"", (400, "")),
        ("functionName=events&code=the-system-key", "Notification", b"[", (400, "the body is not JSON")),
        ("functionName=events&code=the-master-key", "Notification", b"[]", (202, "")),
    ],
    ids=["no key", "app key", "unknown", "other trigger", "unsubscribe", "unknown type", "not json", "master key"],
)
async def test_the_webhook_refuses_as_the_extension_does(
    app: RunningApp, query: str, kind: str, body: bytes, expected: tuple[int, str]
) -> None:
    """Section 8.3."""
    found = await app.ask("POST", f"/runtime/webhooks/eventgrid?{query}", body, aeg_event_type=kind)
    assert found[:2] == expected


async def test_a_message_is_decoded_handled_and_deleted(app: RunningApp) -> None:
    """Section 8.4: base64 by default; an output's queue is made when it is missing, its name may be a setting."""
    await put(app.storage, "work", encoded("häuser"), base64.b64encode(b"\xff").decode())
    await app.rest()
    done = {json.loads(text)[0] for text in await messages(app.storage, "done")}
    assert done == {repr("häuser".encode()), repr(b"\xff")}
    assert await messages(app.storage, "work") == []


async def test_a_message_that_fails_comes_back_and_at_the_fifth_time_is_poison(app: RunningApp) -> None:
    """Section 8.4: maxDequeueCount 5, then `<queue>-poison` with the same content."""
    before = (await app.status())["invocations"]["total"]
    await put(app.storage, "work", encoded("poison"), encoded("second time"))
    await app.rest()
    assert await messages(app.storage, "work-poison") == ["poison"]
    assert await messages(app.storage, "done") == [json.dumps([repr(b"second time"), 2, True])]
    status = await app.status()
    assert status["invocations"] == {"inFlight": 0, "total": before + 5 + 2}
    assert status["errors"][-1].endswith("of 'work' failed 5 times: moved to 'work-poison'")
    assert "attempt 5: RuntimeError: cannot be done" in status["errors"][-2]


async def test_a_message_that_is_not_base64_is_poison_at_once(app: RunningApp) -> None:
    """The extension cannot decode it, so no attempt would help."""
    await put(app.storage, "work", "plain text!")
    await app.rest()
    async with QueueClient.from_connection_string(app.storage, "work-poison") as queue:
        message = await queue.receive_message()
        assert message is not None
        assert message.content == "plain text!"
        await queue.delete_message(message)


async def test_a_message_whose_last_attempt_ended_with_the_host_is_poison(app: RunningApp) -> None:
    """The extension does not run a message a sixth time whose fifth attempt never reported."""
    async with QueueClient.from_connection_string(app.storage, "later") as queue:
        await queue.create_queue()
        await queue.send_message(encoded("unlucky"))
        for _ in range(5):
            taken = await queue.receive_message(visibility_timeout=600)
            assert taken is not None
            await queue.update_message(taken, visibility_timeout=0)
    code = """
import azure.functions as func
app = func.FunctionApp()
@app.queue_trigger(arg_name="message", queue_name="later", connection="AzureWebJobsStorage")
def work(message: func.QueueMessage) -> None:
    raise AssertionError("must not run")
"""
    directory = write_app(Path(os.environ["SSL_CERT_FILE"]).parent / "later", code)
    host = HostProcess("host-0", directory, settings(app.storage))
    host.start()
    async with RunningApp(host, app.storage) as running:
        await running.rest()
        while not (await running.status())["errors"]:
            await running.rest()
        assert "was taken 6 times: moved to 'later-poison'" in (await running.status())["errors"][0]
    host.stop()


async def test_the_master_key_starts_what_has_no_address(app: RunningApp) -> None:
    """Section 8.4: POST /admin/functions/{name} with {"input"}; 202 at once, for any trigger but HTTP."""
    for name, body in (
        ("sweep", {}),
        ("work", {"input": "by hand"}),
        ("events", {"input": event("/by-hand")}),
        ("warmup", []),
    ):
        assert (await app.ask("POST", f"/admin/functions/{name}", body, x_functions_key="the-master-key"))[0] == 202
    await app.rest()
    assert await messages(app.storage, "ticked") == ["in time"]
    assert [json.loads(text)["subject"] for text in await messages(app.storage, "heard")] == ["/by-hand"]
    status = await app.status()
    assert "function 'work' failed: " not in status["errors"][-1:]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/admin/functions/nothing", b"{}", 404),
        ("GET", "/admin/functions/sweep", None, 404),
        ("POST", "/admin/functions/records", b"{}", 400),
        ("POST", "/admin/functions/sweep", b"{", 400),
    ],
)
async def test_administration_refuses_what_it_cannot_start(
    app: RunningApp, method: str, path: str, body: bytes | None, status: int
) -> None:
    """Each with a status that says why."""
    assert (await app.ask(method, path, body, x_functions_key="the-master-key"))[0] == status


async def test_a_failure_nobody_waits_for_is_in_the_status(app: RunningApp) -> None:
    """What /admin starts is answered before it ends."""
    await app.ask("POST", "/admin/functions/events", {"input": event("/bad")}, x_functions_key="the-master-key")
    await app.rest()
    assert (await app.status())["errors"][-1] == "function 'events' failed: ValueError: no such thing as /bad"


async def test_the_status_names_functions_and_queues(app: RunningApp) -> None:
    """GET /admin/host/status."""
    status = await app.status()
    assert (status["id"], status["state"]) == ("host-7", "Running")
    assert [each["name"] for each in status["functions"]] == [
        *("broken", "events", "files", "first", "records", "secret", "sweep", "warmup", "work"),
    ]
    assert {"direction": "IN", "type": "eventGridTrigger", "name": "event"} in status["functions"][1]["bindings"]
    assert status["queues"] == [{"queueName": "work", "connection": "AzureWebJobsStorage"}]
