"""Turns the records of ARM record set documents into DNS records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import dns.rrset

from simulator.documents import Document

_Text = Callable[[Mapping[str, Any]], str]

# Each type's property, and how one of its records is written in a zone file (behaviour reference section 3.3).
TYPES: Mapping[str, tuple[str, _Text]] = {
    "A": ("aRecords", lambda record: str(record["ipv4Address"])),
    "AAAA": ("aaaaRecords", lambda record: str(record["ipv6Address"])),
    "CNAME": ("cnameRecord", lambda record: absolute(record["cname"])),
    "MX": ("mxRecords", lambda record: f"{record['preference']} {absolute(record['exchange'])}"),
    "PTR": ("ptrRecords", lambda record: absolute(record["ptrdname"])),
    "SOA": (
        "soaRecord",
        lambda record: " ".join(
            [
                *(absolute(record[name]) for name in ("host", "email")),
                *(
                    str(record[name])
                    for name in ("serialNumber", "refreshTime", "retryTime", "expireTime", "minimumTtl")
                ),
            ]
        ),
    ),
    "SRV": (
        "srvRecords",
        lambda record: f"{record['priority']} {record['weight']} {record['port']} {absolute(record['target'])}",
    ),
    "TXT": ("txtRecords", lambda record: " ".join(_quoted(text) for text in record["value"])),
}

# What Azure gives a new zone (behaviour reference section 3.3); minimumTtl bounds how long "no such name" is kept.
SOA: Mapping[str, Any] = {
    "host": "azureprivatedns.net",
    "email": "azureprivatedns-host.microsoft.com",
    "serialNumber": 1,
    "refreshTime": 3600,
    "retryTime": 300,
    "expireTime": 2419200,
    "minimumTtl": 10,
}


def absolute(name: str) -> str:
    """The name with its trailing dot."""
    return f"{name.rstrip('.')}."


def rrset(name: str, record_set: Document) -> dns.rrset.RRset | None:
    """The records of a record set document, under the name that was asked for; None where it is empty, as it may be."""
    record_type = str(record_set["type"]).rsplit("/", 1)[-1].upper()
    properties = record_set["properties"]
    where, text = TYPES[record_type]
    found = properties.get(where) or []
    records = [text(record) for record in (found if isinstance(found, list) else [found])]
    if not records:
        return None
    return dns.rrset.from_text_list(absolute(name), int(properties["ttl"]), "IN", record_type, records)


def address(name: str, ttl: int, found: str) -> dns.rrset.RRset:
    """One address, of whichever family it is."""
    return dns.rrset.from_text(absolute(name), ttl, "IN", "AAAA" if ":" in found else "A", found)


def alias(name: str, ttl: int, target: str) -> dns.rrset.RRset:
    """A CNAME."""
    return dns.rrset.from_text(absolute(name), ttl, "IN", "CNAME", absolute(target))


def authority(zone: Document, record_set: Document | None) -> dns.rrset.RRset:
    """The SOA of a zone, living no longer than "no such name" may be kept."""
    soa = {**SOA, **(record_set["properties"].get("soaRecord") or {})} if record_set else SOA
    ttl = min(int(record_set["properties"].get("ttl", 3600)) if record_set else 3600, int(soa["minimumTtl"]))
    return dns.rrset.from_text(absolute(zone["name"]), ttl, "IN", "SOA", TYPES["SOA"][1](soa))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
