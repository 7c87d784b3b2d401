"""Endpoint: a private endpoint as Azure shows it now."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from hubwarden.errors import InputError
from hubwarden.model.resource_id import ResourceId

PRIVATE_ENDPOINT = "Microsoft.Network/privateEndpoints"
PRIVATE_LINK_SERVICE = "Microsoft.Network/privateLinkServices"
NAMELESS = (PRIVATE_LINK_SERVICE, "Microsoft.Network/applicationGateways")
"""Types of target to which Azure gives no public name, so that only an estate's owner can say what they are called."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def ordered(addresses: Iterable[Address]) -> tuple[Address, ...]:
    """Each address once, in an order that both families share."""
    return tuple(sorted(set(addresses), key=lambda address: (address.version, int(address))))


def private_endpoint_id(value: object) -> ResourceId:
    """Reads the id of a private endpoint. Raises InputError for anything else."""
    endpoint = ResourceId.parse(value)
    if not endpoint.is_a(PRIVATE_ENDPOINT) or not endpoint.group:
        raise InputError(f"{str(endpoint)[:200]!r} is not the id of a private endpoint in a resource group")
    return endpoint


class ConnectionStatus(StrEnum):
    """The state of a private link connection; only Approved carries traffic."""

    PENDING = "Pending"
    APPROVED = "Approved"
    REJECTED = "Rejected"
    DISCONNECTED = "Disconnected"
    UNKNOWN = "Unknown"


class Tenancy(StrEnum):
    """Whose a subscription is; unknown is never treated as one of the others."""

    OURS = "ours"
    FOREIGN = "foreign"
    MICROSOFT = "microsoft"
    """A subscription that Azure itself keeps for managed networks, such as Data Factory's."""
    UNKNOWN = "unknown"


class NameSource(StrEnum):
    """Where a name was read: the interface, which only Azure writes, or the endpoint, whose owner can."""

    NIC = "nic"
    ENDPOINT = "endpoint"


@dataclass(frozen=True, slots=True)
class EndpointName:
    """A public name of the endpoint's target, with the private addresses that it should have.

    `fqdn` is the text as read: it is checked where it is used, so that one bad name holds back only itself.
    """

    fqdn: str
    addresses: tuple[Address, ...]
    source: NameSource


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A private endpoint, its one connection, and the names and addresses that its interfaces carry."""

    id: ResourceId
    guid: str
    location: str
    target: ResourceId | None
    """None where the connection names its target by an alias, or in a way that is no resource id."""
    target_text: str
    groups: tuple[str, ...]
    status: ConnectionStatus
    manual: bool
    settled: bool
    """Whether provisioningState is Succeeded: only then is what it shows believed."""
    names: tuple[EndpointName, ...]
    interface_addresses: frozenset[Address]
    tags: tuple[tuple[str, str], ...] = ()
    """What its owner tags it with, where its own document was read: the index is not asked for it."""

    @property
    def brings_names(self) -> bool:
        """Whether its target has names of Azure's; a private link service has those that its owner gives it."""
        return self.target is not None and not any(self.target.is_a(kind) for kind in NAMELESS)

    @property
    def sure_names(self) -> tuple[EndpointName, ...]:
        """The names that Azure itself shows: only these can prove that another one is gone."""
        return tuple(name for name in self.names if name.source is NameSource.NIC)


@dataclass(frozen=True, slots=True)
class Gone:
    """A direct read said that the endpoint is not there; `proven` when the answer leaves no doubt.

    Proven is a 404 `ResourceNotFound` or `ResourceGroupNotFound` while the endpoint's subscription answers in our
    tenant. Anything else may be a missing right, and proves nothing.
    """

    id: ResourceId
    proven: bool
    detail: str
    moved_to: ResourceId | None = None
    """Where a living endpoint with the same resourceGuid is: it was moved, not deleted."""
