"""Registering: a paste is understood, the rest is filled in, and no token ever comes back."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from routines.models import Routine
from routines.registry import header_versions
from routines.values import tokens
from tests.dashboard.browsing import Page, confirm, press, signed_in
from tests.dashboard.registry.registering import (
    DETAILS,
    DETAILS_URL,
    NEW_ID,
    NEW_TOKEN,
    assert_hidden,
    command,
    paste,
    second_step,
    typed,
)
from tests.factories import create_admin, create_routine

# --- First step: what was pasted ---


def test_a_pasted_command_becomes_a_routine_that_fires(admin_client, admin, practice):
    fields = second_step(admin_client, command())
    response = admin_client.post(DETAILS_URL, fields | typed(), follow=True)
    routine = Routine.objects.get()
    assert response.redirect_chain == [(reverse("registered", args=[routine.slug]), 302)]
    assert (routine.routine_id, routine.account.label) == (NEW_ID, "Fifth account")
    assert (routine.created_by, routine.token_set_by) == (admin, admin)
    press(admin_client, routine, text="Hello.")
    assert [session.text for session in practice.sessions] == ["Hello."]


def test_the_second_step_shows_what_was_understood_and_hides_the_token(admin_client):
    response = paste(admin_client, command(beta_version="experimental-cc-routine-2026-06-01"))
    page = Page(response)
    for shown in (NEW_ID, f"ends in {NEW_TOKEN[-4:]}", "experimental-cc-routine-2026-06-01"):
        assert page.says(shown)
    assert_hidden(response)
    assert not Routine.objects.exists()


def test_the_sample_of_the_practice_api_s_own_page_is_understood(admin_client, practice):
    from routines.practice_api import page as window

    base_url = "http://127.0.0.1:9"
    drawn = window.draw(practice, base_url, NEW_ID)
    sample = drawn.partition("<pre>")[2].partition("</pre>")[0]
    fields = second_step(
        admin_client, sample.replace("&quot;", '"').replace(base_url, settings.CLAUDE_API_BASE_URL)
    )
    assert (fields["routine_id"], fields["beta_version"]) == (NEW_ID, header_versions.BETA_VERSION)


@pytest.mark.parametrize(
    ("text", "missing"),
    [(NEW_ID, "paste it below, or later"), (NEW_TOKEN, "type it in below")],
    ids=["no token", "no ID"],
)
def test_what_is_missing_is_said_and_can_be_typed_in(admin_client, text, missing):
    response = paste(admin_client, text)
    page = Page(response)
    assert page.says(missing)
    more = {"routine_id": NEW_ID} if text == NEW_TOKEN else {"token": NEW_TOKEN}
    admin_client.post(DETAILS_URL, page.fields(DETAILS_URL) | typed(**more))
    routine = Routine.objects.get()
    assert (routine.routine_id, routine.reveal_token()) == (NEW_ID, tokens.parse(NEW_TOKEN))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Paste the command, or the URL and the token."),
        ("Good morning.", "No routine ID and no token were found in this."),
        (command(base_url="https://example.com"), "This URL leads to another host."),
        (command(base_url="https://api.anthropic.com"), "only ever sent to 127.0.0.1:9."),
        (command() + "\x00", "Null characters are not allowed."),
        (NEW_TOKEN * 5000, "This is far too long"),
    ],
    ids=["empty", "prose", "another host", "the real host, not configured", "NUL", "too long"],
)
def test_a_paste_that_cannot_be_used_is_refused_whole(admin_client, text, sentence):
    response = paste(admin_client, text)
    assert response.status_code == 422
    assert Page(response).says(sentence)
    assert_hidden(response)
    (box,) = Page(response).find("textarea")
    assert box.text.strip() == ""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (command(token="sk-ant-oat01-xxxxx"), "placeholder of the documentation, not a token"),
        (command(routine_id="trig_01ABCDEF..."), "placeholder of the documentation, not a routine"),
        (command(token=f"{NEW_TOKEN[:40]}\u200b{NEW_TOKEN[40:]}"), "holds invisible characters"),
        (command(token=f"{NEW_TOKEN}é"), "holds characters that no token has"),
        (command(token=f"{NEW_TOKEN[:40]}\n{NEW_TOKEN[40:]}"), "broken over lines"),
        (f"{NEW_ID}\n{NEW_TOKEN[:40]}\n{NEW_TOKEN[40:]}", "broken over lines"),
        (command(beta_version="experimental-cc-routine-2031-01-01"), "does not know the beta"),
        (command(api_version="2031-01-01"), "does not know the API version 2031-01-01 yet"),
    ],
    ids=[
        "placeholder token",
        "placeholder ID",
        "zero-width",
        "non-ASCII",
        "broken in the command",
        "broken over lines",
        "unknown beta version",
        "unknown API version",
    ],
)
def test_what_looks_wrong_in_a_paste_has_a_sentence(admin_client, text, sentence):
    response = paste(admin_client, text)
    assert response.status_code == 200
    assert Page(response).says(sentence)
    assert NEW_TOKEN[13:40].encode() not in response.content
    assert NEW_TOKEN[40:-4].encode() not in response.content


def test_a_paste_of_10_mb_is_refused_with_a_sentence(admin_client):
    response = paste(admin_client, "x" * 10_000_000)
    assert response.status_code == 422
    assert Page(response).says("This is far too long (10,000,000 characters)")
    assert len(response.content) < 50_000


def test_a_request_that_is_too_large_for_any_form_has_a_sentence_too(admin_client):
    response = paste(admin_client, "é" * 10_000_000)
    assert response.status_code == 400
    assert Page(response).says("It may be too large")
    assert len(response.content) < 50_000


@pytest.mark.parametrize("archived", [False, True])
@pytest.mark.parametrize("step", ["paste", "details"])
def test_a_routine_that_is_registered_already_is_linked(admin_client, archived, step):
    first = create_routine(
        name="The first", routine_id=NEW_ID, archived_at=timezone.now() if archived else None
    )
    if step == "paste":
        response = paste(admin_client, command())
    else:
        response = admin_client.post(DETAILS_URL, DETAILS)
    page = Page(response)
    assert response.status_code == 422
    assert page.says("This routine is registered already, as The first")
    assert page.says("(archived: you can restore it)") is archived
    assert page.link(reverse("registry_routine", args=[first.slug])).text == "The first"
    assert page.link(reverse("token", args=[first.slug]))
    assert_hidden(response)
    assert Routine.objects.count() == 1


# --- The token between the two steps ---


def test_the_token_travels_as_ciphertext_only(admin_client):
    fields = second_step(admin_client, command())
    assert fields["token"] == ""
    assert NEW_TOKEN not in fields["carried"]
    assert NEW_TOKEN[13:] not in str(fields)


def register_with(client, fields: dict[str, str]):
    return client.post(DETAILS_URL, fields | typed())


def assert_token_is_lost(response) -> None:
    assert response.status_code == 422
    assert Page(response).says("The token that you pasted before is not at hand any more.")
    assert not Routine.objects.exists()
    assert Page(response).fields(DETAILS_URL)["carried"] == ""


def test_a_carried_token_is_good_for_fifteen_minutes(admin_client):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        fields = second_step(admin_client, command())
        clock.shift(timedelta(minutes=15))
        confirm(admin_client)
        register_with(admin_client, fields)
    assert Routine.objects.get().reveal_token() == tokens.parse(NEW_TOKEN)


def test_a_carried_token_that_is_too_old_is_asked_for_again(admin_client):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        fields = second_step(admin_client, command())
        clock.shift(timedelta(minutes=15, seconds=1))
        response = register_with(admin_client, fields)
    assert_token_is_lost(response)


def test_a_carried_token_that_was_tampered_with_is_refused(admin_client):
    fields = second_step(admin_client, command())
    encrypted = fields["carried"]
    flipped = "A" if encrypted[40] != "A" else "B"
    assert_token_is_lost(
        register_with(admin_client, fields | {"carried": encrypted[:40] + flipped + encrypted[41:]})
    )


def test_a_carried_token_of_another_person_is_refused(admin_client):
    fields = second_step(signed_in(create_admin()), command())
    assert_token_is_lost(register_with(admin_client, fields))


def test_a_carried_token_of_another_form_is_refused(admin_client, admin):
    encrypted = tokens.encrypt_for_form(
        tokens.parse(NEW_TOKEN), form=f"token form for 1 of {admin.pk}"
    )
    fields = second_step(admin_client, command())
    assert_token_is_lost(register_with(admin_client, fields | {"carried": encrypted}))


def test_a_stored_token_is_no_carried_one(admin_client):
    stored = create_routine(routine_id="trig_practice_other")
    fields = second_step(admin_client, command())
    response = register_with(admin_client, fields | {"carried": stored.token_encrypted})
    assert Page(response).says("is not at hand any more")


@pytest.mark.parametrize("nonsense", ["x", "é", "gAAAAA", "sk-ant-oat01-abcdefghijk"])
def test_nonsense_in_place_of_a_carried_token_is_refused(admin_client, nonsense):
    fields = second_step(admin_client, command())
    response = register_with(admin_client, fields | {"carried": nonsense})
    assert response.status_code == 422
    assert nonsense.encode() not in response.content or len(nonsense) == 1


def test_a_refused_second_step_keeps_the_token_at_hand(admin_client):
    fields = second_step(admin_client, command())
    response = admin_client.post(DETAILS_URL, fields | typed(name=""))
    assert response.status_code == 422
    assert Page(response).says(f"The one that you pasted, which ends in {NEW_TOKEN[-4:]}")
    assert_hidden(response)
    admin_client.post(DETAILS_URL, Page(response).fields(DETAILS_URL) | typed())
    assert Routine.objects.get().reveal_token() == tokens.parse(NEW_TOKEN)


def test_a_typed_token_wins_over_the_carried_one(admin_client):
    fields = second_step(admin_client, command(token="sk-ant-oat01-another-one"))
    register_with(admin_client, fields | {"token": NEW_TOKEN})
    assert Routine.objects.get().reveal_token() == tokens.parse(NEW_TOKEN)


# --- A token that another routine stores ---


def test_a_token_of_another_routine_is_warned_of_and_may_be_registered(admin_client):
    other = create_routine(name="The other", token=NEW_TOKEN)
    page = Page(paste(admin_client, command()))
    assert page.says("The other stores this very token.")
    assert page.link(reverse("registry_routine", args=[other.slug]))
    admin_client.post(DETAILS_URL, page.fields(DETAILS_URL) | typed())
    assert Routine.objects.filter(routine_id=NEW_ID).exists()


def test_a_typed_token_of_another_routine_is_asked_about_first(admin_client):
    create_routine(name="The other", token=NEW_TOKEN)
    response = admin_client.post(DETAILS_URL, DETAILS)
    assert response.status_code == 422
    assert Page(response).says("The other stores this very token.")
    assert_hidden(response)
    assert Routine.objects.count() == 1
    again = Page(response).fields(DETAILS_URL)
    assert again["token"] == ""
    assert admin_client.post(DETAILS_URL, again).status_code == 302
    assert Routine.objects.get(routine_id=NEW_ID).reveal_token() == tokens.parse(NEW_TOKEN)
