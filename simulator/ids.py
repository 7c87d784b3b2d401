"""Resource ids as Azure reads them: taken apart once, compared without regard to case."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

SUBSCRIPTION = "Microsoft.Resources/subscriptions"
RESOURCE_GROUP = "Microsoft.Resources/subscriptions/resourceGroups"


@dataclass(frozen=True, slots=True)
class Id:
    """A resource id in its parts; `parent` is the id one resource up, empty for a subscription.

    What lies at the tenant or under a management group, as roles may, has no subscription.
    """

    text: str
    subscription: str
    resource_group: str
    type: str
    name: str
    parent: str

    @property
    def key(self) -> str:
        """What two spellings of one id have in common."""
        return self.text.lower()


def key(resource_id: str) -> str:
    """What two spellings of one id have in common."""
    return resource_id.rstrip("/").lower()


@lru_cache(maxsize=262_144)
def parse(text: str) -> Id:
    """Takes an id apart. Raises ValueError if it is not one."""
    text = text.rstrip("/")
    empty, *parts = text.split("/")
    if not empty and all(parts) and parts[0].lower() == "providers":
        return _resource(text, "", "", "", parts)
    if empty or len(parts) < 2 or not all(parts) or parts[0].lower() != "subscriptions":
        raise ValueError(f"'{text}' is not a resource id.")
    subscription, rest, root = parts[1], parts[2:], "/" + "/".join(parts[:2])
    if not rest:
        return Id(text, subscription, "", SUBSCRIPTION, subscription, "")
    group = ""
    if rest[0].lower() == "resourcegroups" and len(rest) > 1:
        group, root, rest = rest[1], "/" + "/".join(parts[:4]), rest[2:]
        if not rest:
            return Id(text, subscription, group, RESOURCE_GROUP, group, "/" + "/".join(parts[:2]))
    return _resource(text, subscription, group, root, rest)


def _resource(text: str, subscription: str, group: str, root: str, rest: list[str]) -> Id:
    lowered = [part.lower() for part in rest]
    last = len(lowered) - 1 - lowered[::-1].index("providers") if "providers" in lowered else -1
    tail = rest[last + 1 :]
    if last % 2 or last < 0 or len(tail) < 3 or len(tail) % 2 == 0:
        raise ValueError(f"'{text}' is not a resource id.")
    namespace, types, names = tail[0], tail[1::2], tail[2::2]
    if len(names) > 1:
        parent = text.rsplit("/", 2)[0]
    elif last > 0:
        parent = root + "/" + "/".join(rest[:last])
    else:
        parent = root
    return Id(text, subscription, group, "/".join([namespace, *types]), names[-1], parent)
