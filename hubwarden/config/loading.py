"""Reads hubwarden.yaml and the environment together into one Config; all faults are reported together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hubwarden.catalog import Row
from hubwarden.catalog.rows import published
from hubwarden.config.document import Remark
from hubwarden.config.environment import Environment, read_environment, storage_setting
from hubwarden.config.policy import possible_slips
from hubwarden.config.reading import read_as
from hubwarden.config.schema import File
from hubwarden.errors import ConfigError, trouble
from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import Network
from hubwarden.model.hub import Hub
from hubwarden.model.own_name import OwnName
from hubwarden.model.policy import Policy
from hubwarden.model.resource_id import ResourceId


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that an owner has settled, checked and in our own types."""

    environment: Environment
    instance: str
    instances: frozenset[str]
    """The instance's name and the names it had before: records with any of these marks are ours."""
    applies: bool
    cloud: str
    management_groups: tuple[str, ...]
    subscriptions: frozenset[str]
    excluded: frozenset[str]
    hubs: tuple[Hub, ...]
    ttl: int
    most_withdrawals: int
    most_in_zone: int
    most_share: float
    """How much may be withdrawn within an hour: in all, from a zone, and as a share of our records in a zone."""
    addresses: tuple[Network, ...]
    publishes_foreign_targets: bool
    shared: frozenset[ResourceId]
    """Targets whose names may be published although one record of them answers for everybody."""
    own_names: tuple[OwnName, ...]
    protected: frozenset[DnsName]
    rows: tuple[Row, ...]
    follow_ups: tuple[float, ...]
    """Seconds between the looks at what Azure does not show yet."""
    policy: Policy
    people: frozenset[str]
    """App roles or groups whose members may decide what the policy holds."""
    approve_limit: int
    reject_limit: int
    """How many answers by rule there may be within an hour."""
    remind_after: float
    """Seconds after which a connection that waits for a person is told of again; 0 for never."""
    topic: str | None
    """The custom topic to which is published what was done; None for none."""
    warnings: tuple[str, ...] = ()


def load(variables: Mapping[str, str] | None = None) -> Config:
    """Reads the environment and the file it names. Raises ConfigError with every fault of both."""
    environment = read_environment(variables)
    faults = list(environment.faults)
    file = None
    try:
        file, warnings = parse(environment.config_file.read_text(encoding="utf-8"), str(environment.config_file))
    except ConfigError as error:
        faults += error.faults
    except (OSError, UnicodeDecodeError) as error:
        faults.append(f"{environment.config_file}: cannot be read: {trouble(error)}")
    if file is not None and file.cloud != "public" and environment.storage and environment.storage.is_public:
        setting = storage_setting(variables)
        faults.append(
            f"{setting}: this account is of the public cloud, as is every __accountName; with cloud {file.cloud} give "
            f"both {setting}__tableServiceUri and {setting}__queueServiceUri"
        )
    if file is None or faults:
        raise ConfigError(faults)
    return _config(environment, file, warnings)


def parse(text: str, source: str = "hubwarden.yaml") -> tuple[File, tuple[str, ...]]:
    """The file's content and what to warn of.

    Raises ConfigError with every fault: its line, its key, and what is allowed.
    """
    file, document = read_as(File, text, source, "the file is a mapping; it begins with 'instance: <name>'")
    if faults := [f"{source}: {document.told(fault)}" for fault in _in_the_catalogue(file)]:
        raise ConfigError(faults)
    warnings = (*_not_in_force(file), *_linked_to_nothing(file), *_slips(file))
    return file, tuple(f"{source}: {document.told(warning)}" for warning in warnings)


def schema() -> dict[str, Any]:
    """The JSON Schema of hubwarden.yaml, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **File.model_json_schema(by_alias=True)}


def _not_in_force(file: File) -> Iterator[Remark]:
    """What this version reads and checks, but does not act on yet: silence would look like consent."""
    for position, hub in enumerate(file.hubs):
        if hub.dns.model_fields_set:
            yield ("hubs", position, "dns"), "this version does not look at what clients ask"


def _in_the_catalogue(file: File) -> Iterator[Remark]:
    """Zones under `records.names` that belong to services of Azure's."""
    rows = (*published(file.cloud), *(part.row() for part in file.catalog.rows))
    ends = {end for row in rows for end in (row.zone_pattern, row.suffix_pattern)}
    for position, part in enumerate(file.records.names):
        if touched := sorted(str(end) for end in ends if end.touches(part.zone)):
            why = f"{part.zone} is, or lies under or above, {touched[0]}, where only the catalogue says what may stand"
            yield ("records", "names", position, "zone"), why


def _linked_to_nothing(file: File) -> Iterator[Remark]:
    """Hubs whose zones would be made for nobody."""
    for position, hub in enumerate(file.hubs):
        if hub.create_zones and not hub.networks:
            why = "without networks the zones are made, and linked to nothing"
            yield ("hubs", position, "createZones"), why


def _slips(file: File) -> Iterator[Remark]:
    """Rules that may be meant, and may be a slip."""
    for path, why in possible_slips(file.approvals.policy()):
        yield ("approvals", *path), why


def _config(environment: Environment, file: File, warnings: tuple[str, ...]) -> Config:
    return Config(
        environment=environment,
        instance=file.instance,
        instances=frozenset((file.instance, *file.formerly)),
        applies=file.mode == "apply",
        cloud=file.cloud,
        management_groups=file.estate.management_groups,
        subscriptions=frozenset(file.estate.subscriptions),
        excluded=frozenset(file.estate.exclude),
        hubs=tuple(
            Hub(
                name=hub.name,
                zone_groups=hub.zones,
                networks=hub.networks,
                creates_zones=hub.create_zones,
                redirects=hub.nx_domain_redirect,
                locations=frozenset(hub.publishes.locations),
                subscriptions=frozenset(hub.publishes.subscriptions),
                preferred_subscriptions=frozenset(hub.prefers.subscriptions),
                preferred_locations=frozenset(hub.prefers.locations),
            )
            for hub in file.hubs
        ),
        ttl=file.records.ttl,
        most_withdrawals=file.records.limits.withdrawals,
        most_in_zone=file.records.limits.per_zone,
        most_share=file.records.limits.share,
        addresses=file.records.addresses,
        publishes_foreign_targets=file.records.foreign_targets == "publish",
        shared=frozenset(file.records.shared),
        own_names=tuple(part.own_name() for part in file.records.names),
        protected=frozenset(file.records.protected),
        rows=tuple(part.row() for part in file.catalog.rows),
        follow_ups=file.follow_ups,
        policy=file.approvals.policy(),
        people=frozenset(file.approvals.people),
        approve_limit=file.approvals.limits.approve,
        reject_limit=file.approvals.limits.reject,
        remind_after=file.approvals.remind_after,
        topic=file.events.topic,
        warnings=warnings,
    )
