from django.apps import AppConfig
from django.db.models.signals import post_migrate


class RoutinesConfig(AppConfig):
    name = "routines"

    def ready(self) -> None:
        from routines import checks, search, summary_triggers  # noqa: F401  # checks: registers them

        post_migrate.connect(summary_triggers.ensure, sender=self)
        post_migrate.connect(search.install, sender=self)
