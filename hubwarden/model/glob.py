"""Glob: names as an owner writes them, where `*` stands for any characters and `?` for one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Self

from hubwarden.errors import InputError
from hubwarden.model.resource_id import fold

LONGEST = 260
"""Characters; no resource has a longer name."""

_WILD = re.compile(r"[*?]")


@dataclass(frozen=True, slots=True)
class Glob:
    """Which names are meant: `*` is any number of characters, `?` is one, all else is itself; compared without case."""

    text: str
    """In lower case: Azure compares names without case."""
    _beginning: str = field(init=False, repr=False, compare=False)
    """What stands before the first `*` or `?`: most names differ there."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_beginning", _WILD.split(self.text, maxsplit=1)[0])

    @classmethod
    def parse(cls, text: object) -> Self:
        """Reads a glob. Raises InputError for what no name could be, and for one that every name matches."""
        if not isinstance(text, str):
            raise InputError(f"a name is text, not {type(text).__name__}")
        if not text.isprintable() or not 0 < len(text) <= LONGEST or text != text.strip():
            raise InputError(
                f"{text[:60]!r} is no name: 1 to {LONGEST} characters that can be seen, with no blank around"
            )
        return cls(fold(text))

    @property
    def is_anything(self) -> bool:
        """Whether every name matches."""
        return not self.text.strip("*")

    def matches(self, name: str) -> bool:
        """Whether the whole name is as the glob says; in steps no more than both lengths multiplied."""
        glob, text = self.text, fold(name)
        if not text.startswith(self._beginning):
            return False
        place = position = len(self._beginning)
        retry, star = 0, -1
        while position < len(text):
            if place < len(glob) and glob[place] == "*":
                star, retry = place, position
                place += 1
            elif place < len(glob) and glob[place] in ("?", text[position]):
                place += 1
                position += 1
            elif star >= 0:  # the last star takes one character more
                retry += 1
                place, position = star + 1, retry
            else:
                return False
        return not glob[place:].strip("*")

    def __str__(self) -> str:
        return self.text
