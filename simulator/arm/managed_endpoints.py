"""Managed private endpoints on the wire: listed at the four kinds of resource that show them through ARM, and made.

Sources: azure-rest-api-specs, Managed Private Endpoints and Managed Virtual Networks - List By Factory, Managed Private
Endpoints - List of Grafana, Shared Private Link Resources - List By Service; REST reference, AFD Origin Groups - List
By Profile and AFD Origins - List By Origin Group.
"""

from __future__ import annotations

from simulator import managed_endpoints
from simulator.arm.envelope import document, page, properties_of
from simulator.wire import Reply, Request, Router

_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/providers"
_LISTED_FIRST = (
    "Microsoft.Cdn/profiles/{resource}/originGroups",
    "Microsoft.DataFactory/factories/{resource}/managedVirtualNetworks",
)
_LISTED = (
    "Microsoft.Cdn/profiles/{resource}/originGroups/{part}/origins",
    "Microsoft.Dashboard/grafana/{resource}/managedPrivateEndpoints",
    "Microsoft.DataFactory/factories/{resource}/managedVirtualNetworks/{part}/managedPrivateEndpoints",
    "Microsoft.Search/searchServices/{resource}/sharedPrivateLinkResources",
)


def add_routes(router: Router) -> None:
    """Makes the lists answer, and the PUT by which an owner has an endpoint made."""
    for path in (*_LISTED_FIRST, *_LISTED):
        router.add("GET", f"{_GROUP}/{path}", _list)
    for path in _LISTED:
        router.add("PUT", f"{_GROUP}/{path}/{{endpoint}}", _put)


def _list(request: Request) -> Reply:
    above, kind = request.path.rsplit("/", 1)
    scope = request.world.need(above)
    found = [
        managed_endpoints.shown(request.world, each)
        for each in request.world.store.below(scope["id"])
        if each["id"].split("/")[-2].lower() == kind.lower()
    ]
    return page(request, found)


def _put(request: Request) -> Reply:
    # Azure, 200 of Data Factory; the others take their time, which is not simulated.
    body = properties_of(request)
    return document(managed_endpoints.write(request.world, request.caller, request.path, body))
