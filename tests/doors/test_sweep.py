"""The timers' door, and the whole estate over HTTP: what no event told of is found; a sweep that fails says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from azure.data.tables.aio import TableServiceClient

from hubwarden.ledger.sights import SIGHTS_TABLE
from tests.azure import BLOB_ZONE, HUB, resource_id
from tests.doors.local_azure import Spoke

HUB_ZONE = resource_id(HUB, "rg-dns", "Microsoft.Network/privateDnsZones", BLOB_ZONE)
NOTE = {"properties": {"ttl": 10, "txtRecords": []}}


async def due(spoke: Spoke, timer: str) -> None:
    """A timer's time has come."""
    headers = {"x-functions-key": spoke.up.variables["APP_MASTER_KEY"]}
    address = f"{spoke.url}/admin/functions/{timer}"
    async with spoke.azure.session.post(address, headers=headers, json={"input": ""}) as answer:
        assert answer.status == 202
    await spoke.settle()


async def test_a_sweep_finds_what_no_event_told_of(silent: Spoke) -> None:
    endpoint = await silent.endpoint()
    await due(silent, "sweep")
    assert await silent.addresses() == ["10.1.0.4"]
    await silent.hears("sweep: the whole estate: apply: done")
    await silent.delete(endpoint)
    await due(silent, "sweep")
    assert await silent.addresses() is None

    last = (await silent.ask("GET", "status")).body["lastSweep"]
    assert (last["scope"], last["status"]) == ({"everything": True}, "done")
    [newest] = (await silent.ask("GET", "runs", query={"top": "1"})).body["value"]
    assert newest == last


async def test_a_zone_that_is_nearly_full_is_an_alert_in_the_status_and_the_log(silent: Spoke) -> None:
    assert (await silent.ask("GET", "status")).body["alerts"] == []
    await silent.azure.arm("PUT", f"{HUB_ZONE}/TXT/one", NOTE)
    room = (await silent.azure.arm("GET", HUB_ZONE)).body["properties"]["numberOfRecordSets"] + 1
    await silent.azure.sim("POST", "settings", {"maxRecordSets": room})
    await silent.azure.arm("PUT", f"{HUB_ZONE}/TXT/two", NOTE)

    await due(silent, "sweep")

    [alert] = (await silent.ask("GET", "status")).body["alerts"]
    assert alert == f"{BLOB_ZONE} has {room} of {room} record sets, 100%"
    await silent.hears(f"sweep: {alert}")
    await silent.azure.sim("POST", "settings", {"maxRecordSets": 25_000})
    for name in ("one", "two"):
        await silent.azure.arm("DELETE", f"{HUB_ZONE}/TXT/{name}")
    await due(silent, "sweep")
    assert (await silent.ask("GET", "status")).body["alerts"] == []


async def test_who_waits_for_long_is_an_alert_in_the_status_and_the_log(silent: Spoke) -> None:
    endpoint = await silent.endpoint(manual=True)
    await due(silent, "pending")
    listed = (await silent.ask("GET", "connections")).body["value"]
    [waiting] = [each for each in listed if each["endpoint"] == endpoint]
    since = datetime.fromisoformat(waiting["waitingSince"])
    assert since <= datetime.now(UTC)
    await backdated(silent, waiting["connection"], days=3)

    await due(silent, "sweep")

    days_ago = (since - timedelta(days=3)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    alert = f"{waiting['connection']} has waited for a person for 3 days, since {days_ago}"
    assert (await silent.ask("GET", "status")).body["alerts"] == [alert]
    await silent.hears(f"remind: {waiting['connection']} has waited for a person since {days_ago}")
    await silent.delete(endpoint)
    await due(silent, "sweep")
    assert (await silent.ask("GET", "status")).body["alerts"] == []


async def backdated(spoke: Spoke, connection: str, *, days: int) -> None:
    """The ledger takes a connection for one that waits since so many days earlier."""
    async with TableServiceClient.from_connection_string(spoke.storage.connection_string) as service:
        table = service.get_table_client(SIGHTS_TABLE)
        [row] = [each async for each in table.list_entities() if each["Connection"] == connection]
        await table.update_entity({**row, "FirstSeen": row["FirstSeen"] - days * 86400})


async def test_the_whole_estate_is_promised_and_worked_off_through_the_queue(silent: Spoke) -> None:
    await silent.endpoint()
    planned = await silent.ask("POST", "reconcile", {"apply": False})
    done = await silent.ask("POST", "reconcile", {})
    for answer in (planned, done):
        assert (answer.status, answer.body["status"]) == (202, "running")
        assert answer.headers["Location"] == f"/api/runs/{answer.body['run']}"
    await silent.settle()
    for answer, mode in ((planned, "plan"), (done, "apply")):
        report = (await silent.ask("GET", answer.headers["Location"].removeprefix("/api/"))).body
        assert (report["run"], report["scope"], report["mode"]) == (answer.body["run"], {"everything": True}, mode)
        assert report["status"] == "done"
    assert await silent.addresses() == ["10.1.0.4"]


async def test_what_waits_is_looked_at_and_held_and_leaves_no_run_behind(silent: Spoke) -> None:
    await silent.endpoint(manual=True)
    before = (await silent.ask("GET", "runs", query={"top": "1"})).body["value"]
    await due(silent, "pending")
    await silent.hears("pending: the pending connections: apply: done")
    [connection] = await silent.connections()
    assert connection["properties"]["privateLinkServiceConnectionState"]["status"] == "Pending"
    assert (await silent.ask("GET", "runs", query={"top": "1"})).body["value"] == before


async def test_a_sweep_that_cannot_look_fails(silent: Spoke) -> None:
    """Law 12: it is seen in the platform's own figures, and the next one begins anew."""
    await silent.endpoint()
    await silent.fault(service="graph", status=503)
    await due(silent, "sweep")
    await silent.hears("sweep: not all was done")
    await silent.no_faults()
    assert await silent.addresses() is None
    await due(silent, "sweep")
    assert await silent.addresses() == ["10.1.0.4"]
