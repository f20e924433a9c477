"""What a key may fire, and the text that a routine's template makes of a caller's values."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from routines import text_templates
from routines.callers.asking import Wish
from routines.models import ApiKey, Routine, TextTemplate
from routines.models.routine import TextTemplateQuerySet
from routines.runs import limits


@dataclass(frozen=True)
class Offer:
    """`obstacle`: why it cannot be fired now."""

    routine: Routine
    templates: list[TextTemplate]
    obstacle: limits.Obstacle | None


class TemplateRefused(ValueError):
    """`str()` is a sentence for whoever wrote the caller; `problems`: one a field, by its name."""

    def __init__(self, sentence: str, problems: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.problems = dict(problems or {})


def offers(api_key: ApiKey, *, search: str = "") -> list[Offer]:
    """Of each routine that the key may fire, by name. `search`: words that all stand in it."""
    found = Routine.objects.fireable_with(api_key).current().select_related("account")
    for word in search.replace("\0", " ").split():
        found = found.filter(
            Q(name__icontains=word)
            | Q(slug__icontains=word)
            | Q(purpose__icontains=word)
            | Q(
                pk__in=Routine.tags.through.objects.filter(tag__name__iexact=word).values("routine")
            )
        )
    routines = list(found.order_by("name", "pk"))
    last_sent = limits.last_sent_of(routines)
    templates: dict[int, list[TextTemplate]] = {}
    for template in _usable(api_key).filter(routine__in=routines):
        templates.setdefault(template.routine_id, []).append(template)
    return [
        Offer(
            routine,
            templates.get(routine.pk, []),
            limits.obstacle(routine, last_sent.get(routine.pk)),
        )
        for routine in routines
    ]


def from_template(
    api_key: ApiKey,
    routine: Routine,
    name: str,
    values: Mapping[str, str],
    *,
    idempotency_key: str = "",
    why: str = "",
) -> Wish:
    """The wish for a run whose text this template makes; a field left out has its default.

    Raise TemplateRefused.
    """
    # Of a shared one and the person's own with the same name, the shared one: it came first.
    template = _usable(api_key).filter(routine=routine, name=name).first()
    if template is None:
        raise TemplateRefused(f"This routine has no template of the name “{name[:80]}”.")
    fields = text_templates.form_fields(template.body, template.fields)
    unknown = sorted(values.keys() - {field.name for field in fields})
    if unknown:
        problems = {one[:80]: "This template has no such field." for one in unknown[:10]}
        raise TemplateRefused("These values fit no field of the template.", problems)
    by_itself = text_templates.built_in(
        person=str(api_key.person or api_key), routine=routine.name, at=timezone.localtime()
    )
    typed = {field.name: values.get(field.name, field.default) for field in fields}
    filling = text_templates.fill(
        template.body, template.fields, typed, by_itself, as_json=template.is_json
    )
    if not filling.is_whole:
        raise TemplateRefused("These fields of the template are not right yet.", filling.errors)
    # Without what fills itself in: a repeated call is the same intent a minute later.
    given = {name: filling.values[name] for name in typed if name in filling.values}
    return Wish(
        routine,
        filling.text,
        idempotency_key,
        why=why,
        template=template.name,
        template_version=template.version,
        values=given,
    )


def _usable(api_key: ApiKey) -> TextTemplateQuerySet:
    """The shared templates, and of a personal key its person's own behind them."""
    if api_key.person is None:
        return TextTemplate.objects.shared()
    return TextTemplate.objects.usable_by(api_key.person)
