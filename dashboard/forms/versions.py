"""Forms about header versions: choosing one for a routine, adding one, moving routines, trying."""

from typing import Any

from django import forms
from django.utils.text import capfirst

from dashboard.forms.version_links import written
from routines.models import Header
from routines.registry import header_versions
from routines.registry.header_versions import Known, Standing

DO_NOT_SEND = "do not send"
_MARKS = {
    Standing.REFUSED: " (refused by the endpoint)",
    Standing.OLD: " (older than the two before the newest)",
    Standing.UNKNOWN: " (not among the known versions)",
}


class _DrawnWith(forms.HiddenInput):
    """The version that a form was drawn with; draws nothing that could be no version."""

    def format_value(self, value: Any) -> str:
        return value if value and header_versions.is_sendable(value) else ""


class VersionField(forms.ChoiceField):
    """One of the known versions of a header, or the one that the form was drawn with anyhow."""

    hidden_widget = _DrawnWith

    def __init__(self, header: Header, **kwargs: Any) -> None:
        self.header = header
        super().__init__(
            required=header != Header.BETA,
            error_messages={
                "invalid_choice": "This version is not known here yet. Add it under Header "
                "versions first, then choose it."
            },
            show_hidden_initial=True,  # see drawn_with
            **kwargs,
        )

    def offer(self, versions: Known, *others: str | None) -> None:
        """The known versions, and `others` as far as they can be sent."""
        values = [version.value for version in versions.of_header(self.header)]
        for other in others:
            if other and other not in values and header_versions.is_sendable(other):
                values.append(other)
        choices = [(value, _described(self.header, value, versions)) for value in values]
        if self.header == Header.BETA:
            choices.append(("", DO_NOT_SEND))
        self.choices = choices


def drawn_with(form: forms.BaseForm, name: str) -> str | None:
    """What the form showed in this field before anybody typed."""
    if form.is_bound:
        return form.data.get(form.add_initial_prefix(name))
    return form.initial.get(name)


def _described(header: Header, value: str, versions: Known) -> str:
    return value + _MARKS.get(versions.standing(header, value), "")


def _as_target(header: Header, value: str, versions: Known) -> str:
    is_new = versions.standing(header, value) == Standing.NEW
    return f"{value} (never accepted yet)" if is_new else _described(header, value, versions)


class AddVersionForm(forms.Form):
    """A version that Anthropic has announced; what of it can be added, the domain knows."""

    header = forms.ChoiceField(
        choices=[(header.value, f"{header.label} ({header.value})") for header in Header],
        label="Header",
    )
    value = forms.CharField(
        max_length=200,
        label="Version",
        help_text=f"As announced, like {header_versions.BETA_VERSION}.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    dated = forms.DateField(
        required=False,
        label="Dated",
        help_text="Only for a version that does not end in its date. YYYY-MM-DD.",
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )

    def clean_header(self) -> Header:
        return Header(self.cleaned_data["header"])


class TargetForm(forms.Form):
    """Which header is to be moved to which version: one choice, written `header:value`."""

    to = forms.ChoiceField(label="Move to")

    def __init__(self, *args: Any, versions: Known, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        groups = []
        for header in Header:
            choices = [
                (written(header, version.value), _as_target(header, version.value, versions))
                for version in versions.of_header(header)
            ]
            if header == Header.BETA:
                choices.append((written(header, ""), DO_NOT_SEND))
            groups.append((capfirst(header.label), choices))
        self.fields["to"].choices = groups  # type: ignore[attr-defined]

    def clean_to(self) -> tuple[Header, str]:
        header, _, value = self.cleaned_data["to"].partition(":")
        return Header(header), value


class MoveForm(TargetForm):
    """The routines to move, each with the version that the page showed: `primary key:version`."""

    routines = forms.Field(required=False, widget=forms.SelectMultiple)
    # How many are to be moved though nobody has tried the version: the button says the number.
    untried = forms.IntegerField(required=False, min_value=0, max_value=1_000_000)

    def clean_untried(self) -> int:
        return self.cleaned_data["untried"] or 0

    def clean_routines(self) -> dict[int, str]:
        seen = {}
        for chosen in self.cleaned_data["routines"] or []:
            pk, colon, version = chosen.partition(":")
            if not (colon and pk.isascii() and pk.isdigit() and len(pk) < 19):
                raise forms.ValidationError("This page cannot be read. Load it again.")
            seen[int(pk)] = version
        return seen
