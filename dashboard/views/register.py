"""Registering a routine: paste what claude.ai shows, then fill in the rest; or type it all."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from dashboard.forms.register import PasteForm, RegisterForm, unknown_versions
from dashboard.lookups import may_manage_registry, routine_or_404
from dashboard.requests import SignedInRequest
from dashboard.sign_in.reauthentication import is_valid_and_confirmed, reauthenticate_to_open
from routines import registry
from routines.models import Routine

get_or_post = require_http_methods(["GET", "HEAD", "POST"])


@sensitive_post_parameters("pasted")
@never_cache
@get_or_post
@may_manage_registry
@reauthenticate_to_open
def paste(request: SignedInRequest) -> HttpResponse:
    """First step. Nothing is stored yet: what was understood goes on in the second step's form."""
    form = PasteForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _paste_page(request, form)
    understood = form.cleaned_data["pasted"]
    twin = Routine.objects.filter(routine_id=understood.routine_id).first()
    if twin is not None:
        form.add_error("pasted", "This routine is registered already, see above.")
        return _paste_page(request, form, registered_already=twin)
    context = {
        "understood": understood,
        "unknown_versions": unknown_versions(understood),
        "form": RegisterForm.begun(understood, person=request.user),
    }
    return render(request, "registry/register.html", context)


@sensitive_post_parameters("token", "carried")
@never_cache
@get_or_post
@may_manage_registry
@reauthenticate_to_open
def details(request: SignedInRequest) -> HttpResponse:
    """Second step, and the way of those who type everything by hand."""
    posted = request.POST if request.method == "POST" else None
    form = RegisterForm(posted, person=request.user)
    if is_valid_and_confirmed(request, form):
        try:
            routine = registry.register(**form.values, by=request.user)
        except (ValidationError, IntegrityError):
            # What the form found free was taken a moment later.
            form.add_error(
                None,
                "Somebody registered a routine at the same moment. Nothing was saved: look at the "
                "registry, and press Register once more if yours is not there.",
            )
        else:
            return redirect("registered", slug=routine.slug)
    form.carry()
    status = 422 if form.is_bound else 200
    return render(request, "registry/register.html", {"form": form}, status=status)


@require_GET
@may_manage_registry
def registered(request: SignedInRequest, slug: str) -> HttpResponse:
    """Next steps: what the saved prompt at claude.ai needs, and a first run."""
    return render(request, "registry/registered.html", {"routine": routine_or_404(slug)})


def _paste_page(request: SignedInRequest, form: PasteForm, **context: object) -> HttpResponse:
    status = 422 if form.is_bound else 200
    return render(request, "registry/paste.html", {"form": form} | context, status=status)
