from typing import Any

from django import forms
from django.core.exceptions import ValidationError

_LONGEST_KEY = 18  # digits; SQLite fails over a longer one, where PostgreSQL finds nothing


class RowsField(forms.ModelMultipleChoiceField):
    """Several rows of a table. A key that no row can have is an invalid choice, as any other."""

    def clean(self, value: Any) -> Any:
        for key in value or ():
            if len(str(key)) > _LONGEST_KEY:
                message = self.error_messages["invalid_pk_value"]
                raise ValidationError(message, "invalid_pk_value", params={"pk": key})
        return super().clean(value)
