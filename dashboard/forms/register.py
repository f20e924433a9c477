"""Registering in two steps: what was pasted, then the rest. Both can be typed by hand instead."""

from typing import Any

from django import forms
from django.conf import settings

from dashboard.forms.registry import RoutineForm
from dashboard.forms.tokens import CarriesToken, TokenField
from routines.models import HeaderVersion, Person, Routine
from routines.models.header_versions import Header
from routines.registry.paste import pasted, routine_ids
from routines.registry.paste.pasted import Pasted


class PasteBox(forms.Textarea):
    """Never draws back what was pasted: a token may stand in it."""

    def format_value(self, value: Any) -> str:
        return ""


class PasteForm(forms.Form):
    pasted = forms.CharField(
        label="What claude.ai shows",
        strip=False,
        widget=PasteBox(attrs={"spellcheck": "false", "autocomplete": "off", "autofocus": True}),
        help_text="The whole curl command, or the URL or routine ID and the token. "
        "The token is not shown again.",
        error_messages={"required": "Paste the command, or the URL and the token."},
    )

    def clean_pasted(self) -> Pasted:
        try:
            return pasted.read(
                self.cleaned_data["pasted"], api_base_url=settings.CLAUDE_API_BASE_URL
            )
        except pasted.PasteRefused as refused:
            raise forms.ValidationError(str(refused)) from None


class RegisterForm(CarriesToken, RoutineForm):
    routine_id = forms.CharField(
        max_length=500,
        label="Routine ID or URL",
        help_text="From the window of the API trigger at claude.ai: trig_… or the whole URL.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    token = TokenField(
        label="Token",
        help_text="The token, or the whole command that claude.ai shows once, when the token is "
        "generated. You may also add it later.",
    )

    field_order = ["routine_id", "token", *RoutineForm.field_order]
    form_name = "register form"
    token_is_required = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.registered_already: Routine | None = None
        super().__init__(*args, **kwargs)

    @classmethod
    def begun(cls, understood: Pasted, *, person: Person) -> "RegisterForm":
        """The form with what a paste said filled in; what it did not say stays as by default."""
        found = {
            "routine_id": understood.routine_id,
            "beta_version": understood.beta_version,
            "api_version": understood.api_version,
        }
        initial = {name: value for name, value in found.items() if value is not None}
        form = cls(initial=initial, person=person)
        if understood.token is not None:
            form.look_for_the_same_token(understood.token)
            form.carry(understood.token)
        return form

    @property
    def values(self) -> dict[str, Any]:
        """What registry.register is given."""
        only_of_the_form = ("carried", "aware_of")
        return {
            name: value for name, value in self.cleaned_data.items() if name not in only_of_the_form
        }

    def clean_routine_id(self) -> str:
        try:
            routine_id = routine_ids.parse(
                self.cleaned_data["routine_id"], api_base_url=settings.CLAUDE_API_BASE_URL
            )
        except routine_ids.RoutineIdRefused as refused:
            raise forms.ValidationError(str(refused)) from None
        self.registered_already = Routine.objects.filter(routine_id=routine_id).first()
        if self.registered_already is not None:
            raise forms.ValidationError("This routine is registered already, see above.")
        return routine_id

    def _routine(self) -> Routine | None:
        return self.registered_already

    def _routine_id(self) -> str:
        return str(self.cleaned_data.get("routine_id", ""))


def unknown_versions(understood: Pasted) -> list[str]:
    """A sentence for each version in the paste that nobody has announced to this dashboard."""
    found = [(Header.BETA, understood.beta_version), (Header.API, understood.api_version)]
    return [
        f"This dashboard does not know the {header.label} {value} yet. Register it all the same "
        "if claude.ai shows it, and try it once."
        for header, value in found
        if value and not HeaderVersion.objects.filter(header=header, value=value).exists()
    ]
