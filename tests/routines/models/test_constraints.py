"""The tables: what the database itself holds to, and what only stored rows can show."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from routines.models import (
    TOKEN_FIELDS,
    Account,
    Pin,
    Routine,
    Run,
    SavedView,
    Tag,
    TextTemplate,
)
from routines.values.reasons import Reason, State
from routines.values.tokens import Token, TokenUnreadable
from tests.factories import create_person, create_routine, create_run, presser
from tests.routines.models.constraints import (
    CHECKS,
    UNIQUE,
)

pytestmark = pytest.mark.django_db


def update(row: models.Model, values: dict[str, Any]) -> None:
    """Past every check of our own, straight to the database."""
    with transaction.atomic():
        type(row)._default_manager.filter(pk=row.pk).update(**values)


# --- Check constraints: what a row of the table may become, and what not ---


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_lets_the_good_rows_pass(name):
    make, good, _ = CHECKS[name]
    for values in good:
        update(make(), values)


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_stops_the_bad_rows(name):
    make, _, bad = CHECKS[name]
    row = make()
    for values in bad:
        with pytest.raises(IntegrityError, match=name):
            update(row, values)


# --- Unique constraints: the same again fails, and what differs by this much passes ---


@pytest.mark.parametrize("name", UNIQUE)
def test_there_is_one_row_of_a_kind(name):
    table, make, make_others = UNIQUE[name]
    values = make()
    table._default_manager.create(**values)
    with pytest.raises(IntegrityError), transaction.atomic():
        table._default_manager.create(**values)
    for other in make_others():
        table._default_manager.create(**values | other)


@pytest.mark.parametrize(
    ("make", "column"),
    [
        (create_routine, "slug"),
        (create_routine, "routine_id"),
        (create_run, "key"),
        (lambda: Account.objects.create(label=str(uuid4())), "label"),
        (lambda: Tag.objects.create(name=str(uuid4())), "name"),
    ],
    ids=["slug", "routine_id", "key", "account label", "tag name"],
)
def test_no_two_rows_share_it(make, column):
    first, second = make(), make()
    with pytest.raises(IntegrityError):
        update(second, {column: getattr(first, column)})


@pytest.mark.parametrize("session_id", ["session_01Same", "cse_01Same"])
def test_no_two_runs_share_a_session_under_either_of_its_names(session_id):
    create_run(session_id="session_01Same")
    others = create_run(), create_run(reason=Reason.NO_ANSWER), create_run(reason=Reason.SENDING)
    for other in others:
        with pytest.raises(IntegrityError, match="run_session_once"):
            update(other, {"session_id": session_id})
    for other in others:
        update(other, {"session_id": ""})


def test_every_constraint_is_tested_here():
    constraints = {
        constraint.name
        for table in apps.get_app_config("routines").get_models()
        for constraint in table._meta.constraints
    }
    assert constraints == {*CHECKS, *UNIQUE, "run_session_once"}


# --- Stored tokens ---


def test_ciphertext_that_was_moved_to_another_row_does_not_open():
    mine, theirs = create_routine(), create_routine()
    update(mine, {"token_encrypted": theirs.token_encrypted})
    with pytest.raises(TokenUnreadable):
        Routine.objects.get(pk=mine.pk).reveal_token()


def test_a_token_that_a_changed_routine_id_left_behind_does_not_open():
    routine = create_routine()
    update(routine, {"routine_id": "trig_another"})
    with pytest.raises(TokenUnreadable):
        Routine.objects.get(pk=routine.pk).reveal_token()


def test_no_column_holds_a_token_in_plain_text():
    routine = create_routine(token="sk-ant-oat01-plain-text-of-a-token")
    stored = str(Routine.objects.values())
    assert "plain-text-of-a" not in stored
    assert routine.token_last_four == "oken"
    assert "plain-text" not in f"{routine} {routine!r} {vars(routine)}"


def fields_changed_by(routine: Routine, change: Callable[[], None]) -> set[str]:
    names = [field.name for field in Routine._meta.fields]
    before = {name: getattr(routine, name) for name in names}
    change()
    return {name for name in names if getattr(routine, name) != before[name]}


def worn_out(routine: Routine) -> Routine:
    """With something in every column that tells of the token's health."""
    now = timezone.now() - timedelta(hours=1)
    values = dict.fromkeys(("token_accepted_at", "token_rejected_at", "token_rejected_since"), now)
    update(routine, values | {"token_failures": 3, "token_set_at": now})
    return Routine.objects.get(pk=routine.pk)


