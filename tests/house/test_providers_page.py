"""The page about providers names every type that is answered in a shape of its own, and no other so."""

from __future__ import annotations

import re

from hubwarden.arm.connections import known_types
from hubwarden.arm.connections.providers import Body, Provider, provider_of
from hubwarden.model.resource_id import ResourceId
from hubwarden.reconcile.answer import PATIENCE
from hubwarden.reconcile.waiting import MOST_LISTED
from tests.house.sources import ROOT

PAGE = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([^|]+) \| (`Microsoft\.[^|]+) \|$", PAGE, re.MULTILINE)
IN_WORDS = {
    (Body.WHOLE, "PUT", True): "the whole connection, `PUT` with `If-Match`",
    (Body.SDK, "PUT", False): "the whole connection, by the network client",
    (Body.STATE, "PATCH", True): "the state only, `PATCH` with `If-Match`",
    (Body.REQUEST, "PUT", False): "the id and the state, `PUT`",
    (Body.ENDPOINT, "PUT", False): "the endpoint and the state, `PUT`",
    (None, "", False): "not at all: connections are shown, and left to a person",
}


def provider(kind: str) -> Provider:
    name, *kinds = kind.split("/")
    path = "/".join(f"{each}/n" for each in kinds)
    return provider_of(
        ResourceId.parse(
            f"/subscriptions/{'0' * 8}-0000-4000-8000-{'0' * 12}/resourceGroups/rg/providers/{name}/{path}"
        )
    )


def test_the_shapes_on_the_page_are_those_of_the_data() -> None:
    said = {words: set(re.findall(r"`([^`]+)`", types)) for words, types in ROWS}
    shapes: dict[str, set[str]] = {}
    for each in map(provider, known_types()):
        if words := IN_WORDS.get((each.body, each.verb, each.insists)):
            shapes.setdefault(words, set()).add(each.type)
        else:
            assert (each.body, each.verb, each.insists) == (Body.WHOLE, "PUT", False), each
    assert said == shapes


def test_the_numbers_on_the_page_are_the_codes() -> None:
    assert f"for up to {PATIENCE:.0f} seconds" in PAGE
    assert f"at most {MOST_LISTED} resources" in PAGE
