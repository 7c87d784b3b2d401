"""Faults and warnings of a file as plain data and as CSV: file, line, key and message, each by itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from hubwarden.report.columns import as_csv

COLUMNS = ("severity", "file", "line", "key", "message")

# As config writes them; what is wrong with the text itself (not YAML, an alias) has no key.
_FAULT = re.compile(r"(?P<file>.*?): line (?P<line>\d+): (?:(?P<key>\w[^:\s]*): )?(?P<message>.*)", re.DOTALL)


def faults_data(faults: Iterable[str], warnings: Iterable[str]) -> dict[str, Any]:
    """An object for each; line and key are null where the fault is not one of a place in the file."""
    return {"faults": [_parts(each) for each in faults], "warnings": [_parts(each) for each in warnings]}


def faults_csv(faults: Iterable[str], warnings: Iterable[str]) -> str:
    """A row for each."""
    return as_csv(COLUMNS, [*_rows("fault", faults), *_rows("warning", warnings)])


def _rows(severity: str, told: Iterable[str]) -> Sequence[Sequence[str]]:
    return [(severity, *("" if part is None else str(part) for part in _parts(each).values())) for each in told]


def _parts(told: str) -> dict[str, Any]:
    found = _FAULT.fullmatch(told)
    if found is None:
        return {"file": None, "line": None, "key": None, "message": told}
    return {"file": found["file"], "line": int(found["line"]), "key": found["key"], "message": found["message"]}
