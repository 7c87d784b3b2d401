"""Which managed endpoint could have made a connection, and when it surely has."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest

from hubwarden.approval.managed import could_have_made, is_clear, is_the_only_one
from hubwarden.arm.managed_endpoints import managed_endpoints_of
from hubwarden.arm.session import ArmSession
from hubwarden.errors import InputError
from hubwarden.model.connection import Connection
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.managed import ManagedEndpoint, Standing
from hubwarden.model.resource_id import ResourceId
from tests.unit import given

GROUP = "/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/rg/providers"
FACTORY = ResourceId.parse(f"{GROUP}/Microsoft.DataFactory/factories/adf")
PROFILE = ResourceId.parse(f"{GROUP}/Microsoft.Cdn/profiles/afd")
ACCOUNT = ResourceId.parse(f"{GROUP}/Microsoft.Storage/storageAccounts/st")
SERVICE = ResourceId.parse(f"{GROUP}/Microsoft.Network/privateLinkServices/pls")
SITE = ResourceId.parse(f"{GROUP}/Microsoft.Web/sites/app")
SLOT = ResourceId.parse(f"{SITE}/slots/staging")
THEIRS = ResourceId.parse(f"{GROUP.replace('2222', '3333')}/Microsoft.Network/privateEndpoints/pe")
MADE = ManagedEndpoint(FACTORY, ACCOUNT, ("blob",), Standing.WAITS)


def connection(target: ResourceId = ACCOUNT, name: str = "c", **changes: Any) -> Connection:
    return given.connection(name, target, **{"endpoint": THEIRS, "groups": (), **changes})


@pytest.mark.parametrize(
    ("endpoint", "asks", "could", "clear"),
    [
        pytest.param(MADE, connection(), True, True, id="it waits"),
        pytest.param(MADE, connection(groups=("BLOB",)), True, True, id="for the same group"),
        pytest.param(MADE, connection(groups=("blob", "dfs")), True, False, id="for one group more"),
        pytest.param(MADE, connection(groups=("dfs",)), False, False, id="for another group"),
        pytest.param(replace(MADE, groups=()), connection(groups=("blob",)), True, False, id="it shows no group"),
        pytest.param(replace(MADE, standing=Standing.UNCLEAR), connection(), True, False, id="it is being made"),
        pytest.param(replace(MADE, standing=Standing.ANSWERED), connection(), False, False, id="it was answered"),
        pytest.param(replace(MADE, standing=Standing.ENDED), connection(), False, False, id="it was removed"),
        pytest.param(MADE, connection(SITE), False, False, id="it leads elsewhere"),
        pytest.param(replace(MADE, target=SITE), connection(SLOT), True, False, id="to the slot's site"),
        pytest.param(replace(MADE, target=SLOT), connection(SITE), False, False, id="to a slot of the site"),
        pytest.param(replace(MADE, target=None), connection(), False, False, id="an alias is of no storage account"),
        pytest.param(replace(MADE, target=None), connection(SERVICE), True, False, id="an alias of some service"),
        pytest.param(replace(MADE, target=SERVICE, groups=()), connection(SERVICE), True, True, id="a service"),
    ],
)
def test_what_could_have_made_a_connection_and_what_surely_has_one_there(
    endpoint: ManagedEndpoint, asks: Connection, could: bool, clear: bool
) -> None:
    assert could_have_made(asks, [endpoint]) == ((endpoint,) if could else ())
    assert is_clear(endpoint, asks) is (clear and could)


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        pytest.param([], True, id="alone"),
        pytest.param([connection(name="d")], False, id="beside another"),
        pytest.param([connection(name="d", groups=("Blob",))], False, id="beside one for its group"),
        pytest.param([connection(name="d", groups=("dfs",))], True, id="beside one for another group"),
        pytest.param([connection(name="d", status=ConnectionStatus.UNKNOWN)], False, id="beside who knows what"),
        pytest.param([connection(name="d", endpoint=None)], False, id="beside one of nobody"),
    ],
)
def test_it_is_the_only_one_that_waits(others: list[Connection], expected: bool) -> None:
    assert is_the_only_one(connection(), [*others, connection()], MADE, [MADE]) is expected
    assert not is_the_only_one(connection(), others, MADE, [MADE]), "it is gone"


EARLIER = replace(MADE, standing=Standing.ANSWERED)
PAST = (ConnectionStatus.APPROVED, ConnectionStatus.REJECTED, ConnectionStatus.DISCONNECTED)


@pytest.mark.parametrize("status", PAST)
@pytest.mark.parametrize(
    ("groups", "ours", "expected"),
    [
        pytest.param((), [], False, id="it may be ours, which does not show it yet"),
        pytest.param((), [EARLIER], True, id="another of ours has it"),
        pytest.param((), [replace(EARLIER, groups=("dfs",))], True, id="another has it, for whatever group"),
        pytest.param(("blob",), [replace(EARLIER, groups=("dfs",))], False, id="another's is for another group"),
        pytest.param(("dfs",), [], True, id="it is for another group"),
        pytest.param((), [replace(EARLIER, standing=Standing.ENDED)], False, id="another's may be gone"),
        pytest.param((), [replace(EARLIER, target=None)], False, id="another's leads who knows where"),
        pytest.param((), [replace(EARLIER, target=SITE)], False, id="another's leads elsewhere"),
    ],
)
def test_one_that_was_answered_is_anothers_or_may_be_its(
    status: ConnectionStatus, groups: tuple[str, ...], ours: list[ManagedEndpoint], expected: bool
) -> None:
    """What a resource shows may be older than what its target does: who waits there then is somebody else."""
    standing = connection(name="d", groups=groups, status=status)
    assert is_the_only_one(connection(), [standing, connection()], MADE, [MADE, *ours]) is expected


def test_the_one_that_waits_is_the_one_that_was_asked_about() -> None:
    other = ResourceId.parse(str(THEIRS).replace("/pe", "/pe2"))
    assert not is_the_only_one(connection(), [connection(endpoint=other)], MADE, [MADE])


@dataclass(frozen=True)
class Lists:
    """A session that lists what stands here, whatever the api-version."""

    items: Mapping[str, list[Any]]

    async def list_all(self, path: str, _: str) -> list[Any]:
        return self.items[path]


def shown(manager: ResourceId, items: Mapping[str, list[Any]]) -> tuple[ManagedEndpoint, ...]:
    """What is read of these lists."""
    lists = Lists({f"{manager}/{path}": listed for path, listed in items.items()})
    return asyncio.run(managed_endpoints_of(cast(ArmSession, lists), manager))


UNREADABLE = [
    pytest.param([{"id": f"{FACTORY}2/managedVirtualNetworks/default"}], id="of another factory"),
    pytest.param([{"id": 7}], id="no id"),
    pytest.param([{}], id="nothing"),
    pytest.param([None], id="null"),
]


@pytest.mark.parametrize("networks", UNREADABLE)
def test_a_network_that_cannot_be_read_makes_all_unknown(networks: list[Any]) -> None:
    """Law 13 the other way: what is not read could be the one, so none is believed."""
    with pytest.raises(InputError):
        shown(FACTORY, {"managedVirtualNetworks": networks})


@pytest.mark.parametrize(
    "properties",
    [
        None,
        [],
        {"privateLinkResourceId": None},
        {"privateLinkResourceId": ["/subscriptions"]},
        {"privateLinkResourceId": "/subscriptions/x"},
        {"privateLink": {"id": str(ACCOUNT).replace("/st", "/s%74")}},
    ],
)
def test_an_endpoint_that_cannot_be_read_makes_all_unknown(properties: Any) -> None:
    grafana = ResourceId.parse(f"{GROUP}/Microsoft.Dashboard/grafana/g")
    with pytest.raises(InputError):
        shown(grafana, {"managedPrivateEndpoints": [{"id": "x", "properties": properties}]})


def test_an_alias_is_no_target_that_is_known() -> None:
    alias = {"privateLink": {"id": "pls.guid.westeurope.azure.privatelinkservice"}, "status": "Pending"}
    listed: dict[str, list[Any]] = {
        "originGroups": [{"id": f"{PROFILE}/originGroups/og"}],
        "originGroups/og/origins": [{"id": "o", "properties": {"hostName": "a", "sharedPrivateLinkResource": alias}}],
    }
    assert shown(PROFILE, listed) == (ManagedEndpoint(PROFILE, None, (), Standing.UNCLEAR),)


def test_a_type_without_a_list_in_arm_cannot_be_read() -> None:
    with pytest.raises(InputError, match="does not show its managed endpoints through ARM"):
        shown(ResourceId.parse(f"{GROUP}/Microsoft.Synapse/workspaces/w"), {})
