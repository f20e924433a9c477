"""How long a caller wants to wait for the outcome: the header Prefer (RFC 7240)."""

import re

from django.http import HttpRequest

_WAIT = re.compile(r'wait\s*=\s*"?(\d{1,6})"?', re.ASCII | re.IGNORECASE)


def wait_of(request: HttpRequest) -> float | None:
    """Seconds; 0: not at all (respond-async). None: it does not say."""
    preferred = [one.strip() for one in request.headers.get("Prefer", "").split(",")]
    if any(one.lower() == "respond-async" for one in preferred):
        return 0.0
    for one in preferred:
        found = _WAIT.fullmatch(one)
        if found:
            return float(found.group(1))
    return None
