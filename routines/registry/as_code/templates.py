"""The templates of one routine: the file says which there are, with which text, in which order."""

from collections.abc import Iterator
from dataclasses import dataclass

from routines import registry, text_templates
from routines.models import Routine, TextTemplate
from routines.registry.as_code.document import Entry, Problem
from routines.text_templates import Field

_LAST = 32_767  # what the databases hold


@dataclass(frozen=True)
class _Content:
    """What a template is to be, or is."""

    body: str = ""
    is_json: bool = False
    fields: tuple[Field, ...] = ()


def template_problems(routine: Routine | None, entries: list[Entry]) -> Iterator[Problem]:
    """What keeps the fields of `entries` from going with their texts."""
    stored = _stored(routine)
    for entry in entries:
        wanted = _wanted(entry, stored.get(entry.values["name"]))
        for problem in text_templates.problems(wanted.fields, body=wanted.body):
            if "fields" in entry.values and problem.index < len(entry.values["fields"]):
                field = entry.values["fields"][problem.index]
                yield field.problem(problem.attribute, problem.sentence)
            else:
                yield entry.problem("body", problem.sentence)


def apply_templates(routine: Routine, entries: list[Entry]) -> list[str]:
    """Make the shared templates those of `entries`; what people keep for themselves stays."""
    stored = _stored(routine)
    wanted = {entry.values["name"] for entry in entries}
    done = []
    for name, template in stored.items():
        if name not in wanted:
            registry.delete_template(template, by=None)
            done.append(f"deleted the template “{name}”")
    orders = _orders([stored.get(entry.values["name"]) for entry in entries])
    for entry, order in zip(entries, orders, strict=True):
        name = entry.values["name"]
        kept = stored.get(name)
        content = _wanted(entry, kept)
        values = vars(content) | {"name": name, "order": order}
        if kept is None:
            registry.add_template(routine, **values, by=None)
            done.append(f"added the template “{name}”")
        elif content != _content(kept):
            registry.edit_template(kept, **values, by=None)
            done.append(f"changed the template “{name}”")
        elif kept.order != order:
            registry.edit_template(kept, **values, by=None)
            done.append(f"moved the template “{name}”")
    return done


def _stored(routine: Routine | None) -> dict[str, TextTemplate]:
    shared = routine.text_templates.shared() if routine else ()
    return {template.name: template for template in shared}


def _content(template: TextTemplate) -> _Content:
    fields = tuple(Field.from_stored(field) for field in template.fields)
    return _Content(template.body, template.is_json, fields)


def _wanted(entry: Entry, kept: TextTemplate | None) -> _Content:
    """What is written, and the rest as it is."""
    now = _content(kept) if kept else _Content()
    fields = now.fields
    if "fields" in entry.values:
        fields = tuple(Field.from_stored(field.values) for field in entry.values["fields"])
    values = entry.values
    return _Content(values.get("body", now.body), values.get("json", now.is_json), fields)


def _orders(templates: list[TextTemplate | None]) -> list[int]:
    """A place for each (None: a new one), changing as few of the stored ones as is needed."""
    orders: list[int] = []
    last = (-1, 0)  # order and primary key, by which templates are sorted
    for template in templates:
        if template is not None and (template.order, template.pk) > last:
            last = (template.order, template.pk)
        else:
            last = (last[0] + 1, 0)
        orders.append(last[0])
    return orders if not orders or orders[-1] <= _LAST else list(range(len(orders)))
