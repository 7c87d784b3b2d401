"""What of the settings the app cannot reach or may not do: each as a sentence that names where, and what mends it.

A group that is not there, an identity without a role, another tenant: of these Azure tells only whoever asks for the
very thing. Resource Graph, from which a sweep has its endpoints, shows what may be read and says nothing of the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hubwarden.arm.event_subscriptions import permissions_at
from hubwarden.arm.remedies import MAKER, READER, WRITER, assign, with_remedy
from hubwarden.arm.subscriptions import read_subscription, subscriptions_shown, subscriptions_under
from hubwarden.errors import HubwardenError
from hubwarden.model.coverage import missing_rights
from hubwarden.model.hub import HubZones
from hubwarden.model.resource_id import ResourceId
from hubwarden.reconcile.at_once import some_at_once
from hubwarden.reconcile.rooms import Rooms

MOST_ASKED = 20
"""Subscriptions that ARM is asked about, because the index does not show them; the others are only counted."""

_ZONES = "Microsoft.Network/privateDnsZones"
WRITING = (
    f"{_ZONES}/read",
    *(f"{_ZONES}/{kind}/{verb}" for kind in ("A", "AAAA") for verb in ("read", "write", "delete")),
)
"""What the record writer is for, at each resource group with zones."""

MAKING = (f"{_ZONES}/write", f"{_ZONES}/virtualNetworkLinks/write")
"""What the zone maker is for in the first of a hub's groups, where the hub has createZones."""


async def unreached(rooms: Rooms, hubs: Iterable[HubZones]) -> tuple[str, ...]:
    """What Azure does not show: zones of hubs, subscriptions, and management groups with nothing under them.

    It costs a question to Resource Graph, and one for each management group.
    """
    troubles = [f"hub {hub.hub.name}: {hub.trouble}" for hub in hubs if hub.trouble]
    return (*troubles, *await _unshown(rooms), *await _empty(rooms))


async def unpermitted(rooms: Rooms, hubs: Iterable[HubZones]) -> tuple[str, ...]:
    """What the app may not do in resource groups with zones that it is shown. It costs a GET for each group."""
    shown = [hub.hub for hub in hubs if not hub.trouble]
    groups = dict.fromkeys(group for hub in shown for group in hub.zone_groups)
    made_in = {hub.zone_groups[0] for hub in shown if hub.creates_zones}
    told = await some_at_once(lambda group: _lacks(rooms, group, makes=group in made_in), groups)
    return tuple(each for some in told for each in some)


async def _unshown(rooms: Rooms) -> Sequence[str]:
    named = rooms.estate.named
    try:
        hidden = sorted(named - await subscriptions_shown(rooms.arm, named))
    except HubwardenError as error:
        return [str(error)]

    async def asked(subscription: str) -> str:
        try:
            await read_subscription(rooms.arm, subscription)
        except HubwardenError as error:
            return with_remedy(error, READER, f"/subscriptions/{subscription}", "estate, or zones in hubs")
        return ""  # the index shows it later

    told = [each for each in await some_at_once(asked, hidden[:MOST_ASKED]) if each]
    more = len(hidden) - MOST_ASKED
    return [*told, f"{more} more subscriptions of the estate are not shown either"] if more > 0 else told


async def _empty(rooms: Rooms) -> Sequence[str]:
    async def looked(group: str) -> str:
        try:
            if await subscriptions_under(rooms.arm, [group]):
                return ""
        except HubwardenError as error:
            return f"management group {group}: {error}"
        scope = f"/providers/Microsoft.Management/managementGroups/{group}"
        return (
            f"management group {group} shows no subscription. What to do: {assign(READER, scope)}, or correct estate."
        )

    return [each for each in await some_at_once(looked, rooms.estate.management_groups) if each]


async def _lacks(rooms: Rooms, group: ResourceId, *, makes: bool) -> Sequence[str]:
    try:
        permissions = await permissions_at(rooms.arm, str(group))
    except HubwardenError as error:
        scope = f"/subscriptions/{group.subscription}"
        return [with_remedy(error, READER, scope, "zones in hubs")]
    wanted = [(WRITER, WRITING), *([(MAKER, MAKING)] if makes else [])]
    lacking = [(role, missing_rights(permissions, actions)) for role, actions in wanted]
    return [
        f"not permitted: {', '.join(rights)}. What to do: {assign(role, group)}." for role, rights in lacking if rights
    ]
