"""Replacing a token by pasting what registering takes: the token with all that stands around it."""

import pytest

from routines.models import Routine
from routines.values import tokens
from tests.dashboard.browsing import Page
from tests.dashboard.registry.registering import NEW_ID, NEW_TOKEN, assert_hidden, command
from tests.dashboard.registry.test_token_pages import (
    OTHER_TOKEN,
    save,
    stored,
    token_url,
    trial_url,
)
from tests.factories import create_routine


@pytest.fixture
def routine(db) -> Routine:
    return create_routine(name="Release notes", routine_id=NEW_ID, token=OTHER_TOKEN)


@pytest.mark.parametrize(
    "around",
    [
        '"{}"',
        "Bearer {}",
        "Authorization: Bearer {}",
        "ROUTINE_FIRE_TOKEN={}",
        '"token": "{}",',
        '{{"routine": "' + NEW_ID + '", "token": "{}"}}',
        "{} https://api.anthropic.com/v1/claude_code/routines/" + NEW_ID + "/fire",
    ],
)
def test_a_token_is_replaced_by_what_was_copied_with_its_surroundings(
    admin_client, routine, around, settings
):
    settings.CLAUDE_API_BASE_URL = "https://api.anthropic.com"
    pasted = around.replace("{{", "{").replace("}}", "}").replace("{}", NEW_TOKEN)
    response = save(admin_client, routine, pasted)
    assert response.status_code == 302, Page(response).find("ul", **{"class": "errors"})[0].text
    assert stored(routine).reveal_token() == tokens.parse(NEW_TOKEN)


@pytest.mark.parametrize("line_break", ["\n", " "], ids=["as copied", "as a field of one line"])
def test_the_command_that_registering_takes_replaces_a_token_and_moves_no_version(
    admin_client, routine, line_break
):
    pasted = command(beta_version="experimental-cc-routine-2026-12-01")
    save(admin_client, routine, pasted.replace("\n", line_break))
    after = stored(routine)
    assert after.reveal_token() == tokens.parse(NEW_TOKEN)
    assert after.beta_version == routine.beta_version
    page = Page(admin_client.get(trial_url(routine)))
    assert page.says("The command names the beta version experimental-cc-routine-2026-12-01.")
    assert page.says(f"This routine still sends {routine.beta_version}: that was not changed.")
    assert not page.says("names the API version")


@pytest.mark.parametrize("is_registered", [True, False])
def test_the_command_of_another_routine_replaces_no_token(admin_client, routine, is_registered):
    if is_registered:
        create_routine(name="The other", routine_id="trig_of_the_other")
    response = save(admin_client, routine, command(routine_id="trig_of_the_other"))
    assert response.status_code == 422
    whose = "“The other”" if is_registered else "another routine than this one"
    assert Page(response).says(f"This command is for {whose}: its routine ID is not {NEW_ID}.")
    assert stored(routine).token_encrypted == routine.token_encrypted
    assert_hidden(response)
    assert Page(response).fields(token_url(routine))["carried"] == ""


def test_a_command_whose_routine_id_is_damaged_asks_for_the_token_alone(admin_client, routine):
    response = save(admin_client, routine, command(routine_id="trig_practice…"))
    assert Page(response).says("The routine ID is cut short: a part was left out.")
    assert Page(response).says("If it is, paste the token alone.")
    assert stored(routine).token_encrypted == routine.token_encrypted


@pytest.mark.parametrize(
    "pasted", ["hello", "$TOKEN", f"SK-ANT-{NEW_TOKEN[7:]}", NEW_TOKEN[:30] + "…", NEW_TOKEN * 3]
)
def test_nobody_is_told_to_generate_another_token_while_one_is_in_hand(
    admin_client, routine, pasted
):
    response = save(admin_client, routine, pasted)
    if response.status_code == 422:
        (errors,) = Page(response).find("ul", **{"class": "errors"})
        assert "enerate" not in errors.text
    else:
        assert pasted == NEW_TOKEN * 3  # the same one


def test_the_field_of_the_token_has_the_focus(admin_client, routine):
    (field,) = Page(admin_client.get(token_url(routine))).find("input", name="token")
    assert "autofocus" in field.attributes


def test_far_too_much_is_not_even_read(admin_client, routine):
    response = save(admin_client, routine, NEW_TOKEN + " " * 200_000)
    assert Page(response).says("This is far too long")
