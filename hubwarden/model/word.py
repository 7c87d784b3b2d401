"""Word: what a person says is to become of records that Hubwarden by itself leaves as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from hubwarden.errors import InputError
from hubwarden.model.dns_name import DnsName

MOST_NAMES = 100
"""Names that one word may give: with its names it still fits in a queue's message and in a row of the ledger."""

_LONGEST_HUB = 63


class Verb(StrEnum):
    """What is said."""

    ADOPT = "adopt"
    REPLACE = "replace"
    RELEASE = "release"
    RENAME = "rename"


@dataclass(frozen=True, slots=True)
class Word:
    """What a person says, and of which records: of those named, or of all that the verb is for.

    By itself it allows nothing: only together with the hash of the plan that it leads to is anything written.
    """

    verb: Verb
    names: tuple[DnsName, ...] = ()
    """Public names, or the full names of records; empty means all, where the verb allows that."""
    zone: DnsName | None = None
    hub: str = ""
    """Only records in this zone, or of this hub; None or empty: in any."""

    @classmethod
    def read(cls, verb: object, names: object = (), zone: object = None, hub: object = None) -> Self:
        """Reads what a caller sent. Raises InputError for what is no such word."""
        if not isinstance(verb, str) or verb not in set(Verb):
            raise InputError(f"a word is one of {', '.join(Verb)}")
        if not isinstance(names, list | tuple) or len(names) > MOST_NAMES:
            raise InputError(f"'names' is a list of at most {MOST_NAMES} names")
        if not isinstance(hub, str | None) or len(hub or "") > _LONGEST_HUB:
            raise InputError("'hub' is the name of a hub")
        said = Verb(verb)
        if said is Verb.REPLACE and not names:
            raise InputError("replace takes the names of the records, one by one")
        if said is Verb.RENAME and names:
            raise InputError("rename takes no names: it is for all records of ours that bear a former name")
        read = tuple(dict.fromkeys(DnsName.parse(name) for name in names))
        return cls(said, read, None if zone is None else DnsName.parse(zone), hub or "")

    def __str__(self) -> str:
        what = ", ".join(map(str, self.names)) or "all records that it is for"
        where = (f" in zone {self.zone}" if self.zone else "") + (f" of hub {self.hub}" if self.hub else "")
        return f"{self.verb} {what}{where}"


def word_data(word: Word) -> dict[str, object]:
    """A word as plain data."""
    return {
        "verb": word.verb.value,
        "names": [name.text for name in word.names],
        "zone": word.zone.text if word.zone else None,
        "hub": word.hub or None,
    }


def to_word(data: object) -> Word:
    """Reads what `word_data` wrote. Raises InputError for anything else."""
    if not isinstance(data, Mapping):
        raise InputError("a word is an object")
    return Word.read(data.get("verb"), data.get("names", ()), data.get("zone"), data.get("hub"))
