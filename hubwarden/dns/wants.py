"""What should exist: the records that an endpoint wants in the hubs, or why it gets none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hubwarden.catalog import Catalogue, Place
from hubwarden.errors import InputError
from hubwarden.model.dns_name import LONGEST, DnsName, compared
from hubwarden.model.endpoint import (
    PRIVATE_LINK_SERVICE,
    ConnectionStatus,
    Endpoint,
    EndpointName,
    NameSource,
    Network,
    Tenancy,
    ordered,
)
from hubwarden.model.plan import Held, HeldReason, Want
from hubwarden.model.record import MOST_ADDRESSES, HubZones, RecordKey, RecordType
from hubwarden.model.resource_id import fold

MOST_NAMES = 500
"""No service has nearly as many; what an endpoint's owner can write must not grow without bound."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What an endpoint asks for: the records it may have, and what is held back from it."""

    wants: tuple[Want, ...] = ()
    held: tuple[Held, ...] = ()


def wishes(
    endpoint: Endpoint,
    *,
    tenancy: Tenancy,
    hubs: Sequence[HubZones],
    catalogue: Catalogue,
    networks: Sequence[Network],
    publishes_foreign_targets: bool,
) -> Wishes:
    """The records that an endpoint asks for, name by name; one bad name holds back only itself."""
    if reason := _not_yet(endpoint, catalogue):
        return Wishes(held=(reason,))
    if tenancy is not Tenancy.OURS and not publishes_foreign_targets:
        return Wishes(held=(_not_ours(endpoint, tenancy),))
    serving = [
        hub for hub in hubs if hub.hub.publishes(subscription=endpoint.id.subscription, location=endpoint.location)
    ]
    if not serving:
        detail = f"no hub publishes subscription {endpoint.id.subscription} in location {endpoint.location!r}"
        return Wishes(held=(_held(endpoint, HeldReason.NO_HUB, detail),))
    wants: dict[RecordKey, Want] = {}
    held: list[Held] = []
    for name in endpoint.names:
        found = _places(endpoint, name, catalogue, networks)
        if isinstance(found, Held):
            held.append(found)
            continue
        for hub in serving:
            for want in _in_hub(endpoint, name, found, hub):
                if isinstance(want, Held):
                    held.append(want)
                else:
                    wants[want.key] = _joined(wants.get(want.key), want)
    fitting, crowded = _within_limits(endpoint, wants.values())
    return Wishes(fitting, (*held, *crowded))


def _not_ours(endpoint: Endpoint, tenancy: Tenancy) -> Held:
    unknown = tenancy is Tenancy.UNKNOWN
    what = "is not known to be in our tenant" if unknown else "is in another tenant"
    detail = f"the target {_target(endpoint)} {what}, and records.foreignTargets is hold"
    return _held(endpoint, HeldReason.NAME_NOT_ALLOWED, detail, waits=unknown)


def _not_yet(endpoint: Endpoint, catalogue: Catalogue) -> Held | None:
    """What holds back the endpoint as a whole, before any of its names is looked at."""
    if not endpoint.settled:
        return _held(endpoint, HeldReason.NOT_READY, "its provisioningState is not Succeeded", waits=True)
    if endpoint.status is not ConnectionStatus.APPROVED:
        pending = endpoint.status is ConnectionStatus.PENDING
        who = f"the owner of {_target(endpoint)} has not approved it" if pending else f"it is {endpoint.status}"
        return _held(endpoint, HeldReason.NOT_APPROVED, f"the connection: {who}", waits=pending)
    if endpoint.target is None or endpoint.target.is_a(PRIVATE_LINK_SERVICE):
        return _held(endpoint, HeldReason.NO_NAMES, f"the target {_target(endpoint)} brings no names of its own")
    if not any(catalogue.knows(endpoint.target.type, group) for group in endpoint.groups):
        groups = ", ".join(endpoint.groups) or "none"
        detail = f"no zone is known for type {endpoint.target.type}, group {groups}; catalog.rows can add one"
        return _held(endpoint, HeldReason.UNKNOWN_SERVICE, detail)
    if len(endpoint.names) > MOST_NAMES:
        return _held(
            endpoint, HeldReason.MALFORMED, f"it shows {len(endpoint.names)} names; at most {MOST_NAMES} are read"
        )
    if not endpoint.names:
        return _held(endpoint, HeldReason.NOT_READY, "its network interface shows no names yet", waits=True)
    return None


