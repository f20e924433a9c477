"""Text templates that people keep for themselves: nobody else sees them, so nothing is traced."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction

from routines import text_templates
from routines.models import Person, Routine, TextTemplate
from routines.registry import snapshots
from routines.text_templates import Field
from routines.values.snapshots import Snapshot, check

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
    template: TextTemplate,
    *,
    name: str,
    body: str,
    fields: Sequence[Field],
    is_json: bool,
    seen: Snapshot | None = None,
) -> None:
    """Raise ValidationError, or ChangedMeanwhile if it is not any more what the page showed."""
    check(seen, snapshots.template(_locked(template)))
    _store(template, name, body, fields, is_json)


@transaction.atomic
def delete(template: TextTemplate, *, seen: Snapshot | None = None) -> None:
    """Raise ChangedMeanwhile as `edit` does."""
    stored = _locked(template)
    check(seen, snapshots.template(stored))
    stored.delete()


def _locked(template: TextTemplate) -> TextTemplate:
    return TextTemplate.objects.select_for_update(of=("self",)).get(pk=template.pk)


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
