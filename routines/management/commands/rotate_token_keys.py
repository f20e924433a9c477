from typing import Any

from django.core.management.base import BaseCommand, CommandError

from routines.management.stopping import telling
from routines.upkeep import reencrypting


class Command(BaseCommand):
    help = (
        "Seal all stored tokens anew under the newest of TOKEN_ENCRYPTION_KEYS. Safe while the "
        "service runs with the same keys, to be interrupted, and to be repeated: docs/tokens.md."
    )
    requires_system_checks = []  # the check of the tokens would say what the report says

    def handle(self, **options: Any) -> None:
        report = reencrypting.Report()
        with telling(lambda: self._say(report)):
            reencrypting.reseal_all(report)
        if report.unreadable:
            raise CommandError(
                "Keep the old keys, or restore the missing one and run this again; otherwise paste "
                "the tokens of these routines anew."
            )

    def _say(self, report: reencrypting.Report) -> None:
        self.stdout.write(f"{report.resealed:>6} sealed anew under the newest key")
        self.stdout.write(f"{report.newest_already:>6} under it already")
        self.stdout.write(f"{len(report.unreadable):>6} that no key at hand opens")
        for routine in report.unreadable:
            self.stdout.write(f"       {routine.name} ({routine.routine_id})")
