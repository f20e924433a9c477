"""Which runs an export holds is read in batches, without a cursor of the database."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from routines import keyset
from routines.models import Run
from tests.factories import create_routine, create_run

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("at_once", [1, 2, 3, 7, 8, 100])
def test_all_keys_come_in_order_however_large_a_batch_is(monkeypatch, at_once):
    monkeypatch.setattr(keyset, "KEYS_AT_ONCE", at_once)
    routine, now = create_routine(), timezone.now()
    runs = [create_run(routine=routine) for _ in range(7)]
    for number, run in enumerate(runs):  # several of one moment
        Run.objects.filter(pk=run.pk).update(created_at=now - timedelta(seconds=number // 3))
    expected = list(Run.objects.order_by("-created_at", "-pk").values_list("pk", flat=True))
    assert list(keyset.keys(Run.objects.all(), at="created_at")) == expected
    assert list(keyset.keys(Run.objects.none(), at="created_at")) == []


def test_no_cursor_of_the_database_outlives_its_transaction(settings):
    """A pooler gives the next transaction another connection, which does not know the cursor."""
    if connection.vendor == "postgresql":
        assert settings.DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"]
