"""WorkItem: what is handed on comes back the same, and whatever else is in the queue is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubwarden.errors import InputError, NewerFormatError, PermanentError
from hubwarden.model.report import OneEndpoint
from hubwarden.model.work import LARGEST, WorkItem
from tests.unit.given import ENDPOINT
from tests.unit.strategies import endpoint_ids

WHOLE: dict[str, Any] = {
    "version": 1,
    "scope": {"endpoint": str(ENDPOINT), "thorough": True},
    "attempt": 2,
    "due": 1767225600.25,
    "trace": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}

items = st.builds(
    WorkItem,
    scope=st.builds(OneEndpoint, endpoint_ids, st.booleans()),
    attempt=st.integers(min_value=1, max_value=100),
    due=st.integers(min_value=0, max_value=10**13).map(lambda milliseconds: milliseconds / 1000),
    trace=st.text(max_size=60),
)


@given(items)
def test_an_item_comes_back_as_it_was_handed_on(item: WorkItem) -> None:
    back = WorkItem.from_json(item.to_json())
    assert back == item
    assert str(back.scope.endpoint) == str(item.scope.endpoint)


@given(items)
def test_an_item_carries_a_scope_and_never_a_change(item: WorkItem) -> None:
    body = json.loads(item.to_json())
    assert set(body) == {"version", "scope", "attempt", "due", "trace"}
    assert set(body["scope"]) == {"endpoint", "thorough"}


def test_an_item_is_read_by_its_keys_whatever_else_is_there() -> None:
    item = WorkItem.from_json(json.dumps({**WHOLE, "more": [1]}))
    assert item == WorkItem(OneEndpoint(ENDPOINT, thorough=True), 2, 1767225600.25, WHOLE["trace"])


@pytest.mark.parametrize("absent", ["trace", "thorough"])
def test_what_may_be_absent_has_a_default(absent: str) -> None:
    body = {name: value for name, value in WHOLE.items() if name != absent}
    body["scope"] = {name: value for name, value in WHOLE["scope"].items() if name != absent}
    item = WorkItem.from_json(json.dumps(body))
    assert (item.trace == "") is (absent == "trace")
    assert item.scope.thorough is (absent != "thorough")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("{", id="not JSON"),
        pytest.param("[" * 30_000, id="deep"),
        pytest.param("[]", id="a list"),
        pytest.param('"x"', id="text"),
        pytest.param("{}", id="empty"),
        pytest.param(json.dumps({**WHOLE, "version": "1"}), id="version is text"),
        pytest.param(json.dumps({**WHOLE, "version": None}), id="version is null"),
        pytest.param(json.dumps({**WHOLE, "scope": None}), id="no scope"),
        pytest.param(json.dumps({**WHOLE, "scope": str(ENDPOINT)}), id="scope is text"),
        pytest.param(json.dumps({**WHOLE, "scope": {}}), id="scope without an endpoint"),
        pytest.param(json.dumps({**WHOLE, "scope": {"endpoint": "/subscriptions/../x"}}), id="traversal"),
        pytest.param(json.dumps({**WHOLE, "attempt": None}), id="no attempt"),
        pytest.param(json.dumps({**WHOLE, "attempt": "1"}), id="attempt is text"),
        pytest.param(json.dumps({**WHOLE, "attempt": True}), id="attempt is true"),
        pytest.param(json.dumps({**WHOLE, "attempt": -1}), id="attempt is negative"),
        pytest.param(json.dumps({**WHOLE, "due": -0.5}), id="due before 1970"),
        pytest.param(json.dumps({**WHOLE, "due": [1]}), id="due is a list"),
        pytest.param(json.dumps({**WHOLE, "due": "soon"}), id="due is text"),
        pytest.param(json.dumps({**WHOLE, "more": "x" * LARGEST}), id="too large"),
        pytest.param('{"version": 1, "attempt": ' + "9" * 5000 + "}", id="a number of 5000 digits"),
    ],
)
def test_what_is_no_work_item_is_refused(text: str) -> None:
    with pytest.raises(InputError) as refused:
        WorkItem.from_json(text)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("version", [2, 1000])
def test_an_item_of_a_newer_format_is_refused_by_name_whatever_it_holds(version: int) -> None:
    with pytest.raises(NewerFormatError, match=f"format {version}"):
        WorkItem.from_json(json.dumps({"version": version}))


@given(
    st.text()
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*WHOLE, "endpoint"]), inner),
    ).map(json.dumps)
)
def test_any_text_is_an_item_or_a_permanent_error(text: str) -> None:
    try:
        item = WorkItem.from_json(text)
    except PermanentError:
        return
    assert WorkItem.from_json(item.to_json()).scope == item.scope
