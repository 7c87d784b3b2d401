"""Addresses in one order, names that are sure, and the id of a private endpoint, which nothing else is taken for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubwarden.errors import InputError
from hubwarden.model.endpoint import Address, NameSource, ordered, private_endpoint_id
from hubwarden.model.resource_id import ResourceId
from tests.unit.given import BLOB, ENDPOINT, RESOURCES, SPOKE, TARGET, addresses, endpoint, name
from tests.unit.strategies import endpoint_ids


def test_addresses_are_ordered_by_family_and_then_by_number_each_once() -> None:
    mixed = addresses("fd00::10", "10.0.0.10", "::1", "10.0.0.9", "fd00::9", "10.0.0.10")
    assert ordered(mixed) == addresses("10.0.0.9", "10.0.0.10", "::1", "fd00::9", "fd00::10")
    assert ordered(()) == ()


@given(st.lists(st.ip_addresses()))
def test_the_order_of_addresses_does_not_depend_on_how_they_came(some: list[Address]) -> None:
    assert ordered(some) == ordered(reversed(some)) == ordered(ordered(some))
    assert set(ordered(some)) == set(some)


@given(endpoint_ids)
def test_the_id_of_a_private_endpoint_is_read_as_it_is_spelt(spelt: ResourceId) -> None:
    assert str(private_endpoint_id(str(spelt))) == str(spelt)


def test_the_type_of_a_private_endpoint_is_compared_without_case() -> None:
    shouted = str(ENDPOINT).replace("privateEndpoints", "PRIVATEENDPOINTS")
    assert private_endpoint_id(shouted) == ENDPOINT


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(f"/subscriptions/{SPOKE}/providers/Microsoft.Network/privateEndpoints/pe", id="no resource group"),
        pytest.param(f"/subscriptions/{SPOKE}", id="a subscription"),
        pytest.param(RESOURCES.removesuffix("/providers"), id="a resource group"),
        pytest.param(str(TARGET), id="another type"),
        pytest.param(f"{ENDPOINT}/privateDnsZoneGroups/default", id="something beneath one"),
        pytest.param(f"{RESOURCES}/Contoso.Network/privateEndpoints/pe", id="another provider's"),
        pytest.param(f"{TARGET}/privateEndpoints/pe", id="the type in another place"),
        pytest.param("pe-orders", id="a name"),
        pytest.param(None, id="None"),
        pytest.param(5, id="a number"),
    ],
)
def test_what_is_not_the_id_of_a_private_endpoint_in_a_resource_group_is_refused(value: object) -> None:
    with pytest.raises(InputError) as refused:
        private_endpoint_id(value)
    assert len(str(refused.value)) < 400


def test_only_the_names_that_azure_itself_shows_are_sure() -> None:
    sure, said = name(BLOB), name("orders.dfs.core.windows.net", source=NameSource.ENDPOINT)
    assert endpoint(said, sure).sure_names == (sure,)
    assert endpoint(said).sure_names == ()
    assert endpoint(names=()).sure_names == ()
