"""Text templates that people keep for themselves: nobody else sees them, so nothing is traced."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction

from routines import text_templates
from routines.models import Person, Routine, TextTemplate
from routines.text_templates import Field

MOST = 50  # of one person for one routine: a choice that is longer helps nobody


class TooMany(ValueError):
    """`str()` is a sentence for the person."""


@transaction.atomic
def add(
    routine: Routine,
    *,
    name: str,
    body: str,
    fields: Sequence[Field] = (),
    is_json: bool = False,
    owner: Person,
) -> TextTemplate:
    """Raise TooMany, or ValidationError as for a name that this person has given already."""
    if TextTemplate.objects.filter(routine=routine, owner=owner).count() >= MOST:
        raise TooMany(f"You have {MOST} templates of this routine. Delete one first.")
    template = TextTemplate(routine=routine, owner=owner)
    _store(template, name, body, fields, is_json)
    return template


@transaction.atomic
def edit(
    template: TextTemplate, *, name: str, body: str, fields: Sequence[Field], is_json: bool
) -> None:
    """Raise ValidationError."""
    _store(template, name, body, fields, is_json)


def _store(
    template: TextTemplate, name: str, body: str, fields: Sequence[Field], is_json: bool
) -> None:
    found = text_templates.problems(fields, body=body)
    if found:
        raise ValidationError([problem.sentence for problem in found])
    template.name, template.body, template.is_json = name, body, is_json
    template.fields = [field.to_stored() for field in fields]
    template.full_clean()
    template.save()
