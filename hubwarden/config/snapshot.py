"""A snapshot: connections that wait, with all that is known of them, in a file on which any policy can be tried."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml
from pydantic import Field

from hubwarden.config.cases import CaseFacts
from hubwarden.config.reading import read_as
from hubwarden.config.values import Id, Many, Part
from hubwarden.model.facts import Facts
from hubwarden.model.judgement import Asking

LARGEST = 16_000_000
"""Characters; a connection takes about a thousand."""

_MOST_MILLISECONDS = 999_999_999
"""A duration in a file has nine digits."""


class ConnectionPart(Part):
    """A connection that waits, and what is known of it, in the words of a file of cases."""

    connection: Id
    endpoint: Id | None = Field(None, description="The consumer's; left out where none can be named.")
    facts: CaseFacts


class Snapshot(Part):
    """The whole of a snapshot."""

    connections: Many[ConnectionPart]


def read_snapshot(text: str, source: str) -> tuple[Asking, ...]:
    """What a snapshot has written down. Raises ConfigError with every fault: its line, its key, and what is allowed."""
    shape = "the file is a mapping; it has 'connections:'"
    snapshot, _ = read_as(Snapshot, text, source, shape, largest=LARGEST)
    return tuple(Asking(part.connection, part.endpoint, part.facts.facts()) for part in snapshot.connections)


def write_snapshot(waiting: Iterable[Asking]) -> str:
    """A snapshot of these, as YAML in ASCII; what is not known is left out."""
    data = {"connections": [_connection(each) for each in waiting]}
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=False, width=10_000)


def _connection(asking: Asking) -> Mapping[str, Any]:
    endpoint = {"endpoint": str(asking.endpoint)} if asking.endpoint else {}
    return {"connection": str(asking.connection), **endpoint, "facts": _facts(asking.facts)}


def _facts(facts: Facts) -> Mapping[str, Any]:
    consumer = {
        "subscription": facts.consumer,
        "managementGroups": facts.consumer_management_groups,
        "inEstate": facts.in_estate,
        "tenancy": facts.tenancy.value,
        "managedBy": None if facts.managers is None else tuple(map(str, facts.managers)),
        "resourceGroup": facts.consumer_resource_group,
        "name": facts.consumer_name,
        "location": facts.consumer_location,
        "tags": facts.consumer_tags,
    }
    target = {
        "type": facts.target_type,
        "subscription": facts.target_subscription,
        "managementGroups": facts.target_management_groups,
        "resourceGroup": facts.target_resource_group,
        "name": facts.target_name,
        "location": facts.target_location,
        "tags": facts.target_tags,
    }
    request = {"groups": facts.groups, "message": facts.message, "age": _duration(facts.age)}
    return {"consumer": _known(consumer), "target": _known(target), **_known(request)}


def _known(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: _plain(value) for name, value in facts.items() if value is not None}


def _plain(value: Any) -> Any:
    match value:
        case tuple():
            return list(value)
        case Mapping():
            return dict(value)
        case _:
            return value


def _duration(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    milliseconds = round(seconds * 1000)
    return f"{milliseconds}ms" if milliseconds <= _MOST_MILLISECONDS else f"{seconds:.0f}s"
