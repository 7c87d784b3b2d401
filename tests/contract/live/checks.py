"""Every check by its name, which docs/unverified.md names too."""

from __future__ import annotations

from collections.abc import Mapping

from tests.contract.live import connections, endpoints, gateway, graph, records
from tests.contract.live.sightings import Check

CHECKS: Mapping[str, Check] = {
    name: check
    for room in (records, endpoints, connections, graph, gateway)
    for name, check in vars(room).items()
    if isinstance(check, Check)
}
