"""Runs as the product speaks of them in queries, and the words that a search looks at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from django.db import models

from routines.models.routine import Routine
from routines.values import words
from routines.values.reasons import SENT

if TYPE_CHECKING:
    from routines.models.api_key import ApiKey
    from routines.models.people import Person
    from routines.models.run import Run

# What a search looks at, and where its words are kept (values/words.py). `save`, `bulk_create`,
# `bulk_update` and `update` fill the latter; the database copies them into the index of words.
WORDS_OF = {
    "text": "text_words",
    "why": "why_words",
    "outcome_note": "outcome_note_words",
    "error_message": "error_message_words",
}


class RunQuerySet(models.QuerySet["Run"]):
    def visible_to(self, person: Person) -> Self:
        """The one rule of who sees which runs: lists, single pages and exports all start here.

        Their own; all of a routine that they may run and whose runs its group sees; or, with the
        permission, everybody's.
        """
        if person.has_perm("routines.view_all_runs"):
            return self
        return self.filter(
            models.Q(person=person)
            | models.Q(routine__in=Routine.objects.with_runs_open_to(person).values("pk"))
        )

    def asked_for_with(self, api_key: ApiKey) -> Self:
        """What a program sees: the runs that its own key asked for.

        A personal key sees no more than its person: who has no role any more sees nothing.
        """
        if api_key.person is not None and not api_key.person.rights:
            return self.none()
        return self.filter(api_key=api_key)

    def sent(self) -> Self:
        """Runs whose request left, or may have: each may have made a session."""
        return self.filter(state__in=SENT)

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")

    def update(self, **values: Any) -> int:
        """As Django's, and the words of what is searched follow."""
        for field, column in WORDS_OF.items():
            if field in values and column not in values:
                if not isinstance(values[field], str):
                    raise TypeError(f"Give {column} beside {field}: its words are made in Python.")
                values[column] = words.kept(values[field])
        return super().update(**values)

    def bulk_create(self, objs: Iterable[Run], *args: Any, **kwargs: Any) -> list[Run]:
        objs = list(objs)
        for run in objs:
            run.set_default_account()
            run.fill_words()
        return super().bulk_create(objs, *args, **kwargs)

    def bulk_update(
        self, objs: Iterable[Run], fields: Iterable[str], *args: Any, **kwargs: Any
    ) -> int:
        objs, fields = list(objs), list(fields)
        for run in objs:
            run.fill_words(fields)
        return super().bulk_update(objs, with_words(fields), *args, **kwargs)


def with_words(fields: Iterable[str]) -> list[str]:
    return [*fields, *(column for field, column in WORDS_OF.items() if field in fields)]


_Manager = models.Manager.from_queryset(RunQuerySet)


class RunManager(_Manager["Run"]):
    def get_queryset(self) -> models.QuerySet[Run]:
        # They are for the database alone, and as long as the texts.
        return super().get_queryset().defer(*WORDS_OF.values())
