"""The order in which each subscription of the estate is asked whether the app is told what happens in it.

ARM is asked, not Resource Graph: an index does not show what one may not read, nor say so, and does not show event
subscriptions at all. It costs some five GETs for each subscription: for a person who asks, or for once a day.
"""

from __future__ import annotations

import logging

from hubwarden.arm.event_subscriptions import permissions_at, registration_in, system_topics_of
from hubwarden.errors import DeniedError, HubwardenError
from hubwarden.model.coverage import (
    PROVIDER,
    Coverage,
    Finding,
    Measured,
    Ours,
    SubscriptionCoverage,
    judge,
    missing_rights,
)
from hubwarden.model.endpoint import Tenancy
from hubwarden.reconcile.at_once import some_at_once
from hubwarden.reconcile.reach import unpermitted
from hubwarden.reconcile.rooms import Rooms
from hubwarden.telemetry.measured import measure_coverage

_AT_ONCE = 10
_REGISTERED = "registered"

NOT_OURS = {
    Tenancy.FOREIGN: "it is in another tenant than the first hub's zones",
    Tenancy.UNKNOWN: "Azure does not show it to whoever asks",
}
"""What is said of a subscription that cannot be looked into."""

log = logging.getLogger(__name__)


async def coverage_of(rooms: Rooms, ours: Ours) -> Coverage:
    """Looks at every subscription of the estate, with the rights of whoever runs this; changes nothing.

    What cannot be asked about one subscription is told of that one. Raises UnavailableError where management groups
    do not show their subscriptions.
    """

    async def look(subscription: str) -> SubscriptionCoverage:
        return await _look(rooms, subscription, ours)

    return Coverage(tuple(await some_at_once(look, sorted(await rooms.estate.members()), _AT_ONCE)))


async def watch_coverage(rooms: Rooms, ours: Ours) -> Coverage:
    """The same, measured and kept, with a warning of each subscription that is not covered, and where none is shown at
    all; and, as nobody else asks for it unless there is something to write, of each right that hubs' zones lack.

    Raises LedgerUnavailableError where it could not be kept.
    """
    coverage = await coverage_of(rooms, ours)
    measure_coverage(coverage.counts)
    for lack in await unpermitted(rooms, await rooms.estate.hubs()):
        log.warning("coverage: %s", lack)
    for each in coverage.subscriptions:
        if each.finding is not Finding.COVERED:
            log.warning("coverage: subscription %s: %s: %s", each.subscription, each.finding, each.detail)
    if not coverage.subscriptions:
        log.warning("coverage: %s", coverage.summary)
    await rooms.findings.note(Measured.of(coverage, rooms.now()))
    return coverage


async def _look(rooms: Rooms, subscription: str, ours: Ours) -> SubscriptionCoverage:
    try:
        return await _asked(rooms, subscription, ours)
    except DeniedError as error:
        return SubscriptionCoverage(subscription, Finding.NO_RIGHTS, str(error))
    except HubwardenError as error:
        return SubscriptionCoverage(subscription, Finding.UNKNOWN, str(error))


async def _asked(rooms: Rooms, subscription: str, ours: Ours) -> SubscriptionCoverage:
    """One subscription; rights and registration come first, for without them it could show no topic."""
    tenancy = await rooms.estate.tenancy(subscription, fresh=True)
    if tenancy in NOT_OURS:
        return SubscriptionCoverage(subscription, Finding.NO_RIGHTS, NOT_OURS[tenancy])
    scope = f"/subscriptions/{subscription}"
    if missing := missing_rights(await permissions_at(rooms.arm, scope)):
        return SubscriptionCoverage(subscription, Finding.NO_RIGHTS, f"not permitted at {scope}: {', '.join(missing)}")
    state = await registration_in(rooms.arm, subscription)
    if state.lower() != _REGISTERED:
        detail = f"{PROVIDER} is {state or 'without a state'}"
        return SubscriptionCoverage(subscription, Finding.NOT_REGISTERED, detail)
    return judge(subscription, await system_topics_of(rooms.arm, subscription), ours, rooms.now())
