"""The demo's story: what a spoke team, the network's owners and their resolvers do and see, with stock clients only."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from itertools import groupby
from typing import Any

from rich.console import Console

from simulator.scene import Scene, StepError
from simulator.stage import (
    ACCOUNT,
    BILLING,
    BILLING_ACCOUNT,
    BLOB_ZONE,
    ELSEWHERE,
    HUB_NETWORK,
    REGISTRY,
    REGISTRY_ZONE,
    SHARED_ACCOUNT,
)

FOLLOW_UP_SECONDS = 120.0


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
            ("Two ask for one account: a rule answers one, a person the other", story.two_ask),
            ("An endpoint goes, and a neighbour's record stays", story.an_endpoint_goes),
            ("Somebody deletes a record of ours by hand", story.a_record_is_lost),
            ("Two endpoints, one name: it never stops resolving", story.a_contested_name),
            ("A sweep finds what no event told of", story.a_sweep),
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
        await scene.approve(BILLING_ACCOUNT, "pe-billing")
        self._done("its owner approves it with azure-mgmt-storage; Azure tells of the account, not of the endpoint")
        started = time.perf_counter()
        await self._until(lambda: scene.addresses(BLOB_ZONE, label), FOLLOW_UP_SECONDS)
        took = time.perf_counter() - started
        self._expect(await scene.addresses(BLOB_ZONE, label), ["10.20.0.7"], "its record follows")
        self._done(f"[bold]{took * 1000:.0f} ms[/] after the approval")

    async def two_ask(self) -> None:
        """The rule of hubwarden.yaml approves for the estate's own; whom no rule knows waits for a person."""
        scene, label = self._scene, "stcontososhared"
        await scene.create_endpoint("pe-shared", SHARED_ACCOUNT, "blob", manual=True, subscription=BILLING)
        self._done("spoke 'billing' asks for an account of 'orders' by a manual request, pe-shared")
        await self._until(lambda: scene.addresses(BLOB_ZONE, label), FOLLOW_UP_SECONDS)
        state = await self._state("pe-shared")
        self._hold(state.status == "Approved", f"the account shows it {state.status.value}: {state.description}")
        self._expect(await scene.addresses(BLOB_ZONE, label), ["10.30.0.4"], "its record followed by itself")
        stranger = await scene.create_endpoint(
            "pe-stranger", SHARED_ACCOUNT, "blob", manual=True, subscription=ELSEWHERE
        )
        await scene.hide(ELSEWHERE)
        self._done("so does another company, whose subscription we cannot read; the timer 'pending' looks")
        await scene.start("pending")
        await scene.settle()
        waiting = (await scene.app("GET", "connections", status="Pending"))["value"]
        held = [each["endpoint"] for each in waiting if each["verdict"] == "hold"] == [stranger]
        self._hold(held, "GET /api/connections?status=Pending shows pe-stranger, on hold")
        self._done(waiting[0]["reason"])
        self._expect((await self._state("pe-stranger")).status.value, "Pending", "the account shows it untouched")
        asked = {"connection": waiting[0]["connection"], "verdict": "approve", "reason": "ticket 4711"}
        async with scene.signed_in("ada", "Operator"):
            (decision,) = (await scene.app("POST", "connections/decide", asked))["decisions"]
        self._done("ada, who is signed in and has the role 'Operator', approves it: POST /api/connections/decide")
        state = await self._state("pe-stranger")
        self._hold(state.status == "Approved", f"the account shows it {state.status.value}: {state.description}")
        self._hold(decision["who"] not in ("", "policy"), f"who it was is kept, as an object id: {decision['who']}")

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

    async def a_contested_name(self) -> None:
        """The first to hold a name keeps it; when it goes, the other takes over, and the record is never away."""
        scene, name, label = self._scene, "stcontosoorders.blob.core.windows.net", "stcontosoorders"
        holder = scene.endpoint_id("pe-orders-blob")
        endpoint = await scene.create_endpoint("pe-orders-second", ACCOUNT, "blob")
        await scene.settle()
        held = (await scene.app("GET", "explain", endpoint=endpoint))["held"][0]
        why = held["detail"].replace(holder, "pe-orders-blob")
        self._hold(held["reason"] == "contested", f"pe-orders-second, to the same account, is {held['reason']}: {why}")
        written = len(await scene.writes(BLOB_ZONE, label))
        async with scene.asking(name) as answers:

            async def taken_over() -> bool:
                return answers[-1] != answers[0]

            await scene.delete_endpoint("pe-orders-blob")
            deleted = time.perf_counter()
            await self._until(taken_over, FOLLOW_UP_SECONDS)
            took = time.perf_counter() - deleted
        await scene.settle()
        self._done(f"pe-orders-blob is deleted; [bold]{took * 1000:.0f} ms[/] later the name leads to the other")
        heard = [answer for answer, _ in groupby(answers)]
        self._expect(heard, ["10.20.0.4", "10.20.0.5"], f"the resolver was asked {len(answers)} times meanwhile")
        writes = (await scene.writes(BLOB_ZONE, label))[written:]
        self._expect(writes, ["PUT"], "the requests that wrote to its record")

    async def a_sweep(self) -> None:
        """The whole estate is compared; only what differs is looked at again, and then written."""
        scene, restored, withdrawn = self._scene, "stcontosobilling", "stcontososhared"
        await scene.delete_by_hand(BLOB_ZONE, restored)
        self._expect(await scene.addresses(BLOB_ZONE, restored), None, f"{restored} is deleted by hand")
        await scene.lose_events(every=True)
        await scene.delete_endpoint("pe-shared", subscription=BILLING)
        await scene.settle()
        lost = await scene.lose_events(every=False)
        self._hold(
            any(subject.endswith("/pe-shared") for subject in lost), "pe-shared is deleted, and the event is lost"
        )
        self._expect(await scene.addresses(BLOB_ZONE, withdrawn), ["10.30.0.4"], f"so {withdrawn} still stands")
        began = time.perf_counter()
        report = await self._swept()
        took = time.perf_counter() - began
        self._done(f"POST /api/reconcile with {{}}: [bold]{took * 1000:.0f} ms[/] until GET /api/runs shows its end")
        for change in report["plan"]["changes"]:
            self._done(f"{change['op']} {change['name']}: {change['why']}")
        self._expect(await scene.addresses(BLOB_ZONE, restored), ["10.20.0.7"], f"{restored} is back")
        self._expect(await scene.addresses(BLOB_ZONE, withdrawn), None, f"{withdrawn} is withdrawn")
        again = (await self._swept())["plan"]
        self._hold(not again["changes"], f"a second sweep changes nothing: {again['unchanged']} records are right")

    async def _swept(self) -> Any:
        """The report of a sweep of the whole estate, asked for over HTTP."""
        scene = self._scene
        promised = await scene.app("POST", "reconcile", {})
        run = f"runs/{promised['run']}"

        async def is_over() -> bool:
            return bool((await scene.app("GET", run))["status"] != "running")

        await self._until(is_over, FOLLOW_UP_SECONDS)
        report = await scene.app("GET", run)
        if report["status"] != "done":
            raise StepError(f"the sweep is {report['status']}: {report.get('error') or report['outcomes']}")
        return report

    async def _state(self, endpoint: str) -> Any:
        """What the shared account shows of an endpoint's connection."""
        connection = (await self._scene.connections(SHARED_ACCOUNT))[endpoint]
        return connection.properties.private_link_service_connection_state

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
