"""The environment: what only the platform can give. The one place where os.environ is read."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hubwarden.errors import InputError
from hubwarden.model.resource_id import ResourceId

TELEMETRY = "APPLICATIONINSIGHTS_CONNECTION_STRING"
OWN_STORAGE = "HUBWARDEN_STORAGE"
HOST_STORAGE = "AzureWebJobsStorage"
_ORIGIN = re.compile(r"https://[A-Za-z0-9][A-Za-z0-9.-]{0,252}(:(?P<port>[1-9][0-9]{0,4}))?", re.ASCII)
_ACCOUNT = re.compile(r"[a-z0-9]{3,24}", re.ASCII)
_NO_CONNECTION_STRING = (
    "it is no connection string, which has AccountName=…;AccountKey=…, or "
    "TableEndpoint=…;QueueEndpoint=…;SharedAccessSignature=…"
)
DEFAULT_FILE = Path(__file__).parents[2] / "hubwarden.yaml"

SWEEP, PENDING, COVERAGE = "HUBWARDEN_SWEEP", "HUBWARDEN_PENDING", "HUBWARDEN_COVERAGE"
SCHEDULES = {SWEEP: "0 */15 * * * *", PENDING: "0 * * * * *", COVERAGE: "0 30 5 * * *"}
"""When each timer is due, unless the environment says otherwise."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# NCRONTAB, which is what the Functions host reads: cron with a field for seconds in front.
_FIELDS: tuple[tuple[int, int, tuple[str, ...]], ...] = (
    (0, 59, ()),
    (0, 59, ()),
    (0, 23, ()),
    (1, 31, ()),
    (1, 12, _MONTHS),
    (0, 6, _DAYS),
)
_PART = re.compile(r"(\*|(?P<first>[0-9]{1,2}|[a-z]{3})(-(?P<last>[0-9]{1,2}|[a-z]{3}))?)(/[1-9][0-9]?)?", re.ASCII)


_PUBLIC_STORAGE = ".core.windows.net"


@dataclass(frozen=True, slots=True)
class Storage:
    """Where the ledger and the work queue live: a connection string, or service addresses and an identity."""

    connection_string: str = ""
    table_uri: str = ""
    queue_uri: str = ""
    client_id: str = ""

    @property
    def is_public(self) -> bool:
        """Whether an address of it is one of the public cloud's."""
        return _PUBLIC_STORAGE in self.table_uri or _PUBLIC_STORAGE in self.queue_uri


@dataclass(frozen=True, slots=True)
class Environment:
    """The settings of the platform that Hubwarden uses."""

    config_file: Path
    arm_endpoint: str
    client_id: str
    has_managed_identity: bool
    storage: Storage | None
    sweep: str
    pending: str
    coverage: str
    """When the timers are due, in NCRONTAB."""
    knows_people: bool
    """Whether the platform signs people in: only then does its header say who asks."""
    app: ResourceId | None
    """The function app that this runs in; None elsewhere, or where the platform does not say all of its id."""
    application_insights: str
    """The connection string of where to send what is measured; empty where nobody asks for it."""
    faults: tuple[str, ...]


def storage_setting(variables: Mapping[str, str] | None = None) -> str:
    """The name of the setting that says where the work queue is, for the queue trigger's `connection`.

    Only names are looked at, nothing can be missing: this is safe while the app is indexed.
    """
    variables = os.environ if variables is None else variables
    return OWN_STORAGE if any(name.startswith(OWN_STORAGE) for name in variables) else HOST_STORAGE


def schedule(setting: str, variables: Mapping[str, str] | None = None) -> str:
    """When a timer is due, for its trigger's `schedule`.

    A setting that is no schedule is a fault, which `read_environment` reports; here the default stands in for it, so
    that the app can be indexed and say so.
    """
    variables = os.environ if variables is None else variables
    text = variables.get(setting, "")
    return text if _is_schedule(text) else SCHEDULES[setting]


