"""What deploys infra: azd's file, parameters for azd and the Azure CLI, and the script that subscribes spokes."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
import yaml

from handlers.answers import plan_in
from handlers.people import PRINCIPAL, is_one_of, person_in
from tests.house.infra_files import INFRA, data_of, parameters, text_of
from tests.house.sources import ROOT

MAIN = {each.name: each for each in parameters(INFRA / "main.bicep")}
ESTATE: dict[str, Any] = yaml.safe_load((ROOT / "hubwarden.yaml").read_text(encoding="utf-8"))
AZD: dict[str, Any] = yaml.safe_load((ROOT / "azure.yaml").read_text(encoding="utf-8"))


def spokes_script(directory: Path, spokes: str, **more: str) -> tuple[str, list[str]]:
    """What the script says, and what it asks the Azure CLI to do."""
    fake = directory / "az"
    fake.write_text('#!/bin/sh\nfor each in "$@"; do printf \'%s\\n\' "$each" >> "$ASKED"; done\n')
    fake.chmod(0o755)
    asked = directory / "asked"
    environment = {
        "PATH": f"{directory}:{os.environ['PATH']}",
        "ASKED": str(asked),
        "AZURE_LOCATION": "westeurope",
        "AZURE_SUBSCRIPTION_ID": "connectivity",
        "HUBWARDEN_SPOKES": spokes,
        "HUBWARDEN_APP_ID": "/app",
        "HUBWARDEN_WORK_ACCOUNT_ID": "/account",
        **more,
    }
    command = ["sh", str(INFRA / "spokes.sh")]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return run.stdout, asked.read_text().splitlines() if asked.exists() else []


def test_the_script_subscribes_each_spoke(tmp_path: Path) -> None:
    _, asked = spokes_script(tmp_path, "s1 s2")
    assert asked[:5] == ["deployment", "sub", "create", "--subscription", "connectivity"]
    template = Path(asked[asked.index("--template-file") + 1])
    given = dict(each.split("=", 1) for each in asked[asked.index("--parameters") + 1 :])
    assert json.loads(given.pop("subscriptions")) == ["s1", "s2"]
    assert given == {"appId": "/app", "workAccountId": "/account", "alertTo": "[]"}
    known = parameters(template)
    assert {each.name for each in known if each.is_required} == {"subscriptions", *given} - {"alertTo"}
    assert set(given) <= {each.name for each in known}


def test_the_script_has_spokes_alert_whom_the_apps_alerts_tell(tmp_path: Path) -> None:
    """azd gives an output that is an array as JSON, which is what the Azure CLI takes for one."""
    _, asked = spokes_script(tmp_path, "s1", HUBWARDEN_ALERT_TO='["/group"]')
    assert 'alertTo=["/group"]' in asked
    assert "output HUBWARDEN_ALERT_TO array = alerts ? alertTo : []\n" in text_of("main.bicep")


def test_the_tools_are_those_that_the_page_asks_for() -> None:
    """azd takes no older Bicep than 0.41 by itself, and older ones lack types of versions that are used here."""
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    workflow = (ROOT / ".github" / "workflows" / "azure.yml").read_text(encoding="utf-8")
    [wanted] = re.findall(r"Bicep (\d+\.\d+) or newer", page)
    assert re.findall(r"az bicep install --version v(\d+\.\d+)\.\d+", workflow) == [wanted]
    assert "`azd` 1.23.5 or newer" in page
    assert AZD["requiredVersions"] == {"azd": ">= 1.23.5"}


@pytest.mark.parametrize(
    "name", ["AZURE_LOCATION", "AZURE_SUBSCRIPTION_ID", "HUBWARDEN_APP_ID", "HUBWARDEN_WORK_ACCOUNT_ID"]
)
def test_what_the_script_is_not_given_it_names_and_asks_nobody(tmp_path: Path, name: str) -> None:
    (tmp_path / "az").write_text('#!/bin/sh\ntouch "$0.asked"\n')
    (tmp_path / "az").chmod(0o755)
    names = ("AZURE_LOCATION", "AZURE_SUBSCRIPTION_ID", "HUBWARDEN_APP_ID", "HUBWARDEN_WORK_ACCOUNT_ID")
    given = {each: "given" for each in ("HUBWARDEN_SPOKES", *names) if each != name}
    environment = {**given, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    run = subprocess.run(["sh", str(INFRA / "spokes.sh")], env=environment, capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert name in run.stderr
    assert not (tmp_path / "az.asked").exists()


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


def test_the_package_of_an_older_version_is_not_in_the_way(tmp_path: Path) -> None:
    """Of two packages `cp` would make none the one that is deployed."""
    (tmp_path / "make").write_text("#!/bin/sh\necho new > dist/hubwarden-2.0-py313.zip\n")
    (tmp_path / "make").chmod(0o755)
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "hubwarden-1.0-py313.zip").write_text("old\n")
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    for _ in range(2):
        subprocess.run(["sh", "-c", AZD["hooks"]["postprovision"]["run"]], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "dist" / "hubwarden.zip").read_text() == "new\n"


def test_azd_does_not_have_the_package_built_anew() -> None:
    """Unset, azd asks Flex Consumption to build whatever is in Python; azd knows the setting from 1.23.5 on."""
    [service] = AZD["services"].values()
    assert service["remoteBuild"] is False


def test_azd_does_not_pack_the_checkout() -> None:
    """A bare `azd deploy` would: it packs unless `--from-package` is given (azure-dev, deploySingleService)."""
    [service] = AZD["services"].values()
    command = service["hooks"]["prepackage"]["run"]
    run = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "'azd up' makes the package" in run.stderr
    assert not any("package" in step["azd"].split()[:1] for step in AZD["workflows"]["up"]["steps"])


def test_azd_does_not_take_it_all_down() -> None:
    """It would delete the resource groups of all that it deployed, and with the zones' groups every zone in them."""
    run = subprocess.run(["sh", "-c", AZD["hooks"]["predown"]["run"]], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "docs/install.md, Leaving again" in run.stderr
    assert "\n## Leaving again\n" in (ROOT / "docs" / "install.md").read_text(encoding="utf-8")


def published(directory: Path, *answers: str) -> tuple[int, str, list[str]]:
    """The end of publish.sh where each look at the deployment is answered in turn, what it says, and what it asked."""
    (directory / "answers").write_text("".join(f"{each}\n" for each in answers))
    fakes = {
        "az": "case $1 in account) echo secret ;; *) echo app.scm.example.net ;; esac",
        "curl": f"""printf '%s\\n' "$*" >> {directory}/asked; cat >> {directory}/config
case "$*" in
    *publish*) echo '"d-1"' ;;
    *) head -n 1 {directory}/answers; sed -i 1d {directory}/answers ;;
esac""",
        "sleep": ":",
    }
    for name, line in fakes.items():
        (directory / name).write_text(f"#!/bin/sh\n{line}\n")
        (directory / name).chmod(0o755)
    command = ["sh", str(INFRA / "publish.sh"), "rg-hubwarden", "func-app", "hubwarden.zip"]
    environment = {"PATH": f"{directory}:{os.environ['PATH']}"}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return run.returncode, run.stdout + run.stderr, (directory / "asked").read_text().splitlines()


def test_a_package_is_published_as_it_is(tmp_path: Path) -> None:
    """The token is not among the arguments, which others on the machine can see."""
    code, said, asked = published(
        tmp_path, "", '{"id":"d-1","status":1,"x":2}', '{"id":"d-1","status":4,"complete":true}'
    )
    assert (code, said) == (0, "hubwarden.zip is deployed to func-app.\n")
    assert "--data-binary @hubwarden.zip https://app.scm.example.net/api/publish?RemoteBuild=false" in asked[0]
    assert [each.rpartition(" ")[2] for each in asked[1:]] == ["https://app.scm.example.net/api/deployments/d-1"] * 3
    assert "secret" not in "".join(asked)
    assert (tmp_path / "config").read_text().splitlines() == ['header = "Authorization: Bearer secret"'] * 4


def test_a_package_that_was_not_taken_is_told(tmp_path: Path) -> None:
    code, said, _ = published(tmp_path, '{"id":"d-1","status":3,"status_text":"no room"}')
    assert code == 1
    assert "no room" in said


def test_a_deployment_of_which_nothing_is_heard_is_not_taken_for_one(tmp_path: Path) -> None:
    code, said, asked = published(tmp_path)
    assert code == 1
    assert "nobody says" in said
    assert len(asked) == 1 + 120


def test_the_pages_deploy_a_package_by_what_does_not_build_it() -> None:
    """azure-cli's config-zip has every app in Python built again on Flex Consumption (enable_zip_deploy_flex)."""
    for page in ("install.md", "operations.md"):
        text = (ROOT / "docs" / page).read_text(encoding="utf-8")
        assert not re.search(r"^\W*az functionapp deployment", text, re.MULTILINE)
        assert "sh infra/publish.sh" in text


def test_both_plans_run_the_same_python() -> None:
    assert "linuxFxVersion: 'PYTHON|3.13'" in text_of("modules/premium.bicep")
    assert "version: '3.13'" in text_of("modules/flex.bicep")


PAGES = {
    page.name: page.read_text(encoding="utf-8").replace("\\\n", " ") for page in sorted((ROOT / "docs").glob("*.md"))
}
DEPLOYMENTS = [
    pytest.param(
        ROOT / file, frozenset(re.findall(r"(?:^|\s)(\w+)=", given)), ".bicepparam" in given, id=f"{name} {file}"
    )
    for name, text in PAGES.items()
    for file, given in re.findall(r"--template-file (infra/\S+\.bicep)\s+--parameters ([^\n]+)", text)
]


@pytest.mark.parametrize(("file", "given", "has_a_file"), DEPLOYMENTS)
def test_a_deployment_on_a_page_gives_a_template_what_it_takes(
    file: Path, given: frozenset[str], has_a_file: bool
) -> None:
    known = parameters(file)
    assert given <= {each.name for each in known}
    assert has_a_file or {each.name for each in known if each.is_required} <= given


def test_what_the_pages_say_a_deployment_gave_out_is_given_out() -> None:
    named = {name for text in PAGES.values() for name in re.findall(r"<((?:HUBWARDEN|AZURE)_\w+)>", text)}
    files = ("main.bicep", "policy/event-subscriptions.bicep")
    given_out = {name for file in files for name in re.findall(r"^output (\w+) ", text_of(file), re.MULTILINE)}
    assert len(DEPLOYMENTS) >= 6
    assert named
    assert named <= given_out


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


def test_the_forged_header_on_the_page_would_be_believed_if_it_came_through() -> None:
    """Else the 403 that an owner is told to look for would prove nothing of App Service."""
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    [header] = re.findall(r"x-ms-client-principal: \$\(printf '%s' '(\{.*?\})' \| base64", page, re.DOTALL)
    [body] = re.findall(r"--data '(\{\"plan.*?\})' https://<app>", page)
    forged = {PRINCIPAL: base64.b64encode(header.encode()).decode()}
    request = func.HttpRequest("POST", "https://app/api/reconcile", headers=forged, body=body.encode())
    assert is_one_of(frozenset({"Operator"}), request)
    assert person_in(request) is not None
    assert plan_in(request.get_json())
