from typing import Any

from django.core.management.base import BaseCommand, CommandError

from routines.management.stopping import telling
from routines.upkeep import reencrypting


class Command(BaseCommand):
    help = (
        "Re-encrypt all stored tokens under the newest of TOKEN_ENCRYPTION_KEYS. Safe while the "
        "service runs with the same keys, to be interrupted, and to be repeated: docs/tokens.md."
    )
    requires_system_checks = []  # the check of the tokens would say the same

    def handle(self, **options: Any) -> None:
        progress = reencrypting.Progress()
        with telling(lambda: self._say(progress)):
            reencrypting.reencrypt_all(progress)
        if progress.unreadable:
            raise CommandError(
                "Keep the old keys, or restore the missing one and run this again; otherwise paste "
                "the tokens of these routines anew."
            )

    def _say(self, progress: reencrypting.Progress) -> None:
        self.stdout.write(f"{progress.reencrypted:>6} re-encrypted under the newest key")
        self.stdout.write(f"{progress.newest_already:>6} under it already")
        self.stdout.write(f"{len(progress.unreadable):>6} that no key at hand opens")
        for routine in progress.unreadable:
            self.stdout.write(f"       {routine.name} ({routine.routine_id})")
