"""The clients of Azure's own SDKs, one pipeline for all of them, and the rules that every request keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from azure.core import AzureClouds
from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import (
    AsyncHTTPPolicy,
    AsyncRetryPolicy,
    ContentDecodePolicy,
    DistributedTracingPolicy,
    RequestIdPolicy,
    SansIOHTTPPolicy,
    UserAgentPolicy,
)
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.mgmt.core import AsyncARMPipelineClient
from azure.mgmt.core.policies import AsyncARMChallengeAuthenticationPolicy
from azure.mgmt.core.tools import get_arm_endpoints
from azure.mgmt.network.aio import NetworkManagementClient
from azure.mgmt.privatedns.aio import PrivateDnsManagementClient
from azure.mgmt.resourcegraph.aio import ResourceGraphClient

from hubwarden.arm.failures import asked_wait
from hubwarden.errors import RefusedError, UnavailableError
from hubwarden.telemetry.collecting import is_collected
from hubwarden.telemetry.measured import was_throttled

CLOUDS = {
    "public": AzureClouds.AZURE_PUBLIC_CLOUD,
    "usgov": AzureClouds.AZURE_US_GOVERNMENT,
    "china": AzureClouds.AZURE_CHINA_CLOUD,
}
"""What azure-core calls the clouds; it knows the ARM endpoint of each, and the audience of its tokens."""

_GRAPH = "/providers/microsoft.resourcegraph/"
_WAITS = ("Retry-After", "retry-after-ms", "x-ms-retry-after-ms")

LONGEST_WAIT = 5.0
"""Seconds; a longer Retry-After is not slept here but handed on, for a door has a time to keep."""

ONCE: dict[str, Any] = {"retry_total": 0}
"""For a request that must not be tried again without another look."""


class ArmHostOnly(SansIOHTTPPolicy[Any, Any]):
    """Refuses every URL that is not https on the ARM host, before a token goes out to it.

    Lists and long operations are followed by URLs that an answer names; an answer must not be able to send our token
    elsewhere.
    """

    def __init__(self, endpoint: str) -> None:
        self._endpoint = _origin(endpoint)

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Called for each try of each request."""
        try:
            is_arm = _origin(request.http_request.url) == self._endpoint
        except ValueError:  # a port beyond all ports, or a host that is none
            is_arm = False
        if not is_arm:
            raise RefusedError(
                f"an answer of Azure points to {request.http_request.url[:200]}, which is not its ARM host"
            )


class CountThrottled(SansIOHTTPPolicy[Any, Any]):
    """Counts the tries that Azure refused as too many."""

    def on_response(self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]) -> None:
        """Called for the answer to each try of each request."""
        if response.http_response.status_code == 429:
            was_throttled("graph" if _GRAPH in request.http_request.url.lower() else "arm")


class TraceRequests(AsyncHTTPPolicy[Any, Any]):
    """Has azure-core make a span of each try of each request, where anybody collects them.

    Its own setting would trace its clients' methods, too, and those spans quote what Azure says in errors. And in its
    own pipeline a span whose request is given up before the answer would never end, so that nobody would be told of a
    write that Azure may have done.
    """

    def __init__(self) -> None:
        super().__init__()
        self._policy: DistributedTracingPolicy[Any, Any] = DistributedTracingPolicy()

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Called for each try of each request. Raises what the try raises."""
        request.context.options["tracing_options"] = {"enabled": is_collected()}
        self._policy.on_request(request)
        try:
            response = await self.next.send(request)
        except BaseException:
            self._policy.on_exception(request)
            raise
        self._policy.on_response(request, response)
        return response


class PatientRetryPolicy(AsyncRetryPolicy[Any, Any]):
    """Azure-core's retries, except that a long Retry-After ends them: azure-core would sleep it without bound."""

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        """Whether to try again here."""
        if any(header in response.http_response.headers for header in _WAITS):
            wait = asked_wait(response)
            if wait is None or wait > LONGEST_WAIT:
                return False
        return bool(super().is_retry(settings, response))


class Tokens(AsyncTokenCredential):
    """A credential whose failures are ours: without a token nothing is proved and nothing refused, only put off."""

    def __init__(self, credential: AsyncTokenCredential) -> None:
        self._credential = credential

    async def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        """A token. Raises UnavailableError for whatever the identity endpoint says instead."""
        try:
            return await self._credential.get_token(*scopes, **kwargs)
        except AzureError as error:
            first, _, _ = str(error.message).strip().partition("\n")
            raise UnavailableError(
                f"no token for Azure: {first[:200]} (the app uses its managed identity; at a shell, sign in: az login)"
            ) from error

    async def close(self) -> None:
        """Nothing: whoever made the credential closes it."""

    async def __aexit__(self, *_: object) -> None:
        """Nothing, likewise."""


