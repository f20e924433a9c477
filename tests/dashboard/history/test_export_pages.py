"""The history's filter as a file: its links and the download."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse

from routines.models import AuditEvent
from routines.values.reasons import Reason
from tests.dashboard.browsing import Page
from tests.factories import create_run

CSV, JSON_LINES = reverse("export_csv"), reverse("export_json_lines")


def test_the_history_page_links_its_own_filter(client, routine, teammate):
    create_run(routine=routine, person=teammate)
    page = Page(client.get("/history/?state=started"))
    assert page.link(f"{CSV}?state=started")
    assert page.link(f"{JSON_LINES}?state=started")
    with_semicolons = page.link(f"{CSV}?state=started&separator=semicolon").attributes["href"]
    content = client.get(with_semicolons).getvalue()
    assert content.startswith(b"\xef\xbb\xbfrun;pressed_at;routine;")


def test_a_download_is_streamed_as_a_file_that_no_cache_keeps(client, routine, teammate):
    create_run(routine=routine, person=teammate, text="Grüße")
    response = client.get(CSV)
    assert response.streaming
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="runs-20')
    assert response["Content-Disposition"].endswith('.csv"')
    assert response["Cache-Control"] == "no-store"
    content = response.getvalue()
    assert content.startswith(b"\xef\xbb\xbfrun,pressed_at,routine,")
    assert "Grüße" in content.decode()


def test_a_filter_that_cannot_be_leads_to_the_history_which_says_why(client):
    response = client.get(f"{CSV}?state=nonsense")
    assert (response.status_code, response["Location"]) == (302, "/history/?state=nonsense")
    assert not AuditEvent.objects.filter(action=AuditEvent.Action.EXPORTED).exists()


def test_a_teammate_takes_their_own_runs_and_the_trail_says_from_where(client, routine, teammate):
    mine = create_run(routine=routine, person=teammate)
    create_run(routine=routine)
    [line] = client.get(JSON_LINES).getvalue().decode().splitlines()
    assert json.loads(line)["run"] == mine.pk
    event = AuditEvent.objects.get(action=AuditEvent.Action.EXPORTED)
    assert (event.person, event.address) == (teammate, "127.0.0.1")


def test_a_run_that_nobody_can_be_sending_any_more_is_exported_as_unknown(client, overdue):
    [line] = client.get(JSON_LINES).getvalue().decode().splitlines()
    assert json.loads(line)["reason"] == Reason.INTERRUPTED


@pytest.fixture
def overdue(routine, teammate):
    return create_run(
        routine=routine, person=teammate, reason=Reason.SENDING, ago=timedelta(hours=1)
    )
