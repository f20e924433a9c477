from collections.abc import Iterator

import pytest

from routines.audit import guards
from routines.insight import triggers
from tests.routines.migrations.moving import Targets, migrate, newest_migrations


@pytest.fixture
def newest(transactional_db: None) -> Iterator[Targets]:
    """The newest migrations, and the tables as they make them afterwards, whatever a test did."""
    newest = newest_migrations()
    yield newest
    migrate(newest)
    triggers.ensure()
    guards.remove()  # as in all tests: tests/conftest.py
