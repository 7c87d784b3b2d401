"""Every service by hand: what Azure calls the names of its endpoints, and what records they must become.

One file for each cloud, written from what Azure's documentation and real endpoints show, by nobody's rules: no code
makes these lines, and none may be changed because the code says otherwise.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from hubwarden.model.plan import HeldReason
from tests.unit.given import RESOURCES

CLOUDS = ("public", "usgov", "china")
IF_THERE = "if-there"


@dataclass(frozen=True, slots=True)
class Line:
    """One name of an endpoint, and the record that it must become."""

    type: str
    group: str
    target: str
    fqdn: str
    zone: str
    record: str
    how: str
    """Empty, `if-there`, or the reason for which the name is held."""


@dataclass(frozen=True, slots=True)
class Service:
    """An endpoint of one target and group, with all the names that Azure gives it."""

    cloud: str
    lines: tuple[Line, ...]

    @property
    def first(self) -> Line:
        """Any of its lines, for what they all have in common."""
        return self.lines[0]

    @property
    def target(self) -> str:
        """The id of its target."""
        return f"{RESOURCES}/{self.first.type}/{self.first.target}"

    def addressed(self) -> list[tuple[Line, str]]:
        """Each line with an address of its own."""
        return [(line, f"10.40.0.{number}") for number, line in enumerate(self.lines, start=4)]

    def document(self) -> dict[str, Any]:
        """The endpoint as Azure Resource Manager shows it (behaviour reference section 2.7)."""
        endpoint = f"{RESOURCES}/Microsoft.Network/privateEndpoints/pe-{self.first.target}"
        connection = {
            "privateLinkServiceId": self.target,
            "groupIds": [self.first.group],
            "privateLinkServiceConnectionState": {"status": "Approved", "description": "", "actionsRequired": "None"},
        }
        return {
            "id": endpoint,
            "type": "Microsoft.Network/privateEndpoints",
            "location": "westeurope",
            "properties": {
                "provisioningState": "Succeeded",
                "resourceGuid": "9618406f-65ef-47ff-83bf-7a6da5ffd49e",
                "privateLinkServiceConnections": [{"name": "pe", "properties": connection}],
                "manualPrivateLinkServiceConnections": [],
                "networkInterfaces": [{"id": f"{RESOURCES}/Microsoft.Network/networkInterfaces/pe.nic"}],
                "customDnsConfigs": [],
            },
        }

    def interface(self) -> dict[str, Any]:
        """Its network interface, which shows every name beside an address (behaviour reference section 2.3)."""
        configurations = [
            {
                "name": f"{number}.privateEndpoint",
                "properties": {
                    "privateIPAddress": address,
                    "privateLinkConnectionProperties": {
                        "groupId": line.group,
                        "requiredMemberName": f"member{number}",
                        "fqdns": [line.fqdn],
                    },
                },
            }
            for number, (line, address) in enumerate(self.addressed())
        ]
        return {
            "id": f"{RESOURCES}/Microsoft.Network/networkInterfaces/pe.nic",
            "properties": {"ipConfigurations": configurations},
        }

    def __str__(self) -> str:
        return f"{self.cloud}-{self.first.type}-{self.first.group}-{self.first.target}"


@cache
def lines(cloud: str) -> tuple[Line, ...]:
    """All the lines of a cloud."""
    text = (Path(__file__).parent / f"{cloud}.csv").read_text(encoding="utf-8")
    return tuple(Line(**row) for row in csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))


@cache
def services(cloud: str) -> tuple[Service, ...]:
    """All the endpoints of a cloud."""

    def endpoint(line: Line) -> tuple[str, str, str]:
        return (line.type, line.group, line.target)

    return tuple(Service(cloud, tuple(found)) for _, found in groupby(sorted(lines(cloud), key=endpoint), endpoint))


def held_for(line: Line) -> HeldReason | None:
    """The reason for which a name is held, None where it is published."""
    return HeldReason(line.how) if line.how not in ("", IF_THERE) else None
