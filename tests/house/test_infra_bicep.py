"""Bicep: no finding by the checker where it is at hand, parameters explained, modules given what they need.

The checker lies beside a checkout of those who work on Hubwarden, not in it; the compiler stays the authority.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.infra_files import BICEP, INFRA, block, modules_of, parameters
from tests.house.sources import ROOT, called

CHECKER = ROOT.parent / "shared" / "tools" / "bicep_check.py"

# Types that the checker does not know, so what these say was only read over against Microsoft's reference.
UNKNOWN = {
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01",
    "Microsoft.Authorization/policyDefinitions@2023-04-01",
    "Microsoft.Authorization/policyAssignments@2023-04-01",
}


@pytest.mark.maybe_elsewhere
@pytest.mark.skipif(not CHECKER.is_file(), reason="the checker for Bicep is not beside this checkout")
def test_the_checker_finds_nothing() -> None:
    command = [sys.executable, str(CHECKER), *map(str, BICEP)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert len(re.findall(r" \d+ findings, ", run.stdout)) == len(BICEP), run.stderr
    found = [line.strip() for line in run.stdout.splitlines() if line.startswith(" ")]
    unknown = {line.rpartition(" ")[2] for line in found if " unknown-type " in line}
    assert [line for line in found if " unknown-type " not in line] == []
    assert unknown == UNKNOWN


@pytest.mark.parametrize("file", sorted(INFRA.glob("*.bicep")), ids=called)
def test_every_parameter_that_an_owner_gives_is_explained(file: Path) -> None:
    assert [each.name for each in parameters(file) if not each.is_described] == []


@pytest.mark.parametrize("file", BICEP, ids=called)
def test_a_module_is_there_and_gets_what_it_needs_and_nothing_else(file: Path) -> None:
    for module in modules_of(file):
        known = parameters(module.path)
        assert module.given <= {each.name for each in known}, module
        assert {each.name for each in known if each.is_required} <= module.given, module


REFUSALS = [
    (file, *told)
    for file in BICEP
    for told in re.findall(
        r"^var (\w+) = (\w+) \? [^\n]*fail\('([\w, ]+): ", file.read_text(encoding="utf-8"), re.MULTILINE
    )
]


@pytest.mark.parametrize(("file", "var", "condition", "named"), REFUSALS, ids=[each[1] for each in REFUSALS])
def test_what_is_refused_is_a_parameter_that_is_named_and_the_refusal_is_asked_for(
    file: Path, var: str, condition: str, named: str
) -> None:
    """Bicep evaluates a variable only where something needs it: nobody would be refused by one that nothing does."""
    text = file.read_text(encoding="utf-8")
    assert set(named.split(", ")) <= {each.name for each in parameters(file)}
    assert len(re.findall(rf"\b{condition}\b", text)) == 2
    assert len(re.findall(rf"\b{var}\b", text)) > 1


def test_every_refusal_is_looked_at() -> None:
    assert len(REFUSALS) == sum(file.read_text(encoding="utf-8").count("fail(") for file in BICEP) >= 8


@pytest.mark.parametrize("file", BICEP, ids=called)
def test_every_file_that_is_loaded_is_there(file: Path) -> None:
    loaded = re.findall(r"loadJsonContent\('([^']+)'\)", file.read_text(encoding="utf-8"))
    assert [name for name in loaded if not (file.parent / name).is_file()] == []


CONDITIONAL = re.compile(r"^(?:module|resource) (\w+) '[^']+' = if \(", re.MULTILINE)


@pytest.mark.parametrize("file", BICEP, ids=called)
def test_what_may_not_be_made_is_not_taken_for_made(file: Path) -> None:
    """Of a conditional resource only what is known before the deployment may be asked without saying so (BCP318)."""
    text = file.read_text(encoding="utf-8")
    for symbol in CONDITIONAL.findall(text):
        assert not re.search(rf"(?<![\w'.]){symbol}\.(?:id|identity|outputs|properties)\b", text), symbol


ASSIGNMENT = re.compile(r"^resource \w+ 'Microsoft\.Authorization/roleAssignments@", re.MULTILINE)


@pytest.mark.parametrize("file", BICEP, ids=called)
def test_an_assignment_has_the_same_name_each_time_and_another_for_another_identity(file: Path) -> None:
    """A second assignment of the same under another name is refused, and so is the same name for another identity.

    Without `principalType` an identity made a moment ago is refused, too (Microsoft, "Add Azure role assignments").
    """
    text = file.read_text(encoding="utf-8")
    for found in ASSIGNMENT.finditer(text):
        body = block(text, found.end())
        [parts] = re.findall(r"name: guid\(([^\n]+)\)\n", body)
        assert len(parts.split(", ")) == 3, file
        assert parts.split(", ")[-1] in ("principalId", "assignment.id")
        assert "principalType: 'ServicePrincipal'" in body


def test_every_module_is_used() -> None:
    used = {module.path for file in BICEP for module in modules_of(file)}
    assert {file for file in BICEP if file.parent.name == "modules"} <= used


def test_no_file_has_a_key_in_it_or_asks_for_one() -> None:
    """Shared keys are off, so nothing may list them."""
    for file in BICEP:
        assert not re.search(r"listKeys|AccountKey=|SharedAccess|@secure", file.read_text(encoding="utf-8")), file
