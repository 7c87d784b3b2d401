"""What every ARM answer has in common: errors, paging, etags, long operations, ids (behaviour reference section 6)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from simulator import ids
from simulator.documents import Document
from simulator.private_dns import Insist
from simulator.refusals import By, NotSimulatedError, Refusal
from simulator.wire import Reply, Request
from simulator.world import Operation

DEFAULT_PAGE = 100

_STATUS = {
    "AuthenticationFailed": 401,
    "InvalidAuthenticationToken": 401,
    "InvalidAuthenticationTokenAudience": 401,
    "InvalidAuthenticationTokenTenant": 401,
    "AuthorizationFailed": 403,
    "LinkedAuthorizationFailed": 403,
    "NotFound": 404,
    "ParentResourceNotFound": 404,
    "PolicyDefinitionNotFound": 404,
    "PolicySetDefinitionNotFound": 404,
    "ResourceGroupNotFound": 404,
    "ResourceNotFound": 404,
    "SubscriptionNotFound": 404,
    "MethodNotAllowed": 405,
    "AnotherOperationInProgress": 409,
    "CannotDeleteResource": 409,
    "Conflict": 409,
    "ScopeLocked": 409,
    "PreconditionFailed": 412,
    "RateLimiting": 429,
    "RetryableError": 429,
    "SubscriptionRequestsThrottled": 429,
    "TenantRequestsThrottled": 429,
    "TooManyRequests": 429,
}


def refused(refusal: Refusal) -> Reply:
    """A refusal as its author words it: wrapped in `error`, but bare from private DNS; the gateway marks its own."""
    body: dict[str, Any] = {"code": refusal.code, "message": refusal.message}
    if refusal.details:
        body["details"] = list(refusal.details)
    status = _STATUS.get(refusal.code, 400)
    headers = {}
    if refusal.by is By.GATEWAY:
        headers["x-ms-failure-cause"] = "gateway"
    if status == 401:
        authority = f'authorization_uri="{refusal.authority}", ' if refusal.authority else ""
        told = f'{authority}error="invalid_token", error_description="{refusal.message}"'
        headers["WWW-Authenticate"] = f"Bearer {told}"
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(refusal.retry_after)
    return Reply(status, body if refusal.by is By.PRIVATE_DNS else {"error": body}, headers)


def insistence(request: Request) -> Insist:
    """If-Match and If-None-Match; an etag may come bare or quoted (behaviour reference section 3.4)."""
    match, none_match = request.headers.get("If-Match"), request.headers.get("If-None-Match")
    if none_match not in (None, "*"):
        raise NotSimulatedError(f"If-None-Match: {none_match}")
    etag = None if match in (None, "*") else match.strip('"')
    return Insist(etag=etag, exists=match == "*", absent=none_match == "*")


def properties_of(request: Request) -> Mapping[str, Any]:
    """The body of a write. Raises Refusal if it is not an object, or its properties are not."""
    body = request.body
    if not isinstance(body, Mapping) or not isinstance(body.get("properties"), Mapping | None):
        message = "The request content was invalid and could not be deserialized."
        raise Refusal("InvalidRequestContent", message, by=By.GATEWAY)
    return body


def page(request: Request, items: Sequence[Any], *, size: int = DEFAULT_PAGE) -> Reply:
    """One page of a list, and where the next one is: on the host that was asked (behaviour reference section 3.5)."""
    size = _whole_number(request.query.get("$top"), size)
    start = _offset(request.query.get("$skiptoken"))
    body: dict[str, Any] = {"value": list(items[start : start + size])}
    if start + size < len(items):
        token = base64.b64encode(str(start + size).encode()).decode()
        query = {key: value for key, value in request.query.items() if key != "$skiptoken"}
        # Azure spells escapes in lower case, which clients turn into upper case (behaviour reference section 2.5).
        escaped = quote(token, safe="").replace("%3D", "%3d")
        body["nextLink"] = f"{request.base_url}{quote(request.path)}?{urlencode(query, safe='$')}&$skiptoken={escaped}"
    return Reply(200, body)


def _whole_number(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not text.isdecimal() or int(text) < 1:
        raise Refusal("BadRequest", f"The value '{text}' of $top is not a positive whole number.")
    return int(text)


def _offset(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.b64decode(token, validate=True))
    except (binascii.Error, ValueError) as error:
        raise Refusal("BadRequest", f"The value '{token}' of $skiptoken is not one that was given out.") from error


def document(found: Document, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A resource, with its etag also as a header (behaviour reference section 3.2)."""
    etag = {"ETag": found["etag"]} if isinstance(found.get("etag"), str) else {}
    return Reply(status, found, {**etag, **(headers or {})})


def respelt(found: Document, request: Request) -> Document:
    """Azure, the network service spells ids as the request does (behaviour reference section 6.5)."""
    asked = request.path.rstrip("/")
    if found["id"] == asked or ids.key(found["id"]) != ids.key(asked):
        return found
    spelt: Document = _replaced(found, found["id"], asked)
    return spelt


def _replaced(value: Any, stored: str, asked: str) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(each, stored, asked) for key, each in value.items()}
    if isinstance(value, list):
        return [_replaced(each, stored, asked) for each in value]
    if isinstance(value, str) and (value == stored or value.startswith(f"{stored}/")):
        return asked + value[len(stored) :]
    return value


def network_operation(request: Request, operation: Operation) -> dict[str, str]:
    """Where a long operation of the network service can be followed (behaviour reference section 6.4)."""
    subscription = ids.parse(operation.resource_id).subscription
    base = f"{request.base_url}/subscriptions/{subscription}/providers/Microsoft.Network/locations/westeurope"
    version = f"api-version={request.api_version}"
    headers = {"Azure-AsyncOperation": f"{base}/operations/{operation.id}?{version}"}
    if request.method == "DELETE":
        headers["Location"] = f"{base}/operationResults/{operation.id}?{version}"
    return headers


def need_operation(request: Request, operation_id: str) -> Operation:
    """Raises Refusal if there is no such long operation."""
    operation = request.world.operations.get(operation_id)
    if operation is None:
        raise Refusal("NotFound", f"The operation '{operation_id}' was not found.")
    return operation


def operation_status(operation: Operation) -> dict[str, Any]:
    """The body of a status address (behaviour reference section 6.4)."""
    if operation.refusal is None:
        return {"status": operation.status}
    return {
        "status": operation.status,
        "error": {"code": operation.refusal.code, "message": operation.refusal.message, "details": []},
    }


def operation_result(request: Request, operation: Operation) -> Reply:
    """What a Location address answers: nothing yet, the resource, or that it is gone."""
    if operation.status == "InProgress":
        return Reply(202, {}, {"Location": f"{request.base_url}{request.path}?api-version={request.api_version}"})
    if operation.refusal is not None:
        return refused(operation.refusal)
    found = request.world.document(operation.resource_id)
    return Reply(204) if found is None else document(found)


def show_status(request: Request) -> Reply:
    """Answers a status address whose path names the `{operation}`."""
    return Reply(200, operation_status(need_operation(request, request.values["operation"])))


def show_result(request: Request) -> Reply:
    """Answers a Location address whose path names the `{operation}`."""
    return operation_result(request, need_operation(request, request.values["operation"]))
