"""A plan is applied by its hash only for a person who is signed in with one of approvals.people."""

from __future__ import annotations

import base64
import json

from handlers.people import PRINCIPAL
from tests.doors.conftest import SignIn
from tests.doors.local_azure import APPROVER, APPROVERS, Spoke, traces


async def planned(spoke: Spoke, endpoint: str) -> str:
    """The hash of the plan as it is now."""
    return str((await spoke.ask("POST", "reconcile", {"endpoint": endpoint, "apply": False})).body["plan"]["hash"])


async def test_a_person_who_may_applies_that_very_plan(silent: Spoke, sign_in: SignIn) -> None:
    endpoint = await silent.endpoint()
    plan = await planned(silent, endpoint)
    await sign_in(roles=["Reader", APPROVER])
    other = await silent.ask("POST", "reconcile", {"endpoint": endpoint, "plan": "0" * 16})
    assert (other.status, other.body["type"]) == (409, "urn:hubwarden:plan-changed")
    assert plan in other.body["detail"]
    assert await silent.addresses() is None
    done = await silent.ask("POST", "reconcile", {"endpoint": endpoint, "plan": plan})
    assert (done.status, done.body["status"], done.body["plan"]["hash"]) == (200, "done", plan)
    assert await silent.addresses() == ["10.1.0.4"]
    stored = json.dumps([dict(row) for row in await silent.storage.rows()], default=str)
    assert traces(silent.said + stored) == []


async def test_a_group_may_be_among_the_people_as_well(silent: Spoke, sign_in: SignIn) -> None:
    endpoint = await silent.endpoint()
    await sign_in(groups=[APPROVERS])
    done = await silent.ask("POST", "reconcile", {"endpoint": endpoint, "plan": await planned(silent, endpoint)})
    assert done.status == 200


async def test_nobody_else_may(silent: Spoke, sign_in: SignIn) -> None:
    """Not with a key alone, not with other roles, and not with a header of one's own: the platform takes it out."""
    endpoint = await silent.endpoint()
    asked = {"endpoint": endpoint, "plan": await planned(silent, endpoint)}
    claims = [{"typ": "roles", "val": APPROVER}]
    forged = base64.b64encode(json.dumps({"role_typ": "roles", "claims": claims}).encode()).decode()
    answers = [
        await silent.ask("POST", "reconcile", asked),
        await silent.ask("POST", "reconcile", asked, headers={PRINCIPAL: forged}),
        await silent.ask("POST", "reconcile", asked, key="APP_MASTER_KEY"),
    ]
    await sign_in(roles=["Reader"], groups=["somebody"])
    answers.append(await silent.ask("POST", "reconcile", asked))
    await sign_in(roles=[])
    answers.append(await silent.ask("POST", "reconcile", {"plan": asked["plan"]}))
    assert [(answer.status, answer.body["type"]) for answer in answers] == [(403, "urn:hubwarden:forbidden")] * 5
    assert await silent.addresses() is None
    await sign_in(roles=[APPROVER])
    unkeyed = await silent.ask("POST", "reconcile", asked, key="")
    assert unkeyed.status == 401, "a person needs the key as well"
