"""Names of private link services: those that `records.names` gives them are published, and none that they claim."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubwarden.arm.endpoints import to_endpoint
from hubwarden.catalog import catalogue
from hubwarden.dns.plan import Party, plan_records
from hubwarden.dns.wants import Wishes, wishes
from hubwarden.model.dns_name import DnsName
from hubwarden.model.endpoint import ConnectionStatus, Endpoint, EndpointName, NameSource, Tenancy
from hubwarden.model.hub import HubZones
from hubwarden.model.own_name import OwnName, ServicePattern
from hubwarden.model.plan import Drop, HeldReason, MissingZone
from tests.unit.given import (
    PRIVATE,
    RESOURCES,
    RULES,
    addresses,
    claim,
    document,
    endpoint,
    hub,
    key,
    name,
    owner,
    record,
    target,
)

SERVICE = target("Microsoft.Network/privateLinkServices", "pls-orders")
ALIAS = "pls-partner.0f1e2d3c-1111-4222-8333-0123456789ab.westeurope.azure.privatelinkservice"
BY_ALIAS = {"target": None, "target_text": ALIAS.upper()}
ZONE = "svc.contoso.com"
FQDN = f"orders.{ZONE}"


def gives(fqdn: str = "", *, suffix: str = "", zone: str = ZONE, to: str = SERVICE["target_text"]) -> OwnName:
    """An entry of `records.names`."""
    one, other = (DnsName.parse(text) if text else None for text in (fqdn, suffix))
    return OwnName(ServicePattern.parse(to), DnsName(zone), one, other)


def service(*names: EndpointName, held: Sequence[str] = ("10.1.0.4",), **changes: Any) -> Endpoint:
    """An endpoint to a private link service, which has no groups; its interface holds these addresses."""
    bare: dict[str, Any] = {"groups": (), "names": names, "interface_addresses": frozenset(addresses(*held))}
    return endpoint(**{**bare, **SERVICE, **changes})


def wished(seen: Endpoint, *entries: OwnName, hubs: Sequence[HubZones] = (hub(ZONE),), **changes: Any) -> Wishes:
    """What it asks for; nobody knows in whose tenant the service is, and foreign targets are held."""
    asked: dict[str, Any] = {"tenancy": Tenancy.UNKNOWN, "publishes_foreign_targets": False, **changes}
    return wishes(seen, hubs=hubs, catalogue=catalogue("public"), networks=PRIVATE, own_names=entries, **asked)


def written(wish: Wishes) -> list[tuple[str, list[str]]]:
    return [(str(want.key), [str(address) for address in want.addresses]) for want in wish.wants]


def told(wish: Wishes) -> list[tuple[HeldReason, str]]:
    return [(held.reason, held.name) for held in wish.held]


# Without an entry.


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(SERVICE, id="a service of one's own"),
        pytest.param(BY_ALIAS, id="a partner's, by its alias"),
        pytest.param({"target": None, "target_text": ""}, id="no target at all"),
        pytest.param({"target": None, "target_text": "not an alias"}, id="what is no target"),
    ],
)
@pytest.mark.parametrize("tenancy", Tenancy)
def test_a_service_without_an_entry_has_no_names(changes: dict[str, Any], tenancy: Tenancy) -> None:
    entry = gives(FQDN, to=f"{RESOURCES}/Microsoft.Network/privateLinkServices/another")
    wish = wished(service(**changes), entry, tenancy=tenancy)
    assert (wish.wants, told(wish)) == ((), [(HeldReason.NO_NAMES, "")])
    assert "records.names gives it none" in wish.held[0].detail
    assert not wish.held[0].waits


def test_an_application_gateway_is_called_what_an_entry_says() -> None:
    """Its endpoints have a group, the frontend's name, and interfaces that show no names."""
    gateway = target("Microsoft.Network/applicationGateways", "agw-shop")
    seen = service(**gateway, groups=("appGwPublicFrontend",))
    assert told(wished(seen)) == [(HeldReason.NO_NAMES, "")]
    assert written(wished(seen, gives(FQDN, to=gateway["target_text"]))) == [(f"{FQDN} A", ["10.1.0.4"])]


