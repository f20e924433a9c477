"""What names a session, and which session URLs become links.

A session is written `session_X` and `cse_X`: both, as an ID or in an address, are the same one. A
URL that is no address of a session is kept, and shown as text with a warning.
"""

import re

NAME = r"(?:session|cse)_[A-Za-z0-9_-]{1,190}"
# Documented: https://claude.ai/code/session_.... The host is followed by a slash at once, so no
# user-info, port or look-alike host fits; no space, control character or backslash either.
ADDRESS = rf"https://claude\.ai/code/({NAME})"

_NAME = re.compile(NAME, re.ASCII)
_SAFE = re.compile(rf"{ADDRESS}/?(?:[?#][A-Za-z0-9._~/?=&%+#-]*)?", re.ASCII)


def is_safe(url: str) -> bool:
    return _SAFE.fullmatch(url) is not None


def link(url: str) -> str:
    """The URL if it may be a link, else empty."""
    return url if is_safe(url) else ""


def is_name(session_id: str) -> bool:
    return _NAME.fullmatch(session_id) is not None


def name_in(url: str) -> str:
    """The session that this address is of, as it is written there; empty if it is of none."""
    found = _SAFE.fullmatch(url)
    return found.group(1) if found else ""


def address(name: str) -> str:
    return f"https://claude.ai/code/{name}"


def normal(session_id: str) -> str:
    """The one spelling of both: as models/run.py has the database compare them."""
    return session_id.replace("cse_", "session_")
