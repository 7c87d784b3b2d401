"""The target's side of private endpoints: who asks to connect, and what the owner answers (reference section 4).

What a connection looks like is next door in connection_documents; how the providers differ is data, see providers.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from typing import Any

from simulator import endpoint_names, ids, providers
from simulator.connection_documents import (
    CHILD,
    STATE,
    Verdict,
    answered,
    consumer_of,
    is_beneath,
    is_connection,
    new,
    status_of,
    under_way,
)
from simulator.documents import Document
from simulator.endpoint_names import connection_of, stamped, target_id_of
from simulator.providers import Provider
from simulator.refusals import Refusal
from simulator.world import Caller, Operation, World

_ANSWERS = ("Approved", "Rejected")
# Azure, an endpoint to a slot points at the site, in a group of this kind (approval table, Microsoft.Web/sites/slots).
_SITE = re.compile(r"/.*/providers/Microsoft\.Web/sites/[^/]+", re.IGNORECASE)
_SLOT_GROUP = re.compile(r"sites-(.+)", re.IGNORECASE)


def request(world: World, endpoint: Document) -> None:
    """Makes the target's connection for a new endpoint, and sets the state of the endpoint's own.

    Azure, an automatic request is approved at once; a manual one waits, unless the target approves the consumer's
    subscription by itself (behaviour reference sections 2.2 and 4.1).
    """
    connection = connection_of(endpoint)["properties"]
    target_id = target_id_of(world, connection["privateLinkServiceId"])
    automatic = bool(endpoint["properties"]["privateLinkServiceConnections"])
    approved = automatic or _approves_by_itself(world, target_id, ids.parse(endpoint["id"]).subscription)
    message = connection.get("requestMessage", "") if world.settings.request_message_shown else ""
    verdict = Verdict("Approved", "Auto-Approved") if approved else Verdict("Pending", message)
    own = {"status": verdict.status, "description": "Auto-Approved" if approved else "", "actionsRequired": "None"}
    connection[STATE] = own
    _store(world, new(world, endpoint, _place(world, endpoint), verdict))


def answer(
    world: World, caller: Caller, connection_id: str, body: Mapping[str, Any], if_match: str | None = None
) -> tuple[Document, Operation | None]:
    """Approves or rejects a connection, at once or by the long operation that is returned.

    The consumer's endpoint follows, without a write of its own (behaviour reference section 1.2). Raises Refusal.
    """
    current, provider = world.need(connection_id), providers.of_connection(connection_id)
    _refuse_when_busy(world, current["id"])
    _check_etag(provider, current, if_match)
    _check_body(world, provider, current, body)
    verdict = _verdict(provider, current, body)
    operation = f"{ids.parse(current['id']).type}/write"
    if provider.answer == "at once" or not world.settings.long_connections:
        _settle(world, provider, current, verdict)
        world.announce(operation, current["id"], caller)
        return world.need(current["id"]), None
    # Azure, meanwhile it shows what it showed, and that it is on its way (approval notes, "response lags").
    _store(world, under_way(current, provider.approving if verdict.status == "Approved" else provider.rejecting))

    def finish() -> None:
        if world.settings.failed_answers != "off":
            _store(world, current if world.settings.failed_answers == "before" else under_way(current, "Failed"))
            raise Refusal("InternalServerError", "The operation failed.")
        _settle(world, provider, world.need(current["id"]), verdict)

    begun = world.begin(operation, current["id"], caller, finish)
    return world.need(current["id"]), begun


def remove(world: World, caller: Caller, connection_id: str) -> bool | Operation:
    """Deletes a connection, at once or by a long operation; the consumer's endpoint is disconnected (section 2.2).

    False if there is no such connection.
    """
    current, provider = world.document(connection_id), providers.of_connection(connection_id)
    if current is None:
        return False
    _refuse_when_busy(world, current["id"])
    operation = f"{ids.parse(current['id']).type}/delete"
    finish = _disconnecting(world, current["id"])
    if provider.removal == "at once" or not world.settings.long_connections:
        finish()
        world.announce(operation, current["id"], caller)
        return True
    _store(world, under_way(current, provider.removing))
    return world.begin(operation, current["id"], caller, finish)


def forget(world: World, endpoint_id: str) -> None:
    """Azure, when an endpoint goes, so does the target's connection (behaviour reference section 2.6)."""
    for connection in of_target(world, _place(world, world.need(endpoint_id))):
        if ids.key(consumer_of(connection)) == ids.key(endpoint_id):
            _drop(world, connection)


def forget_target(world: World, target_id: str) -> None:
    """When a target goes, with all beneath it, its consumers' endpoints are disconnected (section 2.2)."""
    for document in world.store.under(target_id):
        if is_connection(document["id"]):
            _disconnecting(world, document["id"])()


def of_target(world: World, target_id: str) -> list[Document]:
    """The connections of a target."""
    return [each for each in world.store.below(target_id) if is_connection(each["id"])]


def show(world: World, resource_id: str) -> None:
    """Lets a target have the connections that it shows, and show those that it has.

    To be called when a document of either was put in from outside: a copy of a real resource holds its connections.
    """
    document = world.need(resource_id)
    if is_connection(resource_id):
        _list(world, document["id"], [document])
        return
    for shown in _listed(document):
        if is_beneath(shown, document["id"]) and world.document(shown["id"]) is None:
            world.put(shown)
    for connection in of_target(world, resource_id):
        _list(world, connection["id"], [connection])


