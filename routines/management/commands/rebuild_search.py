import time
from typing import Any

from django.core.management.base import BaseCommand

from routines.history import search

_EVERY = 20_000  # runs between two lines


class Command(BaseCommand):
    help = (
        "Make the words of all runs and the index of words anew. Safe while the service runs, to "
        "be interrupted, and to be repeated: docs/history.md."
    )

    def handle(self, **options: Any) -> None:
        runs, began = 0, time.monotonic()
        for runs in search.rebuild():
            if runs % _EVERY == 0:
                self.stdout.write(f"{runs:,} runs so far")
            # Others write for at least as long as this batch took.
            time.sleep(time.monotonic() - began)
            began = time.monotonic()
        self.stdout.write(f"Made the words of {runs:,} run{'' if runs == 1 else 's'}.")
