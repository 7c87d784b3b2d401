"""What the Event Grid door takes from an event: the id of a private endpoint, nothing, or an InputError."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.events import LARGEST, endpoint_of
from hubwarden.errors import InputError
from hubwarden.model.endpoint import PRIVATE_ENDPOINT
from tests.unit.given import ENDPOINT, RESOURCES, SPOKE, TARGET
from tests.unit.strategies import resource_id_texts


def event(subject: Any) -> str:
    """An event of the Event Grid schema; its data are a stranger's."""
    data = {"resourceUri": str(TARGET), "claims": {"name": "somebody"}}
    return json.dumps(
        {"id": "1", "eventType": "Microsoft.Resources.ResourceWriteSuccess", "subject": subject, "data": data}
    )


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param(str(ENDPOINT), id="itself"),
        pytest.param(str(ENDPOINT).replace("resourceGroups", "resourcegroups"), id="as delete events spell it"),
        pytest.param(str(ENDPOINT).replace("privateEndpoints", "PRIVATEENDPOINTS"), id="another case"),
        pytest.param(f"{ENDPOINT}/privateDnsZoneGroups/default", id="a zone group beneath it"),
        pytest.param(f"{ENDPOINT}/privateLinkServiceConnections/c", id="a connection beneath it"),
        pytest.param(f"{ENDPOINT}/providers/Microsoft.Authorization/locks/l", id="a lock upon it"),
    ],
)
def test_an_event_about_an_endpoint_or_something_beneath_it_gives_the_endpoint(subject: str) -> None:
    found = endpoint_of(event(subject))
    assert found == ENDPOINT
    assert found.type.lower() == PRIVATE_ENDPOINT.lower()


def test_a_cloud_event_is_read_by_its_subject_too() -> None:
    cloud = {"specversion": "1.0", "type": "x", "source": "/subscriptions/x", "subject": str(ENDPOINT)}
    assert endpoint_of(json.dumps(cloud)) == ENDPOINT


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param(str(TARGET), id="another type"),
        pytest.param(f"{RESOURCES}/Microsoft.Network/networkInterfaces/nic", id="an interface"),
        pytest.param(f"{RESOURCES}/Microsoft.Network/privateEndpointsX/pe", id="a type that begins alike"),
        pytest.param(f"{RESOURCES}/Contoso.Network/privateEndpoints/pe", id="another provider's"),
        pytest.param(f"{TARGET}/privateEndpointConnections/c", id="the target's side"),
        pytest.param(f"{TARGET}/privateEndpoints/pe", id="the type in another place"),
        pytest.param(RESOURCES.removesuffix("/providers"), id="a resource group"),
        pytest.param("/subscriptions/22222222-2222-4222-8222-222222222222", id="a subscription"),
    ],
)
def test_an_event_about_anything_else_is_no_business_of_ours(subject: str) -> None:
    assert endpoint_of(event(subject)) is None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("x", id="not JSON"),
        pytest.param("[" * 100_000, id="deep"),
        pytest.param("[]", id="an empty batch"),
        pytest.param(f"[{event(str(ENDPOINT))}]", id="a batch"),
        pytest.param("null", id="null"),
        pytest.param("{}", id="no subject"),
        pytest.param(event(None), id="subject is null"),
        pytest.param(event(5), id="subject is a number"),
        pytest.param(event([str(ENDPOINT)]), id="subject is a list"),
        pytest.param(event(""), id="subject is empty"),
        pytest.param(event("pe-orders"), id="subject is a name"),
        pytest.param(event(str(ENDPOINT).replace("/resourceGroups/rg-orders", "")), id="no resource group"),
        pytest.param(
            event(f"/subscriptions/{SPOKE}/providers/Microsoft.Network/privateEndpoints/pe/privateDnsZoneGroups/z"),
            id="beneath an endpoint without a resource group",
        ),
        pytest.param(event(f"{ENDPOINT}\u202e"), id="text direction"),
        pytest.param(event(f"{ENDPOINT}\ud800"), id="half a character"),
        pytest.param(event(f"{ENDPOINT}/.."), id="traversal at the end"),
        pytest.param(event(f"{ENDPOINT}/../../virtualNetworks/v"), id="traversal"),
        pytest.param(event(f"{RESOURCES}/Microsoft.Network/privateEndpoints/.."), id="name is .."),
        pytest.param(event(f"{ENDPOINT}%2f.."), id="encoded traversal"),
        pytest.param(event(f"{ENDPOINT}?x=1"), id="query"),
        pytest.param(event(f"{ENDPOINT}\n"), id="line end"),
        pytest.param(event(f"{ENDPOINT}\x00"), id="NUL"),
        pytest.param(event(str(ENDPOINT) + "x" * 100_000), id="100 kB"),
        pytest.param(event("x" * LARGEST), id="more than Event Grid sends"),
        pytest.param('{"subject": ' + "9" * 5000 + "}", id="a number of 5000 digits"),
    ],
)
def test_what_is_no_event_is_refused(text: str) -> None:
    with pytest.raises(InputError) as refused:
        endpoint_of(text)
    assert len(str(refused.value)) < 400
    assert "somebody" not in str(refused.value)


@given(
    st.text()
    | st.text().map(event)
    | resource_id_texts().map(event)
    | st.builds(lambda tail: event(str(ENDPOINT) + tail), st.text())
)
def test_any_text_gives_a_private_endpoint_or_nothing_or_an_input_error(text: str) -> None:
    try:
        found = endpoint_of(text)
    except InputError:
        return
    assert found is None or (found.is_a(PRIVATE_ENDPOINT) and found.group)
