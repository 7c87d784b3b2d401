"""The state of the simulated Azure: subscriptions, documents, operations under way, and whom to tell of a change.

The rules of the services live beside it (private_dns, private_link, connections, zone_groups); how requests and answers
look on the wire lives in arm/. Nothing here speaks HTTP.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from simulator import ids
from simulator.addresses import INTERFACES, Addresses
from simulator.clock import Clock
from simulator.documents import Document, Documents
from simulator.refusals import By, Refusal
from simulator.settings import Settings

# Azure, the network service acts as this application (behaviour reference section 1.2).
NETWORK_SERVICE = "2cf9eb86-36b5-49dc-86ae-9a63135dfa8c"
HOME_TENANT = "11111111-1111-1111-1111-111111111111"


@dataclass(frozen=True, slots=True)
class Change:
    """An ARM write, delete or action that reached its end."""

    operation: str
    resource_id: str
    succeeded: bool
    correlation_id: str
    principal: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and under which correlation id."""

    principal: str
    correlation_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription; one that is not readable answers nothing and shows in no index."""

    id: str
    tenant: str = HOME_TENANT
    management_groups: tuple[str, ...] = ()
    readable: bool = True
    unregistered: tuple[str, ...] = ()  # resource providers


@dataclass(frozen=True, slots=True)
class Member:
    """One address an endpoint gets for a target, and the public names that lead to it."""

    group_id: str
    member_name: str
    fqdns: tuple[str, ...]
    zone: str
    public_address: str


@dataclass(frozen=True, slots=True)
class Target:
    """What private endpoints can point at, and the subscriptions whose requests it approves by itself."""

    id: str
    members: tuple[Member, ...] = ()
    auto_approve: tuple[str, ...] = ()


@dataclass(slots=True)
class Operation:
    """A long operation."""

    id: str
    operation: str
    resource_id: str
    status: str = "InProgress"
    refusal: Refusal | None = None


class World:
    """Everything there is."""

    subscriptions: dict[str, Subscription]
    targets: dict[str, Target]
    operations: dict[str, Operation]
    _busy: dict[str, Operation]
    # What a private endpoint's document does not tell: the names its owner wrote, and whether its interface lags.
    own_dns: dict[str, list[Any]]
    lagging: set[str]

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.listeners: list[Callable[[Change], None]] = []
        # Told of every document that is stored, and of every id that is forgotten, with None.
        self.watchers: list[Callable[[str, Document | None], None]] = []
        self.store = Documents()
        self.clear()

    def clear(self) -> None:
        """An empty world again, for the same listeners; operations under way are forgotten."""
        self.settings = Settings()
        self.subscriptions, self.targets = {}, {}
        gone, self.store = self.store, Documents()
        for document in gone:
            self._tell(document["id"], None)
        self.operations, self._busy = {}, {}
        self.own_dns, self.lagging = {}, set()
        self.addresses = Addresses()
        self._unheard = ""

    def document(self, resource_id: str) -> Document | None:
        """The ARM document with that id, compared without case; it must not be changed."""
        return self.store.get(resource_id)

    def documents(
        self, resource_type: str, *, subscription: str | None = None, resource_group: str | None = None
    ) -> list[Document]:
        """The ARM documents of a type, sorted by id, perhaps only those of a subscription or a resource group."""

        def lies_within(document: Document) -> bool:
            parsed = ids.parse(document["id"])
            return (subscription is None or parsed.subscription.lower() == subscription.lower()) and (
                resource_group is None or parsed.resource_group.lower() == resource_group.lower()
            )

        return [document for document in self.store.of_type(resource_type) if lies_within(document)]

    def put(self, document: Document) -> None:
        """Stores a document, and the resource group it lies in if nobody has made that yet."""
        parsed = ids.parse(document["id"])
        if parsed.type.lower() == INTERFACES.lower():
            self.addresses.replace(self.store.get(document["id"]), document)
        self._keep(document)
        group = f"/subscriptions/{parsed.subscription}/resourceGroups/{parsed.resource_group}"
        if parsed.resource_group and self.store.get(group) is None:
            self._keep(resource_group(group, document.get("location") or "westeurope"))

    def remove(self, resource_id: str) -> None:
        """Forgets a document and everything under it."""
        for document in reversed([*filter(None, [self.store.get(resource_id)]), *self.store.under(resource_id)]):
            if ids.parse(document["id"]).type.lower() == INTERFACES.lower():
                self.addresses.replace(document, None)
            self.store.remove(document["id"])
            self._tell(document["id"], None)

    @contextmanager
    def unheard(self, resource_id: str) -> Iterator[None]:
        """While this lasts, nobody is told of changes beneath that id."""
        self._unheard = f"{ids.key(resource_id)}/"
        try:
            yield
        finally:
            self._unheard = ""

    def announce(self, operation: str, resource_id: str, caller: Caller, *, succeeded: bool = True) -> None:
        """Tells the listeners of a change that has reached its end."""
        if self._unheard and ids.key(resource_id).startswith(self._unheard):
            return
        change = Change(operation, resource_id, succeeded, caller.correlation_id, caller.principal)
        for listener in self.listeners:
            listener(change)

    def begin(self, operation: str, resource_id: str, caller: Caller, finish: Callable[[], None]) -> Operation:
        """Starts a long operation; `finish` does its work at the end, and may refuse."""
        begun = Operation(str(uuid.uuid4()), operation, resource_id)
        self.operations[begun.id] = begun
        self._busy[ids.key(resource_id)] = begun

        def end() -> None:
            if self._busy.get(ids.key(resource_id)) is not begun:
                return  # the world was cleared meanwhile
            del self._busy[ids.key(resource_id)]
            try:
                finish()
                begun.status = "Succeeded"
            except Refusal as refusal:
                begun.status, begun.refusal = "Failed", refusal
            self.announce(operation, resource_id, caller, succeeded=begun.refusal is None)

        self.clock.call_later(self.settings.operation_ms / 1000, end)
        return begun

    def busy(self, resource_id: str) -> Operation | None:
        """The long operation that the resource is under."""
        return self._busy.get(ids.key(resource_id))

    def running(self) -> list[Operation]:
        """Long operations not yet at their end."""
        return list(self._busy.values())

    def under_way(self) -> list[str]:
        """The same in words."""
        return [f"{each.operation} of {each.resource_id}" for each in self._busy.values()]

    def _keep(self, document: Document) -> None:
        self.store.put(document)
        self._tell(document["id"], document)

    def _tell(self, resource_id: str, document: Document | None) -> None:
        for watcher in self.watchers:
            watcher(resource_id, document)

    def need_subscription(self, subscription: str) -> Subscription:
        """Raises Refusal if there is no such subscription, or it may not be read.

        Azure, the text of the first is unverified; a hidden one answers as to any caller without a role (reference
        section 6.1).
        """
        found = self.subscriptions.get(subscription.lower())
        if found is None:
            message = f"The subscription '{subscription}' could not be found."
            raise Refusal("SubscriptionNotFound", message, by=By.GATEWAY)
        return found

    def need_group(self, subscription: str, group: str) -> Document:
        """Raises Refusal if there is no such resource group (Azure, text unverified; reference section 3.8)."""
        found = self.store.get(f"/subscriptions/{subscription}/resourceGroups/{group}")
        if found is None:
            raise Refusal("ResourceGroupNotFound", f"Resource group '{group}' could not be found.", by=By.GATEWAY)
        return found

    def need(self, resource_id: str) -> Document:
        """Raises Refusal, as ARM's gateway does, if there is no such resource (behaviour reference section 3.8)."""
        found = self.store.get(resource_id)
        if found is None:
            raise not_found(resource_id)
        return found


def not_found(resource_id: str) -> Refusal:
    """The gateway's word on a resource that is not there."""
    spelt = re.split("/providers/", resource_id, flags=re.IGNORECASE)[-1]
    return Refusal(
        "ResourceNotFound",
        f"The Resource '{spelt}' under resource group '{ids.parse(resource_id).resource_group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
        by=By.GATEWAY,
    )


def resource_group(group_id: str, location: str) -> Document:
    """The document of a resource group."""
    return {
        "id": group_id,
        "name": group_id.rsplit("/", 1)[-1],
        "type": "Microsoft.Resources/resourceGroups",
        "location": location,
        "tags": {},
        "properties": {"provisioningState": "Succeeded"},
    }
