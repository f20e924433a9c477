"""Guess a password twenty times, and see what happens to you and to your victim."""

from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from routines.models import Person
from tests.dashboard.browsing import Page
from tests.factories import PASSWORD, create_teammate

GUESSER, VICTIM, OFFICE = "203.0.113.66", "198.51.100.7", "198.51.100.200"


@pytest.fixture
def victim(db) -> Person:
    return create_teammate(username="victim")


def tries(client: Client, password: str, *, at: str, username: str = "victim") -> bool:
    """Whether it signs in; whoever is signed in is signed out before."""
    client.post("/sign-out/")
    form = {"login": username, "password": password}
    client.post("/sign-in/", form, headers={"X-Forwarded-For": at})
    return "_auth_user_id" in client.session


def guess(times: int, *, at: str, username: str = "victim") -> Client:
    client = Client()
    for number in range(times):
        assert not tries(client, f"guess {number}", at=at, username=username)
    return client


def test_after_twenty_guesses_even_the_right_one_is_refused_there(victim):
    guesser = guess(20, at=GUESSER)
    assert not tries(guesser, PASSWORD, at=GUESSER)
    form = {"login": "victim", "password": PASSWORD}
    response = guesser.post("/sign-in/", form, headers={"X-Forwarded-For": GUESSER})
    assert Page(response).says("Too many wrong passwords. Wait five minutes, then try once more.")


def test_the_victim_signs_in_elsewhere_as_if_nothing_had_happened(victim):
    guess(20, at=GUESSER)
    assert tries(Client(), PASSWORD, at=VICTIM)


def test_a_victim_at_the_guessers_own_address_signs_in_in_their_own_browser(victim):
    own = Client()
    assert tries(own, PASSWORD, at=OFFICE)
    guess(20, at=OFFICE)
    assert tries(own, PASSWORD, at=OFFICE)


def test_even_in_a_new_browser_there_it_is_over_in_minutes(victim):
    guess(20, at=OFFICE)
    assert not tries(Client(), PASSWORD, at=OFFICE)
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
        assert tries(Client(), PASSWORD, at=OFFICE)


def test_a_colleague_at_the_guessers_address_is_not_held_up(victim):
    create_teammate(username="colleague")
    guess(20, at=OFFICE)
    assert tries(Client(), PASSWORD, at=OFFICE, username="colleague")


def test_many_addresses_together_are_slowed_down_and_the_victims_browser_is_not(victim):
    own = Client()
    assert tries(own, PASSWORD, at=VICTIM)
    for number in range(10):
        guess(5, at=f"203.0.113.{number}")
    assert not tries(Client(), PASSWORD, at="203.0.113.99")
    assert tries(own, PASSWORD, at=VICTIM)


def test_guessing_in_a_stolen_known_browser_is_slowed_down_too(victim):
    own = Client()
    assert tries(own, PASSWORD, at=VICTIM)
    for number in range(5):
        assert not tries(own, f"guess {number}", at=f"203.0.113.{number}")
    assert not tries(own, PASSWORD, at="203.0.113.99")


def test_one_persons_browser_is_no_way_to_another_persons_password(victim):
    create_teammate(username="insider")
    insider = Client()
    assert tries(insider, PASSWORD, at=OFFICE, username="insider")
    for number in range(5):
        tries(insider, f"guess {number}", at=OFFICE)
    assert not tries(insider, PASSWORD, at=OFFICE)


def test_a_made_up_cookie_makes_no_known_browser(victim):
    guesser = guess(5, at=GUESSER)
    guesser.cookies["known_browser"] = "WyJ4IixbXV0:1:x"
    assert not tries(guesser, PASSWORD, at=GUESSER)


def test_one_address_cannot_go_through_everybody(db):
    create_teammate(username="last")
    for number in range(30):
        guess(1, at=GUESSER, username=f"person {number}")
    assert not tries(Client(), PASSWORD, at=GUESSER, username="last")


def test_signing_in_rightly_uses_nothing_up(victim):
    client = Client()
    for _ in range(40):
        assert tries(client, PASSWORD, at=VICTIM)


