"""`policy try` in a process of its own: on the live estate with what the app has, on a snapshot with nothing at all."""

from __future__ import annotations

import json
from pathlib import Path

from tests.doors.local_azure import Spoke
from tests.doors.rights import OPERATOR
from tests.doors.test_shell import BAD_INPUT, HELD, OK, shell
from tests.unit.test_config import LEAST

APPROVING = """\
approvals:
  rules:
    - {name: spokes, when: {consumer: {in: estate, endpoints: [pe-waiting]}, target: {names: [st*]}}, then: approve}
"""


async def test_a_snapshot_of_the_estate_is_tried_without_azure_and_settings(silent: Spoke, tmp_path: Path) -> None:
    """What a pull request is checked with: saved once by whoever may read the estate, tried anywhere."""
    variables = {**silent.up.variables, "HUBWARDEN_CONFIG": str(silent.up.config)}
    waiting = await silent.endpoint("pe-waiting", manual=True)
    snapshot, proposed = tmp_path / "waiting.yaml", tmp_path / "proposed.yaml"
    proposed.write_text(LEAST + APPROVING, encoding="utf-8")
    (tmp_path / "before.yaml").write_text(LEAST, encoding="utf-8")

    live = await shell("policy", "try", str(proposed), "--save", str(snapshot), "--format", "json", **variables)
    assert (live.code, live.errors) == (OK, "")
    [mine] = [each for each in json.loads(live.out)["value"] if each["endpoint"] == waiting]
    assert (mine["verdict"], mine["rule"]) == ("approve", "spokes")

    offline = await shell("policy", "try", str(proposed), "--snapshot", str(snapshot), "--format", "json")
    assert (offline.code, offline.errors) == (OK, "")
    assert json.loads(offline.out) == json.loads(live.out)

    tried = ("policy", "try", str(tmp_path / "before.yaml"), "--snapshot", str(snapshot), "--against")
    differs = await shell(*tried, str(proposed))
    assert differs.code == HELD
    assert "hold -> approve by spokes" in differs.out
    same = await shell(*tried, str(tmp_path / "before.yaml"))
    assert (same.code, same.out.partition(" of ")[0]) == (OK, "0")
    assert await silent.calls(OPERATOR) != [], "the live one asked"

    nowhere = await shell("policy", "try", "--save", str(tmp_path / "no" / "where.yaml"), **variables)
    assert (nowhere.code, "cannot be written" in nowhere.errors) == (BAD_INPUT, True)


async def test_without_settings_the_live_estate_cannot_be_tried(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(LEAST, encoding="utf-8")
    refused = await shell("policy", "try", str(file), HUBWARDEN_CONFIG=str(file))
    assert (refused.code, refused.out) == (BAD_INPUT, "")
    assert "AzureWebJobsStorage" in refused.errors
