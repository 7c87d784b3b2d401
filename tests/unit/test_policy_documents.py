"""What the documents of Azure Policy say: effects, overrides, exemptions. By Microsoft's pages on their structure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hubwarden.arm.policy import overridden, resolved, to_exemption
from hubwarden.errors import InputError
from hubwarden.model.governance import AssignedDefinition

MEMBER = AssignedDefinition("/x", "blob", "deployifnotexists", deploys_zone_groups=True)


@pytest.mark.parametrize(
    ("value", "effect"),
    [
        ("Disabled", "Disabled"),
        ("[parameters('effect')]", "DeployIfNotExists"),
        ("[PARAMETERS( 'Effect' )]", "DeployIfNotExists"),
        ("[parameters('other')]", None),
        ("[parameters('nothing')]", None),
        ("[if(parameters('effect'), 'a', 'b')]", None),
        ("[[parameters('effect')]", "[[parameters('effect')]"),
        (None, None),
    ],
)
def test_a_parameter_is_put_in_and_no_other_expression_is_computed(value: str | None, effect: str | None) -> None:
    assert resolved(value, {"effect": "DeployIfNotExists", "other": None}) == effect


def override(value: str, *selectors: dict[str, Any], kind: str = "policyEffect") -> dict[str, Any]:
    """An override of an effect."""
    return {"kind": kind, "value": value, "selectors": list(selectors)}


def picks(*names: str, by: str = "in", kind: str = "policyDefinitionReferenceId") -> dict[str, Any]:
    """A selector."""
    return {"kind": kind, by: list(names)}


@pytest.mark.parametrize(
    ("overrides", "effect"),
    [
        pytest.param([], "deployifnotexists", id="none"),
        pytest.param([override("Disabled")], "disabled", id="for all"),
        pytest.param([{"kind": "policyEffect", "value": "Disabled"}], "disabled", id="without selectors"),
        pytest.param([override("Disabled", picks("file", "BLOB"))], "disabled", id="named"),
        pytest.param([override("Disabled", picks("file"))], "deployifnotexists", id="another named"),
        pytest.param([override("Disabled", picks("blob", by="notIn"))], "deployifnotexists", id="left out"),
        pytest.param([override("Disabled", picks("file", by="notIn"))], "disabled", id="another left out"),
        pytest.param([override("Disabled", picks("x", kind="resourceLocation"))], "", id="by location"),
        pytest.param(
            [override("Disabled", picks("x", kind="resourceLocation"), picks("file"))],
            "deployifnotexists",
            id="by location, of another",
        ),
        pytest.param([override("Audit"), override("Disabled")], "", id="two of them"),
        pytest.param([override("1.*.*", kind="definitionVersion")], "deployifnotexists", id="of something else"),
    ],
)
def test_overrides_change_the_effect_of_what_they_pick(overrides: list[dict[str, Any]], effect: str) -> None:
    assert overridden(MEMBER, overrides).effect == effect


def test_an_override_of_another_shape_is_not_guessed_at() -> None:
    with pytest.raises(InputError):
        overridden(MEMBER, [{"value": "Disabled"}])


def test_an_exemption_is_read_with_its_end_and_its_members() -> None:
    scope = "/subscriptions/s/resourceGroups/rg"
    document: dict[str, Any] = {
        "id": f"{scope}/providers/Microsoft.Authorization/policyExemptions/x",
        "properties": {"policyAssignmentId": "/a", "exemptionCategory": "Waiver"},
    }
    plain = to_exemption(document)
    assert (plain.scope, plain.assignment, plain.expires, plain.conditional) == (scope, "/a", None, False)
    document["properties"] |= {
        "expiresOn": "2027-01-02T03:04:05Z",
        "policyDefinitionReferenceIds": ["Blob"],
        "resourceSelectors": [{"name": "x"}],
    }
    whole = to_exemption(document)
    assert whole.expires == datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (whole.references, whole.conditional) == (frozenset({"blob"}), True)
    document["properties"]["expiresOn"] = "2027-01-02T03:04:05"
    assert to_exemption(document).expires == whole.expires


@pytest.mark.parametrize(
    "document", [{}, {"id": "/subscriptions/s", "properties": {"policyAssignmentId": "/a"}}, {"id": None}]
)
def test_an_exemption_of_another_shape_is_not_guessed_at(document: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        to_exemption(document)
