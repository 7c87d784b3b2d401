"""The resources that endpoints lead to: where they are, and how they are tagged."""

from __future__ import annotations

from dataclasses import dataclass

from hubwarden.arm.connections.providers import provider_of
from hubwarden.arm.documents import to_tags
from hubwarden.arm.failures import shaped, translated
from hubwarden.arm.session import ArmSession
from hubwarden.errors import UnavailableError
from hubwarden.model.resource_id import ResourceId


@dataclass(frozen=True, slots=True)
class Target:
    """What a resource's own document says of it."""

    location: str
    tags: tuple[tuple[str, str], ...]


async def read_target(session: ArmSession, target: ResourceId) -> Target:
    """A resource as ARM shows it now: one GET.

    Raises InputError for a type that is not known, NotFoundError, DeniedError, TemporaryError; and UnavailableError
    where another resource's document comes back.
    """
    with translated("reading", target):
        document = await session.get(str(target), provider_of(target).resource_version)
    with shaped(f"the document of {target}"):
        if ResourceId.parse(document["id"]) != target:
            raise UnavailableError(f"reading {target} gave the document of another resource")
        return Target(str(document.get("location") or ""), to_tags(document))