def read_environment(variables: Mapping[str, str] | None = None) -> Environment:
    """Reads the environment; what is wrong with it is in `faults`, so that it is reported with the file's."""
    variables = os.environ if variables is None else variables
    faults: list[str] = []
    endpoint = variables.get("ARM_ENDPOINT", "").rstrip("/")
    if endpoint and not _is_origin(endpoint):
        faults.append("ARM_ENDPOINT: it is not the address of an ARM endpoint, which is https://host[:port]")
    storage = _storage(variables)
    if isinstance(storage, str):
        faults.append(f"{storage_setting(variables)}: {storage}")
    faults += [
        f"{setting}: it is no schedule, which has six fields (seconds first) such as {default!r}"
        for setting, default in SCHEDULES.items()
        if variables.get(setting) and not _is_schedule(variables[setting])
    ]
    return Environment(
        config_file=Path(variables.get("HUBWARDEN_CONFIG") or DEFAULT_FILE),
        arm_endpoint=endpoint,
        client_id=variables.get("AZURE_CLIENT_ID", ""),
        has_managed_identity="IDENTITY_ENDPOINT" in variables,
        storage=None if isinstance(storage, str) else storage,
        sweep=schedule(SWEEP, variables),
        pending=schedule(PENDING, variables),
        coverage=schedule(COVERAGE, variables),
        knows_people=variables.get("WEBSITE_AUTH_ENABLED", "").lower() == "true",
        app=_app(variables),
        application_insights=variables.get(TELEMETRY, ""),
        faults=tuple(faults),
    )


def _app(variables: Mapping[str, str]) -> ResourceId | None:
    """The app's id, from what App Service sets for every app (Microsoft's reference of its environment variables).

    The owner is the subscription's id, to which some plans add the webspace after a plus.
    """
    subscription, _, _ = variables.get("WEBSITE_OWNER_NAME", "").partition("+")
    group, site = variables.get("WEBSITE_RESOURCE_GROUP", ""), variables.get("WEBSITE_SITE_NAME", "")
    try:
        return ResourceId.parse(
            f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Web/sites/{site}"
        )
    except InputError:
        return None


def _storage(variables: Mapping[str, str]) -> Storage | str:
    """Where storage is, or what is wrong with the settings that say so (never their values: they hold keys).

    An exact setting wins over prefixed ones, as in the Functions host (identity-based connections).
    """
    setting = storage_setting(variables)
    if exact := variables.get(setting):
        return Storage(connection_string=exact) if _is_connection_string(exact) else _NO_CONNECTION_STRING
    account = variables.get(f"{setting}__accountName", "")
    if account and not _ACCOUNT.fullmatch(account):
        return "__accountName: it is no storage account's name, which has 3 to 24 lower-case letters and digits"
    table = variables.get(f"{setting}__tableServiceUri") or (account and f"https://{account}.table{_PUBLIC_STORAGE}")
    queue = variables.get(f"{setting}__queueServiceUri") or (account and f"https://{account}.queue{_PUBLIC_STORAGE}")
    if not table or not queue:
        return (
            f"no storage is named; set {setting} to a connection string, or {setting}__accountName, "
            f"or both {setting}__tableServiceUri and {setting}__queueServiceUri"
        )
    if not _is_origin(table.rstrip("/")) or not _is_origin(queue.rstrip("/")):
        return "__tableServiceUri, __queueServiceUri: each is https://host[:port]"
    return Storage(table_uri=table, queue_uri=queue, client_id=variables.get(f"{setting}__clientId", ""))


def _is_connection_string(text: str) -> bool:
    """An account with its key, or the addresses of its services with a signature; keys compare without case."""
    parts = [part.partition("=") for part in text.removesuffix(";").split(";")]
    named = {key.strip().lower(): value for key, _, value in parts if value}
    if len(named) != len(parts):
        return False  # a part without a value, or a key that is there twice
    placed = "accountname" in named or {"tableendpoint", "queueendpoint"} <= set(named)
    return placed and ("sharedaccesssignature" in named or {"accountname", "accountkey"} <= set(named))


def _is_origin(text: str) -> bool:
    match = _ORIGIN.fullmatch(text)
    return match is not None and int(match["port"] or 443) < 65536


def _is_schedule(text: str) -> bool:
    fields = text.lower().split()
    return len(fields) == len(_FIELDS) and all(
        _is_field(part, *field) for each, field in zip(fields, _FIELDS, strict=True) for part in each.split(",")
    )


def _is_field(part: str, low: int, high: int, names: Sequence[str]) -> bool:
    """`*`, `5`, `5-9` or `mon-fri`, each also with a step, as in `*/15`."""
    match = _PART.fullmatch(part)
    if match is None:
        return False
    ends = [_number(end, names, low) for end in (match["first"], match["last"]) if end]
    return ends == sorted(ends) and all(low <= end <= high for end in ends)


def _number(text: str, names: Sequence[str], low: int) -> int:
    if text.isdigit():
        return int(text)
    return names.index(text) + low if text in names else -1
