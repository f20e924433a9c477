"""The address of the page that moves routines to another header version."""

from urllib.parse import urlencode

from django.urls import reverse

from routines.models import Header


def written(header: Header, value: str) -> str:
    """A version in an address or in a choice: `header:value`, or `header:` for "do not send"."""
    return f"{header.value}:{value}"


def move_url(
    header: Header, target: str, *, pinned_to: str | None = None, tried: int | None = None
) -> str:
    """Moving to `target`, with the routines that are pinned to `pinned_to` chosen already."""
    query = {"to": written(header, target)}
    if pinned_to is not None:
        query["from"] = pinned_to
    if tried is not None:
        query["tried"] = str(tried)
    return f"{reverse('move_versions')}?{urlencode(query)}"
