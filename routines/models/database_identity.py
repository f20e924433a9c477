from django.db import models


class DatabaseIdentity(models.Model):
    """In which database these rows were written: one row, which a copy carries with it.

    Where it is not the database's own any more, the rows were restored: runs/restored.py.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)  # never another one
    name = models.CharField(max_length=200)
    restored_at = models.DateTimeField(null=True)  # when that was last noticed

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
