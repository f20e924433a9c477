from collections.abc import Iterator
from typing import Any

import pytest

from routines.models import Person
from routines.practice_api import PracticeServer
from tests.factories import create_teammate
from tests.routines.worker.working import Endpoint


@pytest.fixture
def endpoint(settings: Any) -> Iterator[Endpoint]:
    """On a socket of its own, set as the endpoint."""
    settings.FIRE_TIMEOUT = 60  # seconds: an answer may be held for as long as a test needs
    made = Endpoint()
    with PracticeServer(made) as server:
        settings.CLAUDE_API_BASE_URL = server.url
        yield made


@pytest.fixture
def person(transactional_db: None) -> Person:
    return create_teammate()
