"""Looking into the newest of the trail: who changed this just now, and how often?"""

from datetime import datetime

from routines.models import AuditEvent, Person
from routines.values.snapshots import ChangedMeanwhile

_MOST = 50  # of one thing, while a page was open


def latest_change(changed: ChangedMeanwhile) -> AuditEvent | None:
    """The newest event since the page was drawn that tells of it. None: the trail has none."""
    now, since = changed.now, changed.seen.at
    if since is None or not (now.routine or now.subject):
        return None
    events = AuditEvent.objects.filter(at__gte=since).order_by("-at", "-pk")
    if now.routine:
        events = events.filter(routine=now.routine)
    else:
        events = events.filter(subject=now.subject)
    for event in events[:_MOST]:
        if now.run is None and "run" in event.changes:
            continue  # of one of its runs
        if now.run is None or event.changes.get("run") == [now.run, now.run]:
            return event
    return None


def exports_since(at: datetime, *, by: Person) -> int:
    """How many files of runs or of the trail itself this person has taken."""
    exported = AuditEvent.objects.filter(at__gte=at, action=AuditEvent.Action.EXPORTED, person=by)
    return exported.count()
