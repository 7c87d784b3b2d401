"""Answers to connections that take their time: what shows meanwhile, where they are followed, and how they end."""

from __future__ import annotations

import pytest

from simulator.world import Change
from tests.azure import Azure
from tests.contract.owners import ENDPOINT, answer, asked, read, state

REGISTRY = "Microsoft.ContainerRegistry/registries"
SQL = "Microsoft.Sql/servers"
COSMOS = "Microsoft.DocumentDB/databaseAccounts"
VAULT = "Microsoft.KeyVault/vaults"
SITE = "Microsoft.Web/sites"


@pytest.mark.parametrize(
    ("resource_type", "status"),
    [
        (REGISTRY, 201),
        (SQL, 202),
        (COSMOS, 202),
        (VAULT, 200),
        (SITE, 202),
        ("Microsoft.Web/staticSites", 202),
        ("Microsoft.HealthcareApis/services", 200),
        ("Microsoft.Dashboard/grafana", 201),
        ("Microsoft.DBforPostgreSQL/flexibleServers", 202),
        ("Microsoft.Unheard/of", 202),
    ],
)
async def test_the_answer_lags_and_is_followed(
    azure: Azure, resource_type: str, status: int, changes: list[Change]
) -> None:
    """Azure, a long answer shows Pending until it is over (approval notes, "response lags", "LRO summary")."""
    waiting = await asked(azure, resource_type)
    before = await read(azure, waiting)
    await azure.hold_operations()
    changes.clear()

    told = await answer(azure, waiting, "Approved")

    assert told.status == status
    assert told.body["properties"]["privateLinkServiceConnectionState"]["status"] == "Pending"
    assert told.body["properties"]["provisioningState"] not in ("Succeeded", "Ready")
    assert await read(azure, waiting) == ("Pending", told.body["properties"]["provisioningState"])
    assert (await state(azure))["status"] == "Pending"
    followed = told.headers["Azure-AsyncOperation"]
    assert f"/providers/{resource_type.split('/')[0]}/locations/" in followed
    assert (await azure.arm("GET", followed)).body == {"status": "InProgress"}
    assert (await azure.arm("GET", told.headers["Location"])).status == 202
    assert changes == []
    await azure.end_operations()
    assert (await azure.arm("GET", followed)).body == {"status": "Succeeded"}
    assert (await azure.arm("GET", told.headers["Location"])).body["id"] == waiting["id"]
    assert await read(azure, waiting) == ("Approved", before[1])
    assert (await state(azure))["status"] == "Approved"
    assert [(each.operation, each.resource_id) for each in changes] == [
        (f"{resource_type}/privateEndpointConnections/write", waiting["id"])
    ]


@pytest.mark.parametrize(
    "resource_type",
    [
        "Microsoft.BotService/botServices",
        "Microsoft.ContainerService/managedClusters",
        "Microsoft.DataFactory/factories",
        "Microsoft.DesktopVirtualization/hostpools",
        "Microsoft.MachineLearningServices/workspaces",
        "Microsoft.Search/searchServices",
        "Microsoft.SignalRService/signalr",
        "Microsoft.Storage/storageAccounts",
    ],
)
async def test_some_answer_at_once(azure: Azure, resource_type: str) -> None:
    """Azure, a synchronous 200 (approval notes, "LRO summary")."""
    waiting = await asked(azure, resource_type)
    await azure.hold_operations()

    told = await answer(azure, waiting, "Approved")

    assert told.status == 200
    assert not {"Azure-AsyncOperation", "Location", "Retry-After"} & set(told.headers)
    assert told.body["properties"]["privateLinkServiceConnectionState"]["status"] == "Approved"
    assert await read(azure, waiting) == ("Approved", "Succeeded")


@pytest.mark.parametrize("wanted", ["both", "Azure-AsyncOperation", "Location"])
async def test_how_a_long_answer_is_followed(azure: Azure, wanted: str) -> None:
    """Azure, which of the two headers a provider sends is unverified, so a switch (reference sections 4.3, 6.4)."""
    await azure.sim("POST", "settings", {"connectionHeaders": wanted})
    waiting = await asked(azure, COSMOS)

    told = await answer(azure, waiting, "Approved")

    given = {"Azure-AsyncOperation", "Location"} & set(told.headers)
    assert given == ({"Azure-AsyncOperation", "Location"} if wanted == "both" else {wanted})


