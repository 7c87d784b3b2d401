"""Reports, explanations, runs and connections for people's eyes, as plain text, and for spreadsheets, as CSV."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import assert_never

from hubwarden.model.connection import Decision
from hubwarden.model.endpoint import ConnectionStatus, Endpoint, Gone
from hubwarden.model.explanation import Explanation, NameExplanation
from hubwarden.model.plan import Change, Held, HeldReason, PlanWarning
from hubwarden.model.record import RecordKey, RecordSet, Unread
from hubwarden.model.report import Outcome, Report, Run
from hubwarden.model.resource_id import ResourceId, fold
from hubwarden.model.zone import LinkZone, MakeZone, ZoneChange
from hubwarden.report.columns import aligned, as_csv, cell, fitted, printable
from hubwarden.report.times import written, written_seconds

COLUMNS = (
    "op",
    "zone",
    "name",
    "type",
    "addresses",
    "was",
    "why",
    "endpoint",
    "connection",
    "result",
    "error",
    "zoneId",
)
RUN_COLUMNS = ("run", "mode", "status", "started", "finished", "scope")
CONNECTION_COLUMNS = (
    *("connection", "status", "since", "endpoint", "groups", "verdict", "rule", "reason"),
    *("who", "answered", "message"),
)

_OVER_LIMIT = HeldReason.OVER_LIMIT.value


def report_text(report: Report) -> str:
    """A Report: what changes, what became of it, what is answered to connections, and what is held and why."""
    plan = report.plan
    lines = [f"{report.mode}: {report.status.value}, {len(plan.unchanged)} unchanged, plan {plan.hash}"]
    results = _results(report)
    zones = [each.zone for each in plan.zones] + [each.key.zone for each in (*plan.changes, *plan.over_limit)]
    place = _place([*zones, *(held.key.zone for held in plan.held if held.key)])
    rows = [_row(change, _result(results.get(id(change))), place) for change in (*plan.zones, *plan.changes)]
    rows += [_row(change, _OVER_LIMIT, place) for change in plan.over_limit]
    lines += fitted(("op", "record", "addresses", "was", "why", "result", "zone"), rows)
    lines += [_decision(decision) for decision in report.decisions]
    lines += [f"failed: {_called(outcome.key, place)}: {outcome.error}" for outcome in report.unfinished]
    lines += [_line("held", held.reason, _subject(held, place), held.detail) for held in plan.held]
    lines += [_line("warning", each.hub and f"hub {each.hub}", each.name, each.detail) for each in plan.warnings]
    return _printable(lines)


def runs_text(runs: Iterable[Run]) -> str:
    """Runs as a list, in the order given."""
    rows = [[str(cell) for cell in _run_cells(run)] for run in runs]
    return _printable(aligned(RUN_COLUMNS, rows) or ["no runs"])


def run_text(run: Run) -> str:
    """A run that has no Report: how it stands, and what went wrong."""
    return _printable([f"{run.id}: {run.mode}: {run.status}, {run.scope}", *([run.error] if run.error else [])])


def connections_text(decisions: Iterable[Decision]) -> str:
    """Connections, what would be answered to each, and what the consumer wrote."""
    rows = [_connection_cells(decision) for decision in decisions]
    return _printable(fitted(CONNECTION_COLUMNS, rows) or ["no connections"])


def explanation_text(explanation: Explanation) -> str:
    """What is seen, wanted, held and owned, and why."""
    lines = [str(explanation.endpoint), *_seen(explanation.seen)]
    lines += ["", "records:" if explanation.standing else "records: none wanted, none claimed"]
    claims = {claim.key: claim for claim in explanation.claims}
    place = _place(key.zone for key in explanation.standing)
    for key, record in sorted(explanation.standing.items()):
        claim = claims.get(key)
        lines.append(f"  {_called(key, place)}: {_standing(record)}; {claim.state if claim else 'not claimed'}")
    plan = explanation.plan
    lines += [f"connection: {each.verdict}: {each.reason}" for each in explanation.decisions]
    lines += [f"would {change.op} {_aim(change, place)}: {change.why}" for change in plan.changes]
    for held in plan.held:
        subject = _called(held.key, place) if held.key else held.name
        lines.append(_line("held", held.reason, subject, f"{held.reason.meaning} ({held.detail})"))
    return _printable(lines)


def name_text(explanation: NameExplanation) -> str:
    """Which records may answer a name, and the endpoints that own them."""
    lines = [f"{explanation.name}:"]
    place = _place(key.zone for key in explanation.standing)
    for key, record in sorted(explanation.standing.items()):
        lines.append(f"  {_called(key, place)}: {_standing(record)}")
    if not explanation.standing and not explanation.trouble:
        lines.append("  no hub has a zone for it")
    elif explanation.standing and not explanation.endpoints:
        lines.append("  no endpoint is known to want it")
    lines += [f"  not known: {trouble}" for trouble in explanation.trouble]
    text = _printable(lines)
    return "\n\n".join([text, *map(explanation_text, explanation.endpoints)])


def report_csv(report: Report) -> str:
    """A Report as CSV: a row for each change, decision, thing held and warning; addresses are joined by `;`."""
    results = _results(report)
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="")
    writer.writeheader()
    writer.writerows(_zone_cells(change, results.get(id(change))) for change in report.plan.zones)
    writer.writerows(_change_cells(change, results.get(id(change))) for change in report.plan.changes)
    writer.writerows({**_change_cells(change, None), "result": _OVER_LIMIT} for change in report.plan.over_limit)
    answered = {outcome.key: outcome for outcome in report.outcomes}
    writer.writerows(_decision_cells(each, answered.get(each.connection.id)) for each in report.decisions)
    writer.writerows(_held_cells(held) for held in report.plan.held)
    writer.writerows(_warning_cells(warning) for warning in report.plan.warnings)
    return out.getvalue()


def runs_csv(runs: Iterable[Run]) -> str:
    """Runs as CSV, a row for each."""
    return as_csv(RUN_COLUMNS, (_run_cells(run) for run in runs))


def connections_csv(decisions: Iterable[Decision]) -> str:
    """Connections as CSV, a row for each; several groups are joined by `;`."""
    return as_csv(CONNECTION_COLUMNS, (_connection_cells(decision, ";") for decision in decisions))


def _run_cells(run: Run) -> Sequence[object]:
    finished = written(run.finished_at) if run.finished_at else ""
    return (run.id, run.mode, run.status, written(run.started_at), finished, run.scope)


def _connection_cells(decision: Decision, separator: str = ", ") -> Sequence[str]:
    connection = decision.connection
    groups = _join(connection.groups, separator)
    endpoint = str(connection.endpoint or "")
    verdict = decision.verdict.value if connection.status is ConnectionStatus.PENDING else ""
    answer = (verdict, decision.rule, decision.reason)
    since = written_seconds(decision.since) if decision.since is not None else ""
    who, when = ("", "") if decision.answered is None else (decision.who, written_seconds(decision.answered))
    return (
        str(connection.id),
        connection.status.value,
        since,
        endpoint,
        groups,
        *answer,
        who,
        when,
        connection.message,
    )


def _change_cells(change: Change, outcome: Outcome | None) -> Mapping[str, object]:
    return {
        "op": change.op,
        "zone": change.key.zone.name,
        "name": change.key.name,
        "type": change.key.type,
        "addresses": _join(change.addresses, ";"),
        "was": _join(change.was, ";"),
        "why": cell(change.why),
        "endpoint": change.endpoint,
        "zoneId": change.key.zone,
        **_outcome_cells(outcome),
    }


def _zone_cells(change: ZoneChange, outcome: Outcome | None) -> Mapping[str, object]:
    return {
        "op": change.op,
        "zone": change.zone.name,
        "addresses": change.network if isinstance(change, LinkZone) else "",
        "why": cell(change.why),
        "zoneId": change.zone,
        **_outcome_cells(outcome),
    }


def _warning_cells(warning: PlanWarning) -> Mapping[str, object]:
    return {
        "op": "warning",
        "zone": warning.zone.name if warning.zone else "",
        "name": cell(warning.name),
        "why": cell(warning.detail),
        "endpoint": warning.endpoint or "",
        "connection": warning.connection or "",
        "zoneId": warning.zone or "",
    }


def _decision_cells(decision: Decision, outcome: Outcome | None) -> Mapping[str, object]:
    return {
        "op": decision.verdict,
        "why": cell(decision.reason),
        "endpoint": decision.connection.endpoint or "",
        "connection": decision.connection.id,
        **_outcome_cells(outcome),
    }


def _outcome_cells(outcome: Outcome | None) -> Mapping[str, object]:
    return {"result": outcome.result, "error": cell(outcome.error)} if outcome else {}


def _held_cells(held: Held) -> Mapping[str, object]:
    missing = held.missing.zone if held.missing else ""
    return {
        "op": "held",
        "zone": held.key.zone.name if held.key else missing,
        "name": held.key.name if held.key else cell(held.name),
        "type": held.key.type if held.key else "",
        "why": f"{held.reason.value}: {printable(held.detail)}",
        "endpoint": held.endpoint or "",
        "connection": held.connection or "",
        "zoneId": held.key.zone if held.key else "",
    }


Place = Callable[[ResourceId], str]


def _place(zones: Iterable[ResourceId]) -> Place:
    """Gives a zone's id where several zones bear its name, as those of two hubs do, and nothing where it is alone."""
    names = Counter(fold(zone.name) for zone in set(zones))
    return lambda zone: str(zone) if names[fold(zone.name)] > 1 else ""


