"""What would make an endpoint's zone group anew, or keeps it from being deleted: pure, from what Azure lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from hubwarden.model.governance import (
    AssignedDefinition,
    Assignment,
    Exemption,
    Lock,
    Policies,
    lies_within,
)
from hubwarden.model.resource_id import ResourceId, fold
from hubwarden.model.takeover import Obstacle, ObstacleReason

_DEPLOYING = ("deployifnotexists", "modify")
_LOCKING = ("cannotdelete", "readonly")
_MANAGEMENT_GROUPS = "/providers/microsoft.management/managementgroups/"


def recreators(endpoint: ResourceId, policies: Policies, now: float) -> tuple[Obstacle, ...]:
    """The policies that would make the zone group anew, and those of which that cannot be known; `now` in seconds.

    Which endpoints a policy's own rule picks (its `if`) is not judged: whoever wants to take over one service before
    the others exempts its endpoints, or has the policy's effect disabled.
    """
    moment = datetime.fromtimestamp(now, UTC)
    return tuple(
        obstacle
        for assignment in policies.assignments
        if _applies(assignment, endpoint)
        for definition in assignment.definitions
        if (obstacle := _obstacle(assignment, definition, endpoint, policies.exemptions, moment))
    )


def locked(places: Iterable[str], locks: Iterable[Lock]) -> tuple[Obstacle, ...]:
    """The management locks over these ids, or beneath one of them: what lies above a lock cannot be deleted."""
    known = list(places)
    return tuple(
        Obstacle(ObstacleReason.LOCKED, f"the lock {lock.id} ({lock.level}) must be taken away first")
        for lock in locks
        if fold(lock.level) in _LOCKING
        and any(lies_within(place, lock.scope) or lies_within(lock.scope, place) for place in known)
    )


def _applies(assignment: Assignment, endpoint: ResourceId) -> bool:
    """Whether it holds for the endpoint; what Azure lists from a management group does, for that one lies above."""
    here = _is_management_group(assignment.scope) or lies_within(endpoint.key, assignment.scope)
    return here and not any(lies_within(endpoint.key, scope) for scope in assignment.excluded)


def _obstacle(
    assignment: Assignment,
    definition: AssignedDefinition,
    endpoint: ResourceId,
    exemptions: Iterable[Exemption],
    now: datetime,
) -> Obstacle | None:
    if not definition.trouble and not definition.deploys_zone_groups:
        return None
    if definition.effect and definition.effect not in _DEPLOYING:
        return None
    matching = [each for each in exemptions if _is_about(each, assignment, definition, endpoint)]
    if any(each.expires is None and not each.conditional for each in matching):
        return None
    what = f"policy {definition.id} of assignment {assignment.id}"
    also = "".join(_but(assignment, matching, now))
    if definition.trouble:
        return Obstacle(ObstacleReason.UNKNOWN, f"whether {what} would make it anew: {definition.trouble}{also}")
    if not definition.effect:
        return Obstacle(ObstacleReason.UNKNOWN, f"whether {what} would make it anew: its effect is computed{also}")
    return Obstacle(ObstacleReason.POLICY, f"{what} would make it anew ({definition.effect}){also}")


def _is_about(
    exemption: Exemption, assignment: Assignment, definition: AssignedDefinition, endpoint: ResourceId
) -> bool:
    covers = _is_management_group(exemption.scope) or lies_within(endpoint.key, exemption.scope)
    same = fold(exemption.assignment) == fold(assignment.id)
    return covers and same and (not exemption.references or definition.reference in exemption.references)


def _but(assignment: Assignment, exemptions: Iterable[Exemption], now: datetime) -> Iterator[str]:
    """What nearly takes it out of the way, so that nobody wonders why it does not."""
    for scope in filter(_is_management_group, assignment.excluded):
        yield f"; it leaves out {scope}, and whether the endpoint lies there cannot be known"
    for each in exemptions:
        if each.conditional:
            yield f"; exemption {each.id} has conditions of its own, which are not judged"
        elif each.expires and each.expires > now:
            yield f"; exemption {each.id} ends on {each.expires:%Y-%m-%d}"
        else:
            yield f"; exemption {each.id} has ended"


def _is_management_group(scope: str) -> bool:
    return fold(scope).startswith(_MANAGEMENT_GROUPS)
