"""`python -m hubwarden coverage`: what it prints, and what it ends with."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from simulator.event_subscriptions import event_subscription, topic
from simulator.up import FILTER
from tests.azure import HUB, resource_id
from tests.doors.local_azure import Spoke, settings
from tests.doors.test_shell import BAD_INPUT, FAILED, HELD, OK, shell

APP = resource_id(HUB, "rg-hubwarden", "Microsoft.Web/sites", "func-hubwarden")
ACCOUNT = resource_id(HUB, "rg-hubwarden", "Microsoft.Storage/storageAccounts", "sthubwarden")
PLATFORM = {"WEBSITE_OWNER_NAME": HUB, "WEBSITE_RESOURCE_GROUP": "rg-hubwarden"}


@pytest.fixture
def variables(silent: Spoke, tmp_path: Path) -> Mapping[str, str]:
    """What the shell needs, with an estate of the test's own spoke alone."""
    file = tmp_path / "hubwarden.yaml"
    file.write_text(settings(estate={"subscriptions": [silent.subscription]}))
    return {**silent.up.variables, "HUBWARDEN_CONFIG": str(file)}


async def subscribe(silent: Spoke) -> None:
    """The spoke's events go to the function `events` of an app."""
    destination = {"endpointType": "AzureFunction", "properties": {"resourceId": f"{APP}/functions/events"}}
    await silent.azure.resource_group("rg-events", silent.subscription)
    made = event_subscription(silent.subscription, "hubwarden", destination, FILTER)
    await silent.azure.put(topic(silent.subscription), made)


async def test_a_subscription_without_one_is_listed_and_ends_with_3(
    silent: Spoke, variables: Mapping[str, str]
) -> None:
    said = await shell("coverage", **variables)
    assert (said.code, said.errors) == (HELD, "")
    assert [line.split() for line in said.out.splitlines()[:2]] == [
        ["subscription", silent.subscription],
        ["finding", "no_subscription"],
    ]
    assert said.out.splitlines()[-1] == "1 no_subscription"


async def test_a_covered_estate_ends_with_0_in_every_form(silent: Spoke, variables: Mapping[str, str]) -> None:
    await subscribe(silent)
    as_table, as_json, as_csv = await asyncio.gather(
        *(shell("coverage", "--app", APP, "--format", form, **variables) for form in ("table", "json", "csv"))
    )
    assert [said.code for said in (as_table, as_json, as_csv)] == [OK] * 3, as_table.out
    assert as_table.out.splitlines()[-1] == "1 covered"
    [found] = json.loads(as_json.out)["value"]
    assert found == {
        "subscription": silent.subscription,
        "finding": "covered",
        "leadsTo": [f"{APP}/functions/events"],
        "detail": "",
    }
    [row] = csv.DictReader(io.StringIO(as_csv.out))
    assert (row["finding"], row["leads to"]) == ("covered", f"{APP}/functions/events")


async def test_another_app_is_told_by_option_and_by_the_platform(silent: Spoke, variables: Mapping[str, str]) -> None:
    """App Service tells each app its own id (Microsoft's reference of its environment variables)."""
    await subscribe(silent)
    named, within, itself, queue_only = await asyncio.gather(
        shell("coverage", "--app", f"{APP}-2", **variables),
        shell("coverage", **variables, **PLATFORM, WEBSITE_SITE_NAME="func-other"),
        shell("coverage", **variables, **PLATFORM, WEBSITE_SITE_NAME="func-hubwarden"),
        shell("coverage", "--queue", ACCOUNT, **variables),
    )
    assert [said.code for said in (named, within, itself, queue_only)] == [HELD, HELD, OK, OK]
    assert "elsewhere" in named.out
    assert "elsewhere" in within.out


async def test_what_could_not_be_asked_ends_with_1(silent: Spoke, variables: Mapping[str, str]) -> None:
    await silent.fault(method="GET", path=f"{silent.subscription}/.*systemTopics$", status=503, retryAfter=60, times=5)
    said = await shell("coverage", **variables)
    assert said.code == FAILED
    assert said.out.splitlines()[-1] == "1 unknown"
    await silent.no_faults()


async def test_an_estate_of_which_nothing_is_shown_ends_with_1(silent: Spoke, tmp_path: Path) -> None:
    """As where the identity has no role on the management group yet: nothing is not everything."""
    file = tmp_path / "hubwarden.yaml"
    file.write_text(settings(estate={"managementGroups": ["nobody-is-under-it"]}))
    said = await shell("coverage", **{**silent.up.variables, "HUBWARDEN_CONFIG": str(file)})
    assert (said.code, said.out) == (FAILED, "no subscription of the estate is shown\n")


async def test_what_is_no_app_or_account_is_bad_input(variables: Mapping[str, str]) -> None:
    app, account, text = await asyncio.gather(
        shell("coverage", "--app", ACCOUNT, **variables),
        shell("coverage", "--queue", APP, **variables),
        shell("coverage", "--app", "", **variables),
    )
    assert [said.code for said in (app, account, text)] == [BAD_INPUT] * 3
    assert "is not the id of a function app" in app.errors
    assert "is not the id of a storage account" in account.errors
    assert [said.out for said in (app, account, text)] == [""] * 3
