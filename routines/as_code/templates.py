"""The templates of one routine: the file says which there are, with which text, in which order."""

from routines import registry
from routines.as_code.document import Entry
from routines.models import Routine, TextTemplate

_LAST = 32_767  # what the databases hold


def apply_templates(routine: Routine, entries: list[Entry]) -> list[str]:
    """Make the shared templates those of `entries`; what people keep for themselves stays."""
    stored = {template.name: template for template in routine.text_templates.filter(owner=None)}
    wanted = {entry.values["name"] for entry in entries}
    done = []
    for name, template in stored.items():
        if name not in wanted:
            registry.delete_template(template, by=None)
            done.append(f"deleted the template “{name}”")
    orders = _orders([stored.get(entry.values["name"]) for entry in entries])
    for entry, order in zip(entries, orders, strict=True):
        name, body = entry.values["name"], entry.values.get("body")
        kept = stored.get(name)
        if kept is None:
            registry.add_template(routine, name=name, body=body or "", order=order, by=None)
            done.append(f"added the template “{name}”")
            continue
        body = kept.body if body is None else body
        if (kept.body, kept.order) != (body, order):
            done.append(f"{'changed' if kept.body != body else 'moved'} the template “{name}”")
            registry.edit_template(kept, name=name, body=body, order=order, by=None)
    return done


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
