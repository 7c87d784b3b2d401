"""Documents of any shape: what is not as Azure's documents are is an InputError, and never anything else (law 13)."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwarden.arm.connections import to_connection
from hubwarden.arm.endpoints import to_endpoint
from hubwarden.arm.zones import to_record_set, to_zone
from hubwarden.errors import InputError
from hubwarden.model.record import Keeper, RecordType
from tests.unit.given import DOCUMENTS, document, key

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()  # json reads NaN, Infinity and 1e999, too
    | st.text(max_size=20)
    | st.sampled_from(["10.0.0.4", "fd00::4", "Approved", "a.vault.azure.net", "/subscriptions/x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from(["id", "name", "location", "properties", "etag", "type"]), JSON)

ENDPOINTS = {
    called: document(called)
    for called in (file.stem for file in sorted(DOCUMENTS.glob("*.json")))
    if "privateEndpoints/" in json.dumps(document(called).get("id"))
}
INTERFACE = document("05b_acr_georeplicated_nic")
RECORD = {
    "id": str(key().zone) + "/A/orders",
    "name": "orders",
    "type": "Microsoft.Network/privateDnsZones/A",
    "etag": "e1",
    "properties": {
        "ttl": 10,
        "fqdn": "orders.privatelink.blob.core.windows.net.",
        "metadata": {"creator": "created by private endpoint pe-orders with resource guid 1"},
        "aRecords": [{"ipv4Address": "10.1.0.4"}],
        "aaaaRecords": [{"ipv6Address": "fd00::4"}],
        "isAutoRegistered": False,
    },
}
ZONE = {
    "id": str(key().zone),
    "name": key().zone.name,
    "type": "Microsoft.Network/privateDnsZones",
    "location": "global",
    "properties": {"numberOfRecordSets": 1, "maxNumberOfRecordSets": 25000},
}
CONNECTION = {
    "id": "/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/rg/providers/"
    "Microsoft.KeyVault/vaults/kv/privateEndpointConnections/one",
    "properties": {
        "privateEndpoint": {"id": ENDPOINTS["11_key_vault"]["id"]},
        "groupIds": ["vault"],
        "privateLinkServiceConnectionState": {"status": "Pending", "description": "please"},
        "provisioningState": "Succeeded",
    },
}


def ways(value: object, so_far: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The way to everything in a document, by keys and positions."""
    found = [so_far] if so_far else []
    if isinstance(value, dict):
        return found + [way for each, inner in value.items() for way in ways(inner, (*so_far, each))]
    if isinstance(value, list):
        return found + [way for each, inner in enumerate(value) for way in ways(inner, (*so_far, each))]
    return found


@st.composite
def spoilt(draw: st.DrawFn, *whole: dict[str, Any]) -> dict[str, Any]:
    """One of the documents with up to three of its parts replaced by anything."""
    changed: dict[str, Any] = deepcopy(draw(st.sampled_from(whole)))
    for _ in range(draw(st.integers(1, 3))):
        *ahead, last = draw(st.sampled_from(ways(changed)))
        place: Any = changed
        for step in ahead:
            place = place[step]
        place[last] = draw(JSON)
        if not ways(changed):
            break
    return changed


def reads(parse: Callable[[], object]) -> bool:
    """Whether a document could be read; anything but InputError is a fault."""
    try:
        parse()
    except InputError:
        return False
    return True


@pytest.mark.parametrize("called", ENDPOINTS)
def test_unspoilt_they_can_be_read(called: str) -> None:
    assert reads(lambda: to_endpoint(ENDPOINTS[called], [INTERFACE]))
    assert all(reads(parse) for parse in (lambda: to_connection(CONNECTION), lambda: to_zone(ZONE)))
    assert to_record_set(key(), RECORD).keeper is Keeper.ZONE_GROUP


@given(spoilt(*ENDPOINTS.values()) | OBJECTS, st.lists(spoilt(INTERFACE) | OBJECTS | JSON, max_size=2))
@settings(max_examples=400)
def test_an_endpoint_is_read_or_refused(shown: dict[str, Any], interfaces: list[Any]) -> None:
    if reads(lambda: to_endpoint(shown, interfaces)):
        seen = to_endpoint(shown, interfaces)
        assert all(isinstance(name.fqdn, str) for name in seen.names)
        assert all(isinstance(group, str) for group in seen.groups)


@given(spoilt(RECORD) | OBJECTS, st.sampled_from(RecordType))
@settings(max_examples=300)
def test_a_record_set_is_read_or_refused(shown: dict[str, Any], kind: RecordType) -> None:
    wanted = key(kind=kind)
    if reads(lambda: to_record_set(wanted, shown)):
        seen = to_record_set(wanted, shown)
        assert seen.key == wanted
        assert (seen.owner is None) is (seen.keeper is not Keeper.HUBWARDEN)


def test_a_number_without_end_is_no_time_to_live() -> None:
    """JSON as Python reads it knows 1e999, which is no whole number."""
    endless = {**RECORD, "properties": json.loads('{"ttl": 1e999}')}
    assert not reads(lambda: to_record_set(key(), endless))


@given(spoilt(CONNECTION) | OBJECTS)
@settings(max_examples=200)
def test_a_connection_is_read_or_refused(shown: dict[str, Any]) -> None:
    if reads(lambda: to_connection(shown)):
        assert to_connection(shown).id.type


@given(spoilt(ZONE) | OBJECTS)
@settings(max_examples=200)
def test_a_zone_is_read_or_refused(shown: dict[str, Any]) -> None:
    if reads(lambda: to_zone(shown)):
        assert to_zone(shown).name.text