def test_a_new_token_is_stored_whole_and_starts_afresh():
    routine, person = worn_out(create_routine()), create_person()
    changed = fields_changed_by(
        routine, lambda: routine.set_token(Token("sk-ant-oat01-another"), by=person)
    )
    assert changed == set(TOKEN_FIELDS) - {"token_removed_at"}
    routine.save(update_fields=TOKEN_FIELDS)
    stored = Routine.objects.get(pk=routine.pk)
    assert stored.reveal_token() == Token("sk-ant-oat01-another")
    assert (stored.token_last_four, stored.token_set_by) == ("ther", person)
    assert (stored.token_version, stored.token_failures) == (2, 0)
    assert stored.token_accepted_at is stored.token_rejected_at is None
    assert stored.token_rejected_since is None


def test_a_removed_token_leaves_nothing_of_itself():
    routine = worn_out(create_routine())
    routine.token_set_by = create_person()
    changed = fields_changed_by(routine, routine.remove_token)
    assert changed == set(TOKEN_FIELDS)
    routine.save(update_fields=TOKEN_FIELDS)
    stored = Routine.objects.get(pk=routine.pk)
    assert not stored.has_token
    assert (stored.token_encrypted, stored.token_last_four, stored.token_set_at) == ("", "", None)
    assert stored.token_removed_at is not None
    assert (stored.token_version, stored.token_failures) == (2, 0)


def test_a_token_after_a_removed_one_is_no_longer_removed():
    routine = create_routine()
    routine.remove_token()
    routine.set_token(Token("sk-ant-oat01-another"), by=None)
    assert routine.has_token
    assert routine.token_removed_at is None


# --- What outlives what ---


def test_an_account_with_routines_and_whoever_or_whatever_ran_stay():
    run = create_run()
    for row in (run.routine.account, run.routine, presser(run)):
        with pytest.raises(ProtectedError):
            row.delete()


def test_a_person_who_only_kept_the_registry_may_go():
    person = create_person()
    run = create_run(settled_by=person, outcome_by=person)
    update(run.routine, {"created_by": person, "token_set_by": person})
    person.delete()
    run = Run.objects.select_related("routine").get(pk=run.pk)
    assert run.settled_by is run.outcome_by is None
    assert run.routine.created_by is run.routine.token_set_by is None


def test_templates_and_pins_go_with_their_routine_and_own_templates_with_their_owner():
    routine, person = create_routine(template="shared"), create_person()
    TextTemplate.objects.create(routine=routine, owner=person, name="Mine")
    Pin.objects.create(routine=routine, person=person)
    SavedView.objects.create(person=person, name="Mine")
    person.delete()
    assert [template.name for template in routine.text_templates.all()] == ["The template"]
    assert not SavedView.objects.exists()
    routine.delete()
    assert not TextTemplate.objects.exists()
    assert not Pin.objects.exists()


# --- Runs ---


@pytest.mark.parametrize(
    ("reason", "is_sent"),
    [
        (Reason.SENDING, True),
        (Reason.SESSION_CREATED, True),
        (Reason.SAID_STARTED, True),
        (Reason.NO_ANSWER, True),
        (Reason.PAUSED, False),
        (Reason.SAID_NOT_STARTED, False),
        (Reason.NO_CONNECTION, False),
        (Reason.WAITED_TOO_LONG, False),
    ],
)
def test_what_may_have_made_a_session_counts_as_sent(reason, is_sent):
    create_run(reason=reason)
    assert Run.objects.sent().exists() is is_sent


def test_the_newest_run_is_first_and_of_one_moment_the_last_one_written():
    at = timezone.now()
    runs = [create_run(), create_run(), create_run()]
    Run.objects.update(created_at=at)
    update(runs[0], {"created_at": at + timedelta(microseconds=1)})
    assert list(Run.objects.newest_first()) == [runs[0], runs[2], runs[1]]


def test_only_a_safe_session_url_is_a_link():
    safe = create_run()
    assert safe.session_link == safe.session_url
    odd = create_run(reason=Reason.ODD_SESSION_URL, session_id="x", session_url="javascript:x")
    assert odd.session_link == ""


@pytest.mark.parametrize("reason", Reason)
def test_a_run_says_what_it_is(reason):
    run = Run(reason=reason, state=create_run(reason=reason).state)
    assert run.meaning.state == run.state
    assert run.is_sending is (reason == Reason.SENDING)
    assert run.is_unknown is (run.state == State.UNKNOWN)
    assert run.is_settled_by_people is (reason in (Reason.SAID_STARTED, Reason.SAID_NOT_STARTED))


@pytest.mark.parametrize(
    "routine_id", ["routine_x", "trig_", "trig_a b", "trig_é", "xtrig_a", "trig_a\n", "trig_a/b"]
)
def test_a_routine_id_that_is_none_does_not_validate(routine_id):
    routine = create_routine()
    routine.routine_id = routine_id
    with pytest.raises(ValidationError, match="routine_id"):
        routine.full_clean()
