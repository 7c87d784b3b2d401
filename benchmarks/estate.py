"""The estate that is measured: a hub with one zone, a spoke, and the settings that speak of them.

It imports nothing, so that the settings can be written before anything else is there.
"""

from __future__ import annotations

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
    return [
        {"location": "westeurope", "properties": {}, **document, "name": str(document["id"]).rsplit("/", 1)[1]}
        for document in (*groups, *networks, zone, link)
    ]
