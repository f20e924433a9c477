"""Eleven weeks of runs that never were, in every lasting state and for most reasons."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from django.utils import timezone

from routines.demo.content import (
    ALERT_TRIAGE,
    ASK_FOR_A_CHANGE,
    DEPLOY_VERIFICATION,
    RELEASE_NOTES,
)
from routines.demo.shapes import DemoRoutine
from routines.models import Person, Routine, Run
from routines.people.roles import Role
from routines.registry import header_versions
from routines.text_templates import built_in, fill, version_of
from routines.values.reasons import MEANINGS, SAID_BY_PEOPLE, Reason, State

DAYS = 77
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # the alphabet of session IDs


@dataclass(frozen=True)
class PastAnswer:
    """What the endpoint said in runs that ended for one reason."""

    http_status: int | None = None
    error_type: str = ""
    message: str = ""
    seconds: tuple[float, float] = (0.2, 0.6)


# How many runs of the past weeks ended for which reason; NEWEST come on top of them. There is
# none in state `sending`: such a run becomes `unknown` by itself after a minute or two.
PAST = {
    Reason.SESSION_CREATED: 352,
    Reason.ODD_SESSION_URL: 2,
    Reason.PAUSED: 9,
    Reason.HEADER_VERSION: 3,
    Reason.TOKEN_REJECTED: 7,
    Reason.NO_ACCESS: 2,
    Reason.BLOCKED: 1,
    Reason.NO_SUCH_ROUTINE: 1,
    Reason.LIMIT_REACHED: 18,
    Reason.OVERLOADED: 11,
    Reason.NO_CONNECTION: 6,
    Reason.WAITED_TOO_LONG: 3,
    Reason.DISABLED: 1,
    Reason.NO_TOKEN: 1,
    Reason.ON_HOLD: 9,
    Reason.SERVER_ERROR: 4,
    Reason.UNREADABLE_ANSWER: 2,
    Reason.NO_ANSWER: 5,
    Reason.CONNECTION_LOST: 2,
    Reason.INTERRUPTED: 1,
    Reason.SAID_STARTED: 3,
    Reason.SAID_NOT_STARTED: 2,
}

# How often a routine is run, and how often one of its runs is refused, beside the others.
_RUN = {ALERT_TRIAGE: 42, DEPLOY_VERIFICATION: 28, RELEASE_NOTES: 18, ASK_FOR_A_CHANGE: 12}
_REFUSED = {ALERT_TRIAGE: 2, DEPLOY_VERIFICATION: 6, RELEASE_NOTES: 1, ASK_FOR_A_CHANGE: 1}
_UNKNOWN = {ASK_FOR_A_CHANGE: 1}  # nobody has settled them: one card asks about it, not every one

# The last run of each routine, so that the board shows more than one state. Minutes ago.
NEWEST = (
    (318, ASK_FOR_A_CHANGE, Reason.NO_ANSWER),
    (171, DEPLOY_VERIFICATION, Reason.LIMIT_REACHED),
    (74, ALERT_TRIAGE, Reason.SESSION_CREATED),
    (26, RELEASE_NOTES, Reason.SESSION_CREATED),
)

ANSWERS = {
    Reason.SESSION_CREATED: PastAnswer(200, seconds=(0.6, 2.8)),
    Reason.ODD_SESSION_URL: PastAnswer(200, seconds=(0.6, 2.8)),
    Reason.PAUSED: PastAnswer(400, "invalid_request_error", "Routine is paused"),
    Reason.HEADER_VERSION: PastAnswer(
        400, "invalid_request_error", "anthropic-beta: this value is no longer accepted"
    ),
    Reason.TOKEN_REJECTED: PastAnswer(401, "authentication_error", "Invalid bearer token"),
    Reason.NO_ACCESS: PastAnswer(
        403, "permission_error", "Routines are not enabled for this organization"
    ),
    Reason.BLOCKED: PastAnswer(403, message="<html><title>Request blocked</title></html>"),
    Reason.NO_SUCH_ROUTINE: PastAnswer(404, "not_found_error", "No such routine"),
    Reason.LIMIT_REACHED: PastAnswer(429, "rate_limit_error", "Run limit reached for this routine"),
    Reason.OVERLOADED: PastAnswer(503, "overloaded_error", "Overloaded"),
    Reason.NO_CONNECTION: PastAnswer(seconds=(0.01, 10.0)),
    Reason.SERVER_ERROR: PastAnswer(500, "api_error", "Internal server error", (1.0, 6.0)),
    Reason.UNREADABLE_ANSWER: PastAnswer(200, message="<!doctype html>", seconds=(1.0, 4.0)),
    Reason.NO_ANSWER: PastAnswer(seconds=(30.0, 30.1)),
    Reason.CONNECTION_LOST: PastAnswer(seconds=(2.0, 20.0)),
}

# The other reasons come of our own rules, at once, but for these.
WITHOUT_ANSWER = {
    Reason.INTERRUPTED: timedelta(seconds=95),
    Reason.SAID_STARTED: timedelta(minutes=12),
    Reason.SAID_NOT_STARTED: timedelta(minutes=31),
}


def past_runs(
    rng: Random, people: dict[Role, Person], routines: dict[DemoRoutine, Routine]
) -> Iterator[Run]:
    """Oldest first, so that the order of the keys is the order of time."""
    now = timezone.now()
    for at, demo, reason in _plan(rng, now):
        template_name, values = rng.choice(demo.past_values)
        person = people[Role.TEAMMATE if rng.random() < 0.8 else Role.ADMIN]
        template = demo.template(template_name)
        stored = [field.to_stored() for field in template.fields]
        by_itself = built_in(person=str(person), routine=demo.name, at=at)
        filling = fill(template.body, stored, values, by_itself, as_json=template.is_json)
        run = Run(
            key=UUID(int=rng.getrandbits(128), version=4),
            routine=routines[demo],
            person=person,
            text=filling.text,
            template_name=template_name,
            template_version=version_of(template.body, stored, as_json=template.is_json),
            field_values=filling.values,
            beta_version=header_versions.BETA_VERSION,
            api_version=header_versions.API_VERSION,
            created_at=at,
        )
        settle(run, reason, rng)
        yield run


def _plan(rng: Random, now: datetime) -> Iterator[tuple[datetime, DemoRoutine, Reason]]:
    reasons = [reason for reason, count in PAST.items() for _ in range(count)]
    rng.shuffle(reasons)
    for at, reason in zip(_working_hours(rng, now, len(reasons)), reasons, strict=True):
        often = {State.REFUSED: _REFUSED, State.UNKNOWN: _UNKNOWN}.get(MEANINGS[reason].state, _RUN)
        yield at, rng.choices(list(often), list(often.values()))[0], reason
    for minutes, demo, reason in NEWEST:
        yield now - timedelta(minutes=minutes), demo, reason


def _working_hours(rng: Random, now: datetime, count: int) -> list[datetime]:
    """Moments of the past weeks, most on working days from 7 to 18 UTC, before those of NEWEST.

    The newer, the more: the team has come to like it.
    """
    moments: list[datetime] = []
    while len(moments) < count:
        at = now - timedelta(days=rng.triangular(0.3, DAYS, 0.3))
        if (at.weekday() < 5 and 7 <= at.hour < 18) or rng.random() < 0.02:
            moments.append(at)
    return sorted(moments)


def settle(run: Run, reason: Reason, rng: Random) -> None:
    run.reason, run.state = reason, MEANINGS[reason].state
    answer = ANSWERS.get(reason)
    run.settled_at = run.created_at + WITHOUT_ANSWER.get(reason, timedelta(0))
    if reason in SAID_BY_PEOPLE:
        run.settled_by = run.person
    if answer is not None:
        run.duration_ms = round(rng.uniform(*answer.seconds) * 1000)
        run.settled_at = run.created_at + timedelta(milliseconds=run.duration_ms)
        run.http_status = answer.http_status
        run.error_type, run.error_message = answer.error_type, answer.message
        if answer.error_type or answer.http_status == 200:  # a proxy's page has no request ID
            run.request_id = f"req_{rng.getrandbits(96):024x}"
    if run.state == State.STARTED:
        run.session_id = f"session_01{''.join(rng.choices(_CROCKFORD, k=22))}"
        if reason != Reason.ODD_SESSION_URL:
            run.session_url = f"https://claude.ai/code/{run.session_id}"
    if reason == Reason.LIMIT_REACHED:
        run.retry_after = run.settled_at + timedelta(minutes=rng.randint(5, 55))
