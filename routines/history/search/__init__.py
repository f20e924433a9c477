"""Searching runs by the words of their text, reason, outcome note and error message.

A run matches if it has all the words, anywhere in these four; values/words.py says what a word
is. The words stand beside the run, in columns that the run's model fills; an index of words is
kept from these columns by a trigger, and holds the runs whose words have been made.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from routines.history.search import postgresql, sqlite
from routines.keyset import Position
from routines.models import Run
from routines.models.run_queryset import WORDS_OF
from routines.values import words
from routines.values.periods import Span

LONGEST = 500  # characters of a search
MOST_WORDS = 12
_BATCH = 200  # of runs with usual texts: some 20 ms with SQLite's one lock for writing


class NothingToSearch(ValueError):
    """`str()` is a sentence that says what to type instead."""


@dataclass(frozen=True)
class Words:
    """What somebody searches for, as the words that a run keeps of its own."""

    kept: tuple[str, ...]

    @classmethod
    def read(cls, typed: str) -> "Words":
        """Raise NothingToSearch."""
        found = words.sought(typed)
        if not found:
            raise NothingToSearch("There is no word in this to search for. Type letters or digits.")
        if len(found) > MOST_WORDS:
            raise NothingToSearch(f"Search for at most {MOST_WORDS} words at once.")
        return cls(tuple(dict.fromkeys(word for parts in found for word in parts)))

    def by_index(self) -> Q:
        """For all runs there are: the index of words is read as a whole."""
        return Q(pk__in=_index().matching(self.kept))

    def by_run(self) -> Q:
        """For few runs, which other conditions have found: each is read."""

        def has(word: str) -> Q:
            return reduce(or_, (Q(**{f"{it}__contains": f" {word} "}) for it in WORDS_OF.values()))

        return reduce(and_, map(has, self.kept))

    def next(
        self, span: Span, position: Position | None, *, older: bool, limit: int
    ) -> tuple[list[Position], Position | None]:
        """About `limit` matching runs of the span, from a position on.

        And the position that they reach (None: to the span's end): all matches up to there are
        among them, with some that stand on the other side of `position` within the same second.
        Their moments may be exact to the second only.
        """
        found: tuple[list[Position], Position | None] = _index().next_runs(
            self.kept, span, position, older=older, limit=limit
        )
        return found


def _index() -> Any:
    return sqlite if connection.vendor == "sqlite" else postgresql


# --- Keeping ---


def install(verbosity: int = 0, **_signal: object) -> None:
    """Make what is missing of the index in this database, and the words of runs that have none.

    After each `migrate`, since migrations that make a table anew drop its triggers.
    """
    _index().install()
    made = 0
    for made in _make(lambda rest: Q(text_words=None) & rest):
        if verbosity and made % 20_000 == 0:
            print(f"  Made the words of {made:,} runs for the search", flush=True)
    if made and verbosity:
        print(f"  Made the words of {made:,} runs for the search: done", flush=True)


def rebuild() -> Iterator[int]:
    """Make all words and their index anew; yields how many runs are done, batch by batch.

    Each batch is a short transaction, so people may work meanwhile.
    """
    yield from _make(lambda rest: rest)


def _make(condition: Callable[[Q], Q]) -> Iterator[int]:
    """The newest first: they are looked for most."""
    done, rest = 0, Q()
    assignments = ", ".join(f"{column} = %s" for column in WORDS_OF.values())
    while True:
        with transaction.atomic():
            runs = Run.objects.select_for_update().filter(condition(rest)).order_by("-pk")
            batch = list(runs.values_list("pk", *WORDS_OF)[:_BATCH])
            if not batch:
                return
            # Out of the index and into it again: so it is mended, too.
            Run.objects.filter(pk__in=[pk for pk, *_ in batch]).update(text_words=None)
            with connection.cursor() as cursor:
                cursor.executemany(
                    f"UPDATE routines_run SET {assignments} WHERE id = %s",  # noqa: S608
                    [(*map(words.kept, texts), pk) for pk, *texts in batch],
                )
        done, rest = done + len(batch), Q(pk__lt=batch[-1][0])
        yield done


__all__ = ["LONGEST", "MOST_WORDS", "NothingToSearch", "Words", "install", "rebuild"]
