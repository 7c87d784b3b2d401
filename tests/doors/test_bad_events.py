"""What is not an event, or not of ours, or too early: each has its answer; nothing is retried for ever or lost."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from simulator.event_shapes import Shapes
from simulator.world import Change
from tests.azure import HUB, resource_id
from tests.doors.local_azure import PERSONAL, SPOKES, Spoke, traces
from tests.estate import TENANT

GROUP = f"/subscriptions/{SPOKES[0]}/resourceGroups/rg"
ENDPOINT = f"{GROUP}/providers/Microsoft.Network/privateEndpoints/pe1"

NO_EVENTS = {
    "a text": json.dumps(ENDPOINT),
    "a number": "5",
    "null": "null",
    "an empty object": "{}",
    "a batch within a batch": json.dumps([{"subject": ENDPOINT}, {"subject": ENDPOINT}]),
    "deep nesting": "[" * 900 + "]" * 900,
    "a subject that is no text": json.dumps({"subject": {"id": ENDPOINT}}),
    "no subject but an id in its data": json.dumps({"data": {"resourceUri": ENDPOINT, "claims": PERSONAL}}),
    "an event of 1.1 MB": json.dumps({"subject": ENDPOINT, "data": "x" * 1_100_000}),
}
NO_IDS = {
    "nothing": "",
    "a name": "pe1",
    "an address": f"https://management.azure.com{ENDPOINT}",
    "traversal": f"{GROUP}/../rg/providers/Microsoft.Network/privateEndpoints/pe1",
    "traversal in the name": f"{GROUP}/providers/Microsoft.Network/privateEndpoints/..",
    "traversal in disguise": f"{GROUP}/providers/Microsoft.Network/privateEndpoints/%2e%2e%2fpe1",
    "a query": f"{ENDPOINT}?api-version=2024-05-01",
    "a fragment": f"{ENDPOINT}#pe2",
    "a control character": f"{ENDPOINT}\x1b[2J",
    "a line break": f"{ENDPOINT}\nERROR all is lost",
    "a quote": f"{ENDPOINT}' or 1 eq 1",
    "no name": f"{GROUP}/providers/Microsoft.Network/privateEndpoints/",
    "no subscription": ENDPOINT.replace(SPOKES[0], "contoso"),
    "100 kB": ENDPOINT + "x" * 100_000,
    "a long road": ENDPOINT + "/privateEndpoints/pe1" * 5_000,
}
NOT_OURS = {
    "a virtual machine": f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm1",
    "a network interface": f"{GROUP}/providers/Microsoft.Network/networkInterfaces/nic1",
    "another provider's endpoint": f"{GROUP}/providers/Contoso.Network/privateEndpoints/pe1",
    "a type that begins alike": f"{GROUP}/providers/Microsoft.Network/privateEndpointsX/pe1",
    "a resource group": GROUP,
    "a subscription": f"/subscriptions/{SPOKES[0]}",
}


async def nothing_was_done(spoke: Spoke) -> bool:
    """Nothing was asked of Azure, nothing waits."""
    return await spoke.calls() == [] and await spoke.storage.count() == 0


@pytest.mark.parametrize("text", NO_EVENTS.values(), ids=NO_EVENTS)
async def test_what_is_no_event_is_accepted_once_and_noted(silent: Spoke, text: str) -> None:
    """To refuse it would bring the same thing back for a day."""
    assert await silent.deliver([json.loads(text)]) == 202
    assert await nothing_was_done(silent)
    await silent.hears("event: ignored, for it is none")
    assert len(silent.said) < 1000


@pytest.mark.parametrize("subject", NO_IDS.values(), ids=NO_IDS)
async def test_what_is_no_id_goes_nowhere(silent: Spoke, subject: str) -> None:
    """It reaches neither ARM nor, unescaped or at length, the log."""
    assert await silent.deliver([silent.event(subject)]) == 202
    assert await nothing_was_done(silent)
    await silent.hears("event: ignored, for it is none")
    [line] = silent.said.splitlines()
    assert len(line) < 500
    assert line.isprintable()


@pytest.mark.parametrize("subject", NOT_OURS.values(), ids=NOT_OURS)
async def test_what_is_no_endpoint_is_no_business_of_ours(silent: Spoke, subject: str) -> None:
    assert await silent.happened(subject) == 202
    assert await nothing_was_done(silent)
    assert silent.said == ""


async def test_bad_events_in_a_batch_hold_back_only_themselves(silent: Spoke) -> None:
    endpoint = await silent.endpoint()
    bad = [*(json.loads(text) for text in list(NO_EVENTS.values())[:6]), *map(silent.event, NO_IDS.values())]
    assert await silent.deliver([*bad, silent.event(endpoint), *bad]) == 202
    assert await silent.addresses() == ["10.1.0.4"]


async def test_an_endpoint_of_a_subscription_outside_the_estate_is_left_alone(silent: Spoke) -> None:
    outside = "0ff0e000-0000-4000-8000-000000000001"
    endpoint = resource_id(outside, "rg", "Microsoft.Network/privateEndpoints", "pe1")
    assert await silent.happened(endpoint) == 202
    assert await nothing_was_done(silent)
    await silent.hears("held: outside_estate")


async def test_an_endpoint_that_is_gone_and_left_nothing_is_asked_for_twice(silent: Spoke) -> None:
    """The second time for a creation under way that the deletion may have overtaken."""
    endpoint = silent.endpoint_id("pe-never-was")
    assert await silent.happened(endpoint) == 202
    await silent.settle()
    assert await silent.storage.count() == 0
    assert await silent.calls() == [f"GET {endpoint}"] * 2


async def test_an_endpoint_whose_end_is_not_proven_is_waited_for_and_then_left(silent: Spoke) -> None:
    """ARM hides what we may not read behind other answers: the record stays, and the tries come to an end."""
    endpoint = await silent.endpoint()
    assert await silent.happened(endpoint) == 202
    await silent.fault(method="GET", path="privateEndpoints/pe1", status=404, code="SubscriptionNotFound")
    assert await silent.happened(endpoint) == 202
    assert await silent.storage.follow_up(endpoint) is not None
    await silent.settle()
    assert await silent.addresses() == ["10.1.0.4"]
    assert await silent.storage.follow_up(endpoint) is None
    assert await silent.storage.count() == 0
    looks = [each for each in await silent.azure.requests() if each["path"] == endpoint and each["status"] == 404]
    assert len(looks) == 1 + 4, "the event's and the follow-ups'"


@pytest.mark.parametrize(
    "unready",
    [{"provisioningState": "Updating"}, {"networkInterfaces": []}],
    ids=["still Updating", "without an interface"],
)
async def test_an_endpoint_that_is_not_ready_gets_its_record_when_it_is(
    silent: Spoke, unready: dict[str, object]
) -> None:
    """One event, too early; the rest is the work queue's."""
    endpoint = await silent.endpoint()
    ready = await silent.change(endpoint, **unready)
    assert await silent.happened(endpoint) == 202
    assert await silent.storage.follow_up(endpoint) is not None
    assert await silent.addresses() is None
    await silent.azure.put(ready)
    await silent.settle()
    assert await silent.addresses() == ["10.1.0.4"]
    assert await silent.storage.follow_up(endpoint) is None


