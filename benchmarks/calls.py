"""Counts the calls to Azure that an event costs: calls are what Azure throttles, and what grows with an estate."""

from __future__ import annotations

from collections import Counter

from benchmarks.stage import Stage
from benchmarks.table import Row, Section

NAMES = (1, 2, 5)
HOW = (
    "Real events through the real function app, each delivered once; Hubwarden's own requests to ARM, told by their "
    "principal, counted in the local Azure's log (`GET /_sim/requests`)."
)


async def measure(stage: Stage) -> Section:
    """The first event of an instance is counted by itself; all others find it warm."""
    rows = [Row("first event of a fresh instance: new endpoint, 1 name", await _created(stage, "first", 1))]
    for names in NAMES:
        registry = f"calls{names}"
        rows += [
            Row(f"new endpoint, {_named(names)}", await _created(stage, registry, names), f"1 + k = {1 + names}"),
            Row(f"repeated event, {_named(names)}", await _touched(stage, registry), "1"),
            Row(
                f"deleted endpoint, {_named(names)}",
                await _deleted(stage, registry),
                f"1 + k = {1 + names}, + 1 look at the subscription",
            ),
        ]
    await stage.configure(expandNics="ids")
    counted = await _created(stage, "lacking", 2)
    rows.append(Row("new endpoint, 2 names, which the expansion lacks", counted, "1 + k + 1 = 4"))
    await stage.configure(expandNics="full")
    return Section("Calls to ARM for one event", HOW, rows)


def _named(names: int) -> str:
    return "1 name" if names == 1 else f"{names} names"


async def _created(stage: Stage, name: str, names: int) -> str:
    target = await stage.registry(name, names)
    await stage.forget()
    await stage.create(f"pe-{name}", target)
    return await _counted(stage)


async def _touched(stage: Stage, name: str) -> str:
    await stage.forget()
    await stage.touch(f"pe-{name}")
    return await _counted(stage)


async def _deleted(stage: Stage, name: str) -> str:
    await stage.forget()
    await stage.delete(f"pe-{name}")
    return await _counted(stage)


async def _counted(stage: Stage) -> str:
    await stage.settle()
    assert await stage.deliveries() == 1
    return await counted(stage)


async def counted(stage: Stage) -> str:
    """Hubwarden's calls since the last `forget`: how many of which kind."""
    calls, questions = Counter(await stage.calls("arm")), await stage.calls("graph")
    kinds = ", ".join(f"{count} {method}" for method, count in sorted(calls.items()))
    return f"{calls.total()} ({kinds})" + (f", and {len(questions)} of Resource Graph" if questions else "")
