"""The examples on the page about records are settings that can be used, and its columns are the command's."""

from __future__ import annotations

import re

import pytest

from hubwarden.config.loading import parse
from hubwarden.report.names import COLUMNS
from tests.house.sources import ROOT

PAGE = (ROOT / "docs" / "records.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
LEAST = """
instance: contoso
estate: {subscriptions: [22222222-2222-4222-8222-222222222222]}
hubs: [{name: weu, zones: [/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg-dns]}]
"""


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 2


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_free_of_faults_and_warnings(example: str) -> None:
    file, warnings = parse(LEAST + re.sub(r"<(id|guid)>", "33333333-3333-4333-8333-333333333333", example))
    assert file.records.names or file.records.shared
    assert warnings == ()


def test_the_columns_of_the_command_are_on_the_page() -> None:
    said = re.sub(r"\s+", " ", PAGE).split("The columns are ")[1]
    assert re.findall(r"`(\w+)`", said)[: len(COLUMNS)] == list(COLUMNS)
