"""What a name resolves to inside a virtual network: the private zones linked to it first, then the public DNS.

Behaviour reference sections 3.6 and 9.2. Everything is read from the world at the moment of the question.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import dns.rcode
import dns.rdatatype
import dns.rrset

from simulator import connections, ids, name_records
from simulator.connection_documents import status_of
from simulator.documents import Document
from simulator.endpoint_names import CONNECTION_LISTS, ENDPOINTS, target_id_of
from simulator.private_dns import LINKS, ZONES
from simulator.world import Member, Target, World
from simulator.zone_groups import PRIVATE_LINK_LABELS, record_name

PUBLIC_TTL = 60
LONGEST_CHAIN = 8
REDIRECTED = frozenset({"A", "AAAA", "CNAME"})


@dataclass(frozen=True, slots=True)
class Answer:
    """A response in the making: `alias` is set where the name is another name for something else."""

    rcode: dns.rcode.Rcode = dns.rcode.NOERROR
    records: tuple[dns.rrset.RRset, ...] = ()
    authority: tuple[dns.rrset.RRset, ...] = ()
    alias: str | None = None


NOWHERE = Answer(dns.rcode.NXDOMAIN)


def resolve(world: World, name: str, record_type: str) -> Answer:
    """The answer to a question, with all the aliases that lead to it."""
    chain: list[dns.rrset.RRset] = []
    name = name.rstrip(".").lower()
    for _ in range(LONGEST_CHAIN):
        answer = _look_up(world, name, record_type)
        chain += answer.records
        if answer.alias is None:
            return Answer(answer.rcode, tuple(chain), answer.authority)
        name = answer.alias.rstrip(".").lower()
    return Answer(dns.rcode.SERVFAIL)


def _look_up(world: World, name: str, record_type: str) -> Answer:
    negative: Answer | None = None
    for zone, redirects in _zones(world, name):
        answer = _in_zone(world, zone, name, record_type)
        if answer.rcode != dns.rcode.NXDOMAIN:
            return answer
        # Azure, such a link asks the public DNS rather than say that there is no such name (section 3.6).
        if negative is None and not (
            redirects and record_type in REDIRECTED and PRIVATE_LINK_LABELS & set(zone["name"].lower().split("."))
        ):
            negative = answer
    return negative or _in_public(world, name, record_type)


def _zones(world: World, name: str) -> Iterator[tuple[Document, bool]]:
    """The linked zones of the longest suffix, and whether their links redirect.

    Several zones of one name are linked only where no network was chosen, and then each is asked.
    """
    found = [
        (zone, link["properties"].get("resolutionPolicy") == "NxDomainRedirect")
        for zone in world.documents(ZONES)
        if f".{name}".endswith(f".{zone['name'].lower()}")
        if (link := _link(world, zone)) is not None
    ]
    longest = max((len(zone["name"]) for zone, _ in found), default=0)
    return ((zone, redirects) for zone, redirects in found if len(zone["name"]) == longest)


def _link(world: World, zone: Document) -> Document | None:
    """The link that counts, once it is complete."""
    network = world.settings.dns_network
    for link in world.store.below(zone["id"], LINKS):
        properties = link["properties"]
        if properties.get("virtualNetworkLinkState", "Completed") != "Completed":
            continue
        if network is None or ids.key(properties["virtualNetwork"]["id"]) == ids.key(network):
            return link
    return None


def _in_zone(world: World, zone: Document, name: str, record_type: str) -> Answer:
    relative = name[: -len(zone["name"])].rstrip(".") or "@"
    sets = _record_sets(world, zone, relative)
    soa = name_records.authority(zone, world.document(f"{zone['id']}/SOA/@"))
    if not sets:
        empty = _is_above_others(world, zone, relative)
        return Answer(dns.rcode.NOERROR if empty else dns.rcode.NXDOMAIN, authority=(soa,))
    kind = record_type if record_type in sets else "CNAME"
    records = name_records.rrset(name, sets[kind]) if kind in sets else None
    if records is None:
        return Answer(authority=(soa,))
    return Answer(records=(records,), alias=None if kind == record_type else str(records[0].target))


def _record_sets(world: World, zone: Document, relative: str) -> dict[str, Document]:
    """The record sets of a name by type, or those of the wildcard that stands for it (RFC 4592)."""
    if sets := _named(world, zone, relative):
        return sets
    labels = relative.split(".")
    for count in range(1, len(labels) + 1):
        encloser = ".".join(labels[count:])
        if sets := _named(world, zone, f"*.{encloser}" if encloser else "*"):
            return sets
        if encloser and (_named(world, zone, encloser) or _is_above_others(world, zone, encloser)):
            return {}  # a wildcard further up does not stand for names below one that is there
    return {}


def _named(world: World, zone: Document, relative: str) -> dict[str, Document]:
    found = ((kind, world.document(f"{zone['id']}/{kind}/{relative}")) for kind in name_records.TYPES)
    return {kind: document for kind, document in found if document is not None}


def _is_above_others(world: World, zone: Document, relative: str) -> bool:
    return any(
        str(document["name"]).lower().endswith(f".{relative}")
        for kind in name_records.TYPES
        for document in world.store.below(zone["id"], f"{ZONES}/{kind}")
    )


def _in_public(world: World, name: str, record_type: str) -> Answer:
    for target in world.targets.values():
        for member in target.members:
            for fqdn in member.fqdns:
                private = _private_name(name, fqdn.lower(), member)
                if private == name and _connected(world, target):
                    return _public_address(name, record_type, member)
                if _stands_for(fqdn.lower(), name):
                    if private is not None and _connected(world, target):
                        alias = name_records.alias(name, PUBLIC_TTL, private)
                        return Answer(records=(alias,), alias=None if record_type == "CNAME" else private)
                    return _public_address(name, record_type, member)
    return NOWHERE


def _private_name(name: str, fqdn: str, member: Member) -> str | None:
    """The `privatelink` name behind a member's public name; of a wildcard, the one behind what is asked for."""
    if not member.zone:
        return None
    private = _in_private_zone(fqdn, member.zone.lower())
    if _stands_for(private, name):
        return name
    return _in_private_zone(name, member.zone.lower()) if _stands_for(fqdn, name) else private


def _in_private_zone(fqdn: str, zone: str) -> str:
    relative = record_name(fqdn, zone)
    return zone if relative == "@" else f"{relative}.{zone}"


def _stands_for(fqdn: str, name: str) -> bool:
    return name.endswith(fqdn[1:]) if fqdn.startswith("*.") else name == fqdn


def _connected(world: World, target: Target) -> bool:
    """Whether any endpoint's connection to the target is approved, also one from where this world does not reach."""
    if any(status_of(each) == "Approved" for each in connections.of_target(world, target.id)):
        return True
    for endpoint in world.documents(ENDPOINTS):
        for where in CONNECTION_LISTS:
            for connection in endpoint["properties"].get(where) or []:
                properties = connection["properties"]
                state = properties.get("privateLinkServiceConnectionState") or {}
                reference = target_id_of(world, str(properties["privateLinkServiceId"]))
                if ids.key(reference) == ids.key(target.id) and str(state.get("status")).lower() == "approved":
                    return True
    return False


def _public_address(name: str, record_type: str, member: Member) -> Answer:
    if not member.public_address:
        return NOWHERE
    record = name_records.address(name, PUBLIC_TTL, member.public_address)
    return Answer(records=(record,) if dns.rdatatype.to_text(record.rdtype) == record_type else ())
