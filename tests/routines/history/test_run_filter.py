"""A filter of runs: what an address says, what it finds, and what it refuses with a sentence."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from routines.history.run_filter import BadFilter, RunFilter
from routines.models import Outcome, Run, Tag
from routines.values.periods import Period
from routines.values.reasons import Reason, State
from tests.factories import create_routine, create_run, create_teammate

EXAMPLES = [
    ("", RunFilter()),
    ("q=two+words", RunFilter(q="two words")),
    ("period=last-7-days", RunFilter(period=Period.LAST_7)),
    (
        "from=2026-11-17&to=2026-11-18",
        RunFilter(since=date(2026, 11, 17), until=date(2026, 11, 18)),
    ),
    ("from=2026-11-17T14%3A00", RunFilter(since=datetime(2026, 11, 17, 14))),
    (
        "routine=release-notes&account=Platform",
        RunFilter(routine="release-notes", account="Platform"),
    ),
    ("person=a.b%40c", RunFilter(person="a.b@c")),
    ("api_key=7", RunFilter(api_key=7)),
    ("state=refused&state=unknown", RunFilter(states=(State.REFUSED, State.UNKNOWN))),
    ("reason=paused", RunFilter(reason=Reason.PAUSED)),
    ("outcome=none", RunFilter(outcome="")),
    ("outcome=useful&link=yes", RunFilter(outcome=Outcome.USEFUL, has_link=True)),
    ("link=no&trial=no", RunFilter(has_link=False, trial=False)),
    ("beta=not-sent&api=2023-06-01", RunFilter(beta_version="", api_version="2023-06-01")),
    (
        "beta=b-2026-04-01&tag=nightly&trial=yes",
        RunFilter(beta_version="b-2026-04-01", tag="nightly", trial=True),
    ),
]


@pytest.mark.parametrize(("query", "expected"), EXAMPLES)
def test_an_address_and_a_filter_say_the_same(query, expected):
    assert RunFilter.from_query(query) == expected
    assert expected.query_string() == query
    assert bool(expected) is bool(query)


def test_what_is_no_filter_is_left_alone_and_the_last_of_two_counts():
    read = RunFilter.from_query(
        "before=1-1&person=&q=a&q=b&state=unknown&state=sending&state=unknown"
    )
    assert read == RunFilter(q="b", states=(State.SENDING, State.UNKNOWN))


def test_dates_are_the_closer_answer_than_a_span_by_name():
    read = RunFilter.from_query("period=today&from=2026-11-17")
    assert read == RunFilter(since=date(2026, 11, 17))


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("period=someday", "period"),
        ("api_key=ci", "api_key"),
        ("api_key=0", "api_key"),
        ("api_key=-1", "api_key"),
        ("api_key=7.0", "api_key"),
        ("api_key=%D9%A7", "api_key"),
        (f"api_key={'9' * 19}", "api_key"),
        ("from=2026-02-30", "from"),
        ("from=0001-01-01", "from"),
        ("to=9999-12-31", "to"),
        ("to=tomorrow", "to"),
        ("to=%00", None),
        ("from=2026-11-18&to=2026-11-17", "to"),
        ("state=succeeded", "state"),
        ("reason=weather", "reason"),
        ("outcome=good", "outcome"),
        ("link=1", "link"),
        ("trial=perhaps", "trial"),
        ("person=" + "x" * 300, "person"),
        ("q=" + "x" * 10_000, "q"),
    ],
)
def test_what_cannot_be_is_refused_by_name(query, parameter):
    if parameter is None:
        assert not RunFilter.from_query(query)
        return
    with pytest.raises(BadFilter) as refused:
        RunFilter.from_query(query)
    assert list(refused.value.sentences) == [parameter]


def test_a_part_can_be_taken_away():
    both = RunFilter.from_query("state=refused&state=unknown&tag=nightly")
    assert both.without("state", "refused").query_string() == "state=unknown&tag=nightly"
    assert both.without("tag", "nightly").query_string() == "state=refused&state=unknown"


# --- What it finds ---


@pytest.fixture
def runs(db) -> dict[str, Run]:
    routine = create_routine(name="Release notes", account="Platform")
    routine.tags.add(Tag.objects.create(name="nightly"))
    person = create_teammate(username="someone")
    common: dict[str, Any] = {"beta_version": "b-2026-04-01"}
    return {
        "plain": create_run(routine=create_routine(account="Other"), **common),
        "of the routine": create_run(routine=routine, **common),
        "of the person": create_run(person=person, **common),
        "paused": create_run(reason=Reason.PAUSED, **common),
        "unknown": create_run(reason=Reason.NO_ANSWER, **common),
        "useful": create_run(
            outcome=Outcome.USEFUL, outcome_link="https://example.com/1", **common
        ),
        "without the header": create_run(),
        "a trial": create_run(is_trial=True, **common),
        "of last week": create_run(ago=timedelta(days=8), **common),
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("routine=release-notes", {"of the routine"}),
        ("account=Platform", {"of the routine"}),
        ("tag=nightly", {"of the routine"}),
        ("person=someone", {"of the person"}),
        ("person=nobody", set()),
        ("state=refused&state=unknown", {"paused", "unknown"}),
        ("reason=paused", {"paused"}),
        ("reason=paused&state=unknown", set()),
        ("outcome=useful", {"useful"}),
        ("link=yes", {"useful"}),
        ("beta=not-sent", {"without the header"}),
        ("beta=b-2026-04-01&period=last-7-days&state=unknown", {"unknown"}),
        ("trial=yes", {"a trial"}),
        ("api=2020-01-01", set()),
    ],
)
def test_what_is_given_must_all_hold(runs, query, found):
    applied = RunFilter.from_query(query).apply(Run.objects.all())
    assert {run.pk for run in applied} == {runs[name].pk for name in found}


def test_none_leaves_the_rest(runs):
    no_outcome = RunFilter(outcome="").apply(Run.objects.all())
    assert {run.pk for run in no_outcome} == {run.pk for run in runs.values()} - {runs["useful"].pk}
    assert not RunFilter(trial=False).apply(Run.objects.filter(is_trial=True)).exists()


def test_the_account_is_the_one_of_then(runs):
    routine = runs["of the routine"].routine
    routine.account = runs["plain"].routine.account
    routine.save()
    assert RunFilter(account="Platform").apply(Run.objects.all()).get() == runs["of the routine"]


# --- Days are the reader's ---


@pytest.mark.django_db
def test_a_day_is_one_of_the_zone_that_is_active():
    run = create_run()
    Run.objects.update(created_at=datetime(2026, 11, 17, 23, 30, tzinfo=UTC))
    that_day = RunFilter(since=date(2026, 11, 17), until=date(2026, 11, 17))
    with timezone.override("UTC"):
        assert that_day.apply(Run.objects.all()).get() == run
    with timezone.override("Europe/Berlin"):  # half past midnight of the 18th
        assert not that_day.apply(Run.objects.all()).exists()


WEDNESDAY = datetime(2026, 11, 18, 0, 30, tzinfo=ZoneInfo("Europe/Berlin"))  # the 17th in UTC


@pytest.mark.parametrize(
    ("period", "first", "end"),
    [
        (Period.TODAY, 18, 19),
        (Period.YESTERDAY, 17, 18),
        (Period.LAST_7, 12, 19),
        (Period.THIS_WEEK, 16, 19),
        (Period.THIS_MONTH, 1, 19),
    ],
)
def test_spans_by_name(time_machine, period, first, end):
    time_machine.move_to(WEDNESDAY, tick=False)
    with timezone.override("Europe/Berlin"):
        span = RunFilter(period=period).span
    zone = ZoneInfo("Europe/Berlin")
    assert span.start == datetime(2026, 11, first, tzinfo=zone)
    assert span.end == datetime(2026, 11, end, tzinfo=zone)


def test_a_moment_ends_just_before_itself():
    with timezone.override("UTC"):
        span = RunFilter.from_query("from=2026-11-17T14:00&to=2026-11-17T15:00").span
    assert span.start == datetime(2026, 11, 17, 14, tzinfo=UTC)
    assert span.end == datetime(2026, 11, 17, 15, tzinfo=UTC)
