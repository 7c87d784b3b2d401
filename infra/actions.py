"""Which of the roles' actions Azure knows: a role with one that it does not know is refused as a whole.

`az provider operation list | python -m infra.actions > types.json` writes the parameter `connectionTypes` of main.bicep
without the types that would have a role refused, and tells which those are.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

INFRA = Path(__file__).parent
TYPES = "roles/connection-types"
READER, APPROVER = "roles/estate-reader", "roles/connection-approver"
FIXED = (READER, "roles/record-writer", "roles/zone-maker", "policy/subscriber")
"""The roles with actions that no parameter takes away."""


def known(providers: Iterable[dict[str, Any]]) -> set[str]:
    """The actions that the answer to `az provider operation list` has, in lower case; not those on data."""
    return {each["name"].lower() for each in _operations(providers) if not each.get("isDataAction")}


def _operations(providers: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for provider in providers:
        yield from provider.get("operations") or ()
        for kind in provider.get("resourceTypes") or ():
            yield from kind.get("operations") or ()


def unknown(role: str, actions: Collection[str]) -> list[str]:
    """The actions of a role, other than those for each type, that Azure does not know."""
    return [action for action in _role(role)["actions"] if action.lower() not in actions]


def allowed(types: dict[str, list[str]], actions: Collection[str]) -> dict[str, list[str]]:
    """The types as they can be: answered, only shown where answering has an action unknown, or left out."""
    seen = [kind for kind in types["answered"] + types["shown"] if not _missing(READER, kind, actions)]
    answered = [kind for kind in seen if kind in types["answered"] and not _missing(APPROVER, kind, actions)]
    return {"shown": [kind for kind in seen if kind not in answered], "answered": answered}


def _missing(role: str, kind: str, actions: Collection[str]) -> list[str]:
    asked = (action.replace("{type}", kind) for action in _role(role)["actionsOfTypes"])
    return [action for action in asked if action.lower() not in actions]


def _role(name: str) -> Any:
    return json.loads((INFRA / f"{name}.json").read_text(encoding="utf-8"))


def main() -> int:
    """0 if the roles can be made with these types, 1 if Azure does not know one of the other actions."""
    actions = known(json.load(sys.stdin))
    types: dict[str, list[str]] = _role(TYPES)
    left = allowed(types, actions)
    for kind in (*types["answered"], *types["shown"]):
        missing = _missing(READER, kind, actions) or (kind in types["answered"] and _missing(APPROVER, kind, actions))
        if missing:
            fate = "is only shown" if kind in left["shown"] else "is left out"
            print(f"{kind} {fate}: Azure does not know {', '.join(missing)}", file=sys.stderr)
    lacking = [action for role in FIXED for action in unknown(role, actions)]
    for action in lacking:
        print(f"no parameter leaves it out: Azure does not know {action}", file=sys.stderr)
    print(json.dumps(left, indent=2))
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
