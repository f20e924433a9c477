"""Reading the audit trail: what admins look for in it, page by page or as CSV."""

import csv
import io
import json
from array import array
from collections.abc import Iterator
from datetime import date
from typing import Any

from django.db import models
from django.db.models import Q, QuerySet

from routines import keyset
from routines.audit import trace
from routines.models import AuditEvent, Chain, Person
from routines.models.audit import SIGN_IN_ACTIONS
from routines.values import periods, spreadsheet

Action = AuditEvent.Action

PAGE_SIZE = 50
COLUMNS = ("at", "who", "address", "action", "said", "subject", "changes", "number", "hash")
_BATCH = 500


class Kind(models.TextChoices):
    ROUTINES = "routines", "Routines and their rules"
    TOKENS = "tokens", "Tokens"
    VERSIONS = "versions", "Header versions"
    ACCOUNTS = "accounts", "Accounts and holds"
    TEMPLATES = "templates", "Text templates"
    RUNS = "runs", "What people said of runs"
    PEOPLE = "people", "People and sign-in"
    GROUPS = "groups", "Groups"
    API_KEYS = "api_keys", "API keys"
    OTHER = "other", "Other"


# By the first word of the action. One that is not here is OTHER, until somebody gives it a place.
_KINDS = {
    "routine": Kind.ROUTINES,
    "token": Kind.TOKENS,
    "tokens": Kind.TOKENS,
    "version": Kind.VERSIONS,
    "account": Kind.ACCOUNTS,
    "hold": Kind.ACCOUNTS,
    "template": Kind.TEMPLATES,
    "run": Kind.RUNS,
    "person": Kind.PEOPLE,
    "password": Kind.PEOPLE,
    "second": Kind.PEOPLE,
    "group": Kind.GROUPS,
    "api": Kind.API_KEYS,
}


def kind_of(action: Action) -> Kind:
    return _KINDS.get(action.value.split("_")[0], Kind.OTHER)


def choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """What `what` of changes may be: a kind, or one action of it."""
    found = []
    for kind in Kind:
        actions = [one for one in Action if kind_of(one) == kind and one not in SIGN_IN_ACTIONS]
        if actions:
            first, *rest = kind.label.split(" ")
            label = " ".join([first if first.isupper() else first.lower(), *rest])
            every = (kind.value, f"All of: {label}")
            found.append((kind.label, [every, *((one.value, one.label) for one in actions)]))
    return found


def sign_in_choices() -> list[tuple[str, str]]:
    """What `what` of sign-ins may be."""
    return [(one.value, one.label) for one in Action if one in SIGN_IN_ACTIONS]


def changes(
    *,
    who: str = "",
    what: str = "",
    about: str = "",
    since: date | None = None,
    until: date | None = None,
) -> QuerySet[AuditEvent]:
    """All that is given must hold. `who` and `about` are looked for in the names as they were
    recorded, and as they are now; both days count.
    """
    found = _between(Chain.CHANGES, since, until)
    if who:
        found = found.filter(Q(person_name__icontains=who) | Q(person__username__icontains=who))
    if what in Kind.values:
        found = found.filter(action__in=[one for one in Action if kind_of(one) == what])
    elif what:
        found = found.filter(action=what)
    if about:
        found = found.filter(Q(subject__icontains=about) | Q(routine__name__icontains=about))
    return found


def sign_ins(
    *,
    who: str = "",
    what: str = "",
    address: str = "",
    since: date | None = None,
    until: date | None = None,
) -> QuerySet[AuditEvent]:
    """`who`: the person who signed in, or whose name was tried."""
    found = _between(Chain.SIGN_INS, since, until)
    if who:
        found = found.filter(Q(subject__icontains=who) | Q(person_name__icontains=who))
    if what:
        found = found.filter(action=what)
    if address:
        found = found.filter(address=address)
    return found


def _between(chain: Chain, since: date | None, until: date | None) -> QuerySet[AuditEvent]:
    found = AuditEvent.objects.filter(chain=chain)
    span = periods.of_days(since, until)
    if span.start:
        found = found.filter(at__gte=span.start)
    if span.end:
        found = found.filter(at__lt=span.end)
    return found


def page(
    found: QuerySet[AuditEvent], *, before: str = "", after: str = ""
) -> keyset.Page[AuditEvent]:
    """Raise keyset.BadCursor."""
    rows = found.select_related("routine", "person")
    return keyset.page(rows, at="at", size=PAGE_SIZE, before=before, after=after)


def export(
    found: QuerySet[AuditEvent], *, asked: str, by: Person, subject: str = "the audit trail"
) -> Iterator[str]:
    """Lines of CSV, newest first. `asked` is the filter, as the trail keeps it.

    What is exported is decided, and traced, before the first line leaves; then it is read in
    batches, so that no cursor stays open for a slow reader.
    """
    keys = keyset.keys(found, at="at")
    changes: dict[str, list[Any]] = {"filter": [None, asked], "events": [None, len(keys)]}
    trace(Action.EXPORTED, by=by, subject=f"{subject} as CSV", changes=changes)
    return _lines(keys)


def _lines(keys: "array[int]") -> Iterator[str]:
    out = io.StringIO()
    writer = csv.writer(out)
    out.write(spreadsheet.BYTE_ORDER_MARK)
    writer.writerow(COLUMNS)
    for start in range(0, len(keys), _BATCH):
        events = AuditEvent.objects.in_bulk(list(keys[start : start + _BATCH]))
        for key in keys[start : start + _BATCH]:
            writer.writerow([spreadsheet.escape_formula(cell) for cell in _cells(events[key])])
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    yield out.getvalue()


def _cells(event: AuditEvent) -> list[str]:
    return [
        event.at.isoformat(timespec="milliseconds"),
        event.person_name,
        event.address or "",
        event.action,
        event.get_action_display(),
        event.subject,
        json.dumps(event.changes, ensure_ascii=False) if event.changes else "",
        str(event.number or ""),
        event.hash,
    ]
