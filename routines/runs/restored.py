"""A database that was restored, copied or promoted: what it holds as open may have been sent since.

An older state holds runs as `accepted` that were sent after it was taken; to send them again would
double them. So the rows say in which database they were written, and whoever is about to act on an
open run compares (docs/decisions/0029). Pages pay nothing for it.
"""

import logging
from datetime import datetime
from functools import cache
from pathlib import Path

from django.db import NotSupportedError, ProgrammingError, connection, transaction
from django.utils import timezone

from routines.models import Attempt, DatabaseIdentity, Run
from routines.values.reasons import OPEN, Reason, State

logger = logging.getLogger(__name__)

# The cluster, and its timeline: each promotion and each recovery to a point in time begins another.
_SERVER = """
    (SELECT system_identifier::text FROM pg_control_system()),
    left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)
"""
# The database in it, and one of its tables, which is another one once it was restored.
_DATABASE = """
    (SELECT oid::text FROM pg_database WHERE datname = current_database()),
    to_regclass('routines_run')::oid::text
"""


def check() -> int:
    """If these rows were written in another database, settle the open ones. How many those were.

    Two light queries otherwise. Within a transaction it becomes part of it: then nothing that it
    settles is claimed there. Raise django.db.Error.
    """
    here = _here()
    if DatabaseIdentity.objects.filter(name=here).exists():
        return 0
    return _settle(here)


def declare() -> int:
    """Settle them because somebody says so: a disk that was set back does not show it."""
    return _settle(_here(), declared=True)


def last_noticed() -> datetime | None:
    """Since when these rows are of an older state; None: as far as one knows they are not.

    What was issued before, as the keys of forms, may have been used already.
    """
    return DatabaseIdentity.objects.values_list("restored_at", flat=True).first()


@transaction.atomic
def _settle(here: str, *, declared: bool = False) -> int:
    identity, is_first = DatabaseIdentity.objects.get_or_create(defaults={"name": here})
    # Locked, and read anew: of two processes that notice it one settles.
    identity = DatabaseIdentity.objects.select_for_update().get(pk=identity.pk)
    if not declared and (is_first or identity.name == here):
        return 0
    now = timezone.now()
    runs = Run.objects.filter(state__in=OPEN).order_by()
    sending = runs.filter(state=State.SENDING)
    Attempt.objects.end_unanswered(sending, reason=Reason.RESTORED, at=now)
    settled = runs.update(state=State.UNKNOWN, reason=Reason.RESTORED, settled_at=now)
    identity.name, identity.restored_at = here, now
    identity.save()
    logger.warning(
        "This database was restored, copied or promoted. Runs that were waiting or being sent when "
        "it was written are unknown now, %d of them: they may have been sent since. Look at "
        "claude.ai/code for their sessions, and settle them on their pages. Forms that were opened "
        "before fire nothing any more.",
        settled,
    )
    return settled


def _here() -> str:
    """What tells this database from a copy of it."""
    if connection.vendor == "sqlite":
        # The file. Not its device, whose number another boot may change.
        return f"file:{Path(str(connection.settings_dict['NAME'])).stat().st_ino}"
    with connection.cursor() as cursor:
        cursor.execute(_question())
        return "postgresql:" + ":".join(cursor.fetchone())


@cache
def _question() -> str:
    """Not every server lets everybody ask about the cluster."""
    whole = f"SELECT {_SERVER}, {_DATABASE}"
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(whole)
    except (ProgrammingError, NotSupportedError):
        return f"SELECT {_DATABASE}"
    return whole
