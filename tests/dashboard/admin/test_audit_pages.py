"""The audit page: what is looked for stands in the address, and all of it can be taken away."""

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from routines import registry
from routines.audit import trace, trail
from routines.models import AuditEvent, Person, Routine
from routines.people import groups
from tests.dashboard.browsing import Page
from tests.factories import create_admin, create_routine

Action = AuditEvent.Action
pytestmark = pytest.mark.django_db
CHANGES = reverse("audit_csv")


def look(client, **asked):
    return client.get(reverse("audit"), asked)


def rows(client, **asked) -> list[dict[str, str]]:
    response = client.get(CHANGES, asked)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    text = response.getvalue().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def events(admin: Person) -> None:
    """One change of each kind, a day each, and of two people and the command line."""
    AuditEvent._base_manager.all().delete()
    other = create_admin(username="other-admin")
    routine = create_routine(name="Alert triage")
    AuditEvent._base_manager.all().delete()
    history: list[tuple[Action, Person | None, dict[str, Any]]] = [
        (Action.ROUTINE_EDITED, admin, {"routine": routine, "changes": {"name": ["a", "b"]}}),
        (Action.TOKEN_SET, other, {"routine": routine, "changes": {"token": [None, "…abcd"]}}),
        (Action.PERSON_ADDED, admin, {"subject": "newcomer"}),
        (Action.HOLD_LIFTED, None, {"subject": "account Platform"}),
    ]
    for day, (action, by, rest) in enumerate(history, start=1):
        with time_machine.travel(datetime(2026, 3, day, 12, tzinfo=UTC), tick=False):
            trace(action, by=by, **rest)


FOUND = {
    "everything": ({}, ["hold_lifted", "person_added", "token_set", "routine_edited"]),
    "of a person": ({"who": "other"}, ["token_set"]),
    "of the command line": ({"who": "command"}, ["hold_lifted"]),
    "of a kind": ({"what": "people"}, ["person_added"]),
    "of one action": ({"what": "token_set"}, ["token_set"]),
    "about a routine": ({"about": "alert"}, ["token_set", "routine_edited"]),
    "about a person": ({"about": "newcomer"}, ["person_added"]),
    "from a day": ({"since": "2026-03-03"}, ["hold_lifted", "person_added"]),
    "until a day, which counts": ({"until": "2026-03-02"}, ["token_set", "routine_edited"]),
    "all at once": (
        {"who": "other", "what": "tokens", "about": "triage", "since": "2026-03-02"},
        ["token_set"],
    ),
    "nothing": ({"about": "nowhere"}, []),
}


@pytest.mark.usefixtures("events")
@pytest.mark.parametrize(("asked", "actions"), FOUND.values(), ids=FOUND)
def test_what_is_asked_for_is_shown_and_exported(admin_client, asked, actions):
    page = Page(look(admin_client, **asked))
    labels = [Action(action).label for action in actions]
    cells = [
        one.text for one in page.find("td") if any(label in one.text for label in Action.labels)
    ]
    assert [cell.startswith(label) for cell, label in zip(cells, labels, strict=True)] == [
        True for _ in labels
    ]
    assert [row["action"] for row in rows(admin_client, **asked)] == actions


def test_a_change_says_who_from_where_and_what_was_before(admin_client, admin, routine):
    rules = reverse("rules", args=[routine.slug])
    fields = Page(admin_client.get(rules)).fields()
    address = {"X-Forwarded-For": "203.0.113.7"}
    admin_client.post(rules, fields | {"confirmation": "confirm"}, headers=address)
    page = Page(look(admin_client, who="the admin"))
    assert page.says("203.0.113.7")
    assert page.says("confirmation: off → confirm")
    assert page.link(reverse("registry_routine", args=[routine.slug])).text == "Release notes"
    (row,) = rows(admin_client, who="the admin", what="routines")
    assert (row["number"], row["hash"]) == ("", ""), "chained once it is committed"
    assert (row["who"], row["address"], row["subject"]) == (
        "the admin",
        "203.0.113.7",
        "Release notes",
    )
    assert json.loads(row["changes"]) == {"confirmation": ["off", "confirm"]}


def test_the_trail_outlives_what_it_speaks_of(admin_client, routine):
    crew = groups.add("Crew", members=[], by=create_admin(username="gone"))
    groups.delete(crew, by=None)
    Person.objects.filter(username="gone").delete()
    Routine.objects.all().delete()
    page = Page(look(admin_client, who="gone"))
    assert page.says("added the group Crew")
    assert Page(look(admin_client, about="Release notes")).says("registered the routine")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"since": "yesterday"}, "A day is written like 2026-01-31."),
        ({"since": "2026-02-02", "until": "2026-02-01"}, "The last day lies before the first."),
        ({"what": "everything"}, "everything is not one of the available choices"),
        ({"who": "x" * 201}, "at most 200 characters"),
        ({"about": "a\x00b"}, "Null characters are not allowed."),
    ],
)
def test_a_filter_that_cannot_be_is_said_at_the_field(admin_client, asked, sentence):
    response = look(admin_client, **asked)
    assert response.status_code == 422
    assert Page(response).says(sentence)
    assert admin_client.get(CHANGES, asked)["Location"] == f"/audit/?{urlencode(asked)}"


@pytest.mark.parametrize("cursor", ["x", "1-", "99999999999999999999-1"])
def test_a_broken_link_to_a_page_is_not_found(admin_client, cursor):
    assert look(admin_client, before=cursor).status_code == 404


def test_pages_keep_the_filter_and_cost_the_same(admin_client, admin, routine):
    admin_client.get("/audit/")

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            look(admin_client, what="routines")
        return len(captured)

    for _ in range(3):
        registry.set_enabled(routine, not routine.enabled, by=admin)
    few = cost()
    for _ in range(trail.PAGE_SIZE + 2):
        registry.set_enabled(routine, not routine.enabled, by=admin)
    assert cost() == few
    (older,) = Page(look(admin_client, what="routines")).find("a", rel="next")
    assert older.attributes["href"].startswith("?what=routines&before=")
    second = Page(admin_client.get(f"/audit/{older.attributes['href']}"))
    assert second.says("registered the routine"), "the oldest of all"


def test_the_fields_of_a_template_are_told_in_words(admin_client, admin, routine):
    fields = [{"name": "ticket", "required": False}, {"name": "kind", "choices": ["a", "b"]}]
    trace(Action.TEMPLATE_EDITED, by=admin, routine=routine, changes={"fields": [[], fields]})
    said = "name: ticket, required: no; name: kind, choices: a, b"
    assert Page(look(admin_client, what="templates")).says(said)


def test_a_cell_never_becomes_a_formula(admin_client):
    trace(Action.GROUP_ADDED, by=create_admin(username="=1+1"), subject="@SUM(A1)")
    (row,) = rows(admin_client, what="groups")
    assert (row["who"], row["subject"]) == ("'=1+1", "'@SUM(A1)")


def test_an_export_is_traced_and_holds_what_there_was_when_it_was_asked_for(admin_client, events):
    exported = rows(admin_client, what="tokens")
    assert len(exported) == 1
    event = AuditEvent.objects.all()[0]
    assert (event.action, event.subject) == ("exported", "the audit trail as CSV")
    assert event.changes == {"filter": [None, "what=tokens"], "events": [None, 1]}


def test_every_action_is_in_one_kind_and_can_be_asked_for():
    values = [value for _, group in trail.choices() for value, _ in group]
    values += [value for value, _ in trail.sign_in_choices()]
    assert sorted(values) == sorted(set(values))
    assert set(Action.values) < set(values)
