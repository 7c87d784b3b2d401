"""Note: what an owner's rule writes into a connection's description, with facts put in where it names them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from hubwarden.errors import InputError
from hubwarden.model.facts import FACTS, Facts, Kind, Value

LONGEST = 140
"""Characters; what Azure takes as the description of a connection."""

_PLACE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Note:
    """A text in which `{fact}` stands for a fact by its name, and nothing else is special."""

    text: str

    @classmethod
    def parse(cls, text: object) -> Self:
        """Reads a note. Raises InputError for braces that name no fact, and for what could not be seen."""
        if not isinstance(text, str):
            raise InputError(f"a note is text, not {type(text).__name__}")
        if not text.strip() or not text.isprintable() or len(text) > LONGEST:
            raise InputError(f"a note is one line of 1 to {LONGEST} characters that can be seen")
        if set("{}") & set(_PLACE.sub("", text)):
            raise InputError("braces stand only around the name of a fact, such as {target.name}")
        if unknown := [name for name in _PLACE.findall(text) if name not in NAMES]:
            raise InputError(
                f"{', '.join(unknown)[:120]!r} is no fact that a note can show; it can: {', '.join(NAMES)}"
            )
        return cls(text)

    def told(self, facts: Facts) -> str:
        """The note about these facts, as Azure takes it: at most LONGEST characters, all to be seen; `?` is not known.

        Empty where nothing can be seen of it.
        """
        return description(_PLACE.sub(lambda found: _said(FACTS[found[1]].read(facts)), self.text))

    def __str__(self) -> str:
        return self.text


def description(text: str) -> str:
    """A text as Azure takes it for a connection: at most LONGEST characters, all to be seen; perhaps none."""
    # Azure counts UTF-16 units, of which rare characters take two.
    return to_be_seen(text).encode("utf-16-le")[: 2 * LONGEST].decode("utf-16-le", errors="ignore").strip()


def to_be_seen(text: str) -> str:
    """What of a text can be seen, in one line: its words stay apart where a line ended between them."""
    spaced = (" " if character.isspace() else character for character in text)
    return "".join(character for character in spaced if character.isprintable())


NAMES = tuple(name for name, fact in FACTS.items() if fact.kind is not Kind.TAGS)
"""The facts that a note can show."""


def _said(value: Value | None) -> str:
    match value:
        case None:
            return "?"
        case bool():
            return str(value).lower()
        case float():
            return f"{value / 3600:.0f} h"
        case tuple():
            return ", ".join(value) or "none"
        case _:
            return str(value)
