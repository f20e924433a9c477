import pytest

from tests.dashboard.registry.registering import DETAILS


@pytest.fixture
def filled_in() -> dict[str, str]:
    """The form that registers a routine, filled in."""
    return dict(DETAILS)
