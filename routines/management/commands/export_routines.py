from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from routines.registry import as_code


class Command(BaseCommand):
    help = "Write all routines, their templates and settings as YAML, without tokens."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", help="where to; standard output if left out")

    def handle(self, *, file: str | None, **options: Any) -> None:
        try:
            text = as_code.write()
        except as_code.ExportRefused as refused:
            raise CommandError(str(refused)) from None
        if file is None:
            self.stdout.write(text, ending="")
            return
        try:
            Path(file).write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.") from None
        self.stdout.write(f"The routines are in {file}. Their tokens are not.")
