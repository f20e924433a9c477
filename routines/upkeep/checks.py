"""What `manage.py check` (and so most commands) looks at: stored tokens that cannot be opened, and
whether the newest entries of the audit trail are as they were recorded."""

from pathlib import Path
from typing import Any

from django.core import checks
from django.db import Error as DatabaseFailure
from django.db import connection

from routines.audit import chain
from routines.models import Chain
from routines.tokens import health


# No Tags.database: checks of that kind are left out unless a database is named.
@checks.register("tokens")
def check_stored_tokens(**_: Any) -> list[checks.CheckMessage]:
    """A database that is not there yet, or has not been migrated, has no tokens to look at."""
    if _is_file_yet_to_be_made():
        return []
    try:
        connection.ensure_connection()
    except DatabaseFailure:
        sentence = "The stored tokens were not looked at: the database does not answer."
        return [checks.Info(sentence, id="routines.I001")]
    try:
        unreadable = health.unreadable()
    except DatabaseFailure:
        return []
    return [
        checks.Warning(
            f"No key of TOKEN_ENCRYPTION_KEYS opens the stored token of “{routine.name}” "
            f"({routine.routine_id}).",
            hint="Add the key that encrypted it, or paste the token again: docs/tokens.md.",
            id="routines.W001",
        )
        for routine in unreadable
    ]


# Of each chain: a few milliseconds. `manage.py check_audit` walks all of it.
_NEWEST = 200


@checks.register("audit")
def check_audit_trail(**_: Any) -> list[checks.CheckMessage]:
    if _is_file_yet_to_be_made():
        return []
    try:
        walks = [chain.walk(name, newest=_NEWEST) for name in Chain]
    except DatabaseFailure:
        return []  # not there, or not migrated
    return [
        checks.Warning(
            f"The audit trail is broken ({walk.chain.label.lower()}). {walk.problem}",
            hint="Look at all of it with `manage.py check_audit`: SECURITY.md says what it means.",
            id="routines.W002",
        )
        for walk in walks
        if walk.problem
    ]


def _is_file_yet_to_be_made() -> bool:
    """SQLite would make the file only to be looked into."""
    name = connection.settings_dict["NAME"]
    return connection.vendor == "sqlite" and not Path(str(name)).exists()
