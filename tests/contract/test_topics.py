"""A custom topic takes CloudEvents from the stock publisher, and refuses as Event Grid does.

The answers are those of Microsoft's page "Publish events to Azure Event Grid custom topics"; the words of
a refused token are recorded in azure-sdk-for-net issue 22831.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, ResourceNotFoundError
from azure.core.messaging import CloudEvent
from azure.eventgrid.aio import EventGridPublisherClient

from tests.azure import Answer, Azure

PATH = "/topics/own/api/events"
VERSION = {"api-version": "2018-01-01"}
BATCH = {"Content-Type": "application/cloudevents-batch+json; charset=utf-8"}
EVENT = {"id": "1", "source": "/s", "type": "T", "specversion": "1.0", "time": "2026-11-22T07:00:00.000Z"}


@pytest.fixture
async def publisher(azure: Azure) -> AsyncIterator[EventGridPublisherClient]:
    """The stock client, with the app's own identity."""
    async with EventGridPublisherClient(f"{azure.url}{PATH}", azure.credential, retry_total=0) as client:
        yield client


async def posted(azure: Azure, body: Any, *, token: bool = True, kind: str = BATCH["Content-Type"]) -> Answer:
    """What a topic answers to any body."""
    headers = {"Content-Type": kind}
    if token:
        headers["Authorization"] = f"Bearer {(await azure.credential.get_token('https://eventgrid.azure.net')).token}"
    return await azure.ask("POST", PATH, body, headers=headers, query=VERSION)


async def test_the_stock_publisher_sends_a_batch(azure: Azure, publisher: EventGridPublisherClient) -> None:
    """One request, all events, in their order, as CloudEvents 1.0."""
    await publisher.send([CloudEvent("/s", "T", id=name, data={"n": name}, subject=f"about {name}") for name in "ab"])

    received = await azure.sim("GET", "topics")
    assert [(each["topic"], each["principal"]) for each in received] == [("own", "system")] * 2
    assert [(each["event"]["id"], each["event"]["data"]) for each in received] == [("a", {"n": "a"}), ("b", {"n": "b"})]
    assert {each["event"]["specversion"] for each in received} == {"1.0"}
    (request,) = await azure.requests("topic")
    assert (request["method"], request["path"], request["status"]) == ("POST", PATH, 200)
    assert request["apiVersion"] == "2018-01-01"


async def test_what_was_received_can_be_emptied(azure: Azure, publisher: EventGridPublisherClient) -> None:
    await publisher.send([CloudEvent("/s", "T", data={})])
    await azure.sim("DELETE", "topics")

    assert await azure.sim("GET", "topics") == []


async def test_a_token_for_somebody_else_is_refused(azure: Azure, publisher: EventGridPublisherClient) -> None:
    """A topic takes no token for ARM, and ARM none for topics (behaviour reference sections 6.1 and 7.1)."""
    arm = (await azure.credential.get_token("https://management.azure.com/.default")).token
    grid = (await azure.credential.get_token("https://eventgrid.azure.net/.default")).token

    at_topic = await azure.ask(
        "POST", PATH, [EVENT], headers={**BATCH, "Authorization": f"Bearer {arm}"}, query=VERSION
    )
    at_arm = await azure.ask(
        "GET", "/subscriptions", headers={"Authorization": f"Bearer {grid}"}, query={"api-version": "2022-12-01"}
    )

    assert (at_topic.status, at_topic.body["error"]["code"]) == (401, "Unauthorized")
    assert (at_arm.status, at_arm.body["error"]["code"]) == (401, "InvalidAuthenticationTokenAudience")


async def test_without_a_token_nothing_is_taken(azure: Azure) -> None:
    assert (await posted(azure, [EVENT], token=False)).status == 401
    assert await azure.sim("GET", "topics") == []


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(EVENT, id="not a list"),
        pytest.param(["x"], id="not an object"),
        *(
            pytest.param([{**EVENT, **change}], id=f"{next(iter(change))} {next(iter(change.values()))!r}")
            for change in (
                {"specversion": "0.3"},
                {"id": ""},
                {"source": None},
                {"type": 5},
                {"subject": ""},
                {"time": "yesterday"},
                {"time": "2026-11-22T07:00:00"},
                {"time": 5},
            )
        ),
    ],
)
async def test_one_wrong_event_refuses_the_batch(azure: Azure, wrong: Any) -> None:
    """400: the event data has an incorrect format; nothing of the batch is taken."""
    body = [EVENT, *wrong] if isinstance(wrong, list) else wrong

    assert (await posted(azure, body)).status == 400
    assert await azure.sim("GET", "topics") == []


async def test_another_schema_is_refused(azure: Azure) -> None:
    """400: a topic whose input schema is CloudEvents takes no other."""
    assert (await posted(azure, [EVENT], kind="application/json")).status == 400


async def test_too_much_is_refused(azure: Azure) -> None:
    """413: a request has at most 1 MB (behaviour reference section 1.8)."""
    answer = await posted(azure, [{**EVENT, "data": "x" * 1024 * 1024}])

    assert (answer.status, answer.body["error"]["code"]) == (413, "RequestEntityTooLarge")


async def test_the_stock_client_maps_the_refusals(azure: Azure, publisher: EventGridPublisherClient) -> None:
    """401 for a principal without the role EventGrid Data Sender, as recorded."""
    await azure.sim("POST", "faults", {"service": "topic", "status": 401, "code": "Unauthorized"})
    with pytest.raises(ClientAuthenticationError):
        await publisher.send([CloudEvent("/s", "T", data={})])

    async with EventGridPublisherClient(f"{azure.url}/topics/own", azure.credential, retry_total=0) as elsewhere:
        with pytest.raises(ResourceNotFoundError):
            await elsewhere.send([CloudEvent("/s", "T", data={})])


@pytest.mark.parametrize(("kind", "version"), [("application/cloudevents+json", "2018-01-01"), (None, "2024-06-01")])
async def test_what_nobody_told_it_is_a_loud_failure(azure: Azure, kind: str | None, version: str) -> None:
    """One event by itself, and other versions, are not simulated."""
    token = (await azure.credential.get_token("https://eventgrid.azure.net")).token
    headers = {**BATCH, "Authorization": f"Bearer {token}", **({"Content-Type": kind} if kind else {})}

    answer = await azure.ask("POST", PATH, [EVENT], headers=headers, query={"api-version": version})

    assert answer.status == 501
    assert PATH in answer.body["error"]["message"]
