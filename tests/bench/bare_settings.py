"""The product's settings, serving the bare page alone: bare.py.

DJANGO_SETTINGS_MODULE=tests.bench.bare_settings in the environment of the product's own gunicorn.
"""

from dashboard.settings import *  # noqa: F403

ROOT_URLCONF = "tests.bench.bare"
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
]
