"""Text templates: the shared ones of a routine for admins, and everybody's own ones."""

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dashboard.forms.made_from import seen_by
from dashboard.forms.text_templates import TemplateEditor
from dashboard.lookups import (
    fireable_or_404,
    may_fire,
    may_manage_registry,
    number,
    own_template_or_404,
    routine_or_404,
    template_or_404,
)
from dashboard.requests import SignedInRequest
from dashboard.views.overtaken import asks_again, may_be_gone
from routines import registry
from routines.board import own_templates
from routines.models import Routine, TextTemplate
from routines.registry import snapshots
from routines.values.snapshots import ChangedMeanwhile

get_or_post = require_http_methods(["GET", "HEAD", "POST"])


# --- Shared ---


@get_or_post
@may_manage_registry
def add_template(request: SignedInRequest, slug: str) -> HttpResponse:
    routine = routine_or_404(slug)
    editor = TemplateEditor(_typed(request), template=_new(routine))
    if not editor.is_bound or not editor.is_valid():
        return _shared_page(request, editor, routine)
    registry.add_template(routine, **editor.values, by=request.user)
    messages.success(request, "The text template is added.")
    return redirect("registry_routine", slug=slug)


@get_or_post
@may_manage_registry
@may_be_gone
def edit_template(request: SignedInRequest, slug: str, pk: int) -> HttpResponse:
    template = template_or_404(slug, pk)
    editor = TemplateEditor(_typed(request), template=template)
    if editor.is_bound and editor.is_valid():
        try:
            registry.edit_template(template, **editor.values, by=request.user)
        except ChangedMeanwhile as changed:
            editor.form.tell(changed)
        else:
            messages.success(request, "The text template is saved.")
            return redirect("registry_routine", slug=slug)
    return _shared_page(request, editor, template.routine, template_or_404(slug, pk))


@require_POST
@may_manage_registry
def preview_template(request: SignedInRequest, slug: str) -> HttpResponse:
    """What the form would store, shown as people will see it. Nothing is stored."""
    routine = routine_or_404(slug)
    found = routine.text_templates.shared().filter(pk=number(request.POST.get("pk")) or 0)
    editor = TemplateEditor(request.POST, template=found.first() or _new(routine))
    if request.htmx:
        return render(request, "registry/template_preview.html", {"editor": editor})
    stored = found.all().first()  # anew: the form has cleaned its values into the other
    return _shared_page(request, editor, routine, stored, status=200)


@require_POST
@may_manage_registry
@asks_again("Delete this template", back="edit_template")
def delete_template(request: SignedInRequest, slug: str, pk: int) -> HttpResponse:
    template = template_or_404(slug, pk)
    seen = seen_by(request.POST, snapshots.template(template))
    registry.delete_template(template, by=request.user, seen=seen)
    messages.success(request, f"The text template “{template}” is deleted.")
    return redirect("registry_routine", slug=slug)


# --- Own ---


@require_GET
@may_fire
def own(request: SignedInRequest, slug: str) -> HttpResponse:
    routine = fireable_or_404(request.user, slug)
    templates = routine.text_templates.filter(owner=request.user).order_by("name")
    return render(request, "templates/own.html", {"routine": routine, "templates": templates})


@get_or_post
@may_fire
@may_be_gone
def edit_own(request: SignedInRequest, slug: str, pk: int) -> HttpResponse:
    template = own_template_or_404(request.user, slug, pk)
    editor = TemplateEditor(_typed(request), template=template)
    if editor.is_bound and editor.is_valid():
        try:
            own_templates.edit(template, **editor.values)
        except ChangedMeanwhile as changed:
            editor.form.tell(changed)
        else:
            messages.success(request, f"Your template “{template}” is saved.")
            return redirect("own_templates", slug=slug)
    stored = own_template_or_404(request.user, slug, pk)
    return _own_page(request, editor, stored, status=422 if editor.is_bound else 200)


@require_POST
@may_fire
def preview_own(request: SignedInRequest, slug: str, pk: int) -> HttpResponse:
    template = own_template_or_404(request.user, slug, pk)
    editor = TemplateEditor(request.POST, template=template)
    if request.htmx:
        return render(request, "registry/template_preview.html", {"editor": editor})
    return _own_page(request, editor, own_template_or_404(request.user, slug, pk))


@require_POST
@may_fire
@asks_again("Delete this template", back="own_template")
def delete_own(request: SignedInRequest, slug: str, pk: int) -> HttpResponse:
    template = own_template_or_404(request.user, slug, pk)
    own_templates.delete(template, seen=seen_by(request.POST, snapshots.template(template)))
    messages.success(request, f"Your template “{template}” is deleted.")
    return redirect("own_templates", slug=slug)


def _typed(request: SignedInRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _new(routine: Routine) -> TextTemplate:
    return TextTemplate(routine=routine, order=routine.text_templates.shared().count())


def _shared_page(
    request: SignedInRequest,
    editor: TemplateEditor,
    routine: Routine,
    template: TextTemplate | None = None,
    status: int | None = None,
) -> HttpResponse:
    add = reverse("add_template", args=[routine.slug])
    context = {
        "editor": editor,
        "form": editor.form,
        "routine": routine,
        "template": template,
        "to": reverse("edit_template", args=[routine.slug, template.pk]) if template else add,
        "preview": reverse("preview_template", args=[routine.slug]),
        "back": reverse("registry_routine", args=[routine.slug]),
    }
    usual = 422 if editor.is_bound else 200
    return render(request, "registry/template.html", context, status=status or usual)


def _own_page(
    request: SignedInRequest, editor: TemplateEditor, template: TextTemplate, status: int = 200
) -> HttpResponse:
    at = [template.routine.slug, template.pk]
    context = {
        "editor": editor,
        "form": editor.form,
        "routine": template.routine,
        "template": template,
        "to": reverse("own_template", args=at),
        "preview": reverse("preview_own_template", args=at),
        "back": reverse("own_templates", args=at[:1]),
    }
    return render(request, "templates/own_template.html", context, status=status)
