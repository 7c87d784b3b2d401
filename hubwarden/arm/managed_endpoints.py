"""Managed private endpoints, as the resources show them through ARM that have them made in networks of Microsoft's.

Sources: the examples of azure-rest-api-specs, Managed Private Endpoints - List By Factory (Microsoft.DataFactory,
2018-06-01) and List (Microsoft.Dashboard, 2023-09-01), Shared Private Link Resources - List By Service
(Microsoft.Search, 2020-08-01); Microsoft's REST reference of AFD Origins - List By Origin Group (Microsoft.Cdn). That a
resource shows Pending only once the connection stands at the target is unverified, and so is whether an origin shows it
at all. Synapse lists its managed endpoints at the workspace's own address only, with a token of another audience
(REST reference, Synapse data plane): that is not asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from hubwarden.arm.connections.documents import groups_of
from hubwarden.arm.documents import Document, mapping, to_status
from hubwarden.arm.failures import shaped, translated
from hubwarden.arm.graph import rows_of
from hubwarden.arm.session import ArmSession
from hubwarden.errors import InputError
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.managed import ManagedEndpoint, Standing
from hubwarden.model.resource_id import ResourceId, fold

# Of Front Door's and CDN's profiles only Premium ones lead to private origins (Microsoft's page on Private Link in
# Azure Front Door Premium).
_OF_TYPES = (
    "resources | where type in~ ({types})"
    " | where type !~ 'microsoft.cdn/profiles' or tostring(sku.name) =~ 'Premium_AzureFrontDoor'"
    " | project id | order by id asc"
)


@dataclass(frozen=True, slots=True)
class _Route:
    """Where a type's managed endpoints are listed: beneath it, or beneath each of what is listed there first."""

    api_version: str
    path: tuple[str, ...]


_ROUTES = {
    "microsoft.cdn/profiles": _Route("2024-02-01", ("originGroups", "origins")),
    "microsoft.dashboard/grafana": _Route("2023-09-01", ("managedPrivateEndpoints",)),
    "microsoft.datafactory/factories": _Route("2018-06-01", ("managedVirtualNetworks", "managedPrivateEndpoints")),
    "microsoft.search/searchservices": _Route("2023-11-01", ("sharedPrivateLinkResources",)),
}

MANAGERS = tuple(_ROUTES)
"""The types whose managed endpoints ARM shows."""


async def managers_in_index(
    session: ArmSession, subscriptions: Collection[str], types: Iterable[str]
) -> tuple[ResourceId, ...]:
    """The resources of these types in the subscriptions, as Resource Graph shows them.

    Raises UnavailableError when the answer is not whole.
    """
    listed = sorted(types)
    query = _OF_TYPES.format(types=", ".join(f"'{each}'" for each in listed))
    rows = await rows_of(session, query, subscriptions=subscriptions, about=", ".join(listed))
    return tuple(ResourceId.parse(row["id"]) for row in rows)


async def managed_endpoints_of(session: ArmSession, manager: ResourceId) -> tuple[ManagedEndpoint, ...]:
    """All managed endpoints that a resource shows now: one list, or one and another for each item of the first.

    Raises InputError for a type that shows none through ARM and for what cannot be read, NotFoundError, DeniedError,
    TemporaryError: whoever asks must then not believe that there are none.
    """
    route = _ROUTES.get(fold(manager.type))
    if route is None:
        raise InputError(f"{manager.type} does not show its managed endpoints through ARM")
    scopes = [manager]
    for kind in route.path[:-1]:
        scopes = [_beneath(scope, each) for scope in scopes for each in await _list(session, scope, kind, route)]
    documents = [each for scope in scopes for each in await _list(session, scope, route.path[-1], route)]
    return _each_once(manager, documents)


async def _list(session: ArmSession, scope: ResourceId, kind: str, route: _Route) -> list[Document]:
    with translated(f"listing {kind} of", scope):
        return list(await session.list_all(f"{scope}/{kind}", route.api_version))


def _beneath(scope: ResourceId, document: Document) -> ResourceId:
    with shaped(f"what {scope} lists"):
        found = ResourceId.parse(document["id"])
    if found.parent != scope:
        raise InputError(f"{scope} lists {found}, which is not its own")
    return found


def _each_once(manager: ResourceId, documents: Iterable[Document]) -> tuple[ManagedEndpoint, ...]:
    """A profile has one endpoint for all origins of one target, group and place (the same page on Front Door)."""
    found: dict[object, ManagedEndpoint] = {}
    for document in map(mapping, documents):
        properties = mapping(document.get("properties"))
        origin = mapping(properties.get("sharedPrivateLinkResource"))
        if not origin and "hostName" in properties:
            continue  # an origin that is reached over the Internet
        with shaped(f"a managed endpoint of {manager}"):
            endpoint = _to_managed(manager, origin or properties, str(properties.get("provisioningState") or ""))
        place = fold(str(origin.get("privateLinkLocation") or "")) if origin else str(document.get("id"))
        one = (endpoint.target, endpoint.groups, place)
        earlier = found.get(one, endpoint)
        differ = earlier.standing is not endpoint.standing
        found[one] = replace(endpoint, standing=Standing.UNCLEAR) if differ else endpoint
    return tuple(found.values())


def _to_managed(manager: ResourceId, shown: Document, made: str) -> ManagedEndpoint:
    """Search and Front Door show the status beside the target, the others in a state; only an origin has a reference.

    Raises InputError where there is no target.
    """
    target = shown.get("privateLinkResourceId") or mapping(shown.get("privateLink")).get("id")
    if not isinstance(target, str) or not target:
        raise InputError(f"a managed endpoint of {manager} shows no target")
    status = to_status(shown.get("status") or mapping(shown.get("connectionState")).get("status"))
    return ManagedEndpoint(
        manager=manager,
        target=ResourceId.parse(target) if target.startswith("/") else None,
        groups=groups_of(shown),
        standing=_standing(status, made=fold(made) == "succeeded"),
    )


def _standing(status: ConnectionStatus, *, made: bool) -> Standing:
    match status:
        case ConnectionStatus.APPROVED | ConnectionStatus.REJECTED:
            return Standing.ANSWERED
        case ConnectionStatus.DISCONNECTED:
            return Standing.ENDED
        case ConnectionStatus.PENDING if made:
            return Standing.WAITS
        case _:
            return Standing.UNCLEAR
