"""What an endpoint would want where nothing is known but its documents: no hub, no tenant, no settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hubwarden.catalog import Catalogue
from hubwarden.dns.wants import Wishes, wishes
from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import Endpoint, Network, Tenancy
from hubwarden.model.hub import Hub, HubZones
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.zone import Zone

_ZONES = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/any/providers/Microsoft.Network"


def wishes_offline(endpoint: Endpoint, *, catalogue: Catalogue, networks: Sequence[Network]) -> Wishes:
    """The records of an endpoint, in a hub that has exactly the zones that it lacks.

    The target counts as ours, and as one of `records.shared`: here is nobody to say otherwise.
    """

    def asked(zones: Iterable[DnsName]) -> Wishes:
        return wishes(
            endpoint,
            tenancy=Tenancy.OURS,
            hubs=[_imagined(zones)],
            catalogue=catalogue,
            networks=networks,
            publishes_foreign_targets=False,
            shared=frozenset({endpoint.target} if endpoint.target else ()),
        )

    return asked(held.missing.zone for held in asked(()).held if held.missing)


def _imagined(zones: Iterable[DnsName]) -> HubZones:
    made = (Zone(ResourceId.parse(f"{_ZONES}/privateDnsZones/{zone}"), zone) for zone in zones)
    return HubZones(Hub("any", ()), {zone.name: zone for zone in made})
