"""What hubwarden.yaml may say: the shape of the file, and the JSON Schema made from it for editors."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from hubwarden.catalog.patterns import pattern
from hubwarden.catalog.rows import Row, Trait
from hubwarden.errors import InputError
from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import PRIVATE_LINK_SERVICE, Network
from hubwarden.model.own_name import OwnName, ServicePattern
from hubwarden.model.resource_id import ResourceId, fold

_GUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
_DURATION = re.compile(r"^(\d{1,9})(ms|s|m|h|d)$", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _resource_id(value: object) -> ResourceId:
    try:
        return ResourceId.parse(value)
    except InputError as error:
        raise ValueError(str(error)) from error


def _dns_name(value: object) -> DnsName:
    try:
        return DnsName.parse(value)
    except InputError as error:
        raise ValueError(str(error)) from error


def _service(value: object) -> ServicePattern:
    try:
        return ServicePattern.parse(value)
    except InputError as error:
        raise ValueError(str(error)) from error


def _name_pattern(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"a DNS name is text, not {type(value).__name__}")
    try:
        return str(pattern(value))
    except InputError as error:
        raise ValueError(str(error)) from error


def _network(value: object) -> Network:
    if not isinstance(value, str):
        raise ValueError("a network is text such as 10.0.0.0/8")
    return ipaddress.ip_network(value)


def _resource_group(value: ResourceId) -> ResourceId:
    if not value.group or value.path:
        raise ValueError(f"{str(value)!r} is not a resource group; it ends with /resourceGroups/<name>")
    return value


def _resource(value: ResourceId) -> ResourceId:
    if not value.path:
        raise ValueError(f"{str(value)!r} is not a resource; it has a provider, a type and a name")
    return value


def _virtual_network(value: ResourceId) -> ResourceId:
    if not value.is_a("Microsoft.Network/virtualNetworks"):
        raise ValueError(f"{str(value)!r} is not a virtual network")
    return value


def _seconds(value: object) -> float:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if not match:
        raise ValueError("a duration is a whole number and ms, s, m, h or d, such as 15s")
    return int(match[1]) * _SECONDS[match[2]]


def _said_twice(names: Iterable[str]) -> list[str]:
    """The names that are there more than once, compared without case."""
    counted = Counter(name.lower() for name in names)
    return sorted(name for name, count in counted.items() if count > 1)


def _as_text(**more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", **more})


SubscriptionId = Annotated[str, Field(pattern=_GUID), AfterValidator(fold)]
Id = Annotated[ResourceId, BeforeValidator(_resource_id), _as_text(pattern="^/subscriptions/")]
ResourceGroup = Annotated[Id, AfterValidator(_resource_group)]
Resource = Annotated[Id, AfterValidator(_resource)]
VirtualNetwork = Annotated[Id, AfterValidator(_virtual_network)]
Name = Annotated[DnsName, BeforeValidator(_dns_name), _as_text(format="hostname")]
Service = Annotated[ServicePattern, BeforeValidator(_service), _as_text()]
Cidr = Annotated[Network, BeforeValidator(_network), _as_text(examples=["10.0.0.0/8"])]
NamePattern = Annotated[
    str, BeforeValidator(_name_pattern), _as_text(examples=["privatelink.{regionName}.contoso.com"])
]
Duration = Annotated[float, BeforeValidator(_seconds), _as_text(pattern=_DURATION.pattern, examples=["15s"])]
Wait = Annotated[Duration, Field(le=7 * 86400.0)]
"""Azure hides a queue message for seven days at the most."""
Location = Annotated[str, Field(pattern=r"^[a-zA-Z0-9]+$"), AfterValidator(fold)]
T = TypeVar("T")
Many = Annotated[tuple[T, ...], Field(strict=False)]
"""A list in the file, a tuple in our hands."""
Condition = Annotated[tuple[T, ...], Field(strict=False, min_length=1)]
"""A list that is left out where it is no condition: an empty one could be read as none, or as all."""
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")]


TraitWord = Annotated[Trait, Field(strict=False)]
RowGroup = Annotated[str, Field(pattern=r"^(\*|[^*-]+-\*|[^*]+)$")]
"""A group; `*` is any, and `sites-*` any that begins so."""
RuleName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,59}$")]
"""It stands in the description of every connection that the rule answers, which has room for 140 characters."""
ResourceType = Annotated[str, Field(pattern=r"^[A-Za-z0-9.]+(/[A-Za-z0-9]+)+$")]
Group = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,79}$")]


class _Part(BaseModel):
    """A mapping in the file: closed, strict, and never changed after it was read."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True, alias_generator=to_camel
    )


class EstatePart(_Part):
    """Which subscriptions are ours to serve."""

    management_groups: Many[str] = ()
    subscriptions: Many[SubscriptionId] = ()
    exclude: Many[SubscriptionId] = Field((), description="Subscriptions to leave alone.")

    @model_validator(mode="after")
    def _names_something(self) -> EstatePart:
        if not self.management_groups and not self.subscriptions:
            raise ValueError("name managementGroups, or subscriptions, or both")
        return self


