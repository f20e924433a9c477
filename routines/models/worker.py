from django.db import models
from django.db.models.functions import Now


class Worker(models.Model):
    """A worker process that is alive, or was: routines/worker/heartbeat.py.

    Times are of the database's clock, the one that all hosts share.
    """

    name = models.CharField(max_length=100, unique=True)  # its host, its process, something random
    started_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())
    places = models.PositiveSmallIntegerField()  # how many runs it sends at once

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
