"""Explanation: what stands behind an endpoint, or behind a name, for whoever asks why."""

from __future__ import annotations

from dataclasses import dataclass

from hubwarden.model.connection import Decision
from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import Endpoint, Gone
from hubwarden.model.plan import Claim, Plan, Want
from hubwarden.model.record import Standing
from hubwarden.model.resource_id import ResourceId


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is seen, wanted, held and owned for one endpoint, and what the next run would do about it."""

    endpoint: ResourceId
    seen: Endpoint | Gone
    wants: tuple[Want, ...]
    claims: tuple[Claim, ...]
    standing: Standing
    plan: Plan
    decisions: tuple[Decision, ...] = ()
    """What would be answered to its connection, where that waits at a target of ours."""


@dataclass(frozen=True, slots=True)
class NameExplanation:
    """Which records may answer a name in the hubs' zones, and the explanation of each endpoint that owns one."""

    name: DnsName
    standing: Standing
    endpoints: tuple[Explanation, ...]
    trouble: tuple[str, ...] = ()
    """What could not be looked at: hubs whose zones ARM did not list."""
