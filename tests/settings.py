"""The product's own settings, with an environment that reaches nothing outside this machine."""

import os

os.environ |= {
    "ENV_FILE": "",
    "DASHBOARD_URL": "http://localhost:8000",
    "SECRET_KEY": "only-for-tests-" + "0123456789abcdef" * 4,
    "TOKEN_ENCRYPTION_KEYS": "dGVzdC1rZXktb25lLXRlc3Qta2V5LW9uZS10ZXN0LTE=",
    "CLAUDE_API_BASE_URL": "http://127.0.0.1:9",  # nobody listens there
    "FIRE_TIMEOUT": "5",
    "SESSION_IDLE_MINUTES": "43200",  # forms may be open for days in a test about something else
    "SESSION_MAX_HOURS": "8760",
    "DATABASE_URL": os.environ.get("TEST_DATABASE_URL") or "sqlite:///var/test.sqlite3",
}

from dashboard.settings import *  # noqa: F403
from dashboard.settings import BASE_DIR, DATABASES, STORAGES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast, tests only
# With the manifest storage the live server would answer 404 for hashed files.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
# Nothing is collected there: whitenoise would read it all again for each test's client.
STATIC_ROOT = BASE_DIR / "var" / "none-collected"

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file: threads and processes must meet in one database, as in production.
    DATABASES["default"]["TEST"] = {"NAME": str(BASE_DIR / "var" / "pytest.sqlite3")}
else:
    DATABASES["default"]["OPTIONS"] = {}  # no pool: the test runner drops the database at the end
