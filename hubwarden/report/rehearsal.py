"""Policies that were tried, on cases and on what waits, for people's eyes: as a table, as CSV and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from hubwarden.model.connection import Verdict
from hubwarden.model.judgement import Asking, Comparison, Judged, Judgement, Rehearsal, Tried
from hubwarden.report.columns import as_csv, fitted, printable

Data = dict[str, Any]

TRIED_COLUMNS = ("connection", "type", "endpoint", "verdict", "rule", "reason")
CHANGE_COLUMNS = ("connection", "type", "endpoint", "before", "ruleBefore", "after", "ruleAfter", "reason")
CASE_COLUMNS = ("case", "passed", "expected", "verdict", "rule", "reason")


def judged_text(judged: Sequence[Judged]) -> str:
    """What would be decided on each, and how many would be answered how."""
    counts = Counter(each.judgement.verdict for each in judged)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    summary = f"{counted(len(judged), 'connection')} waiting" + (f": {told}" if told else "")
    return _table(TRIED_COLUMNS, [_judged_cells(each) for each in judged], summary)


def judged_csv(judged: Sequence[Judged]) -> str:
    """The same as CSV, a row for each."""
    return as_csv(TRIED_COLUMNS, [_judged_cells(each) for each in judged])


def judged_data(judged: Sequence[Judged]) -> Data:
    """The same as plain data."""
    return {"value": [{**_asking(each.asking), **_judgement(each.judgement)} for each in judged]}


def comparison_text(comparison: Comparison) -> str:
    """What would be answered otherwise, or by another rule, "before -> after", and how many of how many."""
    rows = [
        (*_asking_cells(each.asking), f"{_said(each.before)} -> {_said(each.after)}", each.after.reason)
        for each in comparison.changes
    ]
    told = f"{len(comparison.changes)} of {counted(comparison.of, 'connection')} would be decided otherwise"
    columns = (*TRIED_COLUMNS[:3], "before -> after", "reason")
    return _table(columns, rows, f"{told}, {comparison.other_verdicts} with another verdict")


def comparison_csv(comparison: Comparison) -> str:
    """The same as CSV, a row for each change."""
    rows = [
        (
            *_asking_cells(each.asking),
            *(each.before.verdict.value, each.before.rule, each.after.verdict.value, each.after.rule),
            each.after.reason,
        )
        for each in comparison.changes
    ]
    return as_csv(CHANGE_COLUMNS, rows)


def comparison_data(comparison: Comparison) -> Data:
    """The same as plain data."""
    changes = [
        {**_asking(each.asking), "before": _judgement(each.before), "after": _judgement(each.after)}
        for each in comparison.changes
    ]
    return {"value": changes, "connections": comparison.of, "otherVerdicts": comparison.other_verdicts}


def rehearsal_text(rehearsal: Rehearsal) -> str:
    """The cases that came out otherwise than expected, the rules that no case reached, and how many cases there are."""
    failed = [each for each in rehearsal.tried if not each.is_as_expected]
    lines = [_failure(each) for each in failed]
    lines += [f"never exercised: {name}" for name in rehearsal.unexercised]
    lines.append(f"{counted(len(rehearsal.tried), 'case')}, {len(failed)} failed")
    return "\n".join(map(printable, lines))


def rehearsal_csv(rehearsal: Rehearsal) -> str:
    """Every case as CSV; rules that no case reached are not in it."""
    return as_csv(CASE_COLUMNS, [_case_cells(each) for each in rehearsal.tried])


def rehearsal_data(rehearsal: Rehearsal) -> Data:
    """Every case, and the rules that no case reached, as plain data."""
    cases = [
        {
            "case": each.case.name,
            "passed": each.is_as_expected,
            "expected": {"verdict": each.case.verdict.value, "rule": each.case.rule},
            **_judgement(each.judgement),
        }
        for each in rehearsal.tried
    ]
    return {"value": cases, "neverExercised": list(rehearsal.unexercised)}


def counted(count: int, what: str) -> str:
    """So many of something, in words."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], summary: str) -> str:
    shown = [[printable(cell) for cell in row] for row in rows]
    return "\n".join([*fitted(columns, shown), summary])


def _judged_cells(judged: Judged) -> Sequence[str]:
    said = judged.judgement
    return (*_asking_cells(judged.asking), said.verdict.value, said.rule, said.reason)


def _asking_cells(asking: Asking) -> Sequence[str]:
    return (str(asking.connection), asking.facts.target_type, str(asking.endpoint or ""))


def _asking(asking: Asking) -> Data:
    endpoint = str(asking.endpoint) if asking.endpoint else None
    return {"connection": str(asking.connection), "type": asking.facts.target_type, "endpoint": endpoint}


def _judgement(judgement: Judgement) -> Data:
    return {"verdict": judgement.verdict.value, "rule": judgement.rule or None, "reason": judgement.reason}


def _said(judgement: Judgement) -> str:
    return f"{judgement.verdict} by {judgement.rule}" if judgement.rule else judgement.verdict.value


def _case_cells(tried: Tried) -> Sequence[str]:
    case, said = tried.case, tried.judgement
    expected = f"{case.verdict} by {case.rule}" if case.rule else case.verdict.value
    return (case.name, str(tried.is_as_expected).lower(), expected, said.verdict.value, said.rule, said.reason)


def _failure(tried: Tried) -> str:
    case, found = tried.case, tried.judgement
    by = f" by {case.rule}" if case.rule else ""
    return f"failed: {case.name}: expected {case.verdict}{by}, but {found.verdict}: {found.reason}"
