"""The README, the simulator's page and the examples say what is so: targets, options, settings, the demo."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from hubwarden import __version__, cli
from hubwarden.config.environment import read_environment
from hubwarden.config.loading import parse
from simulator.__main__ import options
from simulator.settings import Settings
from tests.house.sources import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_first_screen_says_what_it_is_shows_the_demo_and_names_both_commands() -> None:
    screen = "\n".join(README.splitlines()[:45])
    for words in ("private endpoint", "hub-and-spoke", "$ make demo", "make test", "All 8 steps held."):
        assert words in screen


def test_the_demo_says_what_the_readme_shows() -> None:
    scenario = (ROOT / "simulator" / "scenario.py").read_text(encoding="utf-8")
    titles = re.findall(r"^\d\. (.+)$", README, re.MULTILINE)
    assert len(titles) == 2
    assert all(f'"{title}"' in scenario for title in titles)


def test_the_settings_that_the_readme_shows_can_be_used() -> None:
    [shown] = re.findall(r"^```yaml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    file, warnings = parse(shown)
    assert file.approvals.rules
    assert warnings == ()


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {
        name for page in PAGES for name in re.findall(r"(?:`|\$ )make ([a-z-]+)", page.read_text(encoding="utf-8"))
    }
    assert named
    assert named <= targets


def test_the_simulators_page_lists_its_settings_with_their_defaults() -> None:
    page = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| `?([^|`]+?)`? \|", page, re.MULTILINE))
    shown = {
        key: {None: "none"}.get(value, json.dumps(value).strip('"')) for key, value in Settings().document().items()
    }
    assert rows == shown


def test_the_simulators_page_lists_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options(["up", "--help"])
    offered = set(re.findall(r"(--[a-z-]+)", capsys.readouterr().out)) - {"--help"}
    page = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(--[a-z-]+)", page, re.MULTILINE)) == offered


def test_the_local_azure_says_where_it_finds_no_function_app(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        options(["up", "--app", str(tmp_path)])
    assert ended.value.code == 2
    assert f"--app {tmp_path}: no function app is there" in capsys.readouterr().err
    assert options(["up", "--app", str(tmp_path), "--no-app"]).no_app


COMMANDS = [
    ["zones"],
    ["config", "check"],
    ["config", "schema"],
    ["policy", "check"],
    ["policy", "test"],
    ["policy", "try"],
    ["names"],
    ["reconcile"],
    ["explain"],
    ["runs"],
    ["connections"],
    ["approve"],
    ["reject"],
    ["adopt"],
    ["replace"],
    ["release"],
    ["rename"],
    ["takeover"],
    ["coverage"],
]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_readme_names_every_command_of_the_shell(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([*command, "--help"])
    assert ended.value.code == 0
    assert command[0] in capsys.readouterr().out
    assert " ".join(command) in README + (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_app_tells_the_version_that_the_project_has() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == __version__


def test_the_readme_has_every_route_of_the_api() -> None:
    named = set(re.findall(r"`(GET|POST) /api/([a-z/{}]+)", README))
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "handlers").glob("api*.py")]
    routes = {pair for text in sources for pair in re.findall(r'route="([a-z/{}]+)", methods=\["(\w+)"\]', text)}
    assert named == {(method, route) for route, method in routes}


def test_the_example_for_the_core_tools_has_settings_that_the_app_reads() -> None:
    example = json.loads((ROOT / "local.settings.json.example").read_text(encoding="utf-8"))
    values = example["Values"]
    assert values["FUNCTIONS_WORKER_RUNTIME"] == "python"
    assert "AzureWebJobsStorage" not in values, "the environment file has it, with its key"
    storage = "AccountName=devstoreaccount1;AccountKey=a2V5"
    environment = read_environment({**values, "AzureWebJobsStorage": storage})
    assert environment.faults == ()
    assert environment.config_file == Path("hubwarden.yaml")
    assert environment.arm_endpoint == "https://management.azure.com"
    source = (ROOT / "hubwarden" / "config" / "environment.py").read_text(encoding="utf-8")
    assert all(f'"{name}"' in source for name in values if name != "FUNCTIONS_WORKER_RUNTIME")
