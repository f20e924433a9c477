"""How long a caller wants to wait for the outcome: the header Prefer (RFC 7240).

`wait=N`: for N seconds at most, also beside `respond-async`. `respond-async` alone: not at all.
What else stands there is no business of ours, as the RFC says.
"""

import re

from django.conf import settings
from django.http import HttpRequest

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_WAIT = re.compile(r"wait\s*=\s*([0-9]{1,18})", re.ASCII | re.IGNORECASE)
_ASYNC = re.compile(r"respond-async(\s*=\s*)?", re.ASCII | re.IGNORECASE)


def wait_of(request: HttpRequest) -> float | None:
    """Seconds; 0: not at all. None: it does not say."""
    preferences = _preferences(request.headers.get("Prefer", ""))
    for one in preferences:
        found = _WAIT.fullmatch(one)
        if found:
            return float(found[1])
    return 0.0 if any(map(_ASYNC.fullmatch, preferences)) else None


def applied(wait: float | None) -> str | None:
    """What the answer says of it in Preference-Applied; nobody waits for longer than a fire may
    take."""
    if wait is None:
        return None
    return f"wait={min(round(wait), settings.FIRE_TIMEOUT)}" if wait else "respond-async"


def _preferences(header: str) -> list[str]:
    """Without their parameters; what is quoted is one word, whatever stands in it."""
    bare = _QUOTED.sub(lambda found: found[1] if found[1].isalnum() else "", header)
    return [one.partition(";")[0].strip() for one in bare.split(",")]
