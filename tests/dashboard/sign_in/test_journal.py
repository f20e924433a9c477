"""Who signed in, who tried and who left stands in the log and in the audit trail, for admins."""

import csv
import io
import logging
from ipaddress import ip_network
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from dashboard.sign_in import journal
from routines.models import AuditEvent, Person
from tests.dashboard.browsing import Page, confirm
from tests.dashboard.sign_in.at_provider import sign_in as sign_in_at_provider
from tests.dashboard.sign_in.test_second_factor import AND_YOUR_SECOND, code_of, set_up_app
from tests.factories import PASSWORD, create_teammate

Action = AuditEvent.Action
pytestmark = pytest.mark.django_db
AT: dict[str, Any] = {"headers": {"X-Forwarded-For": "203.0.113.7"}}


def sign_in(name: str, password: str = PASSWORD, client: Client | None = None) -> Client:
    client = client or Client()
    client.post("/sign-in/", {"login": name, "password": password}, **AT)
    return client


def entries() -> list[tuple[str, str, str, str, str | None]]:
    """Action, person or tried name, means, why, address, oldest first."""
    found = AuditEvent.objects.filter(chain="sign_ins").order_by("pk")
    return [
        (
            one.action,
            one.subject,
            one.changes.get("means", ["", ""])[1],
            one.changes.get("why", ["", ""])[1],
            one.address,
        )
        for one in found
    ]


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Any:
    """The facts of each line about a sign-in, with its level."""
    caplog.set_level(logging.INFO)

    def facts() -> list[dict[str, Any]]:
        return [
            {"level": one.levelname, **one.facts}  # type: ignore[attr-defined]
            for one in caplog.records
            if one.message == "sign-in"
        ]

    return facts


# --- Each is recorded once ---


def test_a_sign_in_with_a_password_is_recorded(teammate, logged):
    sign_in(teammate.username)
    assert entries() == [("signed_in", teammate.username, "password", "", "203.0.113.7")]
    [event] = AuditEvent.objects.filter(chain="sign_ins")
    assert event.person == teammate
    assert logged() == [
        {
            "level": "INFO",
            "person": teammate.username,
            "address": "203.0.113.7",
            "means": "password",
            "outcome": "signed_in",
        }
    ]


def test_a_wrong_password_is_recorded_under_the_persons_own_spelling(teammate, logged):
    sign_in(teammate.username.upper(), "wrong")
    assert entries() == [
        ("sign_in_failed", teammate.username, "password", "wrong name or password", "203.0.113.7")
    ]
    [event] = AuditEvent.objects.filter(chain="sign_ins")
    assert (event.person, event.person_name) == (None, "nobody signed in")
    [line] = logged()
    assert (line["level"], line["person"]) == ("WARNING", teammate.username)


@pytest.mark.parametrize(
    "typed", ["hunter2-my-password", "x" * 500, "sk-ant-oat01-abcdefghijkl", ""]
)
def test_what_is_no_name_here_stands_nowhere(typed, caplog, teammate):
    caplog.set_level(logging.INFO)
    sign_in(typed, "wrong")
    kept = str(list(AuditEvent.objects.values())) + str([vars(one) for one in caplog.records])
    assert not typed or typed not in kept
    assert {subject for _, subject, *_ in entries()} <= {journal.UNKNOWN_NAME}


def test_the_page_answers_the_same_whether_the_name_exists(teammate):
    """Neither its words nor the number of its queries tell."""

    def answer(name: str) -> tuple[int, str, int]:
        with CaptureQueriesContext(connection) as captured:
            response = Client().post("/sign-in/", {"login": name, "password": "wrong"})
        return response.status_code, Page(response).find("main")[0].text, len(captured)

    answer("warm-up")
    assert answer(teammate.username) == answer("nobody-here")


def test_a_throttled_guess_is_recorded_as_such(teammate, logged):
    for _ in range(6):
        sign_in(teammate.username, "wrong")
    assert [action for action, *_ in entries()] == ["sign_in_failed"] * 5 + ["sign_in_throttled"]
    assert logged()[-1]["outcome"] == "sign_in_throttled"


