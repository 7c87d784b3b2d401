"""OwnName: a name, or a suffix, that an owner gives to a target that brings none, as private link services do not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from hubwarden.errors import InputError
from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import NAMELESS
from hubwarden.model.resource_id import GUID, ResourceId, fold

# prefix.guid.region.azure.privatelinkservice (behaviour reference section 4.1).
_ALIAS = re.compile(rf"[a-z0-9][a-z0-9_.-]{{0,79}}\.{GUID}\.[a-z0-9]+\.azure\.privatelinkservice", re.ASCII)


@dataclass(frozen=True, slots=True)
class ServicePattern:
    """Which targets are meant: by id, where `*` stands for anything but a slash, or by a whole alias."""

    text: str
    """In lower case: ids and aliases compare without case."""
    _expression: re.Pattern[str]

    @classmethod
    def parse(cls, text: object) -> Self:
        """Reads an id, in which resource group and name may hold `*`, or an alias. Raises InputError."""
        if not isinstance(text, str):
            raise InputError(f"a target is text, not {type(text).__name__}")
        folded = fold(text)
        if not _ALIAS.fullmatch(folded):
            folded = fold(_service_id(text))
        return cls(folded, re.compile(re.escape(folded).replace(r"\*", "[^/]*")))

    def matches(self, reference: str) -> bool:
        """Whether an endpoint's connection that names its target so leads to one of them."""
        return self._expression.fullmatch(fold(reference).removesuffix("/")) is not None

    def __str__(self) -> str:
        return self.text


def _service_id(text: str) -> str:
    """The text without a final slash, if it is the id of a target without names in a resource group."""
    try:
        # No GUID and no type has an x in its place: so the subscription is literal, and the type.
        service = ResourceId.parse(text.replace("*", "x"))
    except InputError as error:
        raise _no_service(text) from error
    if not any(service.is_a(kind) for kind in NAMELESS) or not service.group:
        raise _no_service(text)
    return text.removesuffix("/")


def _no_service(text: str) -> InputError:
    return InputError(
        f"{text[:120]!r} is neither the id of a private link service or application gateway, in whose resource group "
        "and name '*' stands for anything but a slash, nor a whole alias such as "
        "prefix.guid.region.azure.privatelinkservice"
    )


@dataclass(frozen=True, slots=True)
class OwnName:
    """One entry of `records.names`: a name that these targets have in a zone, or a suffix for names of their own.

    Exactly one of `fqdn` and `suffix` is set, and ends in `zone`.
    """

    target: ServicePattern
    zone: DnsName
    fqdn: DnsName | None = None
    suffix: DnsName | None = None
