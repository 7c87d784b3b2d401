"""How this Azure behaves where Azure may: latencies, lags, and a switch for each thing nobody has verified.

Every switch is one field with its default; POST /_sim/settings changes them by their camelCase names.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

_Kind = str


def _setting(default: Any, kind: _Kind) -> Any:
    return field(default=default, metadata={"kind": kind})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings with their defaults."""

    latency_ms: int = _setting(0, "count")  # added to every ARM request
    operation_ms: int = _setting(50, "count")  # how long a long operation takes
    # Private endpoints (behaviour reference section 2)
    expand_nics: str = _setting("full", "full|ids")  # what $expand=networkInterfaces shows
    custom_dns_while_pending: bool = _setting(False, "flag")  # customDnsConfigs filled while Pending
    nic_while_pending: bool = _setting(False, "flag")  # the interface shows its names while Pending
    nic_lag_ms: int = _setting(0, "count")  # endpoint Succeeded and Approved, names not yet on the interface
    resource_guid_on_get: bool = _setting(True, "flag")  # an endpoint shows its resourceGuid
    store_custom_dns: bool = _setting(True, "flag")  # a caller's own customDnsConfigs are stored and shown
    pls_fqdns: bool = _setting(True, "flag")  # the names a private link service's owner wrote reach its endpoints
    request_message_shown: bool = _setting(True, "flag")  # a pending connection's description is the request message
    zone_group_linger_ms: int = _setting(0, "count")  # how long the records of a deleted zone group outlive it
    # Connections to targets (section 4)
    long_connections: bool = _setting(True, "flag")  # connections change by long operations where the data says so
    connection_headers: str = _setting("both", "both|Azure-AsyncOperation|Location")  # where such a one is followed
    connections_listed: bool = _setting(False, "flag")  # also types that azure-cli does not list answer the list
    connection_bodies_checked: bool = _setting(True, "flag")  # a body must hold all that the provider's model has
    failed_answers: str = _setting("off", "off|Failed|before")  # long answers fail, and what the connection shows then
    patched_by_put: bool = _setting(False, "flag")  # a PUT answers also where the SDK sends a PATCH
    origin_status_shown: bool = _setting(True, "flag")  # an origin of Front Door shows how far its endpoint is
    slot_connections_on_site: bool = _setting(False, "flag")  # the site has the connections of its slots
    # Private DNS (section 3)
    record_not_found_wrapped: bool = _setting(False, "flag")  # the 404 of a missing record set is wrapped in "error"
    lower_case_dns_groups: bool = _setting(False, "flag")  # zone and record ids spell the resource group in lower case
    missing_delete_insists: bool = _setting(
        False, "flag"
    )  # deleting a missing record set with If-Match is a 412, not 204
    max_record_sets: int = _setting(25_000, "count")  # how many record sets a zone takes
    zone_full_refusal: str = _setting("400", "400|409")  # how one more is refused
    # Resource Graph (section 5)
    graph_lag_ms: int = _setting(0, "count")  # the index shows the world as it was that long ago
    graph_payload_bytes: int = _setting(16_777_216, "count")  # the largest answer
    graph_metadata: bool = _setting(True, "flag")  # rows of record sets show metadata, ttl, fqdn and etag
    graph_string_booleans: bool = _setting(False, "flag")  # rows show truth values as the texts "true" and "false"
    graph_connections: bool = _setting(True, "flag")  # rows of resources show their privateEndpointConnections
    graph_retry_after: bool = _setting(True, "flag")  # the 429 of a query says when to come again
    # ARM (section 6)
    quotas: bool = _setting(False, "flag")  # more requests than Azure takes are refused
    throttle_retry_after: bool = _setting(True, "flag")  # the 429 of a quota says when to come again
    lock_conflicts: str = _setting("off", "off|409|429")  # a write beside a running operation is refused, and how
    inherited_locks_listed: bool = _setting(True, "flag")  # a list of locks also shows those that lie above
    foreign_subscriptions: str = _setting("401", "401|404")  # the answer of a hidden one that is in another tenant
    rbac: bool = _setting(False, "flag")  # a caller needs a role for what it does
    # Event Grid (section 1)
    event_delay_ms: int = _setting(0, "count")  # from the end of an operation to its event's first delivery
    event_duplicates: int = _setting(0, "count")  # so many more deliveries of each event
    event_shuffle: bool = _setting(False, "flag")  # events of one moment are delivered in another order
    event_loss: int = _setting(0, "count")  # every event with such a number is lost: 3 loses each third, 1 all, 0 none
    group_delete_events: bool = _setting(False, "flag")  # the resources of a deleted group have events of their own
    event_retry_scale: float = _setting(1.0, "factor")  # of what Event Grid waits between attempts
    # The app's front end
    principal: Mapping[str, Any] | None = _setting(None, "principal")  # who is signed in at the app
    # DNS
    dns_network: str | None = _setting(None, "id")  # the virtual network whose links the DNS server resolves with

    def changed(self, wanted: Mapping[str, Any]) -> Settings:
        """These settings with some changed; the keys are in camelCase.

        Raises ValueError, naming what is allowed, for an unknown key or a value of the wrong type.
        """
        known = {camel(f.name): f for f in fields(self)}
        changes = {}
        for key, value in wanted.items():
            if key not in known:
                raise ValueError(f"There is no setting '{key}'. Allowed: {', '.join(known)}.")
            kind = known[key].metadata["kind"]
            if not _fits(value, kind):
                raise ValueError(f"Setting '{key}' cannot be {value!r}: it is {_describe(kind)}.")
            changes[known[key].name] = value
        return replace(self, **changes)

    def document(self) -> dict[str, Any]:
        """All settings by their camelCase names."""
        return {camel(f.name): getattr(self, f.name) for f in fields(self)}


def camel(name: str) -> str:
    """The JSON spelling of a field's name."""
    return re.sub(r"_(\w)", lambda match: match.group(1).upper(), name)


def _fits(value: Any, kind: _Kind) -> bool:
    match kind:
        case "count":
            return type(value) is int and value >= 0
        case "factor":
            return type(value) in (int, float) and 0 < value < math.inf
        case "flag":
            return type(value) is bool
        case "id":
            return value is None or (isinstance(value, str) and value.startswith("/"))
        case "principal":
            return value is None or (isinstance(value, Mapping) and _is_principal(value))
        case _:
            return value in kind.split("|")


def _is_principal(value: Mapping[str, Any]) -> bool:
    lists = [value.get(each, []) for each in ("roles", "groups")]
    claims = value.get("claims", [])
    return (
        set(value) <= {"name", "oid", "roles", "groups", "claims"}
        and isinstance(value.get("name"), str)
        and isinstance(value.get("oid"), str | None)
        and isinstance(claims, list)
        and all(isinstance(each, Mapping) for each in claims)
        and all(isinstance(each, list) and all(isinstance(text, str) for text in each) for each in lists)
    )


def _describe(kind: _Kind) -> str:
    described = {
        "count": "a whole number, not below 0",
        "factor": "a number above 0",
        "flag": "true or false",
        "id": "a resource id or null",
        "principal": 'an object with "name", and perhaps "oid" and lists of "roles", "groups" and "claims", or null',
    }
    return described.get(kind) or " or ".join(f'"{choice}"' for choice in kind.split("|"))
