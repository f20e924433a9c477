"""DATABASE_URL is honoured whole, or stops the start with a sentence that repeats none of it."""

from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db.backends.postgresql.base import DatabaseWrapper

from dashboard import database_url
from dashboard.database_url import BadDatabaseURL
from dashboard.environment import Environment

BASE = Path("/srv/dashboard")


def connection_parameters(url: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What Django hands to psycopg."""
    monkeypatch.setenv("ENV_FILE", "")
    monkeypatch.setenv("DATABASE_URL", url)
    settings = Environment(BASE).database("DATABASE_URL", "", threads=4)
    settings |= {"TIME_ZONE": None, "CONN_MAX_AGE": 0}
    parameters = DatabaseWrapper(settings, "default").get_connection_params()
    return {name: value for name, value in parameters.items() if isinstance(value, str)}


GOOD = {
    "postgresql://user:word@db.example.com:5432/name": {
        "host": "db.example.com",
        "port": "5432",
        "user": "user",
        "password": "word",
        "dbname": "name",
    },
    "postgres://db/name": {"host": "db", "dbname": "name"},
    "postgresql://u:p@db/name?sslmode=verify-full&sslrootcert=/etc/ssl/no-such.pem": {
        "sslmode": "verify-full",
        "sslrootcert": "/etc/ssl/no-such.pem",
        "host": "db",
    },
    "postgresql://u@db/name?sslmode=require&channel_binding=require&connect_timeout=3": {
        "sslmode": "require",
        "channel_binding": "require",
        "connect_timeout": "3",
    },
    "postgresql:///name?host=/var/run/postgresql&port=5433&user=me": {
        "host": "/var/run/postgresql",
        "port": "5433",
        "user": "me",
        "dbname": "name",
    },
    "postgresql://me@%2Fvar%2Frun%2Fpostgresql/name": {"host": "/var/run/postgresql"},
    "postgresql://u:p%2Fs%3Fs%23w%40r%25d+%3A:x@db/name": {"password": "p/s?s#w@r%d+::x"},
    "postgresql://u@[2001:db8::10]:5433/name": {"host": "2001:db8::10", "port": "5433"},
    "postgresql://u@[::1]/name": {"host": "::1"},
    "postgresql://u@one:5432,two:5433/name?target_session_attrs=read-write": {
        "host": "one,two",
        "port": "5432,5433",
        "target_session_attrs": "read-write",
    },
    "postgresql://u@db/n%C3%A4me?application_name=a+b%20c&options=-c%20statement_timeout%3D5s": {
        "dbname": "näme",
        "application_name": "a+b c",
        "options": "-c statement_timeout=5s",
    },
}


@pytest.mark.parametrize(("url", "expected"), GOOD.items(), ids=GOOD)
def test_every_parameter_of_the_database_url_reaches_the_driver(
    url: str, expected: dict[str, str], monkeypatch: pytest.MonkeyPatch
):
    parameters = connection_parameters(url, monkeypatch)
    assert {name: parameters.get(name) for name in expected} == expected
    psycopg.conninfo.make_conninfo("", **parameters)  # it knows them all


BAD = {
    "postgresql://user:pa/ss?word@db.example.com:5432/name": "%2F",
    "postgresql://user:pa#hidden-word@db.example.com:5432/name": "%23",
    "postgresql://user:pa@hidden-word@db.example.com:5432/name": "%40",
    "postgresql://user:pa%hidden-word@db.example.com:5432/name": "%25",
    "postgresql://user:pa hidden-word@db.example.com:5432/name": "%20",
    "postgresql://user:pa[hidden-word@db.example.com:5432/name": "%5B",
    "postgresql://user:hidden-word@db.example.com:65536/name": "port",
    "postgresql://user:hidden-word@db.example.com:0/name": "port",
    "postgresql://user:hidden-word@db.example.com:/name": "port",
    "postgresql://user:hidden-word@2001:db8::10/name": "port",
    "postgresql://user:hidden-word@db/name?ssl=true": "“ssl”",
    "postgresql://user:hidden-word@db/name?conn_max_age=5": "“conn_max_age”",
    "postgresql://user:hidden-word@db/name?pool=5": "“pool”",
    "postgresql://user:hidden-word@db/name?client_encoding=latin1": "“client_encoding”",
    "postgresql://user:hidden-word@db/name?SSLMODE=require": "“SSLMODE”",
    "postgresql://user:hidden-word@db/name?sslmode=required": "sslmode",
    "postgresql://user:hidden-word@db/name?sslmode": "name=value",
    "postgresql://user:hidden-word@db/name?sslmode=require&sslmode=disable": "twice",
    "postgresql://user:hidden-word@db/name?host=other": "twice",
    "postgresql://user:hidden-word@db/name?sslmode=require&sslrootcert=/no/such": "sslrootcert",
    "postgresql://user:hidden-word@db/na%00me": "NUL",
    "postgresql://user:hidden-word@db/": "no database",
    "sqlite:///var/x.sqlite3?timeout=5": "parameters",
    "sqlite://host/x.sqlite3": "names no file",
    "sqlite:///": "names no file",
    "sqlite:///:memory:": "names no file",
    "sqlite:////tmp": "folder",
    "mysql://user:hidden-word@db/name": "expected",
}


@pytest.mark.parametrize(("url", "hint"), BAD.items(), ids=BAD)
def test_what_cannot_be_honoured_stops_the_start_and_is_not_repeated(url: str, hint: str):
    with pytest.raises(BadDatabaseURL) as refused:
        database_url.parse(url, BASE)
    assert hint in str(refused.value)
    assert "hidden" not in str(refused.value)
    assert str(refused.value).endswith(".")


def test_a_path_of_sqlite_may_be_absolute_or_beside_manage_py():
    assert database_url.parse("sqlite:///var/x", BASE)["NAME"] == "/srv/dashboard/var/x"
    assert database_url.parse("sqlite:////var/a%20b", BASE)["NAME"] == "/var/a b"
