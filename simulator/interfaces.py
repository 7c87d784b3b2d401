"""The network interface that a private endpoint gets, with one address per member (behaviour reference section 2.7)."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Sequence
from typing import Any

from simulator import ids
from simulator.addresses import INTERFACES
from simulator.documents import Document
from simulator.endpoint_names import connection_of, members_of, stamped
from simulator.world import World


def new(endpoint: Document, interface_id: str) -> Document:
    """An interface without addresses yet."""
    return {
        "name": ids.parse(interface_id).name,
        "id": interface_id,
        "etag": f'W/"{uuid.uuid4()}"',
        "type": INTERFACES,
        "location": endpoint["location"],
        "tags": endpoint["tags"],
        "properties": {
            "provisioningState": "Updating",
            "resourceGuid": str(uuid.uuid4()),
            "ipConfigurations": [],
            "dnsSettings": {
                "dnsServers": [],
                "appliedDnsServers": [],
                "internalDomainNameSuffix": f"{uuid.uuid4().hex[:26]}.ax.internal.cloudapp.net",
            },
            "macAddress": "",
            "enableAcceleratedNetworking": False,
            "enableIPForwarding": False,
            "hostedWorkloads": [],
            "tapConfigurations": [],
            "privateEndpoint": {"id": endpoint["id"]},
        },
    }


def give_addresses(world: World, endpoint: Document) -> None:
    """Azure, one address per member, the caller's own where it named one (behaviour reference section 2.7)."""
    properties, connection = endpoint["properties"], connection_of(endpoint)["properties"]
    members = members_of(world, connection["privateLinkServiceId"], connection["groupIds"])
    subnet_id = properties["subnet"]["id"]
    free = world.addresses.free(subnet_id, _prefix(world, subnet_id))
    interface = copy.deepcopy(world.need(properties["networkInterfaces"][0]["id"]))
    configurations = []
    for place in dict.fromkeys((member.group_id, member.member_name) for member in members):
        static = _static_address(properties["ipConfigurations"], place)
        configurations.append(
            _configuration(interface, place, static or next(free), subnet_id, static=static is not None)
        )
    configurations[0]["properties"]["primary"] = True
    interface["properties"].update(ipConfigurations=configurations, provisioningState="Succeeded")
    world.put(stamped(interface))


def _configuration(
    interface: Document, place: tuple[str, str], address: str, subnet_id: str, *, static: bool
) -> Document:
    group, member = place
    name = f"{group}-{member}.privateEndpoint" if member else f"privateEndpointIpConfig.{uuid.uuid4().hex}"
    return {
        "name": name,
        "id": f"{interface['id']}/ipConfigurations/{name}",
        "etag": interface["etag"],
        "type": f"{INTERFACES}/ipConfigurations",
        "properties": {
            "provisioningState": "Succeeded",
            "privateIPAddress": address,
            "privateIPAllocationMethod": "Static" if static else "Dynamic",
            "primary": False,
            "privateIPAddressVersion": "IPv4",
            "subnet": {"id": subnet_id},
            "privateLinkConnectionProperties": {"groupId": group, "requiredMemberName": member, "fqdns": []},
        },
    }


def _static_address(wanted: Sequence[Any], place: tuple[str, str]) -> str | None:
    for each in wanted:
        asked = each.get("properties") or {}
        if (str(asked.get("groupId", "")).lower(), asked.get("memberName")) == (place[0].lower(), place[1]):
            return str(asked["privateIPAddress"])
    return None


def _prefix(world: World, subnet_id: str) -> str | None:
    """The subnet's addresses, from its own document or its network's; None if nobody has told."""
    documents = [world.document(subnet_id)]
    network = world.document(ids.parse(subnet_id).parent)
    documents += [
        each for each in _subnets(network) if str(each.get("name")).lower() == ids.parse(subnet_id).name.lower()
    ]
    for document in filter(None, documents):
        properties = document.get("properties") or {}
        prefixes = [properties.get("addressPrefix"), *(properties.get("addressPrefixes") or [])]
        if found := [str(prefix) for prefix in prefixes if prefix]:
            return found[0]
    return None


def _subnets(network: Document | None) -> list[Document]:
    return ((network or {}).get("properties") or {}).get("subnets") or []
