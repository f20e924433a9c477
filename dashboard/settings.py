"""The one place that reads the environment. README.md has the table of variables."""

from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from dashboard.environment import Environment, is_loopback
from dashboard.serving import middleware_list

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment(BASE_DIR)

# --- Where this dashboard is, and its secrets ---

DASHBOARD_URL = env.origin("DASHBOARD_URL", hint="https://routines.example.com")
SECRET_KEY = env.secret_key("SECRET_KEY")
TOKEN_ENCRYPTION_KEYS = env.fernet_keys("TOKEN_ENCRYPTION_KEYS")
# The proxies that are believed when they say who asks; gunicorn reads the same variable.
TRUSTED_PROXIES = env.proxies("FORWARDED_ALLOW_IPS", "127.0.0.1,::1")

# HSTS for this host is always on with https. These bind other hosts of the company, for a year.
HSTS_SUBDOMAINS = env.switch("HSTS_SUBDOMAINS", "off")
HSTS_PRELOAD = env.switch("HSTS_PRELOAD", "off")
env.problem_if(HSTS_PRELOAD and not HSTS_SUBDOMAINS, "HSTS_PRELOAD needs HSTS_SUBDOMAINS=on.")

# --- The fire endpoint. Its host is a setting, never user input ---

CLAUDE_API_BASE_URL = env.origin(
    "CLAUDE_API_BASE_URL", "https://api.anthropic.com", hint="https://api.anthropic.com"
)
FIRE_TIMEOUT = env.number("FIRE_TIMEOUT", 30, least=1, most=300)  # seconds, look-up to last byte
# Where this server reaches the internet through a proxy only; HTTPS_PROXY is none of fires' (0024).
_fire_proxy = env.http_proxy("FIRE_PROXY_URL", strict=True)
FIRE_PROXY_URL = _fire_proxy.url if _fire_proxy else ""  # without user and password
FIRE_PROXY_USER = _fire_proxy.user if _fire_proxy else ""
FIRE_PROXY_PASSWORD = _fire_proxy.password if _fire_proxy else ""
# The company's own certificate authorities, trusted beside the public ones.
CA_BUNDLE = env.ca_file("CA_BUNDLE")
_https_proxy = env.first_set("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
UNUSED_PROXY_VARIABLE = "" if env.first_set("FIRE_PROXY_URL") else _https_proxy
WEB_THREADS = env.number("WEB_THREADS", 8, least=2, most=64)
WEB_WORKERS = env.number("WEB_WORKERS", 2, least=1, most=64)
# Per process. The threads beyond the presses that wait on the endpoint keep the pages answering.
PRESSES_IN_FLIGHT = WEB_THREADS // 2
# Per worker: its fires wait on sockets and hold up nobody.
FIRES_IN_FLIGHT = env.number("FIRES_IN_FLIGHT", 32, least=1, most=256)
# Advice on the pages, 0 shows none. The endpoint's own 429 is the authority (docs/fire-api.md).
ROUTINE_HOURLY_LIMIT = env.number("ROUTINE_HOURLY_LIMIT", 30, least=0, most=100_000)
ACCOUNT_HOURLY_LIMIT = env.number("ACCOUNT_HOURLY_LIMIT", 100, least=0, most=100_000)
# Seconds after a colleague's run of the same routine during which a press is asked about first.
RECENT_RUN_WARNING = env.number("RECENT_RUN_WARNING", 120, least=0, most=86_400)
# Days after which the registry lists a token as due to be rotated; 0 never does.
TOKEN_MAX_AGE_DAYS = env.number("TOKEN_MAX_AGE_DAYS", 90, least=0, most=3_650)

# --- Who may sign in, and for how long: docs/sign-in.md ---

SESSION_IDLE_MINUTES = env.number("SESSION_IDLE_MINUTES", 480, least=5, most=43_200)
SESSION_MAX_HOURS = env.number("SESSION_MAX_HOURS", 168, least=1, most=8_760)
PASSWORD_SIGN_IN = env.switch("PASSWORD_SIGN_IN", "on")
# Of whom a second factor is asked who signs in with a password.
REQUIRE_SECOND_FACTOR = env.choice("REQUIRE_SECOND_FACTOR", "off", ("off", "admins", "all"))
# OpenID Connect: on as soon as there is an issuer.
OIDC_ISSUER = env.issuer("OIDC_ISSUER")
OIDC_CLIENT_ID = env.text("OIDC_CLIENT_ID", "")
OIDC_CLIENT_SECRET = env.text("OIDC_CLIENT_SECRET", "")
OIDC_LABEL = env.text("OIDC_LABEL", "Sign in with the company account")
OIDC_SCOPES = env.text("OIDC_SCOPES", "openid profile email").split()
OIDC_ROLES_CLAIM = env.text("OIDC_ROLES_CLAIM", "groups")
OIDC_TEAMMATES = env.names("OIDC_TEAMMATES", "claude-teammates")
OIDC_MANAGERS = env.names("OIDC_MANAGERS", "claude-managers")
OIDC_ADMINS = env.names("OIDC_ADMINS", "claude-admins")
# Where its sign-in page is, should that be at other origins than the issuer's.
OIDC_SIGN_IN_ORIGINS = env.origins("OIDC_SIGN_IN_ORIGINS")
env.problem_if(
    bool(OIDC_ISSUER) != bool(OIDC_CLIENT_ID) or bool(OIDC_ISSUER) != bool(OIDC_CLIENT_SECRET),
    "OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET belong together: set all three or none.",
)
# The provider may be inside the company: its calls take HTTPS_PROXY and NO_PROXY, as usual.
_oidc_proxy = env.http_proxy(_https_proxy, strict=False) if OIDC_ISSUER and _https_proxy else None
OIDC_PROXY_URL = _oidc_proxy.url if _oidc_proxy else ""
OIDC_PROXY_USER = _oidc_proxy.user if _oidc_proxy else ""
OIDC_PROXY_PASSWORD = _oidc_proxy.password if _oidc_proxy else ""
OIDC_CA_BUNDLE = CA_BUNDLE or (env.ca_file("REQUESTS_CA_BUNDLE") if OIDC_ISSUER else "")
env.problem_if("openid" not in OIDC_SCOPES, "OIDC_SCOPES must contain openid.")
# Sign-in by a header of a proxy in front: off unless both are set.
SIGN_IN_HEADER = env.header("SIGN_IN_HEADER")
SIGN_IN_GROUPS_HEADER = env.header("SIGN_IN_GROUPS_HEADER")
TRUSTED_PROXY_ADDRESSES = env.networks("TRUSTED_PROXY_ADDRESSES")
env.problem_if(
    bool(SIGN_IN_HEADER) != bool(TRUSTED_PROXY_ADDRESSES),
    "SIGN_IN_HEADER and TRUSTED_PROXY_ADDRESSES belong together: set both or none.",
)
env.problem_if(
    bool(SIGN_IN_GROUPS_HEADER) and not SIGN_IN_HEADER,
    "SIGN_IN_GROUPS_HEADER needs SIGN_IN_HEADER.",
)
env.problem_if(
    not PASSWORD_SIGN_IN and not OIDC_ISSUER and not SIGN_IN_HEADER,
    "PASSWORD_SIGN_IN is off and nothing else is set up: nobody could sign in.",
)

# Days until texts are shortened and runs deleted (docs/retention.md); 0 keeps for ever. Seven at
# least: a deleted run no longer keeps its one-time key, good for a day, from firing again.
KEEP_TEXTS_DAYS = env.days("KEEP_TEXTS_DAYS", least=7)
KEEP_RUNS_DAYS = env.days("KEEP_RUNS_DAYS", least=7)
KEEP_SIGN_INS_DAYS = env.number("KEEP_SIGN_INS_DAYS", 365, least=0, most=36_500)
env.problem_if(
    0 < KEEP_RUNS_DAYS <= KEEP_TEXTS_DAYS,
    "KEEP_TEXTS_DAYS must be less than KEEP_RUNS_DAYS: with its run a text is deleted anyway.",
)

# A worker's loop, its duties and a few answers that come at once; its waiting fires hold none.
_connections = max(WEB_THREADS, 12)
DATABASES = {
    "default": env.database("DATABASE_URL", "sqlite:///var/dashboard.sqlite3", threads=_connections)
}
LOG_FORMAT = env.choice("LOG_FORMAT", "text", ("text", "json"))
SECRET_FILES = env.files  # a start warns if others may read them
env.stop_on_problems()

# --- Django ---

DEBUG = False
_dashboard = urlsplit(DASHBOARD_URL)
_secure = _dashboard.scheme == "https"
_host = _dashboard.hostname or ""
ALLOWED_HOSTS = [f"[{_host}]" if ":" in _host else _host]
if is_loopback(_dashboard.hostname):
    ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = [DASHBOARD_URL]
ROOT_URLCONF = "dashboard.urls"
WSGI_APPLICATION = "dashboard.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
USE_I18N = False
TIME_ZONE = "UTC"  # pages show the reader's own zone: dashboard/serving/middleware.py
USE_TZ = True

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.usersessions",
    "csp",
    "django_htmx",
    "dashboard",
    "routines",
]
MIDDLEWARE = middleware_list.MIDDLEWARE

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "dashboard.navigation.navigation",
                "dashboard.worker_notice.no_worker",
                "dashboard.sign_in.methods.sign_in_methods",
            ],
            "builtins": ["dashboard.templatetags.dashboard", "dashboard.templatetags.runs"],
        },
    }
]
FORM_RENDERER = "dashboard.forms.renderer.PlainFormRenderer"

