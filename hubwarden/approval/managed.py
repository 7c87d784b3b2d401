"""Which resource of the estate's has a request made that comes from a network of Microsoft's.

Such a request says nothing that could be believed: its endpoint lies in a subscription of Microsoft's that nobody here
has ever seen, its name is made up, and its message is anybody's. What can be believed is what a resource of our own
shows of itself, and what the target shows. Together they prove it:

    of our resources, exactly one shows a managed endpoint to this target and group that is made, and waits,
        both before and after the target is read
        so its connection stands at the target while that is read;
    of the target's connections for the group whose consumers are not known to be of our tenant, exactly one waits
        so it is that one, or one that was answered: a resource may be slow to show that, as Grafana is until refreshed;
    no more of them are answered than our resources show that theirs were
        so it is that one.

Whoever asks for the same makes one too many, waiting or answered, and all are held: a stranger can delay our resource's
request, and cannot pass for it. A consumer that ARM proves to be in another tenant counts with the others, for so are
Microsoft's own subscriptions. A connection that shows no groups, as storage's do, could be for any; whatever could be
it without being clear (one still being made, one that is told by an alias) makes that it is not known.
"""

from __future__ import annotations

from collections.abc import Iterable

from hubwarden.model.connection import Connection
from hubwarden.model.endpoint import PRIVATE_LINK_SERVICE, ConnectionStatus
from hubwarden.model.managed import ManagedEndpoint, Standing
from hubwarden.model.resource_id import folded

_ANSWERED = (ConnectionStatus.APPROVED, ConnectionStatus.REJECTED, ConnectionStatus.DISCONNECTED)


def could_have_made(connection: Connection, endpoints: Iterable[ManagedEndpoint]) -> tuple[ManagedEndpoint, ...]:
    """Those of the estate's managed endpoints whose connection it could be."""
    return tuple(
        each
        for each in endpoints
        if each.standing in (Standing.WAITS, Standing.UNCLEAR)
        and _could_lead_to(each, connection)
        and _could_be_the_same(each.groups, connection.groups)
    )


def is_clear(endpoint: ManagedEndpoint, connection: Connection) -> bool:
    """Whether it surely has a connection that waits at the target of this one, and for the same groups."""
    return endpoint.standing is Standing.WAITS and _leads_to(endpoint, connection)


def is_the_only_one(
    connection: Connection,
    strangers: Iterable[Connection],
    endpoint: ManagedEndpoint,
    endpoints: Iterable[ManagedEndpoint],
) -> bool:
    """Whether of the target's connections that are not of our tenant it is the only one that could be the endpoint's.

    It is compared with what the target shows now: one that was made anew under its name is another. `endpoints` are
    all managed endpoints of the estate's: they tell how many that were answered are others'.
    """
    candidates = [each for each in strangers if _could_be_the_same(endpoint.groups, each.groups)]
    waiting = [(each.id, each.endpoint) for each in candidates if each.status not in _ANSWERED]
    answered = [each for each in candidates if each.status in _ANSWERED]
    others = [
        each
        for each in endpoints
        if each.standing is Standing.ANSWERED and any(_leads_to(each, one) for one in answered)
    ]
    return waiting == [(connection.id, connection.endpoint)] and len(answered) <= len(others)


def _leads_to(endpoint: ManagedEndpoint, connection: Connection) -> bool:
    same_groups = not connection.groups or folded(endpoint.groups) == folded(connection.groups)
    return endpoint.target == connection.target and same_groups


def _could_lead_to(endpoint: ManagedEndpoint, connection: Connection) -> bool:
    """A slot of a web site has connections of its own, to which an endpoint leads that names the site."""
    if endpoint.target is None:
        return connection.target.is_a(PRIVATE_LINK_SERVICE)
    return endpoint.target in (connection.target, connection.target.parent)


def _could_be_the_same(some: tuple[str, ...], others: tuple[str, ...]) -> bool:
    return not some or not others or bool(folded(some) & folded(others))
