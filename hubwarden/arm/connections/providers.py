"""How each resource provider wants its connections asked for and answered: data (providers.csv), read once."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources

from hubwarden.errors import InputError
from hubwarden.model.resource_id import ResourceId, fold

_SLOT_GROUP = re.compile(r"sites-([A-Za-z0-9-]{1,60})", re.ASCII | re.IGNORECASE)


class Body(StrEnum):
    """The shapes that an answer's body can have; codecs.py makes them."""

    WHOLE = "whole"
    REQUEST = "request"
    ENDPOINT = "endpoint"
    STATE = "state"
    SDK = "sdk"
    """Whatever the provider's own client makes of the whole."""


@dataclass(frozen=True, slots=True)
class Provider:
    """One type of resource, as providers.csv explains its columns."""

    type: str
    api_version: str
    verb: str
    body: Body | None
    """None where connections are not answered."""
    lists_children: bool
    resource_version: str
    insists: bool


def knows(target: ResourceId) -> bool:
    """Whether the connections of such a resource can be listed."""
    return fold(target.type) in _providers()


def answers(target: ResourceId) -> bool:
    """Whether the connections of such a resource can be answered."""
    return knows(target) and provider_of(target).body is not None


def provider_of(target: ResourceId) -> Provider:
    """How such a resource is treated. Raises InputError for a type that is not known."""
    try:
        return _providers()[fold(target.type)]
    except KeyError:
        raise InputError(f"connections of {target.type[:200]} cannot be answered by this version") from None


def places_of(target: ResourceId, groups: Iterable[str]) -> tuple[ResourceId, ...]:
    """The resources that may show the connection of an endpoint to a target; the target is the last.

    An endpoint to a slot of a web site names the site, with a group such as sites-staging; which of the two shows its
    connection is not verified (approval table, Microsoft.Web/sites/slots).
    """
    slots = [found.group(1) for group in groups if (found := _SLOT_GROUP.fullmatch(group))]
    slots = slots if target.is_a("Microsoft.Web/sites") else []
    return (*(ResourceId.parse(f"{target}/slots/{slot}") for slot in slots), target)


def known_types() -> tuple[str, ...]:
    """The types whose connections can be listed."""
    return tuple(provider.type for provider in _providers().values())


@cache
def _providers() -> Mapping[str, Provider]:
    text = resources.files("hubwarden.arm").joinpath("providers.csv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {fold(row["type"]): _provider(row) for row in csv.DictReader(lines)}


def _provider(row: Mapping[str, str]) -> Provider:
    return Provider(
        type=row["type"],
        api_version=row["api_version"],
        verb=row["verb"],
        body=Body(row["body"]) if row["body"] else None,
        lists_children=row["list"] == "children",
        resource_version=row["resource_version"] or row["api_version"],
        insists=row["if_match"] == "yes",
    )
