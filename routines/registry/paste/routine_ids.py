"""Finding the routine ID in what an admin pasted: the bare ID, or a URL that holds it."""

import re
from urllib.parse import urlsplit

from routines.models import ROUTINE_ID
from routines.values import tokens

_IN_PATH = re.compile(rf"/(?:v1/claude_code|code)/routines/({ROUTINE_ID})(?:/fire)?/?", re.ASCII)

# As the documentation writes them: trig_01ABCDEF..., trig_01ABCDEFGHJKLMNOPQRSTUVW, trig_xxxxx.
_PLACEHOLDER = re.compile(
    r"trig_(01ABCDEF.*|[xX.…*_-]+|<.*|\{.*|\[.*|(your|my)[-_ ].*|(routine_?)?id)?",
    re.IGNORECASE | re.DOTALL,
)


class RoutineIdRefused(ValueError):
    """`str()` is a sentence that says what to paste instead."""


class AnotherHost(RoutineIdRefused):
    """A URL that leads to a host other than the configured one."""


def parse(pasted: str, *, api_base_url: str) -> str:
    """The `trig_...` of a bare ID, of the fire URL, or of the routine's page at claude.ai."""
    text = tokens.INVISIBLE.sub("", pasted).strip()
    _refuse_placeholder(text)
    if re.fullmatch(ROUTINE_ID, text, re.ASCII):
        return text
    if text.startswith("routine_"):
        raise RoutineIdRefused(
            "A routine ID starts with trig_, never with routine_. It is in the URL that the API "
            "trigger's window at claude.ai shows."
        )
    if "://" not in text:
        raise RoutineIdRefused("Paste the routine ID (it starts with trig_) or the fire URL.")
    try:
        parts = urlsplit(text)
        host = parts.netloc.lower()
    except ValueError:
        raise RoutineIdRefused("This URL cannot be read. Copy it again.") from None
    api_host = urlsplit(api_base_url).netloc
    if host not in (api_host, "claude.ai"):
        raise AnotherHost(f"This URL leads to another host. Runs are only ever sent to {api_host}.")
    for part in parts.path.split("/"):
        _refuse_placeholder(part)
    found = _IN_PATH.fullmatch(parts.path)
    if found is None:
        raise RoutineIdRefused("No routine ID (trig_...) stands in this URL. Copy it again.")
    return found.group(1)


def _refuse_placeholder(text: str) -> None:
    if _PLACEHOLDER.fullmatch(text):
        raise RoutineIdRefused("This is the placeholder of the documentation, not a routine ID.")
