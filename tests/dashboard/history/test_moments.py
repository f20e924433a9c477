"""A run's page: when it was accepted, claimed, sent and answered, and how its attempts ended."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse

from routines.models import Attempt, Person, Routine, Run
from routines.values.reasons import Reason, State
from tests.dashboard.browsing import Page
from tests.factories import create_run

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def seconds(number: float) -> datetime:
    return NOON + timedelta(seconds=number)


@pytest.fixture
def at_one():
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        yield


@pytest.fixture
def run(at_one: None, routine: Routine, teammate: Person) -> Run:
    return create_run(routine=routine, person=teammate, ago=timedelta(hours=1))


def page(client, run: Run, **values: object) -> Page:
    Run.objects.filter(pk=run.pk).update(**values)
    return Page(client.get(reverse("history_run", args=[run.pk])))


def moments(page: Page) -> dict[str, str]:
    [shown] = page.find("dl", **{"class": "moments"})
    inside = [one for one in page.elements if shown in one.inside]
    names = [one.text for one in inside if one.tag == "dt"]
    return dict(zip(names, [one.text for one in inside if one.tag == "dd"], strict=True))


def test_a_run_that_waited_says_for_how_long(client, run):
    shown = page(
        client,
        run,
        deadline=seconds(600),
        claimed_at=seconds(12),
        sent_at=seconds(12.04),
        settled_at=seconds(14.24),
        http_status=200,
    )
    assert moments(shown) == {
        "Accepted": "12:00:00",
        "Claimed": "12:00:12 after 12 s",
        "Sent": "12:00:12 after 40 ms",
        "Answered": "12:00:14 after 2.2 s",
    }


def test_one_that_was_sent_at_once_says_so(client, run):
    shown = page(client, run, claimed_at=NOON, sent_at=seconds(0.01), settled_at=seconds(0.5))
    assert moments(shown)["Claimed"] == "12:00:00 at once"


def test_one_that_waits_says_until_when_at_the_most(client, run):
    with time_machine.travel(seconds(60), tick=False):
        shown = page(
            client,
            run,
            **{"state": State.ACCEPTED, "reason": Reason.ACCEPTED, "settled_at": None},
            deadline=seconds(600),
            attempt=0,
            claimed_at=None,
        )
    assert moments(shown) == {
        "Accepted": "12:00:00",
        "Waits until": "12:10:00 at the latest",
    }
    for of_an_answer in ("Session none", "HTTP status", "Time to answer", "Text sent"):
        assert not shown.says(of_an_answer)
    assert not shown.says("Run again with this text")


@pytest.mark.parametrize(
    ("reason", "name"),
    [(Reason.CANCELLED, "Cancelled"), (Reason.WAITED_TOO_LONG, "Ended")],
)
def test_one_that_never_left_has_no_such_moments(client, run, reason, name):
    shown = page(
        client,
        run,
        **{"state": State.NOT_SENT, "reason": reason, "settled_at": seconds(180)},
        **{"session_id": "", "session_url": "", "attempt": 0, "claimed_at": None, "sent_at": None},
        deadline=seconds(600),
    )
    assert moments(shown) == {"Accepted": "12:00:00", name: "12:03:00 after 3 minutes"}


def test_a_run_of_old_looks_as_before(client, run):
    shown = page(client, run, deadline=None, claimed_at=None, sent_at=None, attempt=0)
    assert not shown.find("dl", **{"class": "moments"})
    assert not shown.says("Attempts")


def attempt(run: Run, number: int, reason: Reason, **values: object) -> Attempt:
    at = seconds(number * 10)
    return Attempt.objects.create(
        run=run, number=number, claimed_at=at, ended_at=at, reason=reason, **values
    )


def test_attempts_stand_in_a_table_once_there_are_several(client, run):
    attempt(run, 1, Reason.OVERLOADED, http_status=503, request_id="req_first")
    attempt(run, 2, Reason.SESSION_CREATED, http_status=200, request_id="req_second")
    rows = [row.text for row in page(client, run, attempt=2).find("tr")][1:]
    assert rows == [
        "1. 12:00:10 Endpoint overloaded HTTP status 503 Request ID req_first",
        "2. 12:00:20 Session created HTTP status 200 Request ID req_second",
    ]


def test_one_attempt_says_no_more_than_its_run_but_while_the_next_one_is_waited_for(client, run):
    attempt(run, 1, Reason.NO_CONNECTION)
    assert not page(client, run, attempt=1).find("tr")
    waits = {"state": State.ACCEPTED, "reason": Reason.NEXT_ATTEMPT, "settled_at": None}
    shown = page(client, run, **waits, deadline=seconds(9_999), due_at=seconds(9_000))
    [_, row] = shown.find("tr")
    assert row.text == "1. 12:00:10 No connection HTTP status no answer Request ID none"
