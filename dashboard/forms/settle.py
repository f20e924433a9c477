from typing import Any

from django import forms

from dashboard.forms.made_from import MadeFrom
from dashboard.forms.tokens import NoTokenInClear
from routines.models import Run
from routines.runs import settling


class SettleForm(MadeFrom, NoTokenInClear, forms.Form):
    """What a person found at claude.ai for a run whose answer was lost."""

    session_url = forms.CharField(
        label="Address of the session",
        max_length=500,
        widget=forms.URLInput(attrs={"placeholder": "https://claude.ai/code/session_…"}),
        error_messages={"required": "Paste the session's address, or say that it did not start."},
    )

    def __init__(self, *args: Any, run: Run, **kwargs: Any) -> None:
        super().__init__(*args, made_from=settling.snapshot(run), **kwargs)
