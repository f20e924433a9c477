"""Counting what an address tries: how often in how many seconds.

Two ways. A Limit is counted in the database's cache table, by all processes and hosts together: for
what can be guessed. A Tally is counted in the memory of its process and costs no query: for what
cannot be guessed, where the count bounds our own work alone.
"""

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from dashboard.serving import client_address

_IPV6_NETWORK = 64  # bits: one customer's, who has all addresses in it


@dataclass(frozen=True)
class Limit:
    """So many tries in so many seconds, for each `key`.

    Each try takes one of `tries` numbered places, which is free again after `seconds`. Taking one
    is a single insert of a row that must not be there yet, so two processes never share a place and
    nothing has to be locked.
    """

    name: str
    tries: int
    seconds: int
    held_up: str = ""  # a sentence for who is

    def take(self, key: str) -> str | None:
        """The place in the cache that this try has taken; None if none was free."""
        base = f"{self.name}:{salted_hmac(self.name, key, algorithm='sha256').hexdigest()}"
        places = [f"{base}:{number}" for number in range(self.tries)]
        taken = cache.get_many(places)
        free = (place for place in places if place not in taken)
        return next((place for place in free if cache.add(place, True, self.seconds)), None)


class Tally:
    """So many tries in each span of `seconds`, for each key; `most_keys` are remembered.

    The key that has tried least lately is forgotten first: forgotten, it starts anew.
    """

    def __init__(self, *, tries: int, seconds: float, most_keys: int = 10_000) -> None:
        self._tries, self._seconds, self._most_keys = tries, seconds, most_keys
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()  # begin, tries since
        self._lock = threading.Lock()

    def note(self, key: str) -> int:
        """Count one more. Return in how many seconds it may try again; 0: it still may."""
        now = time.monotonic()
        with self._lock:
            began, tries = self._counts.pop(key, (now, 0))
            if now - began >= self._seconds:
                began, tries = now, 0
            tries += 1
            self._counts[key] = began, tries
            while len(self._counts) > self._most_keys:
                self._counts.popitem(last=False)
        return math.ceil(began + self._seconds - now) if tries > self._tries else 0

    def forget(self) -> None:
        with self._lock:
            self._counts.clear()


def address_of(request: HttpRequest) -> str:
    """The client's address as it is counted: of IPv6, the network."""
    address = client_address.of(request) or ""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network(f"{address}/{_IPV6_NETWORK}", strict=False).network_address)
