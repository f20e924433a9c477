from typing import Any
from urllib.parse import urlencode

from django import forms

from routines.audit import trail


class _Day(forms.DateField):
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})

    def __init__(self, label: str) -> None:
        sentence = "A day is written like 2026-01-31."
        super().__init__(
            label=label,
            required=False,
            input_formats=["%Y-%m-%d"],
            error_messages={"invalid": sentence},
        )


class AuditForm(forms.Form):
    """What to look for in the audit trail; the address of the page holds it."""

    who = forms.CharField(max_length=200, required=False, label="Who")
    what = forms.ChoiceField(required=False, label="What")
    about = forms.CharField(max_length=200, required=False, label="Routine, person or other")
    since = _Day("From")
    until = _Day("Until")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "Everything"), *trail.choices()]
        self.fields["what"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> None:
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and since > until:
            self.add_error("until", "The last day lies before the first. Swap them.")

    @property
    def query_string(self) -> str:
        """The filter alone, as it stands in an address."""
        return urlencode({name: value for name, value in self.cleaned_data.items() if value})
