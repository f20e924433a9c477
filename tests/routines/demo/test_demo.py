from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Model
from django.utils import timezone

from routines import demo
from routines.callers import idempotency, likely_retries
from routines.demo.past_runs import DAYS
from routines.models import ApiKey, AuditEvent, Person, Routine, Run, TextTemplate
from routines.people import roles
from routines.practice_api import PracticeApi
from routines.runs import rules
from routines.values import session_links
from routines.values.reasons import OPEN, State

pytestmark = pytest.mark.django_db


def contents() -> list[list[Any]]:
    tables: list[type[Model]] = [Person, Routine, TextTemplate, Run, AuditEvent]
    return [list(table._default_manager.order_by("pk").values()) for table in tables]


def test_a_second_start_keeps_the_data_and_adds_nothing():
    assert demo.seed()
    Routine.objects.filter(name="Release notes").update(name="Notes")
    before = contents()
    assert not demo.seed()
    assert contents() == before


def test_one_person_a_role_called_by_it_who_can_sign_in():
    demo.seed()
    for expected in demo.PEOPLE:
        person = Person.objects.get(username=expected.username)
        assert str(person) == expected.role.label
        assert person.check_password(demo.PASSWORD)
        assert [group.name for group in person.groups.all()] == [expected.role]


def test_five_routines_that_the_practice_api_knows():
    demo.seed()
    routines = Routine.objects.prefetch_related("text_templates")
    assert [routine.name for routine in routines] == [
        "Alert triage",
        "Ask for a change",
        "Deploy verification",
        "Release notes",
        "Slow practice routine",
    ]
    for routine in routines:
        assert routine.reveal_token().reveal() == PracticeApi().token_for(routine.routine_id)
    for routine in routines[:4]:
        assert routine.text_templates.all()
        assert "routine-fire-payload" in routine.purpose


def test_one_that_is_pressed_at_a_click_and_takes_its_time():
    """Forty clicks, as fast as one can: then runs wait."""
    demo.seed()
    slow = Routine.objects.get(name="Slow practice routine")
    assert slow.routine_id == "trig_practice_slow"
    assert not slow.text_templates.exists()


def test_there_are_runs_in_every_state_that_lasts():
    demo.seed()
    states = set(Run.objects.values_list("state", flat=True))
    assert states == set(State) - set(OPEN)
    assert Run.objects.values("reason").distinct().count() > 15


def test_the_runs_are_of_the_last_weeks_and_in_order():
    demo.seed()
    runs = list(Run.objects.order_by("pk"))
    moments = [run.created_at for run in runs]
    assert moments == sorted(moments)
    assert 450 <= len(runs) <= 550
    assert timezone.now() - timedelta(days=DAYS + 1) < moments[0]
    assert all(run.settled_at and run.settled_at < timezone.now() for run in runs)
    assert max(Routine.objects.values_list("created_at", flat=True)) < moments[0]


def test_every_run_was_made_by_somebody_who_may_and_is_whole():
    demo.seed()
    may_be_empty = [field.name for field in Run._meta.fields if field.null]
    for run in Run.objects.select_related("person", "api_key__person"):
        run.full_clean(exclude=may_be_empty)
        assert rules.fireable(run).exists()
        assert run.meaning.state == run.state
        assert run.text
        if run.session_url:
            assert session_links.is_safe(run.session_url)
            assert run.session_url == f"https://claude.ai/code/{run.session_id}"


@pytest.mark.parametrize("url", ["https://api.anthropic.com", "https://127.0.0.1.example.com"])
def test_refuses_an_endpoint_that_is_not_on_this_machine(settings, url):
    settings.CLAUDE_API_BASE_URL = url
    with pytest.raises(CommandError, match="CLAUDE_API_BASE_URL"):
        call_command("seed_demo")
    assert not Person.objects.exists()


def test_refuses_a_database_in_use():
    roles.give(Person.objects.create_user("somebody"), roles.Role.ADMIN)
    with pytest.raises(CommandError, match="in use"):
        call_command("seed_demo")
    assert not Routine.objects.exists()


def test_says_who_may_sign_in(capsys):
    call_command("seed_demo")
    told = capsys.readouterr().out
    assert all(person.username in told for person in demo.PEOPLE)
    assert demo.PASSWORD in told


def test_a_caller_that_sends_an_idempotency_key_one_that_does_not_and_a_persons_own():
    demo.seed()
    pipeline, script, own = (
        ApiKey.objects.get(name=name)
        for name in ("Deploy pipeline", "Old monitoring script", "Script on my laptop")
    )
    assert (pipeline.sends_idempotency_key, script.sends_idempotency_key) == (True, False)
    assert own.person == Person.objects.get(username="teammate")
    for run in pipeline.runs.all():
        assert run.key == idempotency.run_key(pipeline, run.idempotency_key)
    assert pipeline.runs.count() == 41
    assert likely_retries.of(script) == likely_retries.Retries(calls=31, repeated=3, sessions=3)
