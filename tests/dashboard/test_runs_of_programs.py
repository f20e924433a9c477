"""Every page that shows runs shows those of API keys: who asked for them, and to whom."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from routines import insight
from routines.callers import asking
from routines.models import ApiKey, Outcome, Person, Routine
from routines.runs import outcomes
from routines.values.reasons import Reason
from tests.dashboard.browsing import HTMX, Page, fire_url, press_button, run_url, signed_in
from tests.factories import (
    create_admin,
    create_api_key,
    create_key_and_secret,
    create_manager,
    create_run,
    create_teammate,
)

pytestmark = pytest.mark.django_db
ROLES = pytest.mark.parametrize("create", [create_teammate, create_manager, create_admin])
KINDS = [
    Reason.SESSION_CREATED,
    Reason.PAUSED,
    Reason.NO_ANSWER,
    Reason.ACCEPTED,
    Reason.SENDING,
    Reason.CANCELLED,
    Reason.SAID_STARTED,
]
_NONE = re.compile(r"\bNone\b(?! yet)")  # but the outcome to filter by
IN_HISTORY = ("history_run", "history_result")


@pytest.fixture
def owner() -> Person:
    return create_teammate(username="the owner")


@pytest.fixture
def of_admins() -> ApiKey:
    return create_api_key(name="deploy-pipeline")


@pytest.fixture
def personal(owner) -> ApiKey:
    return create_api_key(name="laptop", person=owner)


@pytest.fixture
def both(of_admins, personal) -> list[ApiKey]:
    return [of_admins, personal]


@pytest.fixture
def shared(routine) -> Routine:
    """Whoever may run it sees all of its runs."""
    Routine.objects.filter(pk=routine.pk).update(runs_seen_by_group=True)
    return Routine.objects.get(pk=routine.pk)


@ROLES
@pytest.mark.parametrize("reason", KINDS)
def test_each_page_names_the_caller(create, shared, both, reason):
    client = signed_in(create())
    runs = [
        create_run(routine=shared, api_key=key, reason=reason, idempotency_key=f"deploy {key.pk}")
        for key in both
    ]
    for run, caller in zip(runs, ["API key deploy-pipeline", "the owner (laptop)"], strict=True):
        page = client.get(reverse("history_run", args=[run.pk]))
        assert Page(page).says(f"Run by {caller},")
        assert Page(page).says(f"Idempotency-Key {run.idempotency_key}")
        rows = Page(client.get(reverse("history")))
        assert caller in [cell.text for cell in rows.find("td")]
    addresses = [reverse(name, args=[run.pk]) for name in IN_HISTORY for run in runs]
    addresses += [reverse("history"), f"/history/?api_key={both[0].pk}"]
    if create is not create_manager:  # who runs nothing
        addresses += [f"{run_url(shared)}?again={run.pk}" for run in runs]
        addresses += ["/", run_url(shared)]
        for card in (
            client.get("/"),
            client.get(reverse("card", args=[shared.slug]), headers=HTMX),
        ):
            assert Page(card).says("by the owner (laptop)")
    for address in addresses:
        response = client.get(address)
        assert response.status_code == 200, address
        assert not _NONE.search(response.content.decode()), address


@ROLES
def test_an_export_holds_the_key_and_what_it_sent(create, shared, both):
    for key in both:
        create_run(routine=shared, api_key=key, idempotency_key="=2026-11")
    client = signed_in(create())
    lines = b"".join(client.get(reverse("export_csv"))).decode().splitlines()
    assert ",person,api_key,idempotency_key," in lines[0]
    assert ",the owner,laptop,'=2026-11," in lines[1]
    assert ",,deploy-pipeline,'=2026-11," in lines[2]
    lines = b"".join(client.get(reverse("export_json_lines"))).decode().splitlines()
    assert '"person":"the owner","api_key":"laptop","idempotency_key":"=2026-11"' in lines[0]
    assert '"person":null,"api_key":"deploy-pipeline","idempotency_key":"=2026-11"' in lines[1]


@pytest.mark.parametrize(
    ("create", "sees"), [(create_teammate, False), (create_manager, True), (create_admin, True)]
)
def test_of_a_routine_that_does_not_show_them_who_sees_all_runs_sees_those_of_programs(
    create, sees, routine, both, owner
):
    client, owners = signed_in(create()), signed_in(owner)
    program, theirs = [create_run(routine=routine, api_key=key) for key in both]
    for name in IN_HISTORY:
        expected = 200 if sees else 404
        assert client.get(reverse(name, args=[program.pk])).status_code == expected
        assert client.get(reverse(name, args=[theirs.pk])).status_code == expected
        assert owners.get(reverse(name, args=[program.pk])).status_code == 404
        assert owners.get(reverse(name, args=[theirs.pk])).status_code == 200
    offered = Page(client.get("/history/")).says("deploy-pipeline")
    assert offered == sees
    assert client.get(f"/history/?api_key={both[0].pk}").status_code == 200


@pytest.mark.parametrize(
    ("create", "opens"), [(create_teammate, False), (create_manager, False), (create_admin, True)]
)
def test_a_run_leads_to_its_key_where_that_can_be_opened(create, opens, shared, both, owner):
    client = signed_in(create())
    for key in both:
        run = create_run(routine=shared, api_key=key)
        page = Page(client.get(reverse("history_run", args=[run.pk])))
        url = reverse("api_key", args=[key.pk])
        assert page.says("Idempotency-Key none")
        assert bool(page.find("a", href=url)) is opens
        assert (client.get(url).status_code == 200) is opens
    theirs = reverse("api_key", args=[both[1].pk])
    assert Page(signed_in(owner).get(reverse("history_run", args=[run.pk]))).link(theirs)


# --- Who may do what with them ---


def test_of_a_key_of_admins_only_admins_cancel_a_run_of_a_personal_one_its_person_as_well(
    shared, both, owner, admin
):
    program, theirs = [
        create_run(routine=shared, api_key=key, reason=Reason.ACCEPTED) for key in both
    ]
    for person in (create_teammate(), create_manager(), owner):
        url = reverse("cancel_run", args=[program.pk])
        assert signed_in(person).post(url).status_code == 403
    for run, person in ((program, admin), (theirs, owner)):
        page = reverse("history_run", args=[run.pk])
        press_button(signed_in(person), page, reverse("cancel_run", args=[run.pk]))
        run.refresh_from_db()
        assert run.reason == Reason.CANCELLED
    shown = Page(signed_in(admin).get(reverse("history_run", args=[program.pk])))
    assert shown.says(f"Cancelled by {admin}.")


def test_the_board_asks_the_person_for_outcomes_of_their_own_key_and_nobody_for_the_others(
    shared, both, owner, admin
):
    runs = [create_run(routine=shared, api_key=key, ago=timedelta(hours=1)) for key in both]
    assert [run.pk for run in outcomes.reminders(owner)] == [runs[1].pk]
    for person in (create_teammate(), create_manager(), admin):
        assert outcomes.reminders(person) == []
    for run in runs:  # but whoever sees it may say so
        page = reverse("history_run", args=[run.pk])
        url = reverse("mark_outcome", args=[run.pk])
        fields = Page(signed_in(owner).get(page)).fields(url)
        signed_in(owner).post(url, fields | {"outcome": "useful"})
        run.refresh_from_db()
        assert (run.outcome, run.outcome_by) == (Outcome.USEFUL, owner)


@pytest.mark.parametrize("htmx", [{}, HTMX], ids=["page", "htmx"])
def test_an_unknown_run_of_a_key_is_settled_by_whoever_sees_it(shared, both, htmx):
    person = create_teammate()
    for key in both:
        run = create_run(routine=shared, api_key=key, reason=Reason.NO_ANSWER)
        page = reverse("history_run", args=[run.pk])
        url = reverse("settle_as_not_started", args=[run.pk])
        press_button(signed_in(person), page, url, headers=htmx)
        run.refresh_from_db()
        assert (run.reason, run.settled_by) == (Reason.SAID_NOT_STARTED, person)
        assert Page(signed_in(person).get(page)).says(f"{person} said so")


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (Reason.SENDING, "{} asked for a run 3 minutes ago; it is still being sent."),
        (Reason.ACCEPTED, "{} asked for a run 3 minutes ago; it still waits for its turn."),
        (Reason.NO_ANSWER, "by {} is still unknown"),
        (Reason.SESSION_CREATED, "{} ran this routine 3 minutes ago."),
    ],
)
def test_a_program_s_run_is_asked_about_before_the_next_press(
    routine, of_admins, reason, said, settings
):
    settings.RECENT_RUN_WARNING = settings.FIRE_TIMEOUT = 600
    create_run(routine=routine, api_key=of_admins, reason=reason, ago=timedelta(minutes=3))
    page = Page(signed_in(create_teammate()).get(run_url(routine)))
    assert page.says(said.format("API key deploy-pipeline")), reason


def test_a_run_of_one_s_own_key_under_way_is_no_press_of_one_s_own(routine, personal, owner):
    create_run(routine=routine, api_key=personal, reason=Reason.SENDING)
    page = Page(signed_in(owner).get(run_url(routine)))
    assert page.says("the owner (laptop) asked for a run")
    assert not page.says("You pressed Run")


def test_an_unknown_run_on_the_card_says_who_can_say_whether_it_started(routine, both):
    teammate = signed_in(create_teammate())
    create_run(routine=routine, api_key=both[0], reason=Reason.NO_ANSWER)
    page = Page(teammate.get("/"))
    assert page.says("Run by API key deploy-pipeline: a manager or an admin can say whether it")
    create_run(routine=routine, api_key=both[1], reason=Reason.NO_ANSWER)
    assert Page(teammate.get("/")).says("Run by the owner (laptop), who can say whether it started")


def test_the_next_step_of_a_run_without_a_person_is_not_theirs(admin, both):
    pages = [
        Page(
            signed_in(admin).get(
                reverse("history_run", args=[create_run(api_key=key, reason=Reason.OVERLOADED).pk])
            )
        )
        for key in both
    ]
    assert pages[0].says("Next step Whoever keeps the program that uses this API key")
    assert pages[1].says("Next step Whoever ran it")


# --- Run again ---


def test_what_a_program_sent_is_run_again_by_a_person_in_their_own_name(shared, of_admins):
    person = create_teammate()
    run = create_run(routine=shared, api_key=of_admins, text="Deploy 1.2", idempotency_key="7")
    url = f"{run_url(shared)}?again={run.pk}"
    fields = Page(signed_in(person).get(url)).fields(fire_url(shared))
    assert fields["text"] == "Deploy 1.2"


def test_a_form_remembers_what_was_typed_and_not_what_a_program_sent(routine, personal, owner):
    create_run(routine=routine, person=owner, text="By hand", ago=timedelta(hours=2))
    for number in range(70):
        create_run(routine=routine, api_key=personal, text=f"By program {number}")
    page = Page(signed_in(owner).get(run_url(routine)))
    assert page.says("By hand")
    assert not page.says("By program")


# --- Insight ---


def test_insight_counts_by_key_and_leads_to_the_runs(manager, both):
    create_run(api_key=both[0], reason=Reason.PAUSED)
    create_run(api_key=both[0])
    create_run(api_key=both[1])
    create_run()
    insight.step()
    client = signed_in(manager)
    page = Page(client.get("/insight/"))
    (section,) = page.find("section", **{"aria-labelledby": "by-api-key"})
    assert "deploy-pipeline" in section.text
    assert "the owner (laptop)" in section.text
    links = [link.attributes["href"] for link in page.find("a") if section in link.inside]
    of_key = next(href for href in links if f"api_key={both[0].pk}" in href)
    found = Page(client.get(of_key))
    assert found.says("API key: deploy-pipeline")
    assert len([link for link in found.find("a") if _is_run(link.attributes["href"])]) == 2
    (people,) = page.find("section", **{"aria-labelledby": "by-person"})
    assert "the owner" in people.text
    assert "deploy-pipeline" not in people.text


def test_insight_without_a_key_has_no_part_for_them(manager, both):
    create_run()
    insight.step()
    page = Page(signed_in(manager).get("/insight/"))
    assert not page.find("section", **{"aria-labelledby": "by-api-key"})


def test_insight_of_programs_alone_says_that_no_person_ran_anything(manager, of_admins):
    create_run(api_key=of_admins)
    insight.step()
    page = Page(signed_in(manager).get("/insight/"))
    assert page.find("section", **{"aria-labelledby": "by-api-key"})
    assert page.says("No run was a person's.")


def _is_run(href: str) -> bool:
    return href.removeprefix("/history/").strip("/").isdigit()


# --- From the call to the page ---


@pytest.mark.usefixtures("transactional_db")
def test_a_call_is_in_the_history_under_its_key(routine, practice, manager):
    key, _secret = create_key_and_secret(routine, name="nightly")
    wish = asking.Wish(routine, "Check it", idempotency_key="2026-11-29")
    run = asking.ask(key, wish, wait=None).run
    page = Page(signed_in(manager).get(f"/history/?api_key={key.pk}&state=started"))
    assert page.says("API key nightly")
    assert page.link(reverse("history_run", args=[run.pk]))


# --- Queries ---


@pytest.mark.parametrize("address", ["/", "/history/", "/insight/", "/history/?api_key={}"])
def test_more_runs_of_more_keys_make_no_more_queries(admin, routine, both, address):
    client = signed_in(admin)

    def add(number: int) -> None:
        for _ in range(number):
            for person in (None, create_teammate()):
                key = create_api_key(person=person)
                create_run(routine=routine, api_key=key, reason=Reason.NO_ANSWER)
                create_run(routine=routine, api_key=both[0])
        insight.step()

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address.format(both[0].pk)).status_code == 200
        return len(captured)

    add(2)
    client.get(address.format(both[0].pk))
    few = queries()
    add(10)
    assert queries() == few
