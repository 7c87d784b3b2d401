"""The calls under /_sim: how tests, demos and rehearsals set the scene and look behind it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from simulator import connections, ids, snapshot
from simulator.faults import SERVICES, Faults
from simulator.inputs import fields, read_resources, read_subscription, read_target
from simulator.private_dns import ZONES, ensure_soa
from simulator.request_log import RequestLog
from simulator.wire import Reply, Request, Router
from simulator.world import Caller, World

PREFIX = "/_sim"
# Who changes the world from outside, as far as events tell.
PRINCIPAL = "simulator"
_SETTLE_STEP = 0.005
_SETTLE_TIMEOUT = 10

IdleCheck = Callable[[], Awaitable[list[str]]]


class Control:
    """The calls of the simulator's core; other rooms add theirs with `router.add`."""

    def __init__(self, world: World, faults: Faults, log: RequestLog, idle_checks: list[IdleCheck]) -> None:
        self._world = world
        self._faults = faults
        self._log = log
        self._idle_checks = idle_checks
        self.router = Router()
        for method, name, call in (
            ("POST", "subscriptions", self._post_subscription),
            ("POST", "resources", self._post_resources),
            ("DELETE", "resources", self._delete_resource),
            ("POST", "targets", self._post_target),
            ("GET", "requests", self._get_requests),
            ("DELETE", "requests", self._delete_requests),
            ("POST", "faults", self._post_fault),
            ("DELETE", "faults", self._delete_faults),
            ("POST", "settings", self._post_settings),
            ("GET", "settings", self._get_settings),
            ("POST", "clock", self._post_clock),
            ("POST", "settle", self._post_settle),
            ("GET", "snapshot", self._get_snapshot),
            ("POST", "snapshot", self._post_snapshot),
        ):
            self.router.add(method, f"{PREFIX}/{name}", call)

    async def answer(self, request: Request) -> Reply | None:
        """The answer, 400 with a reason if the body is wrong; None if there is no such call."""
        if (found := self.router.find(request)) is None:
            return None
        handler, request = found
        try:
            reply = handler(request)
            return reply if isinstance(reply, Reply) else await reply
        except ValueError as error:
            return Reply(400, {"error": str(error)})

    def _post_subscription(self, request: Request) -> Reply:
        read = read_subscription(request.body, self._world.subscriptions)
        self._world.subscriptions[read.id.lower()] = read
        return Reply(200, {"id": read.id})

    def _post_resources(self, request: Request) -> Reply:
        told = fields(request.body, "The body", {"resources": list, "emit": bool}, required=("resources",))
        documents = read_resources(told["resources"])
        for document in documents:
            subscription = ids.parse(document["id"]).subscription
            if subscription and subscription.lower() not in self._world.subscriptions:
                raise ValueError(
                    f"There is no subscription for {document['id']}: POST it to /_sim/subscriptions first."
                )
        for document in documents:
            self._world.put(document)
            if ids.parse(document["id"]).type.lower() == ZONES.lower():
                ensure_soa(self._world, document["id"])
        for document in documents:
            connections.show(self._world, document["id"])
        for document in documents if told.get("emit", True) else []:
            self._emit("write", document["id"])
        return Reply(200, {"stored": len(documents)})

    def _delete_resource(self, request: Request) -> Reply:
        document = self._world.document(request.query.get("id", ""))
        if document is None:
            return Reply(404, {"error": f"There is no resource with the id '{request.query.get('id', '')}'."})
        self._world.remove(document["id"])
        connections.hide(self._world, document["id"])
        self._emit("delete", document["id"])
        return Reply(200, {"removed": document["id"]})

    def _emit(self, verb: str, resource_id: str) -> None:
        self._world.announce(f"{ids.parse(resource_id).type}/{verb}", resource_id, Caller(PRINCIPAL))

    def _post_target(self, request: Request) -> Reply:
        target = read_target(request.body)
        self._world.targets[ids.key(target.id)] = target
        return Reply(200, {"id": target.id})

    def _get_requests(self, request: Request) -> Reply:
        service = request.query.get("service")
        if service not in (None, *SERVICES):
            raise ValueError(f"There is no service '{service}'. Allowed: {', '.join(SERVICES)}.")
        return Reply(200, self._log.entries(service))

    def _delete_requests(self, _request: Request) -> Reply:
        self._log.clear()
        return Reply(200, {})

    def _post_fault(self, request: Request) -> Reply:
        wanted = request.body if isinstance(request.body, list) else [request.body]
        for each in wanted:
            if not isinstance(each, Mapping):
                raise ValueError("A fault is a JSON object, or a list of them.")
            self._faults.add(each)
        return Reply(200, {"added": len(wanted)})

    def _delete_faults(self, _request: Request) -> Reply:
        return Reply(200, {"unspent": self._faults.clear()})

    def _post_settings(self, request: Request) -> Reply:
        if not isinstance(request.body, Mapping):
            raise ValueError("Settings are a JSON object.")
        self._world.settings = self._world.settings.changed(request.body)
        return Reply(200, self._world.settings.document())

    def _get_settings(self, _request: Request) -> Reply:
        return Reply(200, self._world.settings.document())

    def _post_clock(self, request: Request) -> Reply:
        told = fields(request.body, "The body", {"advance": object}, required=("advance",))
        self._world.clock.advance(_seconds("advance", told["advance"]))
        return Reply(200, {"now": self._world.clock.moment().isoformat()})

    async def _post_settle(self, request: Request) -> Reply:
        """Waits until nothing is left to do, twice in a row: what ends may have begun something else."""
        told = fields(request.body or {}, "The body", {"timeout": object})
        deadline, quiet = time.monotonic() + _seconds("timeout", told.get("timeout", _SETTLE_TIMEOUT)), 0
        while quiet < 2:
            left = [each for check in self._idle_checks for each in await check()]
            quiet = 0 if left else quiet + 1
            if left and time.monotonic() >= deadline:
                return Reply(408, {"error": "There is still something to do.", "left": left})
            await asyncio.sleep(_SETTLE_STEP if left else 0)
        return Reply(200, {"left": []})

    def _get_snapshot(self, _request: Request) -> Reply:
        if left := self._world.under_way():
            return Reply(409, {"error": "Half of an operation cannot be told in JSON: settle first.", "left": left})
        return Reply(200, snapshot.taken(self._world))

    def _post_snapshot(self, request: Request) -> Reply:
        snapshot.load(self._world, request.body)
        return Reply(200, {"resources": len(list(self._world.store))})


def _seconds(name: str, value: Any) -> float:
    if type(value) not in (int, float) or value < 0:
        raise ValueError(f"{name} is a number of seconds, not below 0.")
    return float(value)
