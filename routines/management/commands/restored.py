from typing import Any

from django.core.management.base import BaseCommand

from routines.runs import restored


class Command(BaseCommand):
    help = (
        "Say that the database was put back into an older state, where nothing else can tell: a "
        "disk or a whole machine was set back, or a file copied over. Before the service starts: "
        "what waits in it may have been sent since, and becomes unknown. docs/backup.md."
    )

    def handle(self, **options: Any) -> None:
        runs = restored.declare()
        self.stdout.write(
            f"Runs that are unknown now: {runs:,}. Look at claude.ai/code and settle them on their "
            "pages."
        )
