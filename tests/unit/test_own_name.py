"""Which private link services an entry of `records.names` means: by id, by glob, by whole alias."""

from __future__ import annotations

import pytest

from hubwarden.errors import InputError
from hubwarden.model.own_name import ServicePattern
from tests.unit.given import RESOURCES, SPOKE

SERVICES = f"{RESOURCES}/Microsoft.Network/privateLinkServices"
ALIAS = "pls-partner.0f1e2d3c-1111-4222-8333-0123456789ab.westeurope.azure.privatelinkservice"
"""The form is `prefix.guid.region.azure.privatelinkservice` (behaviour reference section 4.1)."""


@pytest.mark.parametrize(
    ("pattern", "reference", "meant"),
    [
        pytest.param(f"{SERVICES}/pls", f"{SERVICES}/pls", True, id="the id"),
        pytest.param(f"{SERVICES}/pls/", f"{SERVICES.upper()}/PLS", True, id="ids compare without case"),
        pytest.param(f"{SERVICES}/pls", f"{SERVICES}/pls2", False, id="another name"),
        pytest.param(f"{SERVICES}/pls-*", f"{SERVICES}/pls-", True, id="a star for nothing"),
        pytest.param(f"{SERVICES}/pls-*", f"{SERVICES}/pls-orders", True, id="a star for a name's end"),
        pytest.param(f"{SERVICES}/*", f"{SERVICES}/x/privateEndpointConnections/y", False, id="never across a slash"),
        pytest.param(f"{SERVICES}/p.s", f"{SERVICES}/pls", False, id="nothing else is an expression"),
        pytest.param(SERVICES.replace("rg-orders", "rg-*") + "/*", f"{SERVICES}/pls", True, id="a star for the group"),
        pytest.param(
            SERVICES.replace("rg-orders", "*") + "/pls", f"{SERVICES.replace('rg-orders', 'a/b')}/pls", False, id="two"
        ),
        pytest.param(
            f"{RESOURCES}/Microsoft.Network/applicationGateways/agw-*",
            f"{RESOURCES}/microsoft.network/APPLICATIONGATEWAYS/agw-shop",
            True,
            id="an application gateway, which has no name of Azure's either",
        ),
        pytest.param(ALIAS, ALIAS.upper(), True, id="an alias compares without case"),
        pytest.param(ALIAS, f"x{ALIAS}", False, id="a part of an alias is another"),
        pytest.param(ALIAS, ALIAS.replace(".azure.", "xazurex"), False, id="a dot of an alias is a dot"),
        pytest.param(ALIAS, "", False, id="no target at all"),
    ],
)
def test_a_pattern_means_the_services_that_it_spells(pattern: str, reference: str, meant: bool) -> None:
    assert ServicePattern.parse(pattern).matches(reference) is meant


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(7, id="a number"),
        pytest.param("", id="nothing"),
        pytest.param("*", id="everything"),
        pytest.param(f"/subscriptions/{SPOKE}", id="a subscription"),
        pytest.param(f"{RESOURCES}/Microsoft.Storage/storageAccounts/st", id="a type that brings names"),
        pytest.param(SERVICES.replace(SPOKE, "*") + "/pls", id="any subscription"),
        pytest.param(SERVICES.replace(SPOKE, SPOKE[:-1] + "*") + "/pls", id="a part of a subscription"),
        pytest.param(SERVICES.replace("privateLinkServices", "*") + "/pls", id="any type"),
        pytest.param(SERVICES.replace("Microsoft.Network", "Microsoft.Networ*") + "/pls", id="a part of a provider"),
        pytest.param(
            f"/subscriptions/{SPOKE}/providers/Microsoft.Network/privateLinkServices/pls", id="no resource group"
        ),
        pytest.param(SERVICES, id="no name"),
        pytest.param(f"{SERVICES}/a/b", id="half a child"),
        pytest.param(ALIAS.removesuffix("service"), id="half an alias"),
        pytest.param(ALIAS.replace("pls-partner", "*"), id="a glob for an alias"),
        pytest.param("pls.westeurope.azure.privatelinkservice", id="an alias without its guid"),
    ],
)
def test_what_is_neither_is_refused(text: object) -> None:
    with pytest.raises(InputError) as refused:
        ServicePattern.parse(text)
    assert "private link service" in str(refused.value) or "not int" in str(refused.value)


def test_it_says_what_it_means() -> None:
    assert str(ServicePattern.parse(f"{SERVICES}/PLS/")) == f"{SERVICES}/PLS".lower()
