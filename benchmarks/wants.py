"""What naming costs: the wants of a large estate, and a look-up in the catalogue, whose size must not matter.

Measured in an interpreter of its own, `python -m benchmarks.wants`, so that its memory is nobody else's.
"""

from __future__ import annotations

import ipaddress
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial

from benchmarks.imports import ROOT
from benchmarks.table import Row, Section
from hubwarden.catalog import Catalogue, catalogue
from hubwarden.catalog import Row as CatalogueRow
from hubwarden.dns.wants import Wishes, wishes
from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import ConnectionStatus, Endpoint, EndpointName, NameSource, Network, Tenancy
from hubwarden.model.hub import Hub, HubZones
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.zone import Zone

ENDPOINTS = 100_000
LOOK_UPS = 10_000
TURNS = 5
TIMES_AS_LARGE = 10
SUBSCRIPTION = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg/providers"
PRIVATE: tuple[Network, ...] = (ipaddress.ip_network("10.0.0.0/8"),)
# Type, group, and the names that an endpoint shows; {} is the target's name.
SERVICES = (
    ("Microsoft.Storage/storageAccounts", "blob", ("{}.blob.core.windows.net",)),
    ("Microsoft.Storage/storageAccounts", "file", ("{}.file.core.windows.net",)),
    ("Microsoft.Storage/storageAccounts", "dfs", ("{}.dfs.core.windows.net",)),
    ("Microsoft.KeyVault/vaults", "vault", ("{}.vault.azure.net",)),
    ("Microsoft.Sql/servers", "sqlServer", ("{}.database.windows.net",)),
    ("Microsoft.Web/sites", "sites", ("{}.azurewebsites.net", "{}.scm.azurewebsites.net")),
    ("Microsoft.DocumentDB/databaseAccounts", "Sql", ("{}.documents.azure.com", "{}-weu.documents.azure.com")),
    ("Microsoft.ContainerRegistry/registries", "registry", ("{}.azurecr.io", "{}.westeurope.data.azurecr.io")),
    ("Microsoft.ServiceBus/namespaces", "namespace", ("{}.servicebus.windows.net",)),
    ("Microsoft.Kusto/clusters", "cluster", ("{}.westeurope.kusto.windows.net", "{}.blob.core.windows.net")),
    (
        "Microsoft.MachineLearningServices/workspaces",
        "amlworkspace",
        (
            "{}.workspace.westeurope.api.azureml.ms",
            "*.{}.inference.westeurope.api.azureml.ms",
            "{}.notebooks.azure.net",
        ),
    ),
    ("Microsoft.CognitiveServices/accounts", "account", ("{}.cognitiveservices.azure.com", "{}.openai.azure.com")),
)
HOW = (
    f"An interpreter of its own, no Azure. {ENDPOINTS:,} endpoints, {len(SERVICES)} services in turn, each name with "
    "an address of its own, one hub with every zone; every name must become a record. Memory is what the highest "
    "resident size (VmHWM, else ru_maxrss) has grown by, endpoints and wants all held at once. Look-ups: median of "
    f"{TURNS} turns of {LOOK_UPS:,}, the same names each time, by type and group and, as for types that the table "
    "lacks, by suffix alone; the larger catalogue has the same rows and others of invented services."
)


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures, as they leave their interpreter: seconds, MB and counts."""

    seconds: float
    records: int
    endpoints_mb: float
    wants_mb: float
    rows: tuple[int, int]
    by_service: tuple[float, float]
    by_suffix: tuple[float, float]


def measure() -> Section:
    """Runs itself in a fresh interpreter, and says what came out."""
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.wants"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = json.loads(run.stdout)
    (rows, more), (one, other), (alone, alone_other) = found["rows"], found["by_service"], found["by_suffix"]
    rate = f"{ENDPOINTS / found['seconds']:,.0f} endpoints/s ({found['seconds']:.2f} s, {found['records']:,} records)"
    memory = f"{found['endpoints_mb']:.0f} MB the endpoints, {found['wants_mb']:.0f} MB more their wants"
    return Section(
        "Names of a large estate",
        HOW,
        [
            Row(f"wants of {ENDPOINTS:,} endpoints", rate),
            Row("the memory of that", memory),
            Row(f"look-up by type and group, {rows} rows", _rate(one)),
            Row(f"the same, {more} rows", _rate(other), "the same"),
            Row(f"look-up by suffix alone, {rows} rows", _rate(alone)),
            Row(f"the same, {more} rows", _rate(alone_other), "the same"),
        ],
    )


def figures() -> Measured:
    """Measures in this interpreter; memory first, for the highest resident size never falls."""
    known = catalogue("public")
    hubs = [_hub(known)]
    before = _highest()
    estate = list(_estate())
    between = _highest()
    started = time.perf_counter()
    all_wishes = [_wishes(endpoint, hubs, known) for endpoint in estate]
    seconds = time.perf_counter() - started
    after = _highest()
    records = sum(len(each.wants) for each in all_wishes)
    names = sum(len(endpoint.names) for endpoint in estate)
    if records != names or any(each.held for each in all_wishes):
        raise AssertionError(f"{records} records of {names} names: not what was to be measured")
    larger = Catalogue([*known.rows, *_invented(known.rows)])
    return Measured(
        seconds,
        records,
        between - before,
        after - between,
        (len(known.rows), len(larger.rows)),
        (_by_service(known), _by_service(larger)),
        (_by_suffix(known), _by_suffix(larger)),
    )


def _wishes(endpoint: Endpoint, hubs: Sequence[HubZones], known: Catalogue) -> Wishes:
    return wishes(
        endpoint,
        tenancy=Tenancy.OURS,
        hubs=hubs,
        catalogue=known,
        networks=PRIVATE,
        publishes_foreign_targets=False,
    )


def _estate() -> Iterator[Endpoint]:
    free = int(ipaddress.ip_address("10.0.0.4"))
    for number in range(ENDPOINTS):
        kind, group, patterns = SERVICES[number % len(SERVICES)]
        called = f"orders{number:06}"
        target = ResourceId.parse(f"{SUBSCRIPTION}/{kind}/{called}")
        names = tuple(
            EndpointName(pattern.format(called), (ipaddress.ip_address(free + place),), NameSource.NIC)
            for place, pattern in enumerate(patterns)
        )
        free += len(names)
        yield Endpoint(
            id=ResourceId.parse(f"{SUBSCRIPTION}/Microsoft.Network/privateEndpoints/pe-{called}"),
            guid=f"00000000-0000-4000-8000-{number:012}",
            location="westeurope",
            target=target,
            target_text=str(target),
            groups=(group,),
            status=ConnectionStatus.APPROVED,
            manual=False,
            settled=True,
            names=names,
            interface_addresses=frozenset(address for name in names for address in name.addresses),
        )


def _hub(known: Catalogue) -> HubZones:
    """A hub with every zone of the catalogue, those with a region's name in this one."""
    names = {row.zone.replace("{regionName}", "westeurope") for row in known.rows}
    zones = [DnsName.parse(name) for name in sorted(names) if "{" not in name and "data.privatelink" not in name]
    group = ResourceId.parse(SUBSCRIPTION.removesuffix("/providers"))
    made = {
        zone: Zone(ResourceId.parse(f"{SUBSCRIPTION}/Microsoft.Network/privateDnsZones/{zone}"), zone) for zone in zones
    }
    return HubZones(Hub("weu", (group,)), made)


