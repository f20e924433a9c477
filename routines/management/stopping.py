"""For commands that may be stopped at any point, and go on when they are run again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import DatabaseError


@contextmanager
def telling(say: Callable[[], None]) -> Iterator[None]:
    """Say what was done, however it ended; Ctrl-C and a failing database tell how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        say()
        raise CommandError("Stopped before the end. Run it again to go on.") from None
    except DatabaseError as error:
        say()
        first_line = str(error).partition("\n")[0]
        raise CommandError(f"The database failed ({first_line}). Run it again.") from None
    say()
