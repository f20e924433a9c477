"""Header versions: the list, adding one, moving routines there and back, and who is warned."""

import pytest
from django.urls import reverse
from django.utils import timezone

from dashboard.forms.register import RegisterForm
from routines.models import AuditEvent, Header, HeaderVersion, Routine, VersionMove
from routines.registry import header_versions, version_moves
from tests.dashboard.browsing import Page, seen
from tests.dashboard.versions.moving import (
    ADD,
    LIST,
    MAY_STOP,
    MOVE,
    NEW,
    OLD,
    betas,
    go_back_url,
    moving,
)
from tests.factories import create_admin, create_routine, create_run, create_version

# --- The list ---


def test_the_list_shows_each_version_with_its_routines_and_standing(admin_client, outdated):
    create_routine(beta_version="", archived_at=timezone.now())
    create_routine(beta_version="other")
    page = Page(admin_client.get(LIST))
    rows = {row.text.split()[0]: " ".join(row.text.split()) for row in page.find("tr")[1:]}
    assert "1 Apr 2026 3 routines" in rows[OLD]
    assert MAY_STOP in rows[OLD]
    assert "1 Oct 2026 0 routines supported" in rows[NEW]
    assert "1 routine unknown not among the known versions" in rows["other"]
    assert "0 routines and 1 archived" in rows["do"]
    assert header_versions.API_VERSION in rows


def test_the_list_is_reached_from_the_registry(admin_client):
    assert Page(admin_client.get("/routines/")).link(LIST)
    page = Page(admin_client.get(LIST))
    assert page.find("a", href="/routines/")[0].attributes["aria-current"] == "page"


# --- Adding and removing ---


def test_an_admin_adds_a_version(admin_client, admin):
    fields = Page(admin_client.get(ADD)).fields()
    response = admin_client.post(ADD, fields | {"value": f" {NEW}"}, follow=True)
    assert response.redirect_chain == [(LIST, 302)]
    assert Page(response).says(f"{NEW} is known now.")
    assert HeaderVersion.objects.get(value=NEW).added_by == admin
    assert AuditEvent.objects.get().action == "version_added"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"value": OLD}, "This beta version is known already."),
        ({"value": "two words"}, "letters, digits, dots, commas and dashes only"),
        ({"value": "x\x00"}, "Null characters are not allowed."),
        ({"value": "v2"}, "The version ends in no date (YYYY-MM-DD)."),
        ({"value": "v2", "dated": "soon"}, "Enter a valid date."),
        ({"value": NEW, "dated": "2026-10-02"}, "The version itself says 2026-10-01."),
        ({"value": "v-2099-01-01"}, "more than a year ahead"),
        ({"value": ""}, "This field is required."),
        ({"value": "x" * 201}, "at most 200 characters"),
        ({"value": NEW, "header": "x-other"}, "Select a valid choice."),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_version_that_cannot_be_added_comes_back_with_a_sentence(admin_client, values, sentence):
    typed = {"header": "anthropic-beta", "dated": ""} | values
    response = admin_client.post(ADD, typed)
    page = Page(response)
    assert response.status_code == 422
    assert page.says(sentence)
    assert page.find("input", name="value")[0].attributes.get("value", "") == values["value"]
    assert HeaderVersion.objects.count() == 2


def test_a_token_that_was_typed_as_a_version_is_not_drawn_back(admin_client, routine):
    token = "sk-ant-oat01-abcdefgh-2026-06-01"
    fields = {"header": "anthropic-beta", "value": token, "dated": ""}
    added = admin_client.post(ADD, fields)
    edited = admin_client.post(
        edit_url(routine),
        Page(admin_client.get(edit_url(routine))).fields()
        | {"beta_version": token, "initial-beta_version": token},
    )
    for response, sentence in (
        (added, "This is a token, not a version. It was not saved."),
        (edited, "A token stands here, where everybody would see it. It was not saved."),
    ):
        assert response.status_code == 422
        assert Page(response).says(sentence)
        assert b"abcdefgh" not in response.content


def test_a_version_that_nobody_uses_can_be_removed_and_one_in_use_cannot(admin_client, three, new):
    page = Page(admin_client.get(LIST))
    removable = [one.attributes["action"] for one in page.find("form", method="post")]
    assert reverse("remove_version", args=[new.pk]) in removable
    in_use = HeaderVersion.objects.get(value=OLD)
    assert reverse("remove_version", args=[in_use.pk]) not in removable
    said = [
        Page(
            admin_client.post(
                reverse("remove_version", args=[one.pk]), seen("version", one), follow=True
            )
        )
        for one in (new, in_use)
    ]
    assert said[0].says(f"{NEW} is off the list.")
    assert said[1].says("Routines are pinned to this version: move them first.")
    assert list(HeaderVersion.objects.filter(header=Header.BETA)) == [in_use]


