"""The registry: what admins see of the routines, and change; tokens are in tokens.py."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dashboard.forms.made_from import seen_by
from dashboard.forms.registry import RoutineForm, RulesForm
from dashboard.lookups import may_manage_registry, routine_or_404
from dashboard.requests import SignedInRequest
from dashboard.sign_in.reauthentication import is_valid_and_confirmed, reauthenticate_to_open
from dashboard.views.overtaken import asks_again, may_be_gone
from routines import registry
from routines.callers import of_routine
from routines.models import Routine
from routines.registry import accepted_versions, snapshots
from routines.runs import limits, queue
from routines.tokens import health
from routines.values.snapshots import ChangedMeanwhile, Snapshot

get_or_post = require_http_methods(["GET", "HEAD", "POST"])


@require_GET
@may_manage_registry
def routines(request: SignedInRequest) -> HttpResponse:
    everything = Routine.objects.select_related("account", "token_set_by").order_by("name", "pk")
    current = [routine for routine in everything if not routine.is_archived]
    context = {
        "current": current,
        "tokens_in_need": health.needing_somebody(current),
        "open_to_nobody": Routine.objects.current().open_to_nobody(),
        "archived": [routine for routine in everything if routine.is_archived],
        "versions": accepted_versions.judged(),
    }
    return render(request, "registry/registry.html", context)


@require_GET
@may_manage_registry
def routine(request: SignedInRequest, slug: str) -> HttpResponse:
    routine = routine_or_404(slug)
    context = {
        "routine": routine,
        "health": health.of_routine(routine),
        "held_until": limits.hold(routine),
        "waiting_runs": queue.length(routine),
        "version_warnings": accepted_versions.judged().warnings(routine),
        "templates": routine.text_templates.shared(),
        "open_to": routine.open_to.order_by("name"),
        "audit_events": routine.audit_events.all()[:20],
        "api_keys": of_routine.of(routine),
        "days_of_use": of_routine.DAYS,
    }
    return render(request, "registry/routine.html", context)


@get_or_post
@may_manage_registry
@may_be_gone
def edit(request: SignedInRequest, slug: str) -> HttpResponse:
    routine = routine_or_404(slug)
    form = RoutineForm(request.POST if request.method == "POST" else None, instance=routine)
    if form.is_valid():
        try:
            registry.edit(routine, **form.cleaned_data, by=request.user)
        except ChangedMeanwhile as changed:
            form.tell(changed)
        else:
            messages.success(request, "The changes are saved.")
            return redirect("registry_routine", slug=slug)
    return _form(request, "registry/edit.html", form, routine=routine_or_404(slug))


@get_or_post
@may_manage_registry
@reauthenticate_to_open
@may_be_gone
def rules(request: SignedInRequest, slug: str) -> HttpResponse:
    """Who may run it, and what they are asked first."""
    routine = routine_or_404(slug)
    form = RulesForm(request.POST if request.method == "POST" else None, instance=routine)
    if is_valid_and_confirmed(request, form):
        try:
            registry.set_rules(routine, **form.cleaned_data, by=request.user)
        except ChangedMeanwhile as changed:
            form.tell(changed)
        except registry.GroupGone as gone:
            form.add_error("open_to", str(gone))
        else:
            messages.success(request, "The rules are saved.")
            return redirect("registry_routine", slug=slug)
    return _form(request, "registry/rules.html", form, routine=routine_or_404(slug))


@require_POST
@may_manage_registry
@asks_again("Enable", back="registry_routine")
def enable(request: SignedInRequest, slug: str) -> HttpResponse:
    routine, seen = _pressed(request, slug)
    registry.set_enabled(routine, True, by=request.user, seen=seen)
    return redirect("registry_routine", slug=slug)


@require_POST
@may_manage_registry
@asks_again("Disable", back="registry_routine")
def disable(request: SignedInRequest, slug: str) -> HttpResponse:
    routine, seen = _pressed(request, slug)
    registry.set_enabled(routine, False, by=request.user, seen=seen)
    return redirect("registry_routine", slug=slug)


@require_POST
@may_manage_registry
@asks_again("Archive", back="registry_routine")
def archive(request: SignedInRequest, slug: str) -> HttpResponse:
    routine, seen = _pressed(request, slug)
    registry.set_archived(routine, True, by=request.user, seen=seen)
    return redirect("registry_routine", slug=slug)


@require_POST
@may_manage_registry
@asks_again("Restore", back="registry_routine")
def restore(request: SignedInRequest, slug: str) -> HttpResponse:
    routine, seen = _pressed(request, slug)
    registry.set_archived(routine, False, by=request.user, seen=seen)
    return redirect("registry_routine", slug=slug)


@require_POST
@may_manage_registry
@asks_again("Lift the hold", back="registry_routine")
def lift_hold(request: SignedInRequest, slug: str) -> HttpResponse:
    routine = routine_or_404(slug)
    seen = seen_by(request.POST, snapshots.holds(routine))
    registry.lift_hold(routine, by=request.user, seen=seen)
    messages.success(request, "The hold is lifted: the routine can be run again.")
    return redirect("registry_routine", slug=slug)


def _pressed(request: SignedInRequest, slug: str) -> tuple[Routine, Snapshot]:
    """The routine, and what its page showed beside the button."""
    routine = routine_or_404(slug)
    return routine, seen_by(request.POST, snapshots.whole(routine))


def _form(
    request: SignedInRequest,
    template_name: str,
    form: RoutineForm | RulesForm,
    **context: object,
) -> HttpResponse:
    status = 422 if form.is_bound else 200
    return render(request, template_name, {"form": form} | context, status=status)
