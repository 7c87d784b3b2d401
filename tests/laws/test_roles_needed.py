"""The roles of infra/roles are what Hubwarden needs, and no more: derived from its requests to a simulator in which
roles count, over everything that it does by itself. What a person does from a shell is done with that person's rights.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from hubwarden.arm.managed_endpoints import MANAGERS
from hubwarden.model.coverage import Ours
from hubwarden.model.report import Report, Result, Status
from hubwarden.model.scope import Pending
from hubwarden.model.zone import LinkZone, MakeZone
from hubwarden.reconcile import managed
from hubwarden.reconcile.coverage import coverage_of
from tests.azure import HUB, SPOKE, resource_id
from tests.contract import owners
from tests.contract.test_managed_endpoints import LISTS, made
from tests.estate import Estate
from tests.laws.conftest import Founding
from tests.laws.hub_zones import GROUP, NETWORK, THE_ZONE, hub
from tests.laws.hub_zones import endpoint as queue_endpoint
from tests.laws.roles import assign, used
from tests.laws.test_approvals import Rule, answered, guarded, target_of
from tests.laws.test_coverage import ASKED, subscribe
from tests.laws.test_managed import managed_by, with_managers
from tests.rights import APPROVER, MAKER, READER, TYPES, WRITER, actions_of

pytestmark = pytest.mark.every_right  # each test says itself which roles there are

ACCOUNT = resource_id(SPOKE, "rg-spoke", "Microsoft.Storage/storageAccounts", "st1")
SERVICE, SLOTS = "Microsoft.Network/privateLinkServices", "Microsoft.Web/sites/slots"
# Resource Graph has no row of them, so their requests are seen when their endpoint is looked at.
NOT_IN_INDEX = (SLOTS, "Microsoft.Authorization/resourceManagementPrivateLinks")
# What the reader may see only because of coverage.
OF_COVERAGE = {
    "microsoft.authorization/permissions/read",
    "microsoft.resources/subscriptions/providers/read",
    "microsoft.eventgrid/systemtopics/read",
    "microsoft.eventgrid/systemtopics/eventsubscriptions/read",
}
OWN: dict[str, Any] = {"name": "own", "when": {"consumer": {"in": "estate"}}, "then": "approve"}
# What a rule asks for beside the connection itself is read from the target.
TAGGED: dict[str, Any] = {**OWN, "when": {**OWN["when"], "target": {"locations": ["westeurope"]}}}


async def test_records_take_the_reader_and_the_writer(found: Founding) -> None:
    """Made, corrected, shown and withdrawn, IPv4 and IPv6 (behaviour reference section 2.8)."""
    publishes = {"locations": ["westeurope"]}
    estate = await found(hubs=[{"name": "weu", "zones": [GROUP], "networks": [NETWORK], "publishes": publishes}])
    await assign(estate.azure, READER, WRITER)
    await estate.forget_calls()
    endpoint = await estate.azure.endpoint("pe1", ACCOUNT)
    await estate.azure.sim("POST", "settings", {"expandNics": "ids"})
    await with_ipv6(estate, endpoint)
    assert await done(estate, endpoint) == ["put", "put"]
    for kind in ("A", "AAAA"):
        await spoilt(estate, kind)
    assert changed(await estate.sweep()) == ["put", "put"]
    await estate.azure.sim("POST", "settings", {"graphMetadata": False})
    assert changed(await estate.sweep()) == []
    await estate.delete_endpoint(endpoint)
    assert await done(estate, endpoint) == ["drop", "drop"]
    await moved_north(estate, await estate.azure.endpoint("pe2", ACCOUNT))
    assert changed(await estate.sweep()) == [], "and for the warning that it is not published, links are looked at"
    assert await used(estate.azure) == actions_of(WRITER) | (
        actions_of(READER) - of_connections() - of_managers() - OF_COVERAGE
    )


async def test_coverage_takes_the_reader(estate: Estate) -> None:
    """Asked with the app's own rights, once a day; what it insists on (docs/coverage.md) is in the role as well."""
    for subscription in (HUB, SPOKE):
        await subscribe(estate.azure, subscription)
    await assign(estate.azure, READER)
    await estate.forget_calls()
    assert (await coverage_of(estate.hubwarden.rooms, Ours())).is_whole
    assert await used(estate.azure) == {*OF_COVERAGE, "microsoft.resources/subscriptions/read"}
    assert {action.lower() for action in ASKED} <= actions_of(READER)


async def test_making_zones_takes_one_role_more(found: Founding) -> None:
    """A zone, its links and the operations that make them (behaviour reference sections 3.2, 3.6 and 6.4)."""
    estate = await found(hubs=[hub()])
    await estate.azure.resource_group("rg-dns", HUB)
    await assign(estate.azure, READER, WRITER, MAKER)
    await queue_endpoint(estate)
    await estate.forget_calls()
    report = await estate.hubwarden.run(THE_ZONE)
    assert report.status is Status.DONE
    assert [type(change) for change in report.plan.zones] == [MakeZone, LinkZone]
    assert await used(estate.azure) - actions_of(READER) - actions_of(WRITER) == actions_of(MAKER)


def of_connections() -> set[str]:
    """What the reader may see only because of connections."""
    types = [*TYPES["shown"], *TYPES["answered"]]
    return {f"{each}{what}".lower() for each in types for what in ("/read", "/privateEndpointConnections/read")}