# --- Moving ---


def test_the_page_proposes_the_routines_on_older_versions(admin_client, three, new):
    there = create_routine(name="There already", beta_version=NEW)
    silent = create_routine(name="Silent", beta_version="")
    page = Page(admin_client.get(MOVE))  # to the newest beta version
    assert page.find("option", value=f"anthropic-beta:{NEW}", selected="")
    assert page.chosen("routines") == [f"{routine.pk}:{OLD}" for routine in three]
    assert page.find("input", value=f"{silent.pk}:")
    assert not page.find("input", value=f"{there.pk}:{NEW}")


def test_an_admin_moves_the_chosen_routines_and_goes_back(admin_client, admin, three, new):
    page = Page(admin_client.get(MOVE, moving(NEW)))
    fields = page.fields(MOVE)
    response = admin_client.post(
        MOVE, fields | {"routines": page.chosen("routines")[:2]}, follow=True
    )
    assert response.redirect_chain == [(LIST, 302)]
    listed = Page(response)
    assert listed.says("Beta version moved: “First”, “Second”.")
    assert betas() == [NEW, NEW, OLD]
    move = VersionMove.objects.get()
    assert listed.find("form", action=go_back_url(move))
    back = Page(admin_client.post(go_back_url(move), follow=True))
    assert back.says("Beta version moved back: “First”, “Second”.")
    assert back.says("taken back")
    assert not back.find("form", action=go_back_url(move))
    assert betas() == [OLD, OLD, OLD]
    moves = AuditEvent.objects.filter(action__startswith="version_moved").order_by("pk")
    assert [(event.action, event.person) for event in moves] == [
        ("version_moved", admin),
        ("version_moved", admin),
        ("version_moved_back", admin),
        ("version_moved_back", admin),
    ]


def test_do_not_send_is_a_target_for_the_beta_version_alone(admin_client, three):
    create_run(routine=three[0], beta_version="")  # the endpoint has taken one without it
    page = Page(admin_client.get(MOVE, moving("")))
    assert [len(page.find("option", value=f"{header}:")) for header in Header] == [1, 0]
    fields = page.fields(MOVE) | {"routines": page.chosen("routines")}
    admin_client.post(MOVE, fields)
    assert betas() == ["", "", ""]


@pytest.mark.parametrize("target", ["anthropic-version:", "anthropic-beta:x", "x", "", "\x00"])
def test_an_unknown_target_moves_nothing(admin_client, three, target):
    assert admin_client.get(MOVE, {"to": target}).status_code == 200
    chosen = [f"{routine.pk}:{OLD}" for routine in three]
    response = admin_client.post(MOVE, {"to": target, "routines": chosen})
    assert response.status_code == 422
    assert betas() == [OLD, OLD, OLD]
    assert not VersionMove.objects.exists()


def test_choosing_nothing_comes_back_with_a_sentence_and_nothing_chosen(admin_client, three, new):
    response = admin_client.post(MOVE, moving(NEW))
    page = Page(response)
    assert response.status_code == 422
    assert page.says("Nothing was moved: choose at least one routine.")
    assert page.chosen("routines") == []


@pytest.mark.parametrize("chosen", ["x", ":", "-1:x", "9" * 19 + ":x", "٣:x", "1"])
def test_a_choice_that_no_page_offered_moves_nothing(admin_client, three, new, chosen):
    assert admin_client.post(MOVE, moving(NEW, routines=chosen)).status_code == 422
    assert betas() == [OLD, OLD, OLD]


def test_a_page_that_is_older_than_a_move_of_somebody_else_says_so(admin_client, three, new):
    newest = create_version("experimental-cc-routine-2026-11-01")
    page = Page(admin_client.get(MOVE, moving(NEW)))
    version_moves.move(Header.BETA, newest.value, {three[0].pk: OLD}, by=create_admin())
    fields = page.fields(MOVE) | {"routines": page.chosen("routines")}
    answered = Page(admin_client.post(MOVE, fields, follow=True))
    assert answered.says("Beta version moved: “Second”, “Third”.")
    assert answered.says(f"changed them meanwhile: “First” (now on {newest.value}).")
    assert betas() == [newest.value, NEW, NEW]


