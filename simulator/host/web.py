"""The host's HTTP surface: the app's routes, the Event Grid webhook, and the administration that needs the master key.

Status codes are those of functions-host sources: section 8.3 and 8.4 of the behaviour reference.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from simulator.host.routes import Routes
from simulator.host.sign_in import SignIn
from simulator.host.worker import Function, FunctionFailedError, Trace, follow
from simulator.worker_protocol import RpcHttp, TypedData

log = logging.getLogger(__name__)

# Who may subscribe by the CloudEvents handshake: Event Grid, in each cloud.
ORIGINS = ("eventgrid.azure.net", "eventgrid.azure.us", "eventgrid.azure.cn")

Invoke = Callable[[Function, TypedData, Mapping[str, TypedData], Trace], Awaitable[TypedData | None]]


@dataclass(frozen=True, slots=True)
class Keys:
    """The three keys of a function app that its callers use."""

    app: str
    system: str
    master: str


def given(request: web.Request, *keys: str) -> bool:
    """Whether the request carries one of these keys, as `code` or in the header `x-functions-key`."""
    found = request.query.get("code") or request.headers.get("x-functions-key") or ""
    return any(hmac.compare_digest(found.encode(), key.encode()) for key in keys)


class Web:
    """Makes invocations of requests, and answers of what they give."""

    def __init__(
        self,
        functions: Mapping[str, Function],
        routes: Routes,
        keys: Keys,
        sign_in: SignIn,
        invoke: Invoke,
        admin: Callable[[Function, object], None],
        status: Callable[[], Awaitable[Mapping[str, Any]]],
    ) -> None:
        self._functions = functions
        self._routes = routes
        self._keys = keys
        self._sign_in = sign_in
        self._invoke = invoke
        self._admin = admin
        self._status = status

    def application(self) -> web.Application:
        """The aiohttp application; every path goes through one door, for Azure's paths know no case."""
        application = web.Application(client_max_size=100 << 20)
        application.router.add_route("*", "/{path:.*}", self._answer)
        return application

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.rel_url.raw_path.rstrip("/")
        lowered = path.lower()
        if lowered == "/runtime/webhooks/eventgrid":
            return await self._event_grid(request)
        if lowered.startswith("/admin/"):
            return await self._administration(request, lowered)
        found = self._routes.match(request.method, path)
        if found is None:
            return web.Response(status=404)
        return await self._http(request, *found)

    async def _http(self, request: web.Request, function: Function, parameters: Mapping[str, str]) -> web.Response:
        level = str(function.trigger.get("authLevel") or "FUNCTION").upper()
        allowed = {"FUNCTION": (self._keys.app, self._keys.master), "ADMIN": (self._keys.master,)}
        if level != "ANONYMOUS" and not given(request, *allowed[level]):
            return web.Response(status=401)
        body = await request.read()
        message = RpcHttp(
            method=request.method,
            url=str(request.url),
            headers=await self._sign_in.replaced(request.headers),
            query=dict(request.query),
            params=parameters,
            body=TypedData(bytes=body) if body else TypedData(),
        )
        try:
            returned = await self._invoke(function, TypedData(http=message), {}, follow(request.headers))
        except FunctionFailedError:
            return web.Response(status=500)
        return _response(returned)

    async def _event_grid(self, request: web.Request) -> web.Response:
        if not given(request, self._keys.system, self._keys.master):
            return web.Response(status=401)
        name = request.query.get("functionName", "")
        function = self._functions.get(name.lower())
        if function is None or function.kind != "eventGridTrigger":
            return web.Response(status=404, text=f"cannot find function: '{name}'")
        if request.method == "OPTIONS":
            origin = request.headers.get("WebHook-Request-Origin", "")
            allowed = origin if origin in ORIGINS else ORIGINS[0]
            return web.Response(headers={"Webhook-Allowed-Origin": allowed})
        kind = request.headers.get("aeg-event-type", "").lower()
        if kind == "unsubscribe":
            return web.Response(status=202)
        if kind not in {"subscriptionvalidation", "notification"}:
            return web.Response(status=400)
        try:
            body = json.loads(await request.read())
        except ValueError:
            return web.Response(status=400, text="the body is not JSON")
        if kind == "subscriptionvalidation":
            return web.json_response({"validationResponse": _validation_code(body)})
        return await self._notify(function, body, request.headers)

    async def _notify(self, function: Function, body: object, headers: Mapping[str, str]) -> web.Response:
        events = body if isinstance(body, list) else [body]
        invocations = (
            self._invoke(function, TypedData(json=json.dumps(event)), _event_metadata(event), follow(headers))
            for event in events
        )
        failures = [
            failure
            for failure in await asyncio.gather(*invocations, return_exceptions=True)
            if isinstance(failure, BaseException)
        ]
        for failure in failures:
            if not isinstance(failure, FunctionFailedError):
                raise failure
        return web.Response(status=500, text=str(failures[0])) if failures else web.Response(status=202)

    async def _administration(self, request: web.Request, path: str) -> web.Response:
        if not given(request, self._keys.master):
            return web.Response(status=401)
        if path == "/admin/host/status" and request.method == "GET":
            return web.json_response(await self._status())
        function = self._functions.get(path.removeprefix("/admin/functions/"))
        if function is None or request.method != "POST":
            return web.Response(status=404)
        if function.kind == "httpTrigger":
            return web.Response(status=400, text=f"'{function.name}' is started through its route")
        try:
            body = json.loads(await request.read() or "{}")
        except ValueError:
            return web.Response(status=400, text="the body is not JSON")
        self._admin(function, body.get("input", "") if isinstance(body, dict) else "")
        return web.Response(status=202)


def _response(returned: TypedData | None) -> web.Response:
    if returned is None or returned.http is None:
        return web.Response(text=(returned.string or "") if returned else "", status=200 if returned else 204)
    http = returned.http
    return web.Response(status=int(http.status_code), headers=http.headers, body=http.body.bytes)


def _validation_code(body: Any) -> str:
    """An array of one event, or, from a CloudEvents subscription, one event whose data is JSON within JSON."""
    event = body[0] if isinstance(body, list) else body
    data = event["data"]
    code: str = (json.loads(data) if isinstance(data, str) else data)["validationCode"]
    return code


def _event_metadata(event: object) -> dict[str, TypedData]:
    return {"data": TypedData(json=json.dumps(event.get("data") if isinstance(event, dict) else None))}
