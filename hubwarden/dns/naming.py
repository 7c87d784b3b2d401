"""Which of the names that an endpoint shows it may have: each is parsed, checked, and looked up in the catalogue."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from hubwarden.catalog import Catalogue, Place, Trait
from hubwarden.errors import InputError
from hubwarden.model.dns_name import LONGEST, DnsName
from hubwarden.model.endpoint import Address, Endpoint, EndpointName, NameSource, Network
from hubwarden.model.plan import Held, HeldReason, MissingZone
from hubwarden.model.record import RecordKey
from hubwarden.model.resource_id import ResourceId, fold


@dataclass(frozen=True, slots=True)
class Named:
    """A name that may be published, its addresses, and the places where it may stand, the most specific first."""

    fqdn: str
    addresses: tuple[Address, ...]
    places: tuple[Place, ...]


def shown_names(
    endpoint: Endpoint, *, catalogue: Catalogue, networks: Sequence[Network], shared: Collection[ResourceId]
) -> Iterator[Named | Held]:
    """The names of an endpoint to a service of Azure's, each with where it may stand or with why it is held back."""
    target = endpoint.target
    assert target is not None
    known = any(catalogue.knows(target.type, group) for group in endpoint.groups)
    for name in endpoint.names:
        fqdn = parsed(endpoint, name)
        if isinstance(fqdn, Held):
            yield fqdn
        elif reason := _only_its_owner_says_so(endpoint, name, fqdn, known) or bad_address(endpoint, name, networks):
            yield reason
        else:
            places = catalogue.places(target.type, endpoint.groups, fqdn) if known else catalogue.anywhere(fqdn)
            named = Named(fqdn.text, name.addresses, places)
            yield (
                _allowed(endpoint, name, named, shared) if places else _nowhere(endpoint, name, fqdn, catalogue, known)
            )


def parsed(endpoint: Endpoint, name: EndpointName) -> DnsName | Held:
    """The name, or that its text is none that can stand in DNS."""
    try:
        return DnsName.parse(name.fqdn)
    except InputError as error:
        return held_back(endpoint, HeldReason.NAME_NOT_ALLOWED, str(error), name=name.fqdn)


def bad_address(endpoint: Endpoint, name: EndpointName, networks: Iterable[Network]) -> Held | None:
    """Why the name's addresses may not be published, if so; one bad address holds back the whole name."""
    if not name.addresses:
        return held_back(endpoint, HeldReason.NOT_READY, "the name has no address yet", name=name.fqdn, waits=True)
    for address in name.addresses:
        if address not in endpoint.interface_addresses:
            detail = f"the endpoint's interface does not hold the address {address}"
        elif not any(address.version == network.version and address in network for network in networks):
            detail = f"the address {address} lies outside records.addresses"
        else:
            continue
        return held_back(endpoint, HeldReason.NAME_NOT_ALLOWED, detail, name=name.fqdn)
    return None


def held_back(
    endpoint: Endpoint,
    reason: HeldReason,
    detail: str,
    *,
    key: RecordKey | None = None,
    name: str = "",
    waits: bool = False,
    missing: MissingZone | None = None,
) -> Held:
    """An endpoint, or one of its names, held back."""
    return Held(reason, endpoint.id, detail, key=key, name=name[:LONGEST], waits=waits, missing=missing)


def service_of(endpoint: Endpoint) -> str:
    """The type of the endpoint's target and the groups that it connects to, for people."""
    kind = endpoint.target.type if endpoint.target else "(none)"
    return f"type {kind}, group {', '.join(endpoint.groups) or '(none)'}"


def _only_its_owner_says_so(endpoint: Endpoint, name: EndpointName, fqdn: DnsName, known: bool) -> Held | None:
    """Why a name that stands in `customDnsConfigs` only, which the endpoint's owner can write, does not count.

    It counts where its first label is the target's own name. One that is only built of that name (`<name>-westus`)
    does not: in most services another tenant's resource may be called so. Where Azure gives such a name, it shows it
    on the interface.
    """
    if name.source is NameSource.NIC:
        return None
    if not known:
        detail = f"no zone is known for {service_of(endpoint)}, and the interface does not show the name"
        return held_back(endpoint, HeldReason.UNKNOWN_SERVICE, detail, name=name.fqdn)
    assert endpoint.target is not None
    if fold(fqdn.labels[0]) == fold(endpoint.target.name):
        return None
    detail = f"only the endpoint's owner says so, and it does not carry the target's name {endpoint.target.name!r}"
    return held_back(endpoint, HeldReason.NAME_NOT_ALLOWED, detail, name=name.fqdn)


def _nowhere(endpoint: Endpoint, name: EndpointName, fqdn: DnsName, catalogue: Catalogue, known: bool) -> Held:
    """Why the catalogue has no place for the name."""
    assert endpoint.target is not None
    service = service_of(endpoint)
    if not known:
        detail = f"no zone is known for {service}, nor by the name's suffix; catalog.rows can add one"
        return held_back(endpoint, HeldReason.UNKNOWN_SERVICE, detail, name=name.fqdn)
    wildcard = fqdn.labels[0] == "*"
    # What would stand there instead: a plain label for the wildcard, or one in front of the bare suffix.
    beside = DnsName(f"x{fqdn.text[1:]}" if wildcard else f"x.{fqdn}")
    if not catalogue.places(endpoint.target.type, endpoint.groups, beside):
        detail = f"no name of {service} ends so"
    elif wildcard:
        detail = f"a wildcard, and {service} has none there: its record would answer for everybody"
    else:
        detail = f"the bare suffix of {service}: its record would answer for everybody"
    return held_back(endpoint, HeldReason.NAME_NOT_ALLOWED, detail, name=name.fqdn)


def _allowed(endpoint: Endpoint, name: EndpointName, named: Named, shared: Collection[ResourceId]) -> Named | Held:
    """The name, unless its record could not be, or what is peculiar about its service forbids it."""
    record = max(len(f"{place.name}.{place.zone}") for place in named.places)
    if record > LONGEST:
        detail = f"its record's full name would have {record} characters; at most {LONGEST} are allowed"
        return held_back(endpoint, HeldReason.NAME_NOT_ALLOWED, detail, name=named.fqdn)
    traits = frozenset[Trait]().union(*(place.traits for place in named.places))
    if Trait.OWN_RECORDS in traits:
        detail = f"the service writes the records of {service_of(endpoint)} itself"
        return held_back(endpoint, HeldReason.SERVED_BY_OTHER, detail, name=named.fqdn)
    if Trait.ASSIGNED in traits and name.source is not NameSource.NIC:
        detail = f"only the endpoint's owner says so, and {service_of(endpoint)} does not name it by the target alone"
        return held_back(endpoint, HeldReason.NAME_NOT_ALLOWED, detail, name=named.fqdn)
    if Trait.SHARED in traits and endpoint.target not in shared:
        detail = f"it does not carry the name of {endpoint.target}, which records.shared does not name"
        return held_back(endpoint, HeldReason.SHARED_NAME, detail, name=named.fqdn)
    return named
