"""What a look at the doors' order came to, and how a door's log tells of it."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from hubwarden.model.connection import Decision, Verdict
from hubwarden.model.report import Report, Result
from hubwarden.model.scope import Scope


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at the doors' order came to: its Report if it ended in time, and when the next look is due."""

    scope: Scope
    report: Report | None
    next_look: float | None
    """Seconds since 1970; None where nothing is left, or no try is."""

    @property
    def gave_up(self) -> bool:
        """Whether something is left undone that nobody will look at again; a mere wait is none of that."""
        left = self.report is None or bool(self.report.unfinished) or not self.report.complete
        return self.next_look is None and left

    @property
    def summary(self) -> str:
        """One line for a log: counts and reasons, nothing that a stranger wrote."""
        if self.report is None:
            text = "no answer"
        else:
            plan = self.report.plan
            done = [outcome.change for outcome in self.report.outcomes if outcome.result is Result.DONE]
            answered = sum(isinstance(change, Decision) for change in done)
            waiting = sum(decision.verdict is Verdict.HOLD for decision in self.report.decisions)
            reasons = ", ".join(sorted({held.reason for held in plan.held}))
            planned = len(plan.zones) + len(plan.changes)
            text = f"{self.report.mode}: {self.report.status}, {len(done) - answered} of {planned} changes done"
            text += f", {len(plan.unchanged)} unchanged" + (f", held: {reasons}" if reasons else "")
            text += f", connections answered: {answered}" if answered else ""
            text += f", connections waiting: {waiting}" if waiting else ""
        return text + (f", again in {max(0, self.next_look - time.time()):.0f} s" if self.next_look else "")

    def tell(self, log: logging.Logger, door: str) -> None:
        """Writes the summary to a door's log, and every failure with its reason."""
        if self.report:
            for outcome in self.report.unfinished:
                log.error("%s: %s: %s", door, outcome.key, outcome.error)
        log.info("%s: %s: %s", door, self.scope, self.summary)
