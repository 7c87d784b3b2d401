"""Moves of resources to another resource group: their ids change, and everything that names them names the new ones.

Only what is listed moves, with what lies beneath it: whether Azure takes an endpoint's interface along is unverified,
so list it or not. What else Azure checks before a move is not simulated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from simulator import endpoint_names, ids
from simulator.private_link import refuse_when_busy
from simulator.refusals import By, Refusal
from simulator.world import Caller, Operation, World

_FREE_TEXT = ("metadata", "tags")  # what callers wrote there stays as they wrote it

OPERATION = f"{ids.RESOURCE_GROUP}/moveResources/action"


def move(world: World, caller: Caller, group_id: str, resources: Sequence[str], target_group: str) -> Operation:
    """Starts to move resources of one group to another, perhaps in another subscription; their guids stay.

    Raises Refusal, whose codes are unverified, if a group or resource is missing, busy, or in the wrong place.
    """
    group, target = world.need(group_id)["id"], _need_group(world, target_group)
    refuse_when_busy(world, group)
    ways = {world.need(each)["id"]: f"{target}/{_within(group, each)}" for each in resources}
    for before, after in ways.items():
        refuse_when_busy(world, before)
        if world.document(after) is not None:
            raise Refusal("Conflict", f"The target resource group has a resource {after} already.", by=By.GATEWAY)
    return world.begin(OPERATION, group, caller, lambda: _rename(world, ways))


def _need_group(world: World, group_id: str) -> str:
    parsed = ids.parse(group_id)
    if parsed.type != ids.RESOURCE_GROUP:
        raise Refusal("InvalidRequestContent", f"'{group_id}' is not the id of a resource group.", by=By.GATEWAY)
    world.need_subscription(parsed.subscription)
    return str(world.need_group(parsed.subscription, parsed.resource_group)["id"])


def _within(group: str, resource_id: str) -> str:
    parsed = ids.parse(resource_id)
    if ids.key(parsed.parent) != ids.key(group):
        message = f"'{resource_id}' is not a top-level resource of the resource group '{group}'."
        raise Refusal("InvalidRequestContent", message, by=By.GATEWAY)
    return resource_id.rstrip("/")[len(group) + 1 :]


def _rename(world: World, ways: Mapping[str, str]) -> None:
    changed = [renamed for each in world.store if (renamed := _renamed(each, ways)) != each]
    for before in ways:
        world.remove(before)
    for document in changed:
        world.put(document)
    for key, target in list(world.targets.items()):
        if (after := _renamed(target.id, ways)) != target.id:
            del world.targets[key]
            world.targets[ids.key(after)] = replace(target, id=after)
    for before, after in ways.items():
        if own := world.own_dns.pop(ids.key(before), None):
            world.own_dns[ids.key(after)] = own
        if ids.key(before) in world.lagging:
            world.lagging.discard(ids.key(before))
            endpoint_names.lag(world, after)


def _renamed(value: Any, ways: Mapping[str, str]) -> Any:
    """The same with each moved id in it replaced, and each id beneath one."""
    if isinstance(value, dict):
        return {key: each if key in _FREE_TEXT else _renamed(each, ways) for key, each in value.items()}
    if isinstance(value, list):
        return [_renamed(each, ways) for each in value]
    if isinstance(value, str) and value.startswith("/"):
        for before, after in ways.items():
            if f"{ids.key(value)}/".startswith(f"{ids.key(before)}/"):
                return after + value[len(before) :]
    return value
