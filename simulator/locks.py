"""What keeps a write from a resource: a management lock on it, or an operation that is still running beside it.

Behaviour reference section 6.1. That two operations on one private endpoint, zone or link exclude each other is not a
setting but a rule of those (private_link, private_dns).
"""

from __future__ import annotations

from simulator import ids
from simulator.documents import Document
from simulator.private_dns import ZONES
from simulator.refusals import By, Refusal
from simulator.world import Operation, World

LOCKS = "Microsoft.Authorization/locks"


def refuse_when_locked(world: World, scope: str, verb: str) -> None:
    """Raises Refusal if a management lock is in the way of that verb, `write` or `delete`, at that scope.

    Azure, a lock holds where it lies and below; what lies above a lock cannot be deleted, for the locked thing would go
    with it. CanNotDelete stops deletions only, ReadOnly writes too.
    """
    wanted = ids.key(scope)
    locked = [_scope_of(lock) for lock in world.store.of_type(LOCKS) if _stops(lock, wanted, verb)]
    if locked:
        shown = ",".join(f"'{each}'" for each in locked)
        raise Refusal(
            "ScopeLocked",
            f"The scope '{scope}' cannot perform {verb} operation because following scope(s) are locked: {shown}. "
            "Please remove the lock and try again.",
            by=By.GATEWAY,
        )


def refuse_beside_operation(world: World, scope: str) -> None:
    """Raises Refusal if a long operation runs on the resource, on its parent or on a child of it.

    Only with the setting `lockConflicts`; which of the answers Azure gives is not known beforehand. Private DNS has an
    answer of its own (behaviour reference section 3.2).
    """
    how = world.settings.lock_conflicts
    if how == "off" or f"/{ZONES}/".lower() in ids.key(scope):
        return
    related = [each for each in world.running() if _related(ids.key(scope), ids.key(each.resource_id))]
    if related and how == "409":
        raise another_operation(related[0])
    if related:
        raise _retryable(scope, related[0])


def another_operation(running: Operation) -> Refusal:
    """The 409 of the network service for a resource that is busy (behaviour reference section 6.1)."""
    subscription = ids.parse(running.resource_id).subscription
    return Refusal(
        "AnotherOperationInProgress",
        "Another operation on this or dependent resource is in progress. To retrieve status of the operation use "
        f"uri: https://management.azure.com/subscriptions/{subscription}/providers/Microsoft.Network/locations/"
        f"westeurope/operations/{running.id}?api-version=2025-05-01.",
    )


def _retryable(scope: str, running: Operation) -> Refusal:
    """The 429 of the network service: a lock, not a quota, and so without Retry-After."""
    kind = ids.parse(running.resource_id).type.rsplit("/", 1)[-1]
    operation = f"{'Delete' if running.operation.endswith('/delete') else 'Put'}{kind[0].upper()}{kind[1:]}Operation"
    detail = {
        "code": "RetryableErrorDueToAnotherOperation",
        "message": f"Operation {operation} ({running.id}) is updating resource {running.resource_id}. The call can be "
        "retried in 14 seconds.",
    }
    if ids.key(scope) != ids.key(running.resource_id):
        detail = {
            "code": "ReferencedResourceNotProvisioned",
            "message": f"Cannot proceed with operation because resource {running.resource_id} used by resource {scope} "
            "is not in Succeeded state. Resource is in Updating state and the last operation that updated/is updating "
            f"the resource is {operation}.",
        }
    return Refusal("RetryableError", "A retryable error occurred.", details=[detail])


def _scope_of(lock: Document) -> str:
    return ids.parse(lock["id"]).parent


def _stops(lock: Document, wanted: str, verb: str) -> bool:
    level, scope = str((lock.get("properties") or {}).get("level", "")), ids.key(_scope_of(lock))
    if verb != "delete":
        return level == "ReadOnly" and _lies_within(wanted, scope)
    return level in ("ReadOnly", "CanNotDelete") and (_lies_within(wanted, scope) or _lies_within(scope, wanted))


def _lies_within(scope: str, above: str) -> bool:
    return scope == above or scope.startswith(f"{above}/")


def _related(one: str, other: str) -> bool:
    return one == other or ids.key(ids.parse(one).parent) == other or ids.key(ids.parse(other).parent) == one
