"""The rows of the catalogue, what is peculiar about each, and the data files in which Microsoft's stand."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources

from hubwarden.catalog.patterns import Pattern, lines_of, pattern
from hubwarden.errors import InputError
from hubwarden.model.resource_id import fold

CLOUDS = ("public", "usgov", "china")


class Trait(StrEnum):
    """What a reader of the table could not see from a row's type, group, zone and suffix."""

    SHARED = "shared"
    """Its names do not carry the target's own name, so that one record answers for everybody."""
    APEX = "apex"
    """The suffix itself is one of the service's names."""
    WILDCARD = "wildcard"
    """The service has wildcard names."""
    NOT_CREATED = "not-created"
    """The zone is never to be created or linked by us."""
    PART = "part"
    """No zone of its own by the table's footnotes: it holds the record only where it exists already."""
    OWN_RECORDS = "own-records"
    """The service writes its records itself."""
    ASSIGNED = "assigned"
    """The service makes its names up, or a target's name is its own in one region only: who merely has a target of
    that name may not have the name."""
    SILENT = "silent"
    """Its names change without a write of the endpoint, so that only a sweep sees it."""


@dataclass(frozen=True, slots=True)
class Row:
    """Names of this target type and group that end in `suffix` belong in `zone`; both may hold placeholders.

    The group is compared without case; `sites-*` is any group that begins so, `*` any group at all. Raises InputError
    for a zone or a suffix that is no name, and where they do not hold the same placeholders: what the zone is called
    must follow from the name, and the name from the record.
    """

    type: str
    group: str
    zone: str
    suffix: str
    notes: str = ""
    traits: frozenset[Trait] = frozenset()

    def __post_init__(self) -> None:
        missing = sorted(self.zone_pattern.placeholders ^ self.suffix_pattern.placeholders)
        if missing:
            raise InputError(
                f"zone {self.zone!r} and suffix {self.suffix!r} must hold the same placeholders; "
                f"{', '.join(missing)} stands in one of them only"
            )

    @property
    def zone_pattern(self) -> Pattern:
        """The zone, ready to be compared."""
        return pattern(self.zone)

    @property
    def suffix_pattern(self) -> Pattern:
        """The suffix, ready to be compared."""
        return pattern(self.suffix)

    @property
    def key(self) -> tuple[str, str, str]:
        """What an owner's row must repeat to override this one."""
        return (fold(self.type), fold(self.group), str(self.suffix_pattern))


@cache
def published(cloud: str) -> tuple[Row, ...]:
    """Microsoft's rows for a cloud, as our data file has them."""
    text = resources.files(__package__).joinpath(f"{cloud}.csv").read_text(encoding="utf-8")
    return tuple(
        Row(
            row["type"],
            row["group"],
            row["zone"],
            row["suffix"],
            row["notes"],
            frozenset(Trait(trait) for trait in row["traits"].split()),
        )
        for row in csv.DictReader(lines_of(text))
    )