# What all processes must know together about wrong passwords; migrations make the table.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "sign_in_cache",
        # Beyond this, entries are thrown out: so many that a guesser cannot flush their own.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# --- Static files: compressed and fingerprinted by whitenoise ---

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_ALLOW_ALL_ORIGINS = False
STATIC_ROOT = BASE_DIR / "var" / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- People and sign-in ---

AUTH_USER_MODEL = "routines.Person"
AUTHENTICATION_BACKENDS = ["dashboard.sign_in.backend.GroupRightsBackend"]
PASSWORD_HASHERS = [
    "dashboard.sign_in.hashers.Argon2Hasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",  # read, then upgraded
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
ACCOUNT_ADAPTER = "dashboard.sign_in.accounts.InternalAccountAdapter"
ACCOUNT_FORMS = {"login": "dashboard.forms.sign_in.SignInForm"}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False  # but it ends all other web sessions
# Wrong passwords are counted in dashboard/sign_in/throttling.py; this is for whole requests.
ACCOUNT_RATE_LIMITS = {
    "login": "120/m/ip",
    "login_failed": "5/5m/key",  # codes of second factors, by who has the password already
    "change_password": "5/5m/user",
}
MFA_ADAPTER = "dashboard.sign_in.second_factor.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "activate_totp": "dashboard.forms.second_factor.SetUpAppForm",
    "authenticate": "dashboard.forms.second_factor.CodeForm",
    "reauthenticate": "dashboard.forms.second_factor.ConfirmByCodeForm",
    "add_webauthn": "dashboard.forms.second_factor.AddPasskeyForm",
    "authenticate_webauthn": "dashboard.forms.second_factor.UsePasskeyForm",
    "reauthenticate_webauthn": "dashboard.forms.second_factor.ConfirmByPasskeyForm",
}
MFA_TOTP_ISSUER = "Routine dashboard"
MFA_TOTP_TOLERANCE = 1  # a telephone's clock may be half a minute off
MFA_RECOVERY_CODES_SHOW_ONCE = True
SOCIALACCOUNT_ADAPTER = "dashboard.sign_in.oidc.adapter.ProviderAccountAdapter"
# For so long after a sign-in nothing asks who it is: dashboard/sign_in/reauthentication.py.
REAUTHENTICATE_AFTER_SECONDS = 600
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "board"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
CSRF_FAILURE_VIEW = "dashboard.views.errors.csrf_failure"

