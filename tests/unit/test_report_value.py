"""Report: what is unfinished, whether to look again, and how the run as a whole ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hubwarden.model.plan import Change, Held, HeldReason, Plan
from hubwarden.model.report import Outcome, Report, Result, Status
from hubwarden.model.scope import OneEndpoint
from tests.unit.given import ENDPOINT, drop, key, put

ORDERS = put()
BILLING = put(key=key("billing"))
GOING = drop(key=key("old"))
WAITING = Held(HeldReason.NOT_READY, ENDPOINT, "no names yet", waits=True)
SETTLED = Held(HeldReason.FOREIGN_CONFLICT, ENDPOINT, "somebody else's")


def report(plan: Plan, *outcomes: Outcome) -> Report:
    return Report(
        run="1",
        scope=OneEndpoint(ENDPOINT),
        mode="apply",
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        finished_at=datetime(2026, 1, 1, tzinfo=UTC),
        plan=plan,
        outcomes=outcomes,
    )


def done(change: Change) -> Outcome:
    return Outcome(change, Result.DONE)


def raced(change: Change) -> Outcome:
    return Outcome(change, Result.RACED, "412", temporary=True)


def failed(change: Change) -> Outcome:
    return Outcome(change, Result.FAILED, "403")


@pytest.mark.parametrize(
    ("plan", "outcomes", "unfinished", "status"),
    [
        pytest.param(Plan(), [], [], Status.DONE, id="nothing to do"),
        pytest.param(Plan((ORDERS,)), [], [], Status.DONE, id="only planned"),
        pytest.param(Plan((ORDERS, GOING)), [done(ORDERS), done(GOING)], [], Status.DONE, id="all done"),
        pytest.param(Plan((ORDERS,)), [failed(ORDERS)], [failed(ORDERS)], Status.FAILED, id="the only one failed"),
        pytest.param(
            Plan((ORDERS, BILLING)),
            [done(ORDERS), failed(BILLING)],
            [failed(BILLING)],
            Status.PARTIAL,
            id="one of two failed",
        ),
        pytest.param(
            Plan((ORDERS, GOING)),
            [failed(ORDERS), raced(GOING)],
            [failed(ORDERS), raced(GOING)],
            Status.FAILED,
            id="one failed, the other raced and is still to do",
        ),
        pytest.param(
            Plan((ORDERS,)),
            [raced(ORDERS), done(ORDERS)],
            [],
            Status.DONE,
            id="raced, and put right by the second look",
        ),
        pytest.param(
            Plan((ORDERS,)),
            [failed(ORDERS), done(ORDERS)],
            [],
            Status.DONE,
            id="failed, and done by the second look",
        ),
        pytest.param(
            Plan((ORDERS, BILLING)),
            [failed(ORDERS), raced(BILLING), done(BILLING)],
            [failed(ORDERS)],
            Status.PARTIAL,
            id="failed at the first look, beside what the second put right",
        ),
        pytest.param(
            Plan((BILLING,), unchanged=(ORDERS.key,)),
            [failed(ORDERS), raced(BILLING), done(BILLING)],
            [],
            Status.DONE,
            id="failed, and found right at the second look",
        ),
        pytest.param(
            Plan((GOING,)),
            [failed(ORDERS)],
            [failed(ORDERS)],
            Status.FAILED,
            id="failed, and no longer planned",
        ),
        pytest.param(
            Plan((ORDERS,)),
            [raced(ORDERS), raced(ORDERS)],
            [raced(ORDERS), raced(ORDERS)],
            Status.FAILED,
            id="raced twice",
        ),
        pytest.param(
            Plan(unchanged=(ORDERS.key,)),
            [raced(ORDERS)],
            [],
            Status.DONE,
            id="raced, and found right at the second look",
        ),
        pytest.param(
            Plan((ORDERS,), unchanged=(ORDERS.key,)),
            [raced(ORDERS)],
            [],
            Status.DONE,
            id="raced and found right, though the plan still lists the change",
        ),
        pytest.param(
            Plan(held=(SETTLED,)),
            [raced(ORDERS)],
            [],
            Status.DONE,
            id="raced, and held back at the second look",
        ),
    ],
)
def test_what_is_unfinished_decides_how_the_run_ended(
    plan: Plan, outcomes: list[Outcome], unfinished: list[Outcome], status: Status
) -> None:
    run = report(plan, *outcomes)
    assert list(run.unfinished) == unfinished
    assert run.status is status
    assert run.look_again is bool(unfinished)


@pytest.mark.parametrize(
    ("held", "outcomes", "again"),
    [
        pytest.param((WAITING,), [], True, id="something waits"),
        pytest.param((SETTLED,), [], False, id="something is held for a person"),
        pytest.param((SETTLED, WAITING), [done(ORDERS)], True, id="one of two waits"),
        pytest.param((SETTLED,), [failed(ORDERS)], True, id="a write failed"),
    ],
)
def test_a_look_is_due_again_where_time_may_help(held: tuple[Held, ...], outcomes: list[Outcome], again: bool) -> None:
    assert report(Plan(held=held), *outcomes).look_again is again


@pytest.mark.parametrize("watch", [True, False])
def test_a_watch_leaves_nothing_to_do(watch: bool) -> None:
    run = replace(report(Plan()), watch=watch)
    assert (run.look_again, run.status, run.unfinished) == (False, Status.DONE, ())
    assert not report(Plan()).watch
