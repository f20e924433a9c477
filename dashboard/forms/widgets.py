from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe


class LongSelect(forms.Select):
    """A list of hundreds of choices, drawn without a template for each of them."""

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        options = [self._drawn(choice, label, str(value or "")) for choice, label in self.choices]
        attributes = flatatt(self.build_attrs(self.attrs, {"name": name} | (attrs or {})))
        return format_html("<select{}>{}</select>", attributes, mark_safe("".join(options)))  # noqa: S308  # each is escaped

    def _drawn(self, choice: Any, label: Any, chosen: str) -> SafeString:
        if isinstance(label, list):
            inside = mark_safe("".join(self._drawn(one, text, chosen) for one, text in label))  # noqa: S308
            return format_html('<optgroup label="{}">{}</optgroup>', choice, inside)
        selected = mark_safe(" selected") if str(choice) == chosen else ""
        return format_html('<option value="{}"{}>{}</option>', choice, selected, label)
