from django.apps import AppConfig
from django.db.models.signals import post_migrate


class RoutinesConfig(AppConfig):
    name = "routines"

    def ready(self) -> None:
        from routines.history import search
        from routines.insight import triggers
        from routines.upkeep import checks  # noqa: F401  # registers them

        post_migrate.connect(triggers.ensure, sender=self)
        post_migrate.connect(search.install, sender=self)
