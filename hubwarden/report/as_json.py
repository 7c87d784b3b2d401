"""Reports and explanations as plain data, in the shape that the HTTP API and the shell share."""

from __future__ import annotations

from datetime import datetime
from typing import Any, assert_never

from hubwarden.model.endpoint import Endpoint, Gone
from hubwarden.model.plan import Change, Claim, Drop, Held, Put, Want
from hubwarden.model.record import RecordKey, RecordSet, Unread
from hubwarden.model.report import Explanation, NameExplanation, Outcome, Report

Data = dict[str, Any]


def report_data(report: Report) -> Data:
    """A Report. `decisions` is empty: this version answers no connection."""
    return {
        "run": report.run,
        "scope": {"endpoint": str(report.scope.endpoint)},
        "mode": report.mode,
        "startedAt": _time(report.started_at),
        "finishedAt": _time(report.finished_at),
        "status": report.status.value,
        "plan": {
            "hash": report.plan.hash,
            "changes": [change_data(change) for change in report.plan.changes],
            "held": [held_data(held) for held in report.plan.held],
            "unchanged": len(report.plan.unchanged),
        },
        "decisions": [],
        "outcomes": [_outcome(outcome) for outcome in report.outcomes],
    }


def explanation_data(explanation: Explanation) -> Data:
    """What is seen, wanted, held and owned, and why."""
    plan = explanation.plan
    return {
        "endpoint": str(explanation.endpoint),
        "seen": _seen(explanation.seen),
        "wanted": [_want(want) for want in explanation.wants],
        "held": [held_data(held) for held in plan.held],
        "owned": [_claim(claim) for claim in explanation.claims],
        "standing": [_standing(key, record) for key, record in sorted(explanation.standing.items())],
        "changes": [change_data(change) for change in plan.changes],
    }


def name_data(explanation: NameExplanation) -> Data:
    """Which records may answer a name, and the endpoints that own them."""
    return {
        "name": str(explanation.name),
        "standing": [_standing(key, record) for key, record in sorted(explanation.standing.items())],
        "endpoints": [explanation_data(endpoint) for endpoint in explanation.endpoints],
    }


def change_data(change: Change) -> Data:
    """A Put or a Drop."""
    match change:
        case Put():
            op, addresses = "put", change.addresses
        case Drop():
            op, addresses = "drop", ()
        case _ as never:
            assert_never(never)
    return {
        "op": op,
        **_key(change.key),
        "addresses": [str(address) for address in addresses],
        "was": [str(address) for address in change.was],
        "why": change.why,
        "endpoint": str(change.endpoint),
    }


def held_data(held: Held) -> Data:
    """Something held, with its reason, what the reason means, and the particulars."""
    key = _key(held.key) if held.key else {"zone": None, "name": held.name or None}
    return {
        "reason": held.reason.value,
        "meaning": held.reason.meaning,
        "endpoint": str(held.endpoint),
        "connection": None,
        "zone": key["zone"],
        "name": key["name"],
        "detail": held.detail,
    }


def _outcome(outcome: Outcome) -> Data:
    return {
        "change": change_data(outcome.change),
        "result": outcome.result.value,
        "error": outcome.error or None,
    }


def _seen(seen: Endpoint | Gone) -> Data:
    match seen:
        case Gone():
            return {"exists": False, "proven": seen.proven, "detail": seen.detail}
        case Endpoint():
            return {
                "exists": True,
                "resourceGuid": seen.guid or None,
                "location": seen.location,
                "target": seen.target_text,
                "groups": list(seen.groups),
                "status": seen.status.value,
                "manual": seen.manual,
                "settled": seen.settled,
                "names": [
                    {"fqdn": name.fqdn, "addresses": [str(address) for address in name.addresses], "from": name.source}
                    for name in seen.names
                ],
            }
        case _ as never:
            assert_never(never)


def _want(want: Want) -> Data:
    return {
        "hub": want.hub,
        **_key(want.key),
        "fqdn": want.fqdn,
        "addresses": [str(address) for address in want.addresses],
    }


def _claim(claim: Claim) -> Data:
    return {
        "hub": claim.hub,
        **_key(claim.key),
        "fqdn": claim.fqdn,
        "addresses": [str(address) for address in claim.addresses],
        "state": claim.state.value,
    }


def _standing(key: RecordKey, record: RecordSet | Unread | None) -> Data:
    if record is None:
        return {**_key(key), "exists": False}
    if isinstance(record, Unread):
        return {**_key(key), "exists": None, "detail": record.detail}
    return {
        **_key(key),
        "exists": True,
        "addresses": [str(address) for address in record.addresses],
        "ttl": record.ttl,
        "keeper": record.keeper.value,
        "instance": record.owner.instance if record.owner else None,
        "owner": str(record.owner.endpoint) if record.owner else None,
    }


def _key(key: RecordKey) -> Data:
    return {"zone": key.zone.name, "name": key.name, "type": key.type.value}


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
