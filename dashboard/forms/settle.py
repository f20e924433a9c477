from django import forms

from dashboard.forms.tokens import NoTokenInClear


class SettleForm(NoTokenInClear, forms.Form):
    """What a person found at claude.ai for a run whose answer was lost."""

    session_url = forms.CharField(
        label="Address of the session",
        max_length=500,
        widget=forms.URLInput(attrs={"placeholder": "https://claude.ai/code/session_…"}),
        error_messages={"required": "Paste the session's address, or say that it did not start."},
    )
