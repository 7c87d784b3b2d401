"""WorkItem: what is handed on comes back the same, and whatever else is in the queue is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubwarden.errors import InputError, NewerFormatError, PermanentError
from hubwarden.model.scope import Everything, OneEndpoint, OneGroup, OneTarget, Pending
from hubwarden.model.work import LARGEST, LATEST, Cause, WorkItem
from tests.unit.given import ENDPOINT, TARGET
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
    scope=st.one_of(
        st.builds(OneEndpoint, endpoint_ids, st.booleans()),
        st.builds(OneTarget, endpoint_ids),
        st.builds(OneGroup, endpoint_ids.map(lambda endpoint: endpoint.parent)),
        st.just(Pending()),
        st.just(Everything()),
    ),
    attempt=st.integers(min_value=0, max_value=100),
    due=st.integers(min_value=0, max_value=10**13).map(lambda milliseconds: milliseconds / 1000),
    trace=st.text(max_size=60),
    run=st.text(max_size=60),
    since=st.integers(min_value=0, max_value=10**13).map(lambda milliseconds: milliseconds / 1000),
)


@given(items)
def test_an_item_comes_back_as_it_was_handed_on(item: WorkItem) -> None:
    back = WorkItem.from_json(item.to_json())
    assert back == item
    assert str(back.scope) == str(item.scope)


@given(items)
def test_an_item_carries_a_scope_and_never_a_change(item: WorkItem) -> None:
    body = json.loads(item.to_json())
    assert set(body) == {"version", "scope", "attempt", "due", "trace", "run", "since"}
    assert set(body["scope"]) <= {"endpoint", "thorough", "target", "group", "pending", "everything"}


def test_an_item_is_read_by_its_keys_whatever_else_is_there() -> None:
    item = WorkItem.from_json(json.dumps({**WHOLE, "more": [1]}))
    assert item == WorkItem(OneEndpoint(ENDPOINT, thorough=True), 2, 1767225600.25, WHOLE["trace"])


@pytest.mark.parametrize("absent", ["trace", "thorough"])
def test_what_may_be_absent_has_a_default(absent: str) -> None:
    body = {name: value for name, value in WHOLE.items() if name != absent}
    body["scope"] = {name: value for name, value in WHOLE["scope"].items() if name != absent}
    item = WorkItem.from_json(json.dumps(body))
    assert (item.trace == "") is (absent == "trace")
    assert isinstance(item.scope, OneEndpoint)
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
        pytest.param(json.dumps({**WHOLE, "version": True}), id="version is true"),
        pytest.param(json.dumps({**WHOLE, "version": 0}), id="version is 0"),
        pytest.param(json.dumps({**WHOLE, "version": -1}), id="version is negative"),
        pytest.param(json.dumps({**WHOLE, "version": 1.0}), id="version is no whole number"),
        pytest.param(json.dumps({**WHOLE, "version": float("inf")}), id="version is endless"),
        pytest.param(json.dumps({**WHOLE, "scope": {"endpoint": "/subscriptions/../x"}}), id="traversal"),
        pytest.param(json.dumps({**WHOLE, "scope": {"endpoint": str(TARGET)}}), id="another type"),
        pytest.param(json.dumps({**WHOLE, "scope": {"endpoint": f"{ENDPOINT}/a/b"}}), id="beneath an endpoint"),
        pytest.param(
            json.dumps({**WHOLE, "scope": {"endpoint": str(ENDPOINT).replace("/resourceGroups/rg-orders", "")}}),
            id="no resource group",
        ),
        pytest.param(json.dumps({**WHOLE, "scope": {"endpoint": f"{ENDPOINT}\ud800"}}), id="half a character"),
        pytest.param(json.dumps({**WHOLE, "attempt": None}), id="no attempt"),
        pytest.param(json.dumps({**WHOLE, "attempt": "1"}), id="attempt is text"),
        pytest.param(json.dumps({**WHOLE, "attempt": True}), id="attempt is true"),
        pytest.param(json.dumps({**WHOLE, "attempt": -1}), id="attempt is negative"),
        pytest.param(json.dumps({**WHOLE, "attempt": 1.7}), id="attempt is no whole number"),
        pytest.param(json.dumps({**WHOLE, "attempt": float("inf")}), id="attempt is endless"),
        pytest.param(json.dumps({**WHOLE, "attempt": float("nan")}), id="attempt is no number"),
        pytest.param(json.dumps({**WHOLE, "due": None}), id="no due"),
        pytest.param(json.dumps({**WHOLE, "due": True}), id="due is true"),
        pytest.param(json.dumps({**WHOLE, "due": float("inf")}), id="due never"),
        pytest.param(json.dumps({**WHOLE, "due": float("-inf")}), id="due always"),
        pytest.param(json.dumps({**WHOLE, "due": float("nan")}), id="due is no number"),
        pytest.param(json.dumps({**WHOLE, "due": 10**400}), id="due beyond any float"),
        pytest.param(json.dumps({**WHOLE, "due": LATEST}), id="due in three thousand years"),
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


@pytest.mark.parametrize(
    ("attempt", "due"),
    [
        pytest.param(1, 0, id="the first, due in 1970"),
        pytest.param(1, 1.7, id="due within a second"),
        pytest.param(1, LATEST - 1, id="the last second"),
        pytest.param(10**400, 0, id="more tries than any float counts"),
    ],
)
def test_an_item_at_the_edge_is_read_and_handed_on_again(attempt: int, due: float) -> None:
    item = WorkItem.from_json(json.dumps({**WHOLE, "attempt": attempt, "due": due}))
    assert (item.attempt, item.due) == (attempt, due)
    assert type(item.due) is float
    assert WorkItem.from_json(item.to_json()) == item


@pytest.mark.parametrize("trace", [None, 5, True, ["00-1"], {"id": "00-1"}, float("nan")])
def test_a_trace_that_is_no_text_is_none(trace: object) -> None:
    assert WorkItem.from_json(json.dumps({**WHOLE, "trace": trace})).trace == ""


@pytest.mark.parametrize("since", [None, "1", True, -1, LATEST, [5], float("nan")])
def test_a_moment_that_is_none_is_not_known(since: object) -> None:
    item = WorkItem.from_json(json.dumps({**WHOLE, "since": since}))
    assert (item.since, item.cause) == (0.0, Cause(WHOLE["trace"], 0.0, again=True))


def test_an_item_says_what_brought_it_about() -> None:
    """Of a look of its own and of a follow-up, where an event did, and when."""
    item = WorkItem.from_json(json.dumps({**WHOLE, "attempt": 0, "since": 1767225500.5}))
    assert item.cause == Cause(WHOLE["trace"], 1767225500.5)


@pytest.mark.parametrize("thorough", [None, 1, "true", [True]])
def test_only_true_is_thorough(thorough: object) -> None:
    scope = {**WHOLE["scope"], "thorough": thorough}
    assert WorkItem.from_json(json.dumps({**WHOLE, "scope": scope})).scope == OneEndpoint(ENDPOINT)


@pytest.mark.parametrize("version", [2, 1000])
def test_an_item_of_a_newer_format_is_refused_by_name_whatever_it_holds(version: int) -> None:
    with pytest.raises(NewerFormatError, match=f"format {version}"):
        WorkItem.from_json(json.dumps({"version": version}))


@given(
    st.text()
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*WHOLE, "endpoint"]), inner),
    ).map(json.dumps)
    | st.builds(
        lambda changed, attempt, due: json.dumps({**WHOLE, changed: attempt, "due": due}),
        st.sampled_from(["attempt", "version", "trace", "since"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.just(10**400),
        st.integers() | st.floats() | st.just(10**400),
    )
)
def test_any_text_is_an_item_or_a_permanent_error(text: str) -> None:
    try:
        item = WorkItem.from_json(text)
    except PermanentError:
        return
    assert WorkItem.from_json(item.to_json()).scope == item.scope