def _called(key: RecordKey | ResourceId, place: Place) -> str:
    """A record by its name, and its zone where the name does not say which; whatever else there is by its id."""
    where = place(key.zone) if isinstance(key, RecordKey) else ""
    return f"{key} in {where}" if where else str(key)


def _subject(held: Held, place: Place) -> str:
    """What is held: the record, or the name, or the connection, and whose it is; or else the whole endpoint."""
    subject = _called(held.key, place) if held.key else held.name or held.connection
    return " for ".join(str(each) for each in (subject, held.endpoint) if each)


def _line(*parts: object) -> str:
    """What is known of these, in one line."""
    return ": ".join(str(part) for part in parts if part)


def _decision(decision: Decision) -> str:
    now = f", now {decision.after}" if decision.after else ""
    return f"{decision.verdict}: {decision.connection.id}: {decision.reason} (was {decision.before}{now})"


def _standing(record: RecordSet | Unread | None) -> str:
    match record:
        case None:
            return "nothing stands there"
        case Unread():
            return f"not shown: {record.detail}"
        case RecordSet():
            return f"{_join(record.addresses)} ({record.keeper})"
        case _ as never:
            assert_never(never)


def _results(report: Report) -> dict[int, Outcome]:
    return {id(outcome.change): outcome for outcome in report.outcomes}


