"""What private endpoints lie in, made through ARM: virtual networks, and the load balancers of private link services.

Azure takes a while for each; here they are ready at once, and nothing of them is simulated but that they are there.
"""

from __future__ import annotations

import uuid

from simulator import ids
from simulator.arm.envelope import document, properties_of
from simulator.wire import Reply, Request, Router

_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/providers"
_TYPES = ("Microsoft.Network/virtualNetworks", "Microsoft.Network/loadBalancers")


def add_routes(router: Router) -> None:
    """Makes PUT and DELETE of those types answer; their GET is that of whatever is stored."""
    for resource_type in _TYPES:
        router.add("PUT", f"{_GROUP}/{resource_type}/{{name}}", _put)
        router.add("DELETE", f"{_GROUP}/{resource_type}/{{name}}", _delete)


def _put(request: Request) -> Reply:
    body, world = properties_of(request), request.world
    current = world.document(request.path)
    parsed = ids.parse(current["id"] if current else request.path)
    written = {
        **body,
        "id": parsed.text,
        "name": parsed.name,
        "type": parsed.type,
        "etag": f'W/"{uuid.uuid4()}"',
        "properties": {**(body.get("properties") or {}), "provisioningState": "Succeeded"},
    }
    world.put(written)
    world.announce(f"{parsed.type}/write", parsed.text, request.caller)
    return document(written, 200 if current else 201)


def _delete(request: Request) -> Reply:
    current = request.world.document(request.path)
    if current is None:
        return Reply(204)
    request.world.remove(current["id"])
    request.world.announce(f"{ids.parse(current['id']).type}/delete", current["id"], request.caller)
    return Reply(200)
