"""How each resource provider treats the connections to its resources: data (data/connections.json), read once.

The data is what azure-cli's table, the SDKs and recordings tell of each type; its `default` stands for the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from simulator import ids
from simulator.settings import camel

_READ: dict[str, Any] = json.loads(files("simulator").joinpath("data/connections.json").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One type's habits; a state of the four last is what `properties.provisioningState` says meanwhile."""

    verb: str | None  # by which connections are answered: PUT or PATCH; None: they cannot be
    answer: str  # "at once"; "operation": long, and headers tell where to look; "unannounced": long, and nothing tells
    status: int  # of the answer
    removal: str  # "at once" or "operation"
    lists: bool  # whether GET lists them; where not, only the resource itself shows them
    name: str  # how they are named: "resource.guid", "endpoint.guid" or "endpoint"
    etag: str | None  # the key of their etag
    if_match: bool  # whether If-Match guards them
    retry_after: int | None  # seconds, told with a long answer
    groups: str | None  # the key of their groups; singular for one
    actions: str | None  # the key of the action required, within the state
    addresses: str | None  # the key of the endpoint's addresses
    blank_description: bool  # whether an empty description is shown
    needs_description: str | None  # the code of the refusal of an answer without one
    refuses: Mapping[str, str]  # changes of the status that are refused, as "Rejected to Approved", and with what words
    insists: tuple[str, ...]  # paths in the body that must be as in the connection
    settled: str
    approving: str
    rejecting: str
    removing: str


def of_target(target_type: str) -> Provider:
    """The habits of a type of resource; of one that is not in the data, those that most have."""
    return _KNOWN.get(target_type.lower(), _DEFAULT)


def of_connection(connection_id: str) -> Provider:
    """The same for the target of a connection."""
    return of_target(ids.parse(ids.parse(connection_id).parent).type)


def is_known(target_type: str) -> bool:
    """Whether the data tells that Azure has connections to such resources."""
    return target_type.lower() in _KNOWN


def known_types() -> tuple[str, ...]:
    """The types in the data, in lower case."""
    return tuple(_KNOWN)


def _provider(told: Mapping[str, Any]) -> Provider:
    spelt = {camel(name): name for name in Provider.__dataclass_fields__}
    read = {spelt[key]: value for key, value in told.items()}
    return Provider(**{**read, "insists": tuple(read["insists"])})


_DEFAULT = _provider(_READ["default"])
_KNOWN = {each: _provider({**_READ["default"], **told}) for each, told in _READ["types"].items()}
