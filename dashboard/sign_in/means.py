"""By what a person has signed in: noted in the web session."""

from django.http import HttpRequest

PASSWORD, PROVIDER, PROXY = "password", "provider", "proxy"  # no password
_KEY = "signed_in_by"


def note(request: HttpRequest, by: str) -> None:
    request.session[_KEY] = by


def used(request: HttpRequest) -> str:
    return str(request.session.get(_KEY, PASSWORD))