def test_the_endpoint_of_a_partners_service_brings_no_names() -> None:
    wish = wished(to_endpoint(document("15_pls_manual_approved_empty_dns"), []))
    assert told(wish) == [(HeldReason.NO_NAMES, "")]


@pytest.mark.parametrize("fqdn", ["login.contoso.com", "victim.blob.core.windows.net", "orders.svc.contoso.com"])
@pytest.mark.parametrize("source", NameSource)
def test_what_a_service_claims_without_an_entry_is_not_allowed(fqdn: str, source: NameSource) -> None:
    """Its owner writes `fqdns` as he likes (behaviour reference section 4.1)."""
    wish = wished(service(name(fqdn, source=source)), publishes_foreign_targets=True, tenancy=Tenancy.OURS)
    assert wish.wants == ()
    assert told(wish) == [(HeldReason.NO_NAMES, ""), (HeldReason.NAME_NOT_ALLOWED, fqdn)]


def test_entries_say_nothing_of_targets_that_bring_names() -> None:
    """`records.names` has no room for their ids, and would not be asked."""
    wish = wished(endpoint(names=()), gives(FQDN), tenancy=Tenancy.OURS)
    assert told(wish) == [(HeldReason.NOT_READY, "")]


# Names that are given outright.


@pytest.mark.parametrize(
    ("to", "changes"),
    [
        pytest.param(SERVICE["target_text"].upper(), SERVICE, id="by id"),
        pytest.param(SERVICE["target_text"].replace("pls-orders", "pls-*"), SERVICE, id="by glob"),
        pytest.param(ALIAS, BY_ALIAS, id="by alias"),
    ],
)
@pytest.mark.parametrize("tenancy", Tenancy)
def test_a_name_that_is_given_outright_has_all_addresses_of_the_interface(
    to: str, changes: dict[str, Any], tenancy: Tenancy
) -> None:
    """An entry names the target itself, so that it counts whoever's that is."""
    seen = service(held=("10.1.0.5", "10.1.0.4", "fd00::4"), **changes)
    wish = wished(seen, gives(FQDN, to=to), tenancy=tenancy)
    assert written(wish) == [(f"{FQDN} A", ["10.1.0.4", "10.1.0.5"]), (f"{FQDN} AAAA", ["fd00::4"])]
    assert {want.fqdn for want in wish.wants} == {FQDN}
    assert wish.held == ()


@pytest.mark.parametrize(
    ("fqdn", "record_name"),
    [
        pytest.param(ZONE, "@", id="the zone itself"),
        pytest.param(f"a.b.{ZONE}", "a.b", id="two labels"),
        pytest.param(f"*.{ZONE}", "*", id="a wildcard, for it is the owner's word"),
    ],
)
def test_an_owner_may_give_any_name_of_the_zone(fqdn: str, record_name: str) -> None:
    [want] = wished(service(), gives(fqdn)).wants
    assert (want.key.name, want.key.zone.name) == (record_name, ZONE)


def test_several_entries_for_one_service_each_give_a_name() -> None:
    wish = wished(service(), gives(FQDN), gives(f"billing.{ZONE}"), gives(FQDN))
    assert [text for text, _ in written(wish)] == [f"{FQDN} A", f"billing.{ZONE} A"]


def test_of_two_zones_that_are_given_the_most_specific_one_that_exists_holds_the_record() -> None:
    entries = (gives(FQDN, zone="contoso.com"), gives(FQDN))
    for zones, place in ((("contoso.com", ZONE), ZONE), (("contoso.com",), "contoso.com")):
        [want] = wished(service(), *entries, hubs=[hub(*zones)]).wants
        assert (want.key.fqdn, want.key.zone.name) == (FQDN, place)


