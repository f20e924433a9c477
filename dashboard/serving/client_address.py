"""From where a request comes, for the audit trail and for counting passwords: the proxy says it.

Whoever asks may write anything into X-Forwarded-For. A proxy that sets the header throws that away;
one that adds to it puts whom it was asked by on the right. So it is read from the right, past the
proxies that are trusted, and what stands further left is never looked at. A proxy that does neither
hands through what the visitor wrote, which no program can tell from its own word: so a request on
which the header is missing, as browsers send none, is warned of. docs/proxies/ has what to set.
"""

import ipaddress
import logging
import threading
from collections.abc import Iterable, Iterator

from django.conf import settings
from django.http import HttpRequest

from routines.values import addresses

logger = logging.getLogger(__name__)

_HEADER = "X-Forwarded-For"
APPENDED = (
    "A proxy adds to the X-Forwarded-For that visitors send. It must set the header instead, or "
    "FORWARDED_ALLOW_IPS must name all proxies on the way: see docs/proxies/. Until then the last "
    "address in it that is no trusted proxy counts as the visitor's."
)
MISSING = (
    "The proxy in front sets no X-Forwarded-For. Visitors share its address, or choose one by "
    "sending that header themselves: let the proxy set it, see docs/proxies/."
)
warned: set[str] = set()
_warning = threading.Lock()


def of(request: HttpRequest) -> str | None:
    """The client's IP address; None if it cannot be known."""
    nearest = request.META.get("REMOTE_ADDR", "")
    if not is_believed(nearest):
        return addresses.read(nearest)
    hops = _hops(request)
    while hops:
        hop = hops.pop()
        if addresses.read(hop) is None:
            break
        nearest = hop
        if not _is_proxy_on_the_way(hop):
            break
    return addresses.read(nearest)


def warn_of_proxy(request: HttpRequest) -> None:
    """Once for each process and mistake: what the proxy does with X-Forwarded-For."""
    if not is_believed(request.META.get("REMOTE_ADDR", "")):
        return
    hops = _hops(request)
    if not hops:
        # Whoever says which protocol was used is a proxy, not a probe that asks us straight.
        if "X-Forwarded-Proto" in request.headers:
            _warn_once(MISSING)
        return
    while len(hops) > 1 and _is_proxy_on_the_way(hops[-1]):
        hops.pop()
    if len(hops) > 1:
        _warn_once(APPENDED)


def _hops(request: HttpRequest) -> list[str]:
    said = request.headers.get(_HEADER, "").split(",")
    return [hop.strip() for hop in said if hop.strip()]


def _warn_once(sentence: str) -> None:
    with _warning:
        if sentence in warned:
            return
        warned.add(sentence)
    logger.warning(sentence)


def is_believed(address: str) -> bool:
    """Whether what a connection from there says of others is believed."""
    if not address:
        return True  # a Unix socket: only a proxy on this machine is connected to it
    return None in settings.TRUSTED_PROXIES or _is_proxy_on_the_way(address)


def _is_proxy_on_the_way(address: str) -> bool:
    """`*` (None) believes whoever connects. It does not make a proxy of every address that stands
    in the header, or the visitor's own would be passed by for what the visitor wrote."""
    return addresses.is_in(
        address, [network for network in settings.TRUSTED_PROXIES if network is not None]
    )


def spelled_out(networks: Iterable[addresses.Network | None]) -> Iterator[str]:
    """For gunicorn, which compares to the letter: those of IPv4 in both of their forms."""
    for network in networks:
        if network is None:
            yield "*"
            continue
        yield str(network)
        if isinstance(network, ipaddress.IPv4Network):
            yield f"::ffff:{network.network_address}/{network.prefixlen + addresses.MAPPED_BITS}"
