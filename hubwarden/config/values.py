"""The kinds of values that keys of hubwarden.yaml take: how each is read, and what editors are told of it."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from hubwarden.catalog.patterns import pattern
from hubwarden.catalog.rows import Trait
from hubwarden.errors import InputError
from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import Network
from hubwarden.model.own_name import ServicePattern
from hubwarden.model.resource_id import ResourceId, fold

T = TypeVar("T")
Value = TypeVar("Value")

_GUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
_DURATION = re.compile(r"^(\d{1,9})(ms|s|m|h|d)$", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def read_by(parse: Callable[[object], Value]) -> Callable[[object], Value]:
    """A reader whose InputError is a fault of the file."""

    def read(value: object) -> Value:
        try:
            return parse(value)
        except InputError as error:
            raise ValueError(str(error)) from error

    return read


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


def said_twice(names: Iterable[str]) -> list[str]:
    """The names that are there more than once, compared without case."""
    counted = Counter(name.lower() for name in names)
    return sorted(name for name, count in counted.items() if count > 1)


def as_text(**more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", **more})


_LOCATION = r"^[a-zA-Z0-9]+$"
_MANAGEMENT_GROUP = r"^[A-Za-z0-9_().-]{1,90}$"
_WORD = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$"
_RESOURCE_TYPE = r"^[A-Za-z0-9.]+(/[A-Za-z0-9]+)+$"

SUCH_AS = {
    _GUID: "22222222-2222-4222-8222-222222222222",
    _LOCATION: "westeurope",
    _MANAGEMENT_GROUP: "corp",
    _WORD: "contoso",
    _RESOURCE_TYPE: "Microsoft.Storage/storageAccounts",
}
"""An example of each pattern that people are likely to miss."""

SubscriptionId = Annotated[str, Field(pattern=_GUID), AfterValidator(fold)]
Id = Annotated[ResourceId, BeforeValidator(read_by(ResourceId.parse)), as_text(pattern="^/subscriptions/")]
ResourceGroup = Annotated[Id, AfterValidator(_resource_group)]
Resource = Annotated[Id, AfterValidator(_resource)]
VirtualNetwork = Annotated[Id, AfterValidator(_virtual_network)]
Name = Annotated[DnsName, BeforeValidator(read_by(DnsName.parse)), as_text(format="hostname")]
Service = Annotated[ServicePattern, BeforeValidator(read_by(ServicePattern.parse)), as_text()]
Cidr = Annotated[Network, BeforeValidator(_network), as_text(examples=["10.0.0.0/8"])]
NamePattern = Annotated[str, BeforeValidator(_name_pattern), as_text(examples=["privatelink.{regionName}.contoso.com"])]
Duration = Annotated[float, BeforeValidator(_seconds), as_text(pattern=_DURATION.pattern, examples=["15s"])]
Wait = Annotated[Duration, Field(le=7 * 86400.0)]
"""Azure hides a queue message for seven days at the most."""
Location = Annotated[str, Field(pattern=_LOCATION), AfterValidator(fold)]
ManagementGroup = Annotated[str, Field(pattern=_MANAGEMENT_GROUP)]
Many = Annotated[tuple[T, ...], Field(strict=False)]
"""A list in the file, a tuple in our hands."""
Condition = Annotated[tuple[T, ...], Field(strict=False, min_length=1)]
"""A list that is left out where it is no condition: an empty one could be read as none, or as all."""
Word = Annotated[str, Field(pattern=_WORD)]


TraitWord = Annotated[Trait, Field(strict=False)]
RowGroup = Annotated[str, Field(pattern=r"^(\*|[^*-]+-\*|[^*]+)$")]
"""A group; `*` is any, and `sites-*` any that begins so."""
RuleName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,59}$")]
"""It stands in the description of every connection that the rule answers, which has room for 140 characters."""
ResourceType = Annotated[str, Field(pattern=_RESOURCE_TYPE)]
Group = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,79}$")]


class Part(BaseModel):
    """A mapping in the file: closed, strict, and never changed after it was read."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True, alias_generator=to_camel
    )
