"""Which session URLs become links. Any other is kept, and shown as text with a warning."""

import re

# Documented: https://claude.ai/code/session_.... The host is followed by a slash at once, so no
# user-info, port or look-alike host fits; no space, control character or backslash either.
_SAFE = re.compile(r"https://claude\.ai/[A-Za-z0-9._~/?=&%+#-]*", re.ASCII)


def is_safe(url: str) -> bool:
    return _SAFE.fullmatch(url) is not None


def link(url: str) -> str:
    """The URL if it may be a link, else empty."""
    return url if is_safe(url) else ""