@pytest.mark.parametrize("forwarded", ["1.2.3.4", "1.2.3.4, 5.6.7.8"])
def test_a_made_up_forwarded_address_starts_no_new_count(victim, forwarded):
    """Only what the trusted proxy itself has added, at the end, is believed."""
    for number in range(5):
        tries(Client(), f"guess {number}", at=f"9.9.9.{number}, {GUESSER}")
    assert not tries(Client(), PASSWORD, at=f"{forwarded}, {GUESSER}")


def test_without_a_trusted_proxy_no_forwarded_address_is_believed(victim, settings):
    settings.TRUSTED_PROXIES = []
    for number in range(5):
        tries(Client(), f"guess {number}", at=f"203.0.113.{number}")
    assert not tries(Client(), PASSWORD, at="203.0.113.99")


def test_another_address_of_the_same_ipv6_network_starts_no_new_count(victim):
    for number in range(5):
        guess(1, at=f"2001:db8:0:1::{number}")
    assert not tries(Client(), PASSWORD, at="2001:db8:0:1::99")
    assert tries(Client(), PASSWORD, at="2001:db8:0:2::99")


def test_guesses_at_the_same_moment_are_all_counted(victim, monkeypatch):
    """Each of them sees the counts as they were before the others."""
    monkeypatch.setattr(cache, "get_many", lambda keys, version=None: {})
    guess(5, at=GUESSER)
    assert not tries(Client(), PASSWORD, at=GUESSER)


def test_the_counts_are_where_all_processes_see_them(victim):
    guess(1, at=GUESSER)
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM sign_in_cache WHERE cache_key LIKE '%account%'")
        assert cursor.fetchone()[0] >= 2


# --- The known browser's cookie ---


def test_the_cookie_names_nobody(victim):
    client = Client()
    tries(client, PASSWORD, at=VICTIM)
    cookie = client.cookies["known_browser"]
    assert cookie.value
    assert "victim" not in cookie.value


def test_another_spelling_of_the_same_name_starts_no_new_count(victim):
    """PostgreSQL finds `victim` by each of these: to it a dotless i is an I in capitals."""
    for username in ("victim", "VICTIM", "v\u0131ctim", "vict\u0131m", "v\u0131ct\u0131m"):
        guess(1, at="203.0.113.9", username=username)
    assert not tries(Client(), PASSWORD, at="203.0.113.9")


def said(client: Client, *, at: str) -> Page:
    form = {"login": "victim", "password": PASSWORD}
    return Page(client.post("/sign-in/", form, headers={"X-Forwarded-For": at}))


def test_the_hour_for_a_new_browser_is_said_and_is_one(victim):
    """As docs/sign-in.md has it: guessed from everywhere, it is not over in five minutes."""
    own = Client()
    assert tries(own, PASSWORD, at=VICTIM)
    for number in range(10):
        guess(5, at=f"203.0.113.{number}")
    new = Client()
    for _ in range(7):  # it stays the hour, however often one tries
        assert said(new, at=VICTIM).says("In a browser that is new to it, wait an hour")
    assert tries(own, PASSWORD, at=VICTIM)
    later = timezone.now() + timedelta(minutes=59)
    with time_machine.travel(later):
        assert not tries(Client(), PASSWORD, at=VICTIM)
    with time_machine.travel(later + timedelta(minutes=1, seconds=30)):
        assert tries(Client(), PASSWORD, at=VICTIM)


def test_where_two_limits_are_reached_the_longer_one_is_said(victim):
    for number in range(10):
        guess(5, at=f"203.0.113.{number}")
    assert said(Client(), at="203.0.113.0").says("wait an hour")


def test_an_address_that_tries_many_names_is_told_ten_minutes(victim):
    for number in range(6):
        guess(5, at=OFFICE, username=f"name-{number}")
    assert said(Client(), at=OFFICE).says("Wait ten minutes")
    with time_machine.travel(timezone.now() + timedelta(minutes=10, seconds=1)):
        assert tries(Client(), PASSWORD, at=OFFICE)


def test_in_a_known_browser_no_other_browser_is_promised(victim):
    own = Client()
    assert tries(own, PASSWORD, at=VICTIM)
    for number in range(5):
        tries(own, f"guess {number}", at=VICTIM)
    page = said(own, at=VICTIM)
    assert page.says("Wait five minutes")
    assert not page.says("is not held up")
