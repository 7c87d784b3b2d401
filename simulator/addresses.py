"""Which private addresses are taken, subnet by subnet, and which one is the next free one."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from simulator.documents import Document
from simulator.ids import key
from simulator.refusals import Refusal

INTERFACES = "Microsoft.Network/networkInterfaces"
# Azure keeps the first four addresses of a subnet and the last one for itself.
_KEPT_FIRST = 4


class Addresses:
    """The addresses that network interfaces hold."""

    def __init__(self) -> None:
        self._taken: dict[str, set[int]] = {}
        self._lowest_free: dict[str, int] = {}
        self._unknown: list[str] = []

    def replace(self, before: Document | None, after: Document | None) -> None:
        """Notes that an interface came, changed or went."""
        for subnet, address in _held(before):
            self._taken[subnet].discard(address)
            self._lowest_free[subnet] = min(address, self._lowest_free.get(subnet, address))
        for subnet, address in _held(after):
            self._taken.setdefault(subnet, set()).add(address)

    def free(self, subnet_id: str, prefix: str | None) -> Iterator[str]:
        """The free addresses of a subnet, lowest first; of a subnet nobody knows, those of a 10.x network of its own.

        Raises Refusal when there are no more.
        """
        subnet = key(subnet_id)
        network = ipaddress.IPv4Network(prefix, strict=False) if prefix else self._network_of_its_own(subnet)
        first, last = int(network.network_address) + _KEPT_FIRST, int(network.broadcast_address) - 1
        taken = self._taken.setdefault(subnet, set())
        address = max(first, self._lowest_free.get(subnet, first))
        while True:
            while address in taken:
                address += 1
            if address > last:
                message = f"Subnet {subnet_id} with address prefix {network} does not have enough capacity."
                raise Refusal("SubnetIsFull", message)
            self._lowest_free[subnet] = address
            yield str(ipaddress.IPv4Address(address))
            address += 1

    def unknown(self) -> list[str]:
        """The subnets nobody told of, in the order in which they were given networks of their own."""
        return list(self._unknown)

    def know(self, subnets: Iterable[str]) -> None:
        """Gives those subnets the networks that they had."""
        self._unknown = [key(each) for each in subnets]

    def _network_of_its_own(self, subnet: str) -> ipaddress.IPv4Network:
        if subnet not in self._unknown:
            self._unknown.append(subnet)
        return ipaddress.IPv4Network(f"10.{100 + self._unknown.index(subnet) % 156}.0.0/16")


def _held(interface: Document | None) -> Iterator[tuple[str, int]]:
    properties = (interface or {}).get("properties") or {}
    for configuration in properties.get("ipConfigurations") or []:
        held = configuration.get("properties") or {}
        address, subnet = held.get("privateIPAddress"), (held.get("subnet") or {}).get("id")
        if isinstance(address, str) and isinstance(subnet, str) and _is_ipv4(address):
            yield key(subnet), int(ipaddress.IPv4Address(address))


def _is_ipv4(address: str) -> bool:
    try:
        ipaddress.IPv4Address(address)
    except ValueError:
        return False
    return True
