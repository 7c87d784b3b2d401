"""What a virtual network's clients hear when they ask for the names of private endpoints."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import dns.asyncquery
import dns.asyncresolver
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.resolver
import pytest

from simulator.clock import Clock
from simulator.dns_server import DnsServer
from simulator.private_dns import LINKS, ZONES
from simulator.world import Member, Target, World

SUB = "/subscriptions/aaaaaaaa-0000-0000-0000-000000000001"
RG = f"{SUB}/resourceGroups/rg-dns/providers"
HUB, SPOKE = (f"{RG}/Microsoft.Network/virtualNetworks/{name}" for name in ("hub", "spoke"))
ACCOUNT = f"{RG}/Microsoft.Storage/storageAccounts/st1"
BLOB = "privatelink.blob.core.windows.net"
PUBLIC = "20.60.1.1"


class Names:
    """A world of names, and the server that answers for it."""

    def __init__(self) -> None:
        self.world = World(Clock())
        self.server = DnsServer(self.world)

    def zone(self, name: str, network: str | None = HUB, **link: str) -> str:
        """A zone, linked unless told otherwise."""
        zone = f"{RG}/{ZONES}/{name}"
        self.world.put({"id": zone, "name": name, "type": ZONES, "properties": {}})
        if network is not None:
            properties = {"virtualNetwork": {"id": network}, "virtualNetworkLinkState": "Completed", **link}
            self.world.put(
                {"id": f"{zone}/virtualNetworkLinks/l", "name": "l", "type": LINKS, "properties": properties}
            )
        return zone

    def record(self, zone: str, name: str, kind: str = "A", **properties: Any) -> None:
        """A record set; by default one address."""
        properties = properties or {"aRecords": [{"ipv4Address": "10.0.0.4"}]}
        self.world.put(
            {
                "id": f"{zone}/{kind}/{name}",
                "name": name,
                "type": f"{ZONES}/{kind}",
                "properties": {"ttl": 10, **properties},
            }
        )

    def target(self, *fqdns: str, zone: str = BLOB, address: str = PUBLIC) -> None:
        """What the account is called, and where it is publicly."""
        member = Member("blob", "blob", fqdns, zone, address)
        self.world.targets[ACCOUNT.lower()] = Target(ACCOUNT, (member,))

    def endpoint(self, status: str = "Approved", target: str = ACCOUNT) -> None:
        """An endpoint to the account with a connection in that state."""
        state = {"status": status, "description": "", "actionsRequired": "None"}
        connection = {"properties": {"privateLinkServiceId": target, "privateLinkServiceConnectionState": state}}
        endpoint = f"{RG}/Microsoft.Network/privateEndpoints/pe1"
        properties = {"privateLinkServiceConnections": [], "manualPrivateLinkServiceConnections": [connection]}
        self.world.put(
            {"id": endpoint, "name": "pe1", "type": "Microsoft.Network/privateEndpoints", "properties": properties}
        )

    async def ask(self, name: str, kind: str = "A") -> dns.message.Message:
        """The response over UDP; the one over TCP must say the same."""
        query = dns.message.make_query(name, kind)
        udp = await dns.asyncquery.udp(query, "127.0.0.1", port=self.server.port, timeout=30)
        tcp = await dns.asyncquery.tcp(query, "127.0.0.1", port=self.server.port, timeout=30)
        assert udp == tcp
        return udp

    async def answers(self, name: str, kind: str = "A") -> tuple[str, list[str]]:
        """The response code and the records, each in one line without class and ttl."""
        response = await self.ask(name, kind)
        lines = [line.split(" ") for rrset in response.answer for line in rrset.to_text().splitlines()]
        return dns.rcode.to_text(response.rcode()), [" ".join([line[0], *line[3:]]) for line in lines]


@pytest.fixture
async def names() -> AsyncIterator[Names]:
    """An empty world with a DNS server."""
    names = Names()
    await names.server.start()
    yield names
    await names.server.stop()


async def test_a_connected_public_name_leads_through_privatelink_to_the_record(names: Names) -> None:
    """Behaviour reference section 9.2: the linked zone wins, and the public DNS only points at the privatelink name."""
    names.target("st1.blob.core.windows.net")
    names.endpoint()
    names.record(names.zone(BLOB), "st1")
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], names.server.port
    found = await resolver.resolve("ST1.blob.core.windows.net.")
    assert [record.address for record in found] == ["10.0.0.4"]
    assert await names.answers("st1.blob.core.windows.net") == (
        "NOERROR",
        ["st1.blob.core.windows.net. CNAME st1.privatelink.blob.core.windows.net.", f"st1.{BLOB}. A 10.0.0.4"],
    )


@pytest.mark.parametrize("status", ["Approved", "Pending"])
async def test_a_strangers_connection_counts_as_well(names: Names, status: str) -> None:
    """Behaviour reference section 9.2: who connects does not matter, nor that its endpoint cannot be seen."""
    names.target("st1.blob.core.windows.net")
    state = {"privateLinkServiceConnectionState": {"status": status}}
    names.world.put({"id": f"{ACCOUNT}/privateEndpointConnections/c", "properties": state})
    _, records = await names.answers("st1.blob.core.windows.net")
    assert (f"st1.blob.core.windows.net. CNAME st1.{BLOB}." in records) is (status == "Approved")


@pytest.mark.parametrize("status", ["Pending", "Rejected", "Disconnected"])
async def test_an_unconnected_public_name_has_its_public_address(names: Names, status: str) -> None:
    """Section 2.2: only Approved carries traffic; the record behind the privatelink name is not even asked for."""
    names.target("st1.blob.core.windows.net")
    names.endpoint(status)
    names.record(names.zone(BLOB), "st1")
    assert await names.answers("st1.blob.core.windows.net") == ("NOERROR", [f"st1.blob.core.windows.net. A {PUBLIC}"])


async def test_a_linked_zone_without_the_record_answers_that_there_is_no_such_name(names: Names) -> None:
    """Section 3.6: fails closed, for as long as the SOA's minimumTtl of 10 says (section 3.3)."""
    names.target("st1.blob.core.windows.net")
    names.endpoint()
    zone = names.zone(BLOB)
    response = await names.ask("st1.blob.core.windows.net")
    assert response.rcode() == dns.rcode.NXDOMAIN
    (soa,) = response.authority
    assert soa.to_text() == f"{BLOB}. 10 IN SOA azureprivatedns.net. azureprivatedns-host.microsoft.com. " + (
        "1 3600 300 2419200 10"
    )
    written = {"host": "azureprivatedns.net", "email": "azureprivatedns-host.microsoft.com", "serialNumber": 7}
    names.record(zone, "@", "SOA", soaRecord={**written, "minimumTtl": 5})
    (soa,) = (await names.ask("st1.blob.core.windows.net")).authority
    assert (soa.ttl, " 7 3600 300 2419200 5" in soa.to_text()) == (5, True)


