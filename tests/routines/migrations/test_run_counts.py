"""The counts of deleted runs stand nowhere but in their table."""

import pytest
from django.db import connection
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.executor import MigrationExecutor

from routines import insight
from routines.insight import triggers
from routines.models import RunCount
from tests.factories import create_run


@pytest.mark.usefixtures("transactional_db")
def test_there_is_no_way_back_that_would_lose_the_counts_of_deleted_runs():
    create_run().delete()
    insight.step()
    counted = RunCount.objects.filter(deleted=True).count()
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    try:
        with pytest.raises(IrreversibleError, match="restore the backup"):
            MigrationExecutor(connection).migrate([("routines", "0011_retention")])
    finally:
        MigrationExecutor(connection).migrate(newest)
        triggers.ensure()
    assert RunCount.objects.filter(deleted=True).count() == counted > 0
