"""What is told to the simulator through /_sim, checked before it is believed; every fault says what is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator import ids
from simulator.documents import Document
from simulator.world import Member, Subscription, Target


def fields(body: Any, what: str, kinds: Mapping[str, type], *, required: tuple[str, ...] = ()) -> Mapping[str, Any]:
    """The body as an object with those fields and no others. Raises ValueError."""
    if not isinstance(body, Mapping):
        raise ValueError(f"{what} is a JSON object with {', '.join(kinds)}.")
    for key, value in body.items():
        if key not in kinds:
            raise ValueError(f"{what} has no '{key}'. Allowed: {', '.join(kinds)}.")
        if not isinstance(value, kinds[key]):
            raise ValueError(f"{what}: '{key}' must be a {_NAMES[kinds[key]]}, not {value!r}.")
    if missing := [key for key in required if key not in body]:
        raise ValueError(f"{what} needs {', '.join(missing)}.")
    return body


_NAMES: dict[type, str] = {str: "string", bool: "boolean", list: "list", dict: "JSON object"}


def read_subscription(body: Any, known: Mapping[str, Subscription]) -> Subscription:
    """A subscription; what is not told stays as it was. Raises ValueError."""
    kinds = {"id": str, "tenant": str, "managementGroups": list, "readable": bool, "unregistered": list}
    told = fields(body, "A subscription", kinds, required=("id",))
    before = known.get(told["id"].lower()) or Subscription(told["id"])
    return Subscription(
        id=told["id"],
        tenant=told.get("tenant", before.tenant),
        management_groups=texts(
            "A subscription's managementGroups", told.get("managementGroups"), before.management_groups
        ),
        readable=told.get("readable", before.readable),
        unregistered=texts("A subscription's unregistered", told.get("unregistered"), before.unregistered),
    )


def read_target(body: Any) -> Target:
    """A target with its members. Raises ValueError."""
    told = fields(body, "A target", {"id": str, "members": list, "autoApprove": list}, required=("id",))
    ids.parse(told["id"])
    members = tuple(_read_member(each) for each in told.get("members", []))
    return Target(told["id"], members, texts("A target's autoApprove", told.get("autoApprove"), ()))


def read_resources(documents: list[Any]) -> list[Document]:
    """ARM documents, each with an id. Raises ValueError."""
    for document in documents:
        if not isinstance(document, dict) or not isinstance(document.get("id"), str):
            raise ValueError(f"A resource is an ARM document with an id, not {document!r}.")
        if not ids.parse(document["id"]).resource_group and ids.parse(document["id"]).type == ids.SUBSCRIPTION:
            raise ValueError("A subscription is no resource: POST it to /_sim/subscriptions.")
    return list(documents)


def _read_member(body: Any) -> Member:
    kinds = {"groupId": str, "memberName": str, "fqdns": list, "zone": str, "publicAddress": str}
    told = fields(body, "A member", kinds, required=("groupId", "memberName", "fqdns"))
    fqdns = texts("A member's fqdns", told["fqdns"], ())
    return Member(told["groupId"], told["memberName"], fqdns, told.get("zone", ""), told.get("publicAddress", ""))


def texts(what: str, values: list[Any] | None, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    """A list of strings. Raises ValueError."""
    if values is None:
        return default
    if not all(isinstance(value, str) for value in values):
        raise ValueError(f"{what} is a list of strings.")
    return tuple(values)
