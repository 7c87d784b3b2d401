"""How the simulated Azure says no: codes and messages, without a word about HTTP (see arm/envelope.py for that)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any


class By(Enum):
    """Who refuses; it decides how the refusal looks on the wire."""

    GATEWAY = "gateway"
    PRIVATE_DNS = "privateDns"
    PROVIDER = "provider"


class Refusal(Exception):  # noqa: N818 - it is an answer of the simulated service, not an error of the simulator
    """Azure's no: a code and a message."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        by: By = By.PROVIDER,
        details: Sequence[dict[str, Any]] = (),
        retry_after: int | None = None,
        authority: str = "",
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.by = by
        self.details = tuple(details)
        self.retry_after = retry_after  # seconds
        self.authority = authority  # who gives out the token that is wanted


class NotSimulatedError(Exception):
    """Nobody has told the simulator what Azure does here, and it does not guess."""
