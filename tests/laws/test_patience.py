"""A door has a time to keep: what Azure asks to wait is read with care and never slept for long."""

from __future__ import annotations

import pytest

from hubwarden.errors import ThrottledError
from tests.estate import Estate, written


@pytest.mark.parametrize("wait", ["soon", "inf", "99999999999999", "300"])
async def test_a_long_or_odd_wait_is_not_slept(estate: Estate, wait: str) -> None:
    endpoint = await estate.azure.endpoint("pe1", await estate.azure.spoke())
    fault = {"service": "arm", "method": "GET", "path": "/privateEndpoints/pe1", "times": 1, "when": "before"}
    await estate.azure.sim("POST", "faults", {**fault, "status": 429, "code": "TooMany", "retryAfter": wait})
    with pytest.raises(ThrottledError):
        await estate.look(endpoint)
    assert written(await estate.look(endpoint)) == {"st1": ["10.1.0.4"]}
