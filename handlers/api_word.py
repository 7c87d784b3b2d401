"""The HTTP door for a person's word: adopt, replace, release, rename; planned, and applied by the plan's hash."""

from __future__ import annotations

import azure.functions as func

from handlers.answers import WITHIN, answering, body_of, plan_in, problem, told
from handlers.people import may_decide
from hubwarden.model.word import Verb, Word
from hubwarden.runtime import runtime, settings

door = func.Blueprint()


@door.function_name("api_adopt")
@door.route(route="adopt", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@answering
async def api_adopt(req: func.HttpRequest) -> func.HttpResponse:
    """Unmarked records that are as an endpoint wants them come into ownership; all of them, or those in `names`."""
    return await _obey(req, Verb.ADOPT)


@door.function_name("api_replace")
@door.route(route="replace", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@answering
async def api_replace(req: func.HttpRequest) -> func.HttpResponse:
    """The records in `names` that others left with other addresses are taken over."""
    return await _obey(req, Verb.REPLACE)


@door.function_name("api_release")
@door.route(route="release", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@answering
async def api_release(req: func.HttpRequest) -> func.HttpResponse:
    """Records that the settings do not cover any more are let go; all of them, or those in `names`."""
    return await _obey(req, Verb.RELEASE)


@door.function_name("api_rename")
@door.route(route="rename", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@answering
async def api_rename(req: func.HttpRequest) -> func.HttpResponse:
    """All records that bear a former name of the instance get its present one."""
    return await _obey(req, Verb.RENAME)


async def _obey(req: func.HttpRequest, verb: Verb) -> func.HttpResponse:
    """Without `plan` the answer is the Report of the plan, and nothing is written."""
    if not may_decide(settings(), req):
        return problem(403, "forbidden", f"{verb} needs a person who is signed in and one of approvals.people")
    asked = body_of(req, ("names", "zone", "hub", "plan"))
    word = Word.read(verb, asked.get("names", ()), asked.get("zone"), asked.get("hub"))
    plan = plan_in(asked)
    if plan and not settings().applies:
        return problem(409, "mode-plan", "the settings say mode: plan, so nobody applies a plan")
    return told(await runtime().ask(word, applies=bool(plan), plan=plan, within=WITHIN))
