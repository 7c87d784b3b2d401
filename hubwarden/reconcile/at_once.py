"""Many things, some at once: what is asked of Azure and of storage together must not flood them."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import TypeVar

FEW = 5
"""As many as there are unless somebody has a reason for more."""

Given = TypeVar("Given")
Made = TypeVar("Made")

log = logging.getLogger(__name__)


async def some_at_once(do: Callable[[Given], Awaitable[Made]], given: Iterable[Given], most: int = FEW) -> list[Made]:
    """What `do` makes of each, in their order, at most so many at a time.

    Raises what one of them raises, once all that had begun have ended; no other is begun then. So nothing goes on
    behind whoever asked, and is told of to nobody.
    """
    left = deque(enumerate(given))
    made: dict[int, Made] = {}

    async def go_on() -> None:
        try:
            while left:
                place, each = left.popleft()
                made[place] = await do(each)
        finally:
            left.clear()

    for failure in await asyncio.gather(*(go_on() for _ in range(min(most, len(left)))), return_exceptions=True):
        if failure is not None:
            raise failure
    return [made[place] for place in range(len(made))]


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
