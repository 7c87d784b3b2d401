"""Names of private link services, one's own and partners': none but those that `records.names` gives them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hubwarden.catalog import Place, Trait
from hubwarden.dns.naming import Named, bad_address, held_back, parsed
from hubwarden.model.dns_name import APEX, DnsName
from hubwarden.model.endpoint import Endpoint, EndpointName, NameSource, Network, ordered
from hubwarden.model.own_name import OwnName
from hubwarden.model.plan import Held, HeldReason


def given_names(
    endpoint: Endpoint, *, own_names: Iterable[OwnName], networks: Sequence[Network]
) -> Iterator[Named | Held]:
    """The names that an owner gives to the private link service behind an endpoint.

    A name that is given outright has all of the interface's addresses. What the service calls itself counts only under
    a suffix that is given to it: its `fqdns` are its owner's to write (behaviour reference section 4.1). Each entry is
    the estate owner's word on that very service, so it counts whoever's the service is.
    """
    mine = [each for each in own_names if each.target.matches(endpoint.target_text)]
    if not mine:
        target = endpoint.target_text or "(none)"
        detail = f"the target {target} brings no names of its own, and records.names gives it none"
        yield held_back(endpoint, HeldReason.NO_NAMES, detail)
    elif not endpoint.names and all(each.fqdn is None for each in mine):
        detail = f"records.names gives {endpoint.target_text} a suffix, and the endpoint shows no names"
        yield held_back(endpoint, HeldReason.NO_NAMES, detail, waits=True)
    outright = list(dict.fromkeys(each.fqdn for each in mine if each.fqdn))
    addresses = ordered(endpoint.interface_addresses)
    for fqdn in outright:
        name = EndpointName(fqdn.text, addresses, NameSource.NIC)
        zones = [each.zone for each in mine if each.fqdn == fqdn]
        yield bad_address(endpoint, name, networks) or Named(fqdn.text, addresses, _places(fqdn, zones))
    for name in endpoint.names:
        claimed = parsed(endpoint, name)
        if isinstance(claimed, Held):
            yield claimed
        elif claimed not in outright:
            zones = [each.zone for each in mine if each.suffix and _is_under(claimed, each.suffix)]
            yield _claimed(endpoint, name, _places(claimed, zones), networks)


def _claimed(
    endpoint: Endpoint, name: EndpointName, places: tuple[Place, ...], networks: Sequence[Network]
) -> Named | Held:
    """A name that the service claims."""
    if not places:
        detail = "the service claims it, and no suffix in records.names allows it the name"
        return held_back(endpoint, HeldReason.NAME_NOT_ALLOWED, detail, name=name.fqdn)
    return bad_address(endpoint, name, networks) or Named(name.fqdn, name.addresses, places)


def _is_under(fqdn: DnsName, suffix: DnsName) -> bool:
    """Below the suffix, and no wildcard: those would answer for others, and only an owner gives them, outright."""
    return fqdn.labels[0] != "*" and fqdn.relative_to(suffix) not in (None, APEX)


def _places(fqdn: DnsName, zones: Iterable[DnsName]) -> tuple[Place, ...]:
    """Where the name stands in these zones, each of which it ends in; none of them is ours to make."""
    found = ((zone, fqdn.relative_to(zone)) for zone in sorted(set(zones), key=lambda zone: -len(zone.labels)))
    return tuple(Place(zone, left, frozenset({Trait.NOT_CREATED})) for zone, left in found if left is not None)
