"""The networks that an API key may be used from."""

import ipaddress

from routines.values import addresses

MOST = 50


class BadNetworks(ValueError):
    """`str()` is a sentence for the person."""


def read(typed: str) -> list[str]:
    """Of addresses and networks, separated by blanks, commas or lines. Raise BadNetworks."""
    found: list[str] = []
    for word in typed.replace(",", " ").split():
        try:
            network = str(addresses.as_ipv4(ipaddress.ip_network(word, strict=False)))
        except ValueError:
            raise BadNetworks(
                f"“{word[:60]}” is no address or network. Write it like 192.0.2.7 or 192.0.2.0/24."
            ) from None
        if network not in found:
            found.append(network)
    if len(found) > MOST:
        raise BadNetworks(f"These are {len(found)} networks, of at most {MOST}. Join some.")
    return found


def contain(networks: list[str], address: str | None) -> bool:
    """Whether the address lies in one of them; if there are none, any does."""
    if not networks:
        return True
    if address is None:
        return False
    return addresses.is_in(address, map(ipaddress.ip_network, networks))
