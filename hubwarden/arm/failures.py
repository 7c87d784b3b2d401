"""Azure's exceptions become ours here, in one place, so that a type says whether trying again helps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.pipeline import PipelineContext, PipelineResponse
from azure.core.pipeline.policies import RetryPolicy

from hubwarden.errors import (
    DeniedError,
    HubwardenError,
    InputError,
    NotFoundError,
    RacedError,
    RefusedError,
    ThrottledError,
    UnavailableError,
)

ABSENT = frozenset({"ResourceNotFound", "ResourceGroupNotFound"})
"""The codes of a 404 that prove a resource's absence; every other one may be a right that we lack."""

RECORD_ABSENT = frozenset({"ResourceNotFound", "NotFound"})
"""The same for a record set, of which the private DNS provider speaks (which of the two is not verified)."""

NOWHERE = ABSENT | RECORD_ABSENT | {"ParentResourceNotFound"}
"""The codes of a 404 after which there is nothing to withdraw: the record, its zone or their group is not there."""

ELSEWHERE = "InvalidAuthenticationTokenTenant"
"""The code of a refusal of our token where it is another tenant's that is asked for."""

LOCKED, BY_POLICY = "ScopeLocked", "RequestDisallowedByPolicy"
"""The codes of a refusal by a management lock, and by an Azure Policy assignment."""

_LONGEST_MESSAGE = 800  # it names an action and a scope, and of that the last part tells most
_LONGEST_WAIT = 86400.0


@contextmanager
def translated(doing: str, which: object, *, absent: frozenset[str] = ABSENT) -> Iterator[None]:
    """Raises ours for what Azure raises inside; `doing` and `which` make the message: "reading /subscriptions/...".

    `absent` are the codes of a 404 that prove that what was asked for is not there.
    """
    try:
        yield
    except HttpResponseError as error:
        if error.status_code is None or error.status_code < 400:
            # None, or one that could not be read; or a long operation that was accepted, and ended with an error.
            what = f"Azure began, and failed: {error.error.code}" if error.error and error.error.code else "no answer"
            raise UnavailableError(f"{doing} {which}: {what}: {_first_line(error)}") from error
        raise _by_status(error, f"{doing} {which}", absent) from error
    except AzureError as error:
        raise UnavailableError(f"{doing} {which}: no answer: {_first_line(error)}") from error


@contextmanager
def shaped(what: str) -> Iterator[None]:
    """Raises InputError where a document has another shape than Azure documents: it holds back only itself (law 13)."""
    try:
        yield
    except (TypeError, AttributeError, KeyError, ValueError, OverflowError) as error:
        raise InputError(f"{what} cannot be read: {type(error).__name__}: {str(error)[:100]}") from error


def _by_status(error: HttpResponseError, doing: str, absent: frozenset[str]) -> HubwardenError:
    """The class by status and code: azure-core maps every 409 and 412 to classes that say something else."""
    code = (error.error.code if error.error else None) or ""
    text = f"{doing}: Azure answered {error.status_code} {code}: {_first_line(error)}"
    match error.status_code:
        case 404:
            return NotFoundError(text, proves_absence=code in absent)
        case 401 | 403:
            roles = "" if code in (BY_POLICY, ELSEWHERE) else " Check the roles of Hubwarden's identity."
            return DeniedError(f"{text}{roles}", code=code)
        case 412:
            return RacedError(text)
        case 429:
            return ThrottledError(text, retry_after=retry_after(error))
        case 409 if code != LOCKED:
            # AnotherOperationInProgress, Conflict: a lock that time releases. A management lock is a person's.
            return UnavailableError(text, retry_after=retry_after(error))
        case status if status is not None and (status == 408 or status >= 500):
            return UnavailableError(text, retry_after=retry_after(error))
        case _:
            details = (error.error.details if error.error else None) or ()
            return RefusedError(text, code=code, details=[str(detail.code) for detail in details])


def retry_after(error: HttpResponseError) -> float | None:
    """How many seconds the answer asks to wait, None where it does not say so in a way that can be read."""
    if error.response is None:
        return None
    return asked_wait(PipelineResponse(None, error.response, PipelineContext(None)))


def asked_wait(response: PipelineResponse[Any, Any]) -> float | None:
    """The seconds in whichever of Azure's three headers; at most a day, for a wait without end is none."""
    try:
        seconds = RetryPolicy().get_retry_after(response)
    except ValueError:
        return None
    return None if seconds is None else min(max(seconds, 0.0), _LONGEST_WAIT)


def _first_line(error: AzureError) -> str:
    message = error.error.message if isinstance(error, HttpResponseError) and error.error else None
    text = str(message or error.message or type(error).__name__).strip()
    return text.splitlines()[0][:_LONGEST_MESSAGE] if text else ""