def hide(world: World, connection_id: str) -> None:
    """Lets a target no longer show what is no longer there; nothing happens if that is not a connection."""
    if is_connection(connection_id):
        _list(world, connection_id, [])


def _approves_by_itself(world: World, target_id: str, subscription: str) -> bool:
    target, document = world.targets.get(ids.key(target_id)), world.document(target_id)
    listed = list(target.auto_approve) if target else []
    listed += ((document or {}).get("properties", {}).get("autoApproval") or {}).get("subscriptions") or []
    return any(each == "*" or each.lower() == subscription.lower() for each in listed)


def _place(world: World, endpoint: Document) -> str:
    """The id of what has an endpoint's connection: its target, but a slot for a slot's group (unverified: a switch)."""
    asked = connection_of(endpoint)["properties"]
    target_id = target_id_of(world, asked["privateLinkServiceId"])
    slot = _SLOT_GROUP.fullmatch(next(iter(asked.get("groupIds") or []), ""))
    if slot and _SITE.fullmatch(target_id) and not world.settings.slot_connections_on_site:
        return f"{target_id}/slots/{slot.group(1)}"
    return target_id


def _verdict(provider: Provider, current: Document, body: Mapping[str, Any]) -> Verdict:
    """What the body says. Raises Refusal where the provider does not take it (approval notes, a row per subject)."""
    state = _at(body, f"properties.{STATE}")
    status, before = _at(state, "status"), status_of(current)
    description = _at(state, "description")
    if status not in _ANSWERS:
        raise Refusal("BadRequest", f"The status of a connection can be set to {' or '.join(_ANSWERS)}, not {status}.")
    if not isinstance(description, str | None):
        raise Refusal("BadRequest", f"The value of '{STATE}.description' is not a text.")
    if provider.needs_description and description is None:
        raise Refusal(provider.needs_description, f"The value of '{STATE}.description' is missing.")
    if refused := provider.refuses.get(f"{before} to {status}"):
        raise Refusal("BadRequest", refused)
    return Verdict(status, description or "")


def _check_body(world: World, provider: Provider, current: Document, body: Mapping[str, Any]) -> None:
    """Azure, the models of two providers want more than a state; whether they insist is unverified, so a switch."""
    for path in provider.insists if world.settings.connection_bodies_checked else ():
        expected, found = str(_at(current, path)), str(_at(body, path))
        if ids.key(found) != ids.key(expected):
            raise Refusal("BadRequest", f"The body's {path} must be {expected}, not {found}.")


def _at(document: Any, path: str) -> Any:
    for key in path.split("."):
        document = document.get(key) if isinstance(document, Mapping) else None
    return document


def _check_etag(provider: Provider, current: Document, if_match: str | None) -> None:
    if provider.if_match and if_match not in (None, "*", current.get(provider.etag or "")):
        raise Refusal("PreconditionFailed", f"The etag of connection {current['name']} is not {if_match}.")


def _refuse_when_busy(world: World, connection_id: str) -> None:
    """One operation at a time; what a provider says to a second one is unverified (behaviour reference section 6.1)."""
    if world.busy(connection_id):
        raise Refusal("Conflict", f"Another operation on {connection_id} is in progress.")


def _settle(world: World, provider: Provider, connection: Document, verdict: Verdict) -> None:
    _store(world, answered(provider, connection, verdict))
    _follow(world, connection, verdict)


def _disconnecting(world: World, connection_id: str) -> Callable[[], None]:
    def finish() -> None:
        if (connection := world.document(connection_id)) is not None:  # else it went meanwhile with its endpoint
            _drop(world, connection)
            _follow(world, connection, Verdict("Disconnected"))

    return finish


def _store(world: World, connection: Document) -> None:
    world.put(connection)
    _list(world, connection["id"], [connection])


def _drop(world: World, connection: Document) -> None:
    world.remove(connection["id"])
    _list(world, connection["id"], [])


def _list(world: World, connection_id: str, instead: list[Document]) -> None:
    """Azure, a target's own document holds its connections, too (behaviour reference section 4.3)."""
    target = world.document(ids.parse(connection_id).parent)
    if target is None:
        return
    listed = _listed(target)
    places = [
        place
        for place, each in enumerate(listed)
        if is_beneath(each, target["id"]) and ids.key(each["id"]) == ids.key(connection_id)
    ]
    start, end = (places[0], places[0] + 1) if places else (len(listed), len(listed))
    changed = [*listed[:start], *instead, *listed[end:]]
    if changed != listed:
        world.put({**target, "properties": {**(target.get("properties") or {}), CHILD: changed}})


def _listed(target: Document) -> list[Document]:
    return (target.get("properties") or {}).get(CHILD) or []


def _follow(world: World, connection: Document, verdict: Verdict) -> None:
    endpoint = world.document(consumer_of(connection))
    if endpoint is None:
        return  # it lies where this world does not reach
    if ids.key(_place(world, endpoint)) != ids.key(ids.parse(connection["id"]).parent):
        return
    changed = copy.deepcopy(endpoint)
    state = connection_of(changed)["properties"][STATE]
    was_approved = state["status"] == "Approved"
    state.update(status=verdict.status, description=verdict.description)
    world.put(stamped(changed))
    if verdict.status == "Approved" and not was_approved:
        endpoint_names.lag(world, endpoint["id"])
    endpoint_names.refresh(world, endpoint["id"])
