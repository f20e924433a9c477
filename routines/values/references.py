"""What names one run and no other: a session's ID or address, a request ID, a run's own number."""

import re
from dataclasses import dataclass

from django.db.models import Q

_SESSION = re.compile(r"session_[A-Za-z0-9_-]{1,190}", re.ASCII)
_SESSION_URL = re.compile(rf"https?://\S*?/({_SESSION.pattern})(?:[/?#]\S*)?", re.ASCII)
_REQUEST = re.compile(r"req_[A-Za-z0-9_-]{1,190}", re.ASCII)
_RUN = re.compile(r"(?:#|run #?|(?:https?://\S*)?/history/)(\d{1,18})/?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Reference:
    """`called` is a noun for sentences; `of_run` finds the run."""

    called: str
    of_run: Q


def read(typed: str) -> Reference | None:
    """The reference that `typed` is as a whole; None if it is words to search for."""
    typed = typed.strip()
    if found := _SESSION.fullmatch(typed) or _SESSION_URL.fullmatch(typed):
        session_id = found.group(found.lastindex or 0)
        return Reference(f"session {session_id}", of_session(session_id))
    if _REQUEST.fullmatch(typed):
        return Reference(f"request {typed}", Q(request_id=typed) & ~Q(request_id=""))
    if found := _RUN.fullmatch(typed):
        return Reference(f"run {found.group(1)}", Q(pk=int(found.group(1))))
    return None


def run_number(typed: str) -> int | None:
    """The number in `#1234`, which may be a ticket's in a text as well as a run's."""
    found = _RUN.fullmatch(typed.strip())
    return int(found.group(1)) if found else None


def of_session(session_id: str) -> Q:
    # The index holds the runs with a session alone, and SQLite takes it only when told so.
    return Q(session_id=session_id) & ~Q(session_id="")


def bare_number(typed: str) -> int | None:
    """A number alone may be a run's, or a word of its text: the page offers both."""
    typed = typed.strip()
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= 18 else None
