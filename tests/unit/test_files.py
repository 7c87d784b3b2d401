"""Endpoints and interfaces in files: told apart, matched in any order, and what is neither is a fault of its file."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubwarden.arm.files import Filed, Files
from hubwarden.model.endpoint import NameSource
from tests.unit.given import document

REGISTRY, INTERFACE = "05_acr_georeplicated", "05b_acr_georeplicated_nic"
NAMES = ["myregistry.azurecr.io", "myregistry.eastus.data.azurecr.io", "myregistry.westus.data.azurecr.io"]
NEITHER = "neither a private endpoint nor a network interface: "


def filed(*documents: object) -> tuple[list[Filed], Files]:
    """What files with these contents hold; they are called a, b, c."""
    files = Files()
    for name, content in zip("abc", documents, strict=False):
        files.read(name, (content if isinstance(content, str) else json.dumps(content)).encode())
    return files.endpoints(), files


def shown(one: Filed) -> list[str]:
    return [name.fqdn for name in one.endpoint.names]


def bare(called: str = INTERFACE) -> dict[str, Any]:
    """An interface that does not say whose it is, as lists of interfaces may have it."""
    interface = document(called)
    del interface["properties"]["privateEndpoint"]
    return interface


def expanded() -> dict[str, Any]:
    """An endpoint that carries its interface, as $expand=networkInterfaces shows it."""
    endpoint = document(REGISTRY)
    endpoint["properties"]["networkInterfaces"] = [bare()]
    return endpoint


def unnamed() -> dict[str, Any]:
    """An endpoint that does not name its interface."""
    endpoint = document(REGISTRY)
    endpoint["properties"]["networkInterfaces"] = None
    return endpoint


def loud() -> dict[str, Any]:
    """An interface whose ids are in upper case: ids compare without it."""
    interface = document(INTERFACE)
    interface["id"] = interface["id"].upper()
    interface["properties"]["privateEndpoint"]["id"] = interface["properties"]["privateEndpoint"]["id"].upper()
    return interface


@pytest.mark.parametrize(
    "documents",
    [
        pytest.param([document(REGISTRY), document(INTERFACE)], id="two files"),
        pytest.param([document(INTERFACE), document(REGISTRY)], id="the other way round"),
        pytest.param([[document(INTERFACE), document(REGISTRY)]], id="an array"),
        pytest.param([{"value": [document(REGISTRY), document(INTERFACE)]}], id="a list as ARM answers it"),
        pytest.param([document(REGISTRY), bare()], id="the endpoint names its interface"),
        pytest.param([unnamed(), document(INTERFACE)], id="the interface names its endpoint"),
        pytest.param([document(REGISTRY), loud()], id="spelt otherwise"),
        pytest.param([expanded()], id="expanded"),
        pytest.param([expanded(), document(INTERFACE)], id="expanded, and a file beside it"),
    ],
)
def test_an_interface_is_matched_to_its_endpoint(documents: list[object]) -> None:
    [one], files = filed(*documents)
    assert (one.has_interface, shown(one)) == (True, NAMES)
    assert {name.source for name in one.endpoint.names} == {NameSource.NIC}
    assert all(one.confirms(name.upper()) for name in NAMES)
    assert not one.confirms("other.azurecr.io")
    assert (files.faults, files.notes) == ([], [])


def test_without_its_interface_an_endpoint_shows_what_it_shows_itself() -> None:
    """`customDnsConfigs` has what the interface shows (behaviour reference section 2.3)."""
    [one], files = filed(document(REGISTRY))
    assert (one.has_interface, shown(one)) == (False, NAMES)
    assert [str(address) for address in sorted(one.endpoint.interface_addresses)] == [
        "10.20.2.4",
        "10.20.2.5",
        "10.20.2.6",
    ]
    assert not any(one.confirms(name) for name in NAMES)
    assert (files.faults, files.notes) == ([], [])


def test_a_name_that_only_the_endpoint_shows_is_not_confirmed_by_an_interface_without_names() -> None:
    interface = document(INTERFACE)
    for each in interface["properties"]["ipConfigurations"]:
        del each["properties"]["privateLinkConnectionProperties"]
    [one], _ = filed(document(REGISTRY), interface)
    assert (one.has_interface, sorted(shown(one))) == (True, NAMES)
    assert not any(one.confirms(name) for name in NAMES)


def test_a_name_without_an_address_is_there_all_the_same() -> None:
    endpoint = document(REGISTRY)
    endpoint["properties"]["customDnsConfigs"] = [{"fqdn": NAMES[0]}, {"ipAddresses": ["10.0.0.4"]}]
    [one], _ = filed(endpoint)
    assert [(name.fqdn, len(name.addresses)) for name in one.endpoint.names] == [("", 1), (NAMES[0], 0)]


@pytest.mark.parametrize("interfaces", [[{"id": "/x"}], [{"name": "nic"}]])
def test_an_interface_whose_id_cannot_be_read_is_as_good_as_none(interfaces: list[object]) -> None:
    endpoint = document(REGISTRY)
    endpoint["properties"]["networkInterfaces"] = interfaces
    [one], files = filed(endpoint)
    assert (one.has_interface, files.faults) == (False, [])


# What should not go unsaid.


@pytest.mark.parametrize("interface", [document(INTERFACE), bare()])
def test_an_interface_without_its_endpoint_is_told_of(interface: object) -> None:
    none, files = filed(interface)
    assert (none, files.faults) == ([], [])
    [note] = files.notes
    assert note.startswith("a: no file has the private endpoint of /subscriptions/")


def test_what_is_there_twice_is_told_of_and_the_first_is_used() -> None:
    other = document(REGISTRY)
    other["properties"]["customDnsConfigs"] = []
    [one], files = filed(document(REGISTRY), other)
    assert shown(one) == NAMES
    assert files.faults == []
    assert [note[:8] for note in files.notes] == ["b: a has"]


def test_a_list_that_goes_on_elsewhere_is_told_of() -> None:
    [_], files = filed({"value": [document(REGISTRY)], "nextLink": "https://management.azure.com/next"})
    assert [note[:16] for note in files.notes] == ["a: the list goes"]


# Faults: each names its file, and holds back no other.


def without(key: str) -> dict[str, Any]:
    endpoint = copy.deepcopy(document(REGISTRY))
    del endpoint[key]
    return endpoint


CONNECTIONS = {
    "value": [
        {
            "id": f"{document(REGISTRY)['id'].replace('privateEndpoints', 'privateLinkServices')}"
            "/privateEndpointConnections/c",
            "properties": {},
        }
    ]
}
"""What lists of connections look like (behaviour reference section 4.3)."""


@pytest.mark.parametrize(
    ("content", "place", "fault"),
    [
        pytest.param("", "", "not JSON", id="empty"),
        pytest.param("{", "", "not JSON", id="half a document"),
        pytest.param("[" * 100_000, "", "not JSON", id="nested without end"),
        pytest.param("9" * 5_000, "", "not JSON", id="a number without end"),
        pytest.param("null", "", f"{NEITHER}it is null", id="null"),
        pytest.param('"text"', "", f'{NEITHER}it is "text"', id="text"),
        pytest.param([7], ": item 1", f"{NEITHER}it is 7", id="a number in a list"),
        pytest.param({"request": {}, "response": {}}, "", f"{NEITHER}it has no id", id="a request and its response"),
        pytest.param({"value": "x"}, "", f"{NEITHER}it has no id", id="a value that is no list"),
        pytest.param({"id": 7}, "", f"{NEITHER}a resource id is text", id="a number for an id"),
        pytest.param({"id": "/subscriptions/subId"}, "", f"{NEITHER}'/subscriptions/subId'", id="no id"),
        pytest.param(
            CONNECTIONS, ": item 1", f"{NEITHER}it is Microsoft.Network/privateLinkServices/", id="connections"
        ),
        pytest.param(
            {"id": document(REGISTRY)["id"].split("/providers")[0]},
            "",
            f"{NEITHER}it is no resource at all",
            id="a group",
        ),
        pytest.param(without("properties"), "", "it has no properties", id="flat, as shells print it"),
        pytest.param({**document(REGISTRY), "properties": []}, "", "it has no properties", id="a list for properties"),
        pytest.param(
            {**document(REGISTRY), "properties": {"customDnsConfigs": ["x"]}},
            "",
            "the document of /sub",
            id="odd names",
        ),
        pytest.param(
            {**document(REGISTRY), "properties": {"networkInterfaces": ["x"]}},
            "",
            "the document of /sub",
            id="odd interfaces",
        ),
    ],
)
def test_what_is_neither_is_a_fault_of_its_file_only(content: object, place: str, fault: str) -> None:
    other = document("11_key_vault")
    endpoints, files = filed(content, other)
    assert [str(each.endpoint.id) for each in endpoints] == [other["id"]]
    [told] = files.faults
    assert told.startswith(f"a{place}: {fault}")
    assert len(told) < 400


def test_the_rest_of_a_list_is_done_where_one_item_is_at_fault() -> None:
    [one], files = filed([document(REGISTRY), {"id": "x"}, document(INTERFACE)])
    assert one.has_interface
    assert [fault[:10] for fault in files.faults] == ["a: item 2:"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
shapes = st.dictionaries(
    st.sampled_from(["privateLinkServiceConnections", "customDnsConfigs", "networkInterfaces", "ipConfigurations"]),
    json_values,
)


@given(st.text() | json_values.map(json.dumps), shapes, shapes)
def test_whatever_a_file_holds_nothing_is_raised(text: str, endpoint: object, interface: object) -> None:
    files = Files()
    files.read("a", text.encode())
    files.read("b", json.dumps({**document(REGISTRY), "properties": endpoint}).encode())
    files.read("c", json.dumps({**document(INTERFACE), "properties": interface}).encode())
    assert len(files.endpoints()) <= 1 + text.count("privateEndpoints")
