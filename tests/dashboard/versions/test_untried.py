"""A version is what the endpoint made of it: nothing moves there untried without a word more."""

from datetime import timedelta

import pytest
from django.test import Client

from routines.models import Header, HeaderVersion, Routine, VersionMove
from routines.practice_api import PracticeApi
from routines.registry import header_versions, version_moves
from routines.registry.accepted_versions import judged
from routines.registry.header_versions import Standing
from routines.values.reasons import Reason
from tests.dashboard.browsing import Page, press
from tests.dashboard.versions.moving import LIST, MOVE, NEW, OLD, betas, moving
from tests.factories import create_admin, create_routine, create_run, create_version

REFUSED = f"Unexpected value '{NEW}' for anthropic-beta"


@pytest.fixture
def nine(db: None) -> list[Routine]:
    return [create_routine(name=f"Routine {number}", template="x") for number in range(9)]


@pytest.fixture
def untried(db: None) -> HeaderVersion:
    return create_version(NEW, accepted=False)


def standing(value: str = NEW) -> Standing:
    return judged().standing(Header.BETA, value)


def chosen(routines: list[Routine]) -> list[str]:
    return [f"{routine.pk}:{OLD}" for routine in routines]


# --- Three clicks ---


def test_nothing_is_ticked_for_a_version_that_was_never_accepted(admin_client, nine, untried):
    page = Page(admin_client.get(MOVE))
    assert page.find("option", value=f"anthropic-beta:{NEW}", selected="")
    assert page.says("Nothing is ticked until a trial has worked.")
    assert page.chosen("routines") == []
    page = Page(admin_client.get(MOVE, moving(NEW) | {"from": OLD}))
    assert page.chosen("routines") == []


def test_a_move_to_an_untried_version_is_confirmed_by_its_number(admin_client, nine, untried):
    fields = Page(admin_client.get(MOVE)).fields(MOVE) | {"routines": chosen(nine)}
    asked = admin_client.post(MOVE, fields)
    page = Page(asked)
    assert asked.status_code == 422
    assert page.says("Nothing was moved yet: 9 routines, not tried.")
    assert betas() == [OLD] * 9
    assert page.chosen("routines") == chosen(nine)  # what was ticked stays
    (button,) = page.find("button", name="untried")
    assert (button.text, button.attributes["value"]) == ("Move 9 routines, not tried", "9")
    first = next(one for one in page.find("button") if _is_in_form(page, one))
    assert "name" not in first.attributes, "Enter would press it"
    admin_client.post(MOVE, fields | {"untried": "9"})
    assert betas() == [NEW] * 9


def _is_in_form(page: Page, button: object) -> bool:
    (form,) = page.find("form", action=MOVE)
    return form in button.inside  # type: ignore[attr-defined]


@pytest.mark.parametrize("said", ["", "0", "8", "10", "-1", "x", "9" * 30])
def test_what_was_confirmed_for_another_number_moves_nothing(admin_client, nine, untried, said):
    values = moving(NEW) | {"routines": chosen(nine), "untried": said}
    assert admin_client.post(MOVE, values).status_code == 422
    assert betas() == [OLD] * 9
    assert not VersionMove.objects.exists()


def test_after_a_trial_the_rest_is_ticked_and_moves_without_a_question(
    admin_client, nine, untried, practice: PracticeApi
):
    practice.known_betas.add(NEW)
    url = f"/versions/try/{nine[0].slug}/"
    fields = Page(admin_client.get(url, moving(NEW) | {"from": OLD})).fields(url)
    page = Page(admin_client.post(url, fields, follow=True))
    assert page.chosen("routines") == chosen(nine)
    admin_client.post(MOVE, page.fields(MOVE) | {"routines": page.chosen("routines")})
    assert betas() == [NEW] * 9


def test_a_refused_trial_ticks_nothing(admin_client, nine, untried, practice: PracticeApi):
    url = f"/versions/try/{nine[0].slug}/"
    fields = Page(admin_client.get(url, moving(NEW) | {"from": OLD})).fields(url)
    page = Page(admin_client.post(url, fields, follow=True))
    assert page.chosen("routines") == []
    assert standing() == Standing.REFUSED


# --- The standing ---


