"""The product's own configuration of gunicorn, serving what a bare Django would: BARE says what.

`page`: a signed-in page, bare.py. `insert`: a view that inserts a row, with the middleware of
startproject, `insert_alone` without any: bare_insert.py.
"""

import os

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler

from dashboard.serving.gunicorn_conf import *  # noqa: F403

worker_class = "gthread"
threads = settings.WEB_THREADS
wsgi_app = f"{__name__}:application()"


def application() -> WSGIHandler:
    django.setup()
    from tests.bench import bare, bare_insert

    kind = os.environ.get("BARE", "page")
    if kind == "page":
        return bare.application()
    middleware = bare_insert.STARTPROJECT if kind == "insert" else []
    return bare_insert.application(middleware=middleware)
