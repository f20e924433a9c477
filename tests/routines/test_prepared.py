"""Querysets that are compiled once say what a fresh one says, whatever they are given."""

import importlib
import sys
import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import BigIntegerField, CharField, DateTimeField, QuerySet, UUIDField
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from dashboard.sign_in.rights import GroupRightsBackend
from dashboard.sign_in.session_store import SessionStore
from routines import prepared, registry
from routines.models import Person, Routine, Run
from routines.people import groups
from routines.prepared import Given, Prepared, PreparedInsert
from routines.values.reasons import Reason, State
from tests.factories import create_person, create_routine, create_run, create_teammate

pytestmark = pytest.mark.django_db


@prepared.prepared(slug=CharField())
def by_slug(slug: Given) -> QuerySet[Routine]:
    return Routine.objects.select_related("account").filter(slug=slug)


def test_each_call_has_its_own_values_and_its_own_objects():
    one, two = create_routine(name="One"), create_routine(name="Two")
    assert (by_slug(slug="one"), by_slug(slug="two"), by_slug(slug="three")) == ([one], [two], [])
    assert by_slug(slug="one")[0] is not by_slug(slug="one")[0]


def test_what_has_changed_meanwhile_is_seen(django_assert_num_queries):
    routine = create_routine(name="One")
    by_slug(slug="one")
    Routine.objects.filter(pk=routine.pk).update(purpose="Changed")
    with django_assert_num_queries(1):
        [found] = by_slug(slug="one")
        assert (found.purpose, found.account.label) == ("Changed", routine.account.label)


def test_its_sql_is_made_once():
    made = []

    def build(slug: Given) -> QuerySet[Routine]:
        made.append(slug)
        return Routine.objects.filter(slug=slug)

    once: Prepared[Routine] = prepared.prepared(slug=CharField())(build)
    for _ in range(3):
        once(slug="one")
    assert len(made) == 1


def test_values_are_given_to_the_database_as_its_fields_do_it():
    @prepared.prepared(key=UUIDField(), since=DateTimeField())
    def found(key: Given, since: Given) -> QuerySet[Run, int]:
        return Run.objects.filter(key=key, created_at__gt=since).values_list("pk", flat=True)

    run = create_run()
    earlier, later = run.created_at - timedelta(seconds=1), run.created_at + timedelta(seconds=1)
    assert list(found(key=run.key, since=earlier)) == [run.pk]
    assert list(found(key=run.key, since=later)) == []


def test_nothing_is_not_a_value():
    """`= NULL` is never true: better no answer than one that looks like "there is none"."""
    with pytest.raises(TypeError, match="slug is None"):
        by_slug(slug=None)
    with pytest.raises(KeyError):
        by_slug(name="one")


