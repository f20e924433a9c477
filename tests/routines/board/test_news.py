"""What is new since a cursor: pressed or settled, by anybody, told once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from routines.board import news as live
from routines.models import Run
from routines.values.reasons import Reason, State
from tests.factories import create_routine, create_run

pytestmark = pytest.mark.django_db


def settle(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(
        state=State.UNKNOWN, reason=Reason.NO_ANSWER, settled_at=timezone.now()
    )


def told(cursor: live.Cursor) -> tuple[set[int], live.Cursor]:
    """The routines with news, and the cursor after it."""
    news = live.since(cursor)
    return (set(news.routines), news.cursor) if news else (set(), cursor)


def test_there_is_no_news_of_what_is_long_past():
    create_run(ago=timedelta(minutes=1))
    assert live.since(live.start()) is None


def test_a_run_pressed_since_is_told_once():
    cursor = live.start()
    run = create_run()
    routines, cursor = told(cursor)
    assert routines == {run.routine_id}
    assert live.since(cursor) is None


def test_a_run_is_told_again_when_it_is_settled():
    run = create_run(reason=Reason.SENDING, ago=timedelta(seconds=20))
    cursor = live.start()
    assert live.since(cursor) is None
    settle(run)
    routines, cursor = told(cursor)
    assert routines == {run.routine_id}
    assert live.since(cursor) is None


def test_a_run_that_was_pressed_and_settled_between_two_looks_is_told():
    cursor = live.start()
    run = create_run(reason=Reason.SENDING)
    _, cursor = told(cursor)
    settle(run)
    assert told(cursor)[0] == {run.routine_id}


def test_a_run_of_a_host_whose_clock_is_late_is_told():
    """As is one whose transaction ended after another's that began later."""
    cursor = live.start()
    create_run()
    _, cursor = told(cursor)
    late = create_run(ago=timedelta(seconds=5))
    assert late.routine_id in told(cursor)[0]


def test_a_run_pressed_just_before_the_page_was_drawn_is_told_once_at_most():
    run = create_run(ago=timedelta(seconds=1))
    routines, cursor = told(live.start())
    assert routines == {run.routine_id}
    assert live.since(cursor) is None


def test_a_page_that_slept_for_long_is_told_a_bounded_number_of_the_newest(monkeypatch):
    monkeypatch.setattr(live, "_MOST", 2)
    routine = create_routine()
    cursor = live.Cursor(timezone.now() - timedelta(days=3))
    create_run(ago=timedelta(days=2))
    newest = [create_run(ago=timedelta(days=1)), create_run(routine=routine)]
    routines, cursor = told(cursor)
    assert routines == {run.routine_id for run in newest}
    assert live.since(cursor) is None


def test_a_look_is_one_query_on_the_index_of_the_history(django_assert_num_queries):
    create_run(ago=timedelta(days=1))
    with django_assert_num_queries(1) as captured:
        assert live.since(live.start()) is None
    assert "LIMIT" in captured[0]["sql"]


def test_a_cursor_is_read_as_it_was_written():
    create_run()
    _, cursor = told(live.start())
    assert live.read(str(cursor)) == cursor


@pytest.mark.parametrize(
    "cursor", ["", "1", "-", "1-", "-1", "1-g", "x-0", "1-0-0", "1-0\n", "9" * 18 + "-0", "٣-0"]
)
def test_what_is_no_cursor_is_refused(cursor):
    with pytest.raises(live.BadCursor):
        live.read(cursor)


@pytest.mark.parametrize("cursor", ["0-0", "9" * 17 + "-ffffffff"])
def test_the_first_and_the_last_moment_can_be_looked_from(cursor):
    create_run()
    live.since(live.read(cursor))
