import pytest
from django.utils import timezone

from routines.models import HeaderVersion, Routine
from tests.dashboard.versions.moving import NEW, NEWER
from tests.factories import create_routine, create_version


@pytest.fixture
def three(db) -> list[Routine]:
    return [create_routine(name=name) for name in ("First", "Second", "Third")]


@pytest.fixture
def new(db) -> HeaderVersion:
    return create_version(NEW)


@pytest.fixture
def outdated(three: list[Routine]) -> list[Routine]:
    """Three routines on a version with three newer ones."""
    for value in NEWER:
        create_version(value)
    return three


@pytest.fixture(autouse=True)
def documented_ones_are_accepted(db: None) -> None:
    """As where runs were started with them."""
    HeaderVersion.objects.update(accepted_at=timezone.now())