@pytest.mark.django_db(transaction=True)
def test_threads_use_it_at_the_same_time_over_their_own_connections():
    for at in range(4):
        create_routine(name=f"Number {at}")
    together, seen = threading.Barrier(4), []

    def look(at: int) -> None:
        try:
            together.wait(timeout=10)
            found = {by_slug(slug=f"number-{at}")[0].name for _ in range(50)}
            seen.append((at, found))
        finally:
            connection.close()

    threads = [threading.Thread(target=look, args=[at]) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [(at, {f"Number {at}"}) for at in range(4)]


@pytest.mark.django_db(transaction=True)
def test_a_lock_is_refused_where_it_would_not_last():
    @prepared.prepared(slug=CharField())
    def locked(slug: Given) -> QuerySet[Routine]:
        return Routine.objects.select_for_update().filter(slug=slug)

    routine = create_routine(name="One")
    with transaction.atomic():
        assert locked(slug="one") == [routine]
    if connection.features.has_select_for_update:
        with pytest.raises(TransactionManagementError):
            locked(slug="one")
    else:  # SQLite: the whole database is locked, by whoever writes
        assert locked(slug="one") == [routine]


# --- An UPDATE ---


@prepared.prepared_update("why", "settled_by", "settled_at", pk=BigIntegerField())
def settle(pk: Given) -> QuerySet[Run]:
    return Run.objects.filter(pk=pk, state=State.UNKNOWN)


def test_an_update_sets_what_it_is_given_where_the_queryset_finds_something():
    person, now = create_person(), timezone.now()
    unknown, started = create_run(reason=Reason.NO_ANSWER), create_run()
    assert settle(pk=unknown.pk, why="Told", settled_by=person.pk, settled_at=now) == 1
    unknown.refresh_from_db()
    assert (unknown.why, unknown.settled_by, unknown.settled_at) == ("Told", person, now)
    assert settle(pk=unknown.pk, why="", settled_by=None, settled_at=now) == 1
    unknown.refresh_from_db()
    assert (unknown.why, unknown.settled_by) == ("", None), "a field may be set to nothing"
    assert settle(pk=started.pk, why="Told", settled_by=None, settled_at=None) == 0
    started.refresh_from_db()
    assert started.why == ""
    with pytest.raises(TypeError):
        settle(pk=None, why="", settled_by=None, settled_at=None)
    with pytest.raises(KeyError):
        settle(pk=unknown.pk, why="and the rest forgotten")


# --- An INSERT ---


def test_an_insert_writes_what_save_writes():
    person, routine = create_person(), create_routine()
    values = {"routine": routine, "account": routine.account, "person": person, "text": "“é”"}
    values |= {"field_values": {"a": "b"}, "beta_version": "beta", "api_version": "1"}
    saved, inserted = Run(key=uuid4(), **values), Run(key=uuid4(), **values)
    inserted.created_at = saved.created_at
    saved.save(force_insert=True)
    PreparedInsert(Run)(inserted)
    assert inserted.pk == saved.pk + 1
    assert not inserted._state.adding
    [of_saved, of_inserted] = Run.objects.order_by("pk").values()
    differing = {"id": inserted.pk, "key": inserted.key}
    assert of_inserted == of_saved | differing
    with pytest.raises(IntegrityError), transaction.atomic():
        PreparedInsert(Run)(Run(key=saved.key, **values))
    assert Run.objects.count() == 2


# --- Those of the product ---


def all_prepared() -> dict[str, Prepared[Any]]:
    importlib.import_module(settings.ROOT_URLCONF)  # and so all that a page needs
    modules = [name for name in sys.modules if name.startswith(("routines.", "dashboard."))]
    return {
        f"{module}.{name}": value
        for module in modules
        for name, value in vars(sys.modules[module]).items()
        if isinstance(value, Prepared)
    }


def test_they_find_what_the_plain_querysets_find():
    person, colleague = create_teammate(), create_teammate()
    crew = groups.add("Crew", members=[person], by=None)
    routine = create_routine(template="x")
    registry.set_rules(routine, open_to=[crew], confirmation="off", asks_why=False, by=None)
    create_run(routine=routine, person=colleague, reason=Reason.SESSION_CREATED)
    earlier = timezone.now() - timedelta(hours=1)
    web_session = SessionStore()
    web_session.create()
    of_routine = {"routine": routine.pk, "person": person.pk}
    given: dict[str, dict[str, Any]] = {
        "dashboard.lookups._current": {"slug": routine.slug},
        "dashboard.run_form.form._usable": of_routine,
        "dashboard.sign_in.rights._with_rights": {"pk": person.pk},
        "dashboard.sign_in.session_store._alive": {
            "key": web_session.session_key,
            "now": timezone.now(),
        },
        "routines.runs.firing._locked": {"pk": routine.pk},
        "routines.runs.limits._to_know_of": of_routine
        | dict.fromkeys(("last_hour", "recent", "either"), earlier),
        "routines.runs.limits._used_of_one": {"account": routine.account_id, "since": earlier},
        "routines.models.routine._open_to": {"routine": routine.pk},
    }
    assert given.keys() == all_prepared().keys(), "each one that the product has"
    for name, query in all_prepared().items():
        found = query(**given[name])
        assert found, name
        assert found == list(query._build(**given[name])), name


def test_who_is_signed_in_comes_with_their_rights(django_assert_num_queries):
    teammate, nobody = create_teammate(), create_person()
    with django_assert_num_queries(1):
        person = GroupRightsBackend().get_user(teammate.pk)
        assert person == teammate
        assert person.has_perm("routines.fire_routine")
        assert not person.has_perm("routines.manage_people")
    without = GroupRightsBackend().get_user(nobody.pk)
    assert without == nobody
    assert without.get_all_permissions() == set()
    Person.objects.filter(pk=nobody.pk).update(is_active=False)
    assert GroupRightsBackend().get_user(nobody.pk) is None
    assert GroupRightsBackend().get_user(0) is None
