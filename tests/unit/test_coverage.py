"""Coverage, judged: which event subscriptions lead to the app, what their filters leave out, what is in their way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hubwarden.errors import InputError
from hubwarden.model.coverage import (
    LONGEST_DETAIL,
    MOST_TOLD,
    NEEDED,
    Coverage,
    Finding,
    Measured,
    Ours,
    Permission,
    SubscriptionCoverage,
    account_id,
    app_id,
    judge,
    missing_rights,
)
from hubwarden.model.event_subscription import (
    HAPPENINGS,
    Condition,
    Destination,
    EventFilter,
    EventSubscription,
    SystemTopic,
)
from hubwarden.model.resource_id import ResourceId

SPOKE = "00000000-0000-0000-0000-0000000000aa"
NOW = datetime(2026, 5, 1, tzinfo=UTC)
HUB = "/subscriptions/00000000-0000-0000-0000-0000000000bb/resourceGroups/rg-hubwarden/providers"
APP = ResourceId.parse(f"{HUB}/Microsoft.Web/sites/func-hubwarden")
ACCOUNT = ResourceId.parse(f"{HUB}/Microsoft.Storage/storageAccounts/sthubwarden")
OTHER_APP = ResourceId.parse(f"{HUB}/Microsoft.Web/sites/func-other")
TOPIC = ResourceId.parse(
    f"/subscriptions/{SPOKE}/resourceGroups/rg-events/providers/Microsoft.EventGrid/systemTopics/changes"
)
WANTED = EventFilter(
    event_types=frozenset(f"microsoft.resources.resource{verb}success" for verb in ("write", "delete", "action")),
    conditions=(
        Condition(
            "StringContains",
            "data.operationName",
            ("/privateEndpoints/", "/privateEndpointConnections/", "/moveResources/", "/resourceGroups/delete"),
        ),
    ),
)
WHAT = [each.what for each in HAPPENINGS]


def function(app: ResourceId = APP, name: str = "events", kind: str = "AzureFunction") -> Destination:
    """A function of an app, as a destination."""
    return Destination(kind, ResourceId.parse(f"{app}/functions/{name}"))


def queue(account: ResourceId = ACCOUNT, name: str = "hubwarden-work") -> Destination:
    """A queue of a storage account, as a destination."""
    return Destination("StorageQueue", account, name)


WELL = EventSubscription("hubwarden", "Succeeded", None, function(), WANTED)


def found(
    *subscriptions: EventSubscription, ours: Ours | None = None, state: str = "Succeeded"
) -> SubscriptionCoverage:
    """What one system topic with these event subscriptions comes to."""
    return judge(SPOKE, [SystemTopic(TOPIC, state, subscriptions)], ours or Ours(), NOW.timestamp())


def with_filter(**changes: Any) -> EventSubscription:
    """One that would be well but for its filter."""
    return replace(WELL, filter=replace(WANTED, **changes))


def condition(operator: str, *values: str, key: str = "data.operationName") -> EventSubscription:
    """One with this advanced filter alone."""
    return with_filter(conditions=(Condition(operator, key, values),))


@pytest.mark.parametrize("destination", [function(), queue(), function(name="EVENTS", kind="azurefunction")], ids=str)
def test_the_apps_function_and_its_queue_cover(destination: Destination) -> None:
    assert found(replace(WELL, destination=destination)) == SubscriptionCoverage(
        SPOKE, Finding.COVERED, "", (str(destination),)
    )


def test_a_slots_function_covers_as_well() -> None:
    slot = ResourceId.parse(f"{APP}/slots/staging")
    assert found(replace(WELL, destination=function(slot)), ours=Ours(slot)).finding is Finding.COVERED
    assert found(replace(WELL, destination=function(slot)), ours=Ours(APP)).finding is Finding.ELSEWHERE


@pytest.mark.parametrize(
    "destination",
    [
        function(name="other"),
        queue(name="other"),
        Destination("WebHook", address="https://func.example/runtime/webhooks/eventgrid"),
        Destination("EventHub", address="/subscriptions/x"),
        Destination("AzureFunction", ACCOUNT),
        Destination("StorageQueue", APP, "hubwarden-work/no"),
        Destination("", None),
    ],
    ids=str,
)
def test_what_leads_to_nothing_of_the_apps_is_elsewhere(destination: Destination) -> None:
    seen = found(replace(WELL, destination=destination))
    assert (seen.finding, seen.leads_to) == (Finding.ELSEWHERE, (str(destination),))
    assert seen.detail == "none of changes/hubwarden leads to the app's function or queue"


def test_of_a_named_app_and_account_only_those_count() -> None:
    ours = Ours(OTHER_APP, ACCOUNT)
    assert found(WELL, ours=ours).finding is Finding.ELSEWHERE
    assert found(replace(WELL, destination=queue()), ours=ours).finding is Finding.COVERED
    assert found(WELL, ours=Ours(APP)).finding is Finding.COVERED
    elsewhere = ResourceId.parse(f"{HUB}/Microsoft.Storage/storageAccounts/stother")
    assert found(replace(WELL, destination=queue()), ours=Ours(account=elsewhere)).finding is Finding.ELSEWHERE


def test_without_a_topic_or_an_event_subscription_there_is_none() -> None:
    nothing = judge(SPOKE, [], Ours(), NOW.timestamp())
    assert (nothing.finding, nothing.detail) == (
        Finding.NO_SUBSCRIPTION,
        "there is no system topic for the subscription",
    )
    empty = found()
    assert (empty.finding, empty.leads_to) == (Finding.NO_SUBSCRIPTION, ())
    assert empty.detail == f"the system topic {TOPIC} has no event subscription"


@pytest.mark.parametrize("state", ["Failed", "Creating", "AwaitingManualAction", ""])
def test_one_that_is_not_provisioned_fails(state: str) -> None:
    seen = found(replace(WELL, state=state))
    assert (seen.finding, seen.detail) == (Finding.FAILING, f"changes/hubwarden is {state or 'without a state'}")


def test_one_of_a_topic_that_is_not_provisioned_fails() -> None:
    assert found(WELL, state="Failed").detail == "the system topic changes is Failed"
    assert found(WELL, state="").detail == "the system topic changes is without a state"


def test_one_that_has_expired_fails() -> None:
    """Event Grid deletes it then, or will (REST reference: expirationTimeUtc)."""
    seen = found(replace(WELL, expires=NOW))
    assert (seen.finding, seen.detail) == (
        Finding.FAILING,
        "changes/hubwarden expired at 2026-05-01T00:00:00+00:00",
    )
    assert found(replace(WELL, expires=NOW + timedelta(seconds=1))).finding is Finding.COVERED


def test_beside_one_that_is_well_a_failing_one_is_told_of() -> None:
    seen = found(WELL, replace(WELL, name="second", state="Failed", destination=queue()))
    assert (seen.finding, seen.detail) == (Finding.COVERED, "changes/second is Failed")
    assert seen.leads_to == (str(function()), str(queue()))


def test_no_filter_at_all_lets_everything_through() -> None:
    assert found(replace(WELL, filter=EventFilter())).finding is Finding.COVERED


def test_what_a_filter_leaves_out_is_told() -> None:
    """Each of Azure's own operation names that the app's door knows (behaviour reference sections 1.2 and 1.7)."""
    seen = found(condition("StringIn", "Microsoft.Network/privateEndpoints/write"))
    assert (seen.finding, seen.detail) == (Finding.FILTERED, f"left out: {', '.join(WHAT[1:])}")


@pytest.mark.parametrize(
    ("subscription", "left_out"),
    [
        (with_filter(event_types=frozenset({"microsoft.resources.resourcewritesuccess"})), {1, 3, 5, 6, 7}),
        (with_filter(event_types=frozenset()), set(range(8))),
        (with_filter(begins_with=f"/SUBSCRIPTIONS/{SPOKE}/"), set()),
        (with_filter(begins_with=f"/subscriptions/{SPOKE}/resourceGroups/rg-app"), set(range(8))),
        (with_filter(ends_with="pe1"), set(range(8))),
        (condition("StringContains", "/PRIVATEENDPOINTS/"), {4, 5, 6, 7}),
        (condition("StringContains", "/privateEndpointConnections/"), {0, 1, 2, 3, 6, 7}),
        (condition("StringBeginsWith", "Microsoft.Network/"), {4, 5, 6, 7}),
        (condition("StringBeginsWith", "Microsoft."), set()),
        (condition("StringEndsWith", "/write", "/action"), {1, 3, 5, 6}),
        (condition("StringNotContains", "/privateDnsZoneGroups/"), {2, 3}),
        (condition("StringNotIn", "Microsoft.Resources/tags/write"), set()),
        (condition("StringNotEndsWith", "/delete"), {1, 3, 5, 6}),
        (condition("StringNotBeginsWith", "Microsoft.Network/"), {0, 1, 2, 3}),
        (condition("IsNotNull"), set()),
        (condition("StringIn", "Succeeded", key="data.status"), set()),
        (condition("StringContains", "/providers/", key="subject"), {6, 7}),
        (condition("StringContains", "/providers/", key="data.resourceUri"), {6, 7}),
        (condition("StringContains", "Microsoft.Resources.ResourceWriteSuccess", key="EventType"), {1, 3, 5, 6, 7}),
    ],
)
def test_a_filter_is_judged_by_each_kind_of_event(subscription: EventSubscription, left_out: set[int]) -> None:
    """Values are alternatives, conditions are not, and case does not count (behaviour reference section 1.7)."""
    seen = found(subscription)
    assert seen.finding is (Finding.FILTERED if left_out else Finding.COVERED)
    assert seen.detail == (f"left out: {', '.join(WHAT[each] for each in sorted(left_out))}" if left_out else "")


@pytest.mark.parametrize(
    "subscription",
    [
        condition("StringIn", SPOKE, key="data.correlationId"),
        condition("StringNotContains", "rg-test", key="subject"),
        condition("NumberIn", key="data.operationName"),
        condition("IsNullOrUndefined"),
    ],
)
def test_a_filter_that_cannot_be_judged_does_not_count_as_covering(subscription: EventSubscription) -> None:
    seen = found(subscription)
    asked = subscription.filter.conditions[0]
    assert seen.finding is Finding.FILTERED
    assert seen.detail.endswith(f"; what hubwarden leaves out by {asked.key} {asked.operator} cannot be judged")


def test_several_may_share_the_work() -> None:
    endpoints = condition("StringContains", "/privateEndpoints/")
    rest = condition("StringContains", *WANTED.conditions[0].values[1:])
    assert found(endpoints).finding is Finding.FILTERED
    assert found(endpoints, replace(rest, name="rest", destination=queue())).finding is Finding.COVERED
    seen = found(endpoints, replace(rest, name="rest", state="Failed"))
    assert (seen.finding, seen.detail) == (
        Finding.FILTERED,
        f"left out: {', '.join(WHAT[4:])}; changes/rest is Failed",
    )


def test_rights_are_those_of_all_assignments_together() -> None:
    """An assignment's notActions take nothing from another's actions (Azure RBAC, role definitions)."""
    reader = Permission(("*/read",))
    limited = Permission(("*",), ("Microsoft.EventGrid/*",))
    assert missing_rights([reader]) == ()
    assert missing_rights([limited]) == NEEDED[2:]
    assert missing_rights([limited, Permission(("microsoft.eventgrid/SYSTEMTOPICS/*",))]) == ()
    assert missing_rights([]) == NEEDED


def test_counts_tell_of_every_finding() -> None:
    whole = Coverage((SubscriptionCoverage("a", Finding.COVERED),))
    partly = Coverage((*whole.subscriptions, SubscriptionCoverage("b", Finding.FAILING)))
    unknown = Coverage((*partly.subscriptions, SubscriptionCoverage("c", Finding.UNKNOWN)))
    assert [(each.is_whole, each.is_known) for each in (whole, partly, unknown, Coverage(()))] == [
        (True, True),
        (False, True),
        (False, False),
        (False, False),
    ]
    assert {finding: count for finding, count in unknown.counts.items() if count} == {
        Finding.COVERED: 1,
        Finding.FAILING: 1,
        Finding.UNKNOWN: 1,
    }
    assert list(unknown.counts) == list(Finding)


def test_of_a_measurement_the_worst_are_kept() -> None:
    """Those first of which the app sees nothing at all; those that are covered are only counted."""
    few = [SubscriptionCoverage(finding.value, finding, "x" * 10_000) for finding in Finding]
    kept = Measured.of(Coverage(tuple(few)), at=5.0)
    assert (kept.at, kept.counts) == (5.0, dict.fromkeys(Finding, 1))
    assert [each.finding for each in kept.worst] == [
        Finding.NO_RIGHTS,
        Finding.UNKNOWN,
        Finding.NOT_REGISTERED,
        Finding.NO_SUBSCRIPTION,
        Finding.FAILING,
        Finding.ELSEWHERE,
        Finding.FILTERED,
    ]
    assert {len(each.detail) for each in kept.worst} == {LONGEST_DETAIL}
    many = Coverage(tuple(few * 9))
    assert {each.finding for each in Measured.of(many, at=5.0).worst[:MOST_TOLD]} == {
        Finding.NO_RIGHTS,
        Finding.UNKNOWN,
        Finding.NOT_REGISTERED,
    }
    assert len(Measured.of(many, at=5.0).worst) == MOST_TOLD


def test_an_app_and_an_account_are_known_by_their_ids() -> None:
    assert app_id(str(APP)) == APP
    assert app_id(f"{APP}/slots/staging").name == "staging"
    assert account_id(str(ACCOUNT)) == ACCOUNT
    for read, other in ((app_id, ACCOUNT), (account_id, APP)):
        with pytest.raises(InputError, match="is not the id of a"):
            read(str(other))
