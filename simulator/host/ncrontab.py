"""Reads timer schedules: NCRONTAB, which is cron with a field for seconds in front."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulator.host.worker import AppError

FIELDS = (("second", 0, 59), ("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 6))
NAMES = {
    "month": ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    "weekday": ("sun", "mon", "tue", "wed", "thu", "fri", "sat"),
}
PART = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>[1-9]\d*))?")
FAR = timedelta(days=366 * 8)  # a 29 February is never farther away


@dataclass(frozen=True, slots=True)
class Schedule:
    """The moments at which a timer is due, in UTC: for each field the values that it takes."""

    text: str
    fields: tuple[frozenset[int], ...]

    def after(self, moment: datetime) -> datetime:
        """The first moment after this one at which the timer is due.

        Raises AppError if there is none, as on 30 February.
        """
        seconds, minutes, hours, days, months, weekdays = self.fields
        found = moment.replace(microsecond=0) + timedelta(seconds=1)
        limit = found + FAR
        while found < limit:
            if found.month not in months or found.day not in days or found.isoweekday() % 7 not in weekdays:
                found = found.replace(hour=0, minute=0, second=0) + timedelta(days=1)
            elif found.hour not in hours:
                found = found.replace(minute=0, second=0) + timedelta(hours=1)
            elif found.minute not in minutes:
                found = found.replace(second=0) + timedelta(minutes=1)
            elif found.second not in seconds:
                found += timedelta(seconds=1)
            else:
                return found
        raise AppError(f"the schedule '{self.text}' never comes due")


def parse(text: str) -> Schedule:
    """The schedule in six fields, or in five, which then lack the seconds.

    Raises AppError if it is neither.
    """
    parts = text.split()
    if len(parts) == 5:
        parts.insert(0, "0")
    if len(parts) != 6:
        raise AppError(f"the schedule '{text}' has {len(parts)} fields, not 6")
    try:
        return Schedule(text, tuple(_values(part, *field) for part, field in zip(parts, FIELDS, strict=True)))
    except ValueError as error:
        raise AppError(f"the schedule '{text}' is not NCRONTAB: {error}") from error


def _values(text: str, field: str, low: int, high: int) -> frozenset[int]:
    values: set[int] = set()
    for part in text.split(","):
        match = PART.fullmatch(part)
        if match is None:
            raise ValueError(f"'{part}' is not a {field}")
        first = low if match["first"] is None else _number(match["first"], field, low)
        # `5/15` begins at 5 and goes on to the end, `5` alone is 5.
        last = high if match["first"] is None or (match["step"] and not match["last"]) else first
        if match["last"]:
            last = _number(match["last"], field, low)
        if not low <= first <= last <= high:
            raise ValueError(f"'{part}' is not within {low}-{high}")
        values.update(range(first, last + 1, int(match["step"] or 1)))
    return frozenset(values)


def _number(text: str, field: str, low: int) -> int:
    names = NAMES.get(field, ())
    if text.lower()[:3] in names:
        return names.index(text.lower()[:3]) + low
    return int(text)
