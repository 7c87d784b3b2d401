"""Answers of ARM's that are none: a success without a document, pages without an end, another one's document.

They prove nothing, and cost only what was asked for (law 13).
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from hubwarden.arm.connections import read_connection
from hubwarden.errors import RefusedError, UnavailableError
from hubwarden.model.endpoint import ConnectionStatus
from hubwarden.model.report import Result, Status
from hubwarden.model.resource_id import ResourceId
from tests.estate import Estate
from tests.laws.conftest import Founding
from tests.laws.test_approvals import OWN, SERVER, STORAGE, VAULT, asked, connections_of, guarded, statuses, target_of

APPROVED, PENDING = ConnectionStatus.APPROVED, ConnectionStatus.PENDING


class Said:
    """A success with this body."""

    status_code = 200

    def __init__(self, body: str) -> None:
        self.body = body

    def raise_for_status(self) -> None:
        """It is one."""

    def json(self) -> Any:
        """What azure-core's answer makes of it."""
        return json.loads(self.body)


def saying(patch: pytest.MonkeyPatch, estate: Estate, path: str, body: str) -> None:
    """From now on ARM answers so about a path: nothing that a simulator could be told of."""
    pipeline = estate.hubwarden.rooms.arm._plain
    send = pipeline.send_request

    async def said(request: Any, **options: Any) -> Any:
        return Said(body) if request.url.partition("?")[0].endswith(path) else await send(request, **options)

    patch.setattr(pipeline, "send_request", said)


@pytest.mark.parametrize(
    "body", ["", "null", "[]", '"value"', '{"value": 7}', '{"value": {"id": "x"}}', '{"value": [null, 7, "x", [], {}]}']
)
async def test_a_target_whose_list_is_none_costs_a_sweep_only_itself(
    found: Founding, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    """Providers' own code answers; what one of them says must not end the sweeps of all (law 13)."""
    estate = await guarded(found, OWN)
    await estate.azure.sim("POST", "settings", {"graphConnections": False})
    odd, fine = await target_of(estate, SERVER, "odd"), await target_of(estate, STORAGE)
    await asked(estate, odd, "pe-odd")
    await asked(estate, fine)
    saying(monkeypatch, estate, f"{odd}/privateEndpointConnections", body)
    saying(monkeypatch, estate, odd, body)
    report = await estate.sweep()
    assert report.status is Status.DONE
    assert await statuses(estate, fine) == [APPROVED]
    assert await estate.addresses("t1")


@pytest.mark.parametrize("link", ["{}&$skipToken=1", "https://nowhere:99999/", "https://[/", "7"])
async def test_pages_without_an_end_cost_only_their_target(
    found: Founding, monkeypatch: pytest.MonkeyPatch, link: str
) -> None:
    """A page that names itself would be followed until the run is ended; no address but ARM's is."""
    estate = await guarded(found, OWN)
    odd = await target_of(estate, SERVER, "odd")
    path = f"{odd}/privateEndpointConnections"
    address = f"{estate.hubwarden.rooms.arm.endpoint}{path}?api-version=1"
    saying(monkeypatch, estate, path, json.dumps({"value": [], "nextLink": link.format(address)}))
    with pytest.raises((UnavailableError, RefusedError)):
        await connections_of(estate, odd)


@pytest.mark.parametrize("verdict", ["approve", "reject"])
async def test_another_ones_document_is_not_answered(
    found: Founding, monkeypatch: pytest.MonkeyPatch, verdict: str
) -> None:
    """Law 10: a decision is taken on the connection's own state read just before."""
    estate = await guarded(found, {**OWN, "then": verdict})
    target = await target_of(estate, VAULT)
    for name in ("pe1", "pe2"):
        await asked(estate, target, name)
    one, other = await connections_of(estate, target)
    document = (await estate.azure.arm("GET", str(other.id))).body
    saying(monkeypatch, estate, str(one.id), json.dumps(document))
    with pytest.raises(UnavailableError, match="gave the document of"):
        await read_connection(estate.hubwarden.rooms.arm, ResourceId.parse(str(one.id)))
    report = await estate.sweep()
    assert {each.result for each in report.outcomes} == {Result.RACED, Result.DONE}
    assert (await statuses(estate, target))[0] is PENDING
