"""What changes rarely: the hubs' zones, the subscriptions' tenants, the estate's members; each remembered a while.

What is remembered is never enough for a Drop or a decision: those ask for a fresh answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from hubwarden.arm.memory import Memory
from hubwarden.arm.remedies import WRITER, with_remedy
from hubwarden.arm.session import ArmSession
from hubwarden.arm.subscriptions import Tenant, subscriptions_under, tenant_of
from hubwarden.arm.zone_making import list_links
from hubwarden.arm.zones import list_zones
from hubwarden.errors import HubwardenError, UnavailableError
from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import Tenancy
from hubwarden.model.hub import Hub, HubZones
from hubwarden.model.resource_id import ResourceId, fold
from hubwarden.model.zone import Link, Zone

ZONES_LAST = 600.0
MEMBERS_LAST = 600.0
TENANTS_LAST = 3600.0
"""Seconds for which an answer is remembered."""

MISS_LASTS = 30.0
"""Seconds after which a zone or member that was not there is looked for again."""


class Estate:
    """The surroundings of every run; `now` gives seconds, only differences count."""

    def __init__(
        self,
        session: ArmSession,
        *,
        hubs: Sequence[Hub],
        subscriptions: frozenset[str],
        management_groups: Sequence[str],
        excluded: frozenset[str],
        now: Callable[[], float],
    ) -> None:
        self._session = session
        self._hubs = tuple(hubs)
        self._subscriptions = subscriptions
        self._management_groups = tuple(management_groups)
        self._excluded = excluded
        self._zones: Memory[None, tuple[HubZones, ...]] = Memory(now)
        self._members: Memory[None, frozenset[str]] = Memory(now)
        self._links: Memory[ResourceId, tuple[Link, ...]] = Memory(now)
        self._tenants: Memory[str, Tenant | None] = Memory(now)

    @property
    def named(self) -> frozenset[str]:
        """The subscriptions that the settings name: those of the estate, and where zones are."""
        of_zones = {fold(group.subscription) for hub in self._hubs for group in hub.zone_groups}
        return frozenset(self._subscriptions - self._excluded | of_zones)

    @property
    def management_groups(self) -> tuple[str, ...]:
        """The management groups that the settings name."""
        return self._management_groups

    async def includes(self, subscription: str, *, fresh: bool = False) -> bool:
        """Whether a subscription is ours to serve. Resource Graph is asked only where management groups are named.

        A `fresh` answer is remembered only as long as a miss is: for a decision.
        """
        subscription = fold(subscription)
        if subscription in self._excluded:
            return False
        if subscription in self._subscriptions:
            return True
        if not self._management_groups:
            return False
        # A new subscription should not wait ten minutes for its first record.
        known = subscription in (self._members.known(None) or ())
        return subscription in await self._under(MEMBERS_LAST if known and not fresh else MISS_LASTS)

    async def members(self) -> frozenset[str]:
        """All subscriptions of the estate; those under management groups are looked up unless that was just done."""
        under = await self._under(MISS_LASTS) if self._management_groups else frozenset()
        return (under | self._subscriptions) - self._excluded

    async def _under(self, lasts: float) -> frozenset[str]:
        ask = partial(subscriptions_under, self._session, self._management_groups)
        return await self._members.recall(None, ask, lambda: lasts)

    def may_come_to_include(self, subscription: str) -> bool:
        """Whether the index may yet show a subscription as ours that it does not show now."""
        return bool(self._management_groups) and fold(subscription) not in self._excluded

    async def tenancy(self, subscription: str, *, fresh: bool = False) -> Tenancy:
        """Whose a subscription is, compared with the first hub's: ours only where ARM shows it to us.

        Raises UnavailableError while ARM does not show us even the hub's own.
        """
        home = await self._tenant(self._hubs[0].zone_groups[0].subscription, fresh=False)
        if home is None or not home.is_shown:
            raise UnavailableError("ARM does not show the subscription of the first hub's zones")
        found = await self._tenant(subscription, fresh=fresh)
        if found is None:
            return Tenancy.UNKNOWN
        if found.id != home.id:
            return Tenancy.FOREIGN
        return Tenancy.OURS if found.is_shown else Tenancy.UNKNOWN

    async def hubs(self, *, at_least_once_more: bool = False, fresh: bool = False) -> tuple[HubZones, ...]:
        """Every hub with its zones; `at_least_once_more` after a zone was missing, unless that was just looked at.

        How full they are is only as new as the list: whoever wants to know lists them `fresh`.
        """

        def lasts() -> float:
            in_trouble = any(hub.trouble for hub in self._zones.known(None) or ())
            return 0.0 if fresh else MISS_LASTS if at_least_once_more or in_trouble else ZONES_LAST

        return await self._zones.recall(None, self._with_their_zones, lasts)

    async def _with_their_zones(self) -> tuple[HubZones, ...]:
        return tuple([await self._with_zones(hub) for hub in self._hubs])

    async def links(self, zone: ResourceId) -> tuple[Link, ...]:
        """The networks that a zone is linked to. Raises where ARM does not show them."""
        return await self._links.recall(zone, partial(list_links, self._session, zone), lambda: ZONES_LAST)

    def forget_zones(self) -> None:
        """A zone proved to be gone, made or linked: the next question lists them anew."""
        self._zones.forget()
        self._links.forget()

    async def _with_zones(self, hub: Hub) -> HubZones:
        """One hub's trouble is its own: the others go on."""
        found: dict[DnsName, Zone] = {}
        hidden: list[Zone] = []
        try:
            for resource_group in hub.zone_groups:
                for zone in await list_zones(self._session, resource_group):
                    if found.setdefault(zone.name, zone) is not zone:
                        hidden.append(zone)
        except HubwardenError as error:
            return HubZones(hub, {}, trouble=with_remedy(error, WRITER, resource_group, f"{hub.name}.zones in hubs"))
        return HubZones(hub, found, hidden=tuple(hidden))

    async def _tenant(self, subscription: str, *, fresh: bool) -> Tenant | None:
        key = fold(subscription)

        def lasts() -> float:
            # An answer that shows nothing is not worth keeping for an hour: a role may have just been granted.
            return 0.0 if fresh else TENANTS_LAST if self._tenants.known(key) else MISS_LASTS

        return await self._tenants.recall(key, partial(tenant_of, self._session, key), lasts)
