from django.conf import settings
from django.db import models
from django.utils import timezone

from routines.models.routine import Routine


class Header(models.TextChoices):
    BETA = "anthropic-beta", "beta version"
    API = "anthropic-version", "API version"


class HeaderVersion(models.Model):
    """A dated value of one of the two headers, as announced. Routines are pinned to values."""

    header = models.CharField(max_length=20, choices=Header.choices)
    value = models.CharField(max_length=100)
    dated = models.DateField()  # the date that the value names: the order of the versions
    added_at = models.DateTimeField(default=timezone.now)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    # A run with it that started a session, as far as is known: registry/accepted_versions.py.
    accepted_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["header", "-dated", "-pk"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["header", "value"], name="header_version_once")
        ]

    def __str__(self) -> str:
        return self.value


class VersionMove(models.Model):
    """Some routines moved to another version in one step, so that one step brings them back."""

    header = models.CharField(max_length=20, choices=Header.choices)
    target = models.CharField(max_length=100, blank=True)  # empty: the header is not sent
    moved_at = models.DateTimeField(default=timezone.now)
    moved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-moved_at", "-pk"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.get_header_display()} to {self.target or 'not sent'}"


class VersionMoveStep(models.Model):
    """One routine of a move, and what it was pinned to before."""

    move = models.ForeignKey(VersionMove, on_delete=models.CASCADE, related_name="steps")
    routine = models.ForeignKey(Routine, on_delete=models.CASCADE, related_name="+")
    before = models.CharField(max_length=100, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["move", "routine"], name="version_move_step_once")
        ]

    def __str__(self) -> str:
        return f"{self.routine} from {self.before or 'not sent'}"
