"""DnsName: a host or zone name that compares without case and without the final dot."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from hubwarden.errors import InputError
from hubwarden.model.resource_id import fold

APEX = "@"
LONGEST = 253
_PRIVATE_LINK = frozenset({"privatelink", "privatelink-global"})
# RFC 1035 section 2.3.1 and RFC 1123 section 2.1, and the underscore that services use (RFC 8552).
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)


def compared(text: str) -> str:
    """A text in the spelling in which names compare (RFC 4343), whether or not it is a name."""
    return fold(text).removesuffix(".")


@dataclass(frozen=True, slots=True, order=True)
class DnsName:
    """A fully qualified name, kept in lower case without the final dot, because names compare so (RFC 4343)."""

    text: str

    @classmethod
    def parse(cls, text: object) -> Self:
        """Reads a name; a wildcard label `*` is allowed in front (RFC 4592). Raises InputError for anything else."""
        if not isinstance(text, str):
            raise InputError(f"a DNS name is text, not {type(text).__name__}")
        if not text.isascii():
            raise InputError(f"{text[:80]!r} is not a DNS name: only ASCII letters, digits, '-' and '_' are allowed")
        name = compared(text)
        if not name or len(name) > LONGEST:
            raise InputError(f"{text[:80]!r} is not a DNS name: it has 1 to {LONGEST} characters")
        labels = name.split(".")
        for position, label in enumerate(labels):
            wildcard = label == "*" and position == 0 and len(labels) > 1
            if not wildcard and not _LABEL.fullmatch(label):
                raise InputError(f"{text[:80]!r} is not a DNS name: {label[:70]!r} is not a label")
        return cls(name)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels from left to right."""
        return tuple(self.text.split("."))

    @property
    def is_private_link(self) -> bool:
        """Whether it is, or lies in, a zone that answers for private links only, as Azure's services call theirs."""
        return not _PRIVATE_LINK.isdisjoint(self.labels)

    def relative_to(self, suffix: DnsName) -> str | None:
        """What is left of this name in front of `suffix`: `@` where nothing is, None where it does not end so."""
        if self == suffix:
            return APEX
        ending = "." + suffix.text
        return self.text.removesuffix(ending) if self.text.endswith(ending) else None

    def __str__(self) -> str:
        return self.text
