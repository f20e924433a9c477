from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from dashboard.serving import checks, start
from routines.worker import process


class Command(BaseCommand):
    help = (
        "Send the runs that wait, FIRES_IN_FLIGHT at once, and do what no page should wait for. As "
        "many as one likes, on as many hosts. Told to stop it lets the fires in flight finish; "
        "Ctrl-C twice ends it at once."
    )

    def handle(self, **options: Any) -> None:
        start.log(process="worker", places=settings.FIRES_IN_FLIGHT)
        checks.log_warnings()
        process.run(places=settings.FIRES_IN_FLIGHT)
