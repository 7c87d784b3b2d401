"""What must be so when faults have ceased, the index has caught up, and a sweep has been: laws 1 and 2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hubwarden.model.plan import Held, HeldReason
from hubwarden.model.report import Report
from simulator import ids
from tests.laws.truth import Living, Mark, Record, addresses_of, mark_of

Records = Mapping[str, Record]


def judged(report: Report, endpoints: list[Living], records: Records) -> Iterator[str]:
    """What is wrong after a sweep that had nothing left to do; `records` stand, by name."""
    if report.plan.changes or report.outcomes or not report.complete:
        yield f"law 1: a second sweep changes something: {report.plan.changes} {report.outcomes}"
    held = {(ids.key(str(each.endpoint)), _name(each)): each for each in report.plan.held}
    for each in held.values():
        if not _is_true(each, endpoints, records):
            yield f"law 2: held without a reason: {each}"
    for endpoint in endpoints:
        for name in endpoint.addresses:
            if endpoint.wants(name) and not _is_served(endpoint, name, records) and (endpoint.id, name) not in held:
                yield f"law 2: {name} of {endpoint} is neither served nor held: {records.get(name)}"
    for name, record in records.items():
        mark = mark_of(record)
        served = mark and any(mark.names(each) and _is_served(each, name, records) for each in endpoints)
        if mark and not served and (mark.endpoint, name) not in held:
            yield f"law 2: {name} is ours, and nobody wants it: {record}"


def _name(held: Held) -> str:
    """The record that is held; of an endpoint that is held as a whole, none."""
    return held.key.name if held.key else ""


def _is_served(endpoint: Living, name: str, records: Records) -> bool:
    mark = mark_of(records.get(name))
    its_own = mark is not None and mark.names(endpoint)
    return its_own and endpoint.wants(name) and addresses_of(records[name]) == endpoint.addresses[name]


def _holds(endpoint: Living, name: str, mark: Mark | None) -> bool:
    """Whether the record is its own, and it wants the name."""
    if mark is None:
        return False
    return mark.names(endpoint) and endpoint.wants(name)


def _is_true(held: Held, endpoints: list[Living], records: Records) -> bool:
    """Whether the reason is so."""
    endpoint = next((each for each in endpoints if each.id == ids.key(str(held.endpoint))), None)
    if endpoint is None:
        return False
    if held.reason is HeldReason.NOT_APPROVED:
        return endpoint.status != "Approved"
    name, record = _name(held), records.get(_name(held))
    if record is None or not endpoint.wants(name):
        return False
    mark = mark_of(record)
    if held.reason is HeldReason.CONTESTED:
        return any(each.id != endpoint.id and _holds(each, name, mark) for each in endpoints)
    metadata = record["properties"].get("metadata") or {}
    by_group = metadata.get("creator", "").startswith("created by private endpoint")
    same = addresses_of(record) == endpoint.addresses[name]
    expected = HeldReason.SERVED_BY_OTHER if same else HeldReason.FOREIGN_CONFLICT
    return mark is None and held.reason is (HeldReason.ZONE_GROUP if by_group else expected)
