"""Law 9: withdrawals beyond what an hour may see are held; creations and corrections go on."""

from __future__ import annotations

from hubwarden.dns.limits import Limits, Spent, limited
from hubwarden.model.plan import Change, HeldReason, Plan, essence
from tests.unit.given import BLOB_ZONE, addresses, drop, key, put

LIMITS = Limits(withdrawals=10, per_zone=5, share=0.5)
ZONE = key().zone.key
OTHER = "privatelink.vaultcore.azure.net"


def drops(count: int, in_zone: str = BLOB_ZONE) -> tuple[Change, ...]:
    """So many withdrawals from a zone."""
    return tuple(drop(key=key(f"r{number}", in_zone)) for number in range(count))


def over(plan: Plan) -> int:
    """How many are held over the limit; each is told as held, too."""
    held = [each for each in plan.held if each.reason is HeldReason.OVER_LIMIT]
    assert [each.key for each in held] == [change.key for change in plan.over_limit]
    assert not {change.key for change in plan.changes} & {change.key for change in plan.over_limit}
    return len(held)


def test_within_the_limits_a_plan_is_as_it_was() -> None:
    plan = Plan(changes=(*drops(5), put()))
    assert limited(plan, Spent(), LIMITS) == plan


def test_a_plan_without_withdrawals_is_never_too_much() -> None:
    plan = Plan(changes=tuple(put(key=key(f"r{number}")) for number in range(50)))
    assert limited(plan, Spent(withdrawn={ZONE: 99}), LIMITS) == plan


def test_over_a_zones_limit_all_of_the_zones_withdrawals_are_held_and_the_rest_goes_on() -> None:
    changes = (*drops(6), *drops(2, OTHER), put())
    plan = limited(Plan(changes=changes), Spent(), LIMITS)
    assert over(plan) == 6
    assert plan.changes == changes[6:]
    assert "6 withdrawals" in plan.held[0].detail


def test_what_the_last_hour_saw_counts() -> None:
    assert over(limited(Plan(changes=drops(2)), Spent(withdrawn={ZONE: 3}), LIMITS)) == 0
    assert over(limited(Plan(changes=drops(2)), Spent(withdrawn={ZONE: 4}), LIMITS)) == 2


def test_over_the_limit_of_all_zones_every_withdrawal_is_held() -> None:
    zones = {f"zone{number}": 3 for number in range(3)}
    assert over(limited(Plan(changes=(*drops(1), *drops(1, OTHER))), Spent(withdrawn=zones), LIMITS)) == 2
    assert over(limited(Plan(changes=drops(1)), Spent(withdrawn=zones), LIMITS)) == 0


def test_what_a_sweep_sees_coming_counts() -> None:
    assert over(limited(Plan(changes=drops(1)), Spent(foreseen={ZONE: 6}), LIMITS)) == 1
    assert over(limited(Plan(changes=drops(1)), Spent(foreseen={ZONE: 5}), LIMITS)) == 0


def test_a_share_of_a_zone_counts_from_twenty_of_our_records_up() -> None:
    limits = Limits(withdrawals=100, per_zone=100, share=0.2)
    assert over(limited(Plan(changes=drops(5)), Spent(ours={ZONE: 24}), limits)) == 5
    assert over(limited(Plan(changes=drops(5)), Spent(ours={ZONE: 25}), limits)) == 0
    assert over(limited(Plan(changes=drops(5)), Spent(ours={ZONE: 19}), limits)) == 0


def test_a_put_that_takes_an_address_away_is_a_withdrawal_and_one_that_adds_is_none() -> None:
    takes = put(was=addresses("10.1.0.9"), etag="e1")
    adds = put(key=key("more"), was=addresses("10.1.0.4"), addresses=addresses("10.1.0.4", "10.1.0.5"), etag="e1")
    none = Limits(withdrawals=0, per_zone=0, share=0)
    plan = limited(Plan(changes=(takes, adds)), Spent(), none)
    assert (plan.over_limit, plan.changes) == ((takes,), (adds,))


def test_what_was_withheld_stays_so_until_a_person_lets_it_through() -> None:
    """An hour that passes lets nothing through."""
    plan = Plan(changes=drops(1))
    spent = Spent(withheld=frozenset({plan.changes[0].key}))
    assert over(limited(plan, spent, LIMITS)) == 1
    through = frozenset(essence(change) for change in plan.changes)
    assert limited(plan, spent, LIMITS, let_through=through) == plan


def test_what_is_let_through_does_not_count_against_the_rest() -> None:
    many, one = drops(50), drop(key=key("late"))
    through = frozenset(essence(change) for change in many)
    plan = Plan(changes=(*many, one))
    assert limited(plan, Spent(), LIMITS, let_through=through) == plan


def test_the_plans_hash_is_the_same_before_and_after_the_limits() -> None:
    """So that the hash which a person reads names what they let through."""
    plan = Plan(changes=(*drops(6), put()))
    assert limited(plan, Spent(), LIMITS).hash == plan.hash
