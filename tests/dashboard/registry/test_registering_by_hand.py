"""Registering without a paste: every field typed, and what is told afterwards."""

import pytest
from django.conf import settings
from django.db import IntegrityError
from django.urls import reverse

from routines import registry
from routines.models import AuditEvent, Routine
from routines.registry import header_versions
from routines.values import tokens
from tests.dashboard.browsing import Page
from tests.dashboard.registry.registering import (
    BAD_TOKEN,
    DETAILS,
    DETAILS_URL,
    NEW_ID,
    NEW_TOKEN,
    PASTE_URL,
    assert_hidden,
    command,
)
from tests.factories import create_routine

# --- Second step, and typing everything by hand ---


@pytest.mark.parametrize(
    "pasted_id",
    [
        NEW_ID,
        f"  {NEW_ID}\n",
        f"\u200b{NEW_ID}",
        f"{settings.CLAUDE_API_BASE_URL}/v1/claude_code/routines/{NEW_ID}/fire",
        f"https://claude.ai/code/routines/{NEW_ID}",
    ],
    ids=["bare", "with spaces", "with a zero-width space", "fire URL", "page at claude.ai"],
)
def test_a_routine_is_registered_by_hand(admin_client, admin, pasted_id):
    response = admin_client.post(DETAILS_URL, DETAILS | {"routine_id": pasted_id}, follow=True)
    routine = Routine.objects.get()
    assert Page(response).says("Fifth is registered")
    assert (routine.routine_id, routine.account.label) == (NEW_ID, "Fifth account")
    assert routine.reveal_token() == tokens.parse(NEW_TOKEN)
    events = AuditEvent.objects.order_by("pk")
    assert [(event.action, event.person) for event in events] == [
        ("routine_registered", admin),
        ("token_set", admin),
    ]


def test_the_field_of_the_token_takes_the_whole_command_of_this_routine_alone(admin_client):
    other = DETAILS | {"routine_id": "trig_another", "token": command()}
    response = admin_client.post(DETAILS_URL, other)
    assert Page(response).says("This command is for another routine than this one")
    assert not Routine.objects.exists()
    admin_client.post(DETAILS_URL, DETAILS | {"token": command()})
    assert Routine.objects.get().reveal_token() == tokens.parse(NEW_TOKEN)


def test_the_token_may_come_later(admin_client):
    response = admin_client.post(DETAILS_URL, DETAILS | {"token": ""}, follow=True)
    routine = Routine.objects.get()
    assert not routine.has_token
    assert Page(response).says("No token is stored yet")


def test_the_form_offers_the_known_accounts_and_the_current_versions(admin_client, routine):
    page = Page(admin_client.get(DETAILS_URL))
    fields = page.fields(DETAILS_URL)
    assert fields["beta_version"] == header_versions.BETA_VERSION
    assert fields["api_version"] == header_versions.API_VERSION
    assert page.find("option", value="Platform account")


def test_the_two_ways_lead_to_each_other(admin_client):
    assert Page(admin_client.get(PASTE_URL)).link(DETAILS_URL)
    assert Page(admin_client.get(DETAILS_URL)).find("a", href=PASTE_URL)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("routine_id", "routine_x", "A routine ID starts with trig_, never with routine_."),
        ("routine_id", "https://example.com/v1/claude_code/routines/trig_x/fire", "another host"),
        ("routine_id", "https://claude.ai/code/session_1", "No routine ID"),
        ("routine_id", "trig_01ABCDEFGHJKLMNOPQRSTUVW", "placeholder of the documentation"),
        ("routine_id", "", "This field is required."),
        ("routine_id", "trig_\x00", "Null characters are not allowed."),
        ("token", BAD_TOKEN, "The token is broken over lines or holds a space."),
        ("token", "sk-ant-api03-abcdefgh", "A routine token starts with sk-ant-oat01-."),
        ("token", "sk-ant-oat01-ab\x00cd", "holds characters that no token has"),
        ("token", "sk-ant-oat01-ab\u200bcd", "holds invisible characters"),
        ("token", "sk-ant-oat01-xxxxxxxx", "placeholder of the documentation"),
        ("beta_version", "experimental-cc-routine-2026-12-01", "not known here yet"),
        ("api_version", "2023\r\nX-Other: 1", "not known here yet"),
        ("api_version", "", "This field is required."),
        ("cool_down", "-1", "greater than or equal to 0"),
        ("hourly_limit", "9" * 30, "less than or equal to"),
        ("name", "", "This field is required."),
        ("name", "x" * 81, "at most 80 characters"),
    ],
)
def test_what_cannot_be_registered_comes_back_with_a_sentence(admin_client, field, value, sentence):
    response = admin_client.post(DETAILS_URL, DETAILS | {field: value})
    page = Page(response)
    assert response.status_code == 422
    assert page.says(sentence)
    assert page.find("input", name="name")[0].attributes.get("value", "") in ("Fifth", value)
    assert not Routine.objects.exists()


@pytest.mark.parametrize("field", ["name", "purpose", "routine_id", "account", "beta_version"])
def test_a_token_in_any_other_field_is_neither_saved_nor_shown(admin_client, field):
    response = admin_client.post(DETAILS_URL, DETAILS | {field: f"x {NEW_TOKEN}"})
    assert response.status_code == 422
    assert Page(response).says("A token stands here, where everybody would see it.")
    assert_hidden(response)
    assert not Routine.objects.exists()


def test_a_refused_token_is_not_in_the_answer(admin_client):
    response = admin_client.post(DETAILS_URL, DETAILS | {"token": BAD_TOKEN})
    assert response.status_code == 422
    for half in BAD_TOKEN.removeprefix(tokens.PREFIX).split(" and "):
        assert half.encode() not in response.content


def test_two_routines_of_one_name_have_their_own_addresses(admin_client):
    create_routine(name="Fifth")
    admin_client.post(DETAILS_URL, DETAILS)
    assert sorted(Routine.objects.values_list("slug", flat=True)) == ["fifth", "fifth-2"]


@pytest.mark.parametrize("name", ["register", "Card", "日本語", "!!!"])
def test_any_name_leads_to_a_page_of_its_own(admin_client, name):
    response = admin_client.post(DETAILS_URL, DETAILS | {"name": name}, follow=True)
    assert Page(response).find("h1")[0].text.strip().startswith(name)


def test_an_id_or_slug_taken_at_the_same_moment_is_no_server_error(admin_client, monkeypatch):
    def taken(**_: object) -> None:
        raise IntegrityError("UNIQUE constraint failed: routines_routine.slug")

    monkeypatch.setattr(registry, "register", taken)
    response = admin_client.post(DETAILS_URL, DETAILS)
    assert response.status_code == 422
    assert Page(response).says("Somebody registered a routine at the same moment.")
    assert_hidden(response)


# --- Afterwards ---


def test_the_next_steps_give_the_sentences_for_the_saved_prompt(admin_client):
    page = Page(admin_client.post(DETAILS_URL, DETAILS, follow=True))
    sentences = {element.attributes.get("id"): element.text for element in page.find("pre")}
    assert "routine-fire-payload block" in sentences["prompt-for-words"]
    assert "Parse it first" in sentences["prompt-for-json"]
    buttons = [button.attributes.get("data-copies") for button in page.find("button")]
    assert [name for name in buttons if name] == list(sentences)
    assert page.says("Fifth account, whoever presses Run")
    assert page.link(reverse("token_test", args=["fifth"]))
