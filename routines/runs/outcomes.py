"""How a session went, as people say: the endpoint cannot be asked.

Whoever may see a run may say so, change it, and take it back; the trail keeps every word of it.
"""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction
from django.utils import timezone

from routines.audit import trace
from routines.models import AuditEvent, Outcome, Person, Run
from routines.values.reasons import State
from routines.values.snapshots import Snapshot, check

_REMEMBERED = timedelta(days=3)
_NOT_BEFORE = timedelta(minutes=10)  # a session takes its time: nobody can say yet
_MOST_REMINDERS = 5
_OF_A_REMINDER = (
    *("created_at", "state", "session_id", "session_url", "outcome", "outcome_note"),
    *("outcome_link", "routine__name"),
)
# Put together once: that takes Django longer than the query.
_without_outcome = (
    Run.objects.filter(outcome="", state=State.STARTED, is_trial=False)
    .select_related("routine")
    .only(*_OF_A_REMINDER)
    .newest_first()
)
_is_https = URLValidator(schemes=["https"])


class CannotBeMarked(Exception):
    """No session of this run is known, so nothing can have come of it."""


class NotYours(Exception):
    """A run that this person may not see."""


class LinkRefused(ValueError):
    """`str()` is a sentence that says what to paste instead."""


def snapshot(run: Run) -> Snapshot:
    values = {"outcome": run.outcome, "note": run.outcome_note, "link": run.outcome_link}
    return Snapshot(f"outcome of run {run.pk}", values, routine=run.routine_id, run=run.pk)


def mark(run: Run, outcome: Outcome, *, by: Person, seen: Snapshot | None = None) -> Run:
    """Say what came of it; the note and the link that are there stay. Raise CannotBeMarked.

    Here as below, raise ChangedMeanwhile if somebody has said more than the page showed.
    """
    return _write(run, by, seen, outcome=outcome.value)


def describe(run: Run, *, note: str, link: str, by: Person, seen: Snapshot | None = None) -> Run:
    """A note and a link beside the outcome. Raise CannotBeMarked, LinkRefused."""
    return _write(run, by, seen, outcome_note=note.strip(), outcome_link=_checked(link.strip()))


def take_back(run: Run, *, by: Person, seen: Snapshot | None = None) -> Run:
    """As if nobody had said anything."""
    return _write(run, by, seen, outcome="", outcome_note="", outcome_link="")


def reminders(person: Person) -> list[Run]:
    """The person's own runs of the last days that made a session, whose outcome nobody has set."""
    now = timezone.now()
    theirs = _without_outcome.filter(
        person=person, created_at__gt=now - _REMEMBERED, created_at__lt=now - _NOT_BEFORE
    )
    return list(theirs[:_MOST_REMINDERS])


@transaction.atomic
def _write(run: Run, by: Person, seen: Snapshot | None, **values: str) -> Run:
    visible = Run.objects.visible_to(by).select_related("routine__account", "person", "api_key")
    stored = visible.select_for_update(of=("self",)).filter(pk=run.pk).first()
    if stored is None:
        raise NotYours
    check(seen, snapshot(stored))
    before = {field: getattr(stored, field) for field in values}
    for field, value in values.items():
        setattr(stored, field, value)
    says_something = stored.outcome or stored.outcome_note or stored.outcome_link
    if says_something and not (stored.outcome and stored.state == State.STARTED):
        raise CannotBeMarked
    changes: dict[str, list[Any]] = {
        field.removeprefix("outcome_"): [before[field], value]
        for field, value in values.items()
        if before[field] != value
    }
    if changes:
        stored.outcome_at, stored.outcome_by = (
            (timezone.now(), by) if says_something else (None,) * 2
        )
        stored.save(update_fields=[*values, "outcome_at", "outcome_by"])
        changes = {"run": [run.pk, run.pk]} | changes
        trace(AuditEvent.Action.RUN_MARKED, by=by, routine=stored.routine, changes=changes)
    return stored


def _checked(link: str) -> str:
    try:
        if link:
            _is_https(link)
            if "@" in urlsplit(link).netloc:  # https://claude.ai@elsewhere.example goes elsewhere
                raise ValidationError("user")
    except ValidationError:
        raise LinkRefused(
            "Paste the whole address of a page, beginning with https://: of the pull request or "
            "the message, for example."
        ) from None
    return link
