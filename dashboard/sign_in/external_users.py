"""People whose roles come from elsewhere: the identity provider, or the proxy in front.

It has the last word on the roles, at each sign-in, and leaves everything else alone.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from routines import audit, people
from routines.models import Person
from routines.people.roles import Role


@dataclass(frozen=True)
class Newcomer:
    username: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""


def add(newcomer: Newcomer, roles: Collection[Role], *, source: str) -> Person:
    """Somebody new, under a username that is still free: nobody takes over another's."""
    wanted = newcomer.username
    for number in range(2, 100):
        try:
            return add_exactly(newcomer, roles, source=source)
        except people.NameTaken:
            # Their provider calls two people the same: the username tells them apart.
            last_name = f"{newcomer.last_name[:90]} ({newcomer.username[:50]})".strip()
            newcomer = replace(newcomer, last_name=last_name)
        except people.Refused:  # taken
            newcomer = replace(newcomer, username=f"{wanted}-{number}")
    raise people.Refused("No username is free for this person.")


def add_exactly(newcomer: Newcomer, roles: Collection[Role], *, source: str) -> Person:
    """Raise people.Refused if the username is taken."""
    with audit.done_by(source):
        return people.add_person(
            username=newcomer.username,
            first_name=newcomer.first_name,
            last_name=newcomer.last_name,
            email=newcomer.email,
            roles=roles,
            by=None,
        )


def give_roles(person: Person, roles: Collection[Role] | None, *, source: str) -> Person:
    """The person with these roles, which may be another object than the one passed in.

    None: nothing is known of them, and they stay as they are.
    """
    if roles is None or set(people.roles_of(person)) == set(roles):
        return person
    with audit.done_by(source):
        # It could leave no admin: then that is what the company wants, and it can name another.
        return people.set_roles(person, roles, by=None, may_leave_no_admin=True)
