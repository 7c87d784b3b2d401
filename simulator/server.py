"""The simulator as one https server on loopback: takes requests in, finds the room that answers, and logs them."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Self
from urllib.parse import unquote

from aiohttp import web

from simulator import control, graph, identity, topics
from simulator.arm import (
    connections,
    dns,
    endpoints,
    event_grid,
    governance,
    managed_endpoints,
    networks,
    permissions,
    resources,
    targets,
)
from simulator.arm.envelope import refused
from simulator.arm.gateway import check_request
from simulator.authority import HOST, Authority
from simulator.clock import Clock
from simulator.control import Control, IdleCheck
from simulator.faults import Fault, Faults
from simulator.graph_index import GraphIndex
from simulator.host_process import HostProcess
from simulator.identity import Identity
from simulator.quotas import Admission, Quotas
from simulator.refusals import By, NotSimulatedError, Refusal
from simulator.request_log import Entry, RequestLog
from simulator.wire import Reply, Request, Router
from simulator.world import Caller, World

_MAX_BODY = 512 * 1024 * 1024  # a snapshot of a large estate is one body


class Simulator:
    """A local Azure."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.clock = Clock()
        self.world = World(self.clock)
        self.hosts: list[HostProcess] = []
        self.faults = Faults(self.hosts)
        self.log = RequestLog()
        self.identity = Identity(self.clock)
        self.topics = topics.Topics()
        self.quotas = Quotas(self.clock)
        self.idle_checks: list[IdleCheck] = [self._operations]
        self.control = Control(self.world, self.faults, self.log, self.idle_checks)
        self.control.router.add("POST", f"{control.PREFIX}/tokens", self.identity.sign_in)
        self.control.router.add("GET", f"{control.PREFIX}/topics", lambda _: Reply(200, self.topics.received))
        self.control.router.add("DELETE", f"{control.PREFIX}/topics", self._empty_topics)
        self.url = ""
        self._runner: web.AppRunner | None = None
        self._arm, self._graph = Router(), Router()
        for room in (
            dns,
            endpoints,
            connections,
            managed_endpoints,
            targets,
            networks,
            resources,
            governance,
            permissions,
            event_grid,
        ):
            room.add_routes(self._arm)
        graph.add_routes(self._graph, GraphIndex(self.world))

    async def start(self, port: int = 0) -> None:
        """Listens on that port of 127.0.0.1, or on a free one."""
        application = web.Application(client_max_size=_MAX_BODY)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, port, ssl_context=self.authority.server_context())
        await site.start()
        self.url = f"https://{HOST}:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stops listening, and forgets what was to be done later."""
        self.clock.stop()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def environment(self) -> dict[str, str]:
        """The variables by which the stock SDKs, and the app, find this Azure."""
        return {
            **self.authority.environment(),
            "ARM_ENDPOINT": self.url,
            "IDENTITY_ENDPOINT": f"{self.url}{identity.PATH}",
            "IDENTITY_HEADER": self.identity.header,
            "SIM_URL": self.url,
        }

    async def _operations(self) -> list[str]:
        return self.world.under_way()

    async def _handle(self, incoming: web.Request) -> web.StreamResponse:
        request = await _read(incoming, self.world)
        if request.path.lower().startswith(f"{control.PREFIX}/"):
            return _response(await self._control(request))
        service = _service(request)
        query = unquote(incoming.query_string)
        entry = self.log.begin(service, request.method, request.path, query, request.api_version)
        started = time.perf_counter()
        fault = self.faults.take(service, request.method, request.path)
        response = await self._strike(fault, "before", None)
        if response is None and not _drops(fault, "before"):
            reply = await self._serve(service, request, entry)
            response = await self._strike(fault, "after", _response(reply))
        entry.ms = round((time.perf_counter() - started) * 1000, 3)
        if response is None:
            _drop(incoming)
            return web.Response()
        entry.status = response.status
        return response

    async def _strike(self, fault: Fault | None, when: str, response: web.Response | None) -> web.Response | None:
        """What the fault makes of the response; None if the connection is to be dropped, or there was none."""
        if fault is None or fault.when != when:
            return response
        await self.clock.sleep(fault.delay_ms / 1000)
        # Dead before it can have an answer: the request was its last word.
        await asyncio.gather(*(asyncio.to_thread(self.hosts[number].kill) for number in fault.kill_hosts))
        answer = fault.answer()
        if fault.drops:
            return None
        return response if answer is None else _response(Reply(*answer))

    async def _control(self, request: Request) -> Reply:
        if request.body is _UNREADABLE:
            return Reply(400, {"error": "The body is not JSON."})
        return await self.control.answer(request) or _unknown(request, "")

    async def _serve(self, service: str, request: Request, entry: Entry) -> Reply:
        if service == "identity":
            entry.principal = request.query.get("client_id") or identity.SYSTEM
            return self.identity.answer(request)
        if service == "topic":
            return self._publish(request, entry)
        await self.clock.sleep(self.world.settings.latency_ms / 1000)
        correlation = request.headers.get("x-ms-correlation-request-id") or str(uuid.uuid4())
        admission = Admission()
        try:
            entry.principal = self.identity.principal(request.headers.get("Authorization"))
            request = replace(request, caller=Caller(entry.principal, correlation))
            entry.actions = request.actions
            admission = self.quotas.admit_query(request) if service == "graph" else self.quotas.admit(request)
            if admission.refusal is not None:
                raise admission.refusal
            reply = await self._dispatch(request, self._graph if service == "graph" else self._arm)
        except Refusal as refusal:
            reply = refused(refusal)
        except NotSimulatedError as error:
            reply = _unknown(request, f": {error}")
        quotas = admission.shown(by_gateway="x-ms-failure-cause" in reply.headers)
        headers = {"x-ms-request-id": str(uuid.uuid4()), "x-ms-correlation-request-id": correlation}
        return replace(reply, headers={**reply.headers, **quotas, **headers})

    def _publish(self, request: Request, entry: Entry) -> Reply:
        with suppress(Refusal):
            entry.principal = self.identity.principal(request.headers.get("Authorization"), identity.EVENT_GRID)
        try:
            return self.topics.answer(request, entry.principal)
        except NotSimulatedError as error:
            return _unknown(request, f": {error}")

    def _empty_topics(self, _request: Request) -> Reply:
        self.topics.received.clear()
        return Reply(200, {})

    async def _dispatch(self, request: Request, router: Router) -> Reply:
        check_request(request)
        if request.body is _UNREADABLE:
            message = "The request content was invalid and could not be deserialized."
            raise Refusal("InvalidRequestContent", message, by=By.GATEWAY)
        if found := router.find(request):
            handler, request = found
            reply = handler(request)
            return await reply if isinstance(reply, Awaitable) else reply
        stored = resources.get_stored(request) if request.method == "GET" else None
        return stored or _unknown(request, "")


