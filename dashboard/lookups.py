"""Who gets in where: one look-up a noun, which gives the object or the right HTTP error."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404

from dashboard.requests import SignedInRequest
from routines import board
from routines.models import (
    Account,
    ApiKey,
    ApiKeySecret,
    HeaderVersion,
    Person,
    Routine,
    Run,
    SavedView,
    TextTemplate,
    VersionMove,
)
from routines.people import groups
from routines.people.roles import Permission
from routines.runs import rules

Response = TypeVar("Response", bound=HttpResponseBase)

_LONGEST_NUMBER = 18  # digits, of a bigint
_FORM_FIELDS = ("slug", "name", "confirmation", "asks_why")

may_fire = permission_required(Permission.FIRE, raise_exception=True)
may_see_all_runs = permission_required(Permission.VIEW_ALL_RUNS, raise_exception=True)
may_manage_registry = permission_required(Permission.MANAGE_REGISTRY, raise_exception=True)
may_manage_people = permission_required(Permission.MANAGE_PEOPLE, raise_exception=True)
may_view_audit = permission_required(Permission.VIEW_AUDIT, raise_exception=True)


def needs_a_role(view: Callable[..., Response]) -> Callable[..., Response]:
    """Who has signed in and may do nothing yet gets no further than their own sign-in."""

    @wraps(view)
    def asking(request: SignedInRequest, *args: Any, **kwargs: Any) -> Response:
        if not request.user.rights:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return asking


def fireable_or_404(person: Person, slug: str) -> Routine:
    """Just enough of it to fill in its form."""
    fireable = Routine.objects.fireable_by(person).current().only(*_FORM_FIELDS)
    routine = fireable.filter(slug=slug).first()
    if routine is None:
        raise _not_fireable(slug)
    return routine


def pressed_or_404(person: Person, slug: str) -> tuple[Routine, list[TextTemplate]]:
    """Just enough of it to read a press, and the templates its form offers, in one query.

    Whom the routine is open to, firing asks under its lock.
    """
    rows = list(
        Routine.objects.current()
        .filter(slug=slug)
        .once_per_template(person)
        .only(*_FORM_FIELDS)
        .order_by()
    )
    if not rows:
        raise Http404("No such routine, or archived.")
    templates = [getattr(row, "text_template", None) for row in rows]
    return rows[0], [template for template in templates if template]


def card_or_404(person: Person, slug: str) -> board.Card:
    found = board.cards(person, slug=slug)
    if not found:
        raise _not_fireable(slug)
    return found[0]


def _not_fireable(slug: str) -> Exception:
    """People send each other links, so who may not run the routine is told who may."""
    routine = Routine.objects.current().filter(slug=slug).first()
    return rules.NotAllowed(routine) if routine else Http404("No such routine, or archived.")


def number(typed: str | None) -> int | None:
    """The number of a row that an address or a form names; None if it is none that a row can have.

    Python refuses to read thousands of digits, and a database a number that is too large for it.
    """
    if typed and typed.isascii() and typed.isdigit() and len(typed) <= _LONGEST_NUMBER:
        return int(typed)
    return None


def run_or_404(person: Person, pk: int) -> Run:
    """A run that this person may not see is not told from one that does not exist."""
    visible = Run.objects.visible_to(person).select_related("routine__account", "person", "api_key")
    return get_object_or_404(visible, pk=pk)


def routine_or_404(slug: str) -> Routine:
    return get_object_or_404(
        Routine.objects.select_related("account", "token_set_by", "created_by"), slug=slug
    )


def template_or_404(slug: str, pk: int) -> TextTemplate:
    """A shared one: what people keep for themselves is no admin's to see."""
    shared = TextTemplate.objects.shared().select_related("routine")
    return get_object_or_404(shared, pk=pk, routine__slug=slug)


def own_template_or_404(person: Person, slug: str, pk: int) -> TextTemplate:
    routine = fireable_or_404(person, slug)
    template = get_object_or_404(TextTemplate, pk=pk, routine=routine, owner=person)
    template.routine = routine
    return template


def version_or_404(pk: int) -> HeaderVersion:
    return get_object_or_404(HeaderVersion, pk=pk)


def move_or_404(pk: int) -> VersionMove:
    return get_object_or_404(VersionMove, pk=pk)


def person_or_404(pk: int) -> Person:
    return get_object_or_404(Person.objects.prefetch_related("groups"), pk=pk)


def group_or_404(pk: int) -> Group:
    """One that admins made; the roles are fixed."""
    return get_object_or_404(groups.own_groups(), pk=pk)


def account_or_404(pk: int) -> Account:
    return get_object_or_404(Account, pk=pk)


def api_key_or_404(person: Person, pk: int) -> ApiKey:
    """One's own, or for admins any. What they may do with it, routines/callers/keys.py decides."""
    found = ApiKey.objects.select_related("person", "created_by", "revoked_by")
    if not person.has_perm(Permission.MANAGE_REGISTRY):
        found = found.filter(person=person)
    return get_object_or_404(found, pk=pk)


def team_key_or_404(pk: int) -> ApiKey:
    """One that belongs to no person."""
    return get_object_or_404(ApiKey, pk=pk, person=None)


def secret_or_404(api_key: ApiKey, pk: int) -> ApiKeySecret:
    return get_object_or_404(ApiKeySecret, api_key=api_key, pk=pk)


def saved_view_or_404(person: Person, pk: int) -> SavedView:
    return get_object_or_404(SavedView, pk=pk, person=person)
