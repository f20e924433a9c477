"""Tags about header versions."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse

from dashboard.forms.version_links import move_url
from routines.history.run_filter import RunFilter
from routines.models import Header, Routine, Run, VersionMove
from routines.registry import accepted_versions, header_versions
from routines.registry.header_versions import Known, VersionWarning, pinned
from routines.values.reasons import Reason

register = template.Library()


@register.filter
def version_warnings(routine: Routine, versions: Known) -> Iterable[VersionWarning]:
    return versions.warnings(routine)


@register.simple_tag
def move_from_url(header: Header, value: str, successor: str | None) -> str:
    """The page that moves what is pinned to `value` on, or adds a version to move it to."""
    if successor is None:
        return f"{reverse('add_version')}?{urlencode({'header': header.value})}"
    return move_url(header, successor, pinned_to=value)


@register.inclusion_tag("versions/after_refusal.html", takes_context=True)
def after_refusal(context: dict[str, Any], run: Run) -> dict[str, Any]:
    """What was accepted before the version that `run` was refused for, and the way there."""
    header, last = header_versions.refused_header(run), accepted_versions.last_accepted(run)
    value, versions = pinned(run, header), accepted_versions.judged()
    is_listed = last == "" or (last is not None and versions.find(header, last) is not None)
    back = move_url(header, last, pinned_to=value) if last is not None and is_listed else ""
    return {
        "perms": context["perms"],
        "run": run,
        "last": last,
        "back": back,
        "move": move_from_url(header, value, versions.successor(header, value)),
    }


@register.simple_tag
def refused_runs_url(move: VersionMove) -> str:
    """The history of what was refused for the version that routines were moved to."""
    header = Header(move.header)
    version = (
        {"beta_version": move.target} if header == Header.BETA else {"api_version": move.target}
    )
    asked = RunFilter(reason=Reason.HEADER_VERSION, **version)  # type: ignore[arg-type]
    return f"{reverse('history')}?{asked.query_string()}"
