from collections.abc import Iterator

import pytest

from dashboard.doors import authentication
from routines.models import Routine
from tests.dashboard.api.programs import Program
from tests.factories import create_key_and_secret, create_routine


@pytest.fixture
def routine(db) -> Routine:
    return create_routine(name="Triage", open_to_everybody=True)


@pytest.fixture
def program(routine) -> Program:
    """One whose key may fire the routine."""
    _, secret = create_key_and_secret(routine, name="Alerting")
    return Program(secret)


@pytest.fixture(autouse=True)
def no_wrong_keys_yet() -> Iterator[None]:
    yield
    authentication.wrong_keys.forget()