@pytest.mark.parametrize("kind", ["A", "AAAA", "TXT"])
async def test_a_redirecting_link_asks_the_public_dns_instead(names: Names, kind: str) -> None:
    """Section 3.6: NxDomainRedirect, for A, AAAA and CNAME, fails open to the public address."""
    names.target("st1.blob.core.windows.net")
    names.endpoint()
    names.zone(BLOB, resolutionPolicy="NxDomainRedirect")
    code, records = await names.answers("st1.blob.core.windows.net", kind)
    assert code == ("NXDOMAIN" if kind == "TXT" else "NOERROR")
    assert records[1:] == ([f"st1.{BLOB}. A {PUBLIC}"] if kind == "A" else [])


async def test_only_privatelink_zones_redirect(names: Names) -> None:
    """Section 3.6: another zone's link may say so in vain."""
    names.zone("svc.contoso.com", resolutionPolicy="NxDomainRedirect")
    names.target("orders.svc.contoso.com", zone="")
    assert await names.answers("orders.svc.contoso.com") == ("NXDOMAIN", [])


async def test_the_global_zone_of_virtual_desktop_is_a_privatelink_zone(names: Names) -> None:
    """Sections 2.3 and 3.6: its label is `privatelink-global`, and what is asked for keeps its first label."""
    zone = "privatelink-global.wvd.microsoft.com"
    names.target("rdweb.wvd.microsoft.com", zone=zone)
    names.endpoint()
    names.zone(zone, resolutionPolicy="NxDomainRedirect")
    found = [f"rdweb.wvd.microsoft.com. CNAME rdweb.{zone}.", f"rdweb.{zone}. A {PUBLIC}"]
    assert await names.answers("rdweb.wvd.microsoft.com") == ("NOERROR", found)


