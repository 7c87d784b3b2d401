"""What Event Grid's events look like, and which of them a filter asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from simulator import event_filters
from simulator.clock import Clock
from simulator.event_filters import FilterError
from simulator.event_shapes import Shapes
from simulator.up import FILTER
from simulator.world import NETWORK_SERVICE, Change

SUB = "aaaaaaaa-0000-0000-0000-000000000001"
ENDPOINT = f"/subscriptions/{SUB}/resourceGroups/rg-app/providers/Microsoft.Network/privateEndpoints/pe1"
WRITE = "Microsoft.Network/privateEndpoints/write"


def shapes(count: int, change: Change) -> list[dict[str, Any]]:
    """Some events of one change."""
    drawn, clock = Shapes(), Clock()
    return [drawn.event(change, "the-tenant", clock.moment()) for _ in range(count)]


def test_events_are_as_uneven_as_azures() -> None:
    """Sections 1.3 and 1.10: `resourcegroups` or `resourceGroups`, each on its own; httpRequest only sometimes."""
    events = shapes(60, Change(WRITE, ENDPOINT, True, "one-correlation", "the-deployer"))
    spelt = {
        tuple("resourceGroups" in text for text in (each["subject"], each["data"]["authorization"]["scope"]))
        for each in events
    }
    assert spelt == {(True, True), (True, False), (False, True), (False, False)}
    assert {"httpRequest" in each["data"] for each in events} == {True, False}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z", each["eventTime"]) for each in events)
    assert {each["data"]["correlationId"] for each in events} == {"one-correlation"}
    assert len({each["id"] for each in events}) == 60


def test_the_network_service_has_claims_of_its_own() -> None:
    """Section 1.2: the interface is written by the network service, which is nobody's name."""
    (event,) = shapes(1, Change("Microsoft.Network/networkInterfaces/write", ENDPOINT, True, "c", NETWORK_SERVICE))
    assert event["data"]["authorization"]["evidence"]["role"] == "Azure Network Service Role"
    assert re.fullmatch(r"[0-9a-f]{32}", event["data"]["authorization"]["evidence"]["principalId"])
    assert event["data"]["claims"]["appid"] == NETWORK_SERVICE
    assert "name" not in event["data"]["claims"]


@pytest.mark.parametrize(
    ("operation", "succeeded", "event_type"),
    [
        ("Microsoft.Network/privateEndpoints/delete", True, "ResourceDeleteSuccess"),
        ("Microsoft.Network/privateEndpoints/write", False, "ResourceWriteFailure"),
        ("Microsoft.Resources/subscriptions/resourceGroups/moveResources/action", True, "ResourceActionSuccess"),
    ],
)
def test_the_type_says_what_was_done_and_how_it_ended(operation: str, succeeded: bool, event_type: str) -> None:
    """Section 1.2: nine types; there is no "started"."""
    (event,) = shapes(1, Change(operation, ENDPOINT, succeeded, "c", "p"))
    assert event["eventType"] == f"Microsoft.Resources.{event_type}"
    assert event["data"]["status"] == ("Succeeded" if succeeded else "Failed")


EVENT = {
    "subject": ENDPOINT,
    "eventType": "Microsoft.Resources.ResourceWriteSuccess",
    "data": {"operationName": WRITE, "claims": {"appid": "A1"}},
}


def contains(*values: str, key: str = "data.operationName", operator: str = "StringContains") -> dict[str, Any]:
    """An advanced filter."""
    return {"operatorType": operator, "key": key, "values": list(values)}


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [
        ({}, True),
        ({"includedEventTypes": None}, True),
        ({"includedEventTypes": ["microsoft.resources.resourcewritesuccess"]}, True),
        ({"includedEventTypes": ["Microsoft.Resources.ResourceDeleteSuccess"]}, False),
        ({"subjectBeginsWith": f"/SUBSCRIPTIONS/{SUB}"}, True),
        ({"subjectBeginsWith": f"/SUBSCRIPTIONS/{SUB}", "isSubjectCaseSensitive": True}, False),
        ({"subjectEndsWith": "/pe2"}, False),
        ({"advancedFilters": [contains("/x/", "/PRIVATEENDPOINTS/")]}, True),
        ({"advancedFilters": [contains("/x/"), contains("/privateEndpoints/")]}, False),
        ({"advancedFilters": [contains("Microsoft.Network/", operator="StringBeginsWith")]}, True),
        ({"advancedFilters": [contains("/write", operator="StringEndsWith")]}, True),
        ({"advancedFilters": [contains("Microsoft.Network/privateEndpoints", operator="StringIn")]}, False),
        ({"advancedFilters": [contains("a1", key="data.claims.appid", operator="StringIn")]}, True),
        ({"advancedFilters": [contains("a1", key="data.claims.appid.x", operator="StringIn")]}, False),
        ({"advancedFilters": [contains("pe1", key="Subject")]}, True),
    ],
)
def test_filters(wanted: Mapping[str, Any], matches: bool) -> None:
    """Section 1.7: filters are ANDed, values ORed, strings compared without case; the subject as it says."""
    assert event_filters.read(wanted).matches(EVENT) is matches


GROUP = "Microsoft.Resources/subscriptions/resourceGroups"


@pytest.mark.parametrize(
    ("operation", "asked_for"),
    [
        (WRITE, True),
        ("Microsoft.Network/privateEndpoints/delete", True),
        ("Microsoft.Network/privateEndpoints/privateDnsZoneGroups/write", True),
        ("Microsoft.KeyVault/vaults/privateEndpointConnections/write", True),
        ("Microsoft.Network/privateLinkServices/privateEndpointConnections/delete", True),
        (f"{GROUP}/moveResources/action", True),
        (f"{GROUP}/delete", True),
        (f"{GROUP}/write", False),
        ("Microsoft.Network/networkInterfaces/write", False),
        ("Microsoft.Network/privateDnsZones/A/write", False),
        ("Microsoft.Storage/storageAccounts/listKeys/action", False),
    ],
)
def test_the_filter_of_an_estate(operation: str, asked_for: bool) -> None:
    """Sections 1.2 and 1.7: one filter, with four values, finds all that a Private Link estate is about."""
    (event,) = shapes(1, Change(operation, ENDPOINT, True, "c", "p"))
    assert event_filters.read(FILTER).matches(event) is asked_for
    (failed,) = shapes(1, Change(operation, ENDPOINT, False, "c", "p"))
    assert not event_filters.read(FILTER).matches(failed)


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"advancedFilters": [contains("1", operator="NumberIn")]}, "the operator NumberIn is not simulated"),
        ({"advancedFilters": [contains("1", key="claims.name")]}, "the key claims.name is none"),
        ({"advancedFilters": [contains("1", key="nothing")]}, "the key nothing is none"),
        ({"advancedFilters": [contains(*map(str, range(26)))]}, "more than 25 advanced filters"),
        ({"advancedFilters": [contains("x")] * 26}, "more than 25 advanced filters"),
        ({"enableAdvancedFilteringOnArrays": True}, "arrays is not simulated"),
        ({"subjectContains": "x"}, "the filter property subjectContains is not simulated"),
    ],
)
def test_a_filter_that_is_not_known_is_an_error(wanted: Mapping[str, Any], reason: str) -> None:
    """Section 1.7 and its limits; never a guess."""
    with pytest.raises(FilterError, match=reason):
        event_filters.read(wanted)
