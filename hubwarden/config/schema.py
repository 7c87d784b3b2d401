"""What hubwarden.yaml may say: the shape of the file, and the JSON Schema made from it for editors."""

from __future__ import annotations

import ipaddress
from typing import Literal

from pydantic import Field, field_validator, model_validator

from hubwarden.catalog.rows import Row
from hubwarden.config.policy import ApprovalsPart
from hubwarden.config.values import (
    Cidr,
    Location,
    Many,
    Name,
    NamePattern,
    Part,
    Resource,
    ResourceGroup,
    ResourceType,
    RowGroup,
    Service,
    SubscriptionId,
    TraitWord,
    VirtualNetwork,
    Wait,
    Word,
    said_twice,
)
from hubwarden.errors import InputError
from hubwarden.model.endpoint import PRIVATE_LINK_SERVICE
from hubwarden.model.own_name import OwnName
from hubwarden.model.resource_id import fold


class EstatePart(Part):
    """Which subscriptions are ours to serve."""

    management_groups: Many[str] = ()
    subscriptions: Many[SubscriptionId] = ()
    exclude: Many[SubscriptionId] = Field((), description="Subscriptions to leave alone.")

    @model_validator(mode="after")
    def _names_something(self) -> EstatePart:
        if not self.management_groups and not self.subscriptions:
            raise ValueError("name managementGroups, or subscriptions, or both")
        return self


class FilterPart(Part):
    """Endpoints picked by where they are; an empty list picks all."""

    subscriptions: Many[SubscriptionId] = ()
    locations: Many[Location] = ()


class ResolutionPart(Part):
    """What the clients of a hub ask for names."""

    servers: Many[str] = ()
    via: Literal["resolver", "firewall", "other"] = "resolver"


class HubPart(Part):
    """One hub: where its zones are and which endpoints it publishes."""

    name: Word
    zones: Many[ResourceGroup] = Field(min_length=1)
    networks: Many[VirtualNetwork] = Field((), description="Where the hub's clients ask; its zones are linked to them.")
    publishes: FilterPart = Field(default_factory=FilterPart)
    prefers: FilterPart = Field(default_factory=FilterPart)
    dns: ResolutionPart = Field(default_factory=ResolutionPart)
    create_zones: bool = Field(False, description="Make missing zones and link them to the networks.")
    nx_domain_redirect: bool = Field(True, description="Links that are made let Azure ask the public DNS, too.")


class LimitsPart(Part):
    """How many withdrawals an hour may see before they wait for a person."""

    withdrawals: int = Field(500, ge=0)
    per_zone: int = Field(100, ge=0)
    share: float = Field(0.3, ge=0, le=1, strict=False)


class OwnNamePart(Part):
    """A name for a private link service, or a suffix under which the service's own names count."""

    target: Service
    fqdn: Name | None = None
    suffix: Name | None = None
    zone: Name

    @model_validator(mode="after")
    def _names_one_thing_in_its_zone(self) -> OwnNamePart:
        if (self.fqdn is None) is (self.suffix is None):
            raise ValueError("give it an fqdn, or a suffix for the service's own names; one of the two")
        name = self.fqdn or self.suffix
        if name is not None and name.relative_to(self.zone) is None:
            raise ValueError(f"{name} does not lie in the zone {self.zone}")
        if "*" in (self.zone.labels[0], self.suffix and self.suffix.labels[0]):
            raise ValueError("neither a zone nor a suffix is a wildcard")
        return self

    def own_name(self) -> OwnName:
        """The entry, as the rooms know it."""
        return OwnName(self.target, self.zone, self.fqdn, self.suffix)


class RecordsPart(Part):
    """How records look, and which are allowed."""

    ttl: int = Field(10, ge=1, le=2147483647, description="Seconds; Azure's own zone groups use 10.")
    limits: LimitsPart = Field(default_factory=LimitsPart)
    addresses: Many[Cidr] = Field(
        tuple(
            ipaddress.ip_network(text)
            for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
        ),
        min_length=1,
        description="Networks that a published address must lie in; the default is the private ranges.",
    )
    foreign_targets: Literal["publish", "hold"] = Field(
        "hold", description="Endpoints to targets not known to be in our tenant."
    )
    names: Many[OwnNamePart] = ()
    shared: Many[Resource] = Field((), description="Targets whose names answer for everybody, and are meant to.")
    protected: Many[Name] = Field((), description="Names never changed or dropped.")


class RowPart(Part):
    """A row of the catalogue that the owner adds, or puts in place of ours."""

    type: ResourceType
    group: RowGroup
    zone: NamePattern
    suffix: NamePattern
    notes: str = ""
    traits: Many[TraitWord] = ()

    @model_validator(mode="after")
    def _is_a_row(self) -> RowPart:
        if fold(self.type) == fold(PRIVATE_LINK_SERVICE):
            raise ValueError("private link services have no rows; records.names gives them names")
        self.row()
        return self

    def row(self) -> Row:
        """The row, as the catalogue has it."""
        try:
            return Row(self.type, self.group, self.zone, self.suffix, self.notes, frozenset(self.traits))
        except InputError as error:
            raise ValueError(str(error)) from error


class CatalogPart(Part):
    """The owner's additions to the catalogue of zones."""

    rows: Many[RowPart] = ()

    @field_validator("rows")
    @classmethod
    def _rows_differ(cls, rows: tuple[RowPart, ...]) -> tuple[RowPart, ...]:
        if twice := said_twice(", ".join(part.row().key) for part in rows):
            raise ValueError(f"two rows have the same type, group and suffix: {'; '.join(twice)}")
        return rows


class EventsPart(Part):
    """Where Hubwarden publishes what it did."""

    topic: str | None = Field(
        None,
        description="The endpoint of a custom Event Grid topic.",
        pattern=r"^https://[A-Za-z0-9][A-Za-z0-9.-]{0,252}(:[1-9][0-9]{0,4})?(/[A-Za-z0-9-]+)*/api/events$",
    )


class File(Part):
    """The whole of hubwarden.yaml."""

    instance: Word = Field(description="The mark on every record that this installation owns.")
    formerly: Many[Word] = Field((), description="Names that this installation had before.")
    mode: Literal["apply", "plan"] = "apply"
    cloud: Literal["public", "usgov", "china"] = "public"
    estate: EstatePart
    hubs: Many[HubPart] = Field(min_length=1)
    records: RecordsPart = Field(default_factory=RecordsPart)
    catalog: CatalogPart = Field(default_factory=CatalogPart)
    approvals: ApprovalsPart = Field(default_factory=ApprovalsPart)
    events: EventsPart = Field(default_factory=EventsPart)
    follow_ups: Many[Wait] = Field(
        default_factory=lambda: (15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0),
        min_length=1,
        description="When to look again at what Azure does not show yet: the waits between the looks.",
    )

    @field_validator("hubs")
    @classmethod
    def _hubs_differ(cls, hubs: tuple[HubPart, ...]) -> tuple[HubPart, ...]:
        if twice := said_twice(hub.name for hub in hubs):
            raise ValueError(f"two hubs are called {', '.join(twice)}; every hub has a name of its own")
        return hubs
