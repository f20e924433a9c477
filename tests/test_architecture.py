"""The architecture: which room may import which, read from the source itself.

The two tables below are the one place where it is recorded. A room is a folder of `routines/`
or `dashboard/`, or one of the few files beside them.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

BASE = Path(__file__).parent.parent
PACKAGES = ("routines", "dashboard")

# The domain, floor by floor: a room imports rooms that stand above it in this table, and of these
# only the ones it names.
DOMAIN: dict[str, set[str]] = {
    "keyset": set(),
    "patience": set(),
    "values": set(),
    "text_templates": {"values"},
    "wire": set(),
    "fire_api": {"values", "wire"},
    "models": {"values", "text_templates"},
    "audit": {"keyset", "values", "models"},
    "people": {"values", "models", "audit"},
    "tokens": {"values", "fire_api", "models", "audit"},
    "runs": {"patience", "values", "fire_api", "models", "audit", "tokens"},
    "registry": {"values", "text_templates", "models", "audit", "runs"},
    "callers": {"patience", "values", "text_templates", "models", "audit", "runs"},
    "board": {"keyset", "values", "text_templates", "models", "people", "runs", "registry"},
    "history": {"keyset", "values", "models", "audit", "runs"},
    "insight": {"values", "models", "tokens", "history"},
    "upkeep": {"values", "models", "audit", "tokens", "runs", "insight"},
    "worker": {"fire_api", "models", "audit", "runs", "callers", "insight", "upkeep"},
    "practice_api": {"values", "registry"},
    "demo": {
        *("values", "text_templates", "models", "people", "registry", "callers", "insight"),
        "practice_api",
    },
    "management": {
        *("models", "audit", "people", "runs", "registry", "history", "insight", "upkeep"),
        *("practice_api", "demo"),
    },
    "apps": {"audit", "history", "insight", "upkeep"},
}
# The web face, in the same way. Any of its rooms may import the domain; the domain imports none.
WEB_FACE: dict[str, set[str]] = {
    "requests": set(),
    "lookups": {"requests"},
    "navigation": set(),
    "waiting": set(),
    "moments": set(),
    "worker_notice": set(),
    "serving": set(),
    "notices": {"serving"},
    "dotenv": set(),
    "database_url": set(),
    "environment": {"dotenv", "database_url"},
    "settings": {"environment", "serving"},
    "forms": set(),
    "charts": set(),
    "templatetags": {"forms", "charts", "waiting"},
    "run_form": {"requests"},
    "sign_in": {"environment", "notices", "serving"},
    "doors": {"serving"},
    "fire_door": {"doors"},
    "api": {"doors"},
    "mcp": {"doors"},
    "connect": set(),
    "views": {
        *("requests", "lookups", "notices", "serving", "forms", "charts", "run_form", "sign_in"),
        *("waiting", "moments", "doors", "connect"),
    },
    "management": {"sign_in", "serving"},
    "apps": {"serving", "sign_in"},
    "urls": {"fire_door", "api", "mcp", "views"},
    "wsgi": {"serving"},
}

WIRE = [f"routines/wire/{name}.py" for name in ("client", "route", "sockets")]

# What stands between a person and the domain: of no business to the domain.
WEB = (
    *("dashboard", "allauth", "csp", "django_htmx", "gunicorn", "whitenoise"),
    *("django.forms", "django.http", "django.shortcuts", "django.template", "django.urls"),
    *("django.views", "django.contrib.messages", "django.contrib.sessions", "django.test"),
)
NETWORK = ("httpx", "httpcore", "requests", "aiohttp", "urllib3", "urllib.request")
LONGEST_FILE = 400  # lines
LONGEST_TEMPLATE_LINE = 120  # characters

_DOTTED = re.compile(r"[a-z_]+(\.\w+)+")


def sources(*packages: str) -> list[str]:
    found = [path for package in packages for path in (BASE / package).rglob("*.py")]
    return sorted(str(path.relative_to(BASE)) for path in found)


def named_by(source: str, path: str) -> Iterator[str]:
    """Every module that `source` imports, wherever it does, or names as a dotted string."""
    yield from imported_by(source, path)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and _DOTTED.fullmatch(str(node.value)):
            yield str(node.value)  # as import_module and settings name them


def imported_by(source: str, path: str) -> Iterator[str]:
    """Every module that `source` names in an import, wherever it stands."""
    package = path.split("/")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *filter(None, [node.module])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def forbidden(modules: tuple[str, ...], paths: list[str]) -> dict[str, set[str]]:
    """Those of `paths` that import one of `modules` or something in it, and what they import."""
    found = {}
    for path in paths:
        imported = named_by((BASE / path).read_text(), path)
        found[path] = {
            one for one in imported if any(f"{one}.".startswith(f"{m}.") for m in modules)
        }
    return {path: imported for path, imported in found.items() if imported}


def rooms_imported_by(package: str) -> dict[str, set[str]]:
    """Every room of `package`, with the other rooms of it that its files import."""
    found: dict[str, set[str]] = {room: set() for room in rooms_of(package)}
    for path in sources(package):
        room = Path(path).with_suffix("").parts[1]
        if room == "__init__":
            continue
        for module in imported_by((BASE / path).read_text(), path):
            first, _, rest = module.partition(".")
            if first == package and rest:
                found[room] |= {rest.split(".")[0]} & found.keys() - {room}
    return found


def rooms_of(package: str) -> set[str]:
    inside = {path.stem for path in (BASE / package).glob("*.py")} | {
        path.parent.name for path in (BASE / package).glob("*/__init__.py")
    }
    return inside - {"__init__", "migrations"}


@pytest.mark.parametrize(("package", "table"), [("routines", DOMAIN), ("dashboard", WEB_FACE)])
def test_each_room_stands_in_the_table_and_imports_what_it_may(package, table):
    imported = rooms_imported_by(package)
    assert imported.keys() == table.keys()
    beyond = {room: rooms - table[room] for room, rooms in imported.items()}
    assert {room: rooms for room, rooms in beyond.items() if rooms} == {}
    unused = {room: rooms - imported[room] for room, rooms in table.items()}
    assert {room: rooms for room, rooms in unused.items() if rooms} == {}, "the table says too much"


@pytest.mark.parametrize("table", [DOMAIN, WEB_FACE], ids=["domain", "web face"])
def test_it_is_built_floor_by_floor(table):
    above: set[str] = set()
    for room, imported in table.items():
        assert imported <= above, room
        above.add(room)


def test_every_room_says_what_it_owns():
    rooms = [path for package in PACKAGES for path in (BASE / package).glob("*/__init__.py")]
    silent = {
        str(path.parent.relative_to(BASE))
        for path in rooms
        if not ast.get_docstring(ast.parse(path.read_text()))
    }
    assert len(rooms) > 20
    assert silent - {"routines/migrations", "dashboard/migrations"} == set()


def test_the_domain_knows_nothing_of_the_web():
    assert forbidden(WEB, sources("routines")) == {}
    assert "dashboard/views/board.py" in forbidden(WEB, sources("dashboard"))


def test_the_product_knows_nothing_of_its_tests():
    assert forbidden(("tests", "pytest", "time_machine", "hypothesis"), sources(*PACKAGES)) == {}


def test_one_room_owns_the_wire_to_the_endpoint_and_to_the_identity_provider():
    assert list(forbidden(NETWORK, sources(*PACKAGES))) == WIRE


def test_a_token_is_revealed_where_it_is_encrypted_sent_and_redacted_and_nowhere_else():
    opening = {path for path in sources(*PACKAGES) if ".reveal()" in (BASE / path).read_text()}
    assert opening == {
        "routines/values/tokens.py",
        "routines/fire_api/__init__.py",
        "routines/values/redaction.py",
        "dashboard/views/api_key_secrets.py",  # of an API key, once, to who has made it
    }


def test_every_file_can_be_read_in_one_sitting():
    files = [
        path
        for folder in (*PACKAGES, "templates", "static", "tests")
        for path in (BASE / folder).rglob("*")
        if path.suffix in {".py", ".html", ".js", ".css"}
        and not path.match("migrations/*_first.py")  # generated
    ]
    lengths = {str(path.relative_to(BASE)): len(path.read_text().splitlines()) for path in files}
    assert len(lengths) > 100
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_FILE} == {}


# --- That the tests above would see it ---

SEEN = {
    "plain": ("import dashboard.views", "dashboard.views"),
    "renamed": ("import dashboard as web", "dashboard"),
    "from": ("from dashboard import views", "dashboard.views"),
    "from within": ("from dashboard.views.board import show", "dashboard.views.board"),
    "in a function": ("def f():\n    import dashboard.urls", "dashboard.urls"),
    "for types alone": ("if TYPE_CHECKING:\n    from dashboard import urls", "dashboard.urls"),
    "relative": ("from ...dashboard import urls", "dashboard.urls"),
    "by name": ("import_module('dashboard.urls')", "dashboard.urls"),
}


@pytest.mark.parametrize(("source", "module"), SEEN.values(), ids=SEEN)
def test_an_import_is_seen(source, module):
    assert module in named_by(source, "routines/demo/example.py")


def test_a_relative_import_stays_in_its_package():
    assert set(imported_by("from . import a\nfrom ..b import c", "routines/demo/example.py")) == {
        *("routines.demo", "routines.demo.a", "routines.b", "routines.b.c"),
    }


def test_no_line_of_a_template_runs_out_of_sight():
    lines = {
        f"{path.relative_to(BASE)}:{number}": line
        for path in (BASE / "templates").rglob("*.html")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
    }
    assert len(lines) > 1000
    assert [place for place, line in lines.items() if len(line) > LONGEST_TEMPLATE_LINE] == []
