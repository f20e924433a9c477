"""One template filled in by one person: the text, and what is still wrong, field by field."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from routines.text_templates.definitions import BUILT_IN, Field, ValueRefused, form_fields
from routines.text_templates.rendering import names_in, render

__all__ = ["BUILT_IN", "Filling", "built_in", "digest", "fill", "version_of"]


@dataclass(frozen=True)
class Filling:
    fields: tuple[Field, ...]
    text: str  # what is missing stands in it as {{ name }}
    values: dict[str, str]  # those that went in, the built-in ones too
    errors: dict[str, str]  # a sentence for each field that is not right yet

    @property
    def is_whole(self) -> bool:
        return not self.errors


def built_in(*, person: str, routine: str, at: datetime) -> dict[str, str]:
    """The values of the fields that nobody fills in. `at` is in the person's time zone."""
    return {
        "person": person,
        "routine": routine,
        "now": at.isoformat(sep=" ", timespec="minutes"),
        "today": at.date().isoformat(),
    }


def fill(
    body: str,
    stored: Sequence[Mapping[str, Any]],
    typed: Mapping[str, str],
    by_itself: Mapping[str, str],
    *,
    as_json: bool = False,
) -> Filling:
    """`stored`: the template's field definitions; `typed`: by the names of the fields."""
    fields = form_fields(body, stored)
    values = {name: by_itself[name] for name in names_in(body) if name in by_itself}
    shown, errors = dict(values), {}
    for field in fields:
        try:
            values[field.name] = shown[field.name] = field.clean(typed.get(field.name, ""))
        except ValueRefused as refused:
            errors[field.name] = str(refused)
            if refused.value:
                shown[field.name] = refused.value
    return Filling(fields, render(body, shown, as_json=as_json), values, errors)


def digest(text: str) -> str:
    """A short name for exactly this text."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]


def version_of(body: str, stored: Sequence[Mapping[str, Any]], *, as_json: bool) -> str:
    """A short name for exactly this template: another one means that it was changed."""
    return digest(json.dumps([body, list(stored), as_json], sort_keys=True))
