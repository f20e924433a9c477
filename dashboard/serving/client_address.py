"""From where a request comes, for the audit trail: behind a proxy, the proxy says it."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def of(request: HttpRequest) -> str | None:
    """The client's IP address; None if it cannot be known.

    Whoever asks may write anything into X-Forwarded-For, and each proxy adds on the right whom it
    was asked by: so it is read from the right, past the proxies that are trusted.
    """
    nearest = request.META.get("REMOTE_ADDR", "")
    if not is_trusted_proxy(nearest):
        return _address(nearest)
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]
    for hop in reversed(hops):
        if _address(hop) is None:
            break
        nearest = hop
        if not is_trusted_proxy(hop):
            break
    return _address(nearest)


def is_trusted_proxy(address: str) -> bool:
    if not address:
        return True  # a Unix socket: only a proxy on this machine is connected to it
    known = _address(address)
    return known is not None and any(
        network is None or ipaddress.ip_address(known) in network
        for network in settings.TRUSTED_PROXIES
    )


def _address(text: str) -> str | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return str(address.ipv4_mapped or ipaddress.IPv6Address(int(address)))
    return str(address)
