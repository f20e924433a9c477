"""A bare signed-in Django page: the yardstick that the product's pages are measured against.

Django's own session, CSRF and sign-in, the product's database and settings, one small template.

In this process, beside pages of the product and in turn with them:

    with million.database("sqlite") as db:
        bare.client(db.manager).get("/")

By gunicorn, with as many workers and threads as the product:

    with serving(database, endpoint, folder, config="tests.bench.bare_gunicorn") as served:
        ...  # served.url
"""

from pathlib import Path

from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.template.backends.django import DjangoTemplates
from django.test import Client, override_settings
from django.urls import path
from django.utils.deprecation import MiddlewareMixin

from routines.models import Person

_MIDDLEWARE = [
    f"{__name__}.BareAddressesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
]

# Apart from the product's: no tags of ours, and only the context processors that this page needs.
_templates = DjangoTemplates(
    {
        "NAME": "bare",
        "DIRS": [Path(__file__).parent],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ]
        },
    }
)


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_templates.get_template("bare.html").render({}, request))


urlpatterns = [path("", page)]


class BareAddressesMiddleware(MiddlewareMixin):
    """Leads to this page's addresses, whatever ROOT_URLCONF says."""

    def process_request(self, request: HttpRequest) -> None:
        request.urlconf = __name__


def client(person: Person) -> Client:
    """Return a client signed in as `person`, for whom `/` is the bare page."""
    made = Client(SERVER_NAME="localhost")
    made.force_login(person)
    # A client loads its middleware once, at its first request.
    with override_settings(MIDDLEWARE=_MIDDLEWARE):
        response = made.get("/")
    if b"Nothing else is on this page." not in response.content:
        raise SystemExit(f"The bare page answered {response.status_code}.")
    return made


def application() -> WSGIHandler:
    """Return what gunicorn runs: bare_gunicorn.py."""
    with override_settings(MIDDLEWARE=_MIDDLEWARE):
        return WSGIHandler()
