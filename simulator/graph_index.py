"""What Resource Graph knows of the world: how it was a while ago, deletions included (reference section 5.3)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from simulator.documents import Document, Documents
from simulator.world import World

_KEPT = 8  # answers, for the pages that will be asked for next


@dataclass(frozen=True, slots=True)
class _Change:
    due: float
    resource_id: str
    document: Document | None


class GraphIndex:
    """A copy of the world's documents that takes each change over after the lag, in the order in which they came."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._documents = Documents()
        self._changes: deque[_Change] = deque()
        self._answers: dict[Hashable, Any] = {}
        world.watchers.append(self._note)

    def documents(self) -> Documents:
        """The documents as the index has them now; without a lag they are the world's."""
        lag, now = self._world.settings.graph_lag_ms, self._world.clock.now()
        while self._changes and (not lag or self._changes[0].due <= now):
            self._take_over(self._changes.popleft())
        return self._documents

    def answer(self, question: Hashable, find: Callable[[], Any]) -> Any:
        """What `find` finds; the same again, without finding it, until the index has changed."""
        self.documents()
        if question not in self._answers:
            while len(self._answers) >= _KEPT:
                del self._answers[next(iter(self._answers))]
            self._answers[question] = find()
        return self._answers[question]

    def _note(self, resource_id: str, document: Document | None) -> None:
        due = self._world.clock.now() + self._world.settings.graph_lag_ms / 1000
        self._changes.append(_Change(due, resource_id, document))
        self.documents()

    def _take_over(self, change: _Change) -> None:
        self._answers.clear()
        if change.document is not None:
            self._documents.put(change.document)
        else:
            self._documents.remove(change.resource_id)
