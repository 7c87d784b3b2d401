"""Scope: what a run is asked to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from hubwarden.errors import InputError
from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import private_endpoint_id
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.word import Word, to_word, word_data


@dataclass(frozen=True, slots=True)
class OneEndpoint:
    """Look at this private endpoint.

    `thorough` reads every record that is claimed or wanted, as a person who asks expects; without it, what the
    claims remember is believed for a while, which is what makes a repeated event cost one call.
    """

    endpoint: ResourceId
    thorough: bool = False

    def __str__(self) -> str:
        return str(self.endpoint)


@dataclass(frozen=True, slots=True)
class OneTarget:
    """Look at the connections of this resource, and at the private endpoints that they come from."""

    target: ResourceId

    def __str__(self) -> str:
        return f"the connections of {self.target}"


@dataclass(frozen=True, slots=True)
class OneGroup:
    """Look at every endpoint that was claimed in this resource group: it was deleted, or its resources moved."""

    group: ResourceId

    def __str__(self) -> str:
        return f"the endpoints of {self.group}"


@dataclass(frozen=True, slots=True)
class OneZone:
    """Look at a zone that a hub lacks, or that was made for it and may not be linked yet."""

    hub: str
    zone: ResourceId

    def __str__(self) -> str:
        return f"zone {self.zone.name} of hub {self.hub}"


@dataclass(frozen=True, slots=True)
class Pending:
    """Look at every connection of the estate that waits for an answer."""

    def __str__(self) -> str:
        return "the pending connections"


@dataclass(frozen=True, slots=True)
class Everything:
    """Look at the whole estate."""

    def __str__(self) -> str:
        return "the whole estate"


Scope = OneEndpoint | OneTarget | OneGroup | OneZone | Pending | Everything | Word


def subject_of(scope: Scope) -> ResourceId | None:
    """What the scope is about, for notes about it.

    None for the whole estate, which a timer comes back to, and for a person's word, which a person repeats.
    """
    match scope:
        case OneEndpoint():
            return scope.endpoint
        case OneTarget():
            return scope.target
        case OneGroup():
            return scope.group
        case OneZone():
            # Of two hubs with the same zone, the one's networks are no matter of the other's.
            zone = scope.zone
            return ResourceId(zone.subscription, zone.group, zone.provider, (*zone.path, ("hubs", scope.hub)))
        case Pending() | Everything() | Word():
            return None
        case _ as never:
            assert_never(never)


def scope_data(scope: Scope) -> dict[str, object]:
    """A scope as plain data, for messages, the ledger and reports."""
    match scope:
        case OneEndpoint():
            return {"endpoint": str(scope.endpoint), "thorough": scope.thorough}
        case OneTarget():
            return {"target": str(scope.target)}
        case OneGroup():
            return {"group": str(scope.group)}
        case OneZone():
            return {"hub": scope.hub, "zone": str(scope.zone)}
        case Pending():
            return {"pending": True}
        case Everything():
            return {"everything": True}
        case Word():
            return {"word": word_data(scope)}
        case _ as never:
            assert_never(never)


def to_scope(data: object) -> Scope:
    """Reads what `scope_data` wrote. Raises InputError for anything else."""
    if not isinstance(data, Mapping):
        raise InputError("a scope is an object")
    if "endpoint" in data:
        return OneEndpoint(private_endpoint_id(data["endpoint"]), data.get("thorough") is True)
    if "target" in data:
        return OneTarget(target_id(data["target"]))
    if "group" in data:
        return OneGroup(group_id(data["group"]))
    if "zone" in data:
        return OneZone(str(data.get("hub") or ""), zone_id(data["zone"]))
    if data.get("pending") is True:
        return Pending()
    if data.get("everything") is True:
        return Everything()
    if "word" in data:
        return to_word(data["word"])
    raise InputError("a scope names an endpoint, a target, a group, a zone, pending, everything or a person's word")


def target_id(value: object) -> ResourceId:
    """Reads the id of a resource that endpoints can connect to. Raises InputError for anything else."""
    target = ResourceId.parse(value)
    if not target.path or not target.group:
        raise InputError(f"{str(target)[:200]!r} is not the id of a resource in a resource group")
    return target


def zone_id(value: object) -> ResourceId:
    """Reads the id of a private DNS zone. Raises InputError for anything else."""
    zone = ResourceId.parse(value)
    if not zone.is_a("Microsoft.Network/privateDnsZones"):
        raise InputError(f"{str(zone)[:200]!r} is not the id of a private DNS zone")
    DnsName.parse(zone.name)
    return zone


def group_id(value: object) -> ResourceId:
    """Reads the id of a resource group. Raises InputError for anything else."""
    group = ResourceId.parse(value)
    if group.path or not group.group:
        raise InputError(f"{str(group)[:200]!r} is not the id of a resource group")
    return group
