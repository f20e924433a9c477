"""DATABASE_URL as Django's settings: all that it says is honoured, or the start stops.

What stands behind `?` are the parameters of PostgreSQL's own client library, under its names.
"""

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from psycopg import pq

EXPECTED = "expected postgresql://user:password@host:5432/name or sqlite:///path/to/file."

_ENCODE = (
    "In a user or a password, / ? # @ % [ ] and blanks are written percent-encoded: %2F %3F %23 "
    "%40 %25 %5B %5D %20."
)
_BAD_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
_ODD = re.compile(r"[\s\x00-\x1f\x7f]")
# Django has a setting of its own for each.
_AS_SETTINGS = {
    "host": "HOST",
    "port": "PORT",
    "user": "USER",
    "password": "PASSWORD",
    "dbname": "NAME",
}
# These would be another use of the database than ours.
_NOT_OURS = {"client_encoding", "replication", "fallback_application_name"}
_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile")
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


class BadDatabaseURL(ValueError):
    """`str()` says what is wrong, without the URL: a password stands in it."""


def parse(url: str, base_dir: Path) -> dict[str, Any]:
    """Raise BadDatabaseURL."""
    scheme, separator, _ = url.partition("://")
    if not separator:
        raise BadDatabaseURL(f"is not a database URL; {EXPECTED}")
    if _ODD.search(url) or _BAD_PERCENT.search(url):
        raise BadDatabaseURL(f"holds a blank or a lone %. {_ENCODE}")
    if scheme.lower() == "sqlite":
        return _sqlite(url, base_dir)
    if scheme.lower() in ("postgresql", "postgres"):
        return _postgresql(url)
    raise BadDatabaseURL(f"is not a database URL; {EXPECTED}")


def _sqlite(url: str, base_dir: Path) -> dict[str, Any]:
    _, _, rest = url.partition("://")
    if "?" in rest or "#" in rest:
        raise BadDatabaseURL(
            "has parameters behind the path of an SQLite file, and none is known. In a path, ? and "
            "# are written %3F and %23."
        )
    host, slash, path = rest.partition("/")
    path = unquote(path)
    if host or not slash or path in ("", ":memory:") or "\x00" in path:
        raise BadDatabaseURL(f"names no file; {EXPECTED}")
    if (base_dir / path).is_dir():
        raise BadDatabaseURL("names a folder, not a file.")
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(base_dir / path)}


def _postgresql(url: str) -> dict[str, Any]:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise BadDatabaseURL(f"cannot be taken apart. {_ENCODE}") from None
    user_info, at, hosts = parts.netloc.rpartition("@")
    if parts.fragment or "#" in url or "@" in user_info or "@" in f"{parts.path}?{parts.query}":
        raise BadDatabaseURL(f"cannot be taken apart. {_ENCODE}")
    user, _, password = user_info.partition(":")
    if at and not user:
        raise BadDatabaseURL(f"cannot be taken apart. {_ENCODE}")
    found = {
        "USER": unquote(user),
        "PASSWORD": unquote(password),
        "NAME": unquote(parts.path.removeprefix("/")),
    } | _hosts(hosts)
    options = _parameters(parts.query, found)
    if any("\x00" in value for value in (*found.values(), *options.values())):
        raise BadDatabaseURL("holds a NUL character (%00).")
    if not found["NAME"] and "service" not in options:
        raise BadDatabaseURL(f"names no database; {EXPECTED}")
    return {"ENGINE": "django.db.backends.postgresql", "OPTIONS": options} | found


def _hosts(written: str) -> dict[str, str]:
    """One, or several with commas between, which are tried in turn."""
    hosts, ports = [], []
    for one in written.split(","):
        match = re.fullmatch(r"(\[[0-9A-Fa-f:.%]+\]|[^\[\]:]*)(?::(.*))?", one)
        if match is None:
            raise BadDatabaseURL(
                f"has no usable host. An IPv6 address stands in brackets. {_ENCODE}"
            )
        hosts.append(unquote(match[1].strip("[]")))
        ports.append(match[2] or "")
        if match[2] is not None and not _is_port(match[2]):
            raise BadDatabaseURL(f"has a port that is no number from 1 to 65535. {_ENCODE}")
    return {"HOST": ",".join(hosts), "PORT": ",".join(ports) if any(ports) else ""}


def _is_port(port: str) -> bool:
    return port.isascii() and port.isdigit() and len(port) < 6 and 1 <= int(port) <= 65_535


def _parameters(query: str, found: dict[str, str]) -> dict[str, str]:
    """Those that are no settings of Django's; the others go into `found`."""
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()} - _NOT_OURS
    options: dict[str, str] = {}
    for pair in filter(None, query.split("&")):
        name, is_given, value = pair.partition("=")
        value = unquote(value)  # a + is a +, as the client library has it
        if not is_given:
            raise BadDatabaseURL("has something behind ? that is not name=value.")
        setting = _AS_SETTINGS.get(name)
        if name not in known:
            shown = f"“{name}”" if re.fullmatch("[A-Za-z_]{1,40}", name) else "one"
            raise BadDatabaseURL(
                f"has a parameter behind ? that cannot be honoured: {shown}. Known are those of "
                "PostgreSQL's client library, like sslmode=verify-full."
            )
        if name in options or (setting and found.get(setting)):
            raise BadDatabaseURL(f"says {name} twice. Leave one of them.")
        if setting:
            found[setting] = value
        else:
            options[name] = value
    if found["PORT"] and not all(not port or _is_port(port) for port in found["PORT"].split(",")):
        raise BadDatabaseURL("has a port that is no number from 1 to 65535.")
    _check_tls(options)
    return options


def _check_tls(options: dict[str, str]) -> None:
    mode = options.get("sslmode", "prefer")
    if mode not in _SSL_MODES:
        raise BadDatabaseURL(f"has an unknown sslmode. It is one of: {', '.join(_SSL_MODES)}.")
    if mode.startswith("verify-"):
        return  # without its files there is no connection
    for name in _FILES:
        value = options.get(name, "")
        if value and value != "system" and not Path(value).is_file():
            raise BadDatabaseURL(f"names a file for {name} that is not there.")
