"""Why a run is in its state: the one table of everything that can come of pressing Run.

Each reason says what the person reads, who must act, and whether pressing again is safe. The
states are the six of docs/life-of-a-run.md, which shows this table to people.
"""

from dataclasses import dataclass

from django.db import models

from routines.values.next_steps import Actor, Again


class State(models.TextChoices):
    ACCEPTED = "accepted", "Waiting"
    SENDING = "sending", "Sending"
    STARTED = "started", "Session created"
    REFUSED = "refused", "Refused"
    NOT_SENT = "not_sent", "Not sent"
    UNKNOWN = "unknown", "Unknown"


# The request left, or may have: a session may exist.
SENT = (State.SENDING, State.STARTED, State.UNKNOWN)
# Nothing is known of it yet: it waits, or it is on its way.
OPEN = (State.ACCEPTED, State.SENDING)


AGAIN_AFTER = {
    State.ACCEPTED: Again.NOT_NEEDED,
    State.SENDING: Again.WAIT,
    State.STARTED: Again.NEW_RUN,
    State.REFUSED: Again.AFTER_FIX,
    State.NOT_SENT: Again.SAFE,
    State.UNKNOWN: Again.LOOK_FIRST,
}


class Reason(models.TextChoices):
    # accepted
    ACCEPTED = "accepted", "waiting for its turn"
    COOLING = "cooling", "waiting for the cool-down to end"
    NEXT_ATTEMPT = "next_attempt", "waiting for its next attempt"
    # sending
    SENDING = "sending", "being sent"
    # started
    SESSION_CREATED = "session_created", "session created"
    ODD_SESSION_URL = "odd_session_url", "session created, unusual link"
    SAID_STARTED = "said_started", "found by a person"
    # refused
    PAUSED = "paused", "routine paused"
    TEXT_TOO_LONG = "text_too_long", "text too long"
    HEADER_VERSION = "header_version", "header version refused"
    BAD_REQUEST = "bad_request", "request refused"
    TOKEN_REJECTED = "token_rejected", "token rejected"
    NO_ACCESS = "no_access", "no access"
    BLOCKED = "blocked", "blocked by a proxy"
    NO_SUCH_ROUTINE = "no_such_routine", "no such routine"
    LIMIT_REACHED = "limit_reached", "limit reached"
    OVERLOADED = "overloaded", "endpoint overloaded"
    OTHER_REFUSAL = "other_refusal", "refused"
    SAID_NOT_STARTED = "said_not_started", "did not start, a person says"
    # not sent
    NO_CONNECTION = "no_connection", "no connection"
    TLS_FAILED = "tls_failed", "no secure connection"
    PROXY_UNREACHABLE = "proxy_unreachable", "proxy not reached"
    PROXY_SIGN_IN = "proxy_sign_in", "not signed in at the proxy"
    PROXY_REFUSED = "proxy_refused", "refused by the proxy"
    PROXY_FAILED = "proxy_failed", "no connection from the proxy"
    UNSENDABLE = "unsendable", "request could not be built"
    CANCELLED = "cancelled", "cancelled"
    WAITED_TOO_LONG = "waited_too_long", "waited too long"
    NOT_ALLOWED = "not_allowed", "not allowed any more"
    DISABLED = "disabled", "routine disabled"
    ARCHIVED = "archived", "routine archived"
    ON_HOLD = "on_hold", "on hold"
    COOL_DOWN = "cool_down", "cooling down"
    NO_TOKEN = "no_token", "no token stored"
    TOKEN_REMOVED = "token_removed", "token removed"
    TOKEN_UNREADABLE = "token_unreadable", "token cannot be read"
    # unknown
    SERVER_ERROR = "server_error", "server error"
    UNREADABLE_ANSWER = "unreadable_answer", "unreadable answer"
    UNEXPECTED_ANSWER = "unexpected_answer", "unexpected answer"
    SESSION_NAMED = "session_named", "an error that names a session"
    SESSION_TAKEN = "session_taken", "named the session of another run"
    NO_ANSWER = "no_answer", "no answer in time"
    CONNECTION_LOST = "connection_lost", "connection lost"
    INTERRUPTED = "interrupted", "dashboard stopped meanwhile"
    RESTORED = "restored", "database restored meanwhile"


