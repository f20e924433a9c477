"""Two requests of one web session at the same time lose nothing of each other."""

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.test import Client

from dashboard.sign_in.session_store import SessionStore
from routines.models import Person
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def key() -> str:
    session = SessionStore()
    session.update({"confirmed_at": 1, "seen_at": 1, "begun": {"a": 1}, "old": True})
    session.save()
    assert session.session_key
    return session.session_key


def both(key: str) -> tuple[SessionStore, SessionStore]:
    one, other = SessionStore(key), SessionStore(key)
    assert one["seen_at"] == other["seen_at"] == 1  # both have read it
    return one, other


def test_each_keeps_what_the_other_has_saved(key):
    one, other = both(key)
    one["confirmed_at"] = 2
    other["seen_at"] = 2
    one.save()
    other.save()
    stored = SessionStore(key)
    assert (stored["confirmed_at"], stored["seen_at"]) == (2, 2)


def test_what_one_adds_or_takes_away_stays_so(key):
    one, other = both(key)
    one["new"] = 1
    del one["old"]
    one.save()
    other["seen_at"] = 2
    other.save()
    stored = SessionStore(key)
    assert (stored["new"], stored["seen_at"], "old" in stored) == (1, 2, False)
    assert (other["new"], "old" in other) == (1, False)


def test_two_sign_ins_begun_in_two_tabs_are_both_kept(key):
    one, other = both(key)
    one["begun"]["b"] = 2
    other["begun"]["c"] = 3
    one.modified = other.modified = True
    one.save()
    other.save()
    assert SessionStore(key)["begun"] == {"a": 1, "b": 2, "c": 3}


def test_a_sign_in_that_one_has_used_up_does_not_come_back_with_one_that_the_other_begins(key):
    one, other = both(key)
    del one["begun"]
    one.save()
    other["begun"] = {**other["begun"], "b": 2}
    other.save()
    assert SessionStore(key)["begun"] == {"b": 2}


def test_of_one_key_changed_by_both_the_last_one_counts(key):
    one, other = both(key)
    one["seen_at"], other["seen_at"] = 2, 3
    one.save()
    other.save()
    assert SessionStore(key)["seen_at"] == 3


def test_a_new_key_takes_everything_along(key):
    session = SessionStore(key)
    session["seen_at"] = 2
    session.cycle_key()
    session.save()
    assert session.session_key != key
    stored = SessionStore(session.session_key)
    assert (stored["seen_at"], stored["old"], stored["begun"]) == (2, True, {"a": 1})


def test_one_that_was_ended_meanwhile_does_not_come_back(key):
    one, other = both(key)
    one.delete()
    other["seen_at"] = 2
    with pytest.raises(UpdateError):
        other.save()
    assert not SessionStore().exists(key)


def test_people_sign_in_and_out_with_it(teammate: Person):
    client = Client()
    client.post("/sign-in/", {"login": teammate.username, "password": PASSWORD})
    assert isinstance(client.session, SessionStore)
    assert client.get("/").status_code == 200
    client.post("/sign-out/")
    assert client.get("/").status_code == 302
