from collections.abc import Iterator

import pytest
from django.conf import settings as django_settings

from tests.routines.runs.firing.pressing import slots_taken


@pytest.fixture
def one_slot() -> Iterator[None]:
    """All slots of this process are taken but one."""
    with slots_taken(django_settings.PRESSES_IN_FLIGHT - 1):
        yield
