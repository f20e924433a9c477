"""Typed reading of environment variables, every problem one sentence that names the variable.

Used by settings.py only. A value may come from a file: `NAME_FILE=/path` (for secrets mounted by
a service manager). `.env` beside manage.py fills what the environment leaves unset; `ENV_FILE`
names another file, and an empty `ENV_FILE` reads none. A file that is named or there, and cannot
be read, stops the start: what it says could be where the database is.
"""

import ipaddress
import os
import re
import sqlite3
import ssl
import sys
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import idna
from cryptography.fernet import Fernet

from dashboard import database_url, dotenv
from routines.wire import Proxy

_OLDEST_SQLITE = (3, 35)  # the first that drops columns and returns rows from an INSERT
# Of PostgreSQL's client library, unless DATABASE_URL says otherwise: a server that vanished from
# the network confirms nothing that is sent to it, and pages give up on it after two seconds. Who
# only waits for its answer sends nothing, and has to ask now and then whether it is still there.
_GIVES_UP = {"tcp_user_timeout": "2000", "connect_timeout": "5"}  # milliseconds, seconds
_GIVES_UP |= {"keepalives_idle": "20", "keepalives_interval": "5"}  # seconds
_MOST_DIGITS = 9
_HOST_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*")
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


def is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _as_browsers_write(host: str) -> str:
    """International names in their ASCII spelling, IPv6 addresses in their short one.

    Raise ValueError for what is no host: Django would take `*` and `.example.com` for many.
    """
    if ":" in host and "%" not in host:
        return str(ipaddress.IPv6Address(host))
    name = host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    if not _HOST_NAME.fullmatch(name):
        raise ValueError("This is no host.")
    return name


def _whole_number(raw: str) -> int | None:
    """None for what is none; so long ones are none, since Python would not read them."""
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) <= _MOST_DIGITS else None


