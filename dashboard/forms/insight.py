from datetime import date
from typing import Any

from django import forms

from routines import insight
from routines.insight import Range
from routines.values import periods

PRESETS = {
    "7": "7 days",
    "30": "30 days",
    "90": "90 days",
    "365": "365 days",
    "all": "All",
}
DEFAULT = "30"


class _Day(forms.DateField):
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    input_formats = ["%Y-%m-%d"]  # what a browser sends for such a field
    default_error_messages = {
        "invalid": "There is no such day. Write it as year-month-day: 2026-11-24.",
    }

    def to_python(self, value: Any) -> date | None:
        day = super().to_python(value)
        if day is not None and not periods.FIRST <= day <= periods.LAST:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return day


class RangeForm(forms.Form):
    """Which days: so many up to today, or from one day to another."""

    days = forms.ChoiceField(
        required=False,
        choices=list(PRESETS.items()),
        widget=forms.HiddenInput,
        error_messages={"invalid_choice": "There is no such range. Choose one of the list."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["from"] = _Day(label="From", required=False)
        self.fields["to"] = _Day(label="To", required=False)
        self.range: Range | None = None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("from"), cleaned.get("to")
        if self.errors:
            return cleaned
        if first or last:
            try:
                self.range = insight.of_days(first or periods.FIRST, last or periods.LAST)
            except insight.BadRange as refused:
                self.add_error("to", str(refused))
        else:
            days = self.preset
            self.range = insight.preset(None if days == "all" else int(days))
        return cleaned

    @property
    def preset(self) -> str:
        """The chosen one; empty where days are given."""
        if self.data.get("from") or self.data.get("to"):
            return ""
        return self.cleaned_data.get("days") or DEFAULT
