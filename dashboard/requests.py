"""The request as our views get it: somebody is signed in, and htmx is known."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from routines.models import Person


class SignedInRequest(HttpRequest):
    user: Person
    htmx: HtmxDetails