async def test_a_name_that_lies_in_its_zone_already_has_no_other_behind_it(names: Names) -> None:
    """Section 2.3: Backup shows its names with their `privatelink` label; no alias leads from a name to itself."""
    zone = "privatelink.we.backup.windowsazure.com"
    names.target(f"7-id1.{zone}", zone=zone)
    names.endpoint()
    assert await names.answers(f"7-id1.{zone}") == ("NOERROR", [f"7-id1.{zone}. A {PUBLIC}"])
    names.record(names.zone(zone), "7-id1")
    assert await names.answers(f"7-id1.{zone}") == ("NOERROR", [f"7-id1.{zone}. A 10.0.0.4"])


async def test_without_a_linked_zone_the_public_answer_counts(names: Names) -> None:
    """Section 9.2: a spoke whose network is not linked hears the public address."""
    names.target("st1.blob.core.windows.net")
    names.endpoint()
    names.record(names.zone(BLOB, None), "st1")
    assert (await names.answers("st1.blob.core.windows.net"))[1][1:] == [f"st1.{BLOB}. A {PUBLIC}"]
    assert await names.answers(f"other.{BLOB}") == ("NXDOMAIN", [])


@pytest.mark.parametrize(
    ("network", "address"), [(HUB, "10.0.0.4"), (HUB.upper(), "10.0.0.4"), (SPOKE, PUBLIC), (None, "10.0.0.4")]
)
async def test_the_chosen_network_says_which_links_count(names: Names, network: str | None, address: str) -> None:
    """Section 3.6: resolution differs from network to network; without a choice any link counts."""
    names.target("st1.blob.core.windows.net")
    names.endpoint()
    names.record(names.zone(BLOB), "st1")
    names.world.settings = names.world.settings.changed({"dnsNetwork": network})
    assert (await names.answers("st1.blob.core.windows.net"))[1][1:] == [f"st1.{BLOB}. A {address}"]


async def test_a_link_that_is_not_complete_does_not_count(names: Names) -> None:
    """Section 3.6: virtualNetworkLinkState InProgress."""
    names.record(names.zone(BLOB, virtualNetworkLinkState="InProgress"), "st1")
    assert await names.answers(f"st1.{BLOB}") == ("NXDOMAIN", [])


async def test_without_a_choice_zones_of_one_name_are_all_asked(names: Names) -> None:
    """Two hubs have a zone of the same name each; any link counts, so the one with the record answers."""
    names.zone(BLOB)
    other = names.zone(BLOB).replace("rg-dns", "rg-other")
    names.world.put({"id": other, "name": BLOB, "type": ZONES, "properties": {}})
    link = {"id": f"{other}/virtualNetworkLinks/l", "name": "l", "type": LINKS}
    names.world.put({**link, "properties": {"virtualNetwork": {"id": SPOKE}}})
    names.record(other, "st1")
    assert await names.answers(f"st1.{BLOB}") == ("NOERROR", [f"st1.{BLOB}. A 10.0.0.4"])


@pytest.mark.parametrize(
    ("fqdn", "zone", "private"),
    [
        ("reg.westeurope.data.azurecr.io", "privatelink.azurecr.io", "reg.westeurope.data.privatelink.azurecr.io"),
        ("kv1.vault.azure.net", "privatelink.vaultcore.azure.net", "kv1.privatelink.vaultcore.azure.net"),
        ("app.scm.azurewebsites.net", "privatelink.azurewebsites.net", "app.scm.privatelink.azurewebsites.net"),
        ("a.we.batch.azure.com", "we.privatelink.batch.azure.com", "a.we.privatelink.batch.azure.com"),
        ("adf.azure.com", "privatelink.adf.azure.com", "privatelink.adf.azure.com"),
    ],
)
async def test_the_privatelink_name_of_a_public_name(names: Names, fqdn: str, zone: str, private: str) -> None:
    """Section 2.3: the relative name is not always the first label, the zone not always `privatelink.` + the suffix."""
    names.target(fqdn, zone=zone)
    names.endpoint()
    assert await names.answers(fqdn) == ("NOERROR", [f"{fqdn}. CNAME {private}.", f"{private}. A {PUBLIC}"])
    assert await names.answers(fqdn, "CNAME") == ("NOERROR", [f"{fqdn}. CNAME {private}."])


