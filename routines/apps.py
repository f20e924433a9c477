from django.apps import AppConfig
from django.db.models.signals import post_migrate


class RoutinesConfig(AppConfig):
    name = "routines"

    def ready(self) -> None:
        from routines import summary_triggers  # checks: registers them

        post_migrate.connect(summary_triggers.ensure, sender=self)
