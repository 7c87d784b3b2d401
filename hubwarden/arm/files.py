"""Private endpoints and network interfaces as they stand in files: told apart, and matched to each other by id."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from hubwarden.arm.documents import Document, id_or_none
from hubwarden.arm.endpoints import to_endpoint
from hubwarden.arm.failures import shaped
from hubwarden.errors import InputError
from hubwarden.model.dns_name import compared
from hubwarden.model.endpoint import PRIVATE_ENDPOINT, Endpoint
from hubwarden.model.resource_id import ResourceId

NETWORK_INTERFACE = "Microsoft.Network/networkInterfaces"


@dataclass(frozen=True, slots=True)
class Filed:
    """An endpoint from a file; where no document shows its interface, its names are those that it shows itself."""

    endpoint: Endpoint
    has_interface: bool

    def confirms(self, fqdn: str) -> bool:
        """Whether a document of an interface shows the name."""
        return self.has_interface and compared(fqdn) in {compared(name.fqdn) for name in self.endpoint.sure_names}


@dataclass(frozen=True, slots=True)
class _Found:
    source: str
    document: Document


@dataclass(slots=True)
class Files:
    """What a number of files hold; a fault in one holds back no other."""

    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What is no fault, and should not go unsaid."""
    _endpoints: dict[ResourceId, _Found] = field(default_factory=dict)
    _interfaces: dict[ResourceId, _Found] = field(default_factory=dict)
    _owned: dict[ResourceId, list[ResourceId]] = field(default_factory=dict)
    """By endpoint: the interfaces that say they are its."""

    def read(self, source: str, content: bytes) -> None:
        """Reads one, in whichever Unicode: a document, a JSON array of them, or a list as ARM answers it."""
        try:
            data = json.loads(content)
        except (ValueError, RecursionError) as error:
            self.faults.append(f"{source}: not JSON: {str(error)[:200]}")
            return
        if isinstance(data, dict) and "id" not in data and isinstance(data.get("value"), list):
            if data.get("nextLink"):
                self.notes.append(f"{source}: the list goes on at its nextLink, and that is not in the file")
            data = data["value"]
        for number, document in enumerate(data, start=1) if isinstance(data, list) else [(0, data)]:
            place = f"{source}: item {number}" if number else source
            try:
                self._file(place, document)
            except InputError as error:
                self.faults.append(f"{place}: {error}")

    def endpoints(self) -> list[Filed]:
        """The endpoints with their interfaces, whichever file each of these is in; to be asked when all were read."""
        filed: list[Filed] = []
        alone = dict(self._interfaces)
        for endpoint, found in self._endpoints.items():
            try:
                interfaces = self._interfaces_of(endpoint, found.document)
                shown = list(interfaces.values())
                filed.append(Filed(to_endpoint(found.document, shown or [_stand_in(found.document)]), bool(shown)))
            except InputError as error:
                self.faults.append(f"{found.source}: {error}")
                continue
            for interface in interfaces:
                alone.pop(interface, None)
        for interface, found in alone.items():
            self.notes.append(f"{found.source}: no file has the private endpoint of {interface}")
        return filed

    def _interfaces_of(self, endpoint: ResourceId, document: Document) -> dict[ResourceId, Document]:
        """An endpoint's interfaces: those that have documents of their own, or that its own document carries."""
        shown: dict[ResourceId, Document] = {}
        with shaped(f"the document of {endpoint}"):
            for carried in document["properties"].get("networkInterfaces") or ():
                interface = id_or_none(carried.get("id"))
                if interface is None:
                    continue
                if interface in self._interfaces:
                    shown[interface] = self._interfaces[interface].document
                elif (carried.get("properties") or {}).get("ipConfigurations"):  # else it was not expanded
                    shown[interface] = carried
        for interface in self._owned.get(endpoint, ()):
            shown[interface] = self._interfaces[interface].document
        return shown

    def _file(self, source: str, document: object) -> None:
        """Keeps an endpoint or an interface. Raises InputError for anything else, which says what it is."""
        if not isinstance(document, dict) or "id" not in document:
            raise _neither("it has no id" if isinstance(document, dict) else f"it is {json.dumps(document)[:80]}")
        try:
            resource = ResourceId.parse(document["id"])
        except InputError as error:
            raise _neither(str(error)) from error
        if not resource.is_a(PRIVATE_ENDPOINT) and not resource.is_a(NETWORK_INTERFACE):
            raise _neither(f"it is {resource.type or 'no resource at all'}")
        if not isinstance(document.get("properties"), dict):
            raise InputError("it has no properties, so it is not as Azure Resource Manager shows it")
        known = self._interfaces if resource.is_a(NETWORK_INTERFACE) else self._endpoints
        if resource in known:
            self.notes.append(f"{source}: {known[resource].source} has {resource} already, and that is used")
            return
        known[resource] = _Found(source, document)
        if resource.is_a(NETWORK_INTERFACE) and (owner := _owner(document)):
            self._owned.setdefault(owner, []).append(resource)


def _neither(what: str) -> InputError:
    return InputError(f"neither a private endpoint nor a network interface: {what}")


def _owner(interface: Document) -> ResourceId | None:
    """The endpoint that an interface says it is of; none for a virtual machine's."""
    owner = interface["properties"].get("privateEndpoint")
    return id_or_none(owner.get("id")) if isinstance(owner, dict) else None


def _stand_in(endpoint: Document) -> Document:
    """What the interface would show if it showed the names that the endpoint does (behaviour reference section 2.3)."""
    configurations = []
    with shaped(f"the document of {str(endpoint.get('id'))[:200]}"):
        for item in endpoint["properties"].get("customDnsConfigs") or ():
            link = {"fqdns": [str(item.get("fqdn") or "")]}
            for address in item.get("ipAddresses") or [""]:
                configurations.append(
                    {"properties": {"privateIPAddress": address, "privateLinkConnectionProperties": link}}
                )
    return {"properties": {"ipConfigurations": configurations}}