class Environment:
    """Collects problems while settings.py reads; `stop_on_problems` then tells them all at once."""

    def __init__(self, base_dir: Path) -> None:
        self._base_dir = base_dir
        self._problems: list[str] = []
        # Files that secrets were read from.
        self.files: list[Path] = []
        self._read_env_file(os.environ.get("ENV_FILE"))

    def _read_env_file(self, named: str | None) -> None:
        path = self._base_dir / (named or ".env")
        # A link that leads nowhere is there, too.
        if named == "" or (named is None and not os.path.lexists(path)):
            return
        try:
            values = dotenv.read(path)
        except dotenv.Unreadable as unreadable:
            which = f"ENV_FILE: {path}" if named else str(path)
            self._problem(f"{which} {unreadable}")
            self._stop()  # all that it would have set is missing now
        self.files.append(path)
        for name, value in values.items():
            os.environ.setdefault(name, value)

    def text(self, name: str, default: str | None = None, *, hint: str = "") -> str:
        value = os.environ.get(name, "").strip()
        file = os.environ.get(f"{name}_FILE", "").strip()
        if value and file:
            self._problem(f"{name} and {name}_FILE are both set: leave one of them out.")
        elif file:
            value = self._content_of(file, name)
        if value:
            return value
        if default is None:
            self._problem(f"{name} is not set: {hint}")
        return default or ""

    def _content_of(self, file: str, name: str) -> str:
        path = self._base_dir / file
        try:
            content = path.read_text("utf-8-sig").strip()
        except (OSError, UnicodeError):
            self._problem(f"{name}_FILE names a file that cannot be read: check path and rights.")
            return ""
        self.files.append(path)
        return content

    def number(self, name: str, default: int, *, least: int, most: int) -> int:
        number = _whole_number(self.text(name, str(default)))
        if number is not None and least <= number <= most:
            return number
        self._problem(f"{name} must be a whole number from {least} to {most}.")
        return default

    def switch(self, name: str, default: str) -> bool:
        return self.choice(name, default, ("on", "off")) == "on"

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        value = self.text(name, default).casefold()
        if value not in choices:
            self._problem(f"{name} must be one of: {', '.join(choices)}.")
            return default
        return value

    def days(self, name: str, *, least: int) -> int:
        """How long something is kept; 0, the default, is for ever."""
        most = 36_500
        number = _whole_number(self.text(name, "0"))
        if number is not None and (number == 0 or least <= number <= most):
            return number
        self._problem(
            f"{name} must be 0 (keep for ever) or a whole number of days from {least} to {most}."
        )
        return 0

    def secret_key(self, name: str) -> str:
        hint = "any random text of at least 50 characters; `make secrets` prints one."
        value = self.text(name, hint=hint)
        if value and (len(value) < 50 or len(set(value)) < 5):
            self._problem(f"{name} is too weak: {hint}")
        return value

    def fernet_keys(self, name: str) -> list[str]:
        hint = "one or more Fernet keys, newest first, comma-separated; `make secrets` prints one."
        keys = [key.strip() for key in self.text(name, hint=hint).split(",") if key.strip()]
        for position, key in enumerate(keys, start=1):
            try:
                Fernet(key)
            except ValueError:
                self._problem(f"{name}: key {position} is not a Fernet key; expected {hint}")
        return keys

    def origin(self, name: str, default: str | None = None, *, hint: str) -> str:
        """`https://host[:port]`; plain http for loopback only. No path, user-info or query."""
        raw = self.text(name, default, hint=hint)
        return self._origin(name, raw, hint) if raw else "http://localhost"  # a problem was noted

    def _origin(self, name: str, raw: str, hint: str) -> str:
        try:
            parts = urlsplit(raw)
            if parts.port == 0:
                raise ValueError("This is no port.")
            usual = {"http": 80, "https": 443}.get(parts.scheme)
            port = "" if parts.port in (None, usual) else f":{parts.port}"
            host = _as_browsers_write(parts.hostname or "localhost")
        except ValueError:
            parts, port, host = urlsplit(""), "", "localhost"
        if parts.scheme not in ("http", "https") or not parts.hostname:
            self._problem(f"{name} must be a URL like {hint}")
        elif parts.username or parts.password or parts.query or parts.fragment:
            self._problem(f"{name} must be scheme, host and port only, like {hint}")
        elif parts.path not in ("", "/"):
            self._problem(f"{name} must have no path, like {hint}")
        elif parts.scheme == "http" and not is_loopback(parts.hostname):
            self._problem(f"{name} must use https; plain http is for loopback addresses only.")
        return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"

    def issuer(self, name: str) -> str:
        """`https://host[:port][/path]` as the provider writes it, or empty."""
        raw = self.text(name, "")
        if not raw:
            return ""
        try:
            parts = urlsplit(raw)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
            _as_browsers_write(parts.hostname or "")
        except ValueError:
            good = False
        if not good or "@" in parts.netloc or parts.query or parts.fragment or len(raw) > 200:
            self._problem(f"{name} must be the provider's issuer, like https://login.example.com.")
            return ""
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            self._problem(f"{name} must use https; plain http is for loopback addresses only.")
            return ""
        return raw

    def names(self, name: str, default: str) -> list[str]:
        """Comma-separated."""
        return [part.strip() for part in self.text(name, default).split(",") if part.strip()]

    def origins(self, name: str) -> list[str]:
        hint = "https://login.example.com, comma-separated."
        found = []
        for one in self.names(name, ""):
            if one.casefold().startswith("https://"):
                found.append(self._origin(name, one, hint))
            else:
                self._problem(f"{name} must be origins like {hint}")
        return found

    def header(self, name: str) -> str:
        value = self.text(name, "")
        if value and not re.fullmatch("[A-Za-z][A-Za-z0-9-]*", value):
            self._problem(f"{name} must be a header's name like X-Forwarded-User.")
        return value

    def networks(self, name: str) -> list[IPNetwork]:
        """Addresses and networks, comma-separated. No `*`: that would be everybody."""
        found = []
        for one in self.names(name, ""):
            try:
                found.append(ipaddress.ip_network(one))
            except ValueError:
                self._problem(f"{name}: “{one}” is no address like 10.0.0.5 or 10.0.0.0/24.")
        return found

    def proxies(self, name: str, default: str) -> list[IPNetwork | None]:
        """IP addresses or networks, comma-separated; None stands for `*`: whoever connects."""
        found: list[IPNetwork | None] = []
        for part in self.text(name, default).split(","):
            try:
                found.append(None if part.strip() == "*" else ipaddress.ip_network(part.strip()))
            except ValueError:
                self._problem(f"{name} must be IP addresses, comma-separated, like 10.0.0.7.")
        return found

    def http_proxy(self, name: str, *, strict: bool) -> Proxy | None:
        """`http://user:password@host:port`; None if it is unset or `direct`.

        Not `strict`: as other programs take it, scheme and port may be missing. No sentence repeats
        any of it: it may hold a password.
        """
        raw = self.text(name, "")
        if not raw or raw.casefold() == "direct":
            return None
        if not strict and "://" not in raw:
            raw = f"http://{raw}"
        try:
            proxy = Proxy.from_url(raw)
            if strict and not re.search(r":[0-9]+/?$", raw):
                raise ValueError("its port is missing")
            return proxy
        except ValueError as error:
            self._problem(f"{name} must be a proxy like http://proxy.example.com:3128: {error}.")
            return None

    def first_set(self, *names: str) -> str:
        """The first of these variables that is set, or empty."""
        return next((name for name in names if self.text(name, "")), "")

    def ca_file(self, name: str) -> str:
        """The path of a PEM file with certificate authorities, or empty."""
        path = self.text(name, "")
        if not path:
            return ""
        try:
            if ssl.create_default_context(cafile=path).cert_store_stats()["x509"]:
                return str(Path(path).resolve())
            problem = "holds no certificate"
        except ssl.SSLError:
            problem = "holds no certificates in PEM form (-----BEGIN CERTIFICATE-----)"
        except OSError as error:
            problem = f"cannot be read ({error.strerror or 'no such file'})"
        self._problem(f"{name}: the file {path} {problem}.")
        return ""

    def database(self, name: str, default: str, *, threads: int) -> dict[str, Any]:
        try:
            database = database_url.parse(self.text(name, default), self._base_dir)
        except database_url.BadDatabaseURL as bad:
            self._problem(f"{name} {bad}")
            return {}
        if database["ENGINE"].endswith("sqlite3"):
            return self._sqlite(database)
        return self._postgresql(database, threads)

    def _sqlite(self, database: dict[str, Any]) -> dict[str, Any]:
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            self._problem(
                f"The SQLite of this Python is {sqlite3.sqlite_version}; 3.35 or newer is needed. "
                "Use Debian's own Python, or set DATABASE_URL to a PostgreSQL database."
            )
        path = Path(database["NAME"])
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            self._problem(f"DATABASE_URL: the folder {path.parent} cannot be made ({error}).")
        return database | {
            "CONN_MAX_AGE": 60,
            "OPTIONS": {
                # A deferred transaction fails at once when its reader turns writer; this waits.
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                # FULL: a run is on the disk before it is sent. With NORMAL a power cut may take
                # back the last commits, and the form that is still open would fire once more.
                "init_command": (
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                    "PRAGMA mmap_size=134217728; PRAGMA journal_size_limit=27103364;"
                    "PRAGMA cache_size=2000"
                ),
            },
        }

    def _postgresql(self, database: dict[str, Any], threads: int) -> dict[str, Any]:
        # One connection a thread at the most, kept by psycopg's pool: Django's own persistent
        # connections must then be off.
        pool = {"min_size": 1, "max_size": threads, "timeout": 1.5}  # seconds: routines/patience.py
        # Each is looked at before it is used: a server that was restarted has closed them all, and
        # the answer of a fire must not meet one dead connection after the other.
        kept = {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True}
        # They outlive their transaction, and a pooler may give the next one another connection.
        kept["DISABLE_SERVER_SIDE_CURSORS"] = True
        return database | kept | {"OPTIONS": _GIVES_UP | database["OPTIONS"] | {"pool": pool}}

    def problem_if(self, wrong: bool, sentence: str) -> None:
        if wrong:
            self._problem(sentence)

    def stop_on_problems(self) -> None:
        if self._problems:
            self._stop()

    def _stop(self) -> NoReturn:
        for sentence in self._problems:
            print(f"Settings: {sentence}", file=sys.stderr)
        sys.exit(2)

    def _problem(self, sentence: str) -> None:
        self._problems.append(sentence)
