"""What deciding costs: connections that wait, judged by a long policy, with every fact known.

Measured in an interpreter of its own, `python -m benchmarks.decisions`, where nothing was made ready before.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator

from benchmarks.imports import ROOT
from benchmarks.table import Row, Section
from hubwarden.approval.decide import judge
from hubwarden.approval.prepared import prepared
from hubwarden.model.connection import Verdict
from hubwarden.model.endpoint import Tenancy
from hubwarden.model.expression import Expression, Regex
from hubwarden.model.facts import Facts
from hubwarden.model.glob import Glob
from hubwarden.model.policy import Policy, Rule, Within

CONNECTIONS = 10_000
RULES = (200, 20)
TURNS = 3
TYPES = 40
SUBSCRIPTIONS = 300
HOW = (
    f"An interpreter of its own, no Azure. {CONNECTIONS:,} connections to {TYPES} types of target from "
    f"{SUBSCRIPTIONS} subscriptions, every fact known. Of each 20 rules 12 ask for the target's type, groups and "
    "resource group, 3 for tags, 3 for subscription and name, 1 for the message (RE2) and 1 by cel, half of these two "
    "for a type as well; what no rule matches, which is most, has been through every rule but those for other types. "
    f"Processor time, median of {TURNS} turns over all connections; to make the policy ready is told apart."
)


def measure() -> Section:
    """Runs itself in a fresh interpreter, and says what came out."""
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.decisions"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    rows = []
    for found in json.loads(run.stdout):
        what = f"{CONNECTIONS:,} connections, {found['rules']} rules"
        rate = f"{CONNECTIONS / found['seconds']:,.0f}/s ({found['seconds']:.2f} s, {found['matched']:,} by a rule)"
        rows.append(Row(what, rate, "3,000/s" if found["rules"] == RULES[0] else ""))
        rows.append(Row(f"to make {found['rules']} rules ready, once", f"{found['ready'] * 1000:.0f} ms"))
    return Section("Deciding", HOW, rows)


def figures(rules: int) -> dict[str, float]:
    """Measures a policy of so many rules in this interpreter."""
    policy, waiting = Policy(tuple(_rules(rules))), list(_waiting())
    started = time.process_time()
    prepared(policy)
    ready = time.process_time() - started
    turns = []
    for _ in range(TURNS):
        started = time.process_time()
        verdicts = Counter(judge(policy, facts).rule != "" for facts in waiting)
        turns.append(time.process_time() - started)
    if not 0 < verdicts[True] < CONNECTIONS:
        raise AssertionError(f"{verdicts}: not what was to be measured")
    return {"rules": rules, "seconds": statistics.median(turns), "ready": ready, "matched": verdicts[True]}


def _rules(count: int) -> Iterator[Rule]:
    for number in range(count):
        types = (_type(number),)
        yield _rule(f"rule {number}", number, types, types if number % 40 >= 20 else ())


def _rule(name: str, number: int, types: tuple[str, ...], some: tuple[str, ...]) -> Rule:
    match number % 20:
        case kind if kind < 12:
            return Rule(
                name,
                Verdict.APPROVE,
                consumer_within=Within.ESTATE,
                target_types=types,
                target_resource_groups=(Glob(f"rg-{number}-*"),),
                groups=(f"group{number % TYPES}",),
            )
        case kind if kind < 15:
            tags = (("env", Glob(f"prod{number}")), ("owner", Glob("*")))
            return Rule(name, Verdict.APPROVE, consumer_within=Within.TENANT, target_tags=tags)
        case kind if kind < 18:
            names, subscriptions = (Glob(f"st{number}prod*"),), (_subscription(number),)
            return Rule(name, Verdict.APPROVE, consumer_subscriptions=subscriptions, target_names=names)
        case 18:
            return Rule(name, Verdict.HOLD, target_types=some, message=Regex.parse(f"INC{number}[0-9]{{4}}"))
        case _:
            own = "consumer.tenancy == 'ours' && consumer.subscription == target.subscription"
            cel = Expression.parse(f"{own} && target.name.startsWith('st{number}x')")
            return Rule(name, Verdict.APPROVE, target_types=some, cel=cel)


def _waiting() -> Iterator[Facts]:
    for number in range(CONNECTIONS):
        yield Facts(
            consumer=_subscription(number % SUBSCRIPTIONS),
            target_type=_type(number),
            target_subscription=_subscription(number % 7),
            in_estate=True,
            tenancy=Tenancy.OURS,
            groups=(f"group{number % TYPES}",),
            consumer_management_groups=("corp", "root"),
            managers=(),
            consumer_resource_group=f"rg-{number % 200}",
            consumer_name=f"pe-{number}",
            consumer_location="westeurope",
            consumer_tags={"owner": "orders"},
            target_management_groups=("corp", "root"),
            target_resource_group=f"rg-{number % 210}-data",
            target_name=f"st{number % 150}prod{number}",
            target_location="westeurope",
            target_tags={"env": f"prod{number % 200}" if number % 9 == 0 else "dev", "Owner": "data"},
            message=f"please, for ticket INC{number}",
            age=60.0,
        )


def _type(number: int) -> str:
    return f"Microsoft.Provider{number % TYPES}/things"


def _subscription(number: int) -> str:
    return f"22222222-2222-4222-8222-{number:012}"


if __name__ == "__main__":
    print(json.dumps([figures(rules) for rules in RULES]))