_UNREADABLE = object()


async def _read(incoming: web.Request, world: World) -> Request:
    text = await incoming.read()
    try:
        body = json.loads(text) if text else None
    except ValueError:
        body = _UNREADABLE
    return Request(
        world=world,
        method=incoming.method,
        path=incoming.path,
        query={key.lower(): value for key, value in incoming.query.items()},
        headers=incoming.headers,
        base_url=f"https://{incoming.host}",
        body=body,
    )


def _service(request: Request) -> str:
    path = request.path.lower().rstrip("/")
    if path.startswith(topics.PREFIX):
        return "topic"
    return {identity.PATH: "identity", graph.PATH.lower(): "graph"}.get(path, "arm")


def _unknown(request: Request, reason: str) -> Reply:
    """Never a guess: a request that nobody has told the simulator about fails, and says so twice."""
    asked = f"{request.method} {request.path} (api-version {request.api_version or 'none'})"
    message = f"The simulator does not know {asked}{reason}."
    print(message, file=sys.stderr)
    return Reply(501, {"error": {"code": "NotSimulated", "message": message}})


def _drops(fault: Fault | None, when: str) -> bool:
    return fault is not None and fault.drops and fault.when == when


def _drop(incoming: web.Request) -> None:
    if incoming.transport is not None:
        incoming.transport.abort()


def _response(reply: Reply) -> web.Response:
    if reply.body is None:
        return web.Response(status=reply.status, headers=dict(reply.headers))
    text = json.dumps(reply.body)
    return web.Response(
        status=reply.status, headers=dict(reply.headers), text=text, content_type="application/json", charset="utf-8"
    )
