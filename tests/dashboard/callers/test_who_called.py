"""Which program called what, and what was turned away: for managers, and for admins."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from routines.callers import turned_away
from routines.models import ApiKey, WhyNoRun
from tests.dashboard.browsing import Page, signed_in
from tests.factories import create_key_and_secret, create_run

pytestmark = pytest.mark.django_db


def page_of(api_key: ApiKey) -> str:
    return reverse("api_key", args=[api_key.pk])


def test_managers_see_which_calls_of_which_keys_were_turned_away(manager, teammate, routine):
    client = signed_in(manager)
    shared, _ = create_key_and_secret(routine, name="Pipeline")
    personal, _ = create_key_and_secret(person=teammate, name="Laptop")
    for api_key, why in [(shared, WhyNoRun.HOURLY_CAP)] * 2 + [(personal, WhyNoRun.ON_HOLD)]:
        turned_away.note(api_key, why)

    assert Page(client.get("/history/")).link("/history/turned-away/")
    page = Page(client.get("/history/turned-away/"))

    assert page.link(f"/history/?api_key={shared.pk}").text == "Pipeline"
    assert page.link(f"/history/?api_key={personal.pk}").text == f"{teammate} (Laptop)"
    assert page.says("Hourly cap reached")
    assert page.says("Routine on hold")


def test_calls_that_were_turned_away_stand_by_day_the_last_first(admin_client, routine):
    api_key, _ = create_key_and_secret(routine)
    now = timezone.now()
    for days, why in [(9, WhyNoRun.NETWORK), (1, WhyNoRun.NOT_OPEN), (0, WhyNoRun.NOT_OPEN)]:
        with time_machine.travel(now - timedelta(days=days), tick=False):
            turned_away.note(api_key, why)
    lines = turned_away.by_day()
    assert [(line.why, line.last_at) for line in lines] == [
        (WhyNoRun.NOT_OPEN, now),
        (WhyNoRun.NOT_OPEN, now - timedelta(days=1)),
    ]
    page = Page(admin_client.get("/history/turned-away/"))
    assert [link.text for link in page.find("a", href=page_of(api_key))] == [api_key.name] * 2


def test_the_page_of_a_routine_names_the_keys_that_fire_it(admin_client, routine):
    api_key, _ = create_key_and_secret(routine, name="Pipeline")
    create_run(routine=routine, person=None, api_key=api_key)
    page = Page(admin_client.get(reverse("registry_routine", args=[routine.slug])))
    assert page.link(page_of(api_key)).text == "Pipeline"
    assert page.link(f"/history/?routine={routine.slug}&api_key={api_key.pk}").text == "1"


@pytest.mark.parametrize("address", ["/callers/", "/my-keys/"])
def test_pages_of_keys_lead_to_the_page_of_the_api(admin_client, address):
    assert Page(admin_client.get(address)).link("/api/docs")
