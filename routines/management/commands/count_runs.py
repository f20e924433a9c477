import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from routines.insight import progress, recounting
from routines.management.stopping import telling

_SAY_EVERY = 5.0  # seconds


class Command(BaseCommand):
    help = (
        "Count the runs that the insight page does not count yet, in small steps. Safe while the "
        "service runs, to be interrupted, and to be repeated: docs/insight.md."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "--recount",
            action="store_true",
            help="compare all counts with the runs, and mend those that differ",
        )
        which.add_argument(
            "--check", action="store_true", help="compare only; counts that differ fail"
        )

    def handle(self, *, recount: bool, check: bool, **options: Any) -> None:
        if check:
            self._check()
            return
        if recount:
            recounting.begin()
        with telling(self._say_what_is_left):
            self._count()

    def _count(self) -> None:
        said = time.monotonic()
        for left in progress.catch_up(pause=time.sleep):
            if time.monotonic() - said > _SAY_EVERY:
                said = time.monotonic()
                self.stdout.write(_left(left))

    def _say_what_is_left(self) -> None:
        left = progress.behind()
        self.stdout.write(_left(left) if left else "All runs are counted.")

    def _check(self) -> None:
        runs = wrong = 0
        for day in recounting.check():
            runs += day.runs
            wrong += day.wrong
            if day.wrong:
                self.stdout.write(
                    f"{day.day:%Y-%m-%d}, {day.runs:,} runs: {day.wrong:,} counts differ"
                )
        self.stdout.write(f"{runs:,} runs compared, {wrong:,} counts differ.")
        if wrong:
            raise CommandError("Run it with --recount to mend them.")


def _left(left: progress.Behind) -> str:
    if left.changes:
        until = f"{left.until:%Y-%m-%d %H:%M:%S} UTC"
        return f"Counted up to {until}; about {left.changes:,} changes left."
    return f"{left.days:,} days left to compare with their runs."