async def test_who_has_no_key_is_not_heard(silent: Spoke) -> None:
    endpoint = await silent.endpoint()
    for query in ({}, {"code": silent.up.variables["APP_KEY"]}):
        address = f"{silent.url}/runtime/webhooks/eventgrid"
        headers = {"aeg-event-type": "Notification"}
        asked = {"functionName": "events", **query}
        async with silent.azure.session.post(address, params=asked, headers=headers, json=[{}]) as answer:
            assert answer.status == 401
    assert await silent.calls() == []
    assert await silent.happened(endpoint) == 202, "and with the key it is"
    assert await silent.addresses() == ["10.1.0.4"]


async def test_the_people_behind_events_are_neither_logged_nor_stored(spoke: Spoke) -> None:
    """Through Event Grid and by hand, in good events and bad ones, done and handed on and given up."""
    await spoke.fault(method="PUT", path=f"/A/{spoke.account}", status=403, code="AuthorizationFailed")
    endpoint = await spoke.endpoint(wait=False)
    waiting = await spoke.endpoint("pe2", manual=True, wait=False)
    claims_first = {"data": {"claims": PERSONAL}, "claims": PERSONAL, "subject": endpoint}
    claims_only = {"claims": PERSONAL, "data": {"claims": PERSONAL}}
    bodies = [claims_first, claims_only, {**claims_only, "subject": "nowhere"}, {**claims_only, "subject": None}]
    assert await spoke.deliver([*bodies, spoke.event(waiting), spoke.event(HUB)]) == 202
    await spoke.settle()
    given_up = await spoke.storage.poison()
    assert len(given_up) > 0
    await spoke.hears("not done after 4 tries")
    stored = json.dumps([dict(row) for row in await spoke.storage.rows()], default=str)
    assert endpoint.lower().replace("/", "|") in stored
    for told in (spoke.said, stored, *given_up, *await spoke.storage.messages()):
        assert traces(told) == []


def test_the_simulators_events_do_tell_of_that_person() -> None:
    """Else nothing would be found because there is nothing to be found."""
    change = Change("Microsoft.Network/privateEndpoints/write", ENDPOINT, True, "1", "spoke-team")
    event = Shapes().event(change, TENANT, datetime(2026, 1, 1, tzinfo=UTC))
    assert traces(json.dumps(event)) == traces(json.dumps(PERSONAL))
    assert len(traces(json.dumps(event))) == 2 + len(PERSONAL)
