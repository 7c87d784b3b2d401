"""What a newcomer sees first: the demo, played for real, and what it says when a step does not hold."""

from __future__ import annotations

import asyncio
import io
import json
import re
import sys
import urllib.request
from contextlib import suppress

import aiohttp
from rich.console import Console

from simulator.processes import Process
from simulator.scenario import tell
from simulator.scene import Scene, StepError
from tests.house.sources import ROOT


def test_the_demo_plays_every_step_stays_up_when_told_and_ends_well() -> None:
    lines: list[str] = []
    demo = Process(
        "demo", [sys.executable, "-m", "simulator.demo", "--keep"], directory=ROOT, variables={}, echo=lines.append
    )
    try:
        demo.wait_for(re.compile(r"^export APP_MASTER_KEY='.+'$"), 300)
        variables = dict(re.findall(r"^export (\w+)='(.*)'$", "".join(lines), re.MULTILINE))
        with urllib.request.urlopen(variables["APP_URL"] + "/api/health") as answer:  # noqa: S310 - on loopback
            assert json.load(answer) == {"ready": True}
    finally:
        code = demo.stop(90)
    played = "".join(lines)
    assert code == 0, played
    assert re.findall(r"^(\d)\. ", played, re.MULTILINE) == [str(number) for number in range(1, 9)]
    assert "✗" not in played
    assert re.search(r"\d+ ms from the event's delivery to the first right answer", played)
    assert re.search(r"\d+ ms of NXDOMAIN after Azure called the endpoint ready", played)
    assert "All 8 steps held." in played
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"^   [·✓] .+$", readme, re.MULTILINE)
    assert shown
    assert set(map(timeless, shown)) <= set(map(timeless, played.splitlines())), "put it into the README anew"


def timeless(line: str) -> str:
    """A line of the demo without what differs from one time to the next."""
    return re.sub(r"\d+ ms", "… ms", line)


async def test_a_step_that_does_not_hold_ends_it_badly() -> None:
    told = io.StringIO()

    async def holds() -> None:
        told.write("fine\n")

    async def breaks() -> None:
        raise StepError("expected 10.0.0.4, but saw NXDOMAIN")

    assert not await tell(Console(file=told), ("One", holds), ("Two", breaks), ("Three", holds))
    assert told.getvalue().count("fine") == 1
    assert "✗ expected 10.0.0.4, but saw NXDOMAIN" in told.getvalue()
    assert "held" not in told.getvalue()


async def test_who_asks_all_the_while_hears_every_answer_and_ends_when_told() -> None:
    """Also where a cancellation would get lost, as Python 3.11 loses one that comes when an answer does."""
    given: list[str] = []
    often = asyncio.Event()

    class Resolver(Scene):
        async def ask(self, name: str) -> str:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0)
            given.append(f"{name}-{len(given)}")
            if len(given) == 3:
                often.set()
            return given[-1]

    async with asyncio.timeout(60), aiohttp.ClientSession() as session:
        async with Resolver({}, session).asking("orders") as answers:
            await often.wait()
        assert asyncio.all_tasks() == {asyncio.current_task()}
    assert len(answers) >= 3
    assert answers == given
