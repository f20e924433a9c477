from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from routines.insight import summaries


class Command(BaseCommand):
    help = (
        "Compare the insight page's summaries with the runs, and mend what differs. Safe while the "
        "service runs, to be interrupted, and to be repeated: docs/insight.md."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="compare only; differences fail")

    def handle(self, *, check: bool, **options: Any) -> None:
        runs = wrong = 0
        for rebuilt in summaries.rebuild(only_look=check):
            runs += rebuilt.runs
            wrong += rebuilt.wrong
            if rebuilt.wrong:
                self.stdout.write(
                    f"From {rebuilt.since:%Y-%m-%d}, 32 days, {rebuilt.runs:,} runs: "
                    f"{rebuilt.wrong:,} rows {'differ' if check else 'mended'}"
                )
        self.stdout.write(f"{runs:,} runs compared, {wrong:,} rows of summaries differed.")
        if check and wrong:
            raise CommandError("Run it without --check to mend them.")
