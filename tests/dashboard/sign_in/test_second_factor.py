"""A second factor beside the password: set up, signed in with, and asked of who must have one."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from routines.models import AuditEvent, Person
from tests.dashboard.browsing import HTMX, Page, signed_in
from tests.dashboard.serving.test_content_security_policy import assert_clean
from tests.dashboard.sign_in.at_provider import is_signed_in
from tests.dashboard.sign_in.at_provider import sign_in as sign_in_at_provider
from tests.factories import PASSWORD

SET_UP, INDEX = "/second-factor/app/", "/second-factor/"
AND_YOUR_SECOND = "/second-factor/sign-in/"


def code_of(secret: str) -> str:
    now = list(yield_hotp_counters_from_time())[1]
    return str(format_hotp_value(hotp_value(secret, now)))


def set_up_app(client: Client) -> str:
    """Return the secret, as the app keeps it."""
    page = Page(client.get(SET_UP))
    (main,) = page.find("main")
    (shown,) = (code for code in page.find("code") if main in code.inside)
    response = client.post(SET_UP, {"code": code_of(shown.text)})
    assert response.headers["Location"] == "/second-factor/codes/"
    return shown.text


def password(person: Person) -> Client:
    client = Client()
    client.post("/sign-in/", {"login": person.username, "password": PASSWORD})
    return client


# --- The app and the codes ---


def test_with_an_app_set_up_the_password_alone_does_not_sign_in(client, teammate):
    secret = set_up_app(client)
    again = password(teammate)
    assert not is_signed_in(again)
    assert again.get("/").headers["Location"].startswith("/sign-in/")
    again.post(AND_YOUR_SECOND, {"code": "000000"})
    assert not is_signed_in(again)
    again.post(AND_YOUR_SECOND, {"code": code_of(secret)})
    assert is_signed_in(again)


def test_a_code_is_good_once(client, teammate):
    code = code_of(set_up_app(client))
    first, second = password(teammate), password(teammate)
    first.post(AND_YOUR_SECOND, {"code": code})
    second.post(AND_YOUR_SECOND, {"code": code})
    assert (is_signed_in(first), is_signed_in(second)) == (True, False)


def test_guessing_codes_is_slowed_down(client, teammate):
    secret = set_up_app(client)
    guesser = password(teammate)
    for number in range(5):
        guesser.post(AND_YOUR_SECOND, {"code": f"{number:06}"})
    response = guesser.post(AND_YOUR_SECOND, {"code": code_of(secret)})
    assert not is_signed_in(guesser)
    assert Page(response).says("Too many wrong")


def test_a_recovery_code_signs_in_once(client, teammate):
    set_up_app(client)
    (shown,) = Page(client.get("/second-factor/codes/")).find("pre")
    codes = shown.text.split()
    assert len(codes) == 10
    again = password(teammate)
    again.post(AND_YOUR_SECOND, {"code": codes[0]})
    assert is_signed_in(again)
    thief = password(teammate)
    thief.post(AND_YOUR_SECOND, {"code": codes[0]})
    assert not is_signed_in(thief)


def test_recovery_codes_are_shown_once(client):
    set_up_app(client)
    assert Page(client.get("/second-factor/codes/")).find("pre")
    page = Page(client.get("/second-factor/codes/"))
    assert not page.find("pre")
    assert page.says("There are 10 unused ones.")


def test_the_second_factors_lock_is_said_and_holds_in_every_browser_for_five_minutes(
    client, teammate
):
    """As docs/sign-in.md has it, and unlike that of passwords."""
    secret = set_up_app(client)
    guesser = password(teammate)
    for _ in range(5):
        guesser.post(AND_YOUR_SECOND, {"code": "000000"})
    usual = password(teammate)
    refused = Page(usual.post(AND_YOUR_SECOND, {"code": code_of(secret)}))
    assert refused.says("Too many wrong codes or passkeys for this person. Wait five minutes")
    assert refused.says("not even a right one")
    assert not refused.says("Too many wrong passwords")
    assert not is_signed_in(usual)
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
        again = password(teammate)
        again.post(AND_YOUR_SECOND, {"code": code_of(secret)})
        assert is_signed_in(again)


def test_cancelling_leads_back_to_the_password(client, teammate):
    set_up_app(client)
    again = password(teammate)
    assert again.get("/sign-in/").status_code == 302
    again.post("/sign-out/")
    assert again.get("/sign-in/").status_code == 200


def test_a_wrong_code_sets_nothing_up(client):
    client.get(SET_UP)
    response = client.post(SET_UP, {"code": "000000"})
    assert Page(response).find("ul", id="id_code_error")
    assert not Authenticator.objects.exists()


def test_the_app_is_removed(client, teammate):
    set_up_app(client)
    client.post("/second-factor/app/remove/")
    assert is_signed_in(password(teammate))
    assert not Authenticator.objects.exists()


def test_the_trail_tells_of_it(client, teammate, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        set_up_app(client)
    client.post("/second-factor/app/remove/")
    changes = [event.changes for event in AuditEvent.objects.filter(person=teammate)]
    assert {"second factor": [None, "authenticator app"]} in changes
    assert {"second factor": ["authenticator app", None]} in changes


@pytest.mark.parametrize("url", [INDEX, SET_UP, "/second-factor/passkeys/add/"])
def test_the_pages_keep_to_the_policy(client, url):
    assert_clean(client.get(url))


def test_a_passkey_that_is_none_is_refused(client):
    for credential in ("", "x", "{}", "[]", '{"id": "x", "response": {}}', "null", "5"):
        response = client.post("/second-factor/passkeys/add/", {"credential": credential})
        assert response.status_code == 200
        assert "That is no passkey for here." in response.content.decode()
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize("credential", ["", "x", "{}", '{"id": "x", "response": {}}', "5"])
def test_neither_does_one_that_is_none_sign_in(teammate, credential):
    Authenticator.objects.create(user=teammate, type="totp", data={"secret": "x"})
    again = password(teammate)
    assert again.post(AND_YOUR_SECOND, {"credential": credential}).status_code == 200
    assert not is_signed_in(again)


# --- Their secrets at rest ---


def stored() -> str:
    return str(list(Authenticator.objects.values_list("data", flat=True)))


def test_the_secrets_are_encrypted(client):
    secret = set_up_app(client)
    (shown,) = Page(client.get("/second-factor/codes/")).find("pre")
    assert secret not in stored()
    assert not any(code in stored() for code in shown.text.split())


def test_they_go_along_when_the_keys_rotate(client, teammate, settings):
    secret = set_up_app(client)
    old, new = settings.TOKEN_ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    settings.TOKEN_ENCRYPTION_KEYS = [new, old]
    said = StringIO()
    call_command("rotate_token_keys", stdout=said)
    assert "2 second factors re-encrypted" in said.getvalue()
    settings.TOKEN_ENCRYPTION_KEYS = [new]
    again = password(teammate)
    again.post(AND_YOUR_SECOND, {"code": code_of(secret)})
    assert is_signed_in(again)


def test_one_that_no_key_opens_lets_nobody_in(client, teammate, settings):
    secret = set_up_app(client)
    settings.TOKEN_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    again = password(teammate)
    for code in (code_of(secret), code_of("")):
        assert again.post(AND_YOUR_SECOND, {"code": code}).status_code == 200
    assert not is_signed_in(again)


def test_who_has_lost_theirs_gets_in_after_a_command(client, teammate):
    set_up_app(client)
    call_command("reset_second_factor", teammate.username.upper(), stdout=StringIO())
    assert is_signed_in(password(teammate))
    assert AuditEvent.objects.get(person=None).changes == {"second factor": ["set up", None]}
    for username in (teammate.username, "nobody at all"):
        with pytest.raises(CommandError):
            call_command("reset_second_factor", username)


def test_an_admin_resets_a_colleagues(client, admin_client, admin, teammate):
    set_up_app(client)
    url = reverse("reset_second_factor", args=[teammate.pk])
    page = Page(admin_client.get(reverse("edit_person", args=[teammate.pk])))
    assert page.find("form", action=url)
    shown = page.fields(url)
    assert Page(admin_client.post(url, shown, follow=True)).says(
        "signs in with the password alone now"
    )
    assert is_signed_in(password(teammate))
    assert AuditEvent.objects.get(person=admin).changes == {"second factor": ["set up", None]}
    again = Page(admin_client.post(url, shown, follow=True))
    assert again.says("This was changed since you opened the page.")
    again = Page(admin_client.post(url, again.fields(url), follow=True))
    assert again.says("has no second factor")
    assert not Page(admin_client.get(reverse("edit_person", args=[teammate.pk]))).find(
        "form", action=url
    )


def test_an_admins_own_is_not_reset_that_way(admin_client, admin):
    set_up_app(admin_client)
    response = admin_client.post(reverse("reset_second_factor", args=[admin.pk]))
    assert response.headers["Location"] == INDEX
    assert Authenticator.objects.filter(user=admin, type="totp").exists()


# --- Having to have one ---


@pytest.fixture
def admins_must(settings: Any) -> None:
    settings.REQUIRE_SECOND_FACTOR = "admins"


def test_who_must_have_one_is_led_there_before_anything_else(admins_must, admin_client, routine):
    for url in ("/", "/history/", reverse("token", args=[routine.slug])):
        assert admin_client.get(url).headers["Location"] == INDEX
    page = Page(admin_client.get(INDEX))
    assert page.says("You need a second factor before anything else opens here.")


def test_nothing_is_done_before_and_a_typed_text_comes_back(admins_must, admin_client, routine):
    response = admin_client.post(reverse("fire", args=[routine.slug]), {"text": "Typed for long."})
    assert response.status_code == 403
    assert Page(response).find("pre")[0].text == "Typed for long."
    assert not routine.runs.exists()
    htmx = admin_client.post(reverse("fire", args=[routine.slug]), {"text": "x"}, headers=HTMX)
    assert htmx.headers["HX-Redirect"] == INDEX


def test_once_it_is_set_up_everything_opens(admins_must, admin_client):
    set_up_app(admin_client)
    assert admin_client.get("/").status_code == 200


def test_the_last_one_is_not_removed_by_who_must_have_one(admins_must, admin_client):
    set_up_app(admin_client)
    response = admin_client.get("/second-factor/app/remove/")
    assert Page(response).says("Add another one first, then remove this.")
    admin_client.post("/second-factor/app/remove/")
    assert Authenticator.objects.filter(type="totp").exists()


def test_the_last_passkey_stays_too(admins_must, admin_client, admin):
    passkey = Authenticator.objects.create(user=admin, type="webauthn", data={"name": "Key"})
    url = f"/second-factor/passkeys/{passkey.pk}/remove/"
    assert admin_client.get(url).headers["Location"] == INDEX
    admin_client.post(url)
    assert Authenticator.objects.filter(pk=passkey.pk).exists()


def test_a_colleagues_passkey_is_nobody_elses_to_remove(client, admin):
    passkey = Authenticator.objects.create(user=admin, type="webauthn", data={"name": "Key"})
    assert client.post(f"/second-factor/passkeys/{passkey.pk}/remove/").status_code == 404


def test_it_is_asked_of_admins_alone_or_of_all(admins_must, client, settings):
    assert client.get("/").status_code == 200
    settings.REQUIRE_SECOND_FACTOR = "all"
    assert client.get("/").headers["Location"] == INDEX


def test_signing_out_and_choosing_a_password_stay_open(admins_must, admin_client):
    assert admin_client.get("/password/").status_code == 200
    assert admin_client.post("/sign-out/").status_code == 302


def test_people_of_the_provider_have_theirs_there(settings, provider):
    settings.REQUIRE_SECOND_FACTOR = "all"
    client = Client()
    sign_in_at_provider(client, provider, "sub-admin")
    assert client.get("/").status_code == 200


def test_nor_are_they_asked_here_for_one_that_they_have(provider):
    first = Client()
    sign_in_at_provider(first, provider, "sub-admin")
    set_up_app(first)
    again = Client()
    sign_in_at_provider(again, provider, "sub-admin")
    assert is_signed_in(again)
    assert again.post("/sign-out/").headers["Location"].startswith(provider.url)


def test_having_to_have_one_costs_each_page_one_query(settings, teammate):
    client = signed_in(teammate)
    set_up_app(client)
    client.get("/history/")
    without = queries_of(client)
    settings.REQUIRE_SECOND_FACTOR = "all"
    for _ in range(3):
        Authenticator.objects.create(user=teammate, type="webauthn", data={"name": "Key"})
    assert queries_of(client) == without + 1


def queries_of(client: Client) -> int:
    with CaptureQueriesContext(connection) as asked:
        client.get("/history/")
    return len(asked)