def test_the_second_of_two_admins_who_go_back_is_told(admin_client, three, new):
    move = version_moves.move(Header.BETA, NEW, {three[0].pk: OLD}, by=create_admin()).move
    version_moves.go_back(move, by=create_admin())
    page = Page(admin_client.post(go_back_url(move), follow=True))
    assert page.says("This move was taken back already.")


def test_a_routine_that_was_changed_since_stays_and_is_named(admin_client, three, new):
    seen = {routine.pk: OLD for routine in three}
    move = version_moves.move(Header.BETA, NEW, seen, by=create_admin()).move
    Routine.objects.filter(name="First").update(beta_version="")
    assert Page(admin_client.get(LIST)).says("2 of 3: the others were changed since")
    page = Page(admin_client.post(go_back_url(move), follow=True))
    assert page.says("changed them meanwhile: “First” (now on do not send).")
    assert betas() == ["", OLD, OLD]


# --- Choosing a version for one routine ---


def edit_url(routine: Routine) -> str:
    return reverse("edit", args=[routine.slug])


def test_the_form_of_a_routine_offers_the_known_versions_and_marks_old_ones(admin_client, outdated):
    page = Page(admin_client.get(edit_url(outdated[0])))
    offered = {option.attributes["value"]: option.text for option in page.find("option")}
    assert offered[NEW] == NEW
    assert offered[OLD] == f"{OLD} (older than the two before the newest)"
    assert offered[""] == "do not send"
    assert page.fields()["beta_version"] == OLD


def test_only_the_beta_version_can_be_not_sent(admin_client, routine):
    page = Page(admin_client.get(edit_url(routine)))
    (of_beta,) = page.find("select", name="beta_version")
    (of_api,) = page.find("select", name="api_version")
    (empty,) = page.find("option", value="")
    assert of_beta in empty.inside
    assert of_api not in empty.inside
    response = admin_client.post(edit_url(routine), page.fields() | {"api_version": ""})
    assert response.status_code == 422


def test_a_stored_version_that_is_not_known_stays_choosable_and_marked(admin_client):
    routine = create_routine(beta_version="other")
    page = Page(admin_client.get(edit_url(routine)))
    (option,) = page.find("option", value="other")
    assert option.text == "other (not among the known versions)"
    response = admin_client.post(edit_url(routine), page.fields() | {"name": "Renamed"})
    assert response.status_code == 302
    assert Routine.objects.get().beta_version == "other"
    another = create_routine()
    assert not Page(admin_client.get(edit_url(another))).find("option", value="other")
    fields = Page(admin_client.get(edit_url(another))).fields() | {"beta_version": "other"}
    assert Page(admin_client.post(edit_url(another), fields)).says("not known here yet")


def test_a_new_routine_is_offered_the_newest_versions(admin_client, new):
    assert (
        Page(admin_client.get(reverse("register_details"))).fields(reverse("register_details"))[
            "beta_version"
        ]
        == NEW
    )


def test_a_version_that_a_form_was_begun_with_is_choosable_though_not_known(admin):
    begun = RegisterForm(initial={"beta_version": NEW}, person=admin)
    assert Page(str(begun["beta_version"])).find("option", value=NEW, selected="")
    fields = {"beta_version": NEW, "initial-beta_version": NEW, "api_version": "2023-06-01"}
    assert "beta_version" not in RegisterForm(fields, person=admin).errors
    del fields["initial-beta_version"]
    assert "not known here yet" in str(RegisterForm(fields, person=admin).errors["beta_version"])


def test_a_form_that_was_open_during_a_move_does_not_move_the_routine_back(
    admin_client, routine, new
):
    fields = Page(admin_client.get(edit_url(routine))).fields()
    version_moves.move(Header.BETA, NEW, {routine.pk: OLD}, by=create_admin())
    told = Page(admin_client.post(edit_url(routine), fields | {"purpose": "Typed for long."}))
    assert told.says(f"Beta version: it was {OLD}, and is now {NEW}")
    routine.refresh_from_db()
    assert (routine.beta_version, routine.purpose) == (NEW, "What it is for.")
    admin_client.post(edit_url(routine), told.fields())  # pressed again
    routine.refresh_from_db()
    assert (routine.beta_version, routine.purpose) == (NEW, "Typed for long.")