def test_second_factors_are_recorded_added_used_failed_and_removed(
    client, teammate, logged, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        secret = set_up_app(client)
    again = sign_in(teammate.username)
    assert [action for action, *_ in entries()] == [], "the password alone signs nobody in"
    again.post(AND_YOUR_SECOND, {"code": "000000"})
    again.post(AND_YOUR_SECOND, {"code": code_of(secret)})
    assert [one[:4] for one in entries()] == [
        ("second_factor_failed", teammate.username, "app code", "wrong one"),
        ("signed_in", teammate.username, "password and app code", ""),
    ]
    client.post("/second-factor/app/remove/")
    changes = AuditEvent.objects.filter(action__startswith="second_factor_", chain="changes")
    assert {one.action for one in changes} == {"second_factor_added", "second_factor_removed"}
    outcomes = [line["outcome"] for line in logged()]
    assert "second_factor_added" in outcomes
    assert "second_factor_removed" in outcomes


def test_too_many_codes_are_recorded_as_throttled(client, teammate):
    set_up_app(client)
    again = sign_in(teammate.username)
    for _ in range(6):
        again.post(AND_YOUR_SECOND, {"code": "000000"})
    assert entries()[-1][:3] == ("sign_in_throttled", teammate.username, "app code")


def test_a_recovery_code_is_told_from_a_code_of_the_app(client, teammate):
    set_up_app(client)
    codes = Authenticator.objects.get(user=teammate, type="recovery_codes").wrap()
    again = sign_in(teammate.username)
    again.post(AND_YOUR_SECOND, {"code": codes.get_unused_codes()[0]})
    assert entries()[-1][:3] == ("signed_in", teammate.username, "password and recovery code")


def test_nonsense_instead_of_a_passkey_is_a_failed_second_factor(client, teammate):
    set_up_app(client)
    again = sign_in(teammate.username)
    again.post(AND_YOUR_SECOND, {"credential": '{"id": "x", "response": {}}'})
    assert entries()[-1][:3] == ("second_factor_failed", teammate.username, "passkey")


def test_confirming_is_recorded_and_failing_to(client, teammate):
    client.post(reverse("account_reauthenticate"), {"password": "wrong"}, **AT)
    confirm(client)
    assert [one[:3] for one in entries()] == [
        ("sign_in_confirming_failed", teammate.username, "password"),
        ("sign_in_confirmed", teammate.username, "password"),
    ]


def test_signing_out_is_recorded_with_its_reason(teammate, settings):
    signed_in = sign_in(teammate.username)
    signed_in.post("/sign-out/", **AT)
    assert entries()[-1] == (
        *("signed_out", teammate.username, "", "by themselves", "203.0.113.7"),
    )
    other = sign_in(teammate.username)
    settings.SESSION_MAX_HOURS = 0
    other.get("/")
    assert entries()[-1][3] == "signed in for too long, or idle"


def test_ending_it_in_another_browser_is_recorded(teammate):
    here = sign_in(teammate.username)
    sign_in(teammate.username)
    here.post(reverse("end_other_sessions"))
    assert entries()[-1][3] == "by themselves, in another browser"


def test_signing_in_at_the_provider_is_recorded_and_being_kept_out(provider):
    sign_in_at_provider(Client(), provider, "sub-admin")
    sign_in_at_provider(Client(), provider, "sub-nobody")
    assert [one[:4] for one in entries()] == [
        ("signed_in", "ada", "provider", ""),
        ("sign_in_failed", "", "provider", "in none of the groups"),
    ]


@pytest.fixture
def by_header(settings: Any) -> None:
    settings.SIGN_IN_HEADER = "X-Forwarded-User"
    settings.TRUSTED_PROXY_ADDRESSES = [ip_network("127.0.0.0/8")]


def look(client: Client, user: str) -> int:
    return int(client.get("/", headers={"X-Forwarded-User": user}).status_code)


@pytest.mark.usefixtures("by_header")
def test_signing_in_by_header_is_recorded_once_for_a_web_session_and_not_at_each_request():
    create_teammate(username="tom")
    client = Client()
    for _ in range(3):
        assert look(client, "tom") == 200
    assert [one[:3] for one in entries()] == [("signed_in", "tom", "header")]
    look(Client(), "not-here")
    assert entries()[-1][:4] == (
        *("sign_in_failed", journal.UNKNOWN_NAME, "header", "not known here"),
    )


# --- Bounds ---


def test_failures_cannot_fill_the_database(settings, teammate, logged):
    """An address gets so many entries an hour, the last of which says so; the log has them all."""
    settings.SIGN_IN_HEADER = "X-Forwarded-User"
    settings.TRUSTED_PROXY_ADDRESSES = [ip_network("192.0.2.0/24")]
    for _ in range(journal.ENTRIES_AN_HOUR + 5):
        look(Client(), "tom")
    assert len(entries()) == journal.ENTRIES_AN_HOUR
    assert entries()[-1][0] == "sign_ins_left_out"
    assert len(logged()) == journal.ENTRIES_AN_HOUR + 5
    sign_in(teammate.username)
    assert entries()[-1][0] == "signed_in", "which is not left out with them"


def test_failures_from_everywhere_together_cannot_either(monkeypatch, settings):
    monkeypatch.setattr(journal, "FAILURES_AN_HOUR", 5)
    for last in range(9):
        Client().post(
            "/sign-in/",
            {"login": "a", "password": "b"},
            headers={"X-Forwarded-For": f"203.0.113.{last}"},
        )
    assert len(entries()) == 6
    assert entries()[-1][0] == "sign_ins_left_out"


@pytest.mark.usefixtures("by_header")
def test_a_client_that_keeps_no_cookie_cannot_fill_it_with_sign_ins():
    create_teammate(username="tom")
    for _ in range(journal.ENTRIES_AN_HOUR + 3):
        look(Client(), "tom")
    assert len(entries()) == journal.ENTRIES_AN_HOUR


# --- The page ---


def test_the_page_shows_and_finds_them(admin_client, teammate):
    sign_in(teammate.username)
    sign_in(teammate.username, "wrong")
    page = Page(admin_client.get(reverse("sign_ins")))
    assert page.says("signed in: password")
    assert page.says("failed to sign in: password")
    assert page.says("203.0.113.7")
    found = Page(admin_client.get(reverse("sign_ins"), {"what": "sign_in_failed"}))
    assert found.says("failed to sign in: password")
    assert not found.says("signed in: password")
    for asked in ({"who": "nobody-at-all"}, {"address": "192.0.2.1"}, {"until": "2020-01-01"}):
        assert Page(admin_client.get(reverse("sign_ins"), asked)).says("No sign-in fits.")
    assert admin_client.get(reverse("sign_ins"), {"address": "x"}).status_code == 422


def test_the_audit_page_is_not_buried_under_sign_ins(admin_client, teammate):
    sign_in(teammate.username)
    page = Page(admin_client.get(reverse("audit")))
    assert not page.says("signed in: password")
    assert page.link(reverse("sign_ins"))


def test_sign_ins_are_exported_and_the_export_is_traced(admin_client, teammate):
    sign_in(teammate.username)
    response = admin_client.get(reverse("sign_ins_csv"))
    [row] = csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig")))
    assert (row["action"], row["subject"]) == ("signed_in", teammate.username)
    traced = AuditEvent.objects.get(action=Action.EXPORTED)
    assert traced.subject == "the sign-ins as CSV"


def test_the_page_reads_one_page_by_its_index(admin_client, teammate: Person):
    """However many there are."""
    for _ in range(3):
        sign_in(teammate.username)
    admin_client.get(reverse("sign_ins"))
    with CaptureQueriesContext(connection) as captured:
        admin_client.get(reverse("sign_ins"))
    [asked] = [one["sql"] for one in captured if "routines_auditevent" in one["sql"]]
    assert "LIMIT" in asked
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {asked}")
            plan = str(cursor.fetchall())
        assert "audit_newest_of_chain" in plan
        assert "TEMP B-TREE" not in plan
