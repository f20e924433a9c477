"""Two rooms, one direction: what may import what, read from the source itself."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

BASE = Path(__file__).parent.parent
ROOMS = ("routines", "dashboard")
WIRE = "routines/fire_api/wire.py"
PROVIDER_WIRE = "dashboard/sign_in/oidc/wire.py"

# What stands between a person and the domain: of no business to the domain.
WEB = (
    *("dashboard", "allauth", "csp", "django_htmx", "gunicorn", "whitenoise"),
    *("django.forms", "django.http", "django.shortcuts", "django.template", "django.urls"),
    *("django.views", "django.contrib.messages", "django.contrib.sessions", "django.test"),
)
NETWORK = ("httpx", "httpcore", "requests", "aiohttp", "urllib3", "urllib.request")
LONGEST_FILE = 400  # lines

_DOTTED = re.compile(r"[a-z_]+(\.\w+)+")


def sources(*rooms: str) -> list[str]:
    found = [path for room in rooms for path in (BASE / room).rglob("*.py")]
    return sorted(str(path.relative_to(BASE)) for path in found)


def imported_by(source: str, path: str) -> Iterator[str]:
    """Every module that `source` names in an import, wherever it stands, or as a dotted string."""
    package = path.split("/")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *filter(None, [node.module])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and _DOTTED.fullmatch(str(node.value)):
            yield str(node.value)  # as import_module and settings name them


def forbidden(modules: tuple[str, ...], paths: list[str]) -> dict[str, set[str]]:
    """Those of `paths` that import one of `modules` or something in it, and what they import."""
    found = {}
    for path in paths:
        imported = imported_by((BASE / path).read_text(), path)
        found[path] = {
            one for one in imported if any(f"{one}.".startswith(f"{m}.") for m in modules)
        }
    return {path: imported for path, imported in found.items() if imported}


def test_the_domain_knows_nothing_of_the_web():
    assert forbidden(WEB, sources("routines")) == {}
    assert "dashboard/views/board.py" in forbidden(WEB, sources("dashboard"))


def test_the_product_knows_nothing_of_its_tests():
    assert forbidden(("tests", "pytest", "time_machine", "hypothesis"), sources(*ROOMS)) == {}


def test_one_module_owns_the_wire_to_the_endpoint_and_one_that_to_the_identity_provider():
    assert list(forbidden(NETWORK, sources(*ROOMS))) == [PROVIDER_WIRE, WIRE]


def test_a_token_is_opened_where_it_is_encrypted_sent_and_scrubbed_and_nowhere_else():
    opening = {path for path in sources(*ROOMS) if ".reveal()" in (BASE / path).read_text()}
    assert opening == {
        "routines/values/tokens.py",
        "routines/fire_api/__init__.py",
        "routines/values/redaction.py",
    }


def test_every_file_can_be_read_in_one_sitting():
    files = [
        path
        for folder in (*ROOMS, "templates", "static", "tests")
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
    assert module in imported_by(source, "routines/demo/example.py")


def test_a_relative_import_stays_in_its_package():
    assert set(imported_by("from . import a\nfrom ..b import c", "routines/demo/example.py")) == {
        *("routines.demo", "routines.demo.a", "routines.b", "routines.b.c"),
    }
