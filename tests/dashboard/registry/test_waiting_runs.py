"""A routine's page says how many runs wait for it, and what becomes of them."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from routines.models import Routine
from routines.values.reasons import Reason
from tests.dashboard.browsing import Page
from tests.factories import create_run

SITUATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "open": ({}, "If you disable or archive it, they end as not sent when that comes."),
    "disabled": (
        {"enabled": False},
        "It is disabled, so they end as not sent when that comes, unless it is enabled before.",
    ),
    "archived": (
        {"enabled": False, "archived_at": timezone.now()},
        "It is archived, so they end as not sent when that comes.",
    ),
    "on hold": (
        {"held_until": timezone.now() + timedelta(hours=1)},
        "They are sent when the hold ends or is lifted.",
    ),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_becomes_of_the_runs_that_wait(admin_client, routine, situation):
    values, sentence = SITUATIONS[situation]
    for _ in range(2):
        create_run(routine=routine, reason=Reason.ACCEPTED)
    Routine.objects.update(**values)
    page = Page(admin_client.get(f"/routines/{routine.slug}/"))
    assert page.says(f"Two runs of it wait for their turn. {sentence}")
    assert page.link(f"/history/?routine={routine.slug}&state=accepted").text == "Show them"


def test_where_none_waits_there_is_nothing_to_say(admin_client, routine):
    create_run(reason=Reason.ACCEPTED)  # another routine's
    create_run(routine=routine)
    assert not Page(admin_client.get(f"/routines/{routine.slug}/")).says("of it wait")