def test_a_zone_of_ones_own_that_is_missing_is_not_one_to_make() -> None:
    wish = wished(service(), gives(FQDN), hubs=[hub()])
    assert told(wish) == [(HeldReason.NO_ZONE, FQDN)]
    assert wish.held[0].missing == MissingZone("weu", DnsName(ZONE), creatable=False)


@pytest.mark.parametrize(
    ("held", "reason"),
    [
        pytest.param((), HeldReason.NOT_READY, id="no address yet"),
        pytest.param(("10.1.0.4", "8.8.8.8"), HeldReason.NAME_NOT_ALLOWED, id="one outside records.addresses"),
    ],
)
def test_the_interfaces_addresses_are_checked_as_any(held: Sequence[str], reason: HeldReason) -> None:
    wish = wished(service(held=held), gives(FQDN))
    assert (wish.wants, told(wish)) == ((), [(reason, FQDN)])


@pytest.mark.parametrize("changes", [{"settled": False}, {"status": ConnectionStatus.PENDING}])
def test_an_endpoint_that_is_not_ready_or_not_approved_gets_no_name_by_an_entry_either(changes: dict[str, Any]) -> None:
    wish = wished(service(**changes), gives(FQDN))
    assert (wish.wants, [held.name for held in wish.held]) == ((), [""])


def test_a_hub_that_does_not_publish_the_endpoint_gets_no_name_of_its_service() -> None:
    wish = wished(service(), gives(FQDN), hubs=[hub(ZONE, locations=("northeurope",))])
    assert told(wish) == [(HeldReason.NO_HUB, "")]


# Suffixes for what a service calls itself.


@pytest.mark.parametrize("source", NameSource)
def test_what_a_service_claims_counts_under_the_suffix_that_is_given_to_it(source: NameSource) -> None:
    """Whether `fqdns` reach the interface or only the endpoint is unverified (behaviour reference section 2.3)."""
    seen = service(name("Orders.svc.contoso.com.", "10.1.0.4", source=source), held=("10.1.0.4", "10.1.0.5"))
    wish = wished(seen, gives(suffix=ZONE))
    assert written(wish) == [(f"{FQDN} A", ["10.1.0.4"])], "with the addresses that it has there"
    assert ([want.fqdn for want in wish.wants], wish.held) == ([FQDN], ())


@pytest.mark.parametrize(
    "fqdn",
    [
        pytest.param("login.contoso.com", id="above it"),
        pytest.param("orders.xsvc.contoso.com", id="ends alike within a label"),
        pytest.param("svc.contoso.com", id="the suffix itself"),
        pytest.param("*.svc.contoso.com", id="a wildcard under it"),
        pytest.param("*.a.svc.contoso.com", id="a wildcard further down"),
        pytest.param("svc.contoso.com.evil.com", id="the suffix inside"),
        pytest.param("victim.blob.core.windows.net", id="a name of the catalogue"),
        pytest.param("\u043ea.svc.contoso.com", id="unicode"),
        pytest.param(f"{'o' * 64}.svc.contoso.com", id="label too long"),
        pytest.param("x" * 70_000, id="far too long"),
    ],
)
def test_what_a_service_claims_beyond_its_suffix_is_not_allowed(fqdn: str) -> None:
    wish = wished(service(name(FQDN), name(fqdn)), gives(suffix=ZONE))
    assert [text for text, _ in written(wish)] == [f"{FQDN} A"]
    assert told(wish) == [(HeldReason.NAME_NOT_ALLOWED, fqdn[:253])]
    assert len(wish.held[0].detail) < 400


@pytest.mark.parametrize("shown", [("10.1.0.9",), ("8.8.8.8",)])
def test_an_address_that_the_interface_does_not_hold_or_may_not_is_not_published(shown: Sequence[str]) -> None:
    wish = wished(service(name(FQDN, *shown), held=("8.8.8.8", "10.1.0.4")), gives(suffix=ZONE))
    assert (wish.wants, told(wish)) == ((), [(HeldReason.NAME_NOT_ALLOWED, FQDN)])


