"""Filling an empty database with the demo's content."""

import ipaddress
from collections.abc import Iterable
from datetime import timedelta
from random import Random
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from routines import registry
from routines.demo.calls import past_calls
from routines.demo.content import (
    ALERT_TRIAGE,
    OUTCOMES,
    PASSWORD,
    PEOPLE,
    ROUTINES,
)
from routines.demo.past_runs import DAYS, past_runs
from routines.demo.shapes import DemoPerson, DemoRoutine
from routines.insight import progress
from routines.models import Outcome, Person, Routine, Run
from routines.people import roles
from routines.people.roles import Role
from routines.practice_api import PracticeApi
from routines.registry import header_versions
from routines.values import tokens
from routines.values.reasons import State

_UNMARKED = 0.35  # of the runs: the board asks for some of them
_OUTCOME_FIELDS = ("outcome", "outcome_note", "outcome_link", "outcome_at", "outcome_by")


class Refused(Exception):
    """The demo's content does not belong here; `str()` says why."""


def seed() -> bool:
    """Fill an empty database; True if it did, False if the demo's content stands in it already.

    Raise Refused.
    """
    if not _is_loopback(settings.CLAUDE_API_BASE_URL):
        raise Refused("CLAUDE_API_BASE_URL is not on this machine: a demo fires nothing real.")
    if Routine.objects.filter(routine_id=ALERT_TRIAGE.routine_id).exists():
        return False
    if Person.objects.exists() or Routine.objects.exists():
        raise Refused("This database is in use: the demo's people have known passwords.")
    with transaction.atomic():
        people = {person.role: _add_person(person) for person in PEOPLE}
        routines = {demo: _register(demo, people[Role.ADMIN]) for demo in ROUTINES}
        _backdate(routines.values())
        runs = [
            *past_runs(Random(2026), people, routines),  # noqa: S311
            *past_calls(Random(2026), people, routines),  # noqa: S311
        ]
        Run.objects.bulk_create(sorted(runs, key=lambda run: run.created_at))
        _note_accepted_tokens(routines.values())
        _mark_outcomes(Random(2026), people[Role.ADMIN])  # noqa: S311
    for _ in progress.catch_up(pause=lambda _: None):
        pass  # so that the first look at the insight page finds it all counted
    return True


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _add_person(demo: DemoPerson) -> Person:
    person = Person.objects.create_user(
        demo.username, password=PASSWORD, first_name=demo.role.label
    )
    roles.give(person, demo.role)
    return person


def _register(demo: DemoRoutine, admin: Person) -> Routine:
    routine = registry.register(
        name=demo.name,
        purpose=demo.purpose,
        routine_id=demo.routine_id,
        account=demo.account,
        tags=demo.tags,
        beta_version=header_versions.BETA_VERSION,
        api_version=header_versions.API_VERSION,
        token=tokens.parse(PracticeApi().token_for(demo.routine_id)),
        by=admin,
    )
    for order, template in enumerate(demo.templates):
        registry.add_template(routine, **vars(template), order=order, by=admin)
    return routine


def _backdate(routines: Iterable[Routine]) -> None:
    """The routines are older than their runs."""
    registered = timezone.now() - timedelta(days=DAYS + 1)
    ids = [routine.pk for routine in routines]
    Routine.objects.filter(pk__in=ids).update(created_at=registered, token_set_at=registered)


def _note_accepted_tokens(routines: Iterable[Routine]) -> None:
    """As the runs' answers would have."""
    for routine in routines:
        started = routine.runs.filter(state=State.STARTED).newest_first().first()
        if started is not None:
            Routine.objects.filter(pk=routine.pk).update(token_accepted_at=started.settled_at)


def _mark_outcomes(rng: Random, admin: Person) -> None:
    """What people said came of most runs that made a session, within a day."""
    started = Run.objects.filter(state=State.STARTED, is_trial=False, api_key=None)
    started = started.select_related("person")
    for run in started.newest_first():
        if rng.random() < _UNMARKED:
            continue
        outcome, note = rng.choice(OUTCOMES)
        run.outcome, run.outcome_note = outcome, note
        if outcome == Outcome.USEFUL and rng.random() < 0.5:
            run.outcome_link = f"https://github.com/example/app/pull/{run.pk + 400}"
        later = run.created_at + timedelta(minutes=rng.randint(15, 60 * 20))
        run.outcome_at, run.outcome_by = min(later, timezone.now()), run.person or admin
        run.save(update_fields=_OUTCOME_FIELDS)
