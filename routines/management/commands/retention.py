from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from routines.management.stopping import telling
from routines.upkeep import retention


class Command(BaseCommand):
    help = (
        "Shorten texts after KEEP_TEXTS_DAYS and delete runs after KEEP_RUNS_DAYS. Safe while the "
        "service runs, to be interrupted, and to be repeated: docs/retention.md."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count, and change nothing")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        policy = retention.policy()
        if not policy:
            self.stdout.write(
                "Everything is kept for ever: neither KEEP_TEXTS_DAYS nor KEEP_RUNS_DAYS is set."
            )
            return
        self.stdout.write(str(policy))
        if dry_run:
            self._say(retention.count(), "would be ")
            return
        report = retention.Report()
        with telling(lambda: self._say(report)):
            retention.apply(report)

    def _say(self, report: retention.Report, would: str = "") -> None:
        self.stdout.write(f"{report.texts:>9,} texts {would}shortened")
        self.stdout.write(f"{report.runs:>9,} runs {would}deleted")
