"""What deploys infra: azd's file, parameters for azd and the Azure CLI, and the script that subscribes spokes."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.house.infra_files import INFRA, data_of, parameters, text_of
from tests.house.sources import ROOT

MAIN = {each.name: each for each in parameters(INFRA / "main.bicep")}
ESTATE: dict[str, Any] = yaml.safe_load((ROOT / "hubwarden.yaml").read_text(encoding="utf-8"))
AZD: dict[str, Any] = yaml.safe_load((ROOT / "azure.yaml").read_text(encoding="utf-8"))


def spokes_script(directory: Path, spokes: str) -> tuple[str, list[str]]:
    """What the script says, and what it asks the Azure CLI to do."""
    fake = directory / "az"
    fake.write_text('#!/bin/sh\nfor each in "$@"; do printf \'%s\\n\' "$each" >> "$ASKED"; done\n')
    fake.chmod(0o755)
    asked = directory / "asked"
    environment = {
        "PATH": f"{directory}:{os.environ['PATH']}",
        "ASKED": str(asked),
        "AZURE_LOCATION": "westeurope",
        "HUBWARDEN_SPOKES": spokes,
        "HUBWARDEN_APP_ID": "/app",
        "HUBWARDEN_WORK_ACCOUNT_ID": "/account",
    }
    command = ["sh", str(INFRA / "spokes.sh")]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return run.stdout, asked.read_text().splitlines() if asked.exists() else []


def test_the_script_subscribes_each_spoke(tmp_path: Path) -> None:
    _, asked = spokes_script(tmp_path, "s1 s2")
    assert asked[:3] == ["deployment", "sub", "create"]
    template = Path(asked[asked.index("--template-file") + 1])
    given = dict(each.split("=", 1) for each in asked[asked.index("--parameters") + 1 :])
    assert json.loads(given.pop("subscriptions")) == ["s1", "s2"]
    assert given == {"appId": "/app", "workAccountId": "/account"}
    known = parameters(template)
    assert {each.name for each in known if each.is_required} == {"subscriptions", *given}


def test_without_spokes_it_says_so_and_does_nothing(tmp_path: Path) -> None:
    said, asked = spokes_script(tmp_path, "")
    assert "HUBWARDEN_SPOKES" in said
    assert asked == []


def test_the_script_reads_what_main_gives_out() -> None:
    given_out = set(re.findall(r"^output (\w+) ", text_of("main.bicep"), re.MULTILINE))
    read = set(re.findall(r"\$\{?(HUBWARDEN_\w+)", text_of("spokes.sh"))) - {"HUBWARDEN_SPOKES"}
    assert read <= given_out


def test_azd_deploys_the_app_that_main_tags_from_a_package_for_its_python() -> None:
    [service] = AZD["services"]
    assert f"'azd-service-name': '{service}'" in text_of("modules/app.bicep")
    assert AZD["infra"] == {"provider": "bicep", "path": "infra", "module": "main"}
    [python] = re.findall(r"runtime: \{ name: 'python', version: '([\d.]+)' \}", text_of("modules/flex.bicep"))
    made = AZD["hooks"]["postprovision"]["run"]
    assert f"PYTHON=python{python}" in made
    assert f"-py{python.replace('.', '')}.zip dist/hubwarden.zip" in made
    steps = [step["azd"] for step in AZD["workflows"]["up"]["steps"]]
    assert steps == ["provision", f"deploy {service} --from-package dist/hubwarden.zip"]
    assert "infra/spokes.sh" in AZD["hooks"]["postdeploy"]["run"]


def test_both_plans_run_the_same_python() -> None:
    assert "linuxFxVersion: 'PYTHON|3.13'" in text_of("modules/premium.bicep")
    assert "version: '3.13'" in text_of("modules/flex.bicep")


def test_the_parameters_are_mains_and_none_that_it_needs_is_missing() -> None:
    required = {name for name, each in MAIN.items() if each.is_required}
    for given in (set(data_of("main.parameters.json")["parameters"]), set(example())):
        assert required <= given <= set(MAIN)


def test_the_example_is_the_example_estate() -> None:
    given = example()
    assert re.findall(r"'([\w-]+)'", given["estateSubscriptions"]) == ESTATE["estate"]["subscriptions"]
    assert re.findall(r"'(/[^']+)'", given["zoneGroups"]) == [zone for hub in ESTATE["hubs"] for zone in hub["zones"]]
    [rule] = ESTATE["approvals"]["rules"]
    assert re.findall(r"'([\w-]+)'", given["approveIn"]) == rule["when"]["target"]["subscriptions"]


def example() -> dict[str, str]:
    """The parameters of the example, each with what stands behind it."""
    found = re.split(r"^param (\w+) = ", text_of("example.bicepparam"), flags=re.MULTILINE)[1:]
    return dict(zip(found[::2], found[1::2], strict=True))


def test_the_roles_for_people_are_those_that_the_pages_name() -> None:
    roles = data_of("app-roles.json")
    assert [role["value"] for role in roles] == ["Reader", "Operator"]
    assert len({role["id"] for role in roles}) == len(roles)
    assert "approvals.people: [Operator]" in (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
