"""The resources that private endpoints point at: written as told, and deleted with their connections.

What else their providers do is not simulated; nothing of it is seen by those who look at private endpoints.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from simulator import connections, ids
from simulator.connection_documents import CHILD, status_of
from simulator.documents import Document
from simulator.endpoint_names import is_private_link_service
from simulator.refusals import Refusal
from simulator.world import Caller, World


def write_target(world: World, caller: Caller, target_id: str, body: Mapping[str, Any]) -> Document:
    """Creates or changes a resource at once.

    Its connections are not its owner's to write (behaviour reference section 4.3).
    """
    current = world.document(target_id)
    parsed = ids.parse(current["id"] if current else target_id)
    before = (current or {}).get("properties") or {}
    properties = {**(body.get("properties") or {}), "provisioningState": "Succeeded"}
    if is_private_link_service(parsed.text):
        # Azure, the service gives the alias (behaviour reference section 4.1).
        region = body.get("location", "")
        alias = f"{parsed.name}.{uuid.uuid4()}.{region}.azure.privatelinkservice"
        properties["alias"] = before.get("alias") or alias
    written = {
        "id": parsed.text,
        "name": parsed.name,
        "type": parsed.type,
        **{key: value for key, value in body.items() if key not in ("id", "name", "type", "etag")},
        "properties": {**properties, CHILD: before.get(CHILD) or []},
    }
    world.put(written)
    world.announce(f"{parsed.type}/write", parsed.text, caller)
    return written


def remove_target(world: World, caller: Caller, target_id: str) -> bool:
    """Deletes a resource at once, and disconnects its endpoints (section 2.2); tells whether there was one.

    Azure, a private link service stays while it has connections that were not rejected (behaviour reference section
    4.1; the code is unverified). Raises Refusal.
    """
    target = world.document(target_id)
    if target is None:
        return False
    if is_private_link_service(target["id"]):
        for connection in connections.of_target(world, target["id"]):
            if status_of(connection) in ("Pending", "Approved"):
                message = f"{target['id']} has private endpoint connections, which must be rejected or removed first."
                raise Refusal("CannotDeleteResource", message)
    connections.forget_target(world, target["id"])
    world.remove(target["id"])
    world.targets.pop(ids.key(target["id"]), None)
    world.announce(f"{ids.parse(target['id']).type}/delete", target["id"], caller)
    return True
