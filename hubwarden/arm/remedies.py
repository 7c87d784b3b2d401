"""What mends a refusal, in words for whoever runs Hubwarden: which role at which scope, which setting, which tenant."""

from __future__ import annotations

from hubwarden.arm.failures import ELSEWHERE
from hubwarden.errors import DeniedError, HubwardenError, NotFoundError

READER, WRITER, MAKER = "Hubwarden Estate Reader", "Hubwarden Record Writer", "Hubwarden Zone Maker"
"""The roles of infra/roles, by name; where they are deployed, the installation's name stands behind it in brackets."""


def assign(role: str, scope: object) -> str:
    """That a right is missing."""
    return f"assign the role '{role}' to the app's identity at {scope}"


def with_remedy(error: HubwardenError, role: str, scope: object, setting: str) -> str:
    """What Azure said of a scope that a setting names, and what there is to do about it.

    Azure answers alike of a subscription that does not exist, and of one of another tenant that it does not name.
    """
    match error:
        case DeniedError(code=code) if code == ELSEWHERE:
            remedy = f"an identity has no role in another tenant: take it out of {setting}, or run another app there"
        case DeniedError():
            remedy = assign(role, scope)
        case NotFoundError(proves_absence=True):
            remedy = f"make it, or correct {setting}"
        case NotFoundError():
            remedy = f"there is no such subscription in the identity's tenant: correct {setting}"
        case _:
            remedy = ""
    return f"{error} What to do: {remedy}." if remedy else str(error)
