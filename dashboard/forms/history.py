"""The filter of the history, as a form that is sent by GET; and saving one under a name."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.text import capfirst

from dashboard.forms.made_from import MadeFrom
from dashboard.forms.tokens import NoTokenInClear
from dashboard.forms.widgets import LongSelect
from routines import people
from routines.history import search
from routines.history.run_filter import NO, NO_OUTCOME, NOT_SENT, YES, BadFilter, RunFilter
from routines.models import Account, ApiKey, HeaderVersion, Outcome, Person, Routine, SavedView, Tag
from routines.models.columns import max_length
from routines.models.header_versions import Header
from routines.people.roles import Permission
from routines.values.periods import Period
from routines.values.reasons import MEANINGS, Reason, State
from routines.values.snapshots import Snapshot

Choices = list[tuple[str, Any]]


@dataclass(frozen=True)
class Chip:
    """A part of the filter, and the query string without it."""

    label: str
    value: str
    without: str


def _field(label: str, widget: forms.Widget) -> forms.Field:
    # What it may hold, RunFilter knows.
    return forms.Field(label=label, required=False, widget=widget)


def _choice(label: str) -> forms.Field:
    return _field(label, LongSelect())


class FilterForm(forms.Form):
    q = _field(
        "Search",
        forms.TextInput(
            attrs={
                "type": "search",
                "placeholder": "Words, or a session, request or run ID",
                "maxlength": search.LONGEST,
                "autocomplete": "off",
                "aria-keyshortcuts": "/",
            }
        ),
    )
    period = _choice("When")
    routine = _choice("Routine")
    person = _choice("Who")
    outcome = _choice("Outcome")
    state = _field("State", forms.CheckboxSelectMultiple(choices=State.choices))
    api_key = _choice("API key")
    account = _choice("Account")
    tag = _choice("Tag")
    reason = _choice("Reason")
    link = _choice("Link")
    beta = _choice("Beta version")
    api = _choice("API version")
    trial = _choice("Trials by admins")

    FIRST = ("period", "routine", "person", "outcome")
    MORE = ("from", "to", "api_key", "account", "tag", "reason", "link", "beta", "api", "trial")

    def __init__(self, query: QueryDict, *, person: Person) -> None:
        super().__init__(query, auto_id="filter-%s")
        self.filter = RunFilter()
        self._query = query.urlencode()
        for name, label in (("from", "First day"), ("to", "Last day")):
            self.fields[name] = _field(label, _DayInput())
        sees_all = person.has_perm(Permission.VIEW_ALL_RUNS)
        routines = Routine.objects.all() if sees_all else Routine.objects.fireable_by(person)
        offered = list(routines.values_list("slug", "name", "runs_seen_by_group"))
        self._offer("routine", "any", [(slug, name) for slug, name, _ in offered])
        sees_others = sees_all or any(shown for *_, shown in offered)
        if sees_others:
            named = sorted((name, username) for username, name in people.names())
            self._offer("person", "anybody", [(username, name) for name, username in named])
        else:
            del self.fields["person"]  # they see their own runs alone
        keys = ApiKey.objects.with_runs_seen_by(person, sees_others=sees_others)
        named_keys = sorted((key.full_name.casefold(), -key.pk, key) for key in keys)
        if named_keys or query.get("api_key"):
            of_keys = [(str(key.pk), _shown_key(key)) for *_, key in named_keys]
            self._offer("api_key", "any, or none", of_keys)
        else:
            del self.fields["api_key"]
        versions = list(HeaderVersion.objects.values_list("header", "value"))
        sent_beta = [(value, value) for header, value in versions if header == Header.BETA]
        self._offer("period", "any time", _capitalised(Period.choices))
        self._offer("outcome", "any", [(NO_OUTCOME, "None yet"), *_capitalised(Outcome.choices)])
        self._offer("account", "any", _same(Account.objects.values_list("label", flat=True)))
        self._offer("tag", "any", _same(Tag.objects.values_list("name", flat=True)))
        self._offer("reason", "any", _reasons())
        self._offer("link", "with or without", [(YES, "With a link"), (NO, "Without")])
        self._offer("beta", "any", [*sent_beta, (NOT_SENT, "Not sent")])
        self._offer("api", "any", _same(v for header, v in versions if header == Header.API))
        self._offer("trial", "with the others", [(YES, "Trials alone"), (NO, "Without trials")])

    def clean(self) -> dict[str, Any]:
        try:
            self.filter = RunFilter.from_query(self._query)
        except BadFilter as bad:
            for name, sentence in bad.sentences.items():
                self.add_error(name if name in self.fields else None, sentence)
        return self.cleaned_data

    @property
    def first(self) -> list[forms.BoundField]:
        return [self[name] for name in self.FIRST if name in self.fields]

    @property
    def states(self) -> list[tuple[str, str, bool]]:
        """Value, label and whether it is chosen: a widget would draw a template for each box."""
        chosen = self["state"].value() or []
        return [(value, label, value in chosen) for value, label in State.choices]

    @property
    def more(self) -> list[forms.BoundField]:
        return [self[name] for name in self.MORE if name in self.fields]

    @property
    def shows_more(self) -> bool:
        """Nothing that holds, or is wrong, is hidden."""
        return any(self.data.get(name) or name in self.errors for name in self.MORE)

    @property
    def chips(self) -> list[Chip]:
        pairs = self.filter.pairs()
        return [
            Chip(
                label=self._label(name),
                value=self._value(name, value),
                without=urlencode([pair for pair in pairs if pair != (name, value)]),
            )
            for name, value in pairs
        ]

    @property
    def unknown_names(self) -> list[Chip]:
        """Of routines, people, API keys, accounts and tags: why nothing can be found."""
        names = ("routine", "person", "api_key", "account", "tag")
        return [
            Chip(self._label(name), value, "")
            for name, value in self.filter.pairs()
            if name in names and name in self.fields and value not in self._known(name)
        ]

    def _label(self, name: str) -> str:
        return str(self.fields[name].label if name in self.fields else "Who")

    def _value(self, name: str, value: str) -> str:
        if name in ("from", "to"):
            day = getattr(self.filter, {"from": "since", "to": "until"}[name])
            return format_date(day, "j M Y, H:i" if isinstance(day, datetime) else "j M Y")
        return str(self._known(name).get(value, value))

    def _known(self, name: str) -> dict[str, Any]:
        choices = getattr(self.fields[name].widget, "choices", ()) if name in self.fields else ()
        known: dict[str, Any] = {}
        for value, label in choices:
            known.update(label if isinstance(label, list) else [(value, label)])
        return known

    def _offer(self, name: str, nothing: str, choices: Choices) -> None:
        widget = self.fields[name].widget
        widget.choices = [("", capfirst(nothing)), *choices]


class _DayInput(forms.DateInput):
    """A day; or a moment, where a link names one; or whatever else was typed into the address."""

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d", attrs={"type": "date"})

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        kind = "date"
        if value:
            try:
                date.fromisoformat(str(value))
            except ValueError:
                kind = "datetime-local" if "T" in str(value) else "text"
        return super().get_context(name, value, (attrs or {}) | {"type": kind})


class SavedViewForm(MadeFrom, NoTokenInClear, forms.Form):
    name = forms.CharField(max_length=max_length(SavedView, "name"), label="Name of this view")
    query = forms.CharField(required=False, max_length=2_000, widget=forms.HiddenInput)

    def check_early(self, seen: Snapshot, now: Snapshot) -> None:
        pass  # only what the name stands for counts, which the domain knows

    def clean_query(self) -> RunFilter:
        try:
            return RunFilter.from_query(self.cleaned_data["query"])
        except BadFilter:
            raise forms.ValidationError(
                "This filter cannot be read. Choose it anew, then save it."
            ) from None


def _shown_key(key: ApiKey) -> str:
    """Several may have had one name, of which one is in use."""
    if key.revoked_at is None:
        return key.full_name
    return f"{key.full_name}, revoked {format_date(timezone.localtime(key.revoked_at), 'j M Y')}"


def _reasons() -> Choices:
    """Under the state that each means."""
    return [
        (
            state.label,
            [
                (reason.value, capfirst(reason.label))
                for reason in Reason
                if MEANINGS[reason].state == state
            ],
        )
        for state in State
        if state != State.SENDING
    ]


def _capitalised(choices: Iterable[tuple[str, Any]]) -> Choices:
    return [(value, capfirst(str(label))) for value, label in choices]


def _same(values: Iterable[str]) -> Choices:
    return [(value, value) for value in values]
