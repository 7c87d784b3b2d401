"""What Hypothesis makes for the properties: ids, names, and what looks like them and is not."""

from __future__ import annotations

import string

from hypothesis import strategies as st

from hubwarden.model.dns_name import DnsName
from hubwarden.model.resource_id import ResourceId

_HEX = "0123456789abcdefABCDEF"

guids = st.tuples(*(st.text(_HEX, min_size=size, max_size=size) for size in (8, 4, 4, 4, 12))).map("-".join)
types = st.text(string.ascii_letters + string.digits, min_size=1, max_size=20)
providers = st.text(string.ascii_letters + string.digits + ".", min_size=1, max_size=30)
groups = st.text(string.ascii_letters + string.digits + "_-()\u00e9\u0130", min_size=1, max_size=30)
names = st.text(string.ascii_letters + string.digits + "-_.*@\u00df\u0130", min_size=1, max_size=40).filter(
    lambda text: text not in (".", "..")
)


@st.composite
def resource_id_texts(draw: st.DrawFn) -> str:
    """The id of a subscription, a resource group, or a resource at any depth, spelt as Azure might."""
    text = f"/subscriptions/{draw(guids)}"
    if draw(st.booleans()):
        text += f"/{draw(st.sampled_from(['resourceGroups', 'resourcegroups', 'RESOURCEGROUPS']))}/{draw(groups)}"
    if draw(st.booleans()):
        path = draw(st.lists(st.tuples(types, names), min_size=1, max_size=4))
        text += f"/providers/{draw(providers)}" + "".join(f"/{kind}/{name}" for kind, name in path)
    return text


resource_ids = resource_id_texts().map(ResourceId.parse)
endpoint_ids = st.builds(
    lambda subscription, group, name: ResourceId.parse(
        f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/privateEndpoints/{name}"
    ),
    guids,
    groups,
    names,
)


def _recased(text: str, flips: list[bool]) -> str:
    """Another spelling: ASCII letters of the other case wherever a flip says so."""
    return "".join(
        letter.swapcase() if letter in string.ascii_letters and flips[position % len(flips)] else letter
        for position, letter in enumerate(text)
    )


@st.composite
def respelt(draw: st.DrawFn, text: str) -> str:
    """The text with the case of some ASCII letters changed."""
    return _recased(text, draw(st.lists(st.booleans(), min_size=1, max_size=20)))


_ends = string.ascii_letters + string.digits + "_"
labels = st.builds(
    lambda first, middle, last: first + middle + last,
    st.sampled_from(_ends),
    st.text(_ends + "-", max_size=10),
    st.sampled_from(_ends),
)
dns_names = st.lists(labels, min_size=1, max_size=6).map(".".join).map(DnsName.parse)
