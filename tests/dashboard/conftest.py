import pytest

from routines.models import Person, Routine
from tests.dashboard.browsing import signed_in
from tests.factories import create_admin, create_manager, create_routine, create_teammate


@pytest.fixture
def teammate(db) -> Person:
    return create_teammate(username="the teammate")


@pytest.fixture
def manager(db) -> Person:
    return create_manager(username="the manager")


@pytest.fixture
def admin(db) -> Person:
    return create_admin(username="the admin")


@pytest.fixture
def client(teammate):
    """Signed in as the teammate."""
    return signed_in(teammate)


@pytest.fixture
def admin_client(admin):
    return signed_in(admin)


@pytest.fixture
def routine(db) -> Routine:
    return create_routine(name="Release notes", template="Notes for version 1.")
