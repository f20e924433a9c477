"""Browsing runs: page by page by key, and whose runs are seen at all."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from routines.history import pages
from routines.history.run_filter import RunFilter
from routines.keyset import BadCursor, Page
from routines.models import Person, Run
from routines.registry import header_versions
from routines.values.reasons import Reason, State
from tests.factories import (
    create_admin,
    create_manager,
    create_person,
    create_routine,
    create_run,
    create_teammate,
)

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def manager() -> Person:
    return create_manager()


def create_runs(*moments: timedelta) -> list[int]:
    """One run each, so long after noon; their primary keys, in the order of the history."""
    routine, person = create_routine(), create_teammate()
    Run.objects.bulk_create(
        Run(
            key=uuid4(),
            routine=routine,
            person=person,
            api_version=header_versions.API_VERSION,
            created_at=NOON + moment,
            settled_at=NOON + moment,
            state=State.REFUSED,
            reason=Reason.PAUSED,
        )
        for moment in moments
    )
    rows = Run.objects.values_list("created_at", "pk")
    return [pk for _, pk in sorted(rows, reverse=True)]


def pks(page: Page) -> list[int]:
    return [run.pk for run in page.rows]


def walk(person: Person, *, size: int) -> list[Page]:
    """From the newest page to the oldest."""
    walked = [pages.page(person, size=size)]
    while walked[-1].older:
        walked.append(pages.page(person, before=walked[-1].older, size=size))
    return walked


SAME = timedelta(0)
SPREAD = [timedelta(seconds=number) for number in range(7)]
MICROSECONDS = [timedelta(microseconds=number) for number in range(7)]
SETS = {
    "spread": SPREAD,
    "one moment": [SAME] * 7,
    "ties across the edges": [SAME, SAME, SPREAD[1], SPREAD[1], SPREAD[1], SPREAD[1], SPREAD[2]],
    "microseconds apart": MICROSECONDS,
    "written in the other order": SPREAD[::-1],
}


@pytest.mark.parametrize("size", [1, 2, 3, 6, 7, 8])
@pytest.mark.parametrize("moments", SETS.values(), ids=SETS)
def test_the_pages_hold_every_run_once_newest_first_in_both_directions(manager, moments, size):
    expected = create_runs(*moments)
    walked = walk(manager, size=size)
    assert [pk for page in walked for pk in pks(page)] == expected
    assert [len(page.rows) for page in walked[:-1]] == [size] * (len(walked) - 1)
    assert walked[0].newer is None
    assert walked[-1].older is None

    for at in range(len(walked) - 1, 0, -1):
        newer = walked[at].newer
        assert newer is not None
        back = pages.page(manager, after=newer, size=size)
        assert pks(back) == pks(walked[at - 1])
        assert (back.newer is None) is (at == 1)
        assert back.older is not None
        assert pks(pages.page(manager, before=back.older, size=size)) == pks(walked[at])


def test_a_run_that_arrives_meanwhile_shifts_no_page(manager):
    expected = create_runs(*SPREAD[:4])
    first = pages.page(manager, size=2)
    assert first.older is not None
    create_run()
    assert pks(pages.page(manager, before=first.older, size=2)) == expected[2:]


def test_a_first_page_that_would_be_a_stub_is_filled_up(manager):
    expected = create_runs(*SPREAD[:5])
    second = walk(manager, size=2)[1]
    newest = create_run()
    assert second.newer is not None
    # Three runs are newer: one page of two, and then a whole first page instead of one run.
    newer = pages.page(manager, after=second.newer, size=2)
    assert pks(newer) == expected[:2]
    assert newer.newer is not None
    assert pks(pages.page(manager, after=newer.newer, size=2)) == [newest.pk, expected[0]]


def test_the_edge_of_a_page_may_be_a_run_that_is_gone(manager):
    expected = create_runs(*SPREAD[:4])
    first = pages.page(manager, size=2)
    assert first.older is not None
    Run.objects.filter(pk=expected[1]).delete()
    assert pks(pages.page(manager, before=first.older, size=2)) == expected[2:]


def test_an_empty_history_is_one_empty_page(manager):
    assert pages.page(manager) == Page(rows=[], newer=None, older=None)
    assert pages.page(manager, after="1-1") == Page(rows=[], newer=None, older=None)
    assert pages.page(manager, before="1-1").rows == []


@pytest.mark.parametrize(
    "cursor",
    [
        *(
            "x",
            "1",
            "-",
            "1-",
            "-1",
            "1-x",
            "x-1",
            "1--1",
            "1-1-1",
            " 1-1",
            "1-1 ",
            "1.0-1",
            "+1-1",
        ),
        *("٣-1", "1-²", "1-1\n", "9" * 18 + "-1", "1-" + "9" * 19, "1_0-1"),
    ],
)
def test_a_cursor_of_another_make_is_refused(manager, cursor):
    with pytest.raises(BadCursor):
        pages.page(manager, before=cursor)
    with pytest.raises(BadCursor):
        pages.page(manager, after=cursor)


@pytest.mark.parametrize("cursor", ["0-0", "9" * 17 + "-1", "1-" + "9" * 18])
@pytest.mark.parametrize("q", ["", "deploy"])
def test_a_cursor_at_the_edge_of_time_finds_what_there_is(manager, cursor, q):
    run, asked = create_run(text="deploy"), RunFilter(q=q)
    found = {
        *pks(pages.page(manager, asked, before=cursor)),
        *pks(pages.page(manager, asked, after=cursor)),
    }
    assert found == {run.pk}


@pytest.mark.parametrize("dates", ["from=9999-12-29", "to=1970-01-02"])
def test_a_search_in_days_of_which_no_run_is_finds_nothing(manager, dates):
    create_run(text="deploy")
    asked = RunFilter.from_query(f"q=deploy&{dates}")
    assert pks(pages.page(manager, asked)) == []


def test_a_search_until_the_last_day_there_is_finds_all(manager):
    run = create_run(text="deploy")
    asked = RunFilter.from_query("q=deploy&from=1970-01-02&to=9999-12-29")
    assert pks(pages.page(manager, asked)) == [run.pk]


# --- Whose runs ---


def test_who_may_see_all_runs_sees_all_and_everybody_else_their_own():
    teammate, other = create_teammate(), create_teammate()
    mine, theirs = create_run(person=teammate), create_run(person=other)
    for person, expected in (
        (create_manager(), [theirs.pk, mine.pk]),
        (create_admin(), [theirs.pk, mine.pk]),
        (teammate, [mine.pk]),
        (other, [theirs.pk]),
        (create_person(), []),
    ):
        assert pks(pages.page(person)) == expected


def test_a_cursor_shows_nobody_elses_runs():
    teammate = create_teammate()
    runs = [create_run(person=teammate, ago=timedelta(minutes=at)) for at in (1, 3, 5)]
    for at in (2, 4):
        create_run(ago=timedelta(minutes=at))
    walked = walk(teammate, size=1)
    assert [pks(page) for page in walked] == [[run.pk] for run in runs]
    assert walked[2].newer is not None
    assert pks(pages.page(teammate, after=walked[2].newer, size=1)) == [runs[1].pk]


# --- What a page costs ---


@pytest.mark.parametrize("runs", [1, 30])
def test_a_page_takes_three_queries_with_all_it_shows(manager, django_assert_num_queries, runs):
    for _ in range(runs):
        create_run()
    manager.has_perm("routines.view_all_runs")  # asked once a request
    with django_assert_num_queries(3):
        shown = [f"{run.routine} {run.caller}" for run in pages.page(manager).rows]
    assert len(shown) == runs


def test_a_page_settles_what_is_overdue(manager):
    run = create_run(reason=Reason.SENDING, ago=timedelta(hours=1))
    [shown] = pages.page(manager).rows
    assert (shown.pk, shown.reason) == (run.pk, Reason.INTERRUPTED)
