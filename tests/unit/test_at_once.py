"""Many things, some at once: in their order, so many at a time, and nothing goes on when one has failed."""

from __future__ import annotations

import asyncio

import pytest

from hubwarden.errors import UnavailableError
from hubwarden.reconcile.at_once import in_batches, some_at_once


async def test_what_is_made_is_in_the_order_of_what_was_given_whatever_ends_first() -> None:
    ended: list[int] = []

    async def made(number: int) -> str:
        for _ in range(10 - number):
            await asyncio.sleep(0)
        ended.append(number)
        return str(number)

    assert await some_at_once(made, range(4), 4) == ["0", "1", "2", "3"]
    assert ended == [3, 2, 1, 0]
    assert await some_at_once(made, []) == []


async def test_no_more_are_under_way_than_may_be() -> None:
    under_way, seen = 0, []

    async def made(_: int) -> None:
        nonlocal under_way
        under_way += 1
        seen.append(under_way)
        await asyncio.sleep(0)
        under_way -= 1

    await some_at_once(made, range(20), 3)
    assert len(seen) == 20
    assert max(seen) == 3


async def test_after_a_failure_what_had_begun_has_ended_and_nothing_else_is_begun() -> None:
    """Law 12: what is written is told of; a write that goes on behind a run that has failed would be told to nobody."""
    begun: list[int] = []
    ended: list[int] = []

    async def made(number: int) -> None:
        begun.append(number)
        await asyncio.sleep(0)
        if number == 1:
            raise UnavailableError("Azure does not answer")
        for _ in range(5):
            await asyncio.sleep(0)
        ended.append(number)

    with pytest.raises(UnavailableError):
        await some_at_once(made, range(9), 3)
    assert begun == [0, 1, 2]
    assert ended == [0, 2]


async def test_who_is_given_up_ends_all_of_it() -> None:
    begun: list[int] = []

    async def made(number: int) -> None:
        begun.append(number)
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await some_at_once(made, range(9), 3)
    assert len(begun) <= 3
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize(("given", "batches"), [((), []), ((1, 2, 3), [(1, 2), (3,)]), ((1, 2), [(1, 2)])])
def test_batches_hold_all_in_their_order(given: tuple[int, ...], batches: list[tuple[int, ...]]) -> None:
    assert list(in_batches(given, 2)) == batches
