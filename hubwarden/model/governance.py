"""What people lay over a scope: policy assignments that may deploy DNS zone groups, exemptions from them, and locks.

Ids and scopes stay texts: they may lie at management groups, or beneath other resources, where no resource id does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hubwarden.model.resource_id import fold


@dataclass(frozen=True, slots=True)
class AssignedDefinition:
    """One policy of an assignment, alone or as a member of a set."""

    id: str
    reference: str = ""
    """What the set calls it, in lower case; empty for one that is assigned alone."""
    effect: str = ""
    """In lower case, with the assignment's parameters put in; empty where it cannot be known."""
    deploys_zone_groups: bool = False
    trouble: str = ""
    """Why the definition could not be read, if so."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """An assignment that is enforced, at its scope and below, but for what it excludes."""

    id: str
    scope: str
    excluded: tuple[str, ...] = ()
    definitions: tuple[AssignedDefinition, ...] = ()


@dataclass(frozen=True, slots=True)
class Exemption:
    """What an assignment does not hold for."""

    id: str
    scope: str
    assignment: str
    references: frozenset[str] = frozenset()
    """Of the members that it is about, in lower case; empty for all of them."""
    expires: datetime | None = None
    conditional: bool = False
    """Whether it has conditions of its own (resource selectors), which are not judged here."""


@dataclass(frozen=True, slots=True)
class Policies:
    """What Azure lists for a resource group: assignments and exemptions at it, above it and beneath it."""

    assignments: tuple[Assignment, ...] = ()
    exemptions: tuple[Exemption, ...] = ()


@dataclass(frozen=True, slots=True)
class Lock:
    """A management lock, which holds at its scope and below."""

    id: str
    scope: str
    level: str


def lies_within(place: str, scope: str) -> bool:
    """Whether an id is the scope itself, or lies beneath it; compared without case."""
    place, scope = fold(place).rstrip("/"), fold(scope).rstrip("/")
    return place == scope or place.startswith(f"{scope}/")
