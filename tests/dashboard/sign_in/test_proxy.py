"""Sign-in by a header: believed of the proxy, refused of everybody else."""

import logging
import unicodedata
from ipaddress import ip_network
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client

from dashboard.sign_in import external_users
from routines import people
from routines.models import AuditEvent, Person
from routines.people.roles import Role
from tests.dashboard.browsing import Page
from tests.factories import (
    PASSWORD,
    create_admin,
    create_key_and_secret,
    create_routine,
    create_teammate,
)

PROXY, ELSEWHERE = "10.0.0.5", "10.0.1.5"


@pytest.fixture(autouse=True)
def behind_a_proxy(settings: Any, db: None) -> None:
    settings.SIGN_IN_HEADER = "X-Forwarded-User"
    settings.TRUSTED_PROXY_ADDRESSES = [ip_network("10.0.0.0/24")]


@pytest.fixture
def with_groups(settings: Any) -> None:
    settings.SIGN_IN_GROUPS_HEADER = "X-Forwarded-Groups"


def look(
    client: Client, *, user: str = "", groups: str | None = None, at: str = PROXY, url: str = "/"
):
    headers = {"X-Forwarded-User": user or None, "X-Forwarded-Groups": groups}
    # As WSGI hands over the bytes that came.
    sent = {
        name: value.encode().decode("latin-1")
        for name, value in headers.items()
        if value is not None
    }
    return client.get(url, headers=sent, REMOTE_ADDR=at)


def test_the_proxy_says_who_it_is():
    create_teammate(username="tom")
    client = Client()
    assert Page(look(client, user="Tom")).find("summary")[0].text == "tom"


@pytest.mark.parametrize("at", [ELSEWHERE, "127.0.0.1", "::1", "", "unix:"])
def test_from_anywhere_else_the_header_is_refused_and_heard_of(at, caplog):
    create_admin(username="ada")
    client = Client()
    with caplog.at_level(logging.WARNING):
        response = look(client, user="ada", at=at)
    assert response.status_code == 403
    assert Page(response).says("This request did not come from the sign-in proxy")
    assert "X-Forwarded-User from an address that is no trusted proxy: refused" in caplog.text
    assert "_auth_user_id" not in client.session


def test_a_forwarded_address_does_not_make_a_proxy():
    create_admin(username="ada")
    headers = {"X-Forwarded-User": "ada", "X-Forwarded-For": PROXY}
    response = Client().get("/", headers=headers, REMOTE_ADDR=ELSEWHERE)
    assert response.status_code == 403


@pytest.mark.parametrize("at", [PROXY, ELSEWHERE])
@pytest.mark.parametrize("user", ["ada", "nobody here"])
def test_at_a_door_a_program_is_its_key_whoever_the_proxy_names(at, user):
    create_admin(username="ada")
    _, secret = create_key_and_secret(create_routine())
    headers = {"X-Forwarded-User": user, "Authorization": f"Bearer {secret}"}
    answer = Client().get("/api/runs", headers=headers, REMOTE_ADDR=at)
    assert answer.status_code == 200
    assert not answer.cookies
    assert not UserSession.objects.exists()


def test_without_the_setting_the_header_means_nothing(settings):
    settings.SIGN_IN_HEADER = ""
    create_admin(username="ada")
    assert look(Client(), user="ada").status_code == 302


def test_when_the_header_is_gone_so_is_the_sign_in():
    create_teammate(username="tom")
    client = Client()
    look(client, user="tom")
    assert look(client).status_code == 302


def test_another_name_is_another_person():
    create_teammate(username="tom")
    create_admin(username="ada")
    client = Client()
    look(client, user="tom")
    key = client.session.session_key
    assert Page(look(client, user="ada")).find("summary")[0].text == "ada"
    assert client.session.session_key != key


def test_who_has_signed_in_with_a_password_stays_so_without_the_header():
    person = create_teammate(username="tom")
    client = Client()
    client.post("/sign-in/", {"login": person.username, "password": PASSWORD}, REMOTE_ADDR=PROXY)
    assert look(client).status_code == 200


def test_a_deactivated_person_is_kept_out():
    create_admin()
    person = create_teammate(username="tom")
    client = Client()
    look(client, user="tom")
    people.deactivate(person, by=None)
    for who in (client, Client()):
        response = look(who, user="tom")
        assert response.status_code == 403
        assert Page(response).says("This account is switched off")


def test_nobody_is_made_without_groups():
    response = look(Client(), user="new")
    assert response.status_code == 403
    assert Page(response).says("Ask an admin of the dashboard")
    assert not Person.objects.exists()


def test_with_groups_a_person_is_made_and_the_trail_says_by_whom(with_groups):
    client = Client()
    assert look(client, user="new", groups="everybody, claude-admins").status_code == 200
    assert people.roles_of(Person.objects.get()) == [Role.ADMIN]
    assert AuditEvent.objects.get(chain="changes").person_name == "proxy in front"


