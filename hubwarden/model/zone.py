"""Zone: a private DNS zone of a hub; what is done to it, MakeZone and LinkZone; and Link, through which it is seen."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

from hubwarden.model.dns_name import DnsName
from hubwarden.model.resource_id import ResourceId

MAKER_TAG = "hubwarden"
"""The tag of a zone that we made; its value is the instance. Changing it means retagging live zones."""

_LONGEST_NETWORK = 50
"""Characters of a network's name in a link's; Azure allows 80 in all."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A private DNS zone of a hub."""

    id: ResourceId
    name: DnsName
    maker: str = ""
    """The instance whose tag it bears; empty for one that somebody else made."""
    record_sets: int = 0
    most_record_sets: int = 0
    """How many record sets it has, its SOA among them, and may have; 0 where Azure does not say."""
    links: int = 0
    """How many networks it is linked to."""

    @property
    def fill(self) -> float:
        """How full it is, from 0 to 1."""
        return self.record_sets / self.most_record_sets if self.most_record_sets else 0.0

    @property
    def room(self) -> int | None:
        """How many more record sets it takes; None where nobody knows."""
        return max(self.most_record_sets - self.record_sets, 0) if self.most_record_sets else None


@dataclass(frozen=True, slots=True)
class Link:
    """What one virtual network sees of a zone."""

    network: ResourceId
    redirects: bool
    """Whether Azure asks the public DNS where the zone has no record (behaviour reference section 3.6)."""


@dataclass(frozen=True, slots=True)
class MakeZone:
    """Create a zone, only if there is none of that name in its resource group, tagged with the instance."""

    op: ClassVar[str] = "zone"

    hub: str
    zone: ResourceId
    instance: str
    why: str

    @property
    def key(self) -> ResourceId:
        """What is made."""
        return self.zone


@dataclass(frozen=True, slots=True)
class LinkZone:
    """Link a zone that we made to a network of its hub, only if there is no link of that name."""

    op: ClassVar[str] = "link"

    hub: str
    zone: ResourceId
    network: ResourceId
    redirects: bool
    why: str

    @property
    def key(self) -> ResourceId:
        """What is made: a name that is the same at every try, and another for each network."""
        digest = hashlib.sha256(self.network.key.encode()).hexdigest()[:8]
        name = f"hubwarden-{self.network.name[:_LONGEST_NETWORK]}-{digest}"
        zone = self.zone
        return ResourceId(zone.subscription, zone.group, zone.provider, (*zone.path, ("virtualNetworkLinks", name)))


ZoneChange = MakeZone | LinkZone
