"""The bodies that answer a connection, one for each shape that providers want (approval notes, a row per subject)."""

from __future__ import annotations

import copy
from typing import Any, assert_never

from hubwarden.arm.connections.documents import STATE
from hubwarden.arm.connections.providers import Body
from hubwarden.arm.documents import Document, mapping
from hubwarden.model.connection import Verdict
from hubwarden.model.note import description


def answer_of(shape: Body, document: Document, verdict: Verdict, note: str) -> dict[str, Any]:
    """What is sent to answer the connection that a document shows.

    The whole goes back as it came wherever that is taken, because providers differ in what else they insist on, and in
    how they spell it (storage says actionRequired). `note` becomes the description.
    """
    state = _state(document, verdict, note)
    match shape:
        case Body.WHOLE | Body.SDK:
            changed = copy.deepcopy(dict(document))
            changed["properties"] = {**mapping(changed.get("properties")), STATE: state}
            return changed
        case Body.REQUEST:  # API Management's PrivateEndpointConnectionRequest
            return {"id": document["id"], "properties": {STATE: state}}
        case Body.ENDPOINT:  # Data Factory's PrivateLinkConnectionApprovalRequestResource
            endpoint = mapping(mapping(document.get("properties")).get("privateEndpoint"))
            return {"properties": {STATE: state, "privateEndpoint": {"id": endpoint.get("id")}}}
        case Body.STATE:  # Batch, where nothing else can be changed
            return {"properties": {STATE: state}}
        case _ as never:
            assert_never(never)


def _state(document: Document, verdict: Verdict, note: str) -> dict[str, Any]:
    """The state with a new status and description, which is never null or empty: SQL refuses that (azure-cli 20752)."""
    before = mapping(mapping(document.get("properties")).get(STATE))
    told = description(note) or verdict.status.value
    return {**before, "status": verdict.status.value, "description": told}
