"""Laws 7 and 8: every name of a service stands in its zone, or is held and the reason is true, by events and sweeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hubwarden.model.dns_name import DnsName
from hubwarden.model.plan import HeldReason
from hubwarden.model.record import RecordType
from tests.azure import SPOKE, resource_id
from tests.estate import Estate, held
from tests.laws.conftest import Founding, restarted

GUID = "fb7e20a0-8891-458b-b969-55ddb3382f51"
MONITOR = "privatelink.monitor.azure.com"
OWN_ZONE = "svc.contoso.com"
Record = tuple[str, str]
"""The zone, and what the record is called in it."""


@dataclass(frozen=True, slots=True)
class Service:
    """A target, the names of each of its members, and the record that every name must become, in order."""

    kind: str
    called: str
    group: str
    members: Mapping[str, Sequence[str]]
    records: Sequence[Record]

    @property
    def target(self) -> str:
        return resource_id(SPOKE, "rg-spoke", self.kind, self.called)


REGISTRY = Service(
    "Microsoft.ContainerRegistry/registries",
    "orders",
    "registry",
    {"registry": ["orders.azurecr.io"], "registry_data_westeurope": ["orders.westeurope.data.azurecr.io"]},
    [("privatelink.azurecr.io", "orders"), ("privatelink.azurecr.io", "orders.westeurope.data")],
)
SCOPE = Service(
    "Microsoft.Insights/privateLinkScopes",
    "scope",
    "azuremonitor",
    {
        "api": ["api.monitor.azure.com", "global.in.ai.monitor.azure.com"],
        "oms": [f"{GUID}.oms.opinsights.azure.com"],
        "ods": [f"{GUID}.ods.opinsights.azure.com"],
        "agentsvc": [f"{GUID}.agentsvc.azure-automation.net"],
        "blob": ["scadvisorcontentpl.blob.core.windows.net"],
    },
    [
        (MONITOR, "api"),
        (MONITOR, "global.in.ai"),
        ("privatelink.oms.opinsights.azure.com", GUID),
        ("privatelink.ods.opinsights.azure.com", GUID),
        ("privatelink.agentsvc.azure-automation.net", GUID),
        ("privatelink.blob.core.windows.net", "scadvisorcontentpl"),
    ],
)
SERVICES = {
    "registry with a data endpoint": REGISTRY,
    "machine learning with its wildcard": Service(
        "Microsoft.MachineLearningServices/workspaces",
        "ml",
        "amlworkspace",
        {
            "default": [
                f"{GUID}.workspace.westeurope.api.azureml.ms",
                f"{GUID}.workspace.westeurope.cert.api.azureml.ms",
            ],
            "notebook": [f"ml-ml-westeurope-{GUID}.westeurope.notebooks.azure.net"],
            "inference": [f"*.{GUID}.inference.westeurope.api.azureml.ms"],
        },
        [
            ("privatelink.api.azureml.ms", f"{GUID}.workspace.westeurope"),
            ("privatelink.api.azureml.ms", f"{GUID}.workspace.westeurope.cert"),
            ("privatelink.notebooks.azure.net", f"ml-ml-westeurope-{GUID}.westeurope"),
            ("privatelink.api.azureml.ms", f"*.{GUID}.inference.westeurope"),
        ],
    ),
    "web app with scm": Service(
        "Microsoft.Web/sites",
        "orders",
        "sites",
        {"sites": ["orders.azurewebsites.net", "orders.scm.azurewebsites.net"]},
        [("privatelink.azurewebsites.net", "orders"), ("privatelink.azurewebsites.net", "orders.scm")],
    ),
    "cosmos with two regions": Service(
        "Microsoft.DocumentDB/databaseAccounts",
        "orders",
        "Sql",
        {
            "orders": ["orders.documents.azure.com"],
            "orders-westeurope": ["orders-westeurope.documents.azure.com"],
            "orders-northeurope": ["orders-northeurope.documents.azure.com"],
        },
        [
            ("privatelink.documents.azure.com", "orders"),
            ("privatelink.documents.azure.com", "orders-westeurope"),
            ("privatelink.documents.azure.com", "orders-northeurope"),
        ],
    ),
}


async def connected(estate: Estate, service: Service, **wanted: Any) -> str:
    """An approved endpoint to the service, whose zones the hub has; its id."""
    for zone in dict.fromkeys(zone for zone, _ in service.records):
        await estate.azure.zone(zone)
    document = {"id": service.target, "name": service.called, "type": service.kind, "location": "westeurope"}
    await estate.azure.put({**document, "properties": {"provisioningState": "Succeeded"}})
    members = [
        {"groupId": service.group, "memberName": member, "fqdns": list(fqdns)}
        for member, fqdns in service.members.items()
    ]
    await estate.azure.target(service.target, members)
    return await estate.azure.endpoint("pe-names", service.target, groups=[service.group], **wanted)


async def standing(estate: Estate, records: Sequence[Record]) -> list[list[str] | None]:
    """The addresses of each of these records, None where nothing stands."""
    return [await estate.addresses(name, zone) for zone, name in records]


async def shown(estate: Estate, endpoint: str) -> list[list[str]]:
    """The address of each name, as the interface shows them in order."""
    interface = (await estate.azure.arm("GET", endpoint)).body["properties"]["networkInterfaces"][0]["id"]
    configurations = (await estate.azure.arm("GET", interface)).body["properties"]["ipConfigurations"]
    return [
        [each["properties"]["privateIPAddress"]]
        for each in configurations
        for _ in each["properties"]["privateLinkConnectionProperties"]["fqdns"]
    ]


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
@pytest.mark.parametrize("by", ["an event", "a sweep"])
async def test_every_name_of_a_service_stands_in_its_zone(estate: Estate, service: Service, by: str) -> None:
    endpoint = await connected(estate, service)
    report = await (estate.look(endpoint) if by == "an event" else estate.sweep())
    assert (held(report), len(report.outcomes)) == ([], len(service.records))
    assert await standing(estate, service.records) == await shown(estate, endpoint)
    assert (await estate.sweep()).plan.changes == (), "law 1"
    await estate.delete_endpoint(endpoint)
    await estate.sweep()
    assert await standing(estate, service.records) == [None] * len(service.records)


async def test_a_zone_that_somebody_made_for_a_part_of_a_service_holds_the_record(estate: Estate) -> None:
    """Microsoft's table, footnote 1, asks for no such zone; but of two, the more specific one answers."""
    part = "westeurope.data.privatelink.azurecr.io"
    await estate.azure.zone(part)
    endpoint = await connected(estate, REGISTRY)
    await estate.look(endpoint)
    assert await standing(estate, [(part, "orders"), REGISTRY.records[1]]) == [["10.1.0.5"], None]
    assert await standing(estate, REGISTRY.records[:1]) == [["10.1.0.4"]]