class FilterPart(_Part):
    """Endpoints picked by where they are; an empty list picks all."""

    subscriptions: Many[SubscriptionId] = ()
    locations: Many[Location] = ()


class ResolutionPart(_Part):
    """What the clients of a hub ask for names."""

    servers: Many[str] = ()
    via: Literal["resolver", "firewall", "other"] = "resolver"


class HubPart(_Part):
    """One hub: where its zones are and which endpoints it publishes."""

    name: Word
    zones: Many[ResourceGroup] = Field(min_length=1)
    networks: Many[VirtualNetwork] = Field((), description="Where the hub's clients ask; its zones are linked to them.")
    publishes: FilterPart = Field(default_factory=FilterPart)
    prefers: FilterPart = Field(default_factory=FilterPart)
    dns: ResolutionPart = Field(default_factory=ResolutionPart)
    create_zones: bool = Field(False, description="Make missing zones and link them to the networks.")
    nx_domain_redirect: bool = Field(True, description="Links that are made let Azure ask the public DNS, too.")


class LimitsPart(_Part):
    """How many withdrawals an hour may see before they wait for a person."""

    withdrawals: int = Field(500, ge=0)
    per_zone: int = Field(100, ge=0)
    share: float = Field(0.3, ge=0, le=1, strict=False)


class OwnNamePart(_Part):
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


class RecordsPart(_Part):
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


class RowPart(_Part):
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


class CatalogPart(_Part):
    """The owner's additions to the catalogue of zones."""

    rows: Many[RowPart] = ()

    @field_validator("rows")
    @classmethod
    def _rows_differ(cls, rows: tuple[RowPart, ...]) -> tuple[RowPart, ...]:
        if twice := _said_twice(", ".join(part.row().key) for part in rows):
            raise ValueError(f"two rows have the same type, group and suffix: {'; '.join(twice)}")
        return rows


class ApprovalLimitsPart(_Part):
    """How many answers an hour may be given by rule."""

    approve: int = Field(50, ge=0)
    reject: int = Field(10, ge=0)


class ConsumerPart(_Part):
    """Who asks; every condition that is there must hold."""

    subscriptions: Condition[SubscriptionId] = Field(default_factory=tuple)
    within: Literal["estate", "tenant"] | None = Field(None, alias="in")
    foreign: Literal[True] | None = Field(None, description="The consumer is known to be in another tenant.")

    @field_validator("within", "foreign", mode="before")
    @classmethod
    def _says_something(cls, value: object) -> object:
        if value is None:
            raise ValueError("say what it is, or leave the key out: a condition without a value would be none")
        return value


class TargetPart(_Part):
    """What is asked for; every condition that is there must hold."""

    types: Condition[ResourceType] = Field(default_factory=tuple)
    subscriptions: Condition[SubscriptionId] = Field(default_factory=tuple)


class WhenPart(_Part):
    """The conditions of a rule; all of them must hold."""

    consumer: ConsumerPart = Field(default_factory=ConsumerPart)
    target: TargetPart = Field(default_factory=TargetPart)
    groups: Condition[Group] = Field(default_factory=tuple)


class RulePart(_Part):
    """One rule of the policy: what to answer when its conditions hold."""

    name: RuleName
    when: WhenPart = Field(default_factory=WhenPart)
    then: Literal["approve", "reject", "hold"]

    @model_validator(mode="after")
    def _is_careful(self) -> RulePart:
        if self.then == "approve" and self.when.consumer == ConsumerPart():
            raise ValueError("a rule that approves says under when.consumer who may connect")
        if self.then == "reject" and self.when == WhenPart():
            raise ValueError("without a condition it could match everything, and a rejection is final: give it one")
        return self


class ApprovalsPart(_Part):
    """Who may connect."""

    default: Literal["hold"] = "hold"
    limits: ApprovalLimitsPart = Field(default_factory=ApprovalLimitsPart)
    remind_after: Duration = Field(default_factory=lambda: 172800.0)
    people: Many[str] = ()
    rules: Many[RulePart] = Field((), description="The first rule that matches wins.")

    @field_validator("rules")
    @classmethod
    def _rules_differ(cls, rules: tuple[RulePart, ...]) -> tuple[RulePart, ...]:
        if twice := _said_twice(rule.name for rule in rules):
            raise ValueError(f"two rules are called {', '.join(twice)}; every rule has a name of its own")
        return rules


class EventsPart(_Part):
    """Where Hubwarden publishes what it did."""

    topic: str | None = None


class File(_Part):
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
        if twice := _said_twice(hub.name for hub in hubs):
            raise ValueError(f"two hubs are called {', '.join(twice)}; every hub has a name of its own")
        return hubs
