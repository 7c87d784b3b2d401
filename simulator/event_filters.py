"""Which events an Event Grid subscription asks for; a filter this does not know is an error, never a guess."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Azure, string comparisons know no case; values of one filter are alternatives (behaviour reference section 1.7).
OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringContains": lambda found, wanted: wanted in found,
    "StringBeginsWith": lambda found, wanted: found.startswith(wanted),
    "StringEndsWith": lambda found, wanted: found.endswith(wanted),
    "StringIn": lambda found, wanted: found == wanted,
}
ENVELOPE = {"id", "topic", "subject", "eventtype", "dataversion"}
KNOWN = {
    "includedEventTypes",
    "subjectBeginsWith",
    "subjectEndsWith",
    "isSubjectCaseSensitive",
    "advancedFilters",
    "enableAdvancedFilteringOnArrays",
}
# Azure, at most 25 filters and 25 values over all filters of an event subscription (behaviour reference section 1.7).
MAX_FILTERS = MAX_VALUES = 25


class FilterError(ValueError):
    """The filter says something that is not simulated, or more than Azure takes."""


@dataclass(frozen=True, slots=True)
class Advanced:
    """One advanced filter: where to look and what to find there."""

    operator: str
    path: tuple[str, ...]
    values: tuple[str, ...]

    def matches(self, event: Mapping[str, Any]) -> bool:
        """Whether the event has one of the values there."""
        found: Any = event
        for step in self.path:
            found = _member(found, step)
        if not isinstance(found, str):
            return False
        return any(OPERATORS[self.operator](found.lower(), value.lower()) for value in self.values)


@dataclass(frozen=True, slots=True)
class Filter:
    """All that an event must meet."""

    event_types: frozenset[str] | None
    begins_with: str
    ends_with: str
    case_sensitive: bool
    advanced: tuple[Advanced, ...]

    def matches(self, event: Mapping[str, Any]) -> bool:
        """Whether the event is asked for: each of its parts must agree."""
        subject, begins, ends = event["subject"], self.begins_with, self.ends_with
        if not self.case_sensitive:
            subject, begins, ends = subject.lower(), begins.lower(), ends.lower()
        return (
            (self.event_types is None or event["eventType"].lower() in self.event_types)
            and subject.startswith(begins)
            and subject.endswith(ends)
            and all(each.matches(event) for each in self.advanced)
        )


def read(document: Mapping[str, Any]) -> Filter:
    """The filter of an event subscription, from its `properties.filter`.

    Raises FilterError.
    """
    if unknown := set(document) - KNOWN:
        raise FilterError(f"the filter property {', '.join(sorted(unknown))} is not simulated")
    if document.get("enableAdvancedFilteringOnArrays"):
        raise FilterError("filtering on arrays is not simulated")
    types: Sequence[str] | None = document.get("includedEventTypes")
    advanced = tuple(_advanced(each) for each in document.get("advancedFilters") or ())
    if len(advanced) > MAX_FILTERS or sum(len(each.values) for each in advanced) > MAX_VALUES:
        raise FilterError(f"more than {MAX_FILTERS} advanced filters or {MAX_VALUES} values")
    return Filter(
        event_types=None if types is None else frozenset(each.lower() for each in types),
        begins_with=document.get("subjectBeginsWith") or "",
        ends_with=document.get("subjectEndsWith") or "",
        case_sensitive=bool(document.get("isSubjectCaseSensitive")),
        advanced=advanced,
    )


def _advanced(document: Mapping[str, Any]) -> Advanced:
    operator, key = str(document.get("operatorType")), str(document.get("key"))
    if operator not in OPERATORS:
        raise FilterError(f"the operator {operator} is not simulated")
    first, *rest = key.split(".")
    if (rest and first != "data") or (not rest and first.lower() not in ENVELOPE):
        raise FilterError(f"the key {key} is none that can be filtered on")
    return Advanced(operator, (first, *rest), tuple(str(value) for value in document["values"]))


def _member(value: Any, name: str) -> Any:
    if not isinstance(value, Mapping):
        return None
    # Azure writes the keys of the envelope as it likes: `Subject` in a filter is `subject` in the event.
    return next((found for key, found in value.items() if key.lower() == name.lower()), None)
