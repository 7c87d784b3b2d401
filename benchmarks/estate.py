"""The estate that is measured: a hub with one zone, a spoke, and the settings that speak of them.

It imports nothing of ours, so that the settings can be written before anything else is there.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from ipaddress import IPv4Address
from typing import Any

HUB = "00000000-0000-4000-8000-0000000000bb"
SPOKE = "00000000-0000-4000-8000-0000000000aa"
TENANT = "00000000-0000-4000-8000-00000000aaaa"
ZONE = "privatelink.azurecr.io"
SETTINGS = f"""\
instance: bench
estate:
  subscriptions: [{HUB}, {SPOKE}]
hubs:
  - name: hub
    zones: [/subscriptions/{HUB}/resourceGroups/rg-dns]
"""


def resource_id(subscription: str, group: str, kind: str, name: str) -> str:
    """The id of a top-level resource."""
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{kind}/{name}"


HUB_NETWORK = resource_id(HUB, "rg-hub", "Microsoft.Network/virtualNetworks", "vnet-hub")
SPOKE_NETWORK = resource_id(SPOKE, "rg-app", "Microsoft.Network/virtualNetworks", "vnet")
ZONE_ID = resource_id(HUB, "rg-dns", "Microsoft.Network/privateDnsZones", ZONE)
SUBNET = f"{SPOKE_NETWORK}/subnets/snet"
FIRST_ADDRESS = IPv4Address("10.100.0.1")


def documents() -> list[dict[str, Any]]:
    """Everything in the estate but the targets and their endpoints."""
    groups: list[dict[str, Any]] = [
        {"id": f"/subscriptions/{subscription}/resourceGroups/{name}", "type": "Microsoft.Resources/resourceGroups"}
        for subscription, name in ((HUB, "rg-dns"), (HUB, "rg-hub"), (SPOKE, "rg-app"))
    ]
    networks: list[dict[str, Any]] = [
        {
            "id": network,
            "type": "Microsoft.Network/virtualNetworks",
            "properties": {
                "addressSpace": {"addressPrefixes": [prefix]},
                "subnets": [
                    {"id": f"{network}/subnets/snet", "name": "snet", "properties": {"addressPrefix": prefix}},
                ],
            },
        }
        for network, prefix in ((HUB_NETWORK, "10.10.0.0/24"), (SPOKE_NETWORK, "10.20.0.0/20"))
    ]
    zone: dict[str, Any] = {
        "id": ZONE_ID,
        "type": "Microsoft.Network/privateDnsZones",
        "location": "global",
        "etag": "zone",
    }
    link: dict[str, Any] = {
        "id": f"{ZONE_ID}/virtualNetworkLinks/hub",
        "type": "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
        "location": "global",
        "etag": "link",
        "properties": {
            "provisioningState": "Succeeded",
            "registrationEnabled": False,
            "resolutionPolicy": "Default",
            "virtualNetwork": {"id": HUB_NETWORK},
            "virtualNetworkLinkState": "Completed",
        },
    }
    return _whole(*groups, *networks, zone, link)


class Served:
    """One of many endpoints, each to a registry of its own; told by its number, and put in as it stands when ready."""

    def __init__(self, number: int) -> None:
        name = f"served{number}"
        self.fqdn = f"{name}.azurecr.io"
        self.id = resource_id(SPOKE, "rg-app", "Microsoft.Network/privateEndpoints", f"pe-{name}")
        self.interface = resource_id(SPOKE, "rg-app", "Microsoft.Network/networkInterfaces", f"pe-{name}.nic")
        self.target = resource_id(SPOKE, "rg-app", "Microsoft.ContainerRegistry/registries", name)
        self.record = f"{ZONE_ID}/A/{name}"
        self.guid = str(uuid.UUID(int=number))
        self.address = str(FIRST_ADDRESS + number)

    def documents(self) -> list[dict[str, Any]]:
        """The approved endpoint, and its interface."""
        connection = {
            "privateLinkServiceId": self.target,
            "groupIds": ["registry"],
            "privateLinkServiceConnectionState": {"status": "Approved", "description": "", "actionsRequired": "None"},
        }
        endpoint: dict[str, Any] = {
            "id": self.id,
            "type": "Microsoft.Network/privateEndpoints",
            "properties": {
                "provisioningState": "Succeeded",
                "resourceGuid": self.guid,
                "subnet": {"id": SUBNET},
                "privateLinkServiceConnections": [{"name": "registry", "properties": connection}],
                "manualPrivateLinkServiceConnections": [],
                "customDnsConfigs": [],
                "networkInterfaces": [{"id": self.interface}],
            },
        }
        link = {"groupId": "registry", "requiredMemberName": "registry", "fqdns": [self.fqdn]}
        address = {"privateIPAddress": self.address, "privateLinkConnectionProperties": link}
        interface: dict[str, Any] = {
            "id": self.interface,
            "type": "Microsoft.Network/networkInterfaces",
            "properties": {
                "privateEndpoint": {"id": self.id},
                "ipConfigurations": [{"name": "registry", "properties": address}],
            },
        }
        return _whole(endpoint, interface)

    def record_set(self, address: str, ttl: int, metadata: Mapping[str, str]) -> dict[str, Any]:
        """The record of its name, with that address."""
        properties = {"ttl": ttl, "aRecords": [{"ipv4Address": address}], "metadata": dict(metadata)}
        return {
            "id": self.record,
            "name": self.record.rpartition("/")[2],
            "type": "Microsoft.Network/privateDnsZones/A",
            "etag": str(uuid.uuid4()),
            "properties": {**properties, "isAutoRegistered": False},
        }


def _whole(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"location": "westeurope", "properties": {}, **part, "name": part["id"].rpartition("/")[2]} for part in parts
    ]
