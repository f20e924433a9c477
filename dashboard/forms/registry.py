"""Forms of the registry. What they clean are domain types; no form ever holds a stored token."""

from typing import Any

from django import forms

from dashboard.forms.choices import RowsField
from dashboard.forms.tokens import NoTokenInClear
from dashboard.forms.versions import VersionField, drawn_with, is_untouched
from routines.models import Account, Header, Routine, Tag
from routines.models.columns import max_length
from routines.registry import header_versions
from routines.registry.tags import TagsRefused, parse_tags, tags_of


class RoutineForm(NoTokenInClear, forms.ModelForm):
    """What an admin may change about a routine at any time."""

    account = forms.CharField(
        max_length=max_length(Account, "label"),
        label="Whose account",
        help_text="The claude.ai account that owns the routine. What it does appears as this "
        "person, and its runs count against their limits.",
        widget=forms.TextInput(attrs={"list": "known-accounts", "autocomplete": "off"}),
    )
    tags = forms.CharField(
        required=False,
        max_length=500,
        help_text="Words that it is grouped and found by on the board, with commas between them. "
        "It stands under the first by the alphabet.",
        widget=forms.TextInput(attrs={"list": "known-tags", "autocomplete": "off"}),
    )
    beta_version = VersionField(
        Header.BETA,
        label="Beta version",
        help_text="Value of the anthropic-beta header.",
    )
    api_version = VersionField(
        Header.API, label="API version", help_text="Value of the anthropic-version header."
    )

    class Meta:
        model = Routine
        fields = ["name", "purpose", "cool_down", "hourly_limit"]
        labels = {"purpose": "What it is for", "cool_down": "Pause between two runs"}
        help_texts = {
            "purpose": "One sentence, shown on the board.",
            "cool_down": "In seconds. 0: it may run again at once.",
            "hourly_limit": "Runs an hour, shown as advice. Empty: the dashboard's default; "
            "0: none is shown.",
        }

    field_order = [
        "name",
        "purpose",
        "tags",
        "account",
        "beta_version",
        "api_version",
        "cool_down",
        "hourly_limit",
    ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        versions = header_versions.known()
        if self.instance.pk:
            self.initial["account"] = self.instance.account.label
            self.initial["tags"] = ", ".join(tags_of(self.instance))
        for header, name in header_versions.FIELDS.items():
            pinned = getattr(self.instance, name) if self.instance.pk else None
            newest = versions.newest(header)
            if pinned is not None:
                self.initial[name] = pinned
            elif newest is not None:
                self.initial.setdefault(name, newest.value)
            field = self.fields[name]
            field.offer(versions, pinned, drawn_with(self, name))  # type: ignore[attr-defined]

    @property
    def known_accounts(self) -> list[str]:
        return list(Account.objects.values_list("label", flat=True))

    @property
    def known_tags(self) -> list[str]:
        return list(Tag.objects.values_list("name", flat=True))

    def clean_tags(self) -> list[str]:
        try:
            return parse_tags(self.cleaned_data["tags"])
        except TagsRefused as refused:
            raise forms.ValidationError(str(refused)) from None

    def clean_beta_version(self) -> str:
        return self._clean_version("beta_version")

    def clean_api_version(self) -> str:
        return self._clean_version("api_version")

    def _clean_version(self, name: str) -> str:
        version: str = self.cleaned_data[name]
        if self.instance.pk and is_untouched(self, name):
            # A form that was open while others moved the routine must not move it back.
            version = getattr(self.instance, name)
        return version


class RulesForm(forms.ModelForm):
    """Who may run a routine, and what they are asked first."""

    class Meta:
        model = Routine
        fields = ["open_to", "confirmation", "asks_why", "runs_seen_by_group"]
        field_classes = {"open_to": RowsField}
        labels = {
            "open_to": "Open to",
            "confirmation": "Does it ask for a confirmation before a run?",
            "asks_why": "Ask for a reason, and keep it with the run",
            "runs_seen_by_group": "Who may run it sees all of its runs",
        }
        help_texts = {
            "open_to": "None chosen: all who may run routines. Else only members of these groups "
            "who may run routines, and admins.",
            "runs_seen_by_group": "Texts, sessions and outcomes of everybody’s runs of this "
            "routine, old ones and those of people who have left, too. Off: teammates see their "
            "own runs alone. Managers and admins see all runs either way.",
        }
        widgets = {
            "open_to": forms.CheckboxSelectMultiple,
            "confirmation": forms.RadioSelect,
        }