class ArmSession:
    """Clients for every subscription over one pipeline and one connection pool; close it at the end."""

    def __init__(
        self,
        credential: AsyncTokenCredential,
        *,
        cloud: str,
        endpoint: str = "",
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        known = get_arm_endpoints(CLOUDS[cloud])
        self.sleep = sleep
        self.endpoint = endpoint or known["resource_manager"].rstrip("/")
        self._credential = credential = Tokens(credential)
        self._scopes = known["credential_scopes"]
        self._transport = AioHttpTransport(connection_timeout=5, read_timeout=30)
        # Provider registration and redirects are left out on purpose: we hold no right to the one, and the other
        # would carry our token to wherever an answer says.
        self._policies = [
            RequestIdPolicy(),
            UserAgentPolicy("hubwarden"),
            ContentDecodePolicy(),
            PatientRetryPolicy(retry_total=3, retry_status=3, retry_backoff_factor=0.2),
            CountThrottled(),
            ArmHostOnly(self.endpoint),
            AsyncARMChallengeAuthenticationPolicy(credential, *self._scopes),
            TraceRequests(),
        ]
        self._network: dict[str, NetworkManagementClient] = {}
        self._dns: dict[str, PrivateDnsManagementClient] = {}
        self._plain: AsyncARMPipelineClient[Any, Any] = AsyncARMPipelineClient(
            base_url=self.endpoint, policies=self._policies, transport=self._transport
        )
        self.graph = ResourceGraphClient(self._credential, self.endpoint, **self._options)

    @property
    def _options(self) -> dict[str, Any]:
        return {"policies": self._policies, "transport": self._transport}

    def network(self, subscription: str) -> NetworkManagementClient:
        """The network client of a subscription."""
        key = subscription.lower()
        if key not in self._network:
            self._network[key] = NetworkManagementClient(self._credential, key, self.endpoint, **self._options)
        return self._network[key]

    def dns(self, subscription: str) -> PrivateDnsManagementClient:
        """The private DNS client of a subscription."""
        key = subscription.lower()
        if key not in self._dns:
            self._dns[key] = PrivateDnsManagementClient(self._credential, key, self.endpoint, **self._options)
        return self._dns[key]

    async def token(self) -> str:
        """The token that ARM is asked with. Raises UnavailableError where there is none."""
        return (await self._credential.get_token(*self._scopes)).token

    async def get(self, path: str, api_version: str) -> Mapping[str, Any]:
        """GETs a path for which there is no client of its own. Raises what azure-core raises."""
        return await self.follow(f"{self.endpoint}{quote(path)}?api-version={quote(api_version)}")

    async def list_all(self, path: str, api_version: str) -> list[Mapping[str, Any]]:
        """All items of a list for which there is no client of its own, page by page.

        Raises what azure-core raises, and UnavailableError where the pages are no list, or never end.
        """
        page = await self.get(path, api_version)
        items: list[Mapping[str, Any]] = []
        followed: set[str] = set()
        while True:
            shown = page.get("value") or []
            if not isinstance(shown, list):
                raise UnavailableError(f"{path} gave no list")
            items += shown
            link = str(page.get("nextLink") or "")
            if not link:
                return items
            if link in followed:
                raise UnavailableError(f"{path} gave a list whose pages go round in a circle")
            followed.add(link)
            page = await self.follow(link)

    async def follow(self, link: str) -> Mapping[str, Any]:
        """GETs what an answer names, such as the next page of a list.

        Raises what azure-core raises, and UnavailableError for a success that says nothing, or is no object.
        """
        response: AsyncHttpResponse = await self._plain.send_request(HttpRequest("GET", link))
        response.raise_for_status()
        try:
            body = response.json()
        except ValueError:
            body = None
        if not isinstance(body, Mapping):
            raise UnavailableError(f"{link[:200]} gave {response.status_code}, and no document")
        return body

    async def send(
        self, method: str, path: str, api_version: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> None:
        """Writes to a path for which there is no client of its own, once. Raises what azure-core raises.

        It is not tried again: after an answer that never came, what stands there must be read before it is changed.
        """
        url = f"{self.endpoint}{quote(path)}"
        request = HttpRequest(method, url, params={"api-version": api_version}, json=body, headers=dict(headers))
        response: AsyncHttpResponse = await self._plain.send_request(request, **ONCE)
        response.raise_for_status()

    async def close(self) -> None:
        """Ends all connections."""
        await self._transport.close()


def _origin(url: str) -> tuple[str, str | None, int]:
    parts = urlsplit(url)
    return (parts.scheme, parts.hostname, parts.port or 443)
