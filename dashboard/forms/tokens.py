"""Fields and forms that tokens go into. None of them ever draws a token back into a page.

A form that cannot be saved yet carries what was pasted to its next try as ciphertext that only
the same form of the same person opens, and only for a while (tokens.encrypt_for_form).
"""

from copy import copy
from typing import Any, cast

from django import forms
from django.conf import settings

from routines.models import Person, Routine
from routines.models.header_versions import Header
from routines.registry.paste import pasted
from routines.registry.paste.pasted import Pasted
from routines.tokens import rotation
from routines.tokens.rotation import TokenChanged
from routines.values import api_keys, tokens
from routines.values.tokens import Token

_LONGEST_PASTE = 50_000  # characters; a token has some hundred


class TokenField(forms.CharField):
    """A pasted token, cleaned to a tokens.Token: alone, or in the command that claude.ai shows.

    What else stands in such a command is `understood`.
    """

    understood = Pasted()

    def __init__(self, **kwargs: Any) -> None:
        attrs = {
            "autocomplete": "off",
            "spellcheck": "false",
            "placeholder": tokens.PREFIX + "…",
            "data-takes-lines": True,  # static/paste.js
        }
        widget = forms.PasswordInput(attrs=attrs, render_value=False)
        # Parsed here, not stripped by Django: a NUL or a line break gets its own sentence.
        super().__init__(widget=widget, strip=False, **kwargs)
        self.validators = []
        self.error_messages["required"] = (
            "Paste the token that claude.ai showed when it was generated."
        )

    def to_python(self, value: Any) -> Any:
        if not value or not str(value).strip():
            return None
        if len(str(value)) > _LONGEST_PASTE:
            raise forms.ValidationError(
                f"This is far too long ({len(str(value)):,} characters): nothing of it was read. "
                "Paste the token, or the command that claude.ai shows, and nothing else."
            )
        if api_keys.contains_key(str(value)):
            raise forms.ValidationError(
                "An API key of this dashboard stands here: it opens nothing at claude.ai. Paste "
                "the token that claude.ai showed when it was generated."
            )
        try:
            self.understood = pasted.read_token(
                str(value), api_base_url=settings.CLAUDE_API_BASE_URL
            )
        except (tokens.TokenRefused, pasted.PasteRefused) as refused:
            raise forms.ValidationError(str(refused)) from None
        return self.understood.token


class NoTokenInClear(forms.BaseForm):
    """Refuses tokens in any other field: these are stored, shown and traced in clear."""

    def full_clean(self) -> None:
        super().full_clean()
        if not self.is_bound:
            return
        for name in self.fields:
            problem = self._problem_with(name)
            if problem:
                self.cleaned_data.pop(name, None)
                self._errors[name] = self.error_class([problem])  # type: ignore[attr-defined]
                self._type_over(name, "")

    def _problem_with(self, name: str) -> str:
        """A sentence if the field is shown and holds a secret."""
        typed = str(self.data.get(self.add_prefix(name), ""))
        if isinstance(self.fields[name], TokenField):
            return ""
        if tokens.contains_token(typed):
            return "A token stands here, where everybody would see it. It was not saved."
        if api_keys.contains_key(typed):
            return "An API key stands here, where everybody would see it. It was not saved."
        return ""

    def _type_over(self, name: str, value: str) -> None:
        typed: Any = copy(self.data)  # a QueryDict's copy can be written to
        typed[self.add_prefix(name)] = value
        self.data = typed


