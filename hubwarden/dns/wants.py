"""What should exist: the records that an endpoint wants in the hubs, or why it gets none."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from hubwarden.catalog import Catalogue, Trait, recommended
from hubwarden.dns.naming import Named, held_back, service_of, shown_names
from hubwarden.dns.own_names import given_names
from hubwarden.model.dns_name import compared
from hubwarden.model.endpoint import ConnectionStatus, Endpoint, Network, Tenancy, ordered
from hubwarden.model.hub import HubZones
from hubwarden.model.own_name import OwnName
from hubwarden.model.plan import Held, HeldReason, MissingZone, Want
from hubwarden.model.record import MOST_ADDRESSES, RecordKey, RecordType
from hubwarden.model.resource_id import ResourceId

MOST_NAMES = 500
"""No service has nearly as many; what an endpoint's owner can write must not grow without bound."""

_NEVER_MADE = frozenset({Trait.NOT_CREATED, Trait.PART})


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
    shared: Collection[ResourceId] = frozenset(),
    own_names: Iterable[OwnName] = (),
) -> Wishes:
    """The records that an endpoint asks for, name by name; one bad name holds back only itself."""
    if reason := _not_yet(endpoint):
        return Wishes(held=(reason,))
    if not endpoint.brings_names:
        return _in_hubs(endpoint, given_names(endpoint, own_names=own_names, networks=networks), hubs)
    if not endpoint.names:
        return Wishes(held=(_nameless(endpoint, catalogue),))
    if tenancy is not Tenancy.OURS and not publishes_foreign_targets:
        return Wishes(held=(_not_ours(endpoint, tenancy),))
    shown = shown_names(endpoint, catalogue=catalogue, networks=networks, shared=shared)
    return _in_hubs(endpoint, shown, hubs)


def _not_yet(endpoint: Endpoint) -> Held | None:
    """What holds back the endpoint as a whole, before any of its names is looked at."""
    if not endpoint.settled:
        return held_back(endpoint, HeldReason.NOT_READY, "its provisioningState is not Succeeded", waits=True)
    if endpoint.status is not ConnectionStatus.APPROVED:
        pending = endpoint.status is ConnectionStatus.PENDING
        who = f"the owner of {_target(endpoint)} has not approved it" if pending else f"it is {endpoint.status}"
        return held_back(endpoint, HeldReason.NOT_APPROVED, f"the connection: {who}", waits=pending)
    if len(endpoint.names) > MOST_NAMES:
        detail = f"it shows {len(endpoint.names)} names; at most {MOST_NAMES} are read"
        return held_back(endpoint, HeldReason.MALFORMED, detail)
    return None


def _nameless(endpoint: Endpoint, catalogue: Catalogue) -> Held:
    assert endpoint.target is not None
    if any(catalogue.knows(endpoint.target.type, group) for group in endpoint.groups):
        return held_back(endpoint, HeldReason.NOT_READY, "its network interface shows no names yet", waits=True)
    detail = f"no zone is known for {service_of(endpoint)}, and its interface shows no names; catalog.rows can add one"
    return held_back(endpoint, HeldReason.UNKNOWN_SERVICE, detail, waits=True)


def _not_ours(endpoint: Endpoint, tenancy: Tenancy) -> Held:
    unknown = tenancy is Tenancy.UNKNOWN
    what = "is not known to be in our tenant" if unknown else "is in another tenant"
    detail = f"the target {_target(endpoint)} {what}, and records.foreignTargets is hold"
    return held_back(endpoint, HeldReason.NAME_NOT_ALLOWED, detail, waits=unknown)


def _in_hubs(endpoint: Endpoint, names: Iterable[Named | Held], hubs: Iterable[HubZones]) -> Wishes:
    """The records of these names in every hub that publishes the endpoint."""
    serving = [
        hub for hub in hubs if hub.hub.publishes(subscription=endpoint.id.subscription, location=endpoint.location)
    ]
    if not serving:
        detail = f"no hub publishes subscription {endpoint.id.subscription} in location {endpoint.location!r}"
        return Wishes(held=(held_back(endpoint, HeldReason.NO_HUB, detail),))
    wants: dict[RecordKey, Want] = {}
    held: list[Held] = []
    for name in names:
        found = [name] if isinstance(name, Held) else [each for hub in serving for each in _in(hub, endpoint, name)]
        for each in found:
            if isinstance(each, Held):
                held.append(each)
            else:
                wants[each.key] = _joined(wants.get(each.key), each)
    fitting, crowded = _within_limits(endpoint, wants.values())
    return Wishes(fitting, (*held, *crowded))


def _in(hub: HubZones, endpoint: Endpoint, named: Named) -> list[Want | Held]:
    """The wants for one name in one hub: the most specific zone that exists there answers, so it holds the record."""
    if hub.trouble:
        detail = f"the zones of hub {hub.hub.name} could not be listed: {hub.trouble}"
        return [held_back(endpoint, HeldReason.UNCERTAIN, detail, name=named.fqdn, waits=True)]
    place = next((place for place in named.places if place.zone in hub.zones), None)
    if place is None:
        return [_no_zone(hub, endpoint, named)]
    zone = hub.zones[place.zone]
    return [
        Want(hub.hub.name, RecordKey(zone.id, place.name, kind), compared(named.fqdn), addresses)
        for kind in RecordType
        if (addresses := ordered(address for address in named.addresses if RecordType.of(address) is kind))
    ]


def _no_zone(hub: HubZones, endpoint: Endpoint, named: Named) -> Held:
    best = recommended(named.places)
    # Once it is linked, any other zone takes from its clients all names in it of which it has no record.
    creatable = best.zone.is_private_link and not best.traits & _NEVER_MADE
    missing = MissingZone(hub.hub.name, best.zone, creatable=creatable)
    detail = f"hub {hub.hub.name} has no zone {best.zone}"
    if not creatable:
        detail += ", which is one that Hubwarden never makes"
    return held_back(endpoint, HeldReason.NO_ZONE, detail, name=named.fqdn, missing=missing)


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
            held.append(
                held_back(endpoint, HeldReason.TOO_MANY_ADDRESSES, detail, key=want.key, name=want.fqdn),
            )
    return tuple(fitting), tuple(held)


def _target(endpoint: Endpoint) -> str:
    return endpoint.target_text or "(none)"
