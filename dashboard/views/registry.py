"""The registry: what admins see of the routines, and change; tokens are in tokens.py."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dashboard.forms.registry import RoutineForm, RulesForm
from dashboard.lookups import may_manage_registry, routine_or_404
from dashboard.requests import SignedInRequest
from routines import registry
from routines.models import Routine
from routines.registry import accepted_versions
from routines.runs import limits
from routines.tokens import health

get_or_post = require_http_methods(["GET", "HEAD", "POST"])


@require_GET
@may_manage_registry
def routines(request: SignedInRequest) -> HttpResponse:
    everything = Routine.objects.select_related("account", "token_set_by").order_by("name", "pk")
    current = [routine for routine in everything if not routine.is_archived]
    context = {
        "current": current,
        "tokens_in_need": health.needing_somebody(current),
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
        "version_warnings": accepted_versions.judged().warnings(routine),
        "templates": routine.text_templates.shared(),
        "open_to": routine.open_to.order_by("name"),
        "audit_events": routine.audit_events.all()[:20],
    }
    return render(request, "registry/routine.html", context)


@get_or_post
@may_manage_registry
def edit(request: SignedInRequest, slug: str) -> HttpResponse:
    routine = routine_or_404(slug)
    form = RoutineForm(request.POST or None, instance=routine)
    if not form.is_valid():
        return _form(request, "registry/edit.html", form, routine=routine_or_404(slug))
    registry.edit(routine, **form.cleaned_data, by=request.user)
    messages.success(request, "The changes are saved.")
    return redirect("registry_routine", slug=slug)


@get_or_post
@may_manage_registry
def rules(request: SignedInRequest, slug: str) -> HttpResponse:
    """Who may run it, and what they are asked first."""
    routine = routine_or_404(slug)
    form = RulesForm(request.POST if request.method == "POST" else None, instance=routine)
    if not form.is_valid():
        return _form(request, "registry/rules.html", form, routine=routine_or_404(slug))
    registry.set_rules(routine, **form.cleaned_data, by=request.user)
    messages.success(request, "The rules are saved.")
    return redirect("registry_routine", slug=slug)


@require_POST
@may_manage_registry
def enable(request: SignedInRequest, slug: str) -> HttpResponse:
    registry.set_enabled(routine_or_404(slug), True, by=request.user)
    return redirect("registry_routine", slug=slug)


@require_POST
@may_manage_registry
def disable(request: SignedInRequest, slug: str) -> HttpResponse:
    registry.set_enabled(routine_or_404(slug), False, by=request.user)
    return redirect("registry_routine", slug=slug)


@require_POST
@may_manage_registry
def archive(request: SignedInRequest, slug: str) -> HttpResponse:
    registry.set_archived(routine_or_404(slug), True, by=request.user)
    return redirect("registry_routine", slug=slug)


@require_POST
@may_manage_registry
def restore(request: SignedInRequest, slug: str) -> HttpResponse:
    registry.set_archived(routine_or_404(slug), False, by=request.user)
    return redirect("registry_routine", slug=slug)


@require_POST
@may_manage_registry
def lift_hold(request: SignedInRequest, slug: str) -> HttpResponse:
    registry.lift_hold(routine_or_404(slug), by=request.user)
    messages.success(request, "The hold is lifted: the routine can be run again.")
    return redirect("registry_routine", slug=slug)


def _form(
    request: SignedInRequest,
    template_name: str,
    form: RoutineForm | RulesForm,
    **context: object,
) -> HttpResponse:
    status = 422 if form.is_bound else 200
    return render(request, template_name, {"form": form} | context, status=status)
