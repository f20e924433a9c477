"""People, the groups that admins make, and the roles that decide who may do what."""

from routines.people.people import (
    NameTaken,
    Refused,
    add_person,
    check_username_is_free,
    choose_password,
    deactivate,
    edit,
    give_password,
    groups_of,
    initial_password,
    names,
    reactivate,
    roles_of,
    set_roles,
)

__all__ = [
    "NameTaken",
    "Refused",
    "add_person",
    "check_username_is_free",
    "choose_password",
    "deactivate",
    "edit",
    "give_password",
    "groups_of",
    "initial_password",
    "names",
    "reactivate",
    "roles_of",
    "set_roles",
]
