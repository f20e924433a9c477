"""Forms of the registry. What they clean are domain types; no form ever holds a stored token."""

from typing import Any

from django import forms

from dashboard.forms.choices import RowsField
from dashboard.forms.made_from import MadeFrom
from dashboard.forms.tokens import NoTokenInClear
from dashboard.forms.versions import VersionField, drawn_with
from routines.models import Account, Header, Routine, Tag
from routines.models.columns import max_length
from routines.registry import header_versions, snapshots
from routines.registry.tags import TagsRefused, parse_tags, tags_of


class RoutineForm(MadeFrom, NoTokenInClear, forms.ModelForm):
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

    def __init__(self, *args: Any, instance: Routine | None = None, **kwargs: Any) -> None:
        if instance is not None:
            kwargs["made_from"] = snapshots.details(instance)
        super().__init__(*args, instance=instance, **kwargs)
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


class RulesForm(MadeFrom, forms.ModelForm):
    """Who may run a routine, and what they are asked first."""

    open_to_everybody = forms.TypedChoiceField(
        label="Open to",
        choices=[("yes", "Everybody who may run routines"), ("no", "Only these groups")],
        coerce=lambda chosen: chosen == "yes",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose who may run it."},
    )

    class Meta:
        model = Routine
        fields = ["open_to", "confirmation", "asks_why", "runs_seen_by_group"]
        field_classes = {"open_to": RowsField}
        labels = {
            "open_to": "Groups",
            "confirmation": "Does it ask for a confirmation before a run?",
            "asks_why": "Ask for a reason, and keep it with the run",
            "runs_seen_by_group": "Who may run it sees all of its runs",
        }
        help_texts = {
            "open_to": "For “Only these groups”: their members who may run routines, and admins. A "
            "group that is deleted opens nothing.",
            "runs_seen_by_group": "Texts, sessions and outcomes of everybody’s runs of this "
            "routine, old ones and those of people who have left, too. Off: teammates see their "
            "own runs alone. Managers and admins see all runs either way.",
        }
        widgets = {
            "open_to": forms.CheckboxSelectMultiple,
            "confirmation": forms.RadioSelect,
        }

    field_order = ["open_to_everybody"]

    def __init__(self, *args: Any, instance: Routine, **kwargs: Any) -> None:
        super().__init__(*args, instance=instance, made_from=snapshots.rules(instance), **kwargs)
        self.initial["open_to_everybody"] = "yes" if instance.open_to_everybody else "no"

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        to_everybody, groups = cleaned.get("open_to_everybody"), cleaned.get("open_to")
        if to_everybody is False and groups is not None and not groups:
            self.add_error("open_to", "Choose at least one group, or everybody above.")
        if to_everybody and groups:
            self.add_error(
                "open_to", "Take the groups out, or choose “Only these groups” above: not both."
            )
        return cleaned
