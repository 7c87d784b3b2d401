"""Everything that Hubwarden raises, in one tree; the type says whether trying again helps.

* HubwardenError
  x PermanentError            trying again changes nothing until a person acts
    + ConfigError             hubwarden.yaml or the environment: all faults together
    + InputError              what a caller sent is not what is asked for
    + DeniedError             Azure refused us: a right is missing
    + RefusedError            Azure refused the request itself
    + NewerFormatError        a newer Hubwarden wrote this; it is left alone
    + PlanChangedError        the plan that a person named is not the plan now
    + PlanOnlyError           the settings allow nothing but plans
    + NotDecidedError         what a person decided cannot be: of what Azure shows, or of who asks
  x TemporaryError            the same thing may work later; `retry_after` says when, if Azure said it
    + ThrottledError          Azure asks for patience
    + UnavailableError        no answer, or an answer that means "not now"
    + LedgerUnavailableError  Azure Storage does not answer: nothing may be written
    + RacedError              somebody else was faster; look again
  x NotFoundError             Azure says that it is not there, and who says so

Azure's own exceptions end at the doors of `arm` and `ledger`; nothing else in the house sees them.
"""

from __future__ import annotations

from collections.abc import Sequence


class HubwardenError(Exception):
    """The root of the tree."""


class PermanentError(HubwardenError):
    """Trying again changes nothing until a person acts."""


class TemporaryError(HubwardenError):
    """The same thing may work later.

    `retry_after` is in seconds, and None where nobody said how long.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ConfigError(PermanentError):
    """The settings cannot be used; `faults` has every reason, each with its place and what is allowed."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("the settings cannot be used:\n" + "\n".join(f"  {fault}" for fault in faults))
        self.faults = tuple(faults)


class InputError(PermanentError):
    """What a caller sent is not what is asked for; the message says what is."""


class DeniedError(PermanentError):
    """Azure refused us for want of a right; `code` is Azure's error code."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class RefusedError(PermanentError):
    """Azure refused the request itself; `code` is Azure's error code, `details` are the codes it gives beside it."""

    def __init__(self, message: str, *, code: str = "", details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.details = tuple(details)


class NewerFormatError(PermanentError):
    """Written by a newer Hubwarden, in a format that this one does not know."""


class PlanChangedError(PermanentError):
    """The plan that a person named by its hash is not the plan now; nothing was applied."""


class PlanOnlyError(PermanentError):
    """The settings say `mode: plan`: nothing is changed, whoever asks."""


class NotDecidedError(PermanentError):
    """A person's decision is not carried out, because of what Azure shows now or of who asks; nothing was written."""


class ThrottledError(TemporaryError):
    """Azure asks for patience (429)."""


class UnavailableError(TemporaryError):
    """Azure Resource Manager or the identity endpoint gives no answer, or one that means "not now"."""


class LedgerUnavailableError(TemporaryError):
    """Azure Storage does not answer; without the ledger nothing is written."""


class RacedError(TemporaryError):
    """A condition that we insisted on no longer holds: somebody else was faster."""


class NotFoundError(HubwardenError):
    """Azure says that it is not there.

    `proves_absence` is True only for answers that leave no doubt; others may hide a missing right (law 5).
    """

    def __init__(self, message: str, *, proves_absence: bool) -> None:
        super().__init__(message)
        self.proves_absence = proves_absence


def trouble(error: OSError | UnicodeDecodeError) -> str:
    """What is wrong with a file, in the system's words where it has some; its name is in the message already."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return f"it is not text in UTF-8, as byte {error.start + 1} shows"
