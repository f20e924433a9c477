"""The Connect tab: who sees it, the key that it makes, and the text that stands on it."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from dashboard.connect import snippets
from routines.callers import authenticating
from routines.models import ApiKey, ApiKeySecret
from tests.dashboard.browsing import Page, signed_in
from tests.factories import create_manager, create_routine

pytestmark = pytest.mark.django_db


def url(routine):
    return reverse("connect", args=[routine.slug])


def secret_on(page):
    (secret,) = [one.text for one in page.find("code", id="secret")]
    return secret


def test_it_has_a_text_for_each_system_with_this_routines_address(client, routine):
    page = Page(client.get(url(routine)))
    shown = {one.attributes["id"]: one.text for one in page.find("pre")}
    assert shown == {f"text-{one.name}": one.text for one in snippets.of(routine)}
    assert len(shown) == 9
    for one in snippets.of(routine):
        assert snippets.VARIABLE in one.text
        at = "/mcp" if one.name in ("claude", "mcp") else snippets.address_of(routine)
        assert at in one.text
    copied = {
        one.attributes["data-copies"]
        for one in page.find("button")
        if "data-copies" in one.attributes
    }
    assert shown.keys() <= copied


def test_nothing_that_somebody_typed_stands_in_a_text(client):
    routine = create_routine(name="'; rm -rf ~ #\"${{ secrets.X }}</pre><script>", slug="a-b_C9")
    assert all("rm -rf" not in one.text for one in snippets.of(routine))
    page = Page(client.get(url(routine)))
    assert len(page.find("pre")) == 9
    assert page.says(routine.name)


def test_an_admin_makes_a_key_of_the_team_for_this_routine_alone(admin_client, admin, routine):
    sent = {"name": "Pipeline", "whose": "team", "sends_idempotency_key": "yes"}
    answer = admin_client.post(url(routine), sent)
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    api_key = ApiKey.objects.get()
    assert (api_key.person, api_key.sends_idempotency_key) == (None, True)
    assert (list(api_key.routines.all()), api_key.all_routines) == ([routine], False)
    secret = secret_on(Page(answer))
    assert authenticating.authenticate(secret, address=None) == api_key
    assert secret not in admin_client.get(url(routine)).content.decode()
    # The texts beside it take it from a variable, not from the page.
    assert all(secret not in one.text for one in Page(answer).find("pre"))


@pytest.mark.parametrize("whose", ["mine", "team"])
def test_a_teammate_makes_one_of_their_own_whatever_they_send(client, teammate, routine, whose):
    page = Page(client.get(url(routine)))
    assert page.find("input", name="whose") == []
    sent = {"name": "My script", "sends_idempotency_key": "no", "whose": whose}
    secret = secret_on(Page(client.post(url(routine), sent)))
    api_key = ApiKey.objects.get()
    assert (api_key.person, api_key.sends_idempotency_key) == (teammate, False)
    assert authenticating.authenticate(secret, address=None) == api_key


def test_an_admin_makes_one_of_their_own_for_an_agent(admin_client, admin, routine):
    sent = {"name": "Agent", "whose": "mine", "sends_idempotency_key": "yes"}
    assert admin_client.post(url(routine), sent).status_code == 200
    assert ApiKey.objects.get().person == admin


@pytest.mark.parametrize("whose", ["mine", "team"])
def test_a_key_of_ones_own_expires_like_any_other_and_the_teams_does_not(
    admin_client, routine, whose
):
    own = Page(admin_client.get("/my-keys/add/"))
    [last_day] = own.find("input", name="last_day")
    sent = {"name": "Agent", "whose": whose, "sends_idempotency_key": "yes"}
    admin_client.post(url(routine), sent)
    expires_at = ApiKey.objects.get().expires_at
    if whose == "team":
        assert expires_at is None
    else:
        until = timezone.localdate(expires_at - timedelta(seconds=1))
        assert until.isoformat() == last_day.attributes["value"]


def test_a_second_press_makes_no_second_key(client, routine):
    sent = {"name": "My script", "sends_idempotency_key": "yes"}
    assert client.post(url(routine), sent).status_code == 200
    answer = client.post(url(routine), sent)
    assert answer.status_code == 422
    assert Page(answer).says("A key of that name exists already")
    assert ApiKeySecret.objects.count() == 1


def test_an_old_sign_in_makes_no_key_and_loses_nothing(client, routine):
    sent = {"name": "My script", "sends_idempotency_key": "no"}
    with time_machine.travel(timezone.now() + timedelta(minutes=11), tick=False):
        assert client.get(url(routine)).status_code == 200  # reading asks nobody
        answer = client.post(url(routine), sent)
    assert answer.status_code == 422
    page = Page(answer)
    assert page.says("Confirm in a new tab that it is you")
    [name] = page.find("input", name="name")
    assert name.attributes["value"] == "My script"
    assert not ApiKey.objects.exists()


def test_an_incomplete_form_makes_no_key(admin_client, routine):
    for sent in ({}, {"name": "x"}, {"name": "x" * 81, "whose": "x", "sends_idempotency_key": "x"}):
        answer = admin_client.post(url(routine), sent)
        assert answer.status_code == 422
        [form] = Page(answer).find("details", open="")[:1]
        assert "card" in form.attributes["class"]
    assert not ApiKey.objects.exists()


def test_who_may_not_run_it_is_not_shown_how(routine):
    assert signed_in(create_manager()).get(url(routine)).status_code == 403


def test_what_the_routine_asks_people_is_said_beside_the_form(client, admin_client):
    routine = create_routine(confirmation="confirm")
    assert Page(client.get(url(routine))).says("calls with a key of your own are turned away")
    assert Page(admin_client.get(url(routine))).says("whoever makes one answers for it")


def test_it_is_found_from_the_routines_page_and_from_the_run_page(admin_client, client, routine):
    there = url(routine)
    assert Page(admin_client.get(reverse("registry_routine", args=[routine.slug]))).link(there)
    assert Page(client.get(reverse("run", args=[routine.slug]))).link(there)
    routine.archived_at = timezone.now()
    routine.save()
    page = Page(admin_client.get(reverse("registry_routine", args=[routine.slug])))
    assert page.find("a", href=there) == []
    assert admin_client.get(there).status_code == 404
