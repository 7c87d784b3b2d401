"""The target's side of private endpoints: who asks to connect, and what the owner answers (reference section 4).

How each provider behaves is data (data/connections.json); a provider that is not in it answers as most do.
"""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from simulator import endpoint_names, ids
from simulator.documents import Document
from simulator.endpoint_names import connection_of, is_private_link_service, stamped, target_id_of
from simulator.refusals import Refusal
from simulator.world import Caller, Operation, World

CHILD = "privateEndpointConnections"
_SUFFIX = f"/{CHILD}".lower()
_ANSWERS = ("Approved", "Rejected")
_PROVIDERS: dict[str, dict[str, Any]] = json.loads(
    files("simulator").joinpath("data/connections.json").read_text(encoding="utf-8")
)


def provider_of(connection_id: str) -> dict[str, Any]:
    """How the provider of that connection's target behaves."""
    target_type = ids.parse(ids.parse(connection_id).parent).type.lower()
    return {**_PROVIDERS["default"], **_PROVIDERS.get(target_type, {})}


def request(world: World, endpoint: Document) -> None:
    """Makes the target's connection for a new endpoint, and sets the state of the endpoint's own.

    Azure, an automatic request is approved at once; a manual one waits, unless the target approves the consumer's
    subscription by itself (behaviour reference sections 2.2 and 4.1).
    """
    connection = connection_of(endpoint)["properties"]
    target_id = target_id_of(world, connection["privateLinkServiceId"])
    automatic = bool(endpoint["properties"]["privateLinkServiceConnections"])
    approved = automatic or _approves_by_itself(world, target_id, ids.parse(endpoint["id"]).subscription)
    message = connection.get("requestMessage", "") if world.settings.request_message_shown else ""
    status, description = ("Approved", "Auto-Approved") if approved else ("Pending", message)
    own = {"status": status, "description": "Auto-Approved" if approved else "", "actionsRequired": "None"}
    connection["privateLinkServiceConnectionState"] = own
    _store(world, _new(endpoint, target_id, status, description))


def answer(world: World, caller: Caller, connection_id: str, body: Mapping[str, Any]) -> Document:
    """Approves or rejects a connection; the consumer's endpoint follows, without a write of its own (section 1.2)."""
    current = world.need(connection_id)
    state = (body.get("properties") or {}).get("privateLinkServiceConnectionState") or {}
    status, before = state.get("status"), current["properties"]["privateLinkServiceConnectionState"]
    if status not in _ANSWERS:
        raise Refusal("BadRequest", f"The status of a connection can be set to {' or '.join(_ANSWERS)}, not {status}.")
    if [before["status"], status] in provider_of(connection_id)["refuses"]:
        raise Refusal("BadRequest", f"A connection that is {before['status']} cannot be set to {status}.")
    description = state.get("description") or ""
    changed = copy.deepcopy(current)
    changed["properties"]["privateLinkServiceConnectionState"] = {
        **before,
        "status": status,
        "description": description,
    }
    _store(world, changed)
    _follow(world, current["properties"]["privateEndpoint"]["id"], connection_id, status, description)
    world.announce(f"{ids.parse(current['id']).type}/write", current["id"], caller)
    return changed


def remove(world: World, caller: Caller, connection_id: str) -> bool:
    """Deletes a connection; the consumer's endpoint is disconnected (section 2.2). Tells whether there was one."""
    current = world.document(connection_id)
    if current is None:
        return False
    _drop(world, current)
    _follow(world, current["properties"]["privateEndpoint"]["id"], connection_id, "Disconnected", "")
    world.announce(f"{ids.parse(current['id']).type}/delete", current["id"], caller)
    return True


def begin_remove(world: World, caller: Caller, connection_id: str) -> Operation | None:
    """Starts the same as a long operation; None if there is no such connection."""
    current = world.document(connection_id)
    if current is None:
        return None

    def finish() -> None:
        _drop(world, current)
        _follow(world, current["properties"]["privateEndpoint"]["id"], connection_id, "Disconnected", "")

    return world.begin(f"{ids.parse(current['id']).type}/delete", current["id"], caller, finish)


