"""Hub: where zones live, which endpoints it publishes and whom it prefers; and HubZones, a hub with what it has now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hubwarden.model.dns_name import DnsName
from hubwarden.model.resource_id import ResourceId, fold
from hubwarden.model.zone import Zone


@dataclass(frozen=True, slots=True)
class Hub:
    """Where one hub's zones live and which endpoints it publishes; `locations` empty means all of them."""

    name: str
    zone_groups: tuple[ResourceId, ...]
    """Resource groups in which the hub's privatelink zones live."""
    networks: tuple[ResourceId, ...] = ()
    locations: frozenset[str] = frozenset()
    subscriptions: frozenset[str] = frozenset()
    preferred_subscriptions: frozenset[str] = frozenset()
    preferred_locations: frozenset[str] = frozenset()
    creates_zones: bool = False
    redirects: bool = True
    """Whether the links that are made ask the public DNS for what the zone has no record of (NxDomainRedirect)."""

    def zone_id(self, zone: DnsName) -> ResourceId:
        """Where a zone of that name is made: in the first of the hub's resource groups."""
        group = self.zone_groups[0]
        return ResourceId(group.subscription, group.group, "Microsoft.Network", (("privateDnsZones", zone.text),))

    def publishes(self, *, subscription: str, location: str) -> bool:
        """Whether this hub serves endpoints of that subscription and location."""
        return (not self.locations or fold(location) in self.locations) and (
            not self.subscriptions or fold(subscription) in self.subscriptions
        )

    def prefers_subscription(self, subscription: str) -> bool:
        """Whether an endpoint of that subscription may take a name from one of another."""
        return fold(subscription) in self.preferred_subscriptions

    def prefers_location(self, location: str) -> bool:
        """Whether an endpoint there comes first where nothing else decides."""
        return fold(location) in self.preferred_locations


@dataclass(frozen=True, slots=True)
class HubZones:
    """A hub and the zones that it has now; `trouble` says why they could not be listed, if so."""

    hub: Hub
    zones: Mapping[DnsName, Zone]
    trouble: str = ""
    hidden: tuple[Zone, ...] = ()
    """Zones of the same names in groups that come later, which are left alone."""

    def holds(self, zone: ResourceId) -> bool:
        """Whether that zone is one of this hub's."""
        return any(each.id == zone for each in self.zones.values())
