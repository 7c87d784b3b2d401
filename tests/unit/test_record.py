"""Hubs, records and our mark on them: a mark is ours only when it is whole, of a known format, and of our instance."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubwarden.model.endpoint import PRIVATE_ENDPOINT
from hubwarden.model.hub import Hub
from hubwarden.model.record import (
    ENDPOINT_KEY,
    FORMAT_KEY,
    GUID_KEY,
    INSTANCE_KEY,
    Keeper,
    Owner,
    RecordKey,
    RecordType,
    read_maker,
    read_mark,
)
from hubwarden.model.resource_id import ResourceId
from tests.unit.given import ENDPOINT, GUID, OTHER_ENDPOINT, OTHER_GUID, TARGET, key, owner, record, zone
from tests.unit.strategies import endpoint_ids, guids

OURS = {FORMAT_KEY: "1", INSTANCE_KEY: "contoso", ENDPOINT_KEY: str(ENDPOINT), GUID_KEY: GUID}
ZONE_GROUPS = "created by private endpoint pe-orders with resource guid 95b70f74-7d34-469d-ac32-9ddc10eeed5f"
INSTANCES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", fullmatch=True)


@given(st.builds(Owner, INSTANCES, endpoint_ids, guids | st.just("")))
def test_a_mark_is_read_back_as_it_was_written(mark: Owner) -> None:
    metadata = mark.to_metadata()
    assert read_mark(metadata, auto_registered=False) == (Keeper.HUBWARDEN, mark)
    assert all(isinstance(value, str) for value in metadata.values())


def test_a_mark_is_written_under_the_names_that_live_records_have() -> None:
    assert owner().to_metadata() == {
        "hubwarden": "1",
        "hubwarden_instance": "contoso",
        "hubwarden_endpoint": str(ENDPOINT),
        "hubwarden_guid": GUID,
    }


@pytest.mark.parametrize(
    ("metadata", "keeper"),
    [
        pytest.param({}, Keeper.UNMARKED, id="nothing"),
        pytest.param({"creator": "terraform"}, Keeper.UNMARKED, id="somebody's own words"),
        pytest.param({"creator": ZONE_GROUPS}, Keeper.ZONE_GROUP, id="a zone group"),
        pytest.param({"creator": "Created By Private Endpoint"}, Keeper.ZONE_GROUP, id="a zone group, other case"),
        pytest.param({"creator": "was created by private endpoint"}, Keeper.UNMARKED, id="only by prefix"),
        pytest.param({"owner": ZONE_GROUPS}, Keeper.UNMARKED, id="only under creator"),
        pytest.param({**OURS, "creator": ZONE_GROUPS}, Keeper.HUBWARDEN, id="ours, with more beside it"),
        pytest.param({**OURS, FORMAT_KEY: "2"}, Keeper.NEWER_HUBWARDEN, id="a newer format"),
        pytest.param({**OURS, FORMAT_KEY: "01"}, Keeper.NEWER_HUBWARDEN, id="a format spelt otherwise"),
        pytest.param({**OURS, FORMAT_KEY: ""}, Keeper.NEWER_HUBWARDEN, id="an empty format"),
        pytest.param({FORMAT_KEY: "1"}, Keeper.NEWER_HUBWARDEN, id="only the format"),
        pytest.param({**OURS, INSTANCE_KEY: ""}, Keeper.NEWER_HUBWARDEN, id="an empty instance"),
        pytest.param({**OURS, ENDPOINT_KEY: "pe-orders"}, Keeper.NEWER_HUBWARDEN, id="an endpoint that is no id"),
        pytest.param({**OURS, ENDPOINT_KEY: ""}, Keeper.NEWER_HUBWARDEN, id="an empty endpoint"),
        pytest.param({**OURS, ENDPOINT_KEY: str(TARGET)}, Keeper.NEWER_HUBWARDEN, id="an id of another type"),
        pytest.param(
            {**OURS, ENDPOINT_KEY: f"{ENDPOINT}/privateDnsZoneGroups/z"}, Keeper.NEWER_HUBWARDEN, id="an id beneath one"
        ),
        pytest.param(
            {**OURS, ENDPOINT_KEY: str(ENDPOINT).replace("/resourceGroups/rg-orders", "")},
            Keeper.NEWER_HUBWARDEN,
            id="an endpoint without a resource group",
        ),
        pytest.param({**OURS, ENDPOINT_KEY: None}, Keeper.NEWER_HUBWARDEN, id="an endpoint that is null"),
        pytest.param({**OURS, GUID_KEY: ""}, Keeper.HUBWARDEN, id="an endpoint that showed no guid"),
        pytest.param({"creator": None}, Keeper.UNMARKED, id="a creator that is null"),
        pytest.param({"Hubwarden": "1"}, Keeper.UNMARKED, id="another key"),
    ],
)
def test_who_made_a_record_is_read_from_its_metadata(metadata: dict[str, Any], keeper: Keeper) -> None:
    found, mark = read_mark(metadata, auto_registered=False)
    assert found is keeper
    assert (mark is not None) == (keeper is Keeper.HUBWARDEN)


@pytest.mark.parametrize("missing", [INSTANCE_KEY, ENDPOINT_KEY, GUID_KEY])
def test_a_mark_with_a_part_missing_is_not_ours(missing: str) -> None:
    partial = {name: value for name, value in OURS.items() if name != missing}
    assert read_mark(partial, auto_registered=False) == (Keeper.NEWER_HUBWARDEN, None)


def test_an_auto_registered_record_is_never_ours_whatever_its_metadata_says() -> None:
    assert read_mark(OURS, auto_registered=True) == (Keeper.AUTO_REGISTRATION, None)


@given(
    st.dictionaries(
        st.sampled_from([*OURS, "creator", "Hubwarden", "hubwarden_instance "]) | st.text(max_size=10),
        st.sampled_from([*OURS.values(), "2", ZONE_GROUPS, "", str(TARGET)]) | st.text(max_size=20),
    ),
    st.booleans(),
)
def test_no_foreign_partial_or_newer_mark_is_ever_taken_for_ours(metadata: dict[str, str], registered: bool) -> None:
    keeper, mark = read_mark(metadata, auto_registered=registered)
    if mark is None:
        assert keeper is not Keeper.HUBWARDEN
        return
    assert keeper is Keeper.HUBWARDEN
    assert not registered
    assert metadata[FORMAT_KEY] == "1"
    assert metadata[INSTANCE_KEY] == mark.instance != ""
    assert metadata[ENDPOINT_KEY] == str(mark.endpoint)
    assert metadata[GUID_KEY] == mark.guid
    assert mark.endpoint.is_a(PRIVATE_ENDPOINT)


@pytest.mark.parametrize(
    ("mark", "endpoint", "guid", "is_for"),
    [
        pytest.param(owner(), ENDPOINT, GUID, True, id="the same"),
        pytest.param(owner(), OTHER_ENDPOINT, GUID.upper(), True, id="moved: another id, the same guid"),
        pytest.param(owner(), ENDPOINT, OTHER_GUID, True, id="made anew: the same id, another guid"),
        pytest.param(owner(), OTHER_ENDPOINT, OTHER_GUID, False, id="another endpoint"),
        pytest.param(owner(guid=""), OTHER_ENDPOINT, "", False, id="two without a guid are not the same"),
        pytest.param(owner(), ENDPOINT, "", True, id="no guid is shown, but the id is the same"),
    ],
)
def test_a_mark_names_its_endpoint_by_id_or_by_guid(mark: Owner, endpoint: ResourceId, guid: str, is_for: bool) -> None:
    assert mark.is_for(endpoint, guid) is is_for


@pytest.mark.parametrize(
    ("instance", "is_ours"), [("contoso", True), ("oldname", True), ("fabrikam", False), ("Contoso", False)]
)
def test_a_record_is_ours_by_its_instance(instance: str, is_ours: bool) -> None:
    marked = record(owner=owner(instance=instance))
    assert marked.owned_by(frozenset({"contoso", "oldname"})) is is_ours


def test_a_record_without_a_mark_is_nobody_of_ours() -> None:
    assert not record(keeper=Keeper.UNMARKED, owner=None).owned_by(frozenset({"contoso"}))


@pytest.mark.parametrize(
    ("locations", "subscriptions", "publishes"),
    [
        pytest.param((), (), True, id="no filter"),
        pytest.param(("westeurope",), (), True, id="its location"),
        pytest.param(("northeurope",), (), False, id="another location"),
        pytest.param((), ("2",), True, id="its subscription"),
        pytest.param((), ("3",), False, id="another subscription"),
        pytest.param(("westeurope",), ("3",), False, id="its location, another subscription"),
        pytest.param(("northeurope", "westeurope"), ("2", "3"), True, id="among several"),
    ],
)
def test_a_hub_publishes_what_its_filters_let_through(
    locations: tuple[str, ...], subscriptions: tuple[str, ...], publishes: bool
) -> None:
    hub = Hub("weu", (), locations=frozenset(locations), subscriptions=frozenset(subscriptions))
    assert hub.publishes(subscription="2", location="WestEurope") is publishes


def test_a_record_is_named_in_full_by_its_zone_and_the_apex_by_the_zone_alone() -> None:
    assert key("orders.scm", "privatelink.azurewebsites.net").fqdn == "orders.scm.privatelink.azurewebsites.net"
    assert str(key("@", "Svc.contoso.com", RecordType.AAAA)) == "svc.contoso.com AAAA"


def test_keys_are_equal_and_sort_however_the_zone_is_spelt() -> None:
    shouted = RecordKey(ResourceId.parse(str(zone("a.com").id).replace("rg-dns", "RG-DNS")), "x", RecordType.A)
    assert shouted == key("x", "a.com")
    assert len({shouted, key("x", "a.com")}) == 1
    assert sorted([key("x", "b.com"), key("y", "a.com"), shouted]) == [shouted, key("y", "a.com"), key("x", "b.com")]


def test_an_address_belongs_in_the_record_of_its_family() -> None:
    assert RecordType.of(ipaddress.ip_address("10.0.0.4")) is RecordType.A
    assert RecordType.of(ipaddress.ip_address("fd00::4")) is RecordType.AAAA


@pytest.mark.parametrize(
    ("creator", "maker"),
    [
        pytest.param(ZONE_GROUPS, "95b70f74-7d34-469d-ac32-9ddc10eeed5f", id="as Azure writes it"),
        pytest.param(ZONE_GROUPS.upper(), "95b70f74-7d34-469d-ac32-9ddc10eeed5f", id="in another case"),
        pytest.param("created by private endpoint", "", id="shortened by hand"),
        pytest.param("created by private endpoint pe1 with resource guid 5f0c6d2e", "", id="no guid"),
        pytest.param(f"{ZONE_GROUPS} of contoso", "", id="more behind it"),
        pytest.param(f"not {ZONE_GROUPS}", "", id="other words"),
        pytest.param(
            f"created by private endpoint with resource guid {OTHER_GUID} with resource guid {GUID}",
            GUID,
            id="an endpoint with such a name",
        ),
    ],
)
def test_the_maker_of_a_zone_groups_record_is_named_by_its_guid(creator: str, maker: str) -> None:
    """Behaviour reference section 2.4: the endpoint's name in it may be anything; the guid comes last."""
    assert read_maker({"creator": creator}) == maker
    assert read_maker({"owner": creator}) == ""
