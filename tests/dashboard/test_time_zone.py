"""Times are shown in the reader's own zone, which their browser tells in a cookie."""

from datetime import UTC, datetime

import pytest
import time_machine

from dashboard.templatetags.dashboard import when
from routines.models import Run
from tests.dashboard.browsing import Page
from tests.factories import create_run

PRESSED = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)


@pytest.fixture
def run(routine, teammate) -> Run:
    run = create_run(routine=routine, person=teammate)
    Run.objects.update(created_at=PRESSED)
    return run


def shown(client, run, **headers):
    return Page(client.get(f"/history/{run.pk}/", headers=headers)).find("time")[0]


@pytest.mark.parametrize(
    ("zone", "text", "exact"),
    [
        ("Asia/Tokyo", "29 Mar 2026 08:30", "Sunday, 29 March 2026, 08:30:00 JST"),
        ("America/New_York", "28 Mar 2026 19:30", "Saturday, 28 March 2026, 19:30:00 EDT"),
        ("UTC", "28 Mar 2026 23:30", "Saturday, 28 March 2026, 23:30:00 UTC"),
    ],
)
def test_times_are_the_readers_with_the_exact_one_on_hover(client, run, zone, text, exact):
    client.cookies["time_zone"] = zone
    with time_machine.travel(datetime(2027, 6, 1, tzinfo=UTC)):
        client.force_login(run.person)
        time = shown(client, run)
    assert time.text == text
    assert time.attributes["title"] == exact
    assert datetime.fromisoformat(time.attributes["datetime"]) == PRESSED


@pytest.mark.parametrize(
    "cookie", ["", "Nowhere/Land", "../../../etc/passwd", "/etc/localtime", "posix", "x\x00", "é"]
)
def test_an_odd_cookie_means_utc(client, run, cookie):
    # Not through the client's cookies, which refuse to be made so: a browser may send anything.
    sent = f"sessionid={client.cookies['sessionid'].value}; time_zone={cookie}"
    assert shown(client, run, Cookie=sent).attributes["title"].endswith("UTC")


def test_without_a_cookie_times_are_in_utc(client, run):
    assert shown(client, run).attributes["title"].endswith("23:30:00 UTC")


def test_one_readers_zone_does_not_reach_the_next(client, run):
    client.cookies["time_zone"] = "Asia/Tokyo"
    shown(client, run)
    del client.cookies["time_zone"]
    assert shown(client, run).attributes["title"].endswith("UTC")


@pytest.mark.parametrize(
    ("now", "text"),
    [
        (datetime(2026, 3, 28, 23, 59, tzinfo=UTC), "23:30"),
        (datetime(2026, 3, 29, 0, 1, tzinfo=UTC), "28 Mar 23:30"),
        (datetime(2027, 1, 1, tzinfo=UTC), "28 Mar 2026 23:30"),
    ],
    ids=["today", "this year", "another year"],
)
def test_a_time_is_as_short_as_can_be(now, text):
    with time_machine.travel(now):
        assert f">{text}</time>" in when(PRESSED)
