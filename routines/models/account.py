from django.db import models


class Account(models.Model):
    """A claude.ai account that owns routines: what they do appears as this person."""

    label = models.CharField(max_length=120, unique=True)
    # Empty: the setting ACCOUNT_HOURLY_LIMIT; 0: no limit is shown.
    hourly_limit = models.PositiveIntegerField(null=True, blank=True)
    held_until = models.DateTimeField(null=True, blank=True)  # after a 429: limits.py

    class Meta:
        ordering = ["label"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.label
