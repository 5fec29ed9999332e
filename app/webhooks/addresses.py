"""Where a webhook may lead: to the outside, and to the networks that the operator names."""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
NAT64 = ip_network("64:ff9b::/96")


class AddressRefused(Exception):
    """A webhook's host has an address that is none of the outside."""


async def resolved(host: str, port: int, networks: Sequence[Network]) -> tuple[Address, bool]:
    """The address to connect to, and whether it lies in one of the operator's own networks.

    All addresses of the name are looked at: a name with one address inside is refused, whichever would be tried first.
    Whoever connects has to use this very address, since a second look-up may answer another. Raises AddressRefused,
    OSError where there is no such host.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [ip_address(str(sockaddr[0]).partition("%")[0]) for *_, sockaddr in found]
    inside = [any(embedded(address) in network for network in networks) for address in addresses]
    for address, allowed in zip(addresses, inside, strict=True):
        if not allowed and not is_outside(address):
            raise AddressRefused(f"{host} is at {address}, which is no public address.")
    return addresses[0], inside[0]


def is_outside(address: Address) -> bool:
    """Whether it is an address of the public Internet, be it one written inside another."""
    real = embedded(address)
    return real.is_global and not real.is_multicast


def embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)
