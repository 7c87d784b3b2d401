"""A snapshot: what is known of connections that wait, written down and read again without saying more or less."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwarden.approval.decide import judge
from hubwarden.config.snapshot import read_snapshot, write_snapshot
from hubwarden.errors import ConfigError
from hubwarden.model.connection import Verdict
from hubwarden.model.endpoint import Tenancy
from hubwarden.model.facts import Facts
from hubwarden.model.judgement import Asking
from hubwarden.model.policy import Policy
from hubwarden.model.resource_id import ResourceId
from tests.unit.given import ENDPOINT, SPOKE, TARGET
from tests.unit.test_policy import KNOWN, POLICIES, known_in_part

CONNECTION = ResourceId.parse(f"{TARGET}/privateEndpointConnections/c")
TEXTS = st.text(st.characters(), max_size=30)
"""Half a surrogate pair, too: JSON may bring one."""


def read_again(facts: Facts) -> Facts:
    """The facts as they are read from the file that they were written to."""
    [asking] = read_snapshot(write_snapshot([Asking(CONNECTION, ENDPOINT, facts)]), "snapshot.yaml")
    assert (asking.connection, asking.endpoint) == (CONNECTION, ENDPOINT)
    return asking.facts


@settings(max_examples=60)
@given(known_in_part(), TEXTS, st.dictionaries(TEXTS, TEXTS, max_size=3))
def test_what_is_written_down_is_read_again(facts: tuple[Facts, Facts], message: str, tags: dict[str, str]) -> None:
    """Whatever a consumer wrote, be it YAML, control characters or nothing."""
    for each in facts:
        written = replace(each, message=message, consumer_tags=tags, consumer_name=message, consumer_resource_group="1")
        assert read_again(written) == written


@settings(max_examples=60)
@given(POLICIES, known_in_part())
def test_a_policy_says_the_same_of_what_was_written_down(policy: Policy, facts: tuple[Facts, Facts]) -> None:
    for each in facts:
        assert judge(policy, read_again(each)) == judge(policy, each)


def test_a_consumer_of_the_estate_whose_tenant_is_not_known_stays_so() -> None:
    """In a file of cases inEstate says that the tenant is ours, too; a snapshot says what Azure showed."""
    assert read_again(replace(KNOWN, tenancy=Tenancy.UNKNOWN)).in_our_estate is None


@pytest.mark.parametrize("age", [0.0, 59.999, 999_999.999, 2_000_000.0])
def test_an_age_is_written_to_the_millisecond_while_that_fits(age: float) -> None:
    assert read_again(replace(KNOWN, age=age)).age == pytest.approx(age, abs=1e-6)


def test_one_without_an_endpoint_is_a_connection_all_the_same() -> None:
    [asking] = read_snapshot(write_snapshot([Asking(CONNECTION, None, KNOWN)]), "snapshot.yaml")
    assert asking == Asking(CONNECTION, None, KNOWN)
    assert read_snapshot(write_snapshot([]), "snapshot.yaml") == ()


def test_a_snapshot_may_be_json_and_a_location_as_azure_writes_it() -> None:
    target = f'{{"type": "A.B/c", "subscription": "{SPOKE}", "location": "West Europe"}}'
    text = f'{{"connections": [{{"connection": "{CONNECTION}", "facts": {{"target": {target}}}}}]}}'
    [asking] = read_snapshot(text, "snapshot.json")
    assert asking.facts == Facts(None, "A.B/c", SPOKE, target_location="westeurope")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[]", "s: line 1: the file is a mapping; it has 'connections:'"),
        ("connections: [{}]", "s: line 1: connections.0.connection: is missing"),
        ("connections:\n- connection: x\n  facts: {}", "s: line 2: connections.0.connection: 'x' is not a resource id"),
        ("connections:\n- facts: {whose: me}", "s: line 2: connections.0.facts.whose: is not a key here; allowed are"),
        ("a: &a 1", "s: line 1: &a: no aliases or anchors"),
        ("#" * 16_000_001, "s: the file has 16000001 characters; at most 16000000 are read"),
    ],
)
def test_every_fault_has_its_line_and_key(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_snapshot(text, "s")
    assert [fault for fault in caught.value.faults if fault.startswith(told)]


def test_a_verdict_is_nothing_that_a_snapshot_has() -> None:
    assert "verdict" not in write_snapshot([Asking(CONNECTION, ENDPOINT, KNOWN)])
    assert Verdict.HOLD.value not in write_snapshot([Asking(CONNECTION, ENDPOINT, KNOWN)])
