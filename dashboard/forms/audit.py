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


class _TrailForm(forms.Form):
    """What to look for; the address of the page holds it."""

    what = forms.ChoiceField(required=False, label="What")
    since = _Day("From")
    until = _Day("Until")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "Everything"), *self.whats()]
        self.fields["what"].choices = choices  # type: ignore[attr-defined]

    def whats(self) -> list[Any]:
        raise NotImplementedError

    def clean(self) -> None:
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and since > until:
            self.add_error("until", "The last day lies before the first. Swap them.")

    @property
    def query_string(self) -> str:
        """The filter alone, as it stands in an address."""
        return urlencode({name: value for name, value in self.cleaned_data.items() if value})


class AuditForm(_TrailForm):
    who = forms.CharField(max_length=200, required=False, label="Who")
    about = forms.CharField(max_length=200, required=False, label="Routine, person or other")
    field_order = ("who", "what", "about", "since", "until")

    def whats(self) -> list[Any]:
        return trail.choices()


class SignInsForm(_TrailForm):
    who = forms.CharField(max_length=200, required=False, label="Person")
    address = forms.GenericIPAddressField(
        required=False,
        label="Address",
        error_messages={"invalid": "An address is written like 192.0.2.7 or 2001:db8::7."},
    )
    field_order = ("who", "what", "address", "since", "until")

    def whats(self) -> list[Any]:
        return trail.sign_in_choices()
