"""What the demo is made of."""

from __future__ import annotations

from dataclasses import dataclass

from routines.people.roles import Role
from routines.text_templates import Field


@dataclass(frozen=True)
class DemoPerson:
    """Called by the role: the demo makes up no names."""

    username: str
    role: Role
    may: str


@dataclass(frozen=True)
class DemoTemplate:
    name: str
    body: str
    fields: tuple[Field, ...]
    is_json: bool = False


@dataclass(frozen=True, eq=False)
class DemoRoutine:
    name: str
    routine_id: str
    purpose: str
    account: str
    tags: tuple[str, ...]
    templates: tuple[DemoTemplate, ...]
    past_values: tuple[tuple[str, dict[str, str]], ...]  # (template's name, what filled it in)

    def template(self, name: str) -> DemoTemplate:
        return next(template for template in self.templates if template.name == name)
