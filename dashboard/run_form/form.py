"""The run form: the text that a run will send, and the fields of a template that make it.

The text in the form is what is sent. As long as nobody edits it by hand, it is rendered from the
fields; `rendered` says which text that was last and from which values, so that a press never sends
another text than the one that was last on the screen, but for one that was never whole until the
press.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Self

from django import forms

from dashboard.run_form import one_time_key
from dashboard.run_form.press import PressForm, Source
from dashboard.run_form.rendered import LastRendered
from routines import text_templates
from routines.models import Person, Routine, TextTemplate
from routines.text_templates import Field, Filling, JsonProblem
from routines.values import texts

Focus = Literal["field", "text", "question", "notes"]
PREFIX = "field-"  # of the inputs, so that a field may be called as anything else of the form


@dataclass(frozen=True)
class BoundTemplateField:
    """One field of the template as the form draws it."""

    field: Field
    value: str
    error: str

    @property
    def html_name(self) -> str:
        return PREFIX + self.field.name


class RunForm(PressForm):
    """The text that a run will send, and the template that makes it."""

    # Drawn under a hold alone. Asked for by the browser there: without it a press sends nothing.
    waits_out = forms.BooleanField(required=False)

    def __init__(
        self,
        *args: Any,
        person: Person,
        routine: Routine,
        template: TextTemplate | None = None,
        templates: list[TextTemplate] | None = None,
        values: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        """`templates`: all that this person may start from; None looks them up when needed.

        `template`: the one to start from, unless the form is bound: then its data names it.
        """
        self.template = template
        if templates is not None:
            self.templates = templates
        self.field_errors: dict[str, str] = {}
        super().__init__(*args, person=person, routine=routine, **kwargs)
        if self.is_bound:
            self.template = _chosen(self.templates, self.data.get("template", ""))
        self.typed = {
            field.name: self._typed(field, values or {}) for field in self.template_fields
        }

    @classmethod
    def blank(
        cls,
        person: Person,
        routine: Routine,
        *,
        template: TextTemplate | None = None,
        values: Mapping[str, str] | None = None,
        text: str | None = None,
    ) -> Self:
        """A form to be filled in, with a fresh key.

        `values`: of the template's fields; the built-in ones may be among them. `text`: instead
        of what they make; if they make another one, it counts as edited by hand.
        """
        form = cls(person=person, routine=routine, template=template, values=values)
        filling = form._fill(values if text is not None else None)
        key = one_time_key.issue(person, routine)
        form.initial = {"key": key, "text": text, "rendered": ""}
        if text is None or (filling is not None and filling.text == text):
            form._set_text(filling)
        return form

    @classmethod
    def preview(
        cls, data: Mapping[str, str], person: Person, routine: Routine, *, anew: bool
    ) -> Self:
        """What was posted, with its key, not judged yet: the fields make the text.

        Unless it was edited by hand; `anew`: even then.
        """
        template = _chosen(_usable(routine, person), data.get("template", ""))
        fields = _fields_of(template)
        values = {field.name: data.get(PREFIX + field.name, "") for field in fields}
        form = cls(person=person, routine=routine, template=template, values=values)
        form.initial = {name: data.get(name, "") for name in (*form.fields, "rendered")}
        if fields and (anew or not form.is_edited):
            form._set_text(form.filling)
        return form

    @cached_property
    def templates(self) -> list[TextTemplate]:
        """All that this person may start from."""
        return _usable(self.routine, self.person)

    # --- What is drawn ---

    @cached_property
    def template_fields(self) -> tuple[Field, ...]:
        return _fields_of(self.template)

    @property
    def bound_template_fields(self) -> list[BoundTemplateField]:
        return [
            BoundTemplateField(field, self.typed[field.name], self.field_errors.get(field.name, ""))
            for field in self.template_fields
        ]

    @property
    def focus(self) -> Focus:
        """Where the form is drawn with the focus: after a press, at what stopped it."""
        if any(self.field_errors.values()):
            return "field"
        if self["text"].errors:
            return "text"
        if self.is_bound:
            return "question" if self.focused_question else "notes"
        return "field" if self.template_fields else "text"

    @property
    def focused(self) -> BoundTemplateField | None:
        """The field that is wrong, or the first one."""
        fields = self.bound_template_fields
        return next((field for field in fields if field.error), next(iter(fields), None))

    @property
    def rendered(self) -> str:
        carrier = self.data if self.is_bound else self.initial
        return str(carrier.get("rendered", ""))

    @property
    def is_edited(self) -> bool:
        """True if the text is no longer the one that was rendered from the fields."""
        last = LastRendered.parse(self.rendered)
        return last is None or not last.has_text(self.shown_text)

    @property
    def missing(self) -> int:
        """How many fields still keep the text from being whole."""
        return 0 if self.is_edited or self.filling is None else len(self.filling.errors)

    @cached_property
    def filling(self) -> Filling | None:
        return self._fill()

    @property
    def text_problem(self) -> str:
        """A sentence if this text cannot be sent at all, be it too long or odd."""
        try:
            texts.check(self.shown_text)
        except texts.TextRefused as refused:
            return str(refused)
        return ""

    @property
    def json_problem(self) -> JsonProblem | None:
        if self.template is None or not self.template.is_json:
            return None
        return text_templates.json_problem(self.shown_text)

    @property
    def no_json_digest(self) -> str:
        return text_templates.digest(self.shown_text) if self.json_problem else ""

    # --- What a press or a preview does ---

    def show_field_errors(self) -> None:
        self.field_errors = self.filling.errors if self.filling else {}

    def clean(self) -> None:
        super().clean()
        if self.template is None and self.data.get("template"):
            self.add_error(
                None,
                "The text template of this form is gone. Nothing was sent. "
                "Check the text and press Run now once more.",
            )
        elif self.template_fields:
            self._clean_fields_of_template()
        self._clean_json()

    def _clean_fields_of_template(self) -> None:
        filling, last = self.filling, LastRendered.parse(self.rendered)
        if filling is None or last is None or self.is_edited:
            self._refuse(self._missing_in_the_text())
            return
        if not last.has_values(self.typed):
            self._set_text(filling)
            self.cleaned_data["text"] = filling.text
            if self.text_problem:
                self.add_error("text", self.text_problem)
            if last.is_whole and filling.is_whole:
                self.add_error(
                    None,
                    "The fields have changed, so the text was made anew. Nothing was sent. "
                    "Check the text and press Run now once more.",
                )
        self._refuse(filling.errors)

    def _missing_in_the_text(self) -> dict[str, str]:
        """Of a text edited by hand: the fields that nobody filled in and that still stand in it."""
        standing = set(text_templates.names_in(self.shown_text))
        return {
            field.name: f"{{{{ {field.name} }}}} still stands in the text. Fill it in there, or "
            "make the text from the fields again."
            for field in self.template_fields
            if field.required and field.name in standing and not self.typed[field.name].strip()
        }

    def _refuse(self, errors: Mapping[str, str]) -> None:
        self.field_errors = dict(errors)
        if errors:
            self.add_error(None, "Nothing was sent yet: please look at the marked fields.")

    def _clean_json(self) -> None:
        """What the page has said to be no JSON may be sent all the same: it is then meant so."""
        problem = self.json_problem
        if problem and not self.errors and self.data.get("seen_as_no_json") != self.no_json_digest:
            self.add_error(
                "text",
                f"This is no valid JSON: {problem}. Nothing was sent. "
                "Mend it, or press Run now once more to send it as it is.",
            )

    # --- What firing wants to know ---

    @property
    def is_to_wait_out(self) -> bool:
        return bool(self.cleaned_data["waits_out"])

    @property
    def source(self) -> Source:
        template = self.template
        return {
            "template_name": template.name if template else "",
            "template_version": template.version if template else "",
            "field_values": self._field_values,
        }

    @property
    def _field_values(self) -> dict[str, str]:
        values = self.filling.values if self.filling else {}
        # Of a text edited by hand they may be anything: kept only if they are no book of their own.
        return values if sum(map(len, values.values())) <= texts.MAX_CHARACTERS else {}

    # --- Within ---

    def _typed(self, field: Field, values: Mapping[str, str]) -> str:
        if self.is_bound:
            return texts.normalise(self.data.get(PREFIX + field.name, ""))
        return texts.normalise(values.get(field.name, field.default))

    def _fill(self, built_in: Mapping[str, str] | None = None) -> Filling | None:
        if self.template is None:
            return None
        return self.template.fill(
            self.typed, caller=str(self.person), routine=self.routine, built_in=built_in
        )

    def _set_text(self, filling: Filling | None) -> None:
        """Make this the text of the form."""
        text = filling.text if filling else ""
        last = LastRendered.of(filling, self.typed) if filling and self.template_fields else ""
        if self.is_bound:
            self.replace_data(text=text, rendered=str(last))
        else:
            self.initial = {**self.initial, "text": text, "rendered": str(last)}


def _usable(routine: Routine, person: Person) -> list[TextTemplate]:
    return list(TextTemplate.objects.filter(routine=routine).usable_by(person))


def _fields_of(template: TextTemplate | None) -> tuple[Field, ...]:
    return () if template is None else template.form_fields


def _chosen(templates: Iterable[TextTemplate], pk: str) -> TextTemplate | None:
    return next((template for template in templates if str(template.pk) == pk), None)
