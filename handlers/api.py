"""The HTTP door for doing: reconcile one endpoint, one target or the whole estate, or apply a plan by its hash."""

from __future__ import annotations

from typing import Any

import azure.functions as func

from handlers.answers import WITHIN, answering, body_of, plan_in, problem, promised, told
from handlers.people import may_decide
from hubwarden.errors import InputError
from hubwarden.model.endpoint import PRIVATE_ENDPOINT, private_endpoint_id
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import Everything, OneEndpoint, OneTarget, Scope, target_id
from hubwarden.runtime import runtime, settings

door = func.Blueprint()


@door.function_name("api_reconcile")
@door.route(route="reconcile", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@answering
async def api_reconcile(req: func.HttpRequest) -> func.HttpResponse:
    """`{"endpoint": id}` or `{"target": id}` runs now and answers with the Report; `{}`, the whole estate, is promised.

    `"apply": false` only plans; `"plan": hash` applies that very plan, for a person who is signed in.
    """
    asked = body_of(req, ("endpoint", "target", "apply", "plan"))
    scope, applies, plan = _scope(asked), _applies(asked), _plan(asked)
    if plan and not may_decide(settings(), req):
        return problem(403, "forbidden", "'plan' needs a person who is signed in and one of approvals.people")
    if plan and not settings().applies:
        return problem(409, "mode-plan", "the settings say mode: plan, so nobody applies a plan")
    if isinstance(scope, Everything) and not plan:
        return promised(await runtime().start(scope, applies=applies))
    return told(await runtime().ask(scope, applies=applies, plan=plan, within=WITHIN))


def _scope(asked: dict[str, Any]) -> Scope:
    if "endpoint" in asked and "target" in asked:
        raise InputError("a run is asked for 'endpoint' or for 'target', not for both")
    if "endpoint" in asked:
        return OneEndpoint(private_endpoint_id(asked["endpoint"]), thorough=True)
    return OneTarget(_target(asked["target"])) if "target" in asked else Everything()


def _target(text: object) -> ResourceId:
    target = target_id(text)
    if target.is_a(PRIVATE_ENDPOINT):
        raise InputError(f"{str(target)[:200]!r} is a private endpoint, so it is asked for as 'endpoint'")
    return target


def _applies(asked: dict[str, Any]) -> bool:
    applies = asked.get("apply", True)
    if not isinstance(applies, bool):
        raise InputError("'apply' is true or false")
    return applies


def _plan(asked: dict[str, Any]) -> str:
    plan = plan_in(asked)
    if plan and not _applies(asked):
        raise InputError("'plan' is applied, so 'apply' cannot be false beside it")
    return plan