def test_a_name_that_is_both_given_and_claimed_is_the_owners_word() -> None:
    seen = service(name(FQDN, "10.1.0.4"), held=("10.1.0.4", "10.1.0.5"))
    wish = wished(seen, gives(FQDN))
    assert written(wish) == [(f"{FQDN} A", ["10.1.0.4", "10.1.0.5"])]
    assert wish.held == ()


def test_a_service_with_a_suffix_that_shows_no_names_has_none_yet() -> None:
    wish = wished(service(), gives(suffix=ZONE))
    assert told(wish) == [(HeldReason.NO_NAMES, "")]
    assert wish.held[0].waits


def test_a_suffix_of_one_service_says_nothing_of_another() -> None:
    other = gives(suffix=ZONE, to=f"{RESOURCES}/Microsoft.Network/privateLinkServices/another")
    wish = wished(service(name(FQDN)), other)
    assert told(wish) == [(HeldReason.NO_NAMES, ""), (HeldReason.NAME_NOT_ALLOWED, FQDN)]


# Law 14: what an owner gave and takes back is not withdrawn by itself.

IN_ZONE = key("orders", in_zone=ZONE)


@pytest.mark.parametrize(
    "names", [pytest.param((), id="no names"), pytest.param((name("a.partner.example"),), id="others")]
)
def test_an_entry_that_went_withdraws_nothing(names: Sequence[EndpointName]) -> None:
    """Azure never shows an owner's word, so what it shows proves nothing about that."""
    party = Party(service(*names), leftovers=(claim(key=IN_ZONE, fqdn=FQDN),), held_names=wished(service(*names)).held)
    plan = plan_records([party], {IN_ZONE: record(key=IN_ZONE, owner=owner())}, RULES)
    assert plan.changes == ()
    assert [(held.reason, held.key) for held in plan.held] == [(HeldReason.NO_LONGER_COVERED, IN_ZONE)]


def test_a_name_whose_endpoint_was_rejected_is_withdrawn_all_the_same() -> None:
    party = Party(service(status=ConnectionStatus.REJECTED), leftovers=(claim(key=IN_ZONE, fqdn=FQDN),))
    plan = plan_records([party], {IN_ZONE: record(key=IN_ZONE)}, RULES)
    assert [type(change) for change in plan.changes] == [Drop]


def test_two_services_that_are_given_one_name_contest_it() -> None:
    one = service()
    entry = gives(FQDN, to=SERVICE["target_text"].replace("pls-orders", "*"))
    other = service(
        id=type(one.id).parse(f"{one.id}-2"), guid="", **target("Microsoft.Network/privateLinkServices", "pls-2")
    )
    parties = [Party(each, wants=wished(each, entry).wants) for each in (one, other)]
    plan = plan_records(parties, {IN_ZONE: None}, RULES)
    assert [change.endpoint for change in plan.changes] == [one.id]
    assert [(held.reason, held.endpoint) for held in plan.held] == [(HeldReason.CONTESTED, other.id)]
    assert [held.key for held in plan.held] == [IN_ZONE]


claims = st.text(max_size=300) | st.from_regex(
    r"[a-z0-9*.-]{0,40}(\.svc\.contoso\.com|\.contoso\.com)?\.?", fullmatch=True
)


@given(st.lists(claims, max_size=8), st.booleans())
def test_whatever_a_service_claims_it_gets_nothing_beyond_its_suffix(fqdns: list[str], granted: bool) -> None:
    entries = [gives(suffix=ZONE)] if granted else []
    wish = wished(service(*(name(fqdn) for fqdn in fqdns)), *entries, hubs=[hub(ZONE, "contoso.com")])
    assert all(want.key.fqdn.endswith(f".{ZONE}") and want.key.name[0] != "*" for want in wish.wants)
    assert granted or wish.wants == ()
