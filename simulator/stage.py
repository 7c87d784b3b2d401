"""The demo's stage: the estate of hubwarden.yaml and another company, as the local Azure is told of them."""

from __future__ import annotations

from typing import Any

TENANT = "cccccccc-cccc-4ccc-8ccc-cccccccccccc"
ANOTHER_TENANT = "dddddddd-dddd-4ddd-8ddd-dddddddddddd"
HUB = "11111111-1111-4111-8111-111111111111"
ORDERS = "22222222-2222-4222-8222-222222222222"
BILLING = "33333333-3333-4333-8333-333333333333"
ELSEWHERE = "99999999-9999-4999-8999-999999999999"
TENANTS = {HUB: TENANT, ORDERS: TENANT, BILLING: TENANT, ELSEWHERE: ANOTHER_TENANT}
BLOB_ZONE = "privatelink.blob.core.windows.net"
REGISTRY_ZONE = "privatelink.azurecr.io"
ZONES = (BLOB_ZONE, REGISTRY_ZONE)


def id_of(subscription: str, group: str, kind: str, name: str) -> str:
    """The id of a top-level resource."""
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{kind}/{name}"


def spoke_network(subscription: str) -> str:
    """The id of a spoke's network."""
    return id_of(subscription, "rg-app", "Microsoft.Network/virtualNetworks", "vnet")


HUB_NETWORK = id_of(HUB, "rg-hub", "Microsoft.Network/virtualNetworks", "vnet-hub")
ACCOUNT = id_of(ORDERS, "rg-app", "Microsoft.Storage/storageAccounts", "stcontosoorders")
SHARED_ACCOUNT = id_of(ORDERS, "rg-app", "Microsoft.Storage/storageAccounts", "stcontososhared")
BILLING_ACCOUNT = id_of(BILLING, "rg-app", "Microsoft.Storage/storageAccounts", "stcontosobilling")
REGISTRY = id_of(ORDERS, "rg-app", "Microsoft.ContainerRegistry/registries", "acrcontoso")


def documents() -> list[dict[str, Any]]:
    """Resource groups, networks and targets, as ARM shows them."""
    groups = [(HUB, "rg-dns"), (HUB, "rg-hub"), (ORDERS, "rg-app"), (BILLING, "rg-app"), (ELSEWHERE, "rg-app")]
    networks = [(HUB_NETWORK, "10.10.0.0/24")]
    for subscription, prefix in ((ORDERS, "10.20.0.0/24"), (BILLING, "10.30.0.0/24"), (ELSEWHERE, "10.99.0.0/24")):
        networks.append((spoke_network(subscription), prefix))
    return [
        *(_group(subscription, name) for subscription, name in groups),
        *(_network(network, prefix) for network, prefix in networks),
        *(_target(target) for target in (ACCOUNT, SHARED_ACCOUNT, BILLING_ACCOUNT, REGISTRY)),
        _unheard(ELSEWHERE),
    ]


def targets() -> list[dict[str, Any]]:
    """Which names endpoints to the targets get, and the public addresses of these."""
    accounts = {ACCOUNT: "203.0.113.10", BILLING_ACCOUNT: "203.0.113.11", SHARED_ACCOUNT: "203.0.113.14"}
    return [
        *(
            {"id": account, "members": [_member("blob", "blob", f"{_name(account)}.blob.core.windows.net", address)]}
            for account, address in accounts.items()
        ),
        {
            "id": REGISTRY,
            "members": [
                _member(
                    "registry", "registry_data_westeurope", "acrcontoso.westeurope.data.azurecr.io", "203.0.113.12"
                ),
                _member("registry", "registry", "acrcontoso.azurecr.io", "203.0.113.13"),
            ],
        },
    ]


def _member(group: str, member: str, fqdn: str, address: str) -> dict[str, Any]:
    zone = REGISTRY_ZONE if group == "registry" else BLOB_ZONE
    return {"groupId": group, "memberName": member, "fqdns": [fqdn], "zone": zone, "publicAddress": address}


def _name(resource_id: str) -> str:
    return resource_id.rsplit("/", 1)[1]


def _group(subscription: str, name: str) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{subscription}/resourceGroups/{name}",
        "name": name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": "westeurope",
    }


def _network(network_id: str, prefix: str) -> dict[str, Any]:
    subnet = {"id": f"{network_id}/subnets/snet", "name": "snet", "properties": {"addressPrefix": prefix}}
    return {
        "id": network_id,
        "name": _name(network_id),
        "type": "Microsoft.Network/virtualNetworks",
        "location": "westeurope",
        "properties": {"addressSpace": {"addressPrefixes": [prefix]}, "subnets": [subnet]},
    }


def _target(target_id: str) -> dict[str, Any]:
    provider, kind, name = target_id.split("/providers/", 1)[1].split("/")
    return {
        "id": target_id,
        "name": name,
        "type": f"{provider}/{kind}",
        "location": "westeurope",
        "properties": {"provisioningState": "Succeeded", "privateEndpointConnections": []},
    }


def _unheard(subscription: str) -> dict[str, Any]:
    """A system topic of its own, to which nobody has subscribed: what happens there is not told to us."""
    kind = "Microsoft.EventGrid/systemTopics"
    return {
        "id": id_of(subscription, "rg-app", kind, "events"),
        "name": "events",
        "type": kind,
        "location": "global",
        "properties": {
            "source": f"/subscriptions/{subscription}",
            "topicType": "Microsoft.Resources.Subscriptions",
        },
    }
