"""How each field of a template is asked for: what may be defined, kept as plain data."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Self

from routines.text_templates import patterns
from routines.text_templates.rendering import LONGEST_NAME, NAME, RESERVED, names_in
from routines.values import texts

BUILT_IN = {
    "person": "who runs it",
    "now": "date and time",
    "today": "the date",
    "routine": "the routine's name",
}

MOST_FIELDS = 30  # a form that is longer than this is no quick one any more
LONGEST_LABEL = 80
LONGEST_HELP = 200
LONGEST_DEFAULT = 4_000
MOST_CHOICES = 50
LONGEST_CHOICE = 200


class Kind(StrEnum):
    LINE = "line"
    LINES = "lines"
    CHOICE = "choice"


class ValueRefused(ValueError):
    """`str()` is a sentence for who filled the field in. Empty `value`: nothing is there."""

    def __init__(self, sentence: str, value: str = "") -> None:
        super().__init__(sentence)
        self.value = value


@dataclass(frozen=True)
class Problem:
    """What is wrong with the definition at `index`, in which attribute of it."""

    index: int
    attribute: str
    sentence: str


@dataclass(frozen=True)
class Field:
    name: str
    label: str = ""
    help: str = ""
    default: str = ""
    required: bool = True
    kind: str = Kind.LINE
    choices: tuple[str, ...] = ()
    pattern: str = ""

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> Self:
        known = {one.name for one in fields(cls)}
        values = {name: value for name, value in stored.items() if name in known}
        return cls(**values | {"choices": tuple(values.get("choices", ()))})

    def to_stored(self) -> dict[str, Any]:
        """As JSON keeps it: what is as always is left out."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        usual = {one.name: one.default for one in fields(self)}
        kept = {name: value for name, value in values.items() if value != usual[name]}
        return kept | {"choices": list(self.choices)} if self.choices else kept

    @property
    def title(self) -> str:
        return self.label or self.name.replace("_", " ").capitalize()

    def clean(self, typed: str) -> str:
        """The value to put in. Raise ValueRefused."""
        value = texts.normalise(typed)
        if self.kind == Kind.LINE:
            value = value.strip()
        if not value.strip():
            if self.required:
                raise ValueRefused(f"Fill in “{self.title}”.")
            return ""
        try:
            texts.check(value)
        except texts.TextRefused as refused:
            raise ValueRefused(str(refused), value) from None
        if self.kind == Kind.LINE and "\n" in value:
            raise ValueRefused("This has to be one line.", value)
        if self.kind == Kind.CHOICE and value not in self.choices:
            raise ValueRefused(f"Choose one of these: {', '.join(self.choices)}.", value)
        if self.pattern and not patterns.matches(self.pattern, value):
            hint = self.help or f"It has to match {self.pattern}"
            raise ValueRefused(f"This does not have the right form. {hint}", value)
        return value


def form_fields(body: str, stored: Sequence[Mapping[str, Any]]) -> tuple[Field, ...]:
    """The fields of `body` that a person fills in; one without a definition gets a plain one."""
    names = [name for name in names_in(body) if name not in BUILT_IN]
    defined = [Field.from_stored(one) for one in stored]
    in_use = tuple(field for field in defined if field.name in names)
    with_definition = {field.name for field in in_use}
    return in_use + tuple(Field(name) for name in names if name not in with_definition)


def problems(defined: Sequence[Field], *, body: str) -> list[Problem]:
    """All that keeps these definitions from being stored with `body`."""
    found = [
        Problem(index, attribute, sentence)
        for index, field in enumerate(defined)
        for attribute, sentence in _problems_of(field, body)
    ]
    times = Counter(field.name for field in defined)
    seen: set[str] = set()
    for index, field in enumerate(defined):
        if field.name in seen:
            sentence = f"“{field.name}” is defined {times[field.name]} times. Keep one."
            found.append(Problem(index, "name", sentence))
        seen.add(field.name)
    # Those that the body makes without a definition count too: they are on the form as well.
    if len(defined) > MOST_FIELDS or len(form_fields(body, ())) > MOST_FIELDS:
        found.append(Problem(0, "name", f"A template has at most {MOST_FIELDS} fields."))
    return found


def _problems_of(field: Field, body: str) -> Iterator[tuple[str, str]]:
    yield from _problems_of_the_name(field.name, body)
    longest = {"label": LONGEST_LABEL, "help": LONGEST_HELP, "default": LONGEST_DEFAULT}
    for attribute, most in longest.items():
        value = getattr(field, attribute)
        if len(value) > most:
            yield attribute, f"This is too long: {len(value):,} of at most {most:,} characters."
        elif _cannot_be_kept(value):
            yield attribute, "This holds a character that cannot be stored. Take it out."
    if field.kind not in list(Kind):
        yield "kind", f"Write one of these: {', '.join(Kind)}."
    yield from _problems_of_the_choices(field)
    if not field.pattern:
        pass
    elif field.kind == Kind.CHOICE:
        yield "pattern", "A list of choices needs no pattern. Take it out."
    else:
        try:
            patterns.check(field.pattern)
        except patterns.PatternRefused as refused:
            yield "pattern", str(refused)
            return
    if field.default and field.kind in list(Kind):
        try:
            field.clean(field.default)
        except ValueRefused as refused:
            yield "default", f"Nobody could send this: {str(refused)[0].lower()}{str(refused)[1:]}"


def _problems_of_the_name(name: str, body: str) -> Iterator[tuple[str, str]]:
    if not NAME.fullmatch(name):
        yield (
            "name",
            "A name has letters, digits and _, begins with a letter, "
            f"and has at most {LONGEST_NAME} characters.",
        )
    elif name in BUILT_IN:
        yield "name", f"“{name}” is filled in by itself ({BUILT_IN[name]}). Take this field out."
    elif name in RESERVED:
        yield "name", f"“{name}” means something else here. Choose another name."
    elif name not in names_in(body):
        yield (
            "name",
            f"“{name}” stands nowhere in the text. "
            f"Write {{{{ {name} }}}} where it belongs, or take this field out.",
        )


def _problems_of_the_choices(field: Field) -> Iterator[tuple[str, str]]:
    if field.kind != Kind.CHOICE:
        if field.choices:
            yield "choices", "Choices belong to a list of choices. Take them out."
    elif not field.choices:
        yield "choices", "Write the choices, one a line."
    elif len(field.choices) > MOST_CHOICES:
        yield "choices", f"A list has at most {MOST_CHOICES} choices."
    elif len(set(field.choices)) < len(field.choices):
        yield "choices", "A choice stands here twice. Keep one."
    for choice in field.choices:
        if len(choice) > LONGEST_CHOICE or "\n" in choice or _cannot_be_kept(choice):
            yield "choices", f"A choice is one line of at most {LONGEST_CHOICE} characters."
            return


def _cannot_be_kept(value: str) -> bool:
    try:
        texts.check(value)
    except texts.TextRefused:
        return True
    return False
