"""Suffixes and zones whose labels may be placeholders, such as `privatelink.{regionName}.kusto.windows.net`."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Self

from hubwarden.errors import InputError
from hubwarden.model.dns_name import APEX, DnsName

_LETTERS_AND_DIGITS = re.compile(r"[a-z0-9]+", re.ASCII)
_DIGITS = re.compile(r"[0-9]+", re.ASCII)


@cache
def geo_codes() -> frozenset[str]:
    """The codes by which Backup, Site Recovery and Automation call regions, in every cloud."""
    text = resources.files(__package__).joinpath("geo_codes.csv").read_text(encoding="utf-8")
    return frozenset(row["code"] for row in csv.DictReader(lines_of(text)))


def lines_of(text: str) -> list[str]:
    """The lines of a data file without its comments."""
    return [line for line in text.splitlines() if line and not line.startswith("#")]


KINDS: Mapping[str, Callable[[str], bool]] = {
    "{regionName}": lambda label: _LETTERS_AND_DIGITS.fullmatch(label) is not None,
    "{regionCode}": lambda label: label in geo_codes(),
    "{dnsPrefix}": lambda label: _LETTERS_AND_DIGITS.fullmatch(label) is not None,
    "{partitionId}": lambda label: _DIGITS.fullmatch(label) is not None,
    "{subzone}": lambda label: label != "*",
}
"""The placeholders, and which labels each of them stands for."""

_ALSO = {"{region}": "{regionName}"}
"""Microsoft's table has two spellings for one thing."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """The end of a name, label by label; a placeholder stands for exactly one label of its kind."""

    labels: tuple[str, ...]
    plain: DnsName | None
    """The very name, where there is no placeholder in it."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads a name in which whole labels may be placeholders. Raises InputError for anything else."""
        spelled = [_ALSO.get(label, label) for label in text.split(".")]
        for label in spelled:
            if "{" in label and label not in KINDS:
                known = ", ".join(KINDS)
                raise InputError(f"{text[:80]!r} holds {label[:70]!r}, which is no placeholder; there are {known}")
        name = DnsName.parse(".".join("x" if label in KINDS else label for label in spelled))
        if name.labels[0] == "*":
            raise InputError(f"{text[:80]!r} is a wildcard; neither a zone nor a suffix is one")
        if spelled[len(name.labels) - 1] in KINDS:
            raise InputError(f"{text[:80]!r} ends in a placeholder; the last label is a plain one")
        pairs = zip(spelled, name.labels, strict=False)  # `spelled` may end with the root's empty label
        labels = tuple(label if label in KINDS else folded for label, folded in pairs)
        return cls(labels, None if KINDS.keys() & set(labels) else name)

    @property
    def placeholders(self) -> frozenset[str]:
        """The placeholders in it."""
        return frozenset(label for label in self.labels if label in KINDS)

    @property
    def tail(self) -> str:
        """The plain labels behind its last placeholder: every name that matches ends so."""
        last = max((position for position, label in enumerate(self.labels) if label in KINDS), default=-1)
        return ".".join(self.labels[last + 1 :])

    def match(self, name: DnsName) -> tuple[str, dict[str, str]] | None:
        """What is left of a name in front of this end (`@` for nothing), and what the placeholders stand for."""
        if self.plain:
            left = name.relative_to(self.plain)
            return None if left is None else (left, {})
        labels = name.labels
        ahead = len(labels) - len(self.labels)
        if ahead < 0:
            return None
        values: dict[str, str] = {}
        for wanted, label in zip(self.labels, labels[ahead:], strict=True):
            if wanted != label and not (_stands_for(wanted, label) and values.setdefault(wanted, label) == label):
                return None
        return ".".join(labels[:ahead]) or APEX, values

    def touches(self, name: DnsName) -> bool:
        """Whether a name is this end, or lies under it, or above it; a placeholder may stand for any label."""
        pairs = zip(reversed(self.labels), reversed(name.labels), strict=False)
        return all(wanted == label or wanted in KINDS for wanted, label in pairs)

    def among(self, names: Iterable[DnsName]) -> tuple[DnsName, ...]:
        """Those of some names that are this end and nothing more, in their order of the alphabet."""
        return tuple(sorted(name for name in names if (found := self.match(name)) and found[0] == APEX))

    def filled(self, values: Mapping[str, str]) -> DnsName:
        """The name with the placeholders' values in their place."""
        return self.plain or DnsName(".".join(values.get(label, label) for label in self.labels))

    def __str__(self) -> str:
        return ".".join(self.labels)


def _stands_for(placeholder: str, label: str) -> bool:
    """Whether a placeholder may be this label: no region, prefix or partition is called as the zones' own label is."""
    kind = KINDS.get(placeholder)
    return kind is not None and label != "privatelink" and kind(label)


@cache
def pattern(text: str) -> Pattern:
    """The pattern that a text spells. Raises InputError."""
    return Pattern.parse(text)
