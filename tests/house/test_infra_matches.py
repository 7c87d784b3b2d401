"""What infra says is what the app means: settings, functions, queues, tables, containers, schedules, events, roles."""

from __future__ import annotations

import csv
import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from hubwarden import ledger
from hubwarden.arm import remedies
from hubwarden.config.environment import COVERAGE, PENDING, SCHEDULES, SWEEP, read_environment, schedule
from hubwarden.model.work import WORK_QUEUE
from hubwarden.reconcile import reach
from simulator.up import FILTER
from tests.house.infra_files import INFRA, block, data_of, keys, text_of
from tests.house.sources import ROOT
from tests.house.test_bindings import indexed

APP = text_of("modules/app.bicep")
SETTINGS = keys(block(APP, APP.index("var settings =")))
STORED: dict[str, Any] = data_of("storage.json")
LOCAL: dict[str, Any] = FILTER
"""The filter under which the local Azure delivers, so under which everything else is tested."""

# Read by the Functions host, its extensions and its identity-based connections, and by the exporter of telemetry, but
# not by the app itself.
HOSTS = {
    "AzureWebJobsStorage__blobServiceUri",
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__clientId",
    "HUBWARDEN_STORAGE__credential",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED",
}
# Read by the app, and not set here, each for a reason.
UNSET = {
    "HUBWARDEN_CONFIG": "the settings lie in the package, beside the app",
    "ARM_ENDPOINT": "the file's `cloud` says where it is",
    "HUBWARDEN_STORAGE": "a connection string holds a key",
    "HUBWARDEN_STORAGE__accountName": "its addresses are given, which are right in every cloud",
    "IDENTITY_ENDPOINT": "the platform sets it",
    "WEBSITE_AUTH_ENABLED": "the platform sets it",
    "WEBSITE_OWNER_NAME": "the platform sets it",
    "WEBSITE_RESOURCE_GROUP": "the platform sets it",
    "WEBSITE_SITE_NAME": "the platform sets it",
}
TIMERS = ((SWEEP, "sweepSchedule"), (PENDING, "pendingSchedule"), (COVERAGE, "coverageSchedule"))


class Noting(Mapping[str, str]):
    """An environment that notes which names are asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def deployed() -> Noting:
    """The settings with values such as Azure gives."""
    values = dict.fromkeys(SETTINGS, "id")
    for service in ("queue", "table"):
        values[f"HUBWARDEN_STORAGE__{service}ServiceUri"] = f"https://sthwwork.{service}.core.windows.net/"
    return Noting(values | {setting: parameter(name) for setting, name in TIMERS})


def parameter(name: str) -> str:
    """The default of a text parameter of main.bicep."""
    found = re.search(rf"^param {name} string = '([^']*)'$", text_of("main.bicep"), re.MULTILINE)
    assert found is not None, name
    return found.group(1)


def test_the_settings_that_are_set_are_those_that_are_read() -> None:
    variables = deployed()
    assert read_environment(variables).faults == ()
    assert variables.asked - set(SETTINGS) - set(UNSET) == set(), "the app reads them, and nobody sets them"
    assert set(SETTINGS) - variables.asked - HOSTS == set(), "they are set, and the app does not read them"
    assert set(UNSET) & set(SETTINGS) == set()
    assert set(SETTINGS) >= HOSTS


def test_the_work_queues_connection_has_what_the_host_asks_of_one_by_identity() -> None:
    """Identity-based connections: the service's address, `credential` and `clientId` under the trigger's prefix."""
    [trigger] = indexed(*(name for name in SETTINGS if name.startswith("HUBWARDEN_STORAGE")))["work"]
    prefix = trigger["connection"]
    assert {f"{prefix}__{part}" for part in ("queueServiceUri", "credential", "clientId")} <= set(SETTINGS)


def test_the_exporter_of_this_version_reads_what_is_set_for_it() -> None:
    exporter = Path(str(files("azure.monitor.opentelemetry.exporter")))
    read = "".join(each.read_text(encoding="utf-8") for each in exporter.rglob("*.py"))
    assert [name for name in HOSTS if name.startswith("APPLICATIONINSIGHTS_") and f'"{name}"' not in read] == []


@pytest.mark.parametrize(("setting", "name"), TIMERS)
def test_the_schedules_parse_and_are_the_apps_own(setting: str, name: str) -> None:
    assert schedule(setting, {setting: parameter(name)}) == parameter(name) == SCHEDULES[setting]


def test_the_tables_are_the_ledgers() -> None:
    rooms = [importlib.import_module(f"hubwarden.ledger.{each.name}") for each in pkgutil.iter_modules(ledger.__path__)]
    named = {value for room in rooms for name, value in vars(room).items() if name.endswith("_TABLE")}
    assert set(STORED["tables"]) == named, "infra/storage.json names the tables that are made"


def test_the_queues_are_the_apps() -> None:
    assert STORED["queues"] == [WORK_QUEUE, f"{WORK_QUEUE}-poison"]


def test_names_are_such_as_azure_allows() -> None:
    """Azure's naming rules: 3 to 63 of a-z, 0-9, single hyphens; tables of letters and digits."""
    for name in (*STORED["queues"], STORED["package"], STORED["deadLetters"]):
        assert re.fullmatch(r"[a-z0-9](?:-?[a-z0-9]){2,62}", name), name
    for name in STORED["tables"]:
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9]{2,62}", name), name
    for ending in ("host", "work"):
        [name] = re.findall(rf"'(sthw\$\{{take\(suffix, 12\)\}}{ending})'", text_of("main.bicep"))
        assert len(name.replace("${take(suffix, 12)}", "x" * 12)) <= 24


