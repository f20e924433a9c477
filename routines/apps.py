from django.apps import AppConfig
from django.db.models.signals import post_migrate


class RoutinesConfig(AppConfig):
    name = "routines"

    def ready(self) -> None:
        from routines.audit import chain, guards
        from routines.history import search
        from routines.insight import triggers
        from routines.upkeep import checks  # noqa: F401  # registers them

        post_migrate.connect(triggers.ensure, sender=self)
        post_migrate.connect(search.install, sender=self)
        post_migrate.connect(guards.ensure, sender=self)
        post_migrate.connect(chain.seal_all, sender=self)