async def test_a_wildcard_target_has_any_name(names: Names) -> None:
    """Section 2.3: `*.{guid}.inference.{region}` of a machine learning workspace."""
    zone = "privatelink.api.azureml.ms"
    names.target("*.g1.inference.we.api.azureml.ms", zone=zone)
    names.endpoint()
    names.record(names.zone(zone), "*.g1.inference.we")
    name = "online.g1.inference.we"
    assert await names.answers(f"{name}.api.azureml.ms") == (
        "NOERROR",
        [f"{name}.api.azureml.ms. CNAME {name}.{zone}.", f"{name}.{zone}. A 10.0.0.4"],
    )
    names.world.settings = names.world.settings.changed({"dnsNetwork": SPOKE})
    assert (await names.answers(f"{name}.api.azureml.ms"))[1][1:] == [f"{name}.{zone}. A {PUBLIC}"]
    assert await names.answers(f"online.g2.inference.we.{zone}") == ("NXDOMAIN", [])


async def test_a_wildcard_record_stands_for_names_that_are_not_there(names: Names) -> None:
    """Section 3.3 and RFC 4592: not for names that are there with another type, nor below a name that is there."""
    zone = names.zone("svc.contoso.com")
    names.record(zone, "*")
    names.record(zone, "known", "TXT", txtRecords=[{"value": ["here"]}])
    names.record(zone, "deep.under", aRecords=[{"ipv4Address": "10.0.0.9"}])
    assert await names.answers("any.svc.contoso.com") == ("NOERROR", ["any.svc.contoso.com. A 10.0.0.4"])
    assert await names.answers("a.b.svc.contoso.com") == ("NOERROR", ["a.b.svc.contoso.com. A 10.0.0.4"])
    assert await names.answers("known.svc.contoso.com") == ("NOERROR", [])
    assert await names.answers("below.known.svc.contoso.com") == ("NXDOMAIN", [])
    assert await names.answers("other.under.svc.contoso.com") == ("NXDOMAIN", [])


async def test_a_name_above_others_is_there_without_records(names: Names) -> None:
    """RFC 8020: no NXDOMAIN where names are below; an empty record set is legal and is there too (section 3.3)."""
    zone = names.zone("svc.contoso.com")
    names.record(zone, "a.b")
    names.record(zone, "empty", aRecords=[])
    for name in ("b.svc.contoso.com", "empty.svc.contoso.com"):
        assert await names.answers(name) == ("NOERROR", [])
    assert len((await names.ask("b.svc.contoso.com")).authority) == 1


async def test_the_longest_zone_is_the_one_that_is_asked(names: Names) -> None:
    """A zone linked for a single name hides the one above it, and nothing else."""
    names.record(names.zone(BLOB), "other")
    names.record(names.zone(f"st1.{BLOB}"), "@")
    assert await names.answers(f"st1.{BLOB}") == ("NOERROR", [f"st1.{BLOB}. A 10.0.0.4"])
    assert await names.answers(f"other.{BLOB}") == ("NOERROR", [f"other.{BLOB}. A 10.0.0.4"])


RECORDS: dict[str, tuple[str, Mapping[str, Any], list[str]]] = {
    "A": ("A", {"aRecords": [{"ipv4Address": "10.0.0.4"}, {"ipv4Address": "10.0.0.5"}]}, ["10.0.0.4", "10.0.0.5"]),
    "AAAA": ("AAAA", {"aaaaRecords": [{"ipv6Address": "fd00::4"}]}, ["fd00::4"]),
    "MX": ("MX", {"mxRecords": [{"preference": 10, "exchange": "mail.contoso.com"}]}, ["10 mail.contoso.com."]),
    "PTR": ("PTR", {"ptrRecords": [{"ptrdname": "host.contoso.com"}]}, ["host.contoso.com."]),
    "SRV": (
        "SRV",
        {"srvRecords": [{"priority": 1, "weight": 2, "port": 443, "target": "host.contoso.com"}]},
        ["1 2 443 host.contoso.com."],
    ),
    "TXT": ("TXT", {"txtRecords": [{"value": ['say "hi"', "b\\"]}]}, ['"say \\"hi\\"" "b\\\\"']),
}


