"""The short form that makes a key for one routine, beside the text that uses it."""

from typing import Any

from django import forms

from dashboard.forms.api_keys import CallerForm, end_of, usual_last_day
from routines.callers import keys
from routines.models import Person, Routine

_WHOSE = (
    (
        "team",
        "The team's, for a program. It works until somebody revokes it, and is not asked what "
        "the routine asks people first.",
    ),
    (
        "mine",
        "My own, for a script of mine or an agent. It acts as me, and stops when I leave.",
    ),
)


class ConnectForm(CallerForm):
    whose = forms.ChoiceField(
        label="Whose key is it?",
        choices=_WHOSE,
        initial="team",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose whose key it is."},
    )
    field_order = ("name", "whose", "sends_idempotency_key")

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        self._person = person
        super().__init__(*args, **kwargs)
        self.fields["sends_idempotency_key"].help_text = "All texts on this page do."
        if not person.has_perm("routines.manage_registry"):
            del self.fields["whose"]  # theirs, whatever is sent

    @property
    def owner(self) -> Person | None:
        """None: the team's."""
        return None if self.cleaned_data.get("whose") == "team" else self._person

    def terms(self, routine: Routine) -> keys.Terms:
        return keys.Terms(
            name=self.cleaned_data["name"],
            routines=[routine],
            expires_at=None if self.owner is None else end_of(usual_last_day()),
            sends_idempotency_key=self.cleaned_data["sends_idempotency_key"],
        )
