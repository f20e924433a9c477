"""Many runs at once."""

from datetime import timedelta

import pytest

from routines.models import (
    Run,
)
from tests.factories import create_routine, create_teammate
from tests.routines.insight.counting import MANY, NOW, new_run


@pytest.fixture
def many_runs():
    """What an import brings: more than two steps of them, over more days than a block holds."""
    routine, person = create_routine(), create_teammate()
    Run.objects.bulk_create(
        new_run(routine, person, created_at=NOW - timedelta(hours=number)) for number in range(MANY)
    )
