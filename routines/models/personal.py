"""What a person keeps for themselves: pinned routines and views of the history."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from routines.models.routine import Routine


class Pin(models.Model):
    """A routine that a person wants first on their board."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="pins"
    )
    routine = models.ForeignKey(Routine, on_delete=models.CASCADE, related_name="pins")
    pinned_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["person", "routine"], name="pin_once")]

    def __str__(self) -> str:
        return f"{self.routine} of {self.person}"


class SavedView(models.Model):
    """A filter of the history under a name, as its query string."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views"
    )
    name = models.CharField(max_length=80)
    query = models.TextField(blank=True)

    class Meta:
        ordering = ["name"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["person", "name"], name="saved_view_name_once")
        ]

    def __str__(self) -> str:
        return self.name
