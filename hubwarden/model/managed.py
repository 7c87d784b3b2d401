"""ManagedEndpoint: a private endpoint that a resource of the estate's has in a network that Microsoft keeps for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from hubwarden.model.resource_id import ResourceId


class Standing(Enum):
    """How far a managed endpoint is, as the resource shows it that has it."""

    WAITS = "waits"
    """It is made, and its connection waits at the target."""
    ANSWERED = "answered"
    """Its connection was approved or rejected, and stands at the target as one that is not waiting."""
    ENDED = "ended"
    """Its connection was removed: it may stand at the target no more."""
    UNCLEAR = "unclear"
    """It is being made, or the resource does not show how far it is."""


@dataclass(frozen=True, slots=True)
class ManagedEndpoint:
    """What a resource shows of one managed endpoint of its own."""

    manager: ResourceId
    """The resource, such as a data factory."""
    target: ResourceId | None
    """Where it leads; None where the resource shows an alias, which only private link services have."""
    groups: tuple[str, ...]
    standing: Standing