# Microsoft, "Flex Consumption plan deprecations": refused or without effect there, and one of them asks for a build.
NOT_ON_FLEX = (
    "ENABLE_ORYX_BUILD",
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_WORKER_",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "TZ",
    "WEBSITE_",
    "alwaysOn",
    "containerSize",
    "ftpsState",
    "functionAppScaleLimit",
    "linuxFxVersion",
    "preWarmedInstanceCount",
    "use32BitWorkerProcess",
    "vnetRouteAllEnabled",
)


def test_flex_consumption_gets_nothing_that_it_does_not_take() -> None:
    given = {*SETTINGS, *re.findall(r"(\w+):", text_of("modules/flex.bicep"))}
    assert sorted(name for name in given if name.startswith(NOT_ON_FLEX)) == []
    least = re.findall(
        r"@minValue\((\d+)\)\n@maxValue\(1000\)\nparam maximumInstances int", text_of("modules/flex.bicep")
    )
    assert least == ["40"], 'the lowest maximum scale (Microsoft, "Flex Consumption plan hosting")'


def test_event_subscriptions_tell_a_function_that_takes_events() -> None:
    takes = {name for name, bindings in indexed().items() if bindings[0]["type"] == "eventGridTrigger"}
    named = re.findall(r"/functions/(\w+)'", text_of("modules/spoke-topic.bicep"))
    named += re.findall(r"/functions/(\w+)'", text_of("policy/event-subscription.json"))
    assert set(named) == takes
    assert len(named) == 2
    kept_ready = re.findall(r"'function:(\w+)'", text_of("modules/flex.bicep"))
    assert set(kept_ready) <= set(indexed())


def test_events_are_those_that_the_local_azure_delivers() -> None:
    [advanced] = LOCAL["advancedFilters"]
    told = {"includedEventTypes": LOCAL["includedEventTypes"], "operations": advanced["values"]}
    assert data_of("events.json") == told
    topic = text_of("modules/spoke-topic.bicep")
    assert f"operatorType: '{advanced['operatorType']}', key: '{advanced['key']}'" in topic


def test_the_policy_makes_what_spoke_bicep_makes() -> None:
    [_, deployment] = data_of("policy/event-subscription.json")["resources"]
    [topic, subscription, dropped] = deployment["properties"]["template"]["resources"]
    assert topic["properties"]["topicType"] == "Microsoft.Resources.Subscriptions"
    assert subscription["properties"]["filter"] == LOCAL
    bicep = text_of("modules/spoke-topic.bicep")
    for key, value in {**subscription["properties"]["retryPolicy"], "maxEventsPerBatch": 1}.items():
        assert f"{key}: {value}" in bicep
    alert = dropped["properties"]
    told = {key: alert[key] for key in ("description", "evaluationFrequency", "windowSize")}
    for key, value in {**told, **alert["criteria"]["allOf"][0]}.items():
        assert (f"{key}: '{value}'" if isinstance(value, str) else f"{key}: {value}") in bicep
    for resource in (topic, subscription, dropped):
        assert f"'{resource['type']}@{resource['apiVersion']}'" in bicep


