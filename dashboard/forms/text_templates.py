"""The editor of a text template: its text, and how each of its fields is asked for."""

from collections.abc import Mapping
from typing import Any

from django import forms

from dashboard.forms.made_from import MadeFrom
from dashboard.forms.tokens import NoTokenInClear
from routines import text_templates
from routines.models import TextTemplate
from routines.registry import snapshots
from routines.text_templates import BUILT_IN, Field, Filling, Kind
from routines.values import texts

_MOST_ROWS = 2 * text_templates.MOST_FIELDS  # of a form that is not whole any more
_SPARE_ROWS = 1  # without scripts, saving brings the next one

_KINDS = [
    (Kind.LINE, "One line"),
    (Kind.LINES, "Several lines"),
    (Kind.CHOICE, "A list of choices"),
]


class TextTemplateForm(MadeFrom, NoTokenInClear, forms.ModelForm):
    body = forms.CharField(
        label="Text",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"spellcheck": "false", "rows": 12}),
        help_text="What the text starts from. {{ ticket }} makes a field that people fill in; "
        f"{', '.join(f'{{{{ {name} }}}}' for name in BUILT_IN)} are filled in by themselves. "
        'To send {{ user }} itself, write {{ "{{ user }}" }}.',
    )

    class Meta:
        model = TextTemplate
        fields = ["name", "body", "is_json", "order"]
        labels = {"is_json": "This text is JSON"}
        help_texts = {
            "order": "Smaller numbers come first; the first one is filled in.",
            "is_json": "Values are escaped for JSON strings, and the form says where the text is "
            "no valid JSON.",
        }

    def __init__(self, *args: Any, instance: TextTemplate, **kwargs: Any) -> None:
        if instance.pk:
            kwargs["made_from"] = snapshots.template(instance)
        super().__init__(*args, instance=instance, **kwargs)
        if self.instance.owner_id:
            del self.fields["order"]

    def clean_body(self) -> str:
        body = texts.normalise(self.cleaned_data["body"])
        try:
            texts.check(body)
        except texts.TextRefused as refused:
            raise forms.ValidationError(str(refused)) from None
        return body

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        # The constraint spans fields that are none of the form, so Django skips it.
        mine = TextTemplate.objects.filter(
            routine=self.instance.routine, owner=self.instance.owner_id
        )
        if mine.filter(name=cleaned.get("name")).exclude(pk=self.instance.pk).exists():
            whose = "You have" if self.instance.owner_id else "This routine has"
            self.add_error("name", f"{whose} a template of that name. Choose another.")
        return cleaned


class FieldForm(NoTokenInClear, forms.Form):
    """One field of a template. A row with nothing in it is none."""

    name = forms.CharField(
        required=False, help_text="As it stands in the text.", widget=forms.TextInput()
    )
    label = forms.CharField(required=False, help_text="What people read; empty: the name.")
    help = forms.CharField(required=False, label="Help")
    kind = forms.ChoiceField(choices=_KINDS, required=False, label="Asked for as")
    required = forms.BooleanField(required=False, initial=True, label="Has to be filled in")
    default = forms.CharField(
        required=False, strip=False, widget=forms.Textarea(attrs={"rows": 2, "class": "short"})
    )
    choices = forms.CharField(
        required=False,
        help_text="One a line, for a list of choices.",
        widget=forms.Textarea(attrs={"rows": 3, "class": "short"}),
    )
    pattern = forms.CharField(
        required=False,
        help_text="A regular expression that the whole value has to match, like SEN-[0-9]+",
        widget=forms.TextInput(attrs={"spellcheck": "false"}),
    )
    remove = forms.BooleanField(required=False, label="Take this field out")

    @classmethod
    def of(cls, field: Field, prefix: str) -> "FieldForm":
        initial = {name: getattr(field, name) for name in cls.base_fields if hasattr(field, name)}
        return cls(prefix=prefix, initial=initial | {"choices": "\n".join(field.choices)})

    def typed(self, name: str) -> str:
        return str(self.data.get(self.add_prefix(name)) or "").strip()

    @property
    def is_left_out(self) -> bool:
        filled = ("name", "label", "help", "default", "choices", "pattern")
        return bool(self.typed("remove")) or not any(map(self.typed, filled))

    @property
    def shown_name(self) -> str:
        return str(self["name"].value() or "")

    def field(self) -> Field:
        """What was typed, right or wrong."""
        return Field(
            name=self.typed("name"),
            label=self.typed("label"),
            help=self.typed("help"),
            default=texts.normalise(str(self.data.get(self.add_prefix("default")) or "")),
            required=bool(self.typed("required")),
            kind=self.typed("kind") or Kind.LINE,
            choices=tuple(
                choice.strip()
                for choice in texts.normalise(self.typed("choices")).split("\n")
                if choice.strip()
            ),
            pattern=self.typed("pattern"),
        )


