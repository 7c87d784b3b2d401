"""The check of the roles' actions by what Azure knows: a role with an unknown action is refused as a whole.

Microsoft, "Steps to create a custom role": the actions that there are come from `az provider operation list`.
"""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from infra.actions import main
from tests.house.infra_files import data_of

TYPES = data_of("roles/connection-types.json")
ALL = {
    action.replace("{type}", kind)
    for role in ("estate-reader", "record-writer", "zone-maker", "connection-approver")
    for action in (*data_of(f"roles/{role}.json")["actions"], *data_of(f"roles/{role}.json")["actionsOfTypes"])
    for kind in (*TYPES["answered"], *TYPES["shown"])
} | set(data_of("policy/subscriber.json")["actions"])
VAULT = "Microsoft.KeyVault/vaults"


def listed(*actions: str) -> list[dict[str, Any]]:
    """The answer to `az provider operation list`, which groups actions by provider and by type."""
    half = len(actions) // 2
    of_provider = [{"name": name.upper(), "isDataAction": False} for name in actions[:half]]
    of_type = [{"name": name, "isDataAction": False} for name in actions[half:]]
    return [
        {"name": "Microsoft.A", "operations": of_provider, "resourceTypes": []},
        {"name": "Microsoft.B", "operations": None, "resourceTypes": [{"name": "b", "operations": of_type}]},
        {"name": "Microsoft.C", "resourceTypes": [{"name": "c", "operations": None}, {"name": "d"}]},
    ]


def asked(providers: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(providers)))
    return main()


def test_where_azure_knows_everything_nothing_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Azure's letter case is its own."""
    assert asked(listed(*ALL), monkeypatch) == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == {"shown": TYPES["shown"], "answered": TYPES["answered"]}
    assert said.err == ""


def test_a_type_that_cannot_be_answered_is_shown_and_one_that_cannot_be_read_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    approval = f"{VAULT}/privateEndpointConnectionsApproval/action"
    reading = "Microsoft.Sql/servers/privateEndpointConnections/read"
    synapse = "Microsoft.Synapse/privateLinkHubs/read"
    assert asked(listed(*(ALL - {approval, reading, synapse})), monkeypatch) == 0
    said = capsys.readouterr()
    left = json.loads(said.out)
    assert left["shown"] == [VAULT]
    assert set(TYPES["answered"]) - set(left["answered"]) == {VAULT, "Microsoft.Sql/servers"}
    assert said.err.splitlines() == [
        f"{VAULT} is only shown: Azure does not know {approval}",
        f"Microsoft.Sql/servers is left out: Azure does not know {reading}",
        f"Microsoft.Synapse/privateLinkHubs is left out: Azure does not know {synapse}",
    ]


def test_another_action_that_azure_does_not_know_is_told_and_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An action on data is none that a role may name among its actions."""
    lost = ["Microsoft.Network/privateDnsZones/A/write", "Microsoft.EventGrid/register/action"]
    providers = listed(*(ALL - set(lost)))
    providers[0]["operations"].append({"name": lost[0], "isDataAction": True})
    assert asked(providers, monkeypatch) == 1
    told = [f"no parameter leaves it out: Azure does not know {action}" for action in lost]
    assert capsys.readouterr().err.splitlines() == told
