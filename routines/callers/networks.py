"""The networks that an API key may be used from."""

import ipaddress

MOST = 50


class BadNetworks(ValueError):
    """`str()` is a sentence for the person."""


def read(typed: str) -> list[str]:
    """Of addresses and networks, separated by blanks, commas or lines. Raise BadNetworks."""
    found: list[str] = []
    for word in typed.replace(",", " ").split():
        try:
            network = str(_as_ipv4(ipaddress.ip_network(word, strict=False)))
        except ValueError:
            raise BadNetworks(
                f"“{word[:60]}” is no address or network. Write it like 192.0.2.7 or 192.0.2.0/24."
            ) from None
        if network not in found:
            found.append(network)
    if len(found) > MOST:
        raise BadNetworks(f"These are {len(found)} networks, of at most {MOST}. Join some.")
    return found


def _as_ipv4(
    network: ipaddress.IPv4Network | ipaddress.IPv6Network,
) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """As callers are looked for in it, if it is one of mapped addresses."""
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < 96:
        return network
    return ipaddress.IPv4Network((mapped, network.prefixlen - 96))


def contain(networks: list[str], address: str | None) -> bool:
    """Whether the address lies in one of them; if there are none, any does."""
    if not networks:
        return True
    if address is None:
        return False
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return any(ip in ipaddress.ip_network(network) for network in networks)
