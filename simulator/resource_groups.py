"""Resource groups: made at once, deleted with everything in them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from simulator import connections, ids, private_link
from simulator.documents import Document
from simulator.endpoint_names import ENDPOINTS
from simulator.world import Caller, Operation, World, resource_group


def write_group(world: World, caller: Caller, group_id: str, body: Mapping[str, Any]) -> tuple[Document, bool]:
    """Creates or changes a resource group; tells whether it is new."""
    current = world.document(group_id)
    group_id = current["id"] if current else group_id
    written = {**resource_group(group_id, body["location"]), "tags": body.get("tags") or {}}
    world.put(written)
    world.announce(f"{ids.RESOURCE_GROUP}/write", group_id, caller)
    return written, current is None


def remove_group(world: World, caller: Caller, group_id: str) -> Operation:
    """Starts to delete a resource group, or tells of the deletion under way.

    Every resource in it goes as if it were deleted by itself. Azure, whether each also has an event of its own, beside
    the group's, is unverified, so a switch (behaviour reference section 1.2). Raises Refusal if something else goes on.
    """
    group = world.need(group_id)
    operation, going = f"{ids.RESOURCE_GROUP}/delete", world.busy(group["id"])
    if going is not None and going.operation == operation:
        return going
    private_link.refuse_when_busy(world, group["id"])

    def finish() -> None:
        with nullcontext() if world.settings.group_delete_events else world.unheard(group["id"]):
            _empty(world, caller, group)
        world.remove(group["id"])

    return world.begin(operation, group["id"], caller, finish)


def _empty(world: World, caller: Caller, group: Document) -> None:
    # Endpoints first: each takes its interface along, as the network service does.
    for document in sorted(world.store.below(group["id"]), key=lambda each: not _is_endpoint(each)):
        if world.document(document["id"]) is not None:
            _remove(world, caller, document)


def _remove(world: World, caller: Caller, document: Document) -> None:
    resource_id, resource_type = document["id"], ids.parse(document["id"]).type
    if _is_endpoint(document):
        private_link.forget_endpoint(world, resource_id)
    connections.forget_target(world, resource_id)
    world.remove(resource_id)
    world.announce(f"{resource_type}/delete", resource_id, caller)


def _is_endpoint(document: Document) -> bool:
    return ids.parse(document["id"]).type.lower() == ENDPOINTS.lower()
