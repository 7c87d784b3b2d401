"""The values that the unit tests start from: one endpoint, one hub, one record, and how to vary them."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from hubwarden.dns.plan import Rules
from hubwarden.model.connection import Connection
from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import Address, ConnectionStatus, Endpoint, EndpointName, NameSource, Network
from hubwarden.model.hub import Hub, HubZones
from hubwarden.model.plan import Claim, ClaimState, Drop, Put, Want
from hubwarden.model.record import Keeper, Owner, RecordKey, RecordSet, RecordType
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.zone import Zone

DOCUMENTS = Path(__file__).parent / "documents"

HUB_SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
SPOKE = "22222222-2222-4222-8222-222222222222"
RESOURCES = f"/subscriptions/{SPOKE}/resourceGroups/rg-orders/providers"
ZONES = f"/subscriptions/{HUB_SUBSCRIPTION}/resourceGroups/rg-dns/providers/Microsoft.Network/privateDnsZones"

ENDPOINT = ResourceId.parse(f"{RESOURCES}/Microsoft.Network/privateEndpoints/pe-orders")
OTHER_ENDPOINT = ResourceId.parse(f"{RESOURCES}/Microsoft.Network/privateEndpoints/pe-billing")
TARGET = ResourceId.parse(f"{RESOURCES}/Microsoft.Storage/storageAccounts/orders")
GUID = "95b70f74-7d34-469d-ac32-9ddc10eeed5f"
OTHER_GUID = "aed51b15-ef70-402f-af34-d1f6b5add1ab"

BLOB = "orders.blob.core.windows.net"
BLOB_ZONE = "privatelink.blob.core.windows.net"

PRIVATE: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
RULES = Rules(instance="contoso", instances=frozenset({"contoso", "oldname"}), ttl=10, protected=frozenset())


def addresses(*texts: str) -> tuple[Address, ...]:
    """IP addresses."""
    return tuple(ipaddress.ip_address(text) for text in texts)


def name(fqdn: str, *texts: str, source: NameSource = NameSource.NIC) -> EndpointName:
    """A name of an endpoint with its addresses, by default 10.1.0.4."""
    return EndpointName(fqdn, addresses(*(texts or ("10.1.0.4",))), source)


def endpoint(*names: EndpointName, **changes: Any) -> Endpoint:
    """An approved, settled endpoint of a storage account's blobs; its interface holds all addresses of its names."""
    shown = names or (name(BLOB),)
    whole = Endpoint(
        id=ENDPOINT,
        guid=GUID,
        location="westeurope",
        target=TARGET,
        target_text=str(TARGET),
        groups=("blob",),
        status=ConnectionStatus.APPROVED,
        manual=False,
        settled=True,
        names=shown,
        interface_addresses=frozenset(address for each in shown for address in each.addresses),
    )
    return replace(whole, **changes)


def connection(called: str = "c1", at: ResourceId = TARGET, **changes: Any) -> Connection:
    """A connection of the endpoint to the target, or another, that waits without a word."""
    whole = Connection(
        id=ResourceId.parse(f"{at}/privateEndpointConnections/{called}"),
        endpoint=ENDPOINT,
        groups=("blob",),
        status=ConnectionStatus.PENDING,
        message="",
        settled=True,
    )
    return replace(whole, **changes)


def target(resource_type: str, called: str) -> dict[str, Any]:
    """What to change in an endpoint for it to have another target."""
    text = f"{RESOURCES}/{resource_type}/{called}"
    return {"target": ResourceId.parse(text), "target_text": text}


def zone(text: str, group: str = "rg-dns") -> Zone:
    """A zone in the hub's resource group, or another."""
    return Zone(ResourceId.parse(f"{ZONES.replace('rg-dns', group)}/{text}"), DnsName.parse(text))


def hub(
    *zones: str,
    called: str = "weu",
    group: str = "rg-dns",
    locations: tuple[str, ...] = (),
    subscriptions: tuple[str, ...] = (),
    trouble: str = "",
) -> HubZones:
    """A hub with these zones, or the trouble that there was in listing them."""
    groups = (ResourceId.parse(f"/subscriptions/{HUB_SUBSCRIPTION}/resourceGroups/{group}"),)
    settled = Hub(called, groups, locations=frozenset(locations), subscriptions=frozenset(subscriptions))
    return HubZones(settled, {made.name: made for made in (zone(text, group) for text in zones)}, trouble)


def key(label: str = "orders", in_zone: str = BLOB_ZONE, kind: RecordType = RecordType.A) -> RecordKey:
    """A record's key."""
    return RecordKey(zone(in_zone).id, label, kind)


def want(**changes: Any) -> Want:
    """The record that `endpoint()` asks for."""
    return replace(Want("weu", key(), BLOB, addresses("10.1.0.4")), **changes)


def owner(**changes: Any) -> Owner:
    """Our mark for `endpoint()`."""
    return replace(Owner("contoso", ENDPOINT, GUID), **changes)


def record(**changes: Any) -> RecordSet:
    """Our record for `endpoint()`, just as it is wanted."""
    ours = RecordSet(key(), addresses("10.1.0.4"), ttl=10, etag="e1", keeper=Keeper.HUBWARDEN, owner=owner())
    return replace(ours, **changes)


def claim(**changes: Any) -> Claim:
    """The claim of `endpoint()` on its record."""
    served = Claim(
        endpoint=ENDPOINT,
        guid=GUID,
        hub="weu",
        key=key(),
        fqdn=BLOB,
        addresses=addresses("10.1.0.4"),
        ttl=10,
        state=ClaimState.SERVED,
        etag="e1",
        written_at=0.0,
    )
    return replace(served, **changes)


def put(**changes: Any) -> Put:
    """The creation of the wanted record."""
    created = Put(
        hub="weu",
        key=key(),
        fqdn=BLOB,
        addresses=addresses("10.1.0.4"),
        ttl=10,
        owner=owner(),
        etag=None,
        was=(),
        why="wanted, and nothing stands there",
    )
    return replace(created, **changes)


def drop(**changes: Any) -> Drop:
    """The withdrawal of that record."""
    withdrawn = Drop(key=key(), etag="e1", was=addresses("10.1.0.4"), endpoint=ENDPOINT, why="the endpoint is gone")
    return replace(withdrawn, **changes)


@cache
def _text(called: str) -> str:
    return (DOCUMENTS / f"{called}.json").read_text(encoding="utf-8")


def document(called: str) -> dict[str, Any]:
    """One of the documents of Azure, fresh each time."""
    whole: dict[str, Any] = json.loads(_text(called))
    return whole