class CarriesToken(NoTokenInClear, forms.Form):
    """A form with a token, which a refused try does not lose."""

    token = TokenField(label="Token")
    carried = forms.CharField(
        required=False, widget=forms.HiddenInput(attrs={"autocomplete": "off"})
    )
    # The routines that the page has named as storing this very token.
    aware_of = forms.CharField(
        required=False, widget=forms.HiddenInput(attrs={"autocomplete": "off"})
    )

    form_name = ""  # what a carried token is bound to, beside the person
    token_is_required = True

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        self._person = person
        self.same_token: list[Routine] = []
        super().__init__(*args, **kwargs)
        self._token_may_be_empty(bool(self.data.get("carried")))

    def clean(self) -> dict[str, Any]:
        super().clean()
        self._refuse_a_token_of_another_routine()
        if "token" not in self.errors:
            self.cleaned_data["token"] = self._typed_or_carried()
        token = self.cleaned_data.get("token")
        if token is not None:
            self._ask_about_the_same_token(token)
        return self.cleaned_data

    def carry(self, token: Token | None = None) -> None:
        """Draw this form with its token at hand; without `token`, the one that was pasted."""
        token = token or (self.cleaned_data.get("token") if self.is_bound else None)
        encrypted = ""
        if token is not None:
            encrypted = tokens.encrypt_for_form(token, form=self._bound_to)
            self["token"].help_text = (
                f"The one that you pasted, which ends in {token.last_four}, is kept for "
                f"{int(tokens.FORM_LIFETIME.total_seconds() // 60)} minutes: "
                "leave this empty to use it."
            )
        self._token_may_be_empty(bool(encrypted))
        self.initial["carried"] = encrypted
        self.initial["aware_of"] = aware_of = " ".join(str(one.pk) for one in self.same_token)
        if self.is_bound:
            self._type_over("carried", encrypted)
            self._type_over("aware_of", aware_of)

    def look_for_the_same_token(self, token: Token) -> None:
        self.same_token = rotation.routines_with(token, besides=self._routine())

    @property
    def understood(self) -> Pasted:
        """What stood in the token's field."""
        return cast(TokenField, self.fields["token"]).understood

    def _refuse_a_token_of_another_routine(self) -> None:
        """The old token is dead by now: say where this one belongs, or how it is taken here."""
        found, this = self.understood, self._routine_id()
        if "token" in self.errors or not this:
            return
        if found.routine_id and found.routine_id != this:
            other = Routine.objects.filter(routine_id=found.routine_id).first()
            whose = f"“{other.name}”" if other else "another routine than this one"
            self.add_error(
                "token",
                f"This command is for {whose}: its routine ID is not {this}. Nothing was saved. "
                "Paste the token of this routine.",
            )
        elif found.id_problem:
            self.add_error(
                "token",
                f"{found.id_problem} So nobody can tell whether this is the token of this "
                "routine. Nothing was saved. If it is, paste the token alone.",
            )

    def _routine_id(self) -> str:
        """Whose token it is to be; empty as long as that is not known."""
        return ""

    def _token_may_be_empty(self, at_hand: bool) -> None:
        self.fields["token"].required = self.token_is_required and not at_hand

    def _typed_or_carried(self) -> Token | None:
        typed: Token | None = self.cleaned_data.get("token")
        carried = self.cleaned_data.get("carried")
        if typed is not None or not carried:
            return typed
        try:
            return tokens.decrypt_from_form(carried, form=self._bound_to)
        except tokens.FormTokenLost:
            self.add_error(
                "token",
                "The token that you pasted before is not at hand any more. Paste it again.",
            )
            return None

    def _ask_about_the_same_token(self, token: Token) -> None:
        self.look_for_the_same_token(token)
        known = set(self.cleaned_data.get("aware_of", "").split())
        if any(str(routine.pk) not in known for routine in self.same_token):
            self.add_error(None, "Another routine stores this very token, see below.")

    def _routine(self) -> Routine | None:
        """The routine whose own token does not count as another's."""
        return None

    @property
    def _bound_to(self) -> str:
        return f"{self.form_name} of {self._person.pk}"


class TokenForm(CarriesToken):
    """The new token of a routine, and which one the page showed as stored."""

    token = TokenField(
        label="New token",
        help_text="The token, or the whole command that claude.ai shows once, when the token is "
        "generated. It is never shown here.",
    )
    token_version = forms.IntegerField(widget=forms.HiddenInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: Any, routine: Routine, **kwargs: Any) -> None:
        self.routine = routine
        self.form_name = f"token form for {routine.pk}"
        super().__init__(*args, **kwargs)
        self.initial["token_version"] = routine.token_version
        self.fields["token"].widget.attrs["autofocus"] = True

    def tell_change(self, changed: TokenChanged) -> None:
        """Somebody else was faster: pressing again is then meant for the token that is now."""
        self.add_error(None, "The token has changed since you opened this page, see below.")
        self._type_over("token_version", str(changed.routine.token_version))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if "token_version" in self.errors:
            self.add_error(None, "This form was not whole. Nothing was saved: press Save again.")
            self._type_over("token_version", str(self.routine.token_version))
        return cleaned

    @property
    def versions_left_alone(self) -> list[str]:
        """A sentence for each version of the pasted command that this routine does not send."""
        found, routine = self.understood, self.routine
        pairs = [
            (Header.BETA, found.beta_version, routine.beta_version),
            (Header.API, found.api_version, routine.api_version),
        ]
        return [
            f"The command names the {header.label} {pasted_version}. This routine still sends "
            f"{stored or 'none'}: that was not changed."
            for header, pasted_version, stored in pairs
            if pasted_version and pasted_version != stored
        ]

    def _routine(self) -> Routine:
        return self.routine

    def _routine_id(self) -> str:
        return self.routine.routine_id


class RemoveTokenForm(forms.Form):
    """Which token is to be removed: the one that the page showed."""

    token_version = forms.IntegerField(
        error_messages={
            "required": "This form was not whole. Nothing was changed: press the button again."
        }
    )
