"""People settle unknown runs: only they can look at claude.ai and see whether a session exists."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from routines.audit import trace
from routines.models import AuditEvent, Person, Run
from routines.values import session_links
from routines.values.reasons import MEANINGS, SAID_BY_PEOPLE, Reason, State
from routines.values.references import of_session
from routines.values.snapshots import Snapshot, check


class SessionUrlRefused(ValueError):
    """`str()` is a sentence that says what to paste instead."""


class NotOpen(Exception):
    """The run is not unknown (any more): the endpoint's answer stands."""


def snapshot(run: Run) -> Snapshot:
    """What is known of it: people correct each other only if they have seen each other's word."""
    values = {"state": run.state, "reason": run.reason, "session_url": run.session_url}
    return Snapshot(f"what became of run {run.pk}", values, routine=run.routine_id, run=run.pk)


def settle_as_started(
    run: Run, session_url: str, *, by: Person, seen: Snapshot | None = None
) -> None:
    """Record the session that `by` found for an unknown run.

    Raise SessionUrlRefused, NotOpen, or ChangedMeanwhile if it is not as the page showed it.
    """
    url = session_url.strip().split("?")[0].split("#")[0]
    session_id = session_links.name_in(url)
    if not session_id:
        raise SessionUrlRefused(
            "This is not the address of a session. Open the session at claude.ai/code and copy "
            "its address: https://claude.ai/code/session_…"
        )
    try:
        _settle(run, Reason.SAID_STARTED, session_id, url, by, seen)
    except IntegrityError:
        other = Run.objects.filter(of_session(session_id)).exclude(pk=run.pk).first()
        if other is None:
            raise
        raise SessionUrlRefused(
            f"This session belongs to run {other.pk} already. Look for another one at "
            "claude.ai/code, or say that this run did not start."
        ) from None


def settle_as_not_started(run: Run, *, by: Person, seen: Snapshot | None = None) -> None:
    """Record that `by` looked, and no session exists. Raise NotOpen, ChangedMeanwhile."""
    _settle(run, Reason.SAID_NOT_STARTED, "", "", by, seen)


@transaction.atomic
def _settle(
    run: Run,
    reason: Reason,
    session_id: str,
    session_url: str,
    by: Person,
    seen: Snapshot | None,
) -> None:
    # What people said may be corrected by people; what the endpoint said may not.
    before = (
        Run.objects.select_for_update()
        .filter(Q(state=State.UNKNOWN) | Q(reason__in=SAID_BY_PEOPLE), pk=run.pk)
        .first()
    )
    if before is None:
        raise NotOpen
    check(seen, snapshot(before))
    values = {
        "reason": reason,
        "state": MEANINGS[reason].state,
        "session_id": session_id,
        "session_url": session_url,
        "settled_by": by,
        "settled_at": timezone.now(),
    }
    # Whether another run has this session, the database knows: also of one settled at once.
    Run.objects.filter(pk=run.pk).update(**values)
    for name, value in values.items():
        setattr(run, name, value)
    changes: dict[str, list[Any]] = {
        "run": [run.pk, run.pk],
        "reason": [before.reason, reason],
        "session_url": [before.session_url, session_url],
    }
    trace(AuditEvent.Action.RUN_SETTLED, by=by, routine=run.routine, changes=changes)
