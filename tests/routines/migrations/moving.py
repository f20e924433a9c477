"""To an older state of the tables and back."""

from typing import Any

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

Targets = list[tuple[str, str]]


def migrate(targets: Targets) -> Any:
    """Return the models (`.get_model("routines", "Run")`) as they are then."""
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return MigrationExecutor(connection).loader.project_state(targets).apps


def newest_migrations() -> Targets:
    newest: Targets = MigrationExecutor(connection).loader.graph.leaf_nodes()
    return newest