SESSION_ENGINE = "dashboard.sign_in.session_store"
SESSION_COOKIE_AGE = SESSION_MAX_HOURS * 3600
# Not Strict: the way back from an identity provider comes from another site.
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _secure
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = _secure  # as dashboard/serving/https.py does it
SECURE_REDIRECT_EXEMPT = [r"^static/"]  # the page that says what is wrong has its style
SECURE_HSTS_SECONDS = 31_536_000 if _secure else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _secure and HSTS_SUBDOMAINS
SECURE_HSTS_PRELOAD = _secure and HSTS_PRELOAD
# Django would have both: they bind hosts that are not ours to bind, so somebody has to ask for it.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

_issuer = urlsplit(OIDC_ISSUER)
_provider_origins = [f"{_issuer.scheme}://{_issuer.netloc}"] if OIDC_ISSUER else []
_provider_origins += OIDC_SIGN_IN_ORIGINS
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "connect-src": [SELF],
        "font-src": [SELF],
        "manifest-src": [SELF],
        # A browser follows the form's redirect to the identity provider only if it stands here.
        "form-action": [SELF, *_provider_origins],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# Room for a text of 65,536 characters of any script, URL-encoded, several times over: a paste that
# is too long must come back with a sentence and with what was typed, not as a bare 400. Whoever is
# not signed in has less, and each field has a bound of its own: dashboard/serving/bounds.py.
DATA_UPLOAD_MAX_MEMORY_SIZE = 12_000_000
# No form takes a file, and a file's size has no limit of its own.
FILE_UPLOAD_HANDLERS = ["dashboard.serving.uploads.NoFiles"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "dashboard.serving.logs.LogFormatter", "json_lines": LOG_FORMAT == "json"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        # Django mails its errors to ADMINS by default; here they go to the log alone.
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # Refusals stand in the request's own line; a failure comes with its traceback.
        "django.request": {"level": "ERROR"},
        # Nor does what anybody may send, another host's name or a file: each would be an ERROR with
        # a traceback. The request's line has the status.
        "django.security": {"level": "CRITICAL"},
        "django.security.csrf": {"level": "WARNING"},
        # At DEBUG these two write the headers of requests and answers, tokens and all. So they
        # stay quiet whatever the root's level is.
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
    },
}
