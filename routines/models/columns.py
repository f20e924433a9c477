"""What the columns hold, for whoever checks a value before it gets there."""

from typing import Any

from django.db import models


def column(model: type[models.Model], name: str) -> "models.Field[Any, Any]":
    found = model._meta.get_field(name)
    assert isinstance(found, models.Field)  # noqa: S101  # no reverse relation has a name here
    return found


def max_length(model: type[models.Model], name: str) -> int:
    """How many characters fit into the column."""
    length = column(model, name).max_length
    assert length is not None  # noqa: S101  # only columns of a limited length are asked for
    return length
