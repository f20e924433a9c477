"""Header versions: which are known, who is pinned to what, and moving there and back."""

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.text import capfirst
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dashboard.forms.made_from import seen_by
from dashboard.forms.version_links import written
from dashboard.forms.versions import (
    DO_NOT_SEND,
    AddVersionForm,
    MoveForm,
    TargetForm,
)
from dashboard.lookups import (
    may_manage_registry,
    move_or_404,
    number,
    run_or_404,
    version_or_404,
)
from dashboard.requests import SignedInRequest
from dashboard.views.overtaken import asks_again
from routines.models import Header
from routines.registry import accepted_versions, header_versions, version_moves
from routines.registry.header_versions import Known, pinned

get_or_post = require_http_methods(["GET", "HEAD", "POST"])


@require_GET
@may_manage_registry
def versions(request: SignedInRequest) -> HttpResponse:
    accepted_versions.remember()
    known = accepted_versions.judged()
    context = {
        "headers": [(header, header_versions.overview(header, known)) for header in Header],
        "past_moves": version_moves.past_moves(),
    }
    return render(request, "versions/versions.html", context)


@get_or_post
@may_manage_registry
def add(request: SignedInRequest) -> HttpResponse:
    form = AddVersionForm(request.POST or None, initial={"header": request.GET.get("header")})
    if form.is_valid():
        try:
            version = header_versions.add(**form.cleaned_data, by=request.user)
        except header_versions.VersionRefused as refused:
            form.add_error(refused.field, str(refused))
        else:
            messages.success(request, f"{version} is known now. Routines can be moved to it.")
            return redirect("versions")
    return render(
        request, "versions/add.html", {"form": form}, status=422 if form.is_bound else 200
    )


@require_POST
@may_manage_registry
@asks_again("Remove", back="versions", at=())
def remove(request: SignedInRequest, version: int) -> HttpResponse:
    found = version_or_404(version)
    seen = seen_by(request.POST, header_versions.snapshot(found))
    try:
        header_versions.remove(found, by=request.user, seen=seen)
    except header_versions.VersionRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"{found.value} is off the list.")
    return redirect("versions")


@get_or_post
@may_manage_registry
def move(request: SignedInRequest) -> HttpResponse:
    known = accepted_versions.judged()
    if request.method == "POST":
        form = MoveForm(request.POST, versions=known)
        if form.is_valid():
            header, target = form.cleaned_data["to"]
            try:
                result = version_moves.move(
                    header,
                    target,
                    form.cleaned_data["routines"],
                    by=request.user,
                    agreed_untried=form.cleaned_data["untried"],
                )
            except version_moves.NotTried as not_tried:
                return _move_page(request, known, form, request.POST, 422, not_tried=not_tried)
            except version_moves.MoveRefused as refused:
                form.add_error(None, str(refused))
            else:
                _say(request, result, "moved")
                return redirect("versions")
        return _move_page(request, known, form, request.POST, status=422)
    newest = known.newest(Header.BETA)
    default = written(Header.BETA, newest.value if newest else "")
    query = {"to": request.GET.get("to", default)}
    return _move_page(request, known, TargetForm(query, versions=known), request.GET)


@require_POST
@may_manage_registry
def go_back(request: SignedInRequest, move: int) -> HttpResponse:
    try:
        result = version_moves.go_back(move_or_404(move), by=request.user)
    except version_moves.MoveRefused as refused:
        messages.error(request, str(refused))
    else:
        _say(request, result, "moved back")
    return redirect("versions")


def _move_page(
    request: SignedInRequest,
    known: Known,
    form: TargetForm,
    query: QueryDict,
    status: int = 200,
    **more: object,
) -> HttpResponse:
    """The routines that could be moved to what was asked for, and the latest trial of it."""
    context: dict[str, object] = {"form": form, "from": query.get("from")} | more
    form.is_valid()
    if "to" in form.cleaned_data:
        header, target = form.cleaned_data["to"]
        candidates = version_moves.candidates(
            header, target, known, person=request.user, pinned_to=query.get("from")
        )
        chosen = query.getlist("routines") if isinstance(form, MoveForm) else None
        rows = [_row(candidate, header, known, chosen) for candidate in candidates]
        context |= {"header": header, "target": target, "to": written(header, target)}
        context["rows"] = rows
        context["is_accepted"] = known.is_accepted(header, target)
    tried = number(query.get("tried"))
    if tried is not None:
        context["tried"] = run_or_404(request.user, tried)
    return render(request, "versions/move.html", context, status=status)


def _row(
    candidate: version_moves.Candidate, header: Header, known: Known, chosen: list[str] | None
) -> dict[str, object]:
    value = f"{candidate.routine.pk}:{candidate.value}"
    return {
        "candidate": candidate,
        "value": value,
        "is_chosen": candidate.is_proposed if chosen is None else value in chosen,
        "standing": known.standing(header, candidate.value),
    }


def _say(request: SignedInRequest, result: version_moves.MoveResult, done: str) -> None:
    header = Header(result.move.header)
    if result.done:
        names = ", ".join(f"“{routine}”" for routine in result.done)
        messages.success(request, f"{capfirst(header.label)} {done}: {names}.")
    if result.left:
        left = ", ".join(
            f"“{routine}” (now on {pinned(routine, header) or DO_NOT_SEND})"
            for routine in result.left
        )
        messages.warning(request, f"Left alone, since somebody has changed them meanwhile: {left}.")
