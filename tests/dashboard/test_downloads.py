"""Only so many downloads at once; the others are asked to wait, and lose nothing."""

from threading import BoundedSemaphore

import pytest
from django.urls import reverse

from dashboard import downloads
from routines import export
from routines.models import AuditEvent
from tests.dashboard.browsing import Page, signed_in
from tests.factories import create_run

CSV = reverse("export_csv")


@pytest.fixture
def one_place(monkeypatch) -> None:
    monkeypatch.setattr(downloads, "_under_way", BoundedSemaphore(1))


# A response that is closed by hand closes its connection, too: so the rows must be committed.
closed_by_hand = pytest.mark.usefixtures("transactional_db")


@closed_by_hand
def test_too_many_at_once_are_asked_to_wait_and_nothing_is_noted(client, manager, one_place):
    first = client.get(CSV)
    waiting = signed_in(manager)
    answer = waiting.get(f"{CSV}?state=started", follow=True)
    assert answer.redirect_chain == [("/history/?state=started", 302)]
    assert Page(answer).says("Several exports are under way. Nothing was exported")
    assert AuditEvent.objects.filter(action=AuditEvent.Action.EXPORTED).count() == 1
    first.getvalue()
    assert waiting.get(CSV).streaming


@closed_by_hand
def test_the_audit_trail_and_the_history_share_the_places(client, admin, one_place):
    first = client.get(CSV)
    waiting = signed_in(admin)
    answer = waiting.get(f"{reverse('audit_csv')}?what=tokens", follow=True)
    assert answer.redirect_chain == [("/audit/?what=tokens", 302)]
    assert Page(answer).says("Several exports are under way. Nothing was exported")
    first.getvalue()
    assert waiting.get(reverse("audit_csv")).streaming


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