@pytest.mark.parametrize(("kind", "properties", "found"), RECORDS.values(), ids=RECORDS)
async def test_each_type_of_record(names: Names, kind: str, properties: Mapping[str, Any], found: list[str]) -> None:
    """Section 3.3."""
    names.record(names.zone("svc.contoso.com"), "x", kind, **properties)
    code, records = await names.answers("x.svc.contoso.com", kind)
    assert (code, sorted(records)) == ("NOERROR", [f"x.svc.contoso.com. {kind} {each}" for each in found])


async def test_an_alias_record_is_followed(names: Names) -> None:
    """A CNAME in a private zone leads anywhere, and a circle ends in SERVFAIL."""
    zone = names.zone("svc.contoso.com")
    names.record(zone, "www", "CNAME", cnameRecord={"cname": "web.svc.contoso.com"})
    names.record(zone, "web")
    names.record(zone, "round", "CNAME", cnameRecord={"cname": "round.svc.contoso.com"})
    assert await names.answers("www.svc.contoso.com") == (
        "NOERROR",
        ["www.svc.contoso.com. CNAME web.svc.contoso.com.", "web.svc.contoso.com. A 10.0.0.4"],
    )
    assert await names.answers("round.svc.contoso.com") == ("SERVFAIL", [])


async def test_a_public_ipv6_address_and_none_at_all(names: Names) -> None:
    """The public answer has the family it has; a target may have no public address."""
    names.target("st1.blob.core.windows.net", address="2603::1")
    assert await names.answers("st1.blob.core.windows.net") == ("NOERROR", [])
    assert await names.answers("st1.blob.core.windows.net", "AAAA") == (
        "NOERROR",
        ["st1.blob.core.windows.net. AAAA 2603::1"],
    )
    names.target("st1.blob.core.windows.net", address="")
    assert await names.answers("st1.blob.core.windows.net") == ("NXDOMAIN", [])


async def test_an_endpoint_to_something_else_connects_nothing(names: Names) -> None:
    """The connection must be one to this target."""
    names.target("st1.blob.core.windows.net")
    names.endpoint(target=f"{ACCOUNT}other")
    assert await names.answers("st1.blob.core.windows.net") == ("NOERROR", [f"st1.blob.core.windows.net. A {PUBLIC}"])
    assert await names.answers(f"st1.{BLOB}") == ("NXDOMAIN", [])


async def test_a_long_answer_is_cut_off_over_udp(names: Names) -> None:
    """RFC 1035: twenty IPv6 addresses do not fit into 512 octets, so the client asks again over TCP."""
    addresses = [{"ipv6Address": f"fd00::{number}"} for number in range(1, 21)]
    names.record(names.zone("svc.contoso.com"), "many", "AAAA", aaaaRecords=addresses)
    query = dns.message.make_query("many.svc.contoso.com", "AAAA")
    cut = await dns.asyncquery.udp(query, "127.0.0.1", port=names.server.port, timeout=30)
    assert cut.flags & dns.flags.TC
    whole, over_tcp = await dns.asyncquery.udp_with_fallback(query, "127.0.0.1", port=names.server.port, timeout=30)
    assert (len(whole.answer[0]), over_tcp) == (20, True)
    assert whole.flags & dns.flags.RA


async def test_what_is_no_question_is_not_answered_as_one(names: Names) -> None:
    """Noise gets nothing, another operation NOTIMP; the server goes on."""
    assert names.server.respond(b"noise", udp=True) is None
    reader, writer = await asyncio.open_connection("127.0.0.1", names.server.port)
    writer.write(b"\x00\x02ab")
    assert await reader.read() == b""
    writer.close()
    loop = asyncio.get_running_loop()
    noise, _ = await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, remote_addr=("127.0.0.1", names.server.port)
    )
    noise.sendto(b"noise")
    noise.close()
    update = dns.message.make_query("svc.contoso.com", "A")
    update.set_opcode(dns.opcode.STATUS)
    response = names.server.respond(update.to_wire(), udp=True)
    assert response is not None
    assert dns.message.from_wire(response).rcode() == dns.rcode.NOTIMP
    assert await names.answers("unknown.example") == ("NXDOMAIN", [])


async def test_a_port_that_is_taken_is_an_error(names: Names) -> None:
    """A wanted port is taken or not; only a free one may be another."""
    loop = asyncio.get_running_loop()
    taken, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
    with pytest.raises(OSError, match="in use"):
        await DnsServer(names.world).start(taken.get_extra_info("sockname")[1])
    taken.close()
