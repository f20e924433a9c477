from typing import Any

from django import forms

from routines import tokens


class WithoutToken(forms.TextInput):
    """Draws back what was typed, unless a token stands in it."""

    def format_value(self, value: Any) -> str | None:
        return None if tokens.stand_in(str(value or "")) else super().format_value(value)