def forget(world: World, endpoint_id: str) -> None:
    """Azure, when an endpoint goes, so does the target's connection (behaviour reference section 2.6)."""
    endpoint = world.need(endpoint_id)
    target_id = target_id_of(world, connection_of(endpoint)["properties"]["privateLinkServiceId"])
    for connection in of_target(world, target_id):
        if ids.key(connection["properties"]["privateEndpoint"]["id"]) == ids.key(endpoint_id):
            _drop(world, connection)


def of_target(world: World, target_id: str) -> list[Document]:
    """The connections of a target."""
    return [each for each in world.store.below(target_id) if ids.parse(each["id"]).type.lower().endswith(_SUFFIX)]


def _approves_by_itself(world: World, target_id: str, subscription: str) -> bool:
    target, document = world.targets.get(ids.key(target_id)), world.document(target_id)
    listed = list(target.auto_approve) if target else []
    listed += ((document or {}).get("properties", {}).get("autoApproval") or {}).get("subscriptions") or []
    return any(each == "*" or each.lower() == subscription.lower() for each in listed)


def _new(endpoint: Document, target_id: str, status: str, description: str) -> Document:
    service = is_private_link_service(target_id)
    resource = ids.parse(target_id).name
    # Azure, names differ by provider: as recorded for a registry, unverified for a service (sections 4.2, 4.3).
    name = f"{endpoint['name']}.{uuid.uuid4()}" if service else f"{resource}.{uuid.uuid4().hex}"
    connection_id = f"{target_id}/{CHILD}/{name}"
    provider = provider_of(connection_id)
    return {
        "id": connection_id,
        "name": name,
        "type": f"{ids.parse(target_id).type}/{CHILD}",
        **({"etag": f'W/"{uuid.uuid4()}"'} if service else {}),
        "properties": {
            "provisioningState": "Succeeded",
            "privateEndpoint": {"id": endpoint["id"]},
            "privateLinkServiceConnectionState": {
                "status": status,
                "description": description,
                provider["actions"]: "None",
            },
            **({"groupIds": connection_of(endpoint)["properties"]["groupIds"]} if provider["groups"] else {}),
            **(
                {"linkIdentifier": str(uuid.uuid4().int % 2**29), "privateEndpointLocation": endpoint["location"]}
                if service
                else {}
            ),
        },
    }


def _store(world: World, connection: Document) -> None:
    """Stores a connection, also within its target's own document (behaviour reference section 4.3)."""
    world.put(connection)
    target = world.document(ids.parse(connection["id"]).parent)
    if target is not None:
        others = [each for each in _listed(target) if ids.key(each["id"]) != ids.key(connection["id"])]
        world.put({**target, "properties": {**(target.get("properties") or {}), CHILD: [*others, connection]}})


def _drop(world: World, connection: Document) -> None:
    world.remove(connection["id"])
    target = world.document(ids.parse(connection["id"]).parent)
    if target is not None:
        others = [each for each in _listed(target) if ids.key(each["id"]) != ids.key(connection["id"])]
        world.put({**target, "properties": {**(target.get("properties") or {}), CHILD: others}})


def _listed(target: Document) -> list[Document]:
    return (target.get("properties") or {}).get(CHILD) or []


def _follow(world: World, endpoint_id: str, connection_id: str, status: str, description: str) -> None:
    endpoint = world.document(endpoint_id)
    target_id = ids.parse(connection_id).parent
    if endpoint is None:
        return  # it lies where this world does not reach
    reference = connection_of(endpoint)["properties"]["privateLinkServiceId"]
    if ids.key(target_id_of(world, reference)) != ids.key(target_id):
        return
    changed = copy.deepcopy(endpoint)
    state = connection_of(changed)["properties"]["privateLinkServiceConnectionState"]
    was_approved = state["status"] == "Approved"
    state.update(status=status, description=description)
    world.put(stamped(changed))
    if status == "Approved" and not was_approved:
        endpoint_names.lag(world, endpoint["id"])
    endpoint_names.refresh(world, endpoint["id"])
