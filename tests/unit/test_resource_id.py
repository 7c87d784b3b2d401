"""ResourceId: what it reads, what it refuses, and that equal ids are equal however they are spelt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubwarden.errors import InputError
from hubwarden.model.resource_id import LONGEST, ResourceId, fold
from tests.unit.strategies import resource_id_texts, resource_ids, respelt

SUBSCRIPTION = "/subscriptions/11111111-1111-4111-8111-111111111111"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-dns"
ZONE = f"{GROUP}/providers/Microsoft.Network/privateDnsZones/contoso.com"
RECORD = f"{ZONE}/A/orders"


@pytest.mark.parametrize(
    ("text", "group", "resource_type", "name"),
    [
        pytest.param(SUBSCRIPTION, "", "", "11111111-1111-4111-8111-111111111111", id="subscription"),
        pytest.param(GROUP, "rg-dns", "", "rg-dns", id="resource group"),
        pytest.param(ZONE, "rg-dns", "Microsoft.Network/privateDnsZones", "contoso.com", id="resource"),
        pytest.param(RECORD, "rg-dns", "Microsoft.Network/privateDnsZones/A", "orders", id="child resource"),
        pytest.param(
            f"{SUBSCRIPTION}/providers/Microsoft.Insights/components/x",
            "",
            "Microsoft.Insights/components",
            "x",
            id="resource of a subscription",
        ),
        pytest.param(f"{ZONE}/", "rg-dns", "Microsoft.Network/privateDnsZones", "contoso.com", id="final slash"),
        pytest.param(
            ZONE.replace("rg-dns", "caf\u00e9_(1)"),
            "caf\u00e9_(1)",
            "Microsoft.Network/privateDnsZones",
            "contoso.com",
            id="group in another script",
        ),
        pytest.param(
            ZONE.replace("rg-dns", "rg-\u0e17\u0e35\u0e48"),
            "rg-\u0e17\u0e35\u0e48",
            "Microsoft.Network/privateDnsZones",
            "contoso.com",
            id="group with marks among its letters",
        ),
    ],
)
def test_an_id_tells_its_parts(text: str, group: str, resource_type: str, name: str) -> None:
    parsed = ResourceId.parse(text)
    assert parsed.subscription == "11111111-1111-4111-8111-111111111111"
    assert (parsed.group, parsed.type, parsed.name) == (group, resource_type, name)
    assert str(parsed) == text.removesuffix("/")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("/", id="a slash"),
        pytest.param("subscriptions/11111111-1111-4111-8111-111111111111", id="relative"),
        pytest.param(f"https://management.azure.com{ZONE}", id="a URL"),
        pytest.param("/subscriptions", id="no subscription"),
        pytest.param("/subscriptions/", id="empty subscription"),
        pytest.param("/subscriptions/contoso", id="subscription by name"),
        pytest.param("/subscriptions/11111111-1111-4111-8111-1111111111111", id="a digit too many"),
        pytest.param("/tenants/11111111-1111-4111-8111-111111111111", id="another scope"),
        pytest.param("/providers/Microsoft.Management/managementGroups/corp", id="management group"),
        pytest.param(f"{SUBSCRIPTION}/resourceGroups", id="no group"),
        pytest.param(f"{SUBSCRIPTION}/resourceGroups/", id="empty group"),
        pytest.param(f"{SUBSCRIPTION}/resourceGroups/..", id="group is .."),
        pytest.param(f"{SUBSCRIPTION}/resourceGroups/rg.", id="group ends with a dot"),
        pytest.param(f"{SUBSCRIPTION}/resourceGroups/{'g' * 91}", id="group too long"),
        pytest.param(f"{SUBSCRIPTION}/resourceGroups/a b", id="group with a space"),
        pytest.param(f"{SUBSCRIPTION}/groups/rg", id="another word for group"),
        pytest.param(f"{GROUP}/provider/Microsoft.Network/privateDnsZones/x", id="another word for providers"),
        pytest.param(f"{GROUP}/providers", id="no provider"),
        pytest.param(f"{GROUP}/providers/Microsoft.Network", id="no type"),
        pytest.param(f"{GROUP}/providers/Microsoft.Network/privateDnsZones", id="no name"),
        pytest.param(f"{GROUP}/providers/Micro soft/privateDnsZones/x", id="provider with a space"),
        pytest.param(f"{GROUP}/providers/Microsoft.Network/private-Dns/x", id="type with a hyphen"),
        pytest.param(f"{ZONE}/A", id="child without a name"),
        pytest.param(f"{ZONE}//", id="two final slashes"),
        pytest.param(f"{GROUP}//providers/Microsoft.Network/privateDnsZones/x", id="empty part"),
        pytest.param(f"{GROUP}/providers/Microsoft.Network/privateDnsZones/.", id="name is ."),
        pytest.param(f"{GROUP}/providers/Microsoft.Network/privateDnsZones/..", id="name is .."),
        pytest.param(f"{GROUP}/providers/Microsoft.Network/privateDnsZones/../virtualNetworks/x", id="traversal"),
        pytest.param(f"{GROUP}/providers/Microsoft.Network/privateDnsZones/a%2f..%2fb", id="encoded traversal"),
        pytest.param(f"{GROUP}/providers/Microsoft.Network/privateDnsZones/a\\b", id="backslash"),
        pytest.param(f"{ZONE}?api-version=2024-06-01", id="query"),
        pytest.param(f"{ZONE}#x", id="fragment"),
        pytest.param(f"{ZONE}\n", id="line end"),
        pytest.param(f"{ZONE}\x00", id="NUL"),
        pytest.param(f"{ZONE}\t", id="tab"),
        pytest.param(f"{ZONE}\x85", id="another line end"),
        pytest.param(f"{ZONE}\u2028x", id="a line separator"),
        pytest.param(f"{ZONE}\u202ex", id="text direction"),
        pytest.param(f"{ZONE}\u200bx", id="a space of no width"),
        pytest.param(f"{ZONE}\u00a0x", id="a space that does not break"),
        pytest.param(f"{ZONE}\ud800", id="half a character"),
        pytest.param(ZONE.replace("rg-dns", "rg-\ud800"), id="half a character in the group"),
        pytest.param(f"{ZONE}'; drop", id="quote"),
        pytest.param(f"{ZONE}<script>", id="angle bracket"),
        pytest.param(ZONE.replace("subscriptions", "\u017fubscriptions"), id="a letter that only folds to s"),
        pytest.param(f"{GROUP}/providers/Microsoft.Network/privateDnsZones/{'x' * 261}", id="name too long"),
        pytest.param(ZONE + "/A/x" * 600, id="id too long"),
        pytest.param(f"{ZONE}{'x' * 100_000}", id="100 kB"),
        pytest.param("/" * 100_000, id="100 kB of slashes"),
        pytest.param(None, id="None"),
        pytest.param(5, id="a number"),
        pytest.param([ZONE], id="a list"),
        pytest.param(ZONE.encode(), id="bytes"),
    ],
)
def test_what_is_no_id_is_refused(text: object) -> None:
    with pytest.raises(InputError) as refused:
        ResourceId.parse(text)
    assert len(str(refused.value)) < 400


def test_the_longest_id_is_read_and_one_character_more_is_not() -> None:
    longest = GROUP + "/providers/Microsoft.Network/a/" + "/".join(["x" * 200, "b"] * 9) + "/"
    longest += "y" * (LONGEST - len(longest))
    assert len(str(ResourceId.parse(longest))) == LONGEST
    with pytest.raises(InputError, match="at most 2048"):
        ResourceId.parse(longest + "y")


@given(resource_id_texts())
def test_an_id_is_read_back_as_it_was_spelt(text: str) -> None:
    parsed = ResourceId.parse(text)
    assert str(parsed) == text
    assert ResourceId.parse(parsed.key) == parsed


@given(resource_id_texts(), st.data())
def test_ids_are_equal_however_their_letters_are_cased(text: str, data: st.DataObject) -> None:
    one, other = ResourceId.parse(text), ResourceId.parse(data.draw(respelt(text)))
    assert one == other
    assert hash(one) == hash(other)
    assert one.key == other.key
    assert not one < other


@given(resource_ids, resource_ids)
def test_different_ids_are_not_equal_and_one_comes_first(one: ResourceId, other: ResourceId) -> None:
    assert (one == other) == (fold(str(one)) == fold(str(other)))
    assert (one < other) + (other < one) + (one == other) == 1


@given(st.text() | st.builds("/subscriptions/{}".format, st.text()) | st.builds((GROUP + "/{}").format, st.text()))
def test_any_text_is_an_id_or_refused_as_none(text: str) -> None:
    try:
        parsed = ResourceId.parse(text)
    except InputError:
        return
    assert ".." not in str(parsed).split("/")
    assert str(parsed).isprintable()
    assert fold(str(parsed)) == parsed.key


@given(resource_id_texts().filter(lambda text: "/providers/" in text))
def test_the_parent_of_what_lies_beneath_a_resource_is_the_resource(text: str) -> None:
    beneath = ResourceId.parse(f"{text}/things/x")
    assert (beneath.name, beneath.parent) == ("x", ResourceId.parse(text))


def test_parents_end_at_the_subscription() -> None:
    line = [ResourceId.parse(RECORD)]
    while line[-1].parent != line[-1]:
        line.append(line[-1].parent)
    assert [str(each) for each in line] == [RECORD, ZONE, GROUP, SUBSCRIPTION]


def test_a_type_is_compared_without_case() -> None:
    assert ResourceId.parse(ZONE).is_a("microsoft.network/PRIVATEDNSZONES")
    assert not ResourceId.parse(RECORD).is_a("Microsoft.Network/privateDnsZones")
    assert not ResourceId.parse(GROUP).is_a("Microsoft.Network/privateDnsZones")


def test_an_id_equals_nothing_but_an_id() -> None:
    assert ResourceId.parse(ZONE) != ZONE


def test_only_ascii_letters_fold() -> None:
    assert fold("AZ-\u0130\u212a") == "az-\u0130\u212a"
    one, other = (ResourceId.parse(f"{GROUP}/providers/A.B/c/{name}") for name in ("K", "\u212a"))
    assert one != other
