"""What a program is told of a run: for each reason a status, and what the program should do.

docs/api.md shows this table. The statuses are the endpoint's wherever it has one for the case
(docs/fire-api.md), so that a script which knows those does the right thing:

- 200, 202: do not fire again;
- other 4xx: calling again changes nothing before somebody has acted;
- 429, 503: nothing was started, and it passes; the same call after that, with its Idempotency-Key,
  has the run attempted anew (runs/retrying.py);
- 504: nobody knows whether a session was started, so nobody fires again before a look.

The sentences of values/reasons.py are for people, who press Run again; a program calls again. Its
Idempotency-Key stays with the run that it made.
"""

from dataclasses import dataclass

from routines.runs import retrying
from routines.values.reasons import MEANINGS, Reason

SHORTLY, LATER = 5, 60  # seconds


@dataclass(frozen=True)
class Ending:
    """`after`: of Retry-After, in seconds, where the run itself does not know better."""

    status: int
    advice: str
    after: int | None = None

    def sentence(self, reason: Reason) -> str:
        return f"{MEANINGS[reason].cause} {self.advice}".strip()


NEW_KEY = "with a new Idempotency-Key if you send one"
_WAIT = (
    "Do not fire again: look at the run for its outcome, or repeat this call with the same "
    "Idempotency-Key."
)
_LOOK = (
    "Do not fire again before a person has looked at claude.ai/code and at the run's page: a "
    "session may exist."
)
_AGAIN = (
    "Call again after Retry-After seconds: with the same Idempotency-Key this run is then "
    "attempted anew."
)
_PERSISTS = f"{_AGAIN} If it goes on, an admin of the dashboard has to act: show them the run."
_THEN = f"Then call again, {NEW_KEY}."
_SHOW = f"Calling again will not help: show an admin of the dashboard the run's page. {_THEN}"
_STARTED = Ending(200, "Do not fire again.")
_WAITS = Ending(202, _WAIT)
_UNKNOWN = Ending(504, _LOOK)


def _of_admin(reason: Reason, status: int = 403) -> Ending:
    """What people are told to ask for, a program's author asks for as well."""
    return Ending(status, f"{MEANINGS[reason].remedy} {_THEN}")


def _passes(reason: Reason, status: int, advice: str) -> Ending:
    pause = retrying.passes_after(reason)
    return Ending(status, advice, int(pause.total_seconds()) if pause else LATER)


ENDINGS: dict[Reason, Ending] = {
    Reason.ACCEPTED: _WAITS,
    Reason.COOLING: _WAITS,
    Reason.NEXT_ATTEMPT: _WAITS,
    Reason.SENDING: _WAITS,
    Reason.SESSION_CREATED: _STARTED,
    Reason.ODD_SESSION_URL: _STARTED,
    Reason.SAID_STARTED: _STARTED,
    Reason.PAUSED: Ending(
        400, f"Ask the account's owner to resume it at claude.ai/code/routines. {_THEN}"
    ),
    Reason.TEXT_TOO_LONG: Ending(400, f"Send a shorter text, {NEW_KEY}."),
    Reason.HEADER_VERSION: _of_admin(Reason.HEADER_VERSION),
    Reason.BAD_REQUEST: Ending(400, _SHOW),
    Reason.TOKEN_REJECTED: _of_admin(Reason.TOKEN_REJECTED),
    Reason.NO_ACCESS: _of_admin(Reason.NO_ACCESS),
    Reason.BLOCKED: _of_admin(Reason.BLOCKED),
    Reason.NO_SUCH_ROUTINE: _of_admin(Reason.NO_SUCH_ROUTINE, 404),
    Reason.LIMIT_REACHED: _passes(Reason.LIMIT_REACHED, 429, _AGAIN),
    Reason.OVERLOADED: _passes(Reason.OVERLOADED, 503, _AGAIN),
    Reason.OTHER_REFUSAL: Ending(403, _SHOW),
    Reason.SAID_NOT_STARTED: Ending(409, f"If it is still needed, call again, {NEW_KEY}."),
    Reason.NO_CONNECTION: _passes(Reason.NO_CONNECTION, 503, _PERSISTS),
    Reason.TLS_FAILED: _passes(Reason.TLS_FAILED, 503, _PERSISTS),
    Reason.PROXY_UNREACHABLE: _passes(Reason.PROXY_UNREACHABLE, 503, _PERSISTS),
    Reason.PROXY_SIGN_IN: _passes(Reason.PROXY_SIGN_IN, 503, _PERSISTS),
    Reason.PROXY_REFUSED: _passes(Reason.PROXY_REFUSED, 503, _PERSISTS),
    Reason.PROXY_FAILED: _passes(Reason.PROXY_FAILED, 503, _PERSISTS),
    Reason.UNSENDABLE: _of_admin(Reason.UNSENDABLE),
    Reason.CANCELLED: Ending(
        409, f"A person has decided so. If it is still needed, call again, {NEW_KEY}."
    ),
    Reason.WAITED_TOO_LONG: _passes(Reason.WAITED_TOO_LONG, 503, _PERSISTS),
    Reason.NOT_ALLOWED: Ending(
        403, f"Ask an admin of the dashboard to give the routine to this API key. {_THEN}"
    ),
    Reason.DISABLED: _of_admin(Reason.DISABLED),
    Reason.ARCHIVED: _of_admin(Reason.ARCHIVED),
    Reason.ON_HOLD: _passes(Reason.ON_HOLD, 429, _AGAIN),
    Reason.COOL_DOWN: _passes(
        Reason.COOL_DOWN, 429, f"Use the session that was made, or: {_AGAIN}"
    ),
    Reason.NO_TOKEN: _of_admin(Reason.NO_TOKEN),
    Reason.TOKEN_REMOVED: _of_admin(Reason.TOKEN_REMOVED),
    Reason.TOKEN_UNREADABLE: _of_admin(Reason.TOKEN_UNREADABLE),
    Reason.SERVER_ERROR: _UNKNOWN,
    Reason.UNREADABLE_ANSWER: _UNKNOWN,
    Reason.UNEXPECTED_ANSWER: _UNKNOWN,
    Reason.SESSION_NAMED: _UNKNOWN,
    Reason.SESSION_TAKEN: _UNKNOWN,
    Reason.NO_ANSWER: _UNKNOWN,
    Reason.CONNECTION_LOST: _UNKNOWN,
    Reason.INTERRUPTED: _UNKNOWN,
    Reason.RESTORED: _UNKNOWN,
}
