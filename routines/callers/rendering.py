"""A text template, filled in by a program: the text of a run, or what is wrong with the values."""

from collections.abc import Mapping
from dataclasses import replace

from routines import text_templates
from routines.callers import asking, offers
from routines.callers.asking import Wish
from routines.models import ApiKey, Routine, TextTemplate
from routines.values import texts
from routines.values.redaction import redact_tokens


class NoSuchTemplate(ValueError):
    """`str()` is a sentence for whoever wrote the caller."""


class ValuesRefused(ValueError):
    """`problems`: a sentence for each value that is missing, unknown or wrong, by its name."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("These values make no text.")
        self.problems = dict(problems)


def wish(
    api_key: ApiKey,
    routine: Routine,
    *,
    template: str,
    values: Mapping[str, str],
    why: str = "",
    idempotency_key: str = "",
) -> Wish:
    """What to ask for, so that the run's text is what these values make of the template.

    `template`: its name. Raise NoSuchTemplate or ValuesRefused.
    """
    asked = Wish(routine, "", idempotency_key, why, template=template, given=values)
    try:
        return _rendered(api_key, asked)
    except (NoSuchTemplate, ValuesRefused):
        if asking.was_asked(api_key, idempotency_key):
            # What was sent was, though the template has changed since.
            return replace(asked, makes_none=True)
        raise


def _rendered(api_key: ApiKey, asked: Wish) -> Wish:
    found = _named(api_key, asked.routine, asked.template)
    filling = found.fill(
        _typed(found, asked.given),
        caller=str(api_key.person or api_key),
        routine=asked.routine,
    )
    known = {field.name for field in filling.fields}
    problems = {name: _unknown(found, name) for name in asked.given if name not in known}
    problems |= filling.errors
    if problems:
        raise ValuesRefused(problems)
    if found.is_json:
        problem = text_templates.json_problem(filling.text)
        if problem is not None:  # nobody looks at it who could mean it so
            raise ValuesRefused({"": f"The text would be no valid JSON: {problem}."})
    return replace(asked, text=filling.text, template_version=found.version, values=filling.values)


def _named(api_key: ApiKey, routine: Routine, name: str) -> TextTemplate:
    named = offers.templates(api_key).filter(routine=routine, name=name)
    found = list(named) if "\0" not in name else []  # which PostgreSQL cannot even look for
    if len(found) == 1:
        return found[0]
    shown = redact_tokens(name)[:80]
    if found:
        raise NoSuchTemplate(
            f"Two templates are called “{shown}”: a shared one, and one of your own. Rename yours "
            "on the dashboard."
        )
    raise NoSuchTemplate(f"“{routine}” has no template called “{shown}” for this API key.")


def _typed(template: TextTemplate, values: Mapping[str, str]) -> dict[str, str]:
    """A field that is left out is as a form would open with it."""
    return {
        field.name: texts.normalise(values.get(field.name, field.default))
        for field in template.form_fields
    }


def _unknown(template: TextTemplate, name: str) -> str:
    built_in = text_templates.BUILT_IN.get(name)
    if built_in is not None:
        return f"“{name}” is filled in by itself ({built_in}). Take it out."
    return f"“{template}” has no field “{redact_tokens(name)[:40]}”. Take it out."
