"""Zones made and linked to networks: two long operations, each insisting that nothing of that name is there yet."""

from __future__ import annotations

from azure.core import MatchConditions
from azure.mgmt.privatedns import models

from hubwarden.arm.failures import translated
from hubwarden.arm.long_operations import followed
from hubwarden.arm.session import ArmSession
from hubwarden.errors import InputError
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.zone import MAKER_TAG, Link, LinkZone, MakeZone
from hubwarden.telemetry.tracing import spanned

_REDIRECT, _DEFAULT = "NxDomainRedirect", "Default"


async def list_links(session: ArmSession, zone: ResourceId) -> tuple[Link, ...]:
    """The links of a zone to virtual networks. Raises rather than give a part of them.

    The policy is shown from api-version 2024-06-01 on, which is the SDK's own (behaviour reference section 3.10).
    """
    links = []
    with translated("listing the links of", zone):
        async for link in session.dns(zone.subscription).virtual_network_links.list(zone.group, zone.name):
            properties = link.properties or models.VirtualNetworkLinkProperties()
            try:
                network = ResourceId.parse(properties.virtual_network.id if properties.virtual_network else None)
            except InputError:
                continue  # a network that we could not name is none of a hub's
            links.append(Link(network, properties.resolution_policy == _REDIRECT))
    return tuple(links)


@spanned("make zone")
async def make_zone(session: ArmSession, change: MakeZone) -> None:
    """Makes a zone with our tag, and waits until it is there (behaviour reference sections 3.2 and 6.7).

    Raises RacedError where there is one of that name (412), UnavailableError while it is still being made.
    """
    zone = change.zone
    body = models.PrivateZone({"location": "global", "tags": {MAKER_TAG: change.instance}})
    zones = session.dns(zone.subscription).private_zones
    with translated("making zone", zone):
        poller = await zones.begin_create_or_update(
            zone.group, zone.name, body, match_condition=MatchConditions.IfMissing, **followed(session)
        )
        await poller.result()


@spanned("link zone")
async def link_zone(session: ArmSession, change: LinkZone) -> None:
    """Links a zone to a network, and waits until it is linked (behaviour reference sections 3.6 and 3.10).

    Raises RacedError where there is a link of that name (412), UnavailableError while it is still being made.
    """
    zone = change.zone
    body = models.VirtualNetworkLink(
        {
            "location": "global",
            "properties": {
                "virtualNetwork": {"id": str(change.network)},
                "registrationEnabled": False,
                "resolutionPolicy": _REDIRECT if change.redirects else _DEFAULT,
            },
        }
    )
    links = session.dns(zone.subscription).virtual_network_links
    with translated("linking zone", change.key):
        poller = await links.begin_create_or_update(
            zone.group,
            zone.name,
            change.key.name,
            body,
            match_condition=MatchConditions.IfMissing,
            **followed(session),
        )
        await poller.result()
