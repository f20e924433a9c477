"""No worker is running: every page tells admins, and what to start; nobody else is troubled."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from routines.models import Worker
from routines.values.reasons import Reason
from tests.dashboard.browsing import HTMX, Page, signed_in
from tests.factories import create_run

PAGES = ("/", "/history/", "/insight/", "/routines/", "/people/", "/audit/", "/no-such-page/")


@pytest.mark.parametrize("address", PAGES)
def test_every_page_tells_admins(admin_client, address):
    for _ in range(3):
        create_run(reason=Reason.ACCEPTED)
    page = Page(admin_client.get(address))
    assert page.says("No worker is running: three runs wait for their turn.")
    assert page.says("Start one: manage.py worker (docs/running.md).")


def test_it_is_said_before_anything_has_to_wait(admin_client):
    create_run()
    page = Page(admin_client.get("/"))
    assert page.says("No worker is running, so a run that has to wait is not sent.")


def test_nothing_is_said_while_a_worker_runs(admin_client):
    Worker.objects.create(name="alive", places=32)
    assert not Page(admin_client.get("/")).says("No worker is running")
    Worker.objects.update(seen_at=timezone.now() - timedelta(minutes=2))
    assert Page(admin_client.get("/")).says("No worker is running")


def test_nobody_else_is_told_or_asks(client, manager):
    for one in (client, signed_in(manager)):
        one.get("/history/")
        with CaptureQueriesContext(connection) as captured:
            page = Page(one.get("/history/"))
        assert not page.says("No worker is running")
        assert not any(
            '"state" = ' in query["sql"] for query in captured if "COUNT" in query["sql"]
        )


def test_a_part_of_a_page_does_not_say_it(admin_client, routine):
    card = admin_client.get(f"/routines/{routine.slug}/card/", headers=HTMX)
    assert not Page(card).says("No worker is running")


def test_who_has_not_signed_in_is_told_nothing(client):
    client.logout()
    assert not Page(client.get("/sign-in/")).says("No worker is running")
