"""What names one run and no other: a session's ID or address, a request ID, a run's own number."""

import re
from dataclasses import dataclass

from django.db.models import CharField, F, Func, Q, Value
from django.db.models.lookups import Exact

from routines.values import session_links

_SESSION = re.compile(session_links.NAME, re.ASCII)
_SESSION_URL = re.compile(rf"https?://\S*?/({_SESSION.pattern})(?:[/?#]\S*)?", re.ASCII)
_REQUEST = re.compile(r"req_[A-Za-z0-9_-]{1,190}", re.ASCII)
_RUN = re.compile(r"(?:#|run #?|(?:https?://\S*)?/history/)(\d{1,18})/?", re.ASCII | re.IGNORECASE)

# As session_links.normal, in the database. The prefixes are no parameters: the expression of a
# query must be that of the index to the letter, or SQLite takes it for another one.
SESSION_NAME = Func(
    F("session_id"),
    template="REPLACE(%(expressions)s, 'cse_', 'session_')",
    output_field=CharField(max_length=200),
)
NAMES_A_SESSION = ~Q(session_id="")


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
    """Finds the one run of this session, whichever of its two names it is given."""
    # The index holds the runs with a session alone, and SQLite takes it only when told so.
    return Q(Exact(SESSION_NAME, Value(session_links.normal(session_id)))) & NAMES_A_SESSION


def bare_number(typed: str) -> int | None:
    """A number alone may be a run's, or a word of its text: the page offers both."""
    typed = typed.strip()
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= 18 else None
