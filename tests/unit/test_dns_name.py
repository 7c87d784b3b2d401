"""DnsName: what it reads, what it refuses, and that neither case nor the final dot ever matters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubwarden.errors import InputError
from hubwarden.model.dns_name import APEX, DnsName
from tests.unit.strategies import dns_names, respelt


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        pytest.param("orders.blob.core.windows.net", "orders.blob.core.windows.net", id="plain"),
        pytest.param("Orders.BLOB.core.windows.NET.", "orders.blob.core.windows.net", id="case and final dot"),
        pytest.param("*.inference.api.azureml.ms", "*.inference.api.azureml.ms", id="wildcard in front"),
        pytest.param("_dmarc.contoso.com", "_dmarc.contoso.com", id="underscore"),
        pytest.param("7.contoso.com", "7.contoso.com", id="digit"),
        pytest.param("net", "net", id="one label"),
        pytest.param(f"{'a' * 63}.com", f"{'a' * 63}.com", id="longest label"),
        pytest.param(".".join(["a" * 49] * 5) + ".com", ".".join(["a" * 49] * 5) + ".com", id="longest name"),
    ],
)
def test_a_name_is_kept_in_one_spelling(text: str, kept: str) -> None:
    parsed = DnsName.parse(text)
    assert str(parsed) == parsed.text == kept
    assert ".".join(parsed.labels) == kept


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param(".", id="the root"),
        pytest.param("a..b", id="empty label"),
        pytest.param(".a", id="leading dot"),
        pytest.param("a.b..", id="two final dots"),
        pytest.param("-a.com", id="leading hyphen"),
        pytest.param("a-.com", id="trailing hyphen"),
        pytest.param("a b.com", id="space"),
        pytest.param("a/b.com", id="slash"),
        pytest.param("a@b.com", id="at sign"),
        pytest.param("@", id="the apex is no name"),
        pytest.param("a.com\n", id="line end"),
        pytest.param("a\x00.com", id="NUL"),
        pytest.param("*", id="wildcard alone"),
        pytest.param("a.*.com", id="wildcard inside"),
        pytest.param("*a.com", id="wildcard in a label"),
        pytest.param("b\u00fccher.com", id="umlaut"),
        pytest.param("\u0430pple.com", id="Cyrillic a"),
        pytest.param("\u212aeyvault.com", id="Kelvin sign, which lower-cases to k"),
        pytest.param("a\u3002com", id="ideographic full stop"),
        pytest.param(f"{'a' * 64}.com", id="label too long"),
        pytest.param(".".join(["a" * 50] * 5), id="name too long"),
        pytest.param("a" * 100_000, id="100 kB"),
        pytest.param(None, id="None"),
        pytest.param(5, id="a number"),
        pytest.param(b"a.com", id="bytes"),
    ],
)
def test_what_is_no_name_is_refused(text: object) -> None:
    with pytest.raises(InputError) as refused:
        DnsName.parse(text)
    assert len(str(refused.value)) < 300


@given(dns_names, st.data(), st.booleans())
def test_neither_case_nor_the_final_dot_ever_matters(name: DnsName, data: st.DataObject, dot: bool) -> None:
    other = DnsName.parse(data.draw(respelt(name.text)) + "." * dot)
    assert other == name
    assert hash(other) == hash(name)
    assert str(other) == str(name)


@given(dns_names, dns_names)
def test_what_is_left_in_front_of_a_suffix_joins_to_the_same_name(front: DnsName, suffix: DnsName) -> None:
    whole = DnsName(f"{front}.{suffix}")
    left = whole.relative_to(suffix)
    assert left == front.text
    assert DnsName.parse(f"{left}.{suffix}") == whole


@given(dns_names, dns_names)
def test_a_name_is_relative_only_to_what_it_ends_with(name: DnsName, suffix: DnsName) -> None:
    left = name.relative_to(suffix)
    ends_so = name.labels[-len(suffix.labels) :] == suffix.labels
    assert (left is not None) == ends_so
    assert (left == APEX) == (name == suffix)


@pytest.mark.parametrize(
    ("name", "suffix", "left"),
    [
        pytest.param("a.vault.azure.net", "vault.azure.net", "a", id="one label in front"),
        pytest.param("a.scm.azurewebsites.net", "azurewebsites.net", "a.scm", id="two labels in front"),
        pytest.param("vault.azure.net", "vault.azure.net", "@", id="the suffix itself"),
        pytest.param("notvault.azure.net", "vault.azure.net", None, id="ends alike within a label"),
        pytest.param("a.vault.azure.net.evil.com", "vault.azure.net", None, id="the suffix inside"),
        pytest.param("azure.net", "vault.azure.net", None, id="shorter than the suffix"),
    ],
)
def test_suffixes_end_at_a_label(name: str, suffix: str, left: str | None) -> None:
    assert DnsName.parse(name).relative_to(DnsName.parse(suffix)) == left


@given(st.text())
def test_any_text_is_a_name_or_refused_as_none(text: str) -> None:
    try:
        parsed = DnsName.parse(text)
    except InputError:
        return
    assert DnsName.parse(parsed.text) == parsed
    assert len(parsed.text) <= 253


def test_names_sort_as_text() -> None:
    assert sorted(map(DnsName.parse, ["b.com", "A.com"])) == [DnsName("a.com"), DnsName("b.com")]