class TemplateEditor:
    """Both forms as one: the template's, and one for each of its fields."""

    def __init__(self, data: Mapping[str, Any] | None, *, template: TextTemplate) -> None:
        self._stored = text_templates.form_fields(template.body, template.fields)
        self.is_bound = data is not None
        self.form = TextTemplateForm(data, instance=template)
        if data is None:
            self._rows = [FieldForm.of(field, _prefix(n)) for n, field in enumerate(self._stored)]
        else:
            numbers = (n for n in range(_MOST_ROWS) if f"{_prefix(n)}-name" in data)
            self._rows = [FieldForm(data, prefix=_prefix(n)) for n in numbers]
        # Looked at before the preview is: a token that was typed is taken out by that.
        for one in (self.form, *self._rows):
            one.full_clean()
        self._body: str = template.body if data is None else str(self.form.data.get("body", ""))

    @property
    def rows(self) -> list[FieldForm]:
        """Those that there are, then spare ones."""
        numbers = [int(str(row.prefix).rpartition("-")[2]) for row in self._rows]
        following = max(numbers, default=-1) + 1
        spare = [FieldForm(prefix=_prefix(following + n)) for n in range(_SPARE_ROWS)]
        return [*self._rows, *spare]

    @property
    def pattern_row(self) -> FieldForm:
        """What a script makes another row of."""
        return FieldForm(prefix=_prefix("NUMBER"))

    def is_valid(self) -> bool:
        kept = [row for row in self._rows if not row.is_left_out]
        fields = [row.field() for row in kept]
        # Every row is looked at, also after a wrong one.
        valid = sum(not one.is_valid() for one in (self.form, *kept)) == 0
        for problem in text_templates.problems(fields, body=texts.normalise(self._body)):
            if problem.index < len(kept):
                if problem.attribute not in kept[problem.index].errors:
                    kept[problem.index].add_error(problem.attribute, problem.sentence)
            else:
                self.form.add_error("body", problem.sentence)
            valid = False
        if not valid and not self.form.errors:
            self.form.add_error(None, "Not saved yet: please look at the marked fields.")
        return valid

    @property
    def values(self) -> dict[str, Any]:
        """What the domain stores."""
        fields = [row.field() for row in self._rows if not row.is_left_out]
        return self.form.cleaned_data | {"fields": fields}

    # --- The preview ---

    @property
    def filling(self) -> Filling:
        """As somebody sees it who has filled nothing in yet."""
        fields = self._stored
        if self.is_bound:
            fields = tuple(row.field() for row in self._rows if not row.is_left_out)
        by_itself = {name: f"({what})" for name, what in BUILT_IN.items()}
        typed = {field.name: field.default for field in fields}
        stored = [field.to_stored() for field in fields]
        return text_templates.fill(
            texts.normalise(self._body), stored, typed, by_itself, as_json=self.is_json
        )

    @property
    def is_json(self) -> bool:
        return bool(self.form["is_json"].value())

    @property
    def json_problem(self) -> text_templates.JsonProblem | None:
        return text_templates.json_problem(self.filling.text) if self.is_json else None

    @property
    def odd_placeholders(self) -> list[str]:
        return text_templates.odd_placeholders(self._body)


def _prefix(number: object) -> str:
    return f"fields-{number}"
