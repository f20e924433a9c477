from django.contrib.auth.models import AbstractUser


class Person(AbstractUser):
    """Somebody who signs in. What they may do comes from their groups: routines/roles.py."""

    class Meta(AbstractUser.Meta):
        verbose_name = "person"
        verbose_name_plural = "people"
        default_permissions = ()

    def __str__(self) -> str:
        return self.get_full_name() or self.username
