from django import forms

from dashboard.forms.made_from import MadeFrom
from dashboard.forms.tokens import NoTokenInClear
from routines.models import Outcome, Run
from routines.models.columns import max_length


class OutcomeForm(MadeFrom, forms.Form):
    outcome = forms.ChoiceField(
        choices=Outcome.choices,
        error_messages={
            "required": "Choose useful, not useful or failed.",
            "invalid_choice": "Choose useful, not useful or failed.",
        },
    )


class OutcomeNoteForm(MadeFrom, NoTokenInClear, forms.Form):
    note = forms.CharField(max_length=max_length(Run, "outcome_note"), required=False, label="Note")
    link = forms.CharField(
        max_length=max_length(Run, "outcome_link"),
        required=False,
        label="Link",
        help_text="A pull request, a message: https://…",
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off"}),
    )


class TakeBackForm(MadeFrom, forms.Form):
    """A mere button: what there was to take back."""
