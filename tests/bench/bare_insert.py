"""A bare Django view that inserts one row: the yardstick for what the door accepts.

It reads no sign-in, checks no CSRF token, and commits one short row of the product's database. By
gunicorn, with as many workers and threads as the product, and the middleware that
`django-admin startproject` writes, or none at all:

    with serving(database, endpoint, folder, config="tests.bench.bare_gunicorn",
                 BARE="insert" or "insert_alone") as served:
        ...  # POST served.url
"""

from uuid import uuid4

from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import override_settings
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from routines.models import Tag

STARTPROJECT = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ADDRESSES = f"{__name__}.BareAddressesMiddleware"


@csrf_exempt
def insert(request: HttpRequest) -> HttpResponse:
    tag = Tag.objects.create(name=uuid4().hex)
    return JsonResponse({"id": tag.pk}, status=202)


# The product's start asks for its sign-in page, to know that it serves.
urlpatterns = [path("", insert), path("sign-in/", lambda request: HttpResponse())]


class BareAddressesMiddleware:
    """Leads to this view's addresses, whatever ROOT_URLCONF says."""

    def __init__(self, get_response: object) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.urlconf = __name__
        return self.get_response(request)  # type: ignore[operator,no-any-return]


def application(*, middleware: list[str]) -> WSGIHandler:
    with override_settings(MIDDLEWARE=[ADDRESSES, *middleware]):
        return WSGIHandler()
