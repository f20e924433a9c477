"""Groups of people, for routines that are not open to everybody."""

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dashboard.forms.made_from import seen_by
from dashboard.forms.people import GroupForm
from dashboard.lookups import group_or_404, may_manage_people
from dashboard.requests import SignedInRequest
from dashboard.sign_in.reauthentication import (
    is_valid_and_confirmed,
    reauthenticate_to_open,
    reauthentication_required,
)
from dashboard.views.overtaken import asks_again, may_be_gone
from routines.models import Routine
from routines.people import Refused, groups
from routines.values.snapshots import ChangedMeanwhile

get_or_post = require_http_methods(["GET", "HEAD", "POST"])


@require_GET
@may_manage_people
def index(request: SignedInRequest) -> HttpResponse:
    members = Count("user", filter=Q(user__is_active=True))
    opened: dict[int, list[Routine]] = {}
    for link in Routine.open_to.through.objects.select_related("routine").order_by("routine__name"):
        opened.setdefault(link.group_id, []).append(link.routine)
    rows = [
        {"group": group, "routines": opened.get(group.pk, [])}
        for group in groups.own_groups().annotate(members=members)
    ]
    return render(request, "people/groups.html", {"rows": rows})


@get_or_post
@may_manage_people
@reauthenticate_to_open
def add(request: SignedInRequest) -> HttpResponse:
    form = GroupForm(request.POST if request.method == "POST" else None)
    if is_valid_and_confirmed(request, form):
        try:
            groups.add(**form.cleaned_data, by=request.user)
        except Refused as refused:
            form.add_error("name", str(refused))
        else:
            messages.success(request, "The group is added. Choose it in the rules of a routine.")
            return redirect("groups")
    status = 422 if form.is_bound else 200
    return render(request, "people/group.html", {"form": form}, status=status)


@get_or_post
@may_manage_people
@reauthenticate_to_open
@may_be_gone
def edit(request: SignedInRequest, group: int) -> HttpResponse:
    stored = group_or_404(group)
    form = GroupForm(request.POST if request.method == "POST" else None, group=stored)
    if is_valid_and_confirmed(request, form):
        try:
            groups.edit(stored, **form.cleaned_data, by=request.user)
        except Refused as refused:
            form.add_error("name", str(refused))
        except ChangedMeanwhile as changed:
            form.tell(changed)
        else:
            messages.success(request, "The group is saved.")
            return redirect("groups")
    context = {"form": form, "group": stored}
    return render(request, "people/group.html", context, status=422 if form.is_bound else 200)


@require_POST
@may_manage_people
@reauthentication_required
@asks_again("Delete this group", back="edit_group")
def delete(request: SignedInRequest, group: int) -> HttpResponse:
    stored = group_or_404(group)
    seen = seen_by(request.POST, groups.snapshot(stored))
    try:
        groups.delete(stored, by=request.user, seen=seen)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("edit_group", group=group)
    messages.success(request, f"The group “{stored.name}” is deleted.")
    return redirect("groups")
