from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from dashboard.forms.tokens import NoTokenInClear
from routines import text_templates
from routines.board import own_templates
from routines.models import Person, Routine, TextTemplate
from routines.models.columns import max_length
from routines.text_templates import Field
from routines.values import texts


class SaveForm(NoTokenInClear, forms.Form):
    """The text of a run form, to be kept as a template of one's own."""

    own_name = forms.CharField(
        max_length=max_length(TextTemplate, "name"),
        error_messages={"required": "Give your template a name."},
    )
    text = forms.CharField(required=False, strip=False)

    def __init__(self, *args: Any, person: Person, routine: Routine, **kwargs: Any) -> None:
        self._person, self._routine = person, routine
        super().__init__(*args, **kwargs)

    def clean_own_name(self) -> str:
        name: str = self.cleaned_data["own_name"]
        if self._routine.text_templates.filter(owner=self._person, name=name).exists():
            raise ValidationError("You have a template of that name. Choose another.")
        return name

    def clean_text(self) -> str:
        text = texts.normalise(self.cleaned_data["text"])
        try:
            texts.check(text)
        except texts.TextRefused as refused:
            raise ValidationError(str(refused)) from None
        return text

    def save(self, made_from: TextTemplate | None) -> bool:
        """False: it is not saved, and `errors` says why.

        Fields that still stand in the text are asked for as in the template that it came from.
        """
        body = self.cleaned_data["text"]
        if made_from is not None:
            body = text_templates.keep_literal(body, made_from.body)
        stored = made_from.fields if made_from else []
        standing = text_templates.names_in(body)
        try:
            own_templates.add(
                self._routine,
                name=self.cleaned_data["own_name"],
                body=body,
                fields=[Field.from_stored(one) for one in stored if one["name"] in standing],
                is_json=made_from is not None and made_from.is_json,
                owner=self._person,
            )
        except own_templates.TooMany as many:
            self.add_error(None, str(many))
        except ValidationError as error:
            self.add_error(None, " ".join(error.messages))
        return not self.errors
