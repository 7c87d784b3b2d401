"""A person's decision on one connection walks the path of every answer: stored ahead, read, written, read back, closed.

The policy is no bound for it, and the limits of law 9 are for rules. What else holds for answers holds here: only what
waits is answered, one answer at a time, and a person's who was faster stands (law 10).
"""

from __future__ import annotations

import logging

from hubwarden.arm.connections import answers, read_connection
from hubwarden.errors import InputError, LedgerUnavailableError, NotDecidedError, NotFoundError, PlanOnlyError
from hubwarden.model.connection import Connection, Decision, by
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.note import description
from hubwarden.model.person import Ruling
from hubwarden.model.report import Report, new_run_id
from hubwarden.model.resource_id import ResourceId
from hubwarden.model.scope import OneTarget
from hubwarden.reconcile.afterwards import look_afterwards
from hubwarden.reconcile.answer import Answered, answer, intend
from hubwarden.reconcile.approve import approvals_of
from hubwarden.reconcile.facts import shown
from hubwarden.reconcile.publish import announce
from hubwarden.reconcile.rooms import Rooms
from hubwarden.reconcile.write import Part

log = logging.getLogger(__name__)


async def decide(rooms: Rooms, ruling: Ruling, who: str) -> Report:
    """Answers a connection as a person says whose object id is `who`, and tells what came of it.

    Before anything is written it raises PlanOnlyError in mode plan, InputError for a target that is not in the estate
    or whose provider is not known, NotDecidedError where the connection does not wait, TemporaryError where Azure or
    the ledger gives no answer.
    """
    if not rooms.applies:
        raise PlanOnlyError("the settings say mode: plan, so no connection is answered")
    started = rooms.now()
    run = new_run_id(started)
    decision = _decision(ruling, who, await _waiting(rooms, ruling))
    [intended] = await intend(rooms, [decision], run)
    if intended is None:
        raise NotDecidedError(await _somebodys(rooms, ruling.connection))
    answered = await answer(rooms, decision, intended, "")
    part = await _followed_up(rooms, answered)
    scope = OneTarget(decision.connection.target)
    await announce(rooms, scope, part, began=started)
    return part.report(run, scope, applies=True, began=started, ended=rooms.now())


async def _waiting(rooms: Rooms, ruling: Ruling) -> Connection:
    """The connection as its target shows it now, if it waits, and is whose the person means."""
    connection, target = ruling.connection, ruling.connection.parent
    if not await rooms.estate.includes(target.subscription, fresh=True):
        raise InputError(f"the target {target} is not part of the estate")
    if not answers(target):
        raise InputError(f"connections of {target.type[:200]} are not answered by this version")
    try:
        found = await read_connection(rooms.arm, connection)
    except NotFoundError as error:
        raise NotDecidedError(f"{connection} is not there: {error}") from error
    if ruling.endpoint is not None and found.endpoint != ruling.endpoint:
        whose = found.endpoint or "none that it shows"
        raise NotDecidedError(f"{connection} is not of {ruling.endpoint}, but of {whose}")
    if found.status is ConnectionStatus.REJECTED:
        raise NotDecidedError(
            f"{connection} is Rejected, which Azure does not take back:"
            " its consumer must delete the endpoint and create it anew"
        )
    if found.status is not ConnectionStatus.PENDING:
        raise NotDecidedError(f"{connection} waits no longer: it is {found.status}")
    if not found.settled:
        raise NotDecidedError(f"Azure is at work on {connection}: somebody's answer may be under way")
    return found


def _decision(ruling: Ruling, who: str, found: Connection) -> Decision:
    said = f": {ruling.reason}" if ruling.reason else ""
    return Decision(
        found,
        ruling.verdict,
        rule="",
        reason=f"decided by {by('', who)}{said}",
        note=description(ruling.reason),
        who=who,
        said=ruling.reason,
        facts=shown(found),
    )


async def _somebodys(rooms: Rooms, connection: ResourceId) -> str:
    """Whose answer there is: two at a time are not given."""
    for each in await rooms.decisions.open():
        if each.connection == connection:
            return (
                f"{each.verdict} by {by(each.rule, each.who)} is under way for {connection}: look again when it is over"
            )
    return f"somebody else answers {connection}: look again"


async def _followed_up(rooms: Rooms, answered: Answered) -> Part:
    """What came of the answer; to fail at handing on what follows is only a warning, for the sweep looks at it, too."""
    approvals = approvals_of([answered.decision], [answered], begun=[answered] if answered.held else [])
    try:
        await look_afterwards(rooms, approvals)
    except LedgerUnavailableError as error:
        log.warning("decide: what follows for %s is left to the sweep: %s", answered.decision.connection.id, error)
    return approvals.as_part()
