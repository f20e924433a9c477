"""`manage.py check` (and so most commands) says which stored tokens cannot be opened."""

from pathlib import Path
from typing import Any

from django.core import checks
from django.db import Error as DatabaseFailure
from django.db import connection

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


def _is_file_yet_to_be_made() -> bool:
    """SQLite would make the file only to be looked into."""
    name = connection.settings_dict["NAME"]
    return connection.vendor == "sqlite" and not Path(str(name)).exists()
