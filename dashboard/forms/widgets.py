from collections.abc import Iterable
from html import escape
from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe


class LongSelect(forms.Select):
    """A list of hundreds of choices, drawn without a template for each of them."""

    choices: Iterable[tuple[Any, Any]] = ()  # as given: Django's own would walk through them first

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        options = _drawn(self.choices, str(value or ""))
        attributes = flatatt(self.build_attrs(self.attrs, {"name": name} | (attrs or {})))
        return format_html("<select{}>{}</select>", attributes, mark_safe(options))  # noqa: S308  # escaped


class Checklist(forms.CheckboxSelectMultiple):
    """Hundreds of checkboxes, drawn without a template for each, the ticked ones first.

    Among many, static/narrow.js finds one.
    """

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        chosen = {str(one) for one in value or ()}
        attributes = self.build_attrs(self.attrs, attrs)
        auto_id = attributes.pop("id", "")
        boxes = sorted(self.choices, key=lambda box: str(box[0]) not in chosen)
        drawn = [
            format_html(
                '<div><label><input type="checkbox" name="{}" value="{}" id="{}_{}"{}{}> {}</label>'
                "</div>",
                name,
                key,
                auto_id,
                number,
                flatatt(attributes),
                mark_safe(" checked") if str(key) in chosen else "",
                label,
            )
            for number, (key, label) in enumerate(boxes)
        ]
        inner = mark_safe("".join(drawn)) if drawn else "None yet."  # noqa: S308  # escaped
        return format_html('<div id="{}" class="checklist" data-narrows>{}</div>', auto_id, inner)


def _drawn(choices: Iterable[tuple[Any, Any]], chosen: str) -> str:
    """Plain strings, escaped one by one: format_html would take three times as long."""
    drawn = []
    for choice, label in choices:
        value = escape(str(choice))
        if isinstance(label, list):
            drawn.append(f'<optgroup label="{value}">{_drawn(label, chosen)}</optgroup>')
        else:
            selected = " selected" if str(choice) == chosen else ""
            drawn.append(f'<option value="{value}"{selected}>{escape(str(label))}</option>')
    return "".join(drawn)
