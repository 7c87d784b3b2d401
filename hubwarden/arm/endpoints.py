"""Private endpoints and their network interfaces, read and converted."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from hubwarden.arm.documents import Document, has_succeeded, id_or_none, to_status, to_tags
from hubwarden.arm.failures import shaped, translated
from hubwarden.arm.session import ArmSession
from hubwarden.errors import NotFoundError
from hubwarden.model.endpoint import Address, ConnectionStatus, Endpoint, EndpointName, NameSource, ordered
from hubwarden.model.resource_id import ResourceId


async def read_endpoint(session: ArmSession, endpoint: ResourceId) -> Endpoint:
    """The endpoint as Azure shows it now: one GET, and one for an interface whose names the first does not show.

    Raises InputError for a document of another shape, NotFoundError, DeniedError, TemporaryError.
    """
    client = session.network(endpoint.subscription)
    with translated("reading", endpoint):
        document = await client.private_endpoints.get(endpoint.group, endpoint.name, expand="networkInterfaces")
    interfaces = _list(_properties(document), "networkInterfaces")
    seen = to_endpoint(document, interfaces)
    if seen.settled and seen.status is ConnectionStatus.APPROVED and not seen.sure_names:
        interfaces = [await _read_interface(session, interface) for interface in interfaces]
        seen = to_endpoint(document, interfaces)
    return seen


async def _read_interface(session: ArmSession, interface: Document) -> Document:
    nic = id_or_none(interface.get("id"))
    if nic is None:
        return interface
    try:
        with translated("reading", nic):
            found: Document = await session.network(nic.subscription).network_interfaces.get(nic.group, nic.name)
            return found
    except NotFoundError:
        return interface  # not there yet, or not there any more: it shows no names


def to_endpoint(document: Document, interfaces: Iterable[Document]) -> Endpoint:
    """The document of an endpoint, with those of its interfaces, as an Endpoint.

    Raises InputError for what has another shape than Azure's, so that it holds back only itself.
    """
    with shaped(f"the document of {str(document.get('id'))[:200]}"):
        return _to_endpoint(document, interfaces)


def _to_endpoint(document: Document, interfaces: Iterable[Document]) -> Endpoint:
    properties = _properties(document)
    manual = _list(properties, "manualPrivateLinkServiceConnections")
    connections = [*_list(properties, "privateLinkServiceConnections"), *manual]
    connection = _properties(connections[0]) if connections else {}
    state = connection.get("privateLinkServiceConnectionState") or {}
    target = str(connection.get("privateLinkServiceId") or "")
    named, addresses = _on_interfaces(interfaces)
    return Endpoint(
        id=ResourceId.parse(document.get("id")),
        guid=str(properties.get("resourceGuid") or ""),
        location=str(document.get("location") or ""),
        target=id_or_none(target),
        target_text=target,
        groups=tuple(str(group) for group in _list(connection, "groupIds")),
        status=to_status(state.get("status")),
        manual=bool(manual),
        settled=has_succeeded(properties),
        names=named or _on_endpoint(properties, has_interface=bool(addresses)),
        interface_addresses=addresses,
        tags=to_tags(document),
    )


def _on_interfaces(interfaces: Iterable[Document]) -> tuple[tuple[EndpointName, ...], frozenset[Address]]:
    """Names and addresses of `privateLinkConnectionProperties`, which nobody but Azure can write."""
    by_name: dict[str, set[Address]] = {}
    held: set[Address] = set()
    for interface in interfaces:
        for item in _list(_properties(interface), "ipConfigurations"):
            properties = _properties(item)
            addresses = _addresses([properties.get("privateIPAddress")])
            held.update(addresses)
            link = properties.get("privateLinkConnectionProperties") or {}
            for fqdn in _list(link, "fqdns"):
                by_name.setdefault(str(fqdn), set()).update(addresses)
    names = tuple(EndpointName(fqdn, ordered(found), NameSource.NIC) for fqdn, found in sorted(by_name.items()))
    return names, frozenset(held)


def _on_endpoint(properties: Document, *, has_interface: bool) -> tuple[EndpointName, ...]:
    """`customDnsConfigs`, which the endpoint's owner can write; believed by nobody without an interface beside it."""
    if not has_interface:
        return ()
    return tuple(
        EndpointName(str(item.get("fqdn") or ""), ordered(_addresses(_list(item, "ipAddresses"))), NameSource.ENDPOINT)
        for item in _list(properties, "customDnsConfigs")
    )


def _addresses(texts: Iterable[object]) -> set[Address]:
    found: set[Address] = set()
    for text in texts:
        try:
            found.add(ipaddress.ip_address(str(text)))
        except ValueError:
            continue  # an interface that has no address yet shows an empty text
    return found


def _properties(document: Document) -> Document:
    return document.get("properties") or {}


def _list(document: Document, key: str) -> list[Any]:
    """Azure shows an empty list as [], null or not at all; a text in its place is no list of its letters."""
    found = document.get(key) or ()
    if isinstance(found, (str, Mapping)):
        raise TypeError(f"{key} is no list")
    return list(found)