async def test_ipv6_addresses_have_records_of_their_own(estate: Estate) -> None:
    endpoint = await connected(estate, REGISTRY)
    interface = (await estate.azure.arm("GET", endpoint)).body["properties"]["networkInterfaces"][0]["id"]
    document = (await estate.azure.arm("GET", interface)).body
    first, *_ = configurations = document["properties"]["ipConfigurations"]
    second = {**first, "name": "v6", "properties": {**first["properties"], "privateIPAddress": "fd00::4"}}
    document["properties"]["ipConfigurations"] = [*configurations, second]
    await estate.azure.put(document)
    report = await estate.look(endpoint)
    assert {change.key.type for change in report.plan.changes} == set(RecordType)
    four, six = [await estate.record("orders", "privatelink.azurecr.io", kind.value) for kind in RecordType]
    assert four is not None
    assert six is not None
    assert six["properties"]["aaaaRecords"] == [{"ipv6Address": "fd00::4"}]
    assert (await estate.sweep()).plan.changes == ()


# Names that answer for everybody (law 7).


async def test_a_monitor_scope_is_published_once_the_owner_says_so(estate: Estate, tmp_path: Path) -> None:
    endpoint = await connected(estate, SCOPE)
    for report in (await estate.look(endpoint), await estate.sweep()):
        assert (held(report), report.plan.changes) == ([HeldReason.SHARED_NAME] * len(SCOPE.records), ())
    await restarted(estate, tmp_path, records={"shared": [SCOPE.target]})
    assert held(await estate.sweep()) == []
    assert await standing(estate, SCOPE.records) == await shown(estate, endpoint)
    await restarted(estate, tmp_path)
    report = await estate.sweep()
    assert report.plan.changes == (), "law 14: a change of the settings withdraws nothing"
    assert set(held(report)) == {HeldReason.SHARED_NAME, HeldReason.NO_LONGER_COVERED}
    assert await standing(estate, SCOPE.records) == await shown(estate, endpoint)


# What the catalogue lacks.


async def test_a_new_service_is_served_by_its_suffix_and_listed_where_nobody_knows_it(estate: Estate) -> None:
    fqdns = ["orders.blob.core.windows.net", "orders.new.example"]
    service = Service(
        "Contoso.New/things", "orders", "thing", {"thing": fqdns}, [("privatelink.blob.core.windows.net", "orders")]
    )
    endpoint = await connected(estate, service)
    for report in (await estate.sweep(), await estate.sweep(), await estate.look(endpoint)):
        [unknown] = report.plan.held
        assert (unknown.reason, unknown.name) == (HeldReason.UNKNOWN_SERVICE, "orders.new.example")
        assert str(unknown.endpoint) == endpoint
        assert "type Contoso.New/things, group thing" in unknown.detail
    assert await standing(estate, service.records) == [["10.1.0.4"]]


# Private link services.

PARTNER = "00000000-0000-0000-0000-0000000000cc"
SERVICE = resource_id(PARTNER, "rg-services", "Microsoft.Network/privateLinkServices", "pls-orders")
ALIAS = "pls-orders.6b3ee6e7-0000-4000-8000-000000000000.westeurope.azure.privatelinkservice"


