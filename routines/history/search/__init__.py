"""Searching runs by the words of their text, reason, outcome note and error message.

A run matches if it has all the words, anywhere in these four; case does not matter. A word is
meant whole: "deploy" does not find "deployed". The index of words is kept by triggers of the
database, so no way of writing runs can forget it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q

from routines.history.search import postgresql, sqlite
from routines.history.search.expression import Expression
from routines.history.search.words import LONGEST, NothingToSearch, facet, read
from routines.values.periods import Span

__all__ = [
    "LONGEST",
    "Expression",
    "NothingToSearch",
    "among",
    "candidates",
    "expression",
    "install",
    "matching",
    "read",
    "rebuild",
]


def _index() -> Any:
    return sqlite if connection.vendor == "sqlite" else postgresql


def install(**_signal: object) -> None:
    """Make what is missing of the index in this database, and fill it if it is new."""
    _index().install()


def rebuild() -> None:
    _index().rebuild()


def expression(typed: str, facets: Sequence[Sequence[tuple[str, int]]] = ()) -> Expression:
    """The words typed; and of each group of facets one must hold, too.

    A facet is a kind and a primary key: ("p", ...) runs of that person, ("r", ...) of that
    routine, ("a", ...) of that account. Raise NothingToSearch.
    """
    groups = [tuple(facet(kind, pk) for kind, pk in group) for group in facets]
    return Expression(tuple(read(typed)), tuple(groups))


def matching(typed: str) -> Q:
    """All runs that have the words. Raise NothingToSearch."""
    return Q(pk__in=_index().matching(expression(typed)))


def candidates(
    sought: Expression, span: Span, *, newest_first: bool, limit: int
) -> list[tuple[int, datetime]]:
    """Up to `limit` matching runs of the span, both its ends included, in the order of time.

    Each with its primary key and its moment, which may be exact to the second only.
    """
    found: list[tuple[int, datetime]] = _index().candidates(
        sought, span, newest_first=newest_first, limit=limit
    )
    return found


def among(sought: Expression, runs: Sequence[tuple[int, datetime]]) -> set[int]:
    """The primary keys of those of `runs` (keys with moments) that match."""
    found: set[int] = _index().among(sought, runs)
    return found
