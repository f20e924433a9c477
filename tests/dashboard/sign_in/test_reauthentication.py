"""A fresh sign-in is asked for before tokens are touched, and nothing typed is lost by it."""

from datetime import timedelta
from time import time

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from routines.models import Routine
from routines.practice_api import PracticeApi
from tests.dashboard.browsing import Page
from tests.dashboard.sign_in.at_provider import BACK, sign_in
from tests.factories import PASSWORD

TOKEN = "sk-ant-oat01-" + "newly-generated" * 3
CONFIRM, AT_PROVIDER = "/confirm/", "/sign-in/provider/confirm/"


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


@pytest.fixture
def stale(clock, admin_client):
    """Of an admin who has been signed in for a while."""
    clock.shift(timedelta(minutes=10, seconds=1))
    return admin_client


def confirm(client: Client, url: str = f"{CONFIRM}?next=/confirmed/"):
    return client.post(url, {"password": PASSWORD})


@pytest.mark.parametrize("name", ["register", "register_details"])
def test_registering_asks_first(stale, name):
    url = reverse(name)
    asked = stale.get(url)
    assert asked.headers["Location"].startswith(CONFIRM)
    assert confirm(stale, asked.headers["Location"]).headers["Location"] == url
    assert stale.get(url).status_code == 200


@pytest.mark.parametrize("name", ["token", "token_compromised"])
def test_touching_a_stored_token_asks_first(routine, stale, name):
    url = reverse(name, args=[routine.slug])
    asked = stale.get(url)
    assert asked.headers["Location"].startswith(CONFIRM)
    assert confirm(stale, asked.headers["Location"]).headers["Location"] == url


def test_changing_who_may_run_a_routine_asks_first_and_loses_nothing(routine, admin_client, clock):
    url = reverse("rules", args=[routine.slug])
    fields = Page(admin_client.get(url)).fields() | {"asks_why": "on"}
    clock.shift(timedelta(minutes=11))
    assert admin_client.get(url).headers["Location"].startswith(CONFIRM)
    refused = Page(admin_client.post(url, fields))
    assert refused.says("It is a while since you signed in")
    assert not Routine.objects.get().asks_why
    confirm(admin_client)
    admin_client.post(url, refused.fields())
    assert Routine.objects.get().asks_why


def test_a_recent_sign_in_is_fresh(clock, routine, admin_client):
    clock.shift(timedelta(minutes=9))
    assert admin_client.get(reverse("token", args=[routine.slug])).status_code == 200


def test_a_wrong_password_confirms_nothing(stale):
    stale.post(CONFIRM, {"password": "wrong"})
    assert stale.get(reverse("register")).status_code == 302


def test_nothing_asks_for_what_touches_no_token(stale, routine):
    for name in ("registry_routine", "edit", "add_template"):
        assert stale.get(reverse(name, args=[routine.slug])).status_code == 200


@pytest.fixture
def old_form(routine, admin_client, clock) -> dict[str, str]:
    """The form for a new token, opened while the sign-in was fresh, and pressed when it isn't."""
    url = reverse("token", args=[routine.slug])
    fields = Page(admin_client.get(url)).fields(url)
    clock.shift(timedelta(minutes=11))
    return fields


def test_a_pasted_token_is_not_lost_not_shown_and_saved_after_confirming(
    routine, admin_client, old_form
):
    url = reverse("token", args=[routine.slug])
    before = Routine.objects.get().token_encrypted
    refused = admin_client.post(url, old_form | {"token": TOKEN})
    page = Page(refused)
    assert refused.status_code == 422
    assert page.says("It is a while since you signed in, so nothing was saved yet.")
    assert TOKEN.encode() not in refused.content
    assert Routine.objects.get().token_encrypted == before
    (link,) = [a for a in page.find("a") if a.attributes["href"].startswith(CONFIRM)]
    assert link.attributes["target"] == "_blank"
    done = confirm(admin_client, link.attributes["href"])
    assert Page(admin_client.get(done.headers["Location"])).says("Go back to the tab")
    admin_client.post(url, page.fields(url))
    assert Routine.objects.get().token_last_four == TOKEN[-4:]


