"""Every ARM document there is, found quickly by id, by type and by parent; knows no rule of Azure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simulator.ids import key, parse

Document = dict[str, Any]


class Documents:
    """ARM documents by id, compared without case.

    A stored document is never changed, only replaced: whoever holds one holds a consistent picture of that moment.
    """

    def __init__(self) -> None:
        self._by_id: dict[str, Document] = {}
        self._by_type: dict[str, dict[str, Document]] = {}
        self._by_parent: dict[str, dict[str, dict[str, Document]]] = {}

    def __iter__(self) -> Iterator[Document]:
        return iter(list(self._by_id.values()))

    def get(self, resource_id: str) -> Document | None:
        """The document with that id."""
        return self._by_id.get(key(resource_id))

    def types(self) -> list[str]:
        """The types, in lower case, of which there are documents."""
        return sorted(resource_type for resource_type, found in self._by_type.items() if found)

    def of_type(self, resource_type: str) -> list[Document]:
        """The documents of that type, compared without case, sorted by id."""
        found = self._by_type.get(resource_type.lower(), {})
        return [found[each] for each in sorted(found)]

    def below(self, parent_id: str, resource_type: str | None = None) -> list[Document]:
        """The documents directly under that id, of one type or of all, sorted by id."""
        by_type = self._by_parent.get(key(parent_id), {})
        wanted = by_type.values() if resource_type is None else [by_type.get(resource_type.lower(), {})]
        found = {each: document for documents in wanted for each, document in documents.items()}
        return [found[each] for each in sorted(found)]

    def count_below(self, parent_id: str) -> int:
        """How many there are directly under that id."""
        return sum(map(len, self._by_parent.get(key(parent_id), {}).values()))

    def under(self, resource_id: str) -> list[Document]:
        """The documents under that id at any depth, parents before their children."""
        found: list[Document] = []
        for child in self.below(resource_id):
            found += [child, *self.under(child["id"])]
        return found

    def put(self, document: Document) -> None:
        """Stores a document in place of the one with its id."""
        parsed = parse(document["id"])
        self._by_id[parsed.key] = document
        self._by_type.setdefault(parsed.type.lower(), {})[parsed.key] = document
        siblings = self._by_parent.setdefault(key(parsed.parent), {})
        siblings.setdefault(parsed.type.lower(), {})[parsed.key] = document

    def remove(self, resource_id: str) -> None:
        """Forgets the document with that id, which must be there."""
        parsed = parse(self._by_id.pop(key(resource_id))["id"])
        del self._by_type[parsed.type.lower()][parsed.key]
        del self._by_parent[key(parsed.parent)][parsed.type.lower()][parsed.key]
