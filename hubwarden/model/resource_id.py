"""ResourceId: an ARM resource id that compares without case and refuses what is not one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self

from hubwarden.errors import InputError

LONGEST = 2048
GUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
"""The pattern of a GUID in lower case, by which Azure tells subscriptions, tenants, people and endpoints apart."""

# Only ASCII letters are folded: a name that merely looks like another in some script is another name.
_FOLD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_SUBSCRIPTION = re.compile(GUID, re.ASCII | re.IGNORECASE)
# Resource group names: letters and digits of any script, underscore, hyphen, period, parentheses; 90 at the most.
# Microsoft's pages differ in whether the marks count with which Thai and Hindi are written (`\w` in .NET has them, in
# Python it has not): beyond ASCII whatever can be seen is taken.
_GROUP = re.compile(r"[\w().\x80-\U0010ffff-]{0,89}[\w()\x80-\U0010ffff-]")
_PROVIDER = re.compile(r"[A-Za-z0-9.]{1,100}", re.ASCII)
_TYPE = re.compile(r"[A-Za-z0-9]{1,100}", re.ASCII)
# Resource names differ by provider; no provider allows a slash, a control character or what a URL reserves.
_NAME = re.compile(r"[^\x00-\x20\x7f/\\?#%&<>\"'{}|^`;]{1,260}")


def fold(text: str) -> str:
    """The text with its ASCII letters in lower case, which is how Azure compares ids, types and groups."""
    return text.lower() if text.isascii() else text.translate(_FOLD)  # the former is faster, and the same


def folded(texts: Iterable[str]) -> frozenset[str]:
    """Several texts, each in that spelling."""
    return frozenset(map(fold, texts))


@dataclass(frozen=True, slots=True, eq=False)
class ResourceId:
    """The id of a resource, a resource group or a subscription.

    Ids are equal without regard to ASCII case: Azure itself spells one id in several ways, even within one event.
    `str()` gives it as it was spelt. Parts are kept apart, so that an id is never spliced into a URL unparsed.
    """

    subscription: str
    group: str = ""
    provider: str = ""
    path: tuple[tuple[str, str], ...] = ()
    _spelt: str = field(default="", repr=False)
    key: str = field(init=False, repr=False)
    """The spelling that is the same for equal ids: lower case."""

    def __post_init__(self) -> None:
        # Made once: ids are compared far more often than read.
        object.__setattr__(self, "key", fold(self._canonical()))

    @classmethod
    def parse(cls, text: object) -> Self:
        """Reads an id as Azure writes it. Raises InputError for everything else, whatever it is."""
        if not isinstance(text, str):
            raise InputError(f"a resource id is text, not {type(text).__name__}")
        if len(text) > LONGEST:
            raise InputError(f"a resource id has at most {LONGEST} characters, not {len(text)}")
        if not text.isprintable():
            raise _not_an_id(text, "it has characters that cannot be seen")
        parts = iter(text.removesuffix("/").split("/"))
        if next(parts) != "":
            raise _not_an_id(text, "one begins with /subscriptions/")
        _keyword(parts, "subscriptions", text)
        subscription = _matching(parts, _SUBSCRIPTION, "subscription id (a GUID)", text)
        group = provider = ""
        path: tuple[tuple[str, str], ...] = ()
        rest = list(parts)
        if rest and fold(rest[0]) == "resourcegroups":
            tail = iter(rest[1:])
            group = _matching(tail, _GROUP, "resource group name", text)
            rest = list(tail)
        if rest:
            tail = iter(rest)
            _keyword(tail, "providers", text)
            provider = _matching(tail, _PROVIDER, "resource provider", text)
            path = _type_and_names(tail, text)
        return cls(subscription, group, provider, path, text.removesuffix("/"))

    @property
    def type(self) -> str:
        """The full type, such as `Microsoft.Network/privateDnsZones/A`; empty for a group or subscription."""
        return "/".join((self.provider, *(kind for kind, _ in self.path))) if self.path else ""

    @property
    def name(self) -> str:
        """The last name: the resource's own, or the group's, or the subscription's."""
        return self.path[-1][1] if self.path else self.group or self.subscription

    @property
    def parent(self) -> ResourceId:
        """One level up: the parent resource, then the resource group, then the subscription (its own parent)."""
        if len(self.path) > 1:
            return ResourceId(self.subscription, self.group, self.provider, self.path[:-1])
        if self.path:
            return ResourceId(self.subscription, self.group)
        return ResourceId(self.subscription)

    def is_a(self, resource_type: str) -> bool:
        """Whether this is a resource of that type, compared without case."""
        return fold(self.type) == fold(resource_type)

    def _canonical(self) -> str:
        text = f"/subscriptions/{self.subscription}"
        if self.group:
            text += f"/resourceGroups/{self.group}"
        if self.path:
            text += f"/providers/{self.provider}" + "".join(f"/{kind}/{name}" for kind, name in self.path)
        return text

    def __str__(self) -> str:
        return self._spelt or self._canonical()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ResourceId) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __lt__(self, other: ResourceId) -> bool:
        return self.key < other.key


def _type_and_names(parts: Iterator[str], text: str) -> tuple[tuple[str, str], ...]:
    path: list[tuple[str, str]] = []
    for kind in parts:
        if not _TYPE.fullmatch(kind):
            raise _not_an_id(text, f"{kind[:60]!r} is not a resource type")
        path.append((kind, _matching(parts, _NAME, f"name after {kind!r}", text)))
        if path[-1][1] in (".", ".."):
            raise _not_an_id(text, "a name cannot be '.' or '..'")
    if not path:
        raise _not_an_id(text, "a type and a name follow the provider")
    return tuple(path)


def _keyword(parts: Iterator[str], word: str, text: str) -> None:
    if fold(next(parts, "")) != word:
        raise _not_an_id(text, f"/{word}/ is missing")


def _matching(parts: Iterator[str], pattern: re.Pattern[str], what: str, text: str) -> str:
    value = next(parts, "")
    if not pattern.fullmatch(value):
        raise _not_an_id(text, f"{value[:60]!r} is not a {what}")
    return value


def _not_an_id(text: str, why: str) -> InputError:
    return InputError(f"{text[:120]!r} is not a resource id: {why}")
