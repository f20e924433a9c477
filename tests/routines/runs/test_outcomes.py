"""What people say came of a run: who may, what is kept, what is refused."""

from datetime import timedelta

import pytest

from routines.models import AuditEvent, Outcome, Person, Run
from routines.runs import outcomes
from routines.values.reasons import Reason
from tests.factories import create_manager, create_run, create_teammate

pytestmark = pytest.mark.django_db
PULL_REQUEST = "https://github.com/example/app/pull/7"


@pytest.fixture
def person() -> Person:
    return create_teammate()


@pytest.fixture
def run(person) -> Run:
    return create_run(person=person)


def trail() -> list[tuple[str, dict[str, list]]]:
    return [
        (event.person_name, event.changes)
        for event in AuditEvent.objects.filter(action="run_marked").order_by("pk")
    ]


def said(run: Run) -> tuple[str, str, str, Person | None]:
    run = Run.objects.get(pk=run.pk)
    return run.outcome, run.outcome_note, run.outcome_link, run.outcome_by


def test_an_outcome_is_kept_with_who_said_so_and_traced(run, person):
    outcomes.mark(run, Outcome.USEFUL, by=person)
    assert said(run) == ("useful", "", "", person)
    assert Run.objects.get().outcome_at is not None
    assert trail() == [(str(person), {"run": [run.pk, run.pk], "outcome": ["", "useful"]})]


def test_a_change_of_mind_keeps_note_and_link_and_leaves_its_trace(run, person):
    manager = create_manager()
    outcomes.mark(run, Outcome.USEFUL, by=person)
    outcomes.describe(run, note=" Merged. ", link=PULL_REQUEST, by=person)
    outcomes.mark(run, Outcome.FAILED, by=manager)
    assert said(run) == ("failed", "Merged.", PULL_REQUEST, manager)
    of_run = {"run": [run.pk, run.pk]}
    assert trail()[1:] == [
        (str(person), of_run | {"note": ["", "Merged."], "link": ["", PULL_REQUEST]}),
        (str(manager), of_run | {"outcome": ["useful", "failed"]}),
    ]


def test_taking_back_leaves_nothing_but_the_trace(run, person):
    outcomes.mark(run, Outcome.NOT_USEFUL, by=person)
    outcomes.describe(run, note="No.", link="", by=person)
    outcomes.take_back(run, by=person)
    assert said(run) == ("", "", "", None)
    assert Run.objects.get().outcome_at is None
    assert trail()[-1][1] == {
        "run": [run.pk, run.pk],
        "outcome": ["not_useful", ""],
        "note": ["No.", ""],
    }


def test_saying_the_same_again_is_no_change(run, person):
    outcomes.mark(run, Outcome.USEFUL, by=person)
    outcomes.mark(run, Outcome.USEFUL, by=create_manager())
    assert said(run) == ("useful", "", "", person)
    assert len(trail()) == 1


def test_who_may_not_see_a_run_may_not_mark_it(run):
    for change in (
        lambda by: outcomes.mark(run, Outcome.FAILED, by=by),
        lambda by: outcomes.describe(run, note="x", link="", by=by),
        lambda by: outcomes.take_back(run, by=by),
    ):
        with pytest.raises(outcomes.NotYours):
            change(create_teammate())
    assert said(run) == ("", "", "", None)


@pytest.mark.parametrize(
    "reason", [Reason.PAUSED, Reason.NO_ANSWER, Reason.WAITED_TOO_LONG, Reason.SENDING]
)
def test_nothing_can_have_come_of_a_run_without_a_session(person, reason):
    run = create_run(person=person, reason=reason)
    with pytest.raises(outcomes.CannotBeMarked):
        outcomes.mark(run, Outcome.USEFUL, by=person)
    assert said(run) == ("", "", "", None)


def test_a_note_needs_an_outcome(run, person):
    with pytest.raises(outcomes.CannotBeMarked):
        outcomes.describe(run, note="What of it?", link="", by=person)


@pytest.mark.parametrize(
    "link",
    [
        *("http://github.com/x", "javascript:alert(1)", "github.com/x", "https://", "//x.example"),
        *("https://github.com@evil.example/x", "https://exa mple.com", "data:text/html,x"),
    ],
)
def test_a_link_is_the_https_address_of_a_page(run, person, link):
    outcomes.mark(run, Outcome.USEFUL, by=person)
    with pytest.raises(outcomes.LinkRefused, match="https://"):
        outcomes.describe(run, note="", link=link, by=person)
    assert said(run) == ("useful", "", "", person)


# --- The reminder ---


def test_the_reminder_names_ones_own_runs_of_the_last_days_newest_first(person):
    older = create_run(person=person, ago=timedelta(days=2))
    newer = create_run(person=person, ago=timedelta(hours=1))
    create_run(person=person, ago=timedelta(days=4))
    create_run(person=person, ago=timedelta(minutes=1))
    create_run(person=person, ago=timedelta(hours=1), reason=Reason.PAUSED)
    create_run(person=person, ago=timedelta(hours=1), is_trial=True)
    create_run(person=person, ago=timedelta(hours=1), outcome=Outcome.FAILED)
    create_run(ago=timedelta(hours=1))
    assert outcomes.reminders(person) == [newer, older]


def test_the_reminder_is_short(person):
    for hours in range(1, 9):
        create_run(person=person, ago=timedelta(hours=hours))
    assert len(outcomes.reminders(person)) == 5