def of_managers() -> set[str]:
    """What the reader may see only because of private endpoints that Microsoft makes for resources of ours."""
    return {action for action in actions_of(READER) if action.startswith(MANAGERS)} - of_connections()


def changed(report: Report) -> list[str]:
    """The changes of a run that all succeeded."""
    assert report.status is Status.DONE
    assert {outcome.result for outcome in report.outcomes} <= {Result.DONE}
    return sorted(type(change).__name__.lower() for change in report.plan.changes)


async def done(estate: Estate, endpoint: str) -> list[str]:
    return changed(await estate.look(endpoint))


async def with_ipv6(estate: Estate, endpoint: str) -> None:
    """The endpoint's interface gets a second address."""
    document = (await estate.azure.arm("GET", endpoint)).body
    interface = (await estate.azure.arm("GET", document["properties"]["networkInterfaces"][0]["id"])).body
    [first] = interface["properties"]["ipConfigurations"]
    second = {**first, "name": "v6", "properties": {**first["properties"], "privateIPAddress": "fd00::4"}}
    interface["properties"]["ipConfigurations"] = [first, second]
    await estate.azure.put(interface)


async def moved_north(estate: Estate, endpoint: str) -> None:
    """The endpoint is one that the hub does not publish."""
    document = (await estate.azure.arm("GET", endpoint)).body
    await estate.azure.put({**document, "location": "northeurope"})


async def spoilt(estate: Estate, kind: str) -> None:
    """Somebody changes a record of ours by hand, and leaves our mark on it."""
    record = await estate.record(kind=kind)
    assert record is not None
    properties = {**record["properties"], "ttl": 3600}
    assert (await estate.azure.arm("PUT", record["id"], {"properties": properties})).status == 200


async def test_every_type_of_connection_takes_the_approver(found: Founding) -> None:
    """Every type that is answered is, with these rights and no others (behaviour reference sections 2.8 and 4.3)."""
    estate = await guarded_by(found, TAGGED)
    await assign(estate.azure, READER, WRITER, APPROVER)
    await estate.forget_calls()
    endpoints = {}
    for number, target_type in enumerate(TYPES["answered"]):
        target = await target_at(estate, target_type, f"t{number}")
        groups = [] if target_type == SERVICE else ["g1"]
        asked: dict[str, Any] = {"manual": True, "groups": groups, "message": "let me in", "wait": False}
        endpoints[target_type] = await estate.azure.endpoint(f"pe{number}", target, **asked)
    await estate.azure.settle()
    reports = [await estate.hubwarden.run(Pending())]
    reports += [await estate.look(endpoints[target_type]) for target_type in NOT_IN_INDEX]
    decisions = [each for report in reports for each in report.decisions]
    assert {each.verdict for each in decisions} == {"approve"}
    assert fold_all(each.connection.target.type for each in decisions) == fold_all(TYPES["answered"])
    needed = await used(estate.azure)
    assert actions_of(APPROVER) - needed == set()
    assert needed - actions_of(APPROVER) <= actions_of(READER) | actions_of(WRITER)
    answered = {action for action in of_connections() if not action.startswith(shown_only())}
    assert answered - needed == set()


async def test_requests_from_microsofts_networks_take_the_lists_of_those_who_made_them(found: Founding) -> None:
    """Every kind of resource that shows what it has made, for rules with `managedBy`."""
    estate, _ = await with_managers(found, managed_by())
    await assign(estate.azure, READER, WRITER, APPROVER)
    await estate.forget_calls()
    for kind in LISTS:
        target = await estate.azure.storage_account(f"st{kind.replace(' ', '')}")
        await made(estate.azure, kind, target)
        assert [each.verdict for each in (await answered(estate, target)).decisions] == ["approve"], kind
    # Of profiles only the index is asked, which shows nobody what they may not read.
    assert of_managers() - await used(estate.azure) == {"microsoft.cdn/profiles/read"}


@pytest.fixture(autouse=True)
def long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    """The index has long heard of all that there is."""
    monkeypatch.setattr(managed, "INDEX_LASTS", 0.0)


def fold_all(types: Iterable[str]) -> list[str]:
    """The types as they compare."""
    return sorted(each.lower() for each in types)


def shown_only() -> tuple[str, ...]:
    """Types whose connections are shown, and cannot be answered."""
    return tuple(f"{each}/".lower() for each in TYPES["shown"])


async def guarded_by(found: Founding, *rules: Rule) -> Estate:
    """An estate with these rules and no limits, in which waiting passes the time of Azure, too."""
    estate = await guarded(found, *rules)
    estate.hubwarden.rooms = replace(estate.hubwarden.rooms, approve_limit=1000)
    return estate


async def target_at(estate: Estate, target_type: str, name: str) -> str:
    """A resource of that type that endpoints can ask for; its id."""
    if target_type == SERVICE:
        return await target_of(estate, SERVICE, name)
    if target_type != SLOTS:
        return await owners.target(estate.azure, target_type, name)
    site = resource_id(SPOKE, "rg-spoke", "Microsoft.Web/sites", name)
    slot = f"{site}/slots/staging"
    await estate.azure.put({"id": slot, "name": "staging", "type": SLOTS, "location": "westeurope", "properties": {}})
    return await estate.azure.target(slot, [{"groupId": "g1", "memberName": "g1", "fqdns": [f"{name}.example"]}])
