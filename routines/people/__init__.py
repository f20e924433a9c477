"""People, the groups that admins make, and the roles that decide who may do what."""

from routines.people.people import (
    Refused,
    add_person,
    choose_password,
    deactivate,
    edit,
    give_password,
    groups_of,
    initial_password,
    lock_memberships,
    names,
    reactivate,
    roles_of,
    set_roles,
    snapshot,
    snapshot_of_sign_in,
)

__all__ = [
    "Refused",
    "add_person",
    "choose_password",
    "deactivate",
    "edit",
    "give_password",
    "groups_of",
    "initial_password",
    "lock_memberships",
    "names",
    "reactivate",
    "roles_of",
    "set_roles",
    "snapshot",
    "snapshot_of_sign_in",
]
