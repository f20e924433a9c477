from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from routines.audit import expiry
from routines.management.stopping import telling
from routines.upkeep import retention


class Command(BaseCommand):
    help = (
        "Shorten texts after KEEP_TEXTS_DAYS, delete runs after KEEP_RUNS_DAYS and sign-ins after "
        "KEEP_SIGN_INS_DAYS. Safe while the service runs, to be interrupted, and to be repeated: "
        "docs/retention.md."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count, and change nothing")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        self._runs(dry_run)
        self._sign_ins(dry_run)

    def _runs(self, dry_run: bool) -> None:
        policy = retention.policy()
        if not policy:
            self.stdout.write(
                "All runs are kept for ever: neither KEEP_TEXTS_DAYS nor KEEP_RUNS_DAYS is set."
            )
            return
        self.stdout.write(str(policy))
        if dry_run:
            self._say(retention.count(), "would be ")
            return
        report = retention.Report()
        with telling(lambda: self._say(report)):
            retention.apply(report)

    def _sign_ins(self, dry_run: bool) -> None:
        before = expiry.expired()
        if before is None:
            return
        act = expiry.count if dry_run else expiry.delete_sign_ins
        number = act(before=before)
        self.stdout.write(f"{number:>9,} sign-ins {'would be ' if dry_run else ''}deleted")

    def _say(self, report: retention.Report, would: str = "") -> None:
        self.stdout.write(f"{report.texts:>9,} texts {would}shortened")
        self.stdout.write(f"{report.runs:>9,} runs {would}deleted")
