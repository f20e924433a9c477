"""Only so many downloads at once; the others are asked to wait, and lose nothing."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dashboard.serving import downloads
from routines.audit import trail
from routines.history import export
from routines.models import AuditEvent, Person
from tests.dashboard.browsing import Page, signed_in
from tests.factories import create_admin, create_manager, create_run

CSV, AUDIT = reverse("export_csv"), reverse("audit_csv")


def take_all_places(client: Client) -> list[Any]:
    """Begin downloads that nobody reads on, until there is no place for another."""
    begun = []
    while (answer := client.get(CSV)).streaming:
        begun.append(answer)
        assert len(begun) < settings.WEB_THREADS, "some threads must be left for the pages"
    return begun


# A response that is closed by hand closes its connection, too: so the rows must be committed.
closed_by_hand = pytest.mark.usefixtures("transactional_db")


@closed_by_hand
@pytest.mark.parametrize(
    ("create", "file", "back_to"),
    [
        (create_manager, CSV, "/history/?state=started"),
        (create_admin, AUDIT, "/audit/?what=tokens"),
    ],
    ids=["history", "audit trail"],
)
def test_too_many_at_once_are_asked_to_wait_and_nothing_is_noted(
    client: Client, create: Callable[[], Person], file: str, back_to: str
):
    begun = take_all_places(client)
    waiting = signed_in(create())
    answer = waiting.get(f"{file}?{back_to.partition('?')[2]}", follow=True)
    assert answer.redirect_chain == [(back_to, 302)]
    assert Page(answer).says("Several exports are under way. Nothing was exported")
    exported = AuditEvent.objects.filter(action=AuditEvent.Action.EXPORTED)
    assert exported.count() == len(begun) > 0
    begun.pop().getvalue()
    begun.append(waiting.get(file))
    assert begun[-1].streaming
    for download in begun:
        download.close()  # else their places are free again whenever memory is cleared


# As often as there are threads: more often than there are places.
OFTEN = range(settings.WEB_THREADS)


@closed_by_hand
def test_a_place_is_given_back_however_a_download_ends(
    client: Client, routine, teammate, monkeypatch
):
    monkeypatch.setattr(downloads, "MOST_OF_ONE", 1_000)
    for _ in range(3):
        create_run(routine=routine, person=teammate)
    for _ in OFTEN:
        client.get(CSV).getvalue()  # read to its end
        broken_off = client.get(CSV)
        next(iter(broken_off))
        broken_off.close()
        never_begun = client.get(CSV)
        never_begun.close()


def test_one_person_does_not_fill_the_audit_trail_with_exports(client, teammate, manager):
    exported = AuditEvent.objects.filter(action=AuditEvent.Action.EXPORTED)
    for _ in range(downloads.MOST_OF_ONE):
        assert client.get(CSV).getvalue()
    answer = client.get(f"{CSV}?state=started", follow=True)
    assert answer.redirect_chain == [("/history/?state=started", 302)]
    assert Page(answer).says("You have exported 20 times in ten minutes")
    assert exported.count() == downloads.MOST_OF_ONE
    assert signed_in(manager).get(CSV).streaming, "others are not held up"
    with time_machine.travel(timezone.now() + timedelta(minutes=11), tick=False):
        assert signed_in(teammate).get(CSV).streaming


def test_a_place_is_given_back_when_the_database_fails(client: Client, monkeypatch):
    def fail(*_arguments: object) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr(export, "take", fail)
        for _ in OFTEN:
            with pytest.raises(OSError):  # noqa: PT011
                client.get(CSV)
    after = client.get(CSV)
    assert after.streaming
    after.close()


@pytest.mark.parametrize("name", ["export_csv", "export_json_lines", "audit_csv", "sign_ins_csv"])
@pytest.mark.django_db
def test_an_export_that_dies_half_way_is_marked_as_cut_and_fails(name, monkeypatch):
    def broken(*_args: Any, **_more: Any) -> Any:
        yield "the first line\n"
        raise OperationalError("the server has gone")

    monkeypatch.setattr(export.Export, "lines", broken)
    monkeypatch.setattr(trail, "export", broken)
    read = []
    answer: Any = signed_in(create_admin()).get(reverse(name))
    content = iter(answer.streaming_content)
    with pytest.raises(OperationalError):
        read.extend(content)  # what came before the failure is in it
    assert b"".join(read).startswith(b"the first line\n")
    last = read[-1].decode().strip()
    assert "cut off: rows are missing" in last
    if name == "export_json_lines":
        assert json.loads(last).keys() == {"error"}
