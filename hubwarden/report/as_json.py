"""Reports, explanations, runs and connections as plain data, in the shape that the HTTP API and the shell share."""

from __future__ import annotations

from typing import Any, assert_never

from hubwarden.model.connection import Decision
from hubwarden.model.endpoint import ConnectionStatus, Endpoint, Gone
from hubwarden.model.explanation import Explanation, NameExplanation
from hubwarden.model.plan import Change, Claim, Drop, Held, PlanWarning, Put, Want
from hubwarden.model.record import RecordKey, RecordSet, Unread
from hubwarden.model.report import Outcome, Report, Run
from hubwarden.model.scope import scope_data
from hubwarden.model.zone import LinkZone, MakeZone, ZoneChange
from hubwarden.report.times import written, written_seconds

Data = dict[str, Any]


def report_data(report: Report) -> Data:
    """A Report."""
    return {
        "run": report.run,
        "scope": scope_data(report.scope),
        "mode": report.mode,
        "startedAt": written(report.started_at),
        "finishedAt": written(report.finished_at),
        "status": report.status.value,
        "plan": {
            "hash": report.plan.hash,
            "changes": [change_data(change) for change in (*report.plan.zones, *report.plan.changes)],
            "overLimit": [change_data(change) for change in report.plan.over_limit],
            "held": [held_data(held) for held in report.plan.held],
            "unchanged": len(report.plan.unchanged),
            "warnings": [warning_data(warning) for warning in report.plan.warnings],
        },
        "decisions": [decision_data(decision) for decision in report.decisions],
        "outcomes": [_outcome(outcome) for outcome in report.outcomes],
    }


def run_data(run: Run) -> Data:
    """A run as it is listed: what was asked for, and how it stands."""
    return {
        "run": run.id,
        "scope": scope_data(run.scope),
        "mode": run.mode,
        "status": run.status.value,
        "startedAt": written(run.started_at),
        "finishedAt": written(run.finished_at) if run.finished_at else None,
    }


def run_report(run: Run) -> Data:
    """A run by itself: its Report, or, while there is none, how it stands and what went wrong."""
    return dict(run.report) if run.report is not None else {**run_data(run), "error": run.error or None}


def connection_data(decision: Decision) -> Data:
    """A connection, and what would be or was answered to it. The message is the consumer's own words, only shown."""
    connection = decision.connection
    answered = decision.answered
    return {
        "connection": str(connection.id),
        "target": str(connection.target),
        "endpoint": str(connection.endpoint) if connection.endpoint else None,
        "groups": list(connection.groups),
        "status": connection.status.value,
        "message": connection.message,
        "waitingSince": written_seconds(decision.since) if decision.since is not None else None,
        "verdict": decision.verdict.value if connection.status is ConnectionStatus.PENDING else None,
        "rule": decision.rule or None,
        "reason": decision.reason,
        "who": decision.who if answered is not None else None,
        "answeredAt": written_seconds(answered) if answered is not None else None,
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
        "decisions": [decision_data(decision) for decision in explanation.decisions],
    }


def name_data(explanation: NameExplanation) -> Data:
    """Which records may answer a name, and the endpoints that own them."""
    return {
        "name": str(explanation.name),
        "standing": [_standing(key, record) for key, record in sorted(explanation.standing.items())],
        "endpoints": [explanation_data(endpoint) for endpoint in explanation.endpoints],
        "trouble": list(explanation.trouble),
    }


def change_data(change: Change | ZoneChange) -> Data:
    """A Put or a Drop; or a zone that is made, or linked to a network."""
    match change:
        case Put() | Drop():
            return {
                "op": change.op,
                **_key(change.key),
                "addresses": [str(address) for address in change.addresses],
                "was": [str(address) for address in change.was],
                "why": change.why,
                "endpoint": str(change.endpoint),
            }
        case MakeZone():
            return _zone_change(change)
        case LinkZone():
            how = {"network": str(change.network), "nxDomainRedirect": change.redirects}
            return {**_zone_change(change), **how}
        case _ as never:
            assert_never(never)


def _zone_change(change: ZoneChange) -> Data:
    """With the keys that every change has."""
    return {
        "op": change.op,
        "zone": change.zone.name,
        "zoneId": str(change.zone),
        "name": None,
        "type": None,
        "addresses": [],
        "was": [],
        "why": change.why,
        "endpoint": None,
    }


def warning_data(warning: PlanWarning) -> Data:
    """Something to know of: whose name it is about, or which connection, or else which zone."""
    return {
        "hub": warning.hub or None,
        "zone": warning.zone.name if warning.zone else None,
        "zoneId": str(warning.zone) if warning.zone else None,
        "name": warning.name or None,
        "endpoint": str(warning.endpoint) if warning.endpoint else None,
        "connection": str(warning.connection) if warning.connection else None,
        "detail": warning.detail,
    }


def decision_data(decision: Decision) -> Data:
    """What was decided on a connection; `after` is what it showed then, null where it was not answered."""
    return {
        "connection": str(decision.connection.id),
        "verdict": decision.verdict.value,
        "rule": decision.rule or None,
        "who": decision.who,
        "reason": decision.reason,
        "before": decision.before.value,
        "after": decision.after.value if decision.after else None,
    }


def held_data(held: Held) -> Data:
    """Something held, with its reason, what the reason means, and the particulars; the zone may be a missing one."""
    zone = held.missing.zone.text if held.missing else None
    key = _key(held.key) if held.key else {"zone": zone, "zoneId": None, "name": held.name or None}
    return {
        "reason": held.reason.value,
        "meaning": held.reason.meaning,
        "endpoint": str(held.endpoint) if held.endpoint else None,
        "connection": str(held.connection) if held.connection else None,
        "zone": key["zone"],
        "zoneId": key["zoneId"],
        "name": key["name"],
        "detail": held.detail,
    }


def _outcome(outcome: Outcome) -> Data:
    change = outcome.change
    return {
        "change": _answer(change) if isinstance(change, Decision) else change_data(change),
        "result": outcome.result.value,
        "error": outcome.error or None,
    }


def _answer(decision: Decision) -> Data:
    connection = decision.connection
    return {
        "op": decision.verdict.value,
        "connection": str(connection.id),
        "endpoint": str(connection.endpoint) if connection.endpoint else None,
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
    """Two hubs may have zones of one name: the id tells them apart."""
    return {"zone": key.zone.name, "zoneId": str(key.zone), "name": key.name, "type": key.type.value}