async def partners_service(estate: Estate, *fqdns: str) -> None:
    """A private link service of another tenant, with the names that its owner wrote; and a zone of our own."""
    await estate.azure.subscription(PARTNER, tenant="00000000-0000-0000-0000-00000000bbbb")
    await estate.azure.zone(OWN_ZONE)
    properties = {
        "provisioningState": "Succeeded",
        "alias": ALIAS,
        "fqdns": list(fqdns),
        "privateEndpointConnections": [],
    }
    kind = "Microsoft.Network/privateLinkServices"
    await estate.azure.put(
        {"id": SERVICE, "name": "pls-orders", "type": kind, "location": "westeurope", "properties": properties}
    )


def given(target: str, **name: str) -> dict[str, Any]:
    """Settings that give the service a name, or a suffix."""
    return {"names": [{"target": target, "zone": OWN_ZONE, **name}]}


@pytest.mark.parametrize(
    ("entry", "reference"),
    [
        pytest.param(SERVICE.upper().replace("/SUBSCRIPTIONS", "/subscriptions"), SERVICE, id="by id"),
        pytest.param(SERVICE.replace("rg-services", "rg-*").replace("pls-orders", "*"), SERVICE, id="by glob"),
        pytest.param(ALIAS, ALIAS.upper(), id="by alias"),
    ],
)
async def test_a_partners_service_has_the_name_that_the_owner_gives_it(
    found: Founding, entry: str, reference: str, tmp_path: Path
) -> None:
    """Whoever's it is: an entry names the target itself, so that `foreignTargets: hold` does not stop it."""
    estate = await found(records=given(entry, fqdn=f"orders.{OWN_ZONE}"))
    await partners_service(estate)
    endpoint = await estate.azure.endpoint("pe-partner", reference, groups=[])
    assert held(await estate.look(endpoint)) == []
    assert await estate.addresses("orders", OWN_ZONE) == ["10.1.0.4"]
    assert (await estate.sweep()).plan.changes == ()
    explained = await estate.hubwarden.explain_name(DnsName(f"orders.{OWN_ZONE}"))
    assert [str(each.endpoint) for each in explained.endpoints] == [endpoint]

    await restarted(estate, tmp_path)
    report = await estate.sweep()
    assert report.plan.changes == (), "law 14: a change of the settings withdraws nothing"
    assert held(report) == [HeldReason.NO_LONGER_COVERED, HeldReason.NO_NAMES]
    assert await estate.addresses("orders", OWN_ZONE) == ["10.1.0.4"]

    await estate.delete_endpoint(endpoint)
    await estate.sweep()
    assert await estate.addresses("orders", OWN_ZONE) is None


async def test_a_service_that_nobody_gave_a_name_has_none_whatever_it_claims(estate: Estate) -> None:
    await partners_service(estate, "login.contoso.com", f"orders.{OWN_ZONE}", "st1.blob.core.windows.net")
    endpoint = await estate.azure.endpoint("pe-partner", SERVICE, groups=[])
    for report in (await estate.look(endpoint), await estate.sweep()):
        assert report.plan.changes == ()
        assert held(report) == [*[HeldReason.NAME_NOT_ALLOWED] * 3, HeldReason.NO_NAMES]


@pytest.mark.parametrize("reaches", [True, False], ids=["its names reach the endpoint", "they do not"])
async def test_what_a_service_claims_counts_under_its_suffix_only(found: Founding, reaches: bool) -> None:
    """Whether a service's `fqdns` reach its endpoints is unverified (behaviour reference section 2.3): a switch."""
    estate = await found(records=given(SERVICE, suffix=OWN_ZONE))
    await estate.azure.sim("POST", "settings", {"plsFqdns": reaches})
    await partners_service(estate, f"orders.{OWN_ZONE}", "login.contoso.com")
    endpoint = await estate.azure.endpoint("pe-partner", SERVICE, groups=[])
    report = await estate.look(endpoint)
    if reaches:
        assert [(each.reason, each.name) for each in report.plan.held] == [
            (HeldReason.NAME_NOT_ALLOWED, "login.contoso.com")
        ]
        assert await estate.addresses("orders", OWN_ZONE) == ["10.1.0.4"]
    else:
        assert held(report) == [HeldReason.NO_NAMES]
    assert held(await estate.sweep()) == held(report)


async def test_two_endpoints_to_one_service_contest_its_name(found: Founding) -> None:
    estate = await found(records=given(SERVICE, fqdn=f"orders.{OWN_ZONE}"))
    await partners_service(estate)
    first = await estate.azure.endpoint("pe-one", SERVICE, groups=[])
    await estate.look(first)
    second = await estate.azure.endpoint("pe-two", SERVICE, groups=[])
    assert held(await estate.look(second)) == [HeldReason.CONTESTED]
    await estate.delete_endpoint(first)
    await estate.look(first)
    assert await estate.addresses("orders", OWN_ZONE) == ["10.1.0.5"], "the survivor takes over in the same run"
