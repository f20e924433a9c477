"""The registry: routines, their accounts, tags and header versions; pasting; routines as code."""

from routines.registry.routines import (
    GroupGone,
    add_template,
    delete_template,
    edit,
    edit_template,
    lift_hold,
    register,
    set_account,
    set_archived,
    set_enabled,
    set_rules,
    set_slug,
)
from routines.registry.slugs import free_slug
from routines.registry.snapshots import EDITABLE

__all__ = [
    "EDITABLE",
    "GroupGone",
    "add_template",
    "delete_template",
    "edit",
    "edit_template",
    "free_slug",
    "lift_hold",
    "register",
    "set_account",
    "set_archived",
    "set_enabled",
    "set_rules",
    "set_slug",
]
