"""More rows make no more queries."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from routines import registry
from routines.board import pins
from routines.models import Person, Routine, Worker
from routines.people import groups
from routines.registry import tags
from routines.values.reasons import Reason
from tests.dashboard.browsing import Page, run_url, signed_in
from tests.factories import (
    create_admin,
    create_key_and_secret,
    create_routine,
    create_run,
    create_teammate,
)


def add_rows(routine: Routine, number: int) -> None:
    """As many more routines, templates, runs, people and changes."""
    for _ in range(number):
        person = create_teammate()
        create_run(routine=create_routine(template="x"), person=person)
        create_run(routine=routine, person=person)
        create_run(routine=routine, person=person, reason=Reason.NO_ANSWER)
        name = f"Template {routine.text_templates.count()}"
        registry.add_template(routine, name=name, body="x", by=person)
        group = groups.add(f"Group {person.pk}", members=[person], by=person)
        create_routine(account=f"Account {person.pk}").open_to.add(group)
        create_key_and_secret(person=Person.objects.earliest("pk"))
        api_key, _ = create_key_and_secret(routine)
        create_run(routine=routine, person=None, api_key=api_key)


def queries(client, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        response = client.get(url)
    assert response.status_code == 200
    return len(captured)


@pytest.mark.parametrize(
    "name",
    [
        "board",
        "run",
        "history",
        "history_run",
        "insight",
        "registry",
        "registry_routine",
        "people",
        "groups",
        "accounts",
        "audit",
        "callers",
        "add_api_key",
        "own_api_keys",
        "add_own_api_key",
    ],
)
def test_more_rows_make_no_more_queries(admin, routine, name):
    client = signed_in(admin)
    run = create_run(routine=routine, person=admin, reason=Reason.NO_ANSWER)
    arguments = {"run": [routine.slug], "registry_routine": [routine.slug], "history_run": [run.pk]}
    url = reverse(name, args=arguments.get(name))
    add_rows(routine, 2)
    few = queries(client, url)
    rows = len(Page(client.get(url)).elements)
    add_rows(routine, 10)
    assert queries(client, url) == few
    if name != "history_run":
        assert len(Page(client.get(url)).elements) > rows, "the page shows none of the rows"


@pytest.mark.parametrize("create", [create_teammate, create_admin])
def test_the_board_takes_at_most_ten_queries(create, routine, django_assert_max_num_queries):
    """With all that it may show: pins, tags, rules, cool-downs, runs to be marked, versions."""
    person = create()
    client = signed_in(person)
    add_rows(routine, 2)
    Routine.objects.update(cool_down=3600, asks_why=True, beta_version="unknown-2020-01-01")
    tags.write_tags(routine, ["release"])
    pins.pin(routine, by=person)
    create_run(routine=routine, person=person, ago=timedelta(hours=1))
    create_run(routine=routine, person=person, reason=Reason.COOL_DOWN)
    Worker.objects.create(name="alive", places=32)  # as ever: else admins are told, with a number
    client.get("/")
    with django_assert_max_num_queries(10):
        few = client.get("/")
    add_rows(routine, 30)
    with django_assert_max_num_queries(10):
        many = client.get("/?all")
    assert len(Page(many).find("section")) > len(Page(few).find("section"))


def test_a_fragment_costs_no_more_than_its_page(client, routine):
    add_rows(routine, 2)
    as_page = queries(client, run_url(routine))
    with CaptureQueriesContext(connection) as captured:
        client.get(run_url(routine), headers={"HX-Request": "true"})
    assert len(captured) <= as_page
