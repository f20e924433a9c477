"""What is new since a cursor: pressed or settled, by anybody, told once."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from routines.board import news
from routines.models import Run
from routines.runs import queue
from routines.values.reasons import Reason, State
from tests.factories import create_routine, create_run, create_teammate, presser

pytestmark = pytest.mark.django_db


def settle(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(
        state=State.UNKNOWN, reason=Reason.NO_ANSWER, settled_at=timezone.now()
    )


def look(cursor: news.Cursor) -> tuple[set[int], news.Cursor]:
    """The routines with news, and the cursor after it."""
    found = news.since(cursor)
    if found is None:
        return set(), cursor
    assert found.routines is not None
    return set(found.routines), found.cursor


def test_there_is_no_news_of_what_is_long_past():
    create_run(ago=timedelta(minutes=1))
    assert news.since(news.start()) is None


def test_a_run_pressed_since_is_told_once():
    cursor = news.start()
    run = create_run()
    routines, cursor = look(cursor)
    assert routines == {run.routine_id}
    assert news.since(cursor) is None


def test_a_run_is_told_again_when_it_is_settled():
    run = create_run(reason=Reason.SENDING, ago=timedelta(seconds=20))
    cursor = news.start()
    assert news.since(cursor) is None
    settle(run)
    routines, cursor = look(cursor)
    assert routines == {run.routine_id}
    assert news.since(cursor) is None


@pytest.mark.parametrize("waited", [timedelta(minutes=9), timedelta(hours=24)])
@pytest.mark.parametrize("was_sent", [True, False], ids=["sent", "cancelled"])
def test_a_run_that_waited_for_long_is_told_when_it_is_settled(waited, was_sent):
    run = create_run(reason=Reason.ACCEPTED, ago=waited)
    create_run(ago=waited)  # sent at once, long ago
    cursor = news.start()
    assert news.since(cursor) is None
    if was_sent:
        now = timezone.now()
        Run.objects.filter(pk=run.pk).update(
            **{"state": State.STARTED, "reason": Reason.SESSION_CREATED, "session_id": "session_1"},
            **{"attempt": 1, "claimed_at": now, "sent_at": now, "settled_at": now},
        )
    else:
        assert queue.cancel(run, by=presser(run))
    routines, cursor = look(cursor)
    assert routines == {run.routine_id}
    assert news.since(cursor) is None


def test_a_look_at_many_runs_goes_by_indexes_alone():
    """However many there are, sent at once or waited."""
    with CaptureQueriesContext(connection) as captured:
        news.since(news.start())
    [query] = captured
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # it would be cheaper for no rows
        explain = "EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN "
        cursor.execute(explain + query["sql"])
        plan = " ".join(str(row) for row in cursor.fetchall())
    assert "run_history" in plan
    assert "run_waited" in plan
    assert "SCAN routines_run" not in plan
    assert "Seq Scan" not in plan


def test_a_run_that_was_pressed_and_settled_between_two_looks_is_look():
    cursor = news.start()
    run = create_run(reason=Reason.SENDING)
    _, cursor = look(cursor)
    settle(run)
    assert look(cursor)[0] == {run.routine_id}


def test_a_run_of_a_host_whose_clock_is_late_is_look():
    """As is one whose transaction ended after another's that began later."""
    cursor = news.start()
    create_run()
    _, cursor = look(cursor)
    late = create_run(ago=timedelta(seconds=5))
    assert late.routine_id in look(cursor)[0]


def test_a_run_pressed_just_before_the_page_was_drawn_is_told_once_at_most():
    run = create_run(ago=timedelta(seconds=1))
    routines, cursor = look(news.start())
    assert routines == {run.routine_id}
    assert news.since(cursor) is None


def test_after_more_runs_than_are_looked_at_it_may_be_any_routine():
    """None is passed over: a page that missed so much is drawn anew."""
    cursor = news.Cursor(timezone.now() - timedelta(days=3))
    create_run(ago=timedelta(days=2))
    routine, person = create_routine(), create_teammate()
    for _ in range(101):
        create_run(routine=routine, person=person, ago=timedelta(hours=1))
    found = news.since(cursor)
    assert found is not None
    assert found.routines is None
    assert news.since(found.cursor) is None


def test_a_look_is_one_query(django_assert_num_queries):
    create_run(ago=timedelta(days=1))
    with django_assert_num_queries(1):
        assert news.since(news.start()) is None


def test_a_cursor_is_read_as_it_was_written():
    create_run()
    _, cursor = look(news.start())
    assert news.read(str(cursor)) == cursor


@pytest.mark.parametrize(
    "cursor", ["", "1", "-", "1-", "-1", "1-g", "x-0", "1-0-0", "1-0\n", "9" * 18 + "-0", "٣-0"]
)
def test_what_is_no_cursor_is_refused(cursor):
    with pytest.raises(news.BadCursor):
        news.read(cursor)


@pytest.mark.parametrize("cursor", ["0-0", "9" * 17 + "-ffffffff"])
def test_the_first_and_the_last_moment_can_be_looked_from(cursor):
    create_run()
    news.since(news.read(cursor))