@pytest.mark.parametrize("long", [True, False])
async def test_whether_an_answer_is_long(azure: Azure, long: bool) -> None:
    """Azure, 200 or 202 is unverified for most providers, so a switch (behaviour reference section 4.3)."""
    await azure.sim("POST", "settings", {"longConnections": long})
    waiting = await asked(azure, SQL)

    told = await answer(azure, waiting, "Approved")
    removed = await azure.arm("DELETE", waiting["id"]) if not long else None

    assert told.status == (202 if long else 200)
    assert told.body["properties"]["privateLinkServiceConnectionState"]["status"] == ("Pending" if long else "Approved")
    if removed is not None:
        assert removed.status == 200
        assert (await state(azure))["status"] == "Disconnected"


async def test_a_registry_shows_what_was_recorded(azure: Azure) -> None:
    """Azure, Pending and Updating, no description, no action required (approval notes, sample 04c)."""
    waiting = await asked(azure, REGISTRY, message="")

    told = await answer(azure, waiting, "Approved", "somedescription")

    assert waiting["name"].startswith("t1.")
    assert waiting["properties"]["privateLinkServiceConnectionState"] == {"status": "Pending"}
    assert told.body["properties"] == {**waiting["properties"], "provisioningState": "Updating"}
    assert told.headers["Azure-AsyncOperation"]


async def test_a_second_answer_waits_for_the_first(azure: Azure) -> None:
    """Azure, one operation at a time; the code is unverified (behaviour reference section 6.1)."""
    waiting = await asked(azure, SQL)
    await azure.hold_operations()
    await answer(azure, waiting, "Approved")

    second = await answer(azure, waiting, "Rejected")
    removed = await azure.arm("DELETE", waiting["id"])

    assert (second.status, second.body["error"]["code"]) == (409, "Conflict")
    assert removed.status == 409
    await azure.end_operations()
    assert (await state(azure))["status"] == "Approved"


@pytest.mark.parametrize("then", ["answer", "remove"])
async def test_an_endpoint_may_go_meanwhile(azure: Azure, then: str, changes: list[Change]) -> None:
    """Azure, a deleted endpoint's connection is a 404; its code is unverified (behaviour reference section 4.3)."""
    waiting = await asked(azure, SQL)
    await azure.hold_operations()
    told = await (answer(azure, waiting, "Approved") if then == "answer" else azure.arm("DELETE", waiting["id"]))
    await azure.sim("POST", "settings", {"operationMs": 0})
    await azure.arm("DELETE", ENDPOINT)
    await azure.advance(1)
    changes.clear()

    await azure.end_operations()

    ended = (await azure.arm("GET", told.headers["Azure-AsyncOperation"])).body["status"]
    assert ended == ("Failed" if then == "answer" else "Succeeded")
    assert [each.succeeded for each in changes] == [then == "remove"]
    assert (await answer(azure, waiting, "Approved")).body["error"]["code"] == "ResourceNotFound"


@pytest.mark.parametrize(("failing", "word"), [("Failed", "Failed"), ("before", "Ready")])
async def test_an_answer_that_is_taken_may_fail(azure: Azure, failing: str, word: str) -> None:
    """Azure, SQL's Failed and others' (approval notes, "provisioningState"); what it shows is unverified: a switch."""
    waiting = await asked(azure, SQL)
    await azure.sim("POST", "settings", {"failedAnswers": failing})

    told = await answer(azure, waiting, "Approved")
    await azure.settle()

    assert told.status == 202
    assert (await azure.arm("GET", told.headers["Azure-AsyncOperation"])).body["status"] == "Failed"
    assert await read(azure, waiting) == ("Pending", word)
    assert (await state(azure))["status"] == "Pending"
    await azure.sim("POST", "settings", {"failedAnswers": "off"})
    assert (await answer(azure, waiting, "Approved")).status == 202
    await azure.settle()
    assert await read(azure, waiting) == ("Approved", "Ready")
