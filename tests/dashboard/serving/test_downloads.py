"""Only so many downloads at once; the others are asked to wait, and lose nothing."""

from collections.abc import Callable
from threading import BoundedSemaphore

import pytest
from django.urls import reverse

from dashboard.serving import downloads
from routines.history import export
from routines.models import AuditEvent, Person
from tests.dashboard.browsing import Page, signed_in
from tests.factories import create_admin, create_manager, create_run

CSV, AUDIT = reverse("export_csv"), reverse("audit_csv")


@pytest.fixture
def one_place(monkeypatch) -> None:
    monkeypatch.setattr(downloads, "_under_way", BoundedSemaphore(1))


# A response that is closed by hand closes its connection, too: so the rows must be committed.
closed_by_hand = pytest.mark.usefixtures("transactional_db")


@closed_by_hand
@pytest.mark.parametrize(
    ("create", "file", "page"),
    [
        (create_manager, CSV, "/history/?state=started"),
        (create_admin, AUDIT, "/audit/?what=tokens"),
    ],
    ids=["history", "audit trail"],
)
def test_too_many_at_once_are_asked_to_wait_and_nothing_is_noted(
    client, one_place, create: Callable[[], Person], file: str, page: str
):
    first = client.get(CSV)
    waiting = signed_in(create())
    answer = waiting.get(f"{file}?{page.partition('?')[2]}", follow=True)
    assert answer.redirect_chain == [(page, 302)]
    assert Page(answer).says("Several exports are under way. Nothing was exported")
    assert AuditEvent.objects.filter(action=AuditEvent.Action.EXPORTED).count() == 1
    first.getvalue()
    assert waiting.get(file).streaming


@closed_by_hand
def test_a_place_is_given_back_however_a_download_ends(client, routine, teammate, one_place):
    for _ in range(3):
        create_run(routine=routine, person=teammate)
    client.get(CSV).getvalue()  # read to its end
    broken_off = client.get(CSV)
    next(iter(broken_off))
    broken_off.close()
    never_begun = client.get(CSV)
    never_begun.close()
    assert client.get(CSV).streaming


def test_a_place_is_given_back_when_the_database_fails(client, monkeypatch, one_place):
    def fail(*_arguments: object) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr(export, "take", fail)
        with pytest.raises(OSError):  # noqa: PT011
            client.get(CSV)
    assert client.get(CSV).streaming
