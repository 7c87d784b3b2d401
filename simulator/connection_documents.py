"""What a target's connection looks like: when it is asked for, while it is being answered, and after.

Shapes are those of behaviour reference sections 4.2 and 4.3; where providers differ, see providers.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator import endpoint_names, ids
from simulator.documents import Document
from simulator.endpoint_names import connection_of, is_private_link_service
from simulator.providers import Provider, of_target
from simulator.world import World

CHILD = "privateEndpointConnections"
STATE = "privateLinkServiceConnectionState"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The status of a connection, and the words that go with it."""

    status: str
    description: str = ""


def new(world: World, endpoint: Document, target_id: str, verdict: Verdict) -> Document:
    """The connection of a new endpoint."""
    target = ids.parse(target_id)
    provider = of_target(target.type)
    name = _name(world, endpoint, target_id, provider)
    groups = connection_of(endpoint)["properties"]["groupIds"]
    properties: dict[str, Any] = {
        "privateEndpoint": {"id": endpoint["id"]},
        STATE: _state(provider, {provider.actions: "None"} if provider.actions else {}, verdict),
        "provisioningState": provider.settled,
    }
    if provider.groups:
        properties[provider.groups] = groups if provider.groups.endswith("s") else next(iter(groups), "")
    if provider.addresses:
        properties[provider.addresses] = _addresses(world, endpoint)
    if is_private_link_service(target_id):
        properties["linkIdentifier"] = str(uuid.uuid4().int % 2**29)
        properties["privateEndpointLocation"] = endpoint["location"]
    return {
        "id": f"{target_id}/{CHILD}/{name}",
        "name": name,
        "type": f"{target.type}/{CHILD}",
        **({provider.etag: _etag()} if provider.etag else {}),
        "properties": properties,
    }


def answered(provider: Provider, connection: Document, verdict: Verdict) -> Document:
    """A connection after its owner's word; whatever else it shows stays as it is."""
    changed = copy.deepcopy(connection)
    properties = changed["properties"]
    properties[STATE] = _state(provider, properties[STATE], verdict)
    if "provisioningState" in properties:
        properties["provisioningState"] = provider.settled
    if provider.etag and provider.etag in changed:
        changed[provider.etag] = _etag()
    return changed


def under_way(connection: Document, word: str) -> Document:
    """A connection while it changes: as it was, but for that word."""
    return {**connection, "properties": {**connection["properties"], "provisioningState": word}}


def is_connection(resource_id: str) -> bool:
    """Whether that is the id of a connection."""
    return ids.parse(resource_id).type.lower().endswith(f"/{CHILD}".lower())


def is_beneath(shown: Any, target_id: str) -> bool:
    """Whether what a target shows as a connection of its own is one."""
    shown_id = shown.get("id") if isinstance(shown, Mapping) else None
    return isinstance(shown_id, str) and ids.key(shown_id.rpartition("/")[0]) == ids.key(f"{target_id}/{CHILD}")


def consumer_of(connection: Document) -> str:
    """The id of the endpoint that connects; empty where none is shown."""
    return str(((connection.get("properties") or {}).get("privateEndpoint") or {}).get("id") or "")


def status_of(connection: Document) -> str:
    """Pending, Approved or Rejected; empty where none is shown."""
    return str(((connection.get("properties") or {}).get(STATE) or {}).get("status") or "")


def _name(world: World, endpoint: Document, target_id: str, provider: Provider) -> str:
    """Azure, names differ by provider: recorded for two, unverified for others (behaviour reference section 4.2)."""
    match provider.name:
        case "resource.guid":
            return f"{ids.parse(target_id).name}.{uuid.uuid4().hex}"
        case "endpoint" if world.document(f"{target_id}/{CHILD}/{endpoint['name']}") is None:
            return str(endpoint["name"])
        case _:
            return f"{endpoint['name']}.{uuid.uuid4()}"


def _addresses(world: World, endpoint: Document) -> list[str]:
    interface = endpoint_names.interface_of(world, endpoint) or {"properties": {}}
    held = interface["properties"].get("ipConfigurations") or []
    return [str(each["properties"]["privateIPAddress"]) for each in held]


def _state(provider: Provider, before: Mapping[str, Any], verdict: Verdict) -> dict[str, Any]:
    state = {**before, "status": verdict.status, "description": verdict.description}
    if not verdict.description and not provider.blank_description:
        del state["description"]
    return state


def _etag() -> str:
    return f'W/"{uuid.uuid4()}"'
