from django import forms

from dashboard.forms.made_from import MadeFrom
from dashboard.forms.tokens import NoTokenInClear
from routines.models import Account
from routines.models.columns import max_length


class AccountForm(MadeFrom, NoTokenInClear, forms.Form):
    label = forms.CharField(
        max_length=max_length(Account, "label"),
        label="Name",
        help_text="Whose claude.ai account it is.",
    )
    hourly_limit = forms.IntegerField(
        min_value=0,
        max_value=100_000,
        required=False,
        help_text="Runs an hour of all its routines together, shown as advice. "
        "Empty: the dashboard's default; 0: none is shown.",
    )
