"""Many things, some at once: what is asked of Azure and of storage together must not flood them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import TypeVar

FEW = 5
"""As many as there are unless somebody has a reason for more."""

Given = TypeVar("Given")
Made = TypeVar("Made")

log = logging.getLogger(__name__)


async def some_at_once(do: Callable[[Given], Awaitable[Made]], given: Iterable[Given], most: int = FEW) -> list[Made]:
    """What `do` makes of each, in their order, at most so many at a time. Raises the first that it raises."""
    gate = asyncio.Semaphore(most)

    async def one(each: Given) -> Made:
        async with gate:
            return await do(each)

    return await asyncio.gather(*map(one, given))


async def some_within(
    seconds: float, do: Callable[[Given], Awaitable[Made]], given: Iterable[Given], otherwise: Made
) -> list[Made]:
    """The same, with `otherwise` for each that has not come to an end when so many seconds are over for all of them.

    So what somebody is silent about costs the others nothing: an Azure that hangs is waited for by no run.
    """
    until = asyncio.get_running_loop().time() + seconds

    async def one(each: Given) -> Made:
        try:
            async with asyncio.timeout_at(until):
                return await do(each)
        except TimeoutError:
            log.warning("no answer in time about %s", each)
            return otherwise

    return await some_at_once(one, given)


def in_batches(given: Sequence[Given], most: int) -> Iterator[tuple[Given, ...]]:
    """All of them in their order, at most so many together."""
    for start in range(0, len(given), most):
        yield tuple(given[start : start + most])
