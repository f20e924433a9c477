"""Who must act after a run, and whether pressing again is safe."""

from django.db import models


class Actor(models.TextChoices):
    NOBODY = "nobody", "nobody"
    TEAMMATE = "teammate", "whoever ran it"
    ADMIN = "admin", "an admin"
    OWNER = "owner", "the account's owner"


class Again(models.TextChoices):
    """May the person press Run again?"""

    NEW_RUN = "new_run", "Yes, it is a new run."
    NOT_NEEDED = "not_needed", "Not needed: this run will be sent automatically."
    WAIT = "wait", "Not yet: this run is still being sent."
    AFTER_FIX = "after_fix", "Yes, once the problem is fixed. Nothing was started."
    SAFE = "safe", "Yes, nothing happened."
    LOOK_FIRST = "look_first", "Only after a look at claude.ai/code: a session may exist."