def test_two_first_requests_at_once_make_one_person(with_groups, monkeypatch):
    """The first one sees nobody yet, and finds the name taken when it adds them."""
    add_exactly = external_users.add_exactly

    def add_late(*args: Any, **kwargs: Any) -> Person:
        monkeypatch.undo()
        assert look(Client(), user="new", groups="claude-admins").status_code == 200
        return add_exactly(*args, **kwargs)

    monkeypatch.setattr(external_users, "add_exactly", add_late)
    assert look(Client(), user="new", groups="claude-admins").status_code == 200
    assert Person.objects.count() == 1


def test_roles_follow_the_groups_at_each_request(with_groups):
    create_admin()
    client = Client()
    look(client, user="new", groups="claude-admins")
    assert look(client, user="new", groups="claude-admins", url="/routines/").status_code == 200
    assert look(client, user="new", groups="claude-teammates", url="/routines/").status_code == 403


def test_without_a_group_that_opens_it_nobody_is_made(with_groups):
    for groups in (None, "", "everybody"):
        assert look(Client(), user="new", groups=groups).status_code == 403
    assert not Person.objects.exists()


@pytest.mark.parametrize("username", ["x" * 151, "a b", "<script>", "ä\x00"])
def test_a_name_that_cannot_be_kept_makes_nobody(with_groups, username):
    assert look(Client(), user=username, groups="claude-admins").status_code == 403
    assert not Person.objects.exists()


def test_the_groups_header_alone_is_refused_elsewhere_too(with_groups):
    assert look(Client(), groups="claude-admins", at=ELSEWHERE).status_code == 403


def test_it_stands_among_ones_web_sessions():
    create_teammate(username="tom")
    client = Client()
    look(client, user="tom")
    assert Page(look(client, user="tom", url="/web-sessions/")).says("(here)")


def test_each_page_costs_the_same_as_without_it(django_assert_max_num_queries):
    create_teammate(username="tom")
    client = Client()
    look(client, user="tom")
    with django_assert_max_num_queries(6):
        look(client, user="tom", url="/web-sessions/")


def test_no_fresh_sign_in_is_asked_for_since_the_proxy_vouches_each_time(settings):
    create_admin(username="ada")
    settings.REAUTHENTICATE_AFTER_SECONDS = 0
    client = Client()
    assert look(client, user="ada", url="/routines/register/").status_code == 200


# --- Names and addresses, however they are written ---


@pytest.mark.parametrize("at", ["::ffff:10.0.0.5", "::FFFF:10.0.0.5", "::ffff:a00:5"])
def test_the_proxy_is_known_on_a_socket_for_both_families(at, settings):
    create_teammate(username="tom")
    assert look(Client(), user="tom", at=at).status_code == 200
    assert look(Client(), user="tom", at="::ffff:10.0.1.5").status_code == 403
    settings.TRUSTED_PROXY_ADDRESSES = [ip_network("::ffff:10.0.0.0/120")]
    assert look(Client(), user="tom", at=at).status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        "josé.núñez".encode(),
        "josé.núñez".encode("latin-1"),
        unicodedata.normalize("NFD", "josé.núñez").encode(),
    ],
    ids=["UTF-8", "Latin-1", "UTF-8, decomposed"],
)
def test_a_name_beyond_ascii_is_that_person_in_whatever_bytes_it_comes(sent):
    create_teammate(username="josé.núñez")
    client = Client()
    headers = {"X-Forwarded-User": sent.decode("latin-1")}
    response = client.get("/", headers=headers, REMOTE_ADDR=PROXY)
    assert Page(response).find("summary")[0].text == "josé.núñez"


@pytest.mark.parametrize(
    "groups",
    [
        "everybody,claude-admins",
        "everybody; claude-admins",
        "everybody|claude-admins",
        "everybody , claude-admins|x;y",
        '["everybody", "claude-admins"]',
        "[everybody, claude-admins]",
        "/everybody,/claude-admins",
    ],
)
def test_groups_are_separated_as_proxies_separate_them(with_groups, groups):
    assert look(Client(), user="new", groups=groups).status_code == 200
    assert people.roles_of(Person.objects.get()) == [Role.ADMIN]


def test_a_group_beyond_ascii_is_read(with_groups, settings):
    settings.OIDC_ADMINS = ["führung"]
    assert look(Client(), user="new", groups="x,führung").status_code == 200


def test_roles_stay_where_the_groups_header_is_missing_and_go_where_it_is_empty(with_groups):
    create_admin()
    client = Client()
    look(client, user="new", groups="claude-admins")
    assert look(client, user="new", url="/routines/").status_code == 200
    assert look(Client(), user="new", url="/routines/").status_code == 200
    assert look(client, user="new", groups="", url="/routines/").status_code == 403
    assert people.roles_of(Person.objects.get(username="new")) == []


@pytest.mark.parametrize(
    ("groups", "sentence"),
    [
        (None, "the header X-Forwarded-Groups is missing"),
        ("", "It sent that you are in no group."),
        ("everybody,parent/claude-admins", "parent/claude-admins"),
    ],
)
def test_who_has_no_access_sees_which_groups_came_and_the_log_says_it(
    with_groups, caplog, groups, sentence
):
    with caplog.at_level(logging.WARNING):
        page = Page(look(Client(), user="new", groups=groups))
    assert page.says(sentence)
    assert "names somebody who is not known here" in caplog.text
