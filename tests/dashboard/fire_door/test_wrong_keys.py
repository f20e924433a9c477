"""Wrong keys, by the thousand: slowed down by address, at a bounded cost, and nobody else is."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from dashboard.doors.authentication import opened_by_key, wrong_keys
from dashboard.serving.throttling import Tally
from routines.values import api_keys
from tests.dashboard.fire_door.calling import fire, message
from tests.factories import create_key_and_secret, create_routine

pytestmark = pytest.mark.django_db
WELL_FORMED = api_keys.make().reveal()


@pytest.fixture(autouse=True)
def nothing_counted() -> Iterator[None]:
    wrong_keys.forget()
    yield
    wrong_keys.forget()


@opened_by_key
def door(_request: Any) -> HttpResponse:
    return HttpResponse("open")


def call(key: str, address: str = "192.0.2.1") -> HttpResponse:
    headers = {"Authorization": f"Bearer {key}"}
    return door(RequestFactory().post("/v1/x", headers=headers, REMOTE_ADDR=address))


@pytest.mark.parametrize(
    ("key", "queries"), [("rdk_nonsense", 0), (WELL_FORMED, 1)], ids=["cut", "well formed"]
)
def test_ten_thousand_wrong_keys_cost_no_more_each_than_one(key, queries):
    _, good = create_key_and_secret(create_routine())
    call(good)  # its use is noted
    asked: list[str] = []

    def note(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        asked.append(sql)
        return execute(sql, *more)

    with connection.execute_wrapper(note):
        statuses = [call(key).status_code for _ in range(10_000)]
    assert statuses == [401] * 30 + [429] * 9_970
    assert len(asked) == queries * 10_000
    assert not any("sign_in_cache" in one for one in asked)
    assert call(good).status_code == 200  # from the same address
    assert call(key, "192.0.2.2").status_code == 401
    assert call(key, "2001:db8::1").status_code == 401


def test_whoever_is_slowed_down_is_told_for_how_long(practice):
    routine = create_routine()
    for _ in range(30):
        fire(WELL_FORMED, routine)
    answer = fire(WELL_FORMED, routine)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert answer.json()["error"]["type"] == "rate_limit_error"
    assert "a wrong API key" in message(answer)
    assert practice.requests == 0


def test_the_addresses_of_one_ipv6_network_count_as_one():
    for number in range(30):
        call(WELL_FORMED, f"2001:db8:1:2::{number:x}")
    assert call(WELL_FORMED, "2001:db8:1:2:ffff::1").status_code == 429
    assert call(WELL_FORMED, "2001:db8:1:3::1").status_code == 401


def test_right_and_wrong_keys_are_looked_up_in_the_same_way():
    """By one query for a digest, whatever it finds: how long it takes tells nothing."""
    _, good = create_key_and_secret(create_routine())
    call(good)
    seen = []
    for key in (good, WELL_FORMED):
        with CaptureQueriesContext(connection) as asked:
            call(key)
        seen.append([one["sql"].replace(api_keys.Secret(key).digest, "") for one in asked])
    assert seen[0] == seen[1]


def test_no_key_at_all_is_no_guess():
    for _ in range(40):
        assert door(RequestFactory().post("/v1/x")).status_code == 401


def test_a_wrong_key_is_in_no_log(client: Client, caplog: pytest.LogCaptureFixture):
    fire(WELL_FORMED, "trig_x", client=client)
    assert WELL_FORMED not in caplog.text


# --- The tally ---


def test_a_tally_forgets_when_its_time_is_over(monkeypatch):
    now = 100.0
    monkeypatch.setattr("dashboard.serving.throttling.time.monotonic", lambda: now)
    tally = Tally(tries=2, seconds=60)
    assert [tally.note("a") for _ in range(3)] == [0, 0, 60]
    now = 159.5
    assert tally.note("a") == 1
    now = 160.0
    assert tally.note("a") == 0


def test_a_tally_remembers_no_more_keys_than_it_may():
    tally = Tally(tries=1, seconds=60, most_keys=2)
    tally.note("a")
    assert tally.note("a")
    for other in ("b", "c"):
        tally.note(other)
    assert tally.note("c")
    assert not tally.note("a")