def test_removing_asks_too_and_then_removes(routine, admin_client, clock):
    url = reverse("token_compromised", args=[routine.slug])
    fields = Page(admin_client.get(url)).fields(url)
    clock.shift(timedelta(minutes=11))
    page = Page(admin_client.post(url, fields))
    assert page.says("It is a while since you signed in")
    assert Routine.objects.get().has_token
    confirm(admin_client)
    admin_client.post(url, page.fields(url))
    assert not Routine.objects.get().has_token


def test_registering_keeps_all_that_was_typed(admin_client, clock, db):
    url = reverse("register_details")
    fields = Page(admin_client.get(url)).fields(url)
    clock.shift(timedelta(minutes=11))
    typed = {
        "name": "Typed for long",
        "purpose": "So that nothing is typed twice.",
        "routine_id": "trig_typed",
        "account": "Somebody's",
        "token": PracticeApi().token_for("trig_typed"),
    }
    refused = admin_client.post(url, fields | typed)
    assert refused.status_code == 422
    assert not Routine.objects.exists()
    again = Page(refused).fields(url)
    assert again | typed == again | {"token": typed["token"]}
    assert typed["token"].encode() not in refused.content
    confirm(admin_client)
    admin_client.post(url, again)
    assert Routine.objects.get().name == "Typed for long"


def test_reading_a_pasted_command_stores_nothing_so_it_goes_on(admin_client, clock, db):
    clock.shift(timedelta(minutes=11))
    response = admin_client.post(reverse("register"), {"pasted": "trig_typed"})
    assert response.status_code in (200, 422)
    assert not Routine.objects.exists()


def test_a_stolen_cookie_cannot_confirm(stale, admin):
    thief = Client()
    thief.cookies["sessionid"] = stale.cookies["sessionid"].value
    assert thief.get(reverse("register")).status_code == 302
    assert thief.get("/confirmed/").status_code == 200
    assert thief.get(reverse("register")).status_code == 302


# --- People of the identity provider: it asks, not we ---


@pytest.fixture
def at_provider(clock, provider) -> Client:
    """An admin of the provider, signed in a while ago."""
    client = Client()
    sign_in(client, provider, "sub-admin")
    clock.shift(timedelta(minutes=11))
    return client


def confirm_at(provider, client: Client, sub: str, after: str):
    asked = client.get(client.get(after).headers["Location"])
    page = Page(client.get(asked.headers["Location"]))
    location = client.post(AT_PROVIDER, page.fields(AT_PROVIDER)).headers["Location"]
    assert "prompt=login" in location
    assert "max_age=0" in location
    return client.get(BACK, provider.authorize(location, sub))


def test_who_came_through_the_provider_confirms_there(at_provider, provider):
    key = at_provider.session.session_key
    done = confirm_at(provider, at_provider, "sub-admin", reverse("register"))
    assert done.headers["Location"] == reverse("register")
    assert at_provider.get(reverse("register")).status_code == 200
    assert at_provider.session.session_key == key  # so forms in other tabs are still good


def test_somebody_else_confirms_nothing_for_them(at_provider, provider):
    done = confirm_at(provider, at_provider, "sub-teammate", reverse("register"))
    assert done.status_code == 401
    assert Page(done).says("Somebody else than you has signed in at the provider.")
    assert at_provider.get(reverse("register")).status_code == 302


@pytest.mark.parametrize(("ago", "good"), [(5, True), (3600, False)])
def test_a_provider_that_says_when_it_last_asked_is_listened_to(at_provider, provider, ago, good):
    provider.token_claims = {"auth_time": int(time()) - ago}
    confirm_at(provider, at_provider, "sub-admin", reverse("register"))
    assert (at_provider.get(reverse("register")).status_code == 200) == good


def test_a_role_taken_away_meanwhile_is_gone_when_confirming(at_provider, provider):
    provider.people["sub-admin"]["groups"] = ["claude-teammates"]
    confirm_at(provider, at_provider, "sub-admin", reverse("register"))
    assert at_provider.get(reverse("register")).status_code == 403
