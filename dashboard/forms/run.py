from typing import Any, Self
from uuid import UUID

from django import forms

from dashboard import one_time_key
from routines import texts
from routines.models import Person, Routine, Run, TextTemplate


class RunForm(forms.Form):
    """The text that a run will send, and the one-time key that makes it one run."""

    key = forms.CharField(widget=forms.HiddenInput(attrs={"autocomplete": "off"}))
    template = forms.ModelChoiceField(
        TextTemplate.objects.none(),
        label="Text template",
        required=False,
        empty_label="No template",
    )
    text = forms.CharField(
        label="Text that will be sent",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"spellcheck": "false", "autofocus": True}),
    )

    # The other runs that this form warns of: pressing all the same is then an answer to them.
    aware_of = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, person: Person, routine: Routine, **kwargs: Any) -> None:
        self._person, self._routine = person, routine
        super().__init__(*args, **kwargs)
        self.fields["template"].queryset = routine.text_templates.all()  # type: ignore[attr-defined]

    @classmethod
    def blank(
        cls,
        person: Person,
        routine: Routine,
        *,
        text: str = "",
        template: TextTemplate | None = None,
    ) -> Self:
        """A form to be filled in, with a fresh key."""
        key = one_time_key.issue(person, routine)
        initial = {"key": key, "text": text, "template": template}
        return cls(initial=initial, person=person, routine=routine)

    def renew_refused_key(self) -> None:
        """Else the key stays: it may have made a run already, whose answer was lost."""
        if "key" in self.errors:
            self.renew_key()

    def renew_key(self) -> None:
        """Draw this refused form with a key that can be used; what was typed stays."""
        typed = {name: self.data.get(name) for name in self.data}
        self.data = typed | {"key": one_time_key.issue(self._person, self._routine)}

    def clean_key(self) -> UUID:
        try:
            key = one_time_key.read(
                self.cleaned_data["key"], person=self._person, routine=self._routine
            )
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
        return key.value

    def clean_aware_of(self) -> set[int]:
        named = self.cleaned_data["aware_of"].split()
        return {int(pk) for pk in named if pk.isdecimal() and len(pk) < 20}  # else no key of ours

    def clean_text(self) -> str:
        text = texts.normalise(self.cleaned_data["text"])
        try:
            texts.check(text)
        except texts.TextRefused as refused:
            raise forms.ValidationError(str(refused)) from None
        return text

    @property
    def template_name(self) -> str:
        template = self.cleaned_data["template"]
        return template.name if template else ""
