"""The simulator's events have the shape of those that were captured, and of those that Microsoft documents."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from simulator.clock import Clock
from simulator.event_shapes import Shapes
from simulator.event_subscriptions import webhook as to
from simulator.world import Change
from tests.contract.event_grid import Grid, Webhook

RECORDED = Path(__file__).parent / "recorded"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6,7}Z")
# What every captured token tells, whoever it was given to.
CLAIMS = {"aud", "iss", "iat", "nbf", "exp", "appid", "appidacr", "uti", "ver"}


def read(name: str) -> Any:
    """What was recorded."""
    return json.loads((RECORDED / name).read_text(encoding="utf-8"))


captured = read("events-captured.json")
CAPTURED = [*captured["privateEndpointEvents"], *captured["networkInterfaceEvents"]]
DOCUMENTED = [*read("event-delete.json"), *read("event-action.json")]


def simulated(recorded: dict[str, Any]) -> dict[str, Any]:
    """The simulator's event of the same change; one with `httpRequest` where the recorded one has it."""
    data = recorded["data"]
    appid = data["claims"]["appid"]
    change = Change(data["operationName"], data["resourceUri"], True, data["correlationId"], appid)
    drawn, moment = Shapes(), Clock().moment()
    events = (drawn.event(change, data["tenantId"], moment) for _ in range(100))
    return next(event for event in events if ("httpRequest" in event["data"]) == ("httpRequest" in data))


def kinds(value: Any) -> Any:
    """A value's shape: its keys in their order, the types at their ends; without who did it, and by which right."""
    if isinstance(value, dict):
        return [(key, kinds(each)) for key, each in value.items() if key not in ("claims", "evidence")]
    return type(value)


@pytest.mark.parametrize("recorded", [*CAPTURED, *DOCUMENTED], ids=lambda event: event["data"]["operationName"])
def test_an_event_has_the_recorded_shape(recorded: dict[str, Any]) -> None:
    """Section 1.3: the envelope, the data, and what of it follows from the change."""
    event = simulated(recorded)

    assert sorted(kinds(event)) == sorted(kinds(recorded))
    assert kinds(event["data"]) == kinds(recorded["data"])
    for key in ("eventType", "topic", "dataVersion", "metadataVersion"):
        assert event[key] == recorded[key]
    for key in ("operationName", "resourceProvider", "correlationId", "status", "subscriptionId", "tenantId"):
        assert event["data"][key] == recorded["data"][key]
    assert event["subject"].lower() == recorded["subject"].lower()
    assert event["data"]["authorization"]["action"] == recorded["data"]["authorization"]["action"]
    assert MOMENT.fullmatch(event["eventTime"])
    assert MOMENT.fullmatch(recorded["eventTime"])


@pytest.mark.parametrize("recorded", CAPTURED, ids=lambda event: event["data"]["operationName"])
def test_people_and_services_are_told_as_captured(recorded: dict[str, Any]) -> None:
    """Sections 1.2 and 1.3: flat claims of strings; a service's rights come from a role assignment, with bare ids."""
    event = simulated(recorded)
    claims, evidence = event["data"]["claims"], event["data"]["authorization"]["evidence"]

    assert set(claims) <= set(recorded["data"]["claims"])
    assert set(claims) >= CLAIMS
    assert {type(value) for value in claims.values()} == {str}
    assert list(evidence) == list(recorded["data"]["authorization"]["evidence"])
    assert evidence["role"] == recorded["data"]["authorization"]["evidence"]["role"]


def test_the_http_request_has_the_documented_keys() -> None:
    """Section 1.3: optional; when it is there, it has four keys."""
    recorded = DOCUMENTED[0]
    request = simulated(recorded)["data"]["httpRequest"]
    assert set(request) == set(recorded["data"]["httpRequest"])
    assert request["method"] == "DELETE"


async def test_a_dead_letter_has_the_documented_shape(grid: Grid, webhook: Webhook) -> None:
    """Section 1.6: the event with five more fields, after its own."""
    recorded = read("event-dead-letter.json")["eventGridSchema"]
    grid.subscribe(to(webhook.url), maxDeliveryAttempts=1)
    webhook.statuses = [404]
    grid.change()
    await grid.rest()

    (letter,) = grid.events.dead_letters
    (event,) = webhook.events
    added = list(letter)[len(event) :]
    assert {key: letter[key] for key in event} == event
    assert added == list(recorded)[-len(added) :]
    assert [type(letter[key]) for key in added] == [type(recorded[key]) for key in added]
    for key in ("deadLetterReason", "deliveryAttempts", "lastDeliveryOutcome"):
        assert letter[key] == recorded[key]
    for key in ("publishTime", "lastDeliveryAttemptTime"):
        assert MOMENT.fullmatch(letter[key])
        assert MOMENT.fullmatch(recorded[key])
