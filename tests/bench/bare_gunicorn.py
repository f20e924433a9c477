"""The product's own configuration of gunicorn, serving the bare page: bare.py."""

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler

from dashboard.serving.gunicorn_conf import *  # noqa: F403

worker_class = "gthread"
threads = settings.WEB_THREADS
wsgi_app = f"{__name__}:application()"


def application() -> WSGIHandler:
    django.setup()
    from tests.bench import bare

    return bare.application()
