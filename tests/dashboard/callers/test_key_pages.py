"""What admins and people do about API keys, page by page."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from routines.callers import authenticating, keys, turned_away
from routines.models import ApiKey, ApiKeySecret, AuditEvent, Person, Routine, Run, WhyNoRun
from routines.people import groups
from routines.values.reasons import Reason, State
from tests.dashboard.browsing import Page, press_button, save, signed_in
from tests.factories import (
    create_admin,
    create_key_and_secret,
    create_routine,
    create_run,
    create_teammate,
)

pytestmark = pytest.mark.django_db
ADD, ADD_OWN = "/callers/add/", "/my-keys/add/"


def page_of(api_key: ApiKey) -> str:
    return reverse("api_key", args=[api_key.pk])


def url(name: str, api_key: ApiKey) -> str:
    return reverse(name, args=[api_key.pk])


def made(response: Any) -> str:
    """The secret that an answer shows."""
    assert response.status_code == 200
    (code,) = Page(response).find("code", id="secret")
    return code.text


def opens(text: str) -> ApiKey | None:
    try:
        return authenticating.authenticate(text, address="192.0.2.1")
    except (authenticating.UnknownKey, authenticating.KeyRefused):
        return None


# --- Making one ---


def test_a_new_key_is_shown_once_with_its_header_and_works(admin_client, routine):
    response = save(admin_client, ADD, name="Pipeline", routines=[routine.pk])
    text = made(response)
    assert "no-store" in response.headers["Cache-Control"]
    assert Page(response).says(f"Authorization: Bearer {text}")
    copy = {button.attributes.get("data-copies") for button in Page(response).find("button")}
    assert {"secret", "header"} <= copy
    api_key = ApiKey.objects.get(name="Pipeline")
    assert opens(text) == api_key
    assert list(api_key.routines.all()) == [routine]
    for address in (page_of(api_key), "/callers/", "/audit/", "/audit/changes.csv", "/"):
        assert text[4:16] not in admin_client.get(address).getvalue().decode(), address
    assert text not in str(dict(admin_client.session))


def test_the_answer_shows_the_new_secret_and_no_other(admin_client, routine):
    _, other = create_key_and_secret(routine)
    Routine.objects.filter(pk=routine.pk).update(name=other)  # wherever it may have come in
    text = made(save(admin_client, ADD, name="x", routines=[routine.pk]))
    page = admin_client.get(page_of(ApiKey.objects.get(name="x")))
    assert other not in page.content.decode()
    assert text not in page.content.decode()


def test_loading_the_answer_again_makes_no_second_key(admin_client, routine):
    fields = Page(admin_client.get(ADD)).fields() | {"name": "One", "routines": [routine.pk]}
    made(admin_client.post(ADD, fields))
    again = admin_client.post(ADD, fields)
    assert again.status_code == 422
    assert Page(again).says("A key of that name exists already.")
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"name": ""}, "This field is required."),
        ({"routines": []}, "Choose a routine, or a tag below."),
        ({"routines": ["99"]}, "Select a valid choice."),
        ({"hourly_cap": "0"}, "greater than or equal to 1"),
        ({"daily_cap": "9" * 30}, "less than or equal to"),
        ({"last_day": "tomorrow"}, "A day is written like 2026-01-31."),
        ({"last_day": "2020-01-01"}, "This day is over."),
        ({"last_day": "9999-12-31"}, "Choose a day of the next ten years"),
        ({"networks": "the office"}, "is no address or network"),
        ({"sends_idempotency_key": "perhaps"}, "Select a valid choice."),
        ({"name": f"rdk_{'x' * 46}"}, "An API key stands here"),
    ],
)
def test_what_cannot_be_is_told_at_its_field(admin_client, routine, typed, sentence):
    response = save(admin_client, ADD, **{"name": "x", "routines": [routine.pk]} | typed)
    assert response.status_code == 422
    assert Page(response).says(sentence)
    assert not ApiKey.objects.exists()


def test_a_key_works_until_the_end_of_the_day_in_the_readers_zone(admin_client, routine):
    admin_client.cookies["time_zone"] = "America/New_York"
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC)):
        admin_client = signed_in(create_admin())
        admin_client.cookies["time_zone"] = "America/New_York"
        assert Page(admin_client.get(ADD)).says("As a day of America/New_York.")
        save(admin_client, ADD, name="x", routines=[routine.pk], last_day="2026-06-30")
        api_key = ApiKey.objects.get()
        assert api_key.expires_at == datetime(2026, 7, 1, 4, tzinfo=UTC)
        # Whoever edits something else, elsewhere, leaves it as it is.
        admin_client.cookies["time_zone"] = "Asia/Tokyo"
        assert save(admin_client, url("edit_api_key", api_key), name="y").status_code == 302
        api_key.refresh_from_db()
        assert (api_key.name, api_key.expires_at.day) == ("y", 1)


def test_the_form_says_what_a_routine_asks_people(admin_client, routine):
    Routine.objects.update(confirmation="confirm", asks_why=True)
    routine.open_to.add(groups.add("Crew", members=[], by=create_admin()))
    page = Page(admin_client.get(ADD))
    assert page.says("asks people to confirm, asks people for a reason, open to Crew only")
    assert page.says("This key is not asked")
    save(admin_client, ADD, name="x", routines=[routine.pk])
    shown = Page(admin_client.get(page_of(ApiKey.objects.get())))
    assert shown.says("1 of its routines has rules for people")


def test_an_edit_loses_no_routine_that_is_archived_for_a_while(admin_client, routine):
    api_key, _ = create_key_and_secret(create_routine(), routine)
    Routine.objects.filter(pk=routine.pk).update(archived_at=timezone.now())
    edit = url("edit_api_key", api_key)
    page = Page(admin_client.get(edit))
    assert page.says("Release notes archived")
    chosen = page.chosen("routines")
    assert save(admin_client, edit, name="Renamed", routines=chosen).status_code == 302
    assert routine in api_key.routines.all()
    assert not Page(admin_client.get(ADD)).says("Release notes")


def test_what_was_ticked_stands_first_and_stays_ticked(admin_client):
    routines = [create_routine(name=f"Routine {letter}") for letter in "abc"]
    last = routines[-1]
    page = Page(save(admin_client, ADD, name="", routines=[last.pk]))
    boxes = page.find("input", name="routines")
    assert boxes[0].attributes["value"] == str(last.pk)
    assert page.chosen("routines") == [str(last.pk)]


def test_making_one_asks_for_a_recent_sign_in(routine):
    with time_machine.travel(timezone.now() - timedelta(minutes=20), tick=False):
        client = signed_in(create_admin())
        fields = Page(client.get(ADD)).fields() | {"name": "x", "routines": [routine.pk]}
    assert client.get(ADD).status_code == 302
    response = client.post(ADD, fields)
    assert response.status_code == 422
    assert Page(response).says("It is a while since you signed in")
    assert not ApiKey.objects.exists()


# --- Replacing and ending a secret ---


def test_a_second_secret_is_shown_once_and_the_old_one_is_ended_by_a_button(admin_client, routine):
    api_key, old = create_key_and_secret(routine)
    response = press_button(admin_client, page_of(api_key), url("add_secret", api_key))
    new = made(response)
    assert "no-store" in response.headers["Cache-Control"]
    assert (opens(old), opens(new)) == (api_key, api_key)
    first = ApiKeySecret.objects.earliest("pk")
    end = reverse("end_secret", args=[api_key.pk, first.pk])
    shown = Page(press_button(admin_client, page_of(api_key), end, follow=True))
    assert shown.says(f"The secret that ends in {first.last_four} no longer works.")
    assert (opens(old), opens(new)) == (None, api_key)


def test_pressing_twice_makes_one_second_secret(admin_client, routine):
    api_key, _ = create_key_and_secret(routine)
    add = url("add_secret", api_key)
    fields = Page(admin_client.get(page_of(api_key))).fields(add)
    made(admin_client.post(add, fields))
    assert admin_client.post(add, fields).status_code == 422
    assert api_key.secrets.count() == 2


def test_a_secret_of_another_key_is_not_reached_through_this_one(admin_client, routine):
    (mine, _), (other, _) = (create_key_and_secret(routine) for _ in range(2))
    keys.replace_secret(other, by=create_admin())
    crossed = reverse("end_secret", args=[mine.pk, other.secrets.earliest("pk").pk])
    assert admin_client.post(crossed).status_code == 404


# --- Revoking ---


def test_revoking_says_what_callers_are_told_and_cancels_what_waits_if_asked_to(
    admin_client, routine
):
    api_key, text = create_key_and_secret(routine)
    for _ in range(2):
        create_run(api_key=api_key, routine=routine, reason=Reason.ACCEPTED)
    revoke = url("revoke_api_key", api_key)
    page = Page(admin_client.get(revoke))
    assert page.says("Also cancel its 2 waiting runs")
    assert page.says("401 authentication_error")
    response = save(admin_client, revoke, cancels_waiting="on")
    shown = Page(admin_client.get(response.headers["Location"]))
    assert shown.says("2 waiting runs will not be sent.")
    assert opens(text) is None
    assert set(Run.objects.values_list("state", flat=True)) == {State.NOT_SENT}
    assert AuditEvent.objects.filter(action="api_key_revoked").count() == 1


def test_without_the_tick_what_waits_is_sent(admin_client, routine):
    api_key, _ = create_key_and_secret(routine)
    run = create_run(api_key=api_key, routine=routine, reason=Reason.ACCEPTED)
    assert save(admin_client, url("revoke_api_key", api_key)).status_code == 302
    run.refresh_from_db()
    assert run.state == State.ACCEPTED


def test_a_revoked_key_has_a_page_without_buttons(admin_client, routine):
    api_key, text = create_key_and_secret(routine)
    keys.revoke(api_key, by=create_admin())
    opens(text)
    page = Page(admin_client.get(page_of(api_key)))
    assert page.says("Key revoked")
    assert page.says("Somebody still calls with it.")
    actions = {form.attributes.get("action") for form in page.find("form", method="post")}
    assert actions == {reverse("account_logout")}
    again = save(admin_client, url("revoke_api_key", api_key))
    assert again.status_code == 422
    assert Page(again).says("This key is revoked already.")


# --- The pages of a key ---


def test_the_list_names_callers_and_personal_keys(admin_client, teammate, routine):
    shared, text = create_key_and_secret(routine, name="Pipeline")
    create_key_and_secret(name="On my laptop", person=teammate)
    opens(text)
    create_run(api_key=shared)
    page = Page(admin_client.get("/callers/"))
    for sentence in ("Pipeline", "192.0.2.1", "1 of 30", "On my laptop", "the teammate"):
        assert page.says(sentence)


def test_the_page_says_what_a_retry_would_have_done(admin_client, routine):
    api_key, _ = create_key_and_secret(routine, sends_idempotency_key=False)
    for minutes in (60, 55, 20):
        create_run(api_key=api_key, intent="a", ago=timedelta(minutes=minutes))
    page = Page(admin_client.get(page_of(api_key)))
    assert page.says("1 of 3 calls in the last 30 days looked like a retry")
    assert page.says("It started a session of its own.")
    ApiKey.objects.update(sends_idempotency_key=True)
    assert not Page(admin_client.get(page_of(api_key))).says("looked like a retry")


def test_the_page_says_what_was_turned_away_and_links_to_the_history(admin_client, routine):
    api_key, _ = create_key_and_secret(routine)
    turned_away.note(api_key, WhyNoRun.NOT_OPEN)
    run = create_run(api_key=api_key, routine=routine, text="Deployed 1234.")
    page = Page(admin_client.get(page_of(api_key)))
    assert page.says("No such routine for this key Calls 1")
    assert page.says("Compare the address that it calls.")
    assert page.says("Deployed 1234.")
    assert page.link(f"/history/?api_key={api_key.pk}")
    assert page.link(reverse("history_run", args=[run.pk]))
    assert page.link(f"/audit/?what=api_keys&about={api_key.name.replace(' ', '%20')}")


def test_the_audit_trail_filters_by_what_was_done_with_keys(admin_client, routine):
    api_key, _ = create_key_and_secret(routine, name="Pipeline")
    keys.replace_secret(api_key, by=create_admin())
    page = Page(admin_client.get("/audit/?what=api_keys"))
    assert page.says("made the API key Pipeline")
    assert page.says("made a new secret for the API key Pipeline")
    assert page.says("All of: API keys")
    assert Page(admin_client.get("/audit/?what=api_key_secret_added")).says("made a new secret")


# --- People's own ---


def test_a_person_makes_a_key_of_their_own_that_expires_in_ninety_days(client, teammate):
    response = save(client, ADD_OWN, name="Laptop")
    api_key = ApiKey.objects.get()
    assert opens(made(response)) == api_key
    assert (api_key.person, api_key.all_routines) == (teammate, True)
    assert api_key.expires_at is not None
    left = api_key.expires_at - timezone.now()
    assert timedelta(days=90) <= left <= timedelta(days=92)
    assert Page(client.get("/my-keys/")).link(page_of(api_key)).text == "Laptop"
    page = Page(client.get("/"))
    assert page.link("/my-keys/").text == "My API keys"


def test_it_is_for_chosen_routines_or_for_all_not_for_both(client, routine):
    chosen = {"routines": [routine.pk]}
    both = save(client, ADD_OWN, name="x", **chosen)
    assert Page(both).says("not both")
    none = save(client, ADD_OWN, name="x", all_routines="no")
    assert Page(none).says("Choose a routine, or all that you may run above.")
    made(save(client, ADD_OWN, name="x", all_routines="no", **chosen))
    assert list(ApiKey.objects.get().routines.all()) == [routine]


def test_nobody_chooses_a_routine_that_they_may_not_run(client, routine):
    routine.open_to.add(groups.add("Crew", members=[], by=create_admin()))
    assert not Page(client.get(ADD_OWN)).says(routine.name)
    response = save(client, ADD_OWN, name="x", all_routines="no", routines=[routine.pk])
    assert response.status_code == 422


def test_people_replace_and_revoke_their_own_and_see_nobody_elses(client, teammate):
    mine, _ = create_key_and_secret(name="Mine", person=teammate)
    theirs, _ = create_key_and_secret(name="Theirs", person=create_teammate())
    made(press_button(client, page_of(mine), url("add_secret", mine)))
    assert save(client, url("revoke_api_key", mine)).status_code == 302
    mine.refresh_from_db()
    assert mine.revoked_by == teammate
    assert not Page(client.get("/my-keys/")).says("Theirs")
    assert client.get(page_of(theirs)).status_code == 404


def test_an_admin_sees_and_revokes_a_personal_key_and_makes_no_secret_of_it(admin_client, teammate):
    api_key, text = create_key_and_secret(person=teammate)
    page = Page(admin_client.get(page_of(api_key)))
    assert page.says("it acts as the teammate")
    assert not page.find("a", href=url("edit_api_key", api_key))
    assert not page.find("form", action=url("add_secret", api_key))
    assert admin_client.post(url("add_secret", api_key)).status_code == 403
    assert save(admin_client, url("revoke_api_key", api_key)).status_code == 302
    assert opens(text) is None


def test_a_key_that_is_asked_to_confirm_says_that_it_cannot(client, teammate, routine):
    Routine.objects.update(confirmation="confirm")
    api_key, _ = create_key_and_secret(person=teammate)
    assert Page(client.get(page_of(api_key))).says("calls for it are turned away")


def test_the_page_of_who_leaves_says_how_many_keys_go_with_them(admin_client, teammate):
    create_key_and_secret(person=teammate)
    create_key_and_secret(person=teammate)
    person = reverse("edit_person", args=[teammate.pk])
    assert Page(admin_client.get(person)).says("Their 2 API keys are revoked for good.")
    away = reverse("deactivate_person", args=[teammate.pk])
    shown = Page(press_button(admin_client, person, away, follow=True))
    assert shown.says("2 API keys of theirs are revoked.")


def test_somebody_else_is_named_to_nobody(client: Client, teammate: Person):
    theirs, _ = create_key_and_secret(person=create_teammate(username="stranger"))
    missing = client.get(reverse("api_key", args=[theirs.pk + 100]))
    found = client.get(page_of(theirs))

    def bare(response: Any) -> str:
        page = response.content.decode().replace(response.headers["X-Request-ID"], "")
        return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page)

    assert bare(found) == bare(missing)
