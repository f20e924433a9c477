"""IP addresses and the networks that they lie in.

On a socket for both families an IPv4 address comes as ::ffff:10.0.0.7; it is 10.0.0.7, and a
network of such addresses is one of IPv4.
"""

import ipaddress
from collections.abc import Iterable
from functools import cache

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAPPED_BITS = 96  # in front of an IPv4 address that is written as one of IPv6


def read(text: str) -> str | None:
    """The address as it is compared and kept, without its zone; None: it is none."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return str(address.ipv4_mapped or ipaddress.IPv6Address(int(address)))
    return str(address)


def is_in(address: str, networks: Iterable[Network]) -> bool:
    known = read(address)
    return known is not None and any(
        ipaddress.ip_address(known) in as_ipv4(network) for network in networks
    )


@cache
def as_ipv4(network: Network) -> Network:
    mapped = network.network_address
    if not isinstance(mapped, ipaddress.IPv6Address) or not mapped.ipv4_mapped:
        return network
    if network.prefixlen < MAPPED_BITS:
        return network
    return ipaddress.ip_network(f"{mapped.ipv4_mapped}/{network.prefixlen - MAPPED_BITS}")
