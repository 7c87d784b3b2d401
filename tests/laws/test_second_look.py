"""Law 12 where one write fails beside one that meets a 412: the second look is not about it, and forgets nothing."""

from __future__ import annotations

from hubwarden.model.report import Status
from tests.estate import Estate
from tests.laws.conftest import note_by_hand, readdress
from tests.laws.test_doubt import of_two_names
from tests.laws.test_failure import fault


async def served(estate: Estate) -> str:
    """An endpoint with two records, of which somebody has noted something at the second."""
    endpoint = await of_two_names(estate)
    await estate.look(endpoint)
    assert await estate.addresses("st1") is not None
    await note_by_hand(estate, "st1-b")
    return endpoint


async def test_a_drop_that_failed_beside_one_that_raced_is_not_forgotten(estate: Estate) -> None:
    """The claim stays, or nobody would withdraw the record."""
    endpoint = await served(estate)
    await estate.delete_endpoint(endpoint)
    await estate.azure.sim("POST", "faults", fault("DELETE", "/A/st1$", status=409, code="Conflict"))
    assert (await estate.look(endpoint)).look_again
    assert await estate.addresses("st1") is not None
    again = await estate.look(endpoint)
    assert (again.status, again.look_again) == (Status.DONE, False)
    assert await estate.addresses("st1") is None
    assert await estate.addresses("st1-b") is None


async def test_a_put_that_failed_beside_one_that_raced_is_not_noted_as_served(estate: Estate) -> None:
    """Both records must follow their endpoint to other addresses (law 2)."""
    endpoint = await served(estate)
    await readdress(estate, endpoint, "10.1.0.100", "10.1.0.101")
    await estate.azure.sim("POST", "faults", fault("PUT", "/A/st1$", status=409, code="Conflict"))
    assert (await estate.look(endpoint)).look_again
    assert await estate.addresses("st1") != ["10.1.0.100"]
    again = await estate.look(endpoint)
    assert not again.look_again
    assert await estate.addresses("st1") == ["10.1.0.100"]
    assert await estate.addresses("st1-b") == ["10.1.0.101"]