def _places(
    endpoint: Endpoint, name: EndpointName, catalogue: Catalogue, networks: Sequence[Network]
) -> tuple[Place, ...] | Held:
    """Where the catalogue allows this name, or why it is held back."""
    assert endpoint.target is not None
    try:
        fqdn = DnsName.parse(name.fqdn)
    except InputError as error:
        return _held(endpoint, HeldReason.MALFORMED, str(error), name=name.fqdn)
    if name.source is NameSource.ENDPOINT and fold(fqdn.labels[0]) != fold(endpoint.target.name):
        detail = f"only the endpoint's owner says so, and it does not carry the target's name {endpoint.target.name!r}"
        return _held(endpoint, HeldReason.NAME_NOT_ALLOWED, detail, name=name.fqdn)
    if reason := _bad_address(endpoint, name, networks):
        return reason
    places = catalogue.places(endpoint.target.type, endpoint.groups, fqdn)
    if not places:
        detail = f"no name of type {endpoint.target.type}, group {', '.join(endpoint.groups)} ends so"
        return _held(endpoint, HeldReason.NAME_NOT_ALLOWED, detail, name=name.fqdn)
    return places


def _bad_address(endpoint: Endpoint, name: EndpointName, networks: Sequence[Network]) -> Held | None:
    if not name.addresses:
        return _held(endpoint, HeldReason.NOT_READY, "the name has no address yet", name=name.fqdn, waits=True)
    for address in name.addresses:
        if address not in endpoint.interface_addresses:
            detail = f"the endpoint's interface does not hold the address {address}"
        elif not any(address.version == network.version and address in network for network in networks):
            detail = f"the address {address} lies outside records.addresses"
        else:
            continue
        return _held(endpoint, HeldReason.NAME_NOT_ALLOWED, detail, name=name.fqdn)
    return None


def _in_hub(endpoint: Endpoint, name: EndpointName, places: Sequence[Place], hub: HubZones) -> list[Want | Held]:
    """The wants for one name in one hub: the most specific zone that exists there answers, so it holds the record."""
    if hub.trouble:
        detail = f"the zones of hub {hub.hub.name} could not be listed: {hub.trouble}"
        return [_held(endpoint, HeldReason.UNCERTAIN, detail, name=name.fqdn, waits=True)]
    place = next((place for place in places if place.zone in hub.zones), None)
    if place is None:
        detail = f"hub {hub.hub.name} has no zone {places[-1].zone}"
        return [_held(endpoint, HeldReason.NO_ZONE, detail, name=name.fqdn)]
    zone = hub.zones[place.zone]
    return [
        Want(hub.hub.name, RecordKey(zone.id, place.name, kind), compared(name.fqdn), addresses)
        for kind in RecordType
        if (addresses := ordered(address for address in name.addresses if RecordType.of(address) is kind))
    ]


def _joined(one: Want | None, other: Want) -> Want:
    """Two names of one endpoint that are one record (`vault.azure.net` and `vaultcore.azure.net`): all addresses."""
    if one is None:
        return other
    return Want(one.hub, one.key, one.fqdn, ordered((*one.addresses, *other.addresses)))


def _within_limits(endpoint: Endpoint, wants: Iterable[Want]) -> tuple[tuple[Want, ...], tuple[Held, ...]]:
    fitting, held = [], []
    for want in wants:
        if len(want.addresses) <= MOST_ADDRESSES:
            fitting.append(want)
        else:
            detail = f"{len(want.addresses)} addresses"
            held.append(_held(endpoint, HeldReason.TOO_MANY_ADDRESSES, detail, key=want.key, name=want.fqdn))
    return tuple(fitting), tuple(held)


def _target(endpoint: Endpoint) -> str:
    return endpoint.target_text or "(none)"


def _held(
    endpoint: Endpoint,
    reason: HeldReason,
    detail: str,
    *,
    key: RecordKey | None = None,
    name: str = "",
    waits: bool = False,
) -> Held:
    return Held(reason, endpoint.id, detail, key=key, name=name[:LONGEST], waits=waits)
