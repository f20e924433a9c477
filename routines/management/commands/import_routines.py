from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError

from routines.registry import as_code


class Command(BaseCommand):
    help = "Make the registry say what a file of export_routines says. What it does not name stays."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file")
        parser.add_argument("--dry-run", action="store_true", help="say what it would do, only")

    def handle(self, *, file: str, dry_run: bool, **options: Any) -> None:
        try:
            with Path(file).open("rb") as opened:
                content = opened.read(as_code.MOST_BYTES + 1)
            changes = as_code.apply(as_code.read(content), dry_run=dry_run)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from None
        except as_code.DocumentRefused as refused:
            problems = "\n".join(f"{file}, {problem}" for problem in refused.problems)
            raise CommandError(f"{problems}\nNothing was changed.") from None
        except IntegrityError:
            raise CommandError(
                "The registry was changed by somebody at the same time. Nothing was changed by "
                "this import: run it again."
            ) from None
        for change in changes:
            self.stdout.write(str(change))
        if not any(change.what for change in changes):
            self.stdout.write("Nothing to change.")
        elif dry_run:
            self.stdout.write("This was a dry run: nothing was changed.")
