"""Management locks at a resource and above it, read by each scope once."""

from __future__ import annotations

from functools import partial

from hubwarden.arm.documents import AUTHORIZATION, Document, scope_of
from hubwarden.arm.failures import shaped, translated
from hubwarden.arm.memory import Memory
from hubwarden.arm.session import ArmSession
from hubwarden.model.governance import Lock
from hubwarden.model.resource_id import ResourceId

_API_VERSION = "2020-05-01"


class Locks:
    """The locks of as many resources as are asked for; what was read stays read."""

    def __init__(self, session: ArmSession) -> None:
        self._session = session
        self._known: Memory[ResourceId, tuple[Lock, ...]] = Memory()

    async def over(self, resource: ResourceId) -> tuple[Lock, ...]:
        """The locks at a resource, its group and its subscription, and what Azure lists beneath them.

        All three are asked: whether a list shows what lies above is documented both ways (Microsoft's REST reference of
        List At Resource Level, and azure-cli's help of `lock list`). Raises DeniedError, TemporaryError, InputError.
        """
        scopes = (resource, ResourceId(resource.subscription, resource.group), ResourceId(resource.subscription))
        found = {
            lock.id: lock for scope in scopes for lock in await self._known.recall(scope, partial(self._at, scope))
        }
        return tuple(found.values())

    async def _at(self, scope: ResourceId) -> tuple[Lock, ...]:
        with translated("listing the locks of", scope):
            documents = await self._session.list_all(f"{scope}/{AUTHORIZATION}/locks", _API_VERSION)
        return tuple(map(_to_lock, documents))


def _to_lock(document: Document) -> Lock:
    lock = str(document.get("id"))
    with shaped(f"the lock {lock[:200]}"):
        return Lock(lock, scope_of(lock), str((document.get("properties") or {}).get("level") or ""))