def test_the_policy_hands_every_parameter_down_to_what_it_makes() -> None:
    """By way of three templates, none of which may leave one out."""
    outer = data_of("policy/event-subscription.json")
    inner = outer["resources"][1]["properties"]
    bicep = text_of("policy/event-subscriptions.bicep")
    assert set(inner["parameters"]) == set(inner["template"]["parameters"]) <= set(outer["parameters"])
    for name in outer["parameters"]:
        assert f"{name}: {{ value: '[parameters(\\'{name}\\')]' }}" in bicep
        assert f"{name}: {{ value: {name} }}" in bicep
        assert f"{name}: {{ type: '" in bicep


def test_no_file_that_bicep_loads_has_a_loop_of_templates_in_it() -> None:
    """ARM takes any `copy` for one of the deployment at hand (Azure/bicep, "loadJsonContent is rewriting JSON")."""
    assert not re.search(r'"copy"\s*:|copyIndex\(', text_of("policy/event-subscription.json"))
    made = "var alertActions = [for id in alertTo: { actionGroupId: id }]\n"
    assert made in text_of("policy/event-subscriptions.bicep")


def test_the_policys_identity_may_make_what_the_policy_makes() -> None:
    actions = {action.lower() for action in data_of("policy/subscriber.json")["actions"]}
    [group, deployment] = data_of("policy/event-subscription.json")["resources"]
    for resource in (deployment, *deployment["properties"]["template"]["resources"]):
        assert f"{resource['type'].lower()}/write" in actions
    assert group["type"] == "Microsoft.Resources/resourceGroups"
    assert "microsoft.resources/subscriptions/resourcegroups/write" in actions


def test_the_types_in_the_roles_are_those_whose_connections_are_known() -> None:
    lines = (ROOT / "hubwarden" / "arm" / "providers.csv").read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(line for line in lines if line and not line.startswith("#")))
    types = data_of("roles/connection-types.json")
    assert types["answered"] == [row["type"] for row in rows if row["body"]]
    assert types["shown"] == [row["type"] for row in rows if not row["body"]]


ROLES = [*sorted(each.name for each in (INFRA / "roles").glob("*-*er.json"))]


@pytest.mark.parametrize("role", [*(f"roles/{name}" for name in ROLES), "policy/subscriber.json"])
def test_every_action_has_a_reason_and_none_is_a_pattern(role: str) -> None:
    told = data_of(role)
    actions = told["actions"] | told.get("actionsOfTypes", {})
    assert actions
    assert all(reason.strip() for reason in actions.values())
    assert [action for action in actions if "*" in action] == []


def test_the_app_calls_the_roles_as_they_are_called_and_asks_for_what_they_give() -> None:
    """What it says is missing can be found and assigned (GET /api/status, `missing`)."""
    named = {name: data_of(f"roles/{name}.json") for name in ("estate-reader", "record-writer", "zone-maker")}
    assert [told["name"] for told in named.values()] == [remedies.READER, remedies.WRITER, remedies.MAKER]
    assert set(reach.WRITING) <= set(named["record-writer"]["actions"])
    assert set(reach.MAKING) <= set(named["zone-maker"]["actions"])


def test_every_role_is_made() -> None:
    bicep = text_of("roles.bicep")
    assert len(ROLES) == 4
    assert [name for name in ROLES if f"loadJsonContent('roles/{name}')" not in bicep] == []


def test_the_reader_is_assigned_where_the_zones_are_too() -> None:
    """Whose a subscription is, is compared with the first zones': under a management group they may lie beside it."""
    main = text_of("main.bicep")
    assert re.search(r"^var zonesIn = \[for id in groups: split\(id, '/'\)\[2\]\]$", main, re.MULTILINE)
    assert "var readable = union(spokes, zonesIn)\n" in main
    assert re.search(r"^module reader '[^']+' = \[\n  for id in readable: ", main, re.MULTILINE)
