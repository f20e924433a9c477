"""Tags about header versions."""

from collections.abc import Iterable
from urllib.parse import urlencode

from django import template
from django.urls import reverse

from dashboard.forms.version_links import move_url
from routines.models import Header, Routine, Run
from routines.registry import header_versions
from routines.registry.header_versions import Known, VersionWarning, pinned

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


@register.simple_tag
def move_after_refusal_url(run: Run) -> str:
    """The same for the version that a run was refused for."""
    header = header_versions.refused_header(run)
    value = pinned(run, header)
    return move_from_url(header, value, header_versions.known().successor(header, value))
