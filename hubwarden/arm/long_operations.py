"""Long operations of ARM, followed to their end for as long as a run may wait, and no longer."""

from __future__ import annotations

from typing import Any

from azure.mgmt.core.polling.async_arm_polling import AsyncARMPolling

from hubwarden.arm.session import LONGEST_WAIT, ArmSession
from hubwarden.errors import UnavailableError

LASTS = 120.0
"""Seconds after which an operation that has not ended is left to the next try."""


class PatientPolling(AsyncARMPolling):
    """The SDK's polling on the session's clock: it never sleeps long at once, and it does not wait for ever.

    Raises UnavailableError where the operation has not ended in time: what came of it is seen at the next try. Every
    address that is asked goes through the session's pipeline, which refuses all but the ARM host.
    """

    def __init__(self, session: ArmSession) -> None:
        # Private DNS says no Retry-After, and each poll counts as a read (behaviour reference sections 3.2 and 6.3).
        super().__init__(timeout=LONGEST_WAIT)
        self._session = session
        self._waited = 0.0

    async def _sleep(self, delay: float) -> None:
        if self._waited >= LASTS:
            raise UnavailableError(f"the operation did not end within {LASTS:.0f} s; the next try goes on from there")
        wait = min(max(delay, 0.1), LONGEST_WAIT)
        self._waited += wait
        await self._session.sleep(wait)


def followed(session: ArmSession) -> dict[str, Any]:
    """The options of a `begin_` call that make it be followed so."""
    return {"polling": PatientPolling(session)}
