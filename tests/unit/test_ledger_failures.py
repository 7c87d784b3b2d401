"""Azure Storage's failures become ours: each says what was being done, and what mends it."""

from __future__ import annotations

import pytest
from azure.core.exceptions import AzureError, ClientAuthenticationError, ServiceRequestError

from hubwarden.errors import LedgerUnavailableError
from hubwarden.ledger.failures import translated


@pytest.mark.parametrize(
    ("error", "told"),
    [
        pytest.param(
            ClientAuthenticationError("No credential worked.\nAttempted: az"),
            "listing the runs: no token for Azure Storage: No credential worked. (the app uses its managed identity; at"
            " a shell, sign in: az login)",
            id="nobody is signed in",
        ),
        pytest.param(
            ServiceRequestError("Cannot connect"),
            "listing the runs: Azure Storage does not answer: Cannot connect",
            id="nobody listens",
        ),
    ],
)
def test_without_a_token_it_says_how_to_sign_in_and_without_an_answer_that_there_was_none(
    error: AzureError, told: str
) -> None:
    with pytest.raises(LedgerUnavailableError) as raised, translated("listing the runs"):
        raise error
    assert str(raised.value) == told
