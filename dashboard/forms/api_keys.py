"""The forms of API keys: one for admins, one for a person's own, and one to revoke either."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from dashboard.forms.choices import RowsField
from dashboard.forms.made_from import MadeFrom
from dashboard.forms.tokens import NoTokenInClear
from dashboard.forms.widgets import Checklist
from routines.callers import keys, networks, scope
from routines.models import ApiKey, Person, Routine, Tag
from routines.models.columns import max_length

_MOST_HOURLY, _MOST_DAILY = 10_000, 100_000  # no cap beyond these would ever be reached
_LONGEST_LIFE = timedelta(days=3_650)
USUAL_DAYS = 90  # that a personal key works
_SENDS_ONE = (
    (
        "yes",
        "Yes. The same Idempotency-Key again is the same run, so the caller may retry as often "
        "as it likes. A call without one is turned away.",
    ),
    (
        "no",
        "No. Each call starts a session of its own, so a retry is a second run. Choose this only "
        "for a caller that cannot be changed.",
    ),
)


class _RoutinesField(RowsField):
    def label_from_instance(self, routine: Any) -> SafeString:
        archived = ["archived"] if routine.is_archived else []
        rules = archived + scope.rules_for_people(routine)
        said = format_html(' <span class="small mute">{}</span>', ", ".join(rules)) if rules else ""
        return format_html("<span>{}{}</span>", routine.name, said)


class CallerForm(NoTokenInClear, forms.Form):
    """What is asked about every caller, wherever its key is made."""

    name = forms.CharField(
        label="Name of the caller",
        max_length=max_length(ApiKey, "name"),
        help_text="The program that will use the key. The history shows this name with each run.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    sends_idempotency_key = forms.TypedChoiceField(
        label="Can this caller send an Idempotency-Key?",
        choices=_SENDS_ONE,
        coerce=lambda chosen: chosen == "yes",
        initial="yes",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose yes or no."},
    )

    def add_refusal(self, refused: keys.Refused) -> None:
        self.add_error("name" if isinstance(refused, keys.NameTaken) else None, str(refused))


class _KeyForm(MadeFrom, CallerForm):
    """What all keys have."""

    routines = _RoutinesField(Routine.objects.none(), required=False, widget=Checklist)
    hourly_cap = forms.IntegerField(
        label="Runs in an hour, at most",
        initial=30,
        min_value=1,
        max_value=_MOST_HOURLY,
    )
    daily_cap = forms.IntegerField(
        label="Runs in a day, at most",
        initial=200,
        min_value=1,
        max_value=_MOST_DAILY,
        help_text="Both look back from each call: over the last 60 minutes, and the last 24 hours.",
    )
    last_day = forms.DateField(
        label="Works until the end of",
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"invalid": "A day is written like 2026-01-31."},
    )

    person: Person | None = None  # whose own key it is

    def __init__(self, *args: Any, api_key: ApiKey | None = None, **kwargs: Any) -> None:
        self._api_key = api_key
        super().__init__(*args, **kwargs)
        self.fields["routines"].queryset = scope.choices(  # type: ignore[attr-defined]
            self.person, given_to=api_key
        )
        self.fields[
            "last_day"
        ].help_text = (
            f"As a day of {timezone.get_current_timezone_name()}. Empty: it does not expire."
        )

    def clean_last_day(self) -> datetime | None:
        """The moment from which on the key has expired."""
        day: date | None = self.cleaned_data["last_day"]
        stored = self._api_key.expires_at if self._api_key else None
        if day is None or (stored is not None and day == _last_day(stored)):
            return stored if day else None  # as it was, whatever zone its editor was in
        today = timezone.localdate()
        if day < today:
            raise forms.ValidationError("This day is over. Choose today or a later one.")
        if day > today + _LONGEST_LIFE:
            raise forms.ValidationError("Choose a day of the next ten years, or leave it empty.")
        return end_of(day)

    @property
    def terms(self) -> keys.Terms:
        raise NotImplementedError

    def _terms(self, **values: Any) -> keys.Terms:
        cleaned = self.cleaned_data
        return keys.Terms(
            name=cleaned["name"],
            routines=list(cleaned["routines"]),
            hourly_cap=cleaned["hourly_cap"],
            daily_cap=cleaned["daily_cap"],
            expires_at=cleaned["last_day"],
            sends_idempotency_key=cleaned["sends_idempotency_key"],
            **values,
        )


class TeamKeyForm(_KeyForm):
    """A team key: admins give it to a program, and it acts as nobody."""

    tags = RowsField(
        Tag.objects.none(),
        label="And all routines with one of these tags",
        required=False,
        widget=Checklist,
        help_text="Also those that get the tag later. A tag gives only what is open to everybody "
        "and asks for no confirmation; choose any other routine by its name above.",
    )
    networks = forms.CharField(
        label="Works only from these addresses",
        required=False,
        max_length=4_000,
        help_text="Addresses or networks like 192.0.2.7 or 2001:db8::/32, one a line. Empty: from "
        "anywhere.",
        widget=forms.Textarea(attrs={"rows": 3, "class": "short", "spellcheck": "false"}),
    )

    field_order = (
        *("name", "sends_idempotency_key", "routines", "tags", "hourly_cap", "daily_cap"),
        *("last_day", "networks"),
    )

    def __init__(self, *args: Any, api_key: ApiKey | None = None, **kwargs: Any) -> None:
        if api_key is not None:
            kwargs["made_from"] = keys.snapshot(api_key)
            kwargs["initial"] = {
                "name": api_key.name,
                "sends_idempotency_key": "yes" if api_key.sends_idempotency_key else "no",
                "routines": list(api_key.routines.all()),
                "tags": list(api_key.tags.all()),
                "hourly_cap": api_key.hourly_cap,
                "daily_cap": api_key.daily_cap,
                "last_day": _last_day(api_key.expires_at) if api_key.expires_at else None,
                "networks": "\n".join(api_key.networks),
            }
        super().__init__(*args, api_key=api_key, **kwargs)
        self.fields["routines"].help_text = (
            "What a routine asks people first is written beside it. This key is not asked, and "
            "groups do not limit it: whoever chooses the routine here answers for that."
        )
        self.fields["tags"].queryset = Tag.objects.all()  # type: ignore[attr-defined]
        if not Tag.objects.exists():
            del self.fields["tags"]

    def clean_networks(self) -> list[str]:
        try:
            return networks.read(self.cleaned_data["networks"])
        except networks.BadNetworks as bad:
            raise forms.ValidationError(str(bad)) from None

    def clean(self) -> None:
        super().clean()
        if "routines" in self.errors or "tags" in self.errors:
            return
        if not self.cleaned_data.get("routines") and not self.cleaned_data.get("tags"):
            self.add_error("routines", "Choose a routine, or a tag below.")

    @property
    def terms(self) -> keys.Terms:
        return self._terms(
            tags=list(self.cleaned_data.get("tags", ())), networks=self.cleaned_data["networks"]
        )


class OwnKeyForm(_KeyForm):
    """A key that acts as the person who makes it."""

    all_routines = forms.TypedChoiceField(
        label="It may run",
        choices=[("yes", "All that I may run, as it changes"), ("no", "Only these routines")],
        coerce=lambda chosen: chosen == "yes",
        initial="yes",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what it may run."},
    )

    field_order = (
        *("name", "sends_idempotency_key", "all_routines", "routines", "hourly_cap", "daily_cap"),
        "last_day",
    )

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        self.person = person
        super().__init__(*args, **kwargs)
        self.initial["last_day"] = usual_last_day()
        self.fields["routines"].help_text = (
            "For “Only these routines”. A routine that asks people to confirm cannot be run with "
            "a key of your own: such calls are turned away."
        )

    def clean(self) -> None:
        super().clean()
        chosen, everything = (
            self.cleaned_data.get("routines"),
            self.cleaned_data.get("all_routines"),
        )
        if everything is False and chosen is not None and not chosen:
            self.add_error("routines", "Choose a routine, or all that you may run above.")
        if everything and chosen:
            self.add_error(
                "routines", "Clear these, or choose “Only these routines” above: not both."
            )

    @property
    def terms(self) -> keys.Terms:
        return self._terms(all_routines=self.cleaned_data["all_routines"])


class RevokeForm(MadeFrom, forms.Form):
    def __init__(self, *args: Any, api_key: ApiKey, waiting: int, **kwargs: Any) -> None:
        super().__init__(*args, made_from=keys.snapshot(api_key), **kwargs)
        if waiting:
            whose = "its waiting run" if waiting == 1 else f"its {waiting:,} waiting runs"
            self.fields["cancels_waiting"] = forms.BooleanField(
                label=f"Also cancel {whose}",
                required=False,
                help_text="Otherwise they are sent in their turn. What was sent cannot be stopped.",
            )


def usual_last_day() -> date:
    """Of a personal key, since nobody but its person remembers it."""
    return timezone.localdate() + timedelta(days=USUAL_DAYS)


def end_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


def _last_day(expires_at: datetime) -> date:
    return timezone.localdate(expires_at - timedelta(microseconds=1))
