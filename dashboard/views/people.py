"""People: who may sign in, and as what. An initial password is shown once, to who made it."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dashboard.forms.made_from import seen_by
from dashboard.forms.people import AddPersonForm, PersonForm
from dashboard.lookups import may_manage_people, person_or_404
from dashboard.requests import SignedInRequest
from dashboard.sign_in import second_factor
from dashboard.sign_in.reauthentication import (
    is_valid_and_confirmed,
    reauthenticate_to_open,
    reauthentication_required,
)
from dashboard.views.overtaken import asks_again, may_be_gone
from routines import people
from routines.models import ApiKey, Person
from routines.values.snapshots import ChangedMeanwhile

get_or_post = require_http_methods(["GET", "HEAD", "POST"])


@require_GET
@may_manage_people
def index(request: SignedInRequest) -> HttpResponse:
    everybody = Person.objects.order_by("username").prefetch_related("groups")
    rows = [_row(person) for person in everybody]
    context = {
        "current": [row for row in rows if row["person"].is_active],
        "gone": [row for row in rows if not row["person"].is_active],
    }
    return render(request, "people/people.html", context)


@never_cache
@get_or_post
@may_manage_people
@reauthenticate_to_open
def add(request: SignedInRequest) -> HttpResponse:
    form = AddPersonForm(request.POST if request.method == "POST" else None)
    if is_valid_and_confirmed(request, form):
        values: dict[str, Any] = form.values
        password = people.initial_password()
        try:
            person = people.add_person(**values, password=password, by=request.user)
        except people.Refused as refused:
            form.add_error("username", str(refused))
        else:
            return _password_page(request, person, password)
    return render(request, "people/add.html", {"form": form}, status=422 if form.is_bound else 200)


@get_or_post
@may_manage_people
@reauthenticate_to_open
@may_be_gone
def edit(request: SignedInRequest, person: int) -> HttpResponse:
    stored = person_or_404(person)
    form = PersonForm(request.POST if request.method == "POST" else None, person=stored)
    if is_valid_and_confirmed(request, form):
        values: dict[str, Any] = form.values
        try:
            people.edit(person_or_404(person), **values, by=request.user)
        except people.Refused as refused:
            form.add_error("roles", str(refused))
        except ChangedMeanwhile as changed:
            form.tell(changed)
        else:
            messages.success(request, "The changes are saved.")
            return redirect("people")
    context = _row(stored) | {
        "form": form,
        "is_me": stored == request.user,
        "api_keys": ApiKey.objects.filter(person=stored, revoked_at=None).count(),
        "has_second_factor": second_factor.is_set_up(stored),
        "second_factor": second_factor.snapshot(stored),
    }
    return render(request, "people/person.html", context, status=422 if form.is_bound else 200)


@require_POST
@may_manage_people
@reauthentication_required
@asks_again("Deactivate", back="edit_person")
def deactivate(request: SignedInRequest, person: int) -> HttpResponse:
    leaver = person_or_404(person)
    seen = seen_by(request.POST, people.snapshot(leaver))
    try:
        revoked = people.deactivate(leaver, by=request.user, seen=seen)
    except people.Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _said_goodbye(leaver, revoked))
    return redirect("edit_person", person=person)


@require_POST
@may_manage_people
@reauthentication_required
@asks_again("Reactivate", back="edit_person")
def reactivate(request: SignedInRequest, person: int) -> HttpResponse:
    back = person_or_404(person)
    seen = seen_by(request.POST, people.snapshot(back))
    people.reactivate(back, by=request.user, seen=seen)
    messages.success(request, f"{back} may come back. They have no password: make a new one below.")
    return redirect("edit_person", person=person)


@never_cache
@require_POST
@may_manage_people
@reauthentication_required
@asks_again("Make a new password", back="edit_person")
def give_password(request: SignedInRequest, person: int) -> HttpResponse:
    forgetful = person_or_404(person)
    if forgetful == request.user:
        return redirect("account_change_password")  # their own needs nobody's help
    if not forgetful.is_active:
        messages.error(request, f"{forgetful} is deactivated. Reactivate them first.")
        return redirect("edit_person", person=person)
    password = people.initial_password()
    seen = seen_by(request.POST, people.snapshot_of_sign_in(forgetful))
    people.give_password(forgetful, password, by=request.user, seen=seen)
    return _password_page(request, forgetful, password)


@require_POST
@may_manage_people
@reauthentication_required
@asks_again("Reset the second factor", back="edit_person")
def reset_second_factor(request: SignedInRequest, person: int) -> HttpResponse:
    """For a colleague who has lost theirs; one's own is on the page of the second factor."""
    colleague = person_or_404(person)
    if colleague == request.user:
        return redirect("mfa_index")
    seen = seen_by(request.POST, second_factor.snapshot(colleague))
    if second_factor.reset(colleague, by=request.user, seen=seen):
        messages.success(
            request, f"{colleague} signs in with the password alone now, and may set up a new one."
        )
    else:
        messages.info(request, f"{colleague} has no second factor.")
    return redirect("edit_person", person=person)


def _password_page(request: SignedInRequest, person: Person, password: str) -> HttpResponse:
    # No redirect: the password would have to be kept in between. It is in this answer alone.
    return render(request, "people/password.html", {"person": person, "password": password})


def _said_goodbye(leaver: Person, revoked: int) -> str:
    said = f"{leaver} can no longer sign in, and is signed out everywhere."
    if revoked:
        keys = "API key was" if revoked == 1 else f"{revoked} API keys were"
        said += f" Their {keys} revoked."
    return said


def _row(person: Person) -> dict[str, Any]:
    return {
        "person": person,
        "roles": people.roles_of(person),
        "groups": people.groups_of(person),
    }