# What people may say of an unknown run. An answer that comes late overrules them.
SAID_BY_PEOPLE = (Reason.SAID_STARTED, Reason.SAID_NOT_STARTED)


@dataclass(frozen=True)
class Meaning:
    """What one reason means to people. `cause` and `remedy` are whole sentences."""

    state: State
    cause: str
    remedy: str
    who_acts: Actor

    @property
    def again(self) -> Again:
        return AGAIN_AFTER[self.state]


_LOOK = (
    "Look at claude.ai/code whether a session exists before you run it again: "
    "a second run would make a second session."
)

MEANINGS: dict[Reason, Meaning] = {
    Reason.ACCEPTED: Meaning(
        State.ACCEPTED,
        "It is recorded and waits for its turn. Nothing has been sent yet.",
        "It will be sent automatically; until then it can be cancelled.",
        Actor.NOBODY,
    ),
    Reason.COOLING: Meaning(
        State.ACCEPTED,
        "The routine ran a moment ago and is cooling down. Nothing has been sent yet.",
        "It will be sent automatically when the cool-down ends; until then it can be cancelled.",
        Actor.NOBODY,
    ),
    Reason.NEXT_ATTEMPT: Meaning(
        State.ACCEPTED,
        "The last attempt started nothing.",
        "The next one follows automatically; until then it can be cancelled.",
        Actor.NOBODY,
    ),
    Reason.SENDING: Meaning(
        State.SENDING,
        "The request is on its way.",
        "Wait for the answer: it will appear on this page.",
        Actor.NOBODY,
    ),
    Reason.SESSION_CREATED: Meaning(
        State.STARTED,
        "The session has started.",
        "Open it to see how the work goes: a start is not yet a result.",
        Actor.TEAMMATE,
    ),
    Reason.ODD_SESSION_URL: Meaning(
        State.STARTED,
        "A session has started, but the answer had no link to claude.ai.",
        "Find the session by its ID at claude.ai/code. Do not open the address below unchecked.",
        Actor.TEAMMATE,
    ),
    Reason.SAID_STARTED: Meaning(
        State.STARTED,
        "No answer came back, but a person has found the session.",
        "Open it to see how the work goes: a start is not yet a result.",
        Actor.TEAMMATE,
    ),
    Reason.PAUSED: Meaning(
        State.REFUSED,
        "The routine is paused at claude.ai. Nothing was started.",
        "Ask the account's owner to resume it at claude.ai/code/routines, then run it again.",
        Actor.OWNER,
    ),
    Reason.TEXT_TOO_LONG: Meaning(
        State.REFUSED,
        "The endpoint found the text too long. Nothing was started.",
        "Shorten the text and run it again.",
        Actor.TEAMMATE,
    ),
    Reason.HEADER_VERSION: Meaning(
        State.REFUSED,
        "The endpoint does not accept this header version: retired, mistyped or not out yet. "
        "Nothing was started.",
        "Ask an admin to move this routine to a version that is accepted.",
        Actor.ADMIN,
    ),
    Reason.BAD_REQUEST: Meaning(
        State.REFUSED,
        "The endpoint refused the request. Nothing was started.",
        "Show an admin the message and the request ID below.",
        Actor.ADMIN,
    ),
    Reason.TOKEN_REJECTED: Meaning(
        State.REFUSED,
        "The endpoint rejected the stored token. Nothing was started.",
        "Ask an admin to regenerate the token at claude.ai and to paste the new one here.",
        Actor.ADMIN,
    ),
    Reason.NO_ACCESS: Meaning(
        State.REFUSED,
        "The account may not use routines at the moment. Nothing was started.",
        "Ask the account's owner whether routines are switched off in their organization.",
        Actor.OWNER,
    ),
    Reason.BLOCKED: Meaning(
        State.REFUSED,
        "A proxy in front of the endpoint turned the request away. Nothing was started.",
        "Ask an admin to look at the network between this dashboard and the endpoint.",
        Actor.ADMIN,
    ),
    Reason.NO_SUCH_ROUTINE: Meaning(
        State.REFUSED,
        "The endpoint knows no such routine. Nothing was started.",
        "Ask an admin to compare the routine ID with the one at claude.ai.",
        Actor.ADMIN,
    ),
    Reason.LIMIT_REACHED: Meaning(
        State.REFUSED,
        "The routine or its account has reached its limit. Nothing was started.",
        "Wait until the limit resets, then run it again.",
        Actor.TEAMMATE,
    ),
    Reason.OVERLOADED: Meaning(
        State.REFUSED,
        "The endpoint is overloaded. Nothing was started.",
        "Wait a minute, then run it again.",
        Actor.TEAMMATE,
    ),
    Reason.OTHER_REFUSAL: Meaning(
        State.REFUSED,
        "The endpoint refused the request for an undocumented reason. Nothing was started.",
        "Show an admin the message and the request ID below.",
        Actor.ADMIN,
    ),
    Reason.SAID_NOT_STARTED: Meaning(
        State.REFUSED,
        "No answer came back, and a person has looked: no session was started.",
        "Run it again if it is still needed.",
        Actor.TEAMMATE,
    ),
    Reason.NO_CONNECTION: Meaning(
        State.NOT_SENT,
        "The endpoint could not be reached. Nothing was sent.",
        "Run it again in a moment; if it goes on, ask an admin to look at the network.",
        Actor.TEAMMATE,
    ),
    Reason.TLS_FAILED: Meaning(
        State.NOT_SENT,
        "No secure connection to the endpoint could be made. Nothing was sent.",
        "Ask an admin to check the server's clock, its certificates and the network.",
        Actor.ADMIN,
    ),
    Reason.PROXY_UNREACHABLE: Meaning(
        State.NOT_SENT,
        "The proxy between this dashboard and the internet gave no answer. Nothing was sent.",
        "Run it again in a moment; if it goes on, ask an admin to look at the proxy.",
        Actor.TEAMMATE,
    ),
    Reason.PROXY_SIGN_IN: Meaning(
        State.NOT_SENT,
        "The proxy between this dashboard and the internet asks for another user or password. "
        "Nothing was sent.",
        "Ask an admin to correct them in the server's settings.",
        Actor.ADMIN,
    ),
    Reason.PROXY_REFUSED: Meaning(
        State.NOT_SENT,
        "The proxy between this dashboard and the internet does not let it reach the endpoint. "
        "Nothing was sent.",
        "Ask an admin to have the endpoint's host allowed at the proxy.",
        Actor.ADMIN,
    ),
    Reason.PROXY_FAILED: Meaning(
        State.NOT_SENT,
        "The proxy between this dashboard and the internet could not reach the endpoint. "
        "Nothing was sent.",
        "Run it again in a moment; if it goes on, ask an admin to look at the proxy.",
        Actor.TEAMMATE,
    ),
    Reason.UNSENDABLE: Meaning(
        State.NOT_SENT,
        "The stored routine ID, token or header version makes no valid request. Nothing was sent.",
        "Ask an admin to check them in the registry.",
        Actor.ADMIN,
    ),
    Reason.CANCELLED: Meaning(
        State.NOT_SENT,
        "It was cancelled before its turn came. Nothing was sent.",
        "Run it again if it is still needed.",
        Actor.TEAMMATE,
    ),
    Reason.WAITED_TOO_LONG: Meaning(
        State.NOT_SENT,
        "Its turn did not come in time. Nothing was sent.",
        "Run it again if it is still needed; if it goes on, ask an admin whether a worker is "
        "running.",
        Actor.TEAMMATE,
    ),
    Reason.NOT_ALLOWED: Meaning(
        State.NOT_SENT,
        "When its turn came, whoever ran it was no longer allowed to run this routine. Nothing was "
        "sent.",
        "Ask an admin if you need to run it.",
        Actor.ADMIN,
    ),
    Reason.DISABLED: Meaning(
        State.NOT_SENT,
        "This routine is disabled. Nothing was sent.",
        "Ask an admin why, and to enable it.",
        Actor.ADMIN,
    ),
    Reason.ARCHIVED: Meaning(
        State.NOT_SENT,
        "This routine is archived. Nothing was sent.",
        "Ask an admin which routine took its place.",
        Actor.ADMIN,
    ),
    Reason.ON_HOLD: Meaning(
        State.NOT_SENT,
        "The limit was reached, so this routine is on hold. Nothing was sent.",
        "Wait until the hold ends, or ask an admin to lift it.",
        Actor.TEAMMATE,
    ),
    Reason.COOL_DOWN: Meaning(
        State.NOT_SENT,
        "This routine ran a moment ago and is cooling down. Nothing was sent.",
        "Wait until the pause is over, or use the session that was made.",
        Actor.TEAMMATE,
    ),
    Reason.NO_TOKEN: Meaning(
        State.NOT_SENT,
        "No token is stored for this routine. Nothing was sent.",
        "Ask an admin to generate one at claude.ai and to paste it here.",
        Actor.ADMIN,
    ),
    Reason.TOKEN_REMOVED: Meaning(
        State.NOT_SENT,
        "An admin has removed the token of this routine. Nothing was sent.",
        "Wait until an admin has pasted a new one.",
        Actor.ADMIN,
    ),
    Reason.TOKEN_UNREADABLE: Meaning(
        State.NOT_SENT,
        "The stored token cannot be read with the keys at hand. Nothing was sent.",
        "Ask an admin to paste the token again or to restore the encryption key.",
        Actor.ADMIN,
    ),
    Reason.SERVER_ERROR: Meaning(
        State.UNKNOWN,
        "The endpoint answered with a server error, which does not say if a session was started.",
        _LOOK,
        Actor.TEAMMATE,
    ),
    Reason.UNREADABLE_ANSWER: Meaning(
        State.UNKNOWN,
        "The endpoint accepted the request, but its answer could not be read.",
        _LOOK,
        Actor.TEAMMATE,
    ),
    Reason.UNEXPECTED_ANSWER: Meaning(
        State.UNKNOWN,
        "The endpoint gave an answer that is not documented.",
        _LOOK,
        Actor.TEAMMATE,
    ),
    Reason.SESSION_NAMED: Meaning(
        State.UNKNOWN,
        "The endpoint answered with an error, and yet named a session. Open it: only a look can "
        "tell whether this run started it.",
        _LOOK,
        Actor.TEAMMATE,
    ),
    Reason.SESSION_TAKEN: Meaning(
        State.UNKNOWN,
        "The session named for this run belongs to another run, so whether this one started a "
        "session of its own is not known.",
        _LOOK,
        Actor.TEAMMATE,
    ),
    Reason.NO_ANSWER: Meaning(
        State.UNKNOWN,
        "The request went out, but no whole answer came back in time.",
        _LOOK,
        Actor.TEAMMATE,
    ),
    Reason.CONNECTION_LOST: Meaning(
        State.UNKNOWN,
        "The connection broke after the request went out.",
        _LOOK,
        Actor.TEAMMATE,
    ),
    Reason.INTERRUPTED: Meaning(
        State.UNKNOWN,
        "The dashboard was stopped before it could record the answer.",
        _LOOK,
        Actor.TEAMMATE,
    ),
    Reason.RESTORED: Meaning(
        State.UNKNOWN,
        "The database was restored from an older state, in which this run was still waiting. It "
        "may have been sent since.",
        _LOOK,
        Actor.TEAMMATE,
    ),
}
