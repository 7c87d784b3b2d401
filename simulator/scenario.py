"""The demo's story: what a spoke team, the network's owners and their resolvers do and see, with stock clients only."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

from rich.console import Console

from simulator.scene import ACCOUNT, BILLING_ACCOUNT, BLOB_ZONE, HUB_NETWORK, REGISTRY, REGISTRY_ZONE, Scene

FOLLOW_UP_SECONDS = 40.0


class StepError(Exception):
    """A step did not hold; the message says what was expected and what was seen."""


Step = tuple[str, Callable[[], Awaitable[None]]]


async def play(console: Console) -> bool:
    """Sets the stage and plays every step."""
    async with AsyncExitStack() as stack:
        scene = await Scene.open(stack, os.environ)
        await scene.build()
        story = Story(scene, console)
        return await tell(
            console,
            ("An endpoint appears in a spoke, and its name works", story.an_endpoint_appears),
            ("An endpoint with several names", story.several_names),
            ("A connection that waits for its owner", story.a_pending_connection),
            ("An endpoint goes, and a neighbour's record stays", story.an_endpoint_goes),
            ("Somebody deletes a record of ours by hand", story.a_record_is_lost),
        )


async def tell(console: Console, *steps: Step) -> bool:
    """Tells each step as it happens; False as soon as one does not hold."""
    for number, (title, step) in enumerate(steps, 1):
        console.print(f"\n[bold]{number}. {title}[/]")
        try:
            await step()
        except StepError as error:
            console.print(f"   [red]✗ {error}[/]")
            return False
    console.print(f"\n[bold green]All {len(steps)} steps held.[/]")
    return True


class Story:
    """The steps; each says what it does and what it sees."""

    def __init__(self, scene: Scene, console: Console) -> None:
        self._scene = scene
        self._console = console

    async def an_endpoint_appears(self) -> None:
        """The main job, watched by a client that asks the hub's resolver every few milliseconds."""
        scene, name = self._scene, "stcontosoorders.blob.core.windows.net"
        self._done("the account has an endpoint in another company's network already, so its name leads to privatelink")
        self._expect(await scene.ask(name), "203.0.113.10", f"{name}, zone not linked: the public answer")
        await scene.link(BLOB_ZONE, HUB_NETWORK)
        self._expect(await scene.ask(name), "NXDOMAIN", "zone linked to the hub, record missing")
        watch = asyncio.create_task(scene.watch(name, "10.20.0.4"))
        await scene.create_endpoint("pe-orders-blob", ACCOUNT, "blob")
        succeeded = time.perf_counter()
        self._done("spoke 'orders' creates pe-orders-blob with azure-mgmt-network")
        seen = await watch
        self._expect(seen.answer, "10.20.0.4", "the resolver now answers with the private address")
        record = await scene.record(BLOB_ZONE, "stcontosoorders")
        marks = {key: value for key, value in (record.metadata or {}).items() if key.startswith("hubwarden")}
        self._hold(marks.get("hubwarden_instance") == "contoso", f"our mark is on the record: {', '.join(marks)}")
        took, window = seen.resolvable - seen.delivered, max(0.0, seen.resolvable - succeeded)
        self._done(f"[bold]{took * 1000:.0f} ms[/] from the event's delivery to the first right answer")
        self._done(f"[bold]{window * 1000:.0f} ms[/] of NXDOMAIN after Azure called the endpoint ready")

    async def several_names(self) -> None:
        """A registry with a data endpoint in its region has two names, at two addresses."""
        scene = self._scene
        await scene.create_endpoint("pe-registry", REGISTRY, "registry")
        await scene.settle()
        for label, address in (("acrcontoso.westeurope.data", "10.20.0.5"), ("acrcontoso", "10.20.0.6")):
            self._expect(await scene.addresses(REGISTRY_ZONE, label), [address], f"{label} in {REGISTRY_ZONE}")

    async def a_pending_connection(self) -> None:
        """A manual request publishes nothing until the target's owner has approved it."""
        scene, label = self._scene, "stcontosobilling"
        endpoint = await scene.create_endpoint("pe-billing", BILLING_ACCOUNT, "blob", manual=True)
        await scene.settle()
        self._expect(await scene.addresses(BLOB_ZONE, label), None, "a manual request is Pending: no record")
        held = (await scene.app("GET", "explain", endpoint=endpoint))["held"][0]
        why = held["detail"].replace(BILLING_ACCOUNT, label)
        self._hold(held["reason"] == "not_approved", f"GET /api/explain says {held['reason']}: {why}")
        await scene.approve("stcontosobilling")
        self._done("its owner approves it with azure-mgmt-storage; Azure tells the spoke nothing")
        started = time.perf_counter()
        await self._until(lambda: scene.addresses(BLOB_ZONE, label), FOLLOW_UP_SECONDS)
        self._expect(
            await scene.addresses(BLOB_ZONE, label), ["10.20.0.7"], "the follow-up found it, and wrote the record"
        )
        self._done(f"{time.perf_counter() - started:.0f} s after the approval, by the work queue")

    async def an_endpoint_goes(self) -> None:
        """Only what bears our mark is withdrawn."""
        scene = self._scene
        await scene.write_by_hand(REGISTRY_ZONE, "handmade", "10.20.9.9")
        self._done("somebody has made a record 'handmade' in the same zone")
        await scene.delete_endpoint("pe-registry")
        await scene.settle()
        for label in ("acrcontoso.westeurope.data", "acrcontoso"):
            self._expect(await scene.addresses(REGISTRY_ZONE, label), None, f"pe-registry is deleted, {label} is gone")
        self._expect(await scene.addresses(REGISTRY_ZONE, "handmade"), ["10.20.9.9"], "handmade is untouched")

    async def a_record_is_lost(self) -> None:
        """The API shows the plan and then applies it."""
        scene, label = self._scene, "stcontosoorders"
        endpoint = scene.endpoint_id("pe-orders-blob")
        await scene.delete_by_hand(BLOB_ZONE, label)
        self._expect(await scene.addresses(BLOB_ZONE, label), None, f"{label} is deleted by hand")
        planned = await scene.app("POST", "reconcile", {"endpoint": endpoint, "apply": False})
        (change,) = planned["plan"]["changes"]
        self._hold(change["op"] == "put", f'POST /api/reconcile with "apply": false plans: {change["op"]} {label}')
        self._expect(await scene.addresses(BLOB_ZONE, label), None, "and changes nothing")
        done = await scene.app("POST", "reconcile", {"endpoint": endpoint})
        self._hold(done["plan"]["hash"] == planned["plan"]["hash"], f"applied: the same plan, {done['plan']['hash']}")
        self._expect(await scene.addresses(BLOB_ZONE, label), ["10.20.0.4"], "the record is back")

    def _done(self, text: str) -> None:
        self._console.print(f"   [dim]·[/] {text}")

    def _hold(self, so: bool, text: str) -> None:
        if not so:
            raise StepError(text)
        self._console.print(f"   [green]✓[/] {text}")

    def _expect(self, seen: Any, expected: Any, text: str) -> None:
        shown = ", ".join(seen) if isinstance(seen, list) else seen or "none"
        if seen != expected:
            raise StepError(f"{text}: expected {expected}, but saw {shown}")
        self._console.print(f"   [green]✓[/] {text} → [cyan]{shown}[/]")

    async def _until(self, condition: Callable[[], Awaitable[Any]], seconds: float) -> None:
        end = time.perf_counter() + seconds
        while not await condition():
            if time.perf_counter() > end:
                raise StepError(f"it did not happen within {seconds:.0f} s")
            await asyncio.sleep(0.1)
