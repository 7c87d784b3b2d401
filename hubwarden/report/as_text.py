"""Reports and explanations for people's eyes, as plain text, and for spreadsheets, as CSV."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence
from typing import assert_never

from hubwarden.model.endpoint import Endpoint, Gone
from hubwarden.model.plan import Change, Drop, Put
from hubwarden.model.record import RecordSet, Unread
from hubwarden.model.report import Explanation, NameExplanation, Outcome, Report

COLUMNS = ("op", "zone", "name", "type", "addresses", "was", "why", "endpoint", "result", "error")


def report_text(report: Report) -> str:
    """A Report: what changes, what became of it, and what is held and why."""
    plan = report.plan
    lines = [f"{report.mode}: {report.status.value}, {len(plan.unchanged)} unchanged, plan {plan.hash}"]
    results = _results(report)
    rows = [_row(change, results.get(id(change))) for change in plan.changes]
    lines += _table(("op", "record", "addresses", "was", "why", "result"), rows)
    lines += [f"failed: {outcome.change.key}: {outcome.error}" for outcome in report.unfinished]
    lines += [
        f"held: {held.reason.value}: {held.key or held.name or held.endpoint}: {held.detail}" for held in plan.held
    ]
    return _printable(lines)


def explanation_text(explanation: Explanation) -> str:
    """What is seen, wanted, held and owned, and why."""
    lines = [str(explanation.endpoint), *_seen(explanation.seen)]
    lines += ["", "records:" if explanation.standing else "records: none wanted, none claimed"]
    claims = {claim.key: claim for claim in explanation.claims}
    for key, record in sorted(explanation.standing.items()):
        claim = claims.get(key)
        lines.append(f"  {key}: {_standing(record)}; {claim.state if claim else 'not claimed'}")
    plan = explanation.plan
    lines += [f"would {_op(change)} {change.key}: {change.why}" for change in plan.changes]
    lines += [f"held: {held.reason.value}: {held.reason.meaning} ({held.detail})" for held in plan.held]
    return _printable(lines)


def name_text(explanation: NameExplanation) -> str:
    """Which records may answer a name, and the endpoints that own them."""
    lines = [f"{explanation.name}:"]
    for key, record in sorted(explanation.standing.items()):
        lines.append(f"  {key}: {_standing(record)}")
    if not explanation.standing:
        lines.append("  no hub has a zone for it")
    text = _printable(lines)
    return "\n\n".join([text, *map(explanation_text, explanation.endpoints)])


def report_csv(report: Report) -> str:
    """A Report as CSV, a row for each change and each thing held; several addresses are joined by `;`."""
    results = _results(report)
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="")
    writer.writeheader()
    for change in report.plan.changes:
        outcome = results.get(id(change))
        writer.writerow(
            {
                "op": _op(change),
                "zone": change.key.zone.name,
                "name": change.key.name,
                "type": change.key.type,
                "addresses": _join(change.addresses, ";") if isinstance(change, Put) else "",
                "was": _join(change.was, ";"),
                "why": _cell(change.why),
                "endpoint": change.endpoint,
                "result": outcome.result if outcome else "",
                "error": _cell(outcome.error) if outcome else "",
            }
        )
    for held in report.plan.held:
        writer.writerow(
            {
                "op": "held",
                "zone": held.key.zone.name if held.key else "",
                "name": held.key.name if held.key else _cell(held.name),
                "type": held.key.type if held.key else "",
                "why": f"{held.reason.value}: {_safe(held.detail)}",
                "endpoint": held.endpoint,
            }
        )
    return out.getvalue()


def _standing(record: RecordSet | Unread | None) -> str:
    match record:
        case None:
            return "nothing stands there"
        case Unread():
            return f"not shown: {record.detail}"
        case RecordSet():
            return f"{_join(record.addresses)} (by {record.keeper})"
        case _ as never:
            assert_never(never)


def _cell(text: str) -> str:
    """A stranger's text as a cell: a spreadsheet must not take it for a formula."""
    safe = _safe(text)
    return f"'{safe}" if safe[:1] in ("=", "+", "-", "@") else safe


def _results(report: Report) -> dict[int, Outcome]:
    return {id(outcome.change): outcome for outcome in report.outcomes}


def _row(change: Change, outcome: Outcome | None) -> Sequence[str]:
    addresses = _join(change.addresses) if isinstance(change, Put) else ""
    result = outcome.result.value if outcome else "planned"
    return (_op(change), str(change.key), addresses, _join(change.was), change.why, result)


def _op(change: Change) -> str:
    match change:
        case Put():
            return "put"
        case Drop():
            return "drop"
        case _ as never:
            assert_never(never)


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


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Aligned columns; nothing at all where there is no row."""
    cells = [headings, *rows]
    if len(cells) == 1:
        return []
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def _join(addresses: Iterable[object], separator: str = ", ") -> str:
    return separator.join(str(address) for address in addresses)


def _printable(lines: Iterable[str]) -> str:
    return "\n".join(_safe(line) for line in lines)


def _safe(text: str) -> str:
    """Strangers' text must not steer a terminal: control and format characters are shown as escapes."""
    return "".join(
        character if unicodedata.category(character)[0] != "C" else character.encode("unicode_escape").decode()
        for character in text
    )
