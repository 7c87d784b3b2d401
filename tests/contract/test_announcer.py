"""What the announcer makes of a topic's answers: never taken, or taken later; and nobody else is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from hubwarden.announce import Announcer
from hubwarden.errors import RefusedError, UnavailableError
from hubwarden.model.announcement import Announcement, Kind
from simulator.authority import HOST, Authority
from tests.azure import Azure

HELD = Announcement(Kind.RECORD_HELD, "/s/r", {"reason": "no_zone"}, 1_800_000_000.0, "id1")


@pytest.fixture
async def announcer(azure: Azure) -> AsyncIterator[Announcer]:
    """It speaks to a topic of the local Azure."""
    announcer = Announcer(f"{azure.url}/topics/own/api/events", "contoso", azure.credential)
    yield announcer
    await announcer.close()


async def test_an_announcement_is_a_cloud_event(azure: Azure, announcer: Announcer) -> None:
    """CloudEvents 1.0: the source is the instance, the id and the time are the announcement's."""
    await announcer.publish([HELD])

    [received] = await azure.sim("GET", "topics")
    assert received["event"] == {
        "id": "id1",
        "source": "/hubwarden/contoso",
        "type": "Hubwarden.Record.Held",
        "subject": "/s/r",
        "time": "2027-01-15T08:00:00.000Z",
        "specversion": "1.0",
        "data": {"reason": "no_zone"},
    }


@pytest.mark.parametrize("status", [400, 413])
async def test_what_the_topic_will_never_take_is_refused(azure: Azure, announcer: Announcer, status: int) -> None:
    """400 and 413 are about the events themselves: the same at every try."""
    await azure.sim("POST", "faults", {"service": "topic", "status": status, "code": "BadRequest"})
    with pytest.raises(RefusedError, match=f"answered {status}"):
        await announcer.publish([HELD])


@pytest.mark.parametrize(
    "fault",
    [
        *({"service": "topic", "status": status} for status in (401, 403, 404, 408, 429, 500, 503)),
        {"service": "topic", "reset": True},
        {"service": "identity", "status": 400, "body": {"statusCode": 400, "message": "no"}},
    ],
    ids=str,
)
async def test_everything_else_may_be_taken_later(azure: Azure, announcer: Announcer, fault: dict[str, object]) -> None:
    """A missing right or a wrong address is a person's to mend: nothing is lost meanwhile, and nothing tried twice."""
    await azure.sim("POST", "faults", fault)
    with pytest.raises(UnavailableError):
        await announcer.publish([HELD])
    assert await azure.sim("GET", "topics") == []
    await announcer.publish([HELD])
    assert len(await azure.sim("GET", "topics")) == 1


async def test_a_redirection_is_not_followed(azure: Azure, authority: Authority) -> None:
    """No token and no event goes to any other address than the settings'."""
    asked: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        asked.append(request.path)
        raise web.HTTPTemporaryRedirect("/elsewhere")

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", elsewhere)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0, ssl_context=authority.server_context()).start()
    announcer = Announcer(f"https://{HOST}:{runner.addresses[0][1]}/api/events", "contoso", azure.credential)
    try:
        with pytest.raises(UnavailableError):
            await announcer.publish([HELD])
    finally:
        await announcer.close()
        await runner.cleanup()
    assert asked == ["/api/events"]
