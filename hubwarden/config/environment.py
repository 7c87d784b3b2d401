"""The environment: what only the platform can give. The one place where os.environ is read."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

OWN_STORAGE = "HUBWARDEN_STORAGE"
HOST_STORAGE = "AzureWebJobsStorage"
_ORIGIN = re.compile(r"https://[A-Za-z0-9][A-Za-z0-9.-]{0,252}(:(?P<port>[1-9][0-9]{0,4}))?", re.ASCII)
DEFAULT_FILE = Path(__file__).parents[2] / "hubwarden.yaml"


@dataclass(frozen=True, slots=True)
class Storage:
    """Where the ledger and the work queue live: a connection string, or service addresses and an identity."""

    connection_string: str = ""
    table_uri: str = ""
    queue_uri: str = ""
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class Environment:
    """The settings of the platform that Hubwarden uses."""

    config_file: Path
    arm_endpoint: str
    client_id: str
    has_managed_identity: bool
    storage: Storage | None
    faults: tuple[str, ...]


def storage_setting(variables: Mapping[str, str] | None = None) -> str:
    """The name of the setting that says where the work queue is, for the queue trigger's `connection`.

    Only names are looked at, nothing can be missing: this is safe while the app is indexed.
    """
    variables = os.environ if variables is None else variables
    return OWN_STORAGE if any(name.startswith(OWN_STORAGE) for name in variables) else HOST_STORAGE


def read_environment(variables: Mapping[str, str] | None = None) -> Environment:
    """Reads the environment; what is wrong with it is in `faults`, so that it is reported with the file's."""
    variables = os.environ if variables is None else variables
    faults: list[str] = []
    endpoint = variables.get("ARM_ENDPOINT", "").rstrip("/")
    if endpoint and not _is_origin(endpoint):
        faults.append("ARM_ENDPOINT: it is not the address of an ARM endpoint, which is https://host[:port]")
    storage = _storage(variables)
    if storage is None:
        setting = storage_setting(variables)
        faults.append(
            f"{setting}: no storage is named; set {setting} to a connection string, or {setting}__accountName, "
            f"or both {setting}__tableServiceUri and {setting}__queueServiceUri"
        )
    return Environment(
        config_file=Path(variables.get("HUBWARDEN_CONFIG") or DEFAULT_FILE),
        arm_endpoint=endpoint,
        client_id=variables.get("AZURE_CLIENT_ID", ""),
        has_managed_identity="IDENTITY_ENDPOINT" in variables,
        storage=storage,
        faults=tuple(faults),
    )


def _storage(variables: Mapping[str, str]) -> Storage | None:
    """An exact setting wins over prefixed ones, as in the Functions host (identity-based connections)."""
    setting = storage_setting(variables)
    if variables.get(setting):
        return Storage(connection_string=variables[setting])
    client_id = variables.get(f"{setting}__clientId", "")
    account = variables.get(f"{setting}__accountName", "")
    table = variables.get(f"{setting}__tableServiceUri") or (account and f"https://{account}.table.core.windows.net")
    queue = variables.get(f"{setting}__queueServiceUri") or (account and f"https://{account}.queue.core.windows.net")
    return Storage(table_uri=table, queue_uri=queue, client_id=client_id) if table and queue else None


def _is_origin(text: str) -> bool:
    match = _ORIGIN.fullmatch(text)
    return match is not None and int(match["port"] or 443) < 65536
