import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.apps import apps
from django.core.cache import cache
from django.db import connection
from django.db.models.signals import post_migrate

from routines import wire
from routines.audit import guards
from routines.models import RecountDay, RunChange, RunCount
from routines.practice_api import PracticeApi, PracticeServer
from tests import effort, outside_world
from tests.server.product import migrated_file, migrated_on

# Playwright's loop runs in the tests' thread, and Django would take that for async code.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

# Tests clear what they have made, the audit trail too. Those about its guards make them:
# tests/routines/audit/test_guards.py.
post_migrate.disconnect(guards.ensure, sender=apps.get_app_config("routines"))

# The suite tries the same examples each time, and times none. `make fuzz` looks further.
hypothesis.settings.register_profile("suite", deadline=None, derandomize=True, database=None)
hypothesis.settings.register_profile("fuzz", deadline=None, max_examples=effort.examples(100))
hypothesis.settings.load_profile("fuzz" if effort.FUZZ > 1 else "suite")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that drives a browser is one by its folder."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent / "browser"):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(autouse=True, scope="session")
def no_outside_world() -> Iterator[None]:
    """No test reaches anything but loopback: the endpoint's real host least of all."""
    with outside_world.shut_out():
        yield


@pytest.fixture(autouse=True, scope="session")
def no_connection_left_open() -> Iterator[None]:
    """The fire client keeps connections for the next fire; a test run ends."""
    yield
    wire.close_connections()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
) -> Iterator[None]:
    """Each process's database is a copy of one that is migrated once: that takes two seconds."""
    settings = connection.settings_dict
    name = settings["TEST"]["NAME"] or f"test_{settings['NAME']}"
    if connection.vendor == "postgresql":
        with migrated_on(os.environ["TEST_DATABASE_URL"], name):
            yield
        return
    files = [Path(f"{name}{ending}") for ending in ("", "-wal", "-shm")]
    for file in files:
        file.unlink(missing_ok=True)
    migrated_file(files[0])
    yield
    for file in files:
        file.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """It is made, and taken away, by the fixture above."""
    return True


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        guards.remove()  # as above; the copy has them


@pytest.fixture
def practice(settings: Any) -> Iterator[PracticeApi]:
    """The practice API on a socket of its own, set as the endpoint."""
    with PracticeServer() as server:
        settings.CLAUDE_API_BASE_URL = server.url
        yield server.api


@pytest.fixture
def transactional_db(transactional_db: None) -> None:
    """Real commits. The flush after each such test takes away what migrations made: make it."""
    cache.clear()  # its table belongs to no model, so no flush empties it
    import_module("routines.migrations.0002_roles").make_roles(apps, None)
    import_module("routines.migrations.0007_people_and_audit").give_rights(apps, None)
    import_module("routines.migrations.0003_header_versions").add_known(apps, None)
    # On SQLite the flush deletes run by run, and deleted runs stay counted.
    for model in (RunChange, RunCount, RecountDay):
        model._default_manager.all().delete()
