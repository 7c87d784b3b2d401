"""Changes, answers and what is held as announcements: ids, names, addresses and codes.

Nothing that a consumer wrote goes in, and no sentence: those are for the Report. Of a person only the object id does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from hubwarden.model.announcement import Announcement, Kind, digest
from hubwarden.model.connection import Decision, Verdict
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.plan import Change, Held, Put
from hubwarden.model.record import RecordKey
from hubwarden.model.report import Outcome, Result
from hubwarden.model.resource_id import ResourceId
from hubwarden.report.times import written_seconds

_ANSWERED = {Verdict.APPROVE: Kind.CONNECTION_APPROVED, Verdict.REJECT: Kind.CONNECTION_REJECTED}


def of_change(change: Change, now: float) -> Announcement:
    """A record that is to be written or dropped. What is written has no id before it bears an etag."""
    data = {
        **_record(change.key),
        "addresses": [str(address) for address in change.addresses],
        "was": [str(address) for address in change.was],
        "endpoint": str(change.endpoint),
    }
    subject = record_id(change.key)
    if isinstance(change, Put):
        return Announcement(Kind.RECORD_REGISTERED, subject, data, now)
    known_by = id_of_record(Kind.RECORD_WITHDRAWN, change.key, change.etag)
    return Announcement(Kind.RECORD_WITHDRAWN, subject, data, now, known_by)


def id_of_record(kind: Kind, key: RecordKey, etag: str) -> str:
    """The id of what happened to a record: no two writes leave, and no two records that are dropped had, one etag."""
    return digest(kind, key.zone.key, key.type, key.name, etag)


def record_id(key: RecordKey) -> str:
    """The id of a record set in Azure."""
    return f"{key.zone}/{key.type}/{key.name}"


def of_answer(
    connection: ResourceId, endpoint: ResourceId | None, verdict: Verdict, rule: str, *, who: str, name: str, now: float
) -> Announcement:
    """A connection that shows the answer now; `name` is what the ledger calls the decision."""
    kind = _ANSWERED[verdict]
    data = {
        **_connection(connection, endpoint),
        "verdict": verdict.value,
        "rule": rule or None,
        "who": who,
        "before": ConnectionStatus.PENDING.value,
        "after": verdict.status.value,
    }
    return Announcement(kind, str(connection), data, now, digest(kind, name))


def left(
    decisions: Sequence[Decision], held: Sequence[Held], outcomes: Iterable[Outcome], now: float
) -> Iterator[Announcement]:
    """What a run left undone, each once: connections that wait for a person or whose answer failed, records held.

    What is likely to change soon by itself is not told.
    """
    reasons = {each.connection: each.reason.value for each in held if each.connection and not each.waits}
    soon = {each.connection for each in held if each.waits}
    decided = {decision.connection.id for decision in decisions}
    for decision in decisions:
        connection = decision.connection
        if decision.verdict is Verdict.HOLD and decision.after is None and connection.id not in soon:
            code = reasons.get(connection.id)
            yield _waiting(connection.id, connection.endpoint, decision.rule, code, now)
    for outcome in outcomes:
        if isinstance(outcome.change, Decision) and outcome.result is Result.FAILED:
            yield _failed(outcome.change, now)
    for each in held:
        if each.waits:
            continue
        if each.connection is None:
            yield _held(each, now)
        elif each.connection not in decided:
            yield _waiting(each.connection, each.endpoint, "", each.reason.value, now)


def of_reminder(
    decision: Decision, reason: str | None, since: float, reminded: float | None, now: float
) -> Announcement:
    """A connection that still waits; `since` when, and when it was told of the last time, in seconds since 1970."""
    connection = decision.connection
    told = _waiting(connection.id, connection.endpoint, decision.rule, reason, now)
    more = {
        "reminder": True,
        "waitingSince": written_seconds(since),
        "lastReminder": None if reminded is None else written_seconds(reminded),
    }
    return replace(told, data={**told.data, **more})


def _waiting(
    connection: ResourceId, endpoint: ResourceId | None, rule: str, reason: str | None, now: float
) -> Announcement:
    data = {
        **_connection(connection, endpoint),
        "verdict": Verdict.HOLD.value,
        "rule": rule or None,
        "reason": reason,
    }
    return Announcement(Kind.CONNECTION_HELD, str(connection), data, now)


def _failed(decision: Decision, now: float) -> Announcement:
    data = {
        **_connection(decision.connection.id, decision.connection.endpoint),
        "verdict": decision.verdict.value,
        "rule": decision.rule or None,
        "who": decision.who,
        "before": decision.before.value,
    }
    return Announcement(Kind.CONNECTION_FAILED, str(decision.connection.id), data, now)


def _held(held: Held, now: float) -> Announcement:
    data = {
        **(_record(held.key) if held.key else {}),
        "endpoint": str(held.endpoint) if held.endpoint else None,
        "reason": held.reason.value,
    }
    subject = record_id(held.key) if held.key else str(held.endpoint or "")
    return Announcement(Kind.RECORD_HELD, subject, data, now)


def _record(key: RecordKey) -> dict[str, object]:
    return {"zone": key.zone.name, "name": key.name, "type": key.type.value}


def _connection(connection: ResourceId, endpoint: ResourceId | None) -> dict[str, object]:
    return {"target": str(connection.parent), "endpoint": str(endpoint) if endpoint else None}
