"""What every press carries: a text, the one-time key, and answers to what the routine asks."""

from collections.abc import Mapping
from typing import Any, Self, TypedDict
from uuid import UUID

from django import forms

from dashboard.run_form import one_time_key
from routines.models import Person, Routine, Run
from routines.runs import restored, rules
from routines.values import api_keys, texts, tokens
from routines.values.redaction import redact_typed


class Source(TypedDict, total=False):
    """What the text was rendered from, as firing keeps it with the run."""

    template_name: str
    template_version: str
    field_values: Mapping[str, str]


class PressForm(forms.Form):
    key = forms.CharField(widget=forms.HiddenInput(attrs={"autocomplete": "off"}))
    text = forms.CharField(
        label="Text that will be sent",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"spellcheck": "false", "autofocus": True}),
    )
    # What the routine asks first; a routine that does not has no such field.
    confirmation: forms.Field = forms.BooleanField(required=False)
    why = forms.CharField(
        label="Why do you run it?",
        required=False,
        help_text="One sentence, kept with the run for all who may see it.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "maxlength": rules.LONGEST_REASON}),
    )

    # The other runs that this form warns of: pressing all the same is then an answer to them.
    aware_of = forms.CharField(required=False, widget=forms.HiddenInput)

    reason = ""  # why it is run, if the page says that itself instead of asking

    def __init__(self, *args: Any, person: Person, routine: Routine, **kwargs: Any) -> None:
        self.person, self.routine = person, routine
        kwargs.setdefault("auto_id", f"%s-{routine.slug}")  # several forms may be on one page
        super().__init__(*args, **kwargs)
        self._fit_questions_to(routine)
        typed = dict(self.data.items())
        self.held_token = any(map(tokens.contains_token, typed.values()))
        self.held_key = any(map(api_keys.contains_key, typed.values()))
        if self.held_token or self.held_key:  # the rest of what was typed stays
            self.data = {name: redact_typed(value) for name, value in typed.items()}

    def _fit_questions_to(self, routine: Routine) -> None:
        if routine.confirmation == Routine.Confirmation.TYPE_NAME:
            self.fields["confirmation"] = forms.CharField(
                label=f"To run it, type its name: {routine.name}",
                required=False,
                widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
            )
        else:
            self.fields["confirmation"].label = f"Yes, run {routine.name} now"
        if routine.confirmation == Routine.Confirmation.OFF:
            del self.fields["confirmation"]
        if not routine.asks_why or self.reason:
            del self.fields["why"]

    @property
    def answers(self) -> rules.Answers:
        """What firing and rules.missing_answers are given."""
        confirmation = self.cleaned_data.get("confirmation", "")
        return {
            "confirmation": "yes" if confirmation is True else confirmation or "",
            "why": self.reason or self.cleaned_data.get("why", ""),
        }

    @property
    def is_to_wait_out(self) -> bool:
        """Whether a hold makes the run wait until it ends, instead of ending it."""
        return False

    @property
    def source(self) -> Source:
        return {}  # typed by hand

    def clean(self) -> None:
        if self.held_token:
            self.add_error(
                None,
                "A token was typed here. It was taken out, since others would see it, and nothing "
                "was sent. Check what is left and press the button once more.",
            )
        if self.held_key:
            self.add_error(
                None,
                "An API key of this dashboard was typed here. It was taken out, since others would "
                "see it, and nothing was sent. Check what is left and press the button once more.",
            )
        self.add_missing_answers(rules.missing_answers(self.routine, **self.answers))

    @property
    def focused_question(self) -> str:
        """The first question that a press left open; empty if none."""
        return next((name for name in ("confirmation", "why") if name in self.errors), "")

    def add_missing_answers(self, problems: Mapping[str, str]) -> None:
        """Show a sentence at each question that has no answer yet; as of rules.missing_answers."""
        for name, sentence in problems.items():
            if name not in self.errors:  # the field may have found something of its own
                self.add_error(name if name in self.fields else None, sentence)
        if self.focused_question:
            self.fields[self.focused_question].widget.attrs["autofocus"] = True

    @classmethod
    def blank(cls, person: Person, routine: Routine, *, text: str = "") -> Self:
        """A form to be filled in, with a fresh key."""
        initial = {"key": one_time_key.issue(person, routine), "text": text}
        return cls(initial=initial, person=person, routine=routine)

    @property
    def shown_text(self) -> str:
        """The text as it is drawn now: a bound field would keep the one it was drawn with first."""
        carrier = self.data if self.is_bound else self.initial
        return texts.normalise(carrier.get("text") or "")

    def renew_refused_key(self) -> None:
        """Else the key stays: it may have made a run already, whose answer was lost."""
        if "key" in self.errors:
            self.renew_key()

    def renew_key(self) -> None:
        """Draw this refused form with a key that can be used; what was typed stays."""
        self.replace_data(key=one_time_key.issue(self.person, self.routine))

    def clean_key(self) -> UUID:
        signed = self.cleaned_data["key"]
        try:
            key = one_time_key.read(signed, person=self.person, routine=self.routine)
        except one_time_key.BadKey:
            raise forms.ValidationError(
                "This form could not be recognised. Nothing was sent. "
                "Check the text and press Run now once more."
            ) from None
        if key.is_expired and not Run.objects.filter(key=key.value).exists():
            raise forms.ValidationError(
                "This form was open for more than a day. Nothing was sent. "
                "Check the text and press Run now once more."
            )
        restored_at = restored.last_noticed()
        if (
            restored_at is not None
            and one_time_key.was_issued_before(
                restored_at, signed, person=self.person, routine=self.routine
            )
            and not Run.objects.filter(key=key.value).exists()
        ):
            raise forms.ValidationError(
                "This form is from before the database was restored, which may have forgotten that "
                "it was sent: look at claude.ai/code whether a session exists. Nothing was sent "
                "now. Check the text and press Run now once more."
            )
        return key.value

    def clean_aware_of(self) -> set[int]:
        named = self.cleaned_data["aware_of"].split()
        # What is no number of a run names none.
        return {int(pk) for pk in named if pk.isascii() and pk.isdigit() and len(pk) <= 18}

    def clean_text(self) -> str:
        text = texts.normalise(self.cleaned_data["text"])
        try:
            texts.check(text)
        except texts.TextRefused as refused:
            raise forms.ValidationError(str(refused)) from None
        return text

    def replace_data(self, **values: str) -> None:
        """Draw these values in place of what was typed."""
        typed = {name: self.data.get(name) for name in self.data}
        self.data = {**typed, **values}
