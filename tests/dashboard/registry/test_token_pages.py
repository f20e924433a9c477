"""Replacing, testing and removing a stored token, step by step, by two admins at once."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from routines import fire_api
from routines.models import AuditEvent, Routine, Run
from routines.tokens import rotation
from routines.values import tokens
from routines.values.reasons import Reason, State
from tests.dashboard.browsing import Page, fire_url, press, run_form, signed_in
from tests.dashboard.registry.registering import BAD_TOKEN, NEW_ID, NEW_TOKEN, assert_hidden
from tests.factories import create_admin, create_routine, create_run, create_teammate

OTHER_TOKEN = "sk-ant-oat01-another-token-of-an-admin"


@pytest.fixture
def routine(db) -> Routine:
    return create_routine(name="Release notes", routine_id=NEW_ID, token=OTHER_TOKEN)


@pytest.fixture
def colleague(db):
    return create_admin(username="the other admin")


def token_url(routine: Routine) -> str:
    return reverse("token", args=[routine.slug])


def trial_url(routine: Routine) -> str:
    return reverse("token_test", args=[routine.slug])


def remove_url(routine: Routine) -> str:
    return reverse("token_compromised", args=[routine.slug])


def fields_of(client, url: str) -> dict[str, str]:
    return Page(client.get(url)).fields(url)


def save(client, routine: Routine, token: str, **fields: str):
    typed = fields_of(client, token_url(routine)) | {"token": token} | fields
    return client.post(token_url(routine), typed)


def stored(routine: Routine) -> Routine:
    return Routine.objects.get(pk=routine.pk)


# --- Replacing ---


@pytest.mark.parametrize("pasted", [NEW_TOKEN, f"  {NEW_TOKEN}\r\n"])
def test_a_pasted_token_is_trimmed_and_stored_and_a_test_is_offered(
    admin_client, admin, routine, pasted
):
    response = save(admin_client, routine, pasted)
    assert response.headers["Location"] == trial_url(routine)
    page = Page(admin_client.get(trial_url(routine)))
    assert page.says(f"The token is stored. It ends in {NEW_TOKEN[-4:]}.")
    assert page.says("This is a real run.")
    assert (stored(routine).reveal_token(), stored(routine).token_set_by) == (
        tokens.parse(NEW_TOKEN),
        admin,
    )


def test_the_steps_lead_to_claude_ai_and_name_routine_and_account(admin_client, routine):
    page = Page(admin_client.get(token_url(routine)))
    assert page.link("https://claude.ai/code/routines")
    assert page.says("Regenerate there")
    assert page.says(NEW_ID)
    assert page.says("Platform account")


def test_replacing_a_token_leaves_a_trace_of_the_last_four_characters(admin_client, admin, routine):
    save(admin_client, routine, NEW_TOKEN)
    event = AuditEvent.objects.filter(action="token_set").latest("pk")
    changes = {"token": [f"…{OTHER_TOKEN[-4:]}", f"…{NEW_TOKEN[-4:]}"]}
    assert (event.person, event.changes) == (admin, changes)


@pytest.mark.parametrize(
    ("pasted", "sentence"),
    [
        ("", "Paste the token that claude.ai showed"),
        ("  ", "Paste the token that claude.ai showed"),
        (BAD_TOKEN, "Copy it whole, again."),
        ("sk-ant-oat01-xxxxx", "placeholder of the documentation"),
        (f"{NEW_TOKEN[:30]}\u200d{NEW_TOKEN[30:]}", "holds invisible characters"),
        (f"{NEW_TOKEN}ü", "holds characters that no token has"),
        (NEW_TOKEN + "ab" * 2_500, "This is too long for a token"),
    ],
    ids=["empty", "spaces", "broken", "placeholder", "zero-width", "non-ASCII", "too long"],
)
def test_a_token_that_cannot_be_one_replaces_nothing(admin_client, routine, pasted, sentence):
    response = save(admin_client, routine, pasted)
    assert response.status_code == 422
    assert Page(response).says(sentence)
    assert NEW_TOKEN[13:30].encode() not in response.content
    assert b"first half" not in response.content
    assert stored(routine).token_encrypted == routine.token_encrypted


def test_a_form_that_is_not_whole_saves_nothing_and_can_be_sent_again(admin_client, routine):
    response = admin_client.post(token_url(routine), {"token": NEW_TOKEN})
    assert response.status_code == 422
    assert Page(response).says("This form was not whole. Nothing was saved")
    assert stored(routine).token_encrypted == routine.token_encrypted
    assert_hidden(response)


def test_a_token_that_another_routine_stores_is_asked_about_first(admin_client, routine):
    create_routine(name="The other", token=NEW_TOKEN)
    response = save(admin_client, routine, NEW_TOKEN)
    assert response.status_code == 422
    assert Page(response).says("The other stores this very token.")
    assert_hidden(response)
    assert stored(routine).token_encrypted == routine.token_encrypted
    assert (
        admin_client.post(token_url(routine), Page(response).fields(token_url(routine))).status_code
        == 302
    )
    assert stored(routine).reveal_token() == tokens.parse(NEW_TOKEN)


# --- Two admins at once ---


def test_the_second_admin_is_told_who_changed_the_token_and_when(admin_client, colleague, routine):
    opened = fields_of(admin_client, token_url(routine))
    save(signed_in(colleague), routine, NEW_TOKEN)
    mine = "sk-ant-oat01-what-the-first-admin-has"
    response = admin_client.post(token_url(routine), opened | {"token": mine})
    assert response.status_code == 422
    page = Page(response)
    assert page.says("The token has changed since you opened this page")
    assert page.says("the other admin set the token of this routine")
    assert page.find("time")
    assert page.says(f"ends in {NEW_TOKEN[-4:]} now")
    assert_hidden(response, mine)
    assert stored(routine).reveal_token() == tokens.parse(NEW_TOKEN)


def test_pressing_again_replaces_the_changed_token_without_pasting_anew(
    admin_client, colleague, routine
):
    opened = fields_of(admin_client, token_url(routine))
    save(signed_in(colleague), routine, NEW_TOKEN)
    mine = "sk-ant-oat01-what-the-first-admin-has"
    response = admin_client.post(token_url(routine), opened | {"token": mine})
    assert (
        admin_client.post(token_url(routine), Page(response).fields(token_url(routine))).status_code
        == 302
    )
    assert stored(routine).reveal_token() == tokens.parse(mine)


def test_a_third_change_in_between_is_told_again(admin_client, colleague, routine):
    opened = fields_of(admin_client, token_url(routine))
    save(signed_in(colleague), routine, NEW_TOKEN)
    response = admin_client.post(token_url(routine), opened | {"token": "sk-ant-oat01-mine-1"})
    rotation.remove_token(routine, by=colleague)
    response = admin_client.post(token_url(routine), Page(response).fields(token_url(routine)))
    assert response.status_code == 422
    assert Page(response).says("the other admin removed the token of this routine")
    assert Page(response).says("None is stored now.")
    assert not stored(routine).has_token


def test_the_carried_token_of_one_routine_is_not_taken_for_another(admin_client, admin, routine):
    other = create_routine()
    encrypted = tokens.encrypt_for_form(
        tokens.parse(NEW_TOKEN), form=f"token form for {other.pk} of {admin.pk}"
    )
    response = save(admin_client, routine, "", carried=encrypted)
    assert response.status_code == 422
    assert Page(response).says("is not at hand any more")


# --- Removing ---


def test_a_compromised_token_is_deleted_at_once_and_the_steps_to_revoke_it_are_shown(
    admin_client, admin, routine
):
    response = admin_client.post(
        remove_url(routine), fields_of(admin_client, remove_url(routine)), follow=True
    )
    page = Page(response)
    assert page.says("Press Revoke")
    assert page.link("https://claude.ai/code/routines")
    after = stored(routine)
    assert (after.token_encrypted, after.token_last_four, after.token_set_at) == ("", "", None)
    event = AuditEvent.objects.get(action="token_removed")
    changes = {"token": [f"…{OTHER_TOKEN[-4:]}", None]}
    assert (event.person, event.changes) == (admin, changes)


def test_looking_at_the_confirmation_removes_nothing(admin_client, routine):
    admin_client.get(remove_url(routine))
    assert stored(routine).has_token


def test_the_board_says_why_a_routine_without_its_token_cannot_run(
    admin_client, client, routine, colleague, practice
):
    opened = run_form(client, routine)
    rotation.remove_token(routine, by=colleague)
    page = Page(client.get("/"))
    assert page.says("An admin has removed the token of this routine.")
    assert [button.attributes.get("disabled") for button in page.find("button", disabled="")]
    client.post(fire_url(routine), opened)
    assert Run.objects.get().reason == Reason.TOKEN_REMOVED
    assert practice.requests == 0


def test_removing_twice_is_traced_once(admin_client, routine):
    fields = fields_of(admin_client, remove_url(routine))
    admin_client.post(remove_url(routine), fields)
    response = admin_client.post(remove_url(routine), fields)
    assert response.status_code == 422
    assert AuditEvent.objects.filter(action="token_removed").count() == 1


def test_a_token_that_was_replaced_meanwhile_is_not_removed_unasked(
    admin_client, colleague, routine
):
    fields = fields_of(admin_client, remove_url(routine))
    save(signed_in(colleague), routine, NEW_TOKEN)
    response = admin_client.post(remove_url(routine), fields)
    assert response.status_code == 422
    assert Page(response).says("the other admin set the token of this routine")
    assert stored(routine).has_token
    admin_client.post(remove_url(routine), Page(response).fields(remove_url(routine)))
    assert not stored(routine).has_token


@pytest.mark.parametrize("version", ["", "x", "9" * 5000, "-1", "²"])
def test_a_removal_that_does_not_say_which_token_is_refused(admin_client, routine, version):
    response = admin_client.post(remove_url(routine), {"token_version": version})
    assert response.status_code == 422
    assert stored(routine).has_token


def test_a_fire_under_way_finishes_with_the_token_it_started_with(
    admin, routine, settings, monkeypatch
):
    rotation.replace_token(routine, tokens.parse(NEW_TOKEN), by=admin)
    sent = []

    def fire(*, token, **_):
        rotation.remove_token(routine, by=admin)
        sent.append(token.reveal())
        return fire_api.Answer(Reason.SESSION_CREATED, http_status=200, session_id="session_1")

    monkeypatch.setattr(fire_api, "fire", fire)
    press(signed_in(create_teammate()), routine)
    assert sent == [NEW_TOKEN]
    assert Run.objects.get().state == State.STARTED
    assert stored(routine).token_accepted_at is None


# --- The test fire ---


@pytest.fixture
def working(routine, admin) -> Routine:
    rotation.replace_token(routine, tokens.parse(NEW_TOKEN), by=admin)
    return stored(routine)


def test_the_test_fire_is_a_labelled_real_run_with_its_session(admin_client, working, practice):
    fields = fields_of(admin_client, trial_url(working))
    page = Page(admin_client.post(trial_url(working), fields, follow=True))
    run = Run.objects.get()
    assert (run.is_trial, run.state, run.text) == (True, State.STARTED, fields["text"])
    assert page.link(run.session_url)
    assert page.find("span", title="A real run by an admin, to try a token or a version")
    assert Page(admin_client.get("/history/")).says("test")
    assert stored(working).token_accepted_at is not None


def test_a_rejected_test_leads_back_to_the_token(admin_client, routine, practice):
    fields = fields_of(admin_client, trial_url(routine))
    page = Page(admin_client.post(trial_url(routine), fields, follow=True))
    assert page.says("The endpoint rejected the stored token.")
    assert page.link(token_url(routine)).text == "Paste the token again"


@pytest.mark.parametrize("key", ["", "x", "of another person"])
def test_a_test_without_a_good_key_sends_nothing_and_comes_back_with_one(
    admin_client, working, practice, colleague, key
):
    if key == "of another person":
        key = fields_of(signed_in(colleague), trial_url(working))["key"]
    fields = fields_of(admin_client, trial_url(working))
    response = admin_client.post(trial_url(working), fields | {"key": key})
    assert response.status_code == 422
    assert practice.requests == 0
    (renewed,) = Page(response).find("input", name="key")
    admin_client.post(trial_url(working), fields | {"key": renewed.attributes["value"]})
    assert practice.requests == 1


def test_a_routine_that_cannot_run_offers_no_test(admin_client, working, colleague):
    rotation.remove_token(working, by=colleague)
    page = Page(admin_client.get(trial_url(working)))
    assert page.says("An admin has removed the token")
    assert [one for one in page.find("button", disabled="") if one.text == "Fire this test"]


def test_an_admin_who_may_not_run_the_routine_is_told_so(admin_client, admin, working, practice):
    fields = fields_of(admin_client, trial_url(working))
    keepers = Group.objects.create(name="Keepers")
    keepers.permissions.add(Permission.objects.get(codename="manage_registry"))
    admin.groups.set([keepers])
    page = Page(admin_client.get(trial_url(working)))
    assert page.says("You may not run this routine yourself.")
    assert not page.find("input", name="key")
    assert admin_client.post(trial_url(working), fields).status_code == 403
    assert practice.requests == 0


def test_only_a_test_of_this_routine_is_shown_as_its_test(admin_client, admin, working):
    ordinary = create_run(routine=working, person=admin)
    elsewhere = create_run(person=admin, is_trial=True)
    for run in (ordinary, elsewhere):
        assert admin_client.get(f"{trial_url(working)}?run={run.pk}").status_code == 404
    assert admin_client.get(f"{trial_url(working)}?run=x").status_code == 200


def test_no_page_of_the_desk_shows_a_token(admin_client, admin, practice):
    routine = create_routine(routine_id=NEW_ID, template="x")
    template = routine.text_templates.get()
    run = create_run(routine=routine, person=admin, is_trial=True)
    pages = ["/", "/history/", "/routines/", reverse("register"), reverse("register_details")]
    pages += [f"/history/{run.pk}/", f"{trial_url(routine)}?run={run.pk}"]
    names = ["run", "registry_routine", "registered", "edit", "token", "token_test"]
    names += ["token_compromised", "add_template"]
    pages += [reverse(name, args=[routine.slug]) for name in names]
    pages.append(reverse("edit_template", args=[routine.slug, template.pk]))
    for url in pages:
        response = admin_client.get(url)
        assert response.status_code == 200
        assert_hidden(response)
        assert routine.token_encrypted.encode() not in response.content, url