def _row(change: Change | ZoneChange, result: str, place: Place) -> Sequence[str]:
    if isinstance(change, MakeZone | LinkZone):
        network = change.network.name if isinstance(change, LinkZone) else ""
        return (change.op, change.zone.name, network, "", change.why, result, place(change.zone))
    addresses, was = _join(change.addresses), _join(change.was)
    return (change.op, str(change.key), addresses, was, change.why, result, place(change.key.zone))


def _result(outcome: Outcome | None) -> str:
    return outcome.result.value if outcome else "planned"


def _aim(change: Change, place: Place) -> str:
    aim = _called(change.key, place)
    return f"{aim} -> {_join(change.addresses)}" if change.addresses else aim


def _seen(seen: Endpoint | Gone) -> Iterable[str]:
    match seen:
        case Gone():
            yield f"  not there ({'proven' if seen.proven else 'not proven'}): {seen.detail}"
        case Endpoint():
            yield f"  target: {seen.target_text or '(none)'}  groups: {', '.join(seen.groups) or '(none)'}"
            yield f"  connection: {seen.status}{' (manual)' if seen.manual else ''}  location: {seen.location}"
            for name in seen.names:
                yield f"  name: {name.fqdn} -> {_join(name.addresses)} (from its {name.source})"
        case _ as never:
            assert_never(never)


def _join(addresses: Iterable[object], separator: str = ", ") -> str:
    return separator.join(str(address) for address in addresses)


def _printable(lines: Iterable[str]) -> str:
    return "\n".join(printable(line) for line in lines)
