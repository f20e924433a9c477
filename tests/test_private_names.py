"""Nobody uses what a library, or a module of ours, keeps to itself: an upgrade would break it.

Ruff's SLF001 sees `thing._private`. Here: imports of private modules and names, and tests that
put something of their own in the place of a private name.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

BASE = Path(__file__).parent.parent

# Each with its reason.
ALLOWED = {
    # The only way to make the code that an authenticator app would show now.
    "tests/dashboard/sign_in/test_second_factor.py: allauth.mfa.totp.internal.auth",
}
PATCHING = ("setattr", "delattr", "patch", "object")


def is_private(name: str) -> bool:
    return name == "internal" or (name.startswith("_") and not name.endswith("__"))


def private_names(source: str) -> Iterator[str]:
    """What `source` imports, or puts something else in the place of, although it is private."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names if any(map(is_private, one.name.split("."))))
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if any(map(is_private, module.split("."))):
                yield module
            yield from (one.name for one in node.names if is_private(one.name) and module)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in PATCHING:
            texts = [str(one.value) for one in node.args[:2] if isinstance(one, ast.Constant)]
            yield from filter(is_private, (text.rpartition(".")[2] for text in texts))


def test_nobody_reaches_for_what_is_private():
    found = {
        f"{path.relative_to(BASE)}: {name}"
        for room in ("routines", "dashboard", "tests")
        for path in (BASE / room).rglob("*.py")
        for name in private_names(path.read_text())
    }
    assert found == ALLOWED


@pytest.mark.parametrize(
    "source",
    [
        "from allauth.core.internal import ratelimit",
        "import django.db._something.more",
        "from django.utils import _os",
        "def f():\n    from dashboard.views.run import _press",
        "monkeypatch.setattr(firing, '_in_flight', slots)",
        "monkeypatch.setattr('dashboard.sign_in.proxy._known', None)",
        "mock.patch.object(firing, '_in_flight')",
    ],
)
def test_such_a_name_is_seen(source: str):
    assert list(private_names(source))


def test_other_names_are_let_be():
    source = "from . import a\nfrom __future__ import annotations\nsetattr(a, 'b', 1)\n"
    assert list(private_names(source + "import os\nmonkeypatch.setattr(os, 'fork', None)")) == []
