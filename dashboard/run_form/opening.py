"""What a run form opens with: from a link, from an earlier run, or from this person's memory.

Opening never fires. Whatever a link names and the form does not know is said, never dropped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.urls import reverse

from dashboard.run_form.form import RunForm
from routines.board.memory import Memory
from routines.models import Run, TextTemplate
from routines.text_templates import Field, ValueRefused

LONGEST_LINK = 4_000  # what the web server and every chat program still take


@dataclass
class Opening:
    template: TextTemplate | None
    values: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None  # None: what the template makes of the values
    notes: list[str] = field(default_factory=list)
    # A draft of this person replaces what is only a starting point, and is else offered.
    is_asked_for: bool = False
    remembered: bool = False

    @property
    def fields(self) -> tuple[Field, ...]:
        return () if self.template is None else self.template.form_fields


def opening(
    query: Mapping[str, str],
    templates: Sequence[TextTemplate],
    memory: Memory,
    earlier: Run | None,
) -> Opening:
    if earlier is not None and not earlier.is_shortened:
        return _of_run(earlier, templates)
    opening = Opening(_template_to_start_from(templates, memory))
    if earlier is not None:
        opening.notes.append(
            f"The text of run {earlier.pk} has been shortened since, so it cannot be run again. "
            "This is the text of the template."
        )
    _choose_template(opening, query.get("template", ""), templates)
    named = {
        name: value for name, value in query.items() if name not in ("template", "again", "fresh")
    }
    if named:
        _fill_from_link(opening, named)
    elif "fresh" not in query:
        names = {one.name for one in opening.fields}
        opening.values = {
            name: value for name, value in memory.field_values.items() if name in names
        }
        opening.remembered = any(
            opening.values.get(one.name, one.default) != one.default for one in opening.fields
        )
    return opening


def link_to(form: RunForm) -> str:
    """The query of a link that opens this form as it is filled in; empty where it is too long."""
    if form.template is None:
        return ""
    defaults = {one.name: one.default for one in form.template_fields}
    values = {name: value for name, value in form.typed.items() if value or value != defaults[name]}
    query = urlencode({"template": form.template.name} | values)
    link = f"{reverse('run', args=[form.routine.slug])}?{query}"
    return link if len(link) <= LONGEST_LINK else ""


def _of_run(run: Run, templates: Sequence[TextTemplate]) -> Opening:
    template = _named(run.template_name, templates)
    opening = Opening(template, run.field_values, run.text, is_asked_for=True)
    if run.template_name and template is None:
        opening.notes.append(
            f"Its template “{run.template_name}” is not here any more. "
            "This is the text that was sent."
        )
    elif template and run.template_version and run.template_version != template.version:
        opening.notes.append(
            f"The template “{template}” has changed since that run. This is the text that was sent."
        )
    return opening


def _template_to_start_from(
    templates: Sequence[TextTemplate], memory: Memory
) -> TextTemplate | None:
    first = templates[0] if templates else None
    return _named(memory.template_name, templates) or first


def _choose_template(opening: Opening, chosen: str, templates: Sequence[TextTemplate]) -> None:
    if chosen == "none":
        opening.template = None
    elif chosen:
        by_key = next((one for one in templates if str(one.pk) == chosen), None)
        found = by_key or _named(chosen, templates)
        if found is not None:
            opening.template = found
        else:
            shown = "the first one" if templates else "none"
            opening.notes.append(
                f"This link names the template “{chosen[:80]}”, which is not here. "
                f"Shown is {opening.template or shown}."
            )


def _fill_from_link(opening: Opening, named: Mapping[str, str]) -> None:
    """Whoever follows a link gets what it says: nothing remembered comes between."""
    opening.is_asked_for = True
    opening.text = named.get("text")
    fields = {one.name: one for one in opening.fields}
    opening.values = {name: value for name, value in named.items() if name in fields}
    unknown = [name for name in named if name not in fields and name != "text"]
    if unknown:
        what = f"the template “{opening.template}”" if opening.template else "this form"
        listed = ", ".join(f"“{name[:40]}”" for name in unknown[:10])
        more = f" and {len(unknown) - 10} more" if len(unknown) > 10 else ""
        opening.notes.append(
            f"This link also names {listed}{more}, and {what} has no such field. That was left out."
        )
    for name, value in opening.values.items():
        try:
            fields[name].clean(value)
        except ValueRefused as refused:
            opening.notes.append(f"“{fields[name].title}” as this link has it: {refused}")


def _named(name: str, templates: Sequence[TextTemplate]) -> TextTemplate | None:
    return next((one for one in templates if name and one.name == name), None)
