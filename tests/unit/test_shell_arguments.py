"""What the shell takes and refuses before anything is read or asked."""

from __future__ import annotations

import pytest

from hubwarden import __version__
from hubwarden.cli import main

SUBSCRIPTION = "/subscriptions/22222222-2222-4222-8222-222222222222"
ID = f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/pe"


@pytest.mark.parametrize("command", [["adopt"], ["replace", "a.example"], ["release"], ["rename"], ["takeover", ID]])
@pytest.mark.parametrize("plan", ["", "latest", "3F9C0D5E8A1B2C47"])
def test_what_is_no_hash_applies_nothing_and_is_bad_input(
    command: list[str], plan: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Above all an empty one, as an unset variable gives it: it must not pass for a plan that was done."""
    with pytest.raises(SystemExit) as ended:
        main([*command, "--apply", plan])
    assert ended.value.code == 2
    assert "the hash of a plan is 16 hexadecimal digits" in capsys.readouterr().err


def test_it_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"{__version__}\n")


@pytest.mark.parametrize(
    ("command", "does"),
    [
        (["adopt"], "Take unmarked records that are as an endpoint wants them into ownership."),
        (["takeover"], "Take records over from endpoints' DNS zone groups"),
        (["config", "check"], "List every fault and warning"),
    ],
)
def test_a_commands_own_help_says_what_it_does(
    command: list[str], does: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    assert does in " ".join(capsys.readouterr().out.split())
