"""Azure Storage's exceptions become ours here: the ledger is there, or it is not, or somebody else was faster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from hubwarden.errors import LedgerUnavailableError, RacedError

_ROLES = (
    " What to do: assign the roles 'Storage Table Data Contributor' and 'Storage Queue Data Contributor' to the app's"
    " identity (at a shell: to yourself) at the storage account of HUBWARDEN_STORAGE; if it has them, look at the"
    " account's network rules, and at the key where one is used."
)
_SIGN_IN = " (the app uses its managed identity; at a shell, sign in: az login)"


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raises RacedError where a condition did not hold, LedgerUnavailableError for everything else."""
    try:
        yield
    except HttpResponseError as error:
        if isinstance(error, ClientAuthenticationError) and error.response is None:  # there was no token to ask with
            raise LedgerUnavailableError(f"{doing}: no token for Azure Storage: {_brief(error)}{_SIGN_IN}") from error
        if error.status_code in (404, 409, 412):
            raise RacedError(f"{doing}: changed by somebody else meanwhile") from error
        mend = _ROLES if error.status_code in (401, 403) else ""
        told = f"{doing}: Azure Storage answered {error.status_code}: {_brief(error)}{mend}"
        raise LedgerUnavailableError(told) from error
    except AzureError as error:
        raise LedgerUnavailableError(f"{doing}: Azure Storage does not answer: {_brief(error)}") from error


def _brief(error: AzureError) -> str:
    return (error.message or type(error).__name__).splitlines()[0][:200]
