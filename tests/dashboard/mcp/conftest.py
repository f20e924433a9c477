import pytest

from routines.models import ApiKey, Person
from tests.dashboard.mcp.agent import Agent
from tests.factories import create_key_and_secret


@pytest.fixture
def key(teammate: Person) -> tuple[ApiKey, str]:
    """The teammate's own, and its secret."""
    return create_key_and_secret(person=teammate, name="Agent", sends_idempotency_key=True)


@pytest.fixture
def agent(key: tuple[ApiKey, str]) -> Agent:
    return Agent(key[1])