def test_a_version_is_never_accepted_until_the_endpoint_started_a_session_with_it(
    admin_client, untried
):
    assert standing() == Standing.NEW
    for reason in (Reason.NO_ANSWER, Reason.SENDING, Reason.TOKEN_REJECTED, Reason.SAID_STARTED):
        create_run(reason=reason, beta_version=NEW)
    assert standing() == Standing.NEW
    run = create_run(beta_version=NEW)
    assert standing() == Standing.SUPPORTED
    admin_client.get(LIST)
    run.delete()  # as retention does, in time
    assert standing() == Standing.SUPPORTED


def test_a_version_that_is_refused_is_not_called_supported(admin_client, untried):
    create_run(beta_version=NEW, ago=timedelta(hours=2))
    create_run(
        reason=Reason.HEADER_VERSION,
        beta_version=NEW,
        error_message=REFUSED,
        ago=timedelta(hours=1),
    )
    assert standing() == Standing.REFUSED
    assert not judged().is_accepted(Header.BETA, NEW)
    assert Page(admin_client.get(LIST)).says("refused by the endpoint")
    create_run(beta_version=NEW)
    assert standing() == Standing.SUPPORTED


def test_a_refusal_of_one_header_says_nothing_of_the_other(untried):
    create_run(
        reason=Reason.HEADER_VERSION,
        beta_version=NEW,
        error_message="anthropic-version: '2023-06-01' is not a version",
    )
    assert standing() == Standing.NEW
    api = judged().standing(Header.API, header_versions.API_VERSION)
    assert api == Standing.REFUSED


def test_the_choice_of_a_target_says_what_was_never_accepted(admin_client, untried):
    page = Page(admin_client.get(MOVE))
    (option,) = page.find("option", value=f"anthropic-beta:{NEW}")
    assert option.text == f"{NEW} (never accepted yet)"


# --- Afterwards ---


def test_refusals_after_a_move_stand_beside_go_back(
    admin_client, nine, untried, practice: PracticeApi
):
    result = version_moves.move(
        Header.BETA, NEW, {one.pk: OLD for one in nine}, by=create_admin(), agreed_untried=9
    )
    assert not Page(admin_client.get(LIST)).says("refused since")
    for routine in nine[:2]:
        press(admin_client, routine)
    create_run(routine=nine[2], reason=Reason.HEADER_VERSION, beta_version=OLD)
    page = Page(admin_client.get(LIST))
    assert page.says("2 runs refused since")
    (link,) = [one for one in page.find("a") if one.text == "Show"]
    assert Page(admin_client.get(link.attributes["href"])).says("Routine 0")
    version_moves.go_back(result.move, by=create_admin())
    assert betas() == [OLD] * 9


def test_the_advice_names_the_last_version_that_was_accepted_and_leads_back_to_it(
    admin_client: Client, nine, untried, practice: PracticeApi
):
    create_run(routine=nine[0], beta_version=OLD)
    seen = {one.pk: OLD for one in nine}
    version_moves.move(Header.BETA, NEW, seen, by=create_admin(), agreed_untried=9)
    page = Page(press(admin_client, nine[0], htmx=True))
    assert page.says("The endpoint does not accept this header version")
    assert page.says("retired, mistyped or not out yet")
    assert not page.says("newer")
    assert page.says(f"The last one accepted here was {OLD}.")
    (link,) = [one for one in page.find("a") if one.text == "Move its routines to that version"]
    back = Page(admin_client.get(link.attributes["href"]))
    assert back.chosen("routines") == [f"{routine.pk}:{NEW}" for routine in nine]
    admin_client.post(MOVE, back.fields(MOVE) | {"routines": back.chosen("routines")})
    assert betas() == [OLD] * 9


def test_a_teammate_reads_which_version_was_accepted_last(client, teammate, routine):
    create_run(routine=routine, beta_version=OLD)
    run = create_run(
        routine=routine,
        person=teammate,
        reason=Reason.HEADER_VERSION,
        beta_version=NEW,
        error_message=REFUSED,
    )
    page = Page(client.get(f"/history/{run.pk}/"))
    assert page.says(f"The last one accepted here was {OLD}.")
    assert not page.find("a", href=MOVE)


def test_the_registry_warns_of_a_version_that_is_refused(admin_client, routine, untried):
    Routine.objects.update(beta_version=NEW)
    assert not Page(admin_client.get("/routines/")).says("is refused by the endpoint")
    create_run(
        routine=routine, reason=Reason.HEADER_VERSION, beta_version=NEW, error_message=REFUSED
    )
    for url in ("/routines/", f"/routines/{routine.slug}/"):
        assert Page(admin_client.get(url)).says(
            f"Its beta version {NEW} is refused by the endpoint: retired, mistyped or not out yet."
        )
