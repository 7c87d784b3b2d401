"""The whole world as JSON and back, for rehearsals that start from a copy of a real estate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from simulator import connections, endpoint_names
from simulator.ids import key
from simulator.inputs import fields, read_resources, read_subscription, read_target, texts
from simulator.settings import Settings, camel
from simulator.world import World

_PARTS: dict[str, type] = {
    "settings": dict,
    "subscriptions": list,
    "targets": list,
    "resources": list,
    "ownDns": dict,
    "lagging": list,
    "subnets": list,
}


def taken(world: World) -> dict[str, Any]:
    """Everything there is, as long as no operation is under way: half of one cannot be told in JSON."""
    return {
        "settings": world.settings.document(),
        "subscriptions": [_in_camel_case(asdict(each)) for each in world.subscriptions.values()],
        "targets": [_in_camel_case(asdict(each)) for each in world.targets.values()],
        "resources": list(world.store),
        "ownDns": dict(world.own_dns),
        "lagging": sorted(world.lagging),
        "subnets": world.addresses.unknown(),
    }


def load(world: World, picture: Mapping[str, Any]) -> None:
    """Puts a snapshot in place of everything. Raises ValueError, before anything is replaced, if it is not one."""
    fields(picture, "A snapshot", _PARTS)
    settings = Settings().changed(picture.get("settings", {}))
    subscriptions = [read_subscription(each, {}) for each in picture.get("subscriptions", [])]
    targets = [read_target(each) for each in picture.get("targets", [])]
    resources = read_resources(picture.get("resources", []))
    lagging = texts("A snapshot's lagging", picture.get("lagging"))
    subnets = texts("A snapshot's subnets", picture.get("subnets"))
    world.clear()
    world.subscriptions.update({each.id.lower(): each for each in subscriptions})
    world.targets.update({key(each.id): each for each in targets})
    world.addresses.know(subnets)
    for document in resources:
        world.put(document)
    for document in resources:
        connections.show(world, document["id"])
    world.settings = settings  # no sooner: an index that lags knows what was there before
    world.own_dns.update(picture.get("ownDns", {}))
    for endpoint in lagging:
        endpoint_names.lag(world, endpoint)
        endpoint_names.refresh(world, endpoint)


def _in_camel_case(value: Any) -> Any:
    if isinstance(value, dict):
        return {camel(name): _in_camel_case(each) for name, each in value.items()}
    return [_in_camel_case(each) for each in value] if isinstance(value, tuple | list) else value