def _invented(rows: Sequence[CatalogueRow]) -> Iterator[CatalogueRow]:
    """Rows like these for other services, so many that all of them together are ten times as many."""
    for number in range(1, TIMES_AS_LARGE):
        for row in rows:
            end = f"s{number}.example"
            yield replace(row, type=f"{row.type}{number}", zone=f"{row.zone}.{end}", suffix=f"{row.suffix}.{end}")


def _looked_up() -> list[tuple[str, str, DnsName]]:
    return [(kind, group, DnsName.parse(name.format("orders"))) for kind, group, names in SERVICES for name in names]


def _by_service(known: Catalogue) -> float:
    asked = _looked_up()
    return _each([partial(known.places, kind, (group,), fqdn) for kind, group, fqdn in asked])


def _by_suffix(known: Catalogue) -> float:
    plain = [fqdn for _, _, fqdn in _looked_up() if fqdn.labels[0] != "*"]
    return _each([partial(known.anywhere, fqdn) for fqdn in plain])


def _each(look_ups: Sequence[Callable[[], object]]) -> float:
    """Seconds for one of these, which must all find something."""
    if not all(look_up() for look_up in look_ups):
        raise AssertionError("a name was not found: not what was to be measured")
    turns = []
    rounds = LOOK_UPS // len(look_ups)
    for _ in range(TURNS):
        started = time.perf_counter()
        for _ in range(rounds):
            for look_up in look_ups:
                look_up()
        turns.append((time.perf_counter() - started) / (rounds * len(look_ups)))
    return statistics.median(turns)


def _rate(seconds: float) -> str:
    return f"{seconds * 1e6:.1f} µs, {1 / seconds:,.0f}/s"


def _highest() -> float:
    """The highest resident size of this interpreter so far, in MB."""
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    print(json.dumps(asdict(figures())))
